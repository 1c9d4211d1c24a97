"""``python -m validation [NAME …]``: run the studies, all of them for no name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path


def studies() -> dict[str, Callable[[], None]]:
    """Return every module here that has a `study`; the others make tables and golden numbers."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    modules = {name: importlib.import_module(f"validation.{name}") for name in names}
    return {name: module.study for name, module in modules.items() if hasattr(module, "study")}


def main(names: list[str]) -> int:
    """Run each named study; its tables go to stdout."""
    known = studies()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(
            f"validation: {unknown[0]!r}, must be one of {', '.join(known) or 'none yet'}.", file=sys.stderr
        )
        return 2
    for name in names or known:
        print(f"# {name}", flush=True)
        known[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
