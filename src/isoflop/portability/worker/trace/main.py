"""Run a script and note its calls: ``python -m isoflop.portability.worker.trace.main OUT ON SCRIPT …``.

The script runs as the user, with everything that the user may do. Each new call is written to OUT at once as
a line of JSON, so that a script that dies leaves what it called until then.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import IO, Any

from isoflop.portability.worker.measure.errors import error_head, error_type
from isoflop.portability.worker.trace.describe import describe, is_replayable
from isoflop.portability.worker.trace.watch import Watch


class Notes:
    """Calls noted so far: each different one is written once, and counted."""

    def __init__(self, out: IO[str]) -> None:
        self.out = out
        self.counts: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    def add(self, framework: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note one call; one whose arguments cannot be described is only counted."""
        described = {
            "framework": framework,
            "function": function,
            "args": [describe(value) for value in args],
            "kwargs": {name: describe(value) for name, value in kwargs.items()},
        }
        if not is_replayable([described["args"], described["kwargs"]]):
            self.left_out[function] += 1
            return
        key = json.dumps(described, sort_keys=True)
        if key not in self.counts:
            self.out.write(json.dumps({"call": described}, sort_keys=True) + "\n")
            self.out.flush()
        self.counts[key] += 1

    def end(self, versions: dict[str, str], error: dict[str, str]) -> None:
        """Write the counts, in the order in which the calls were written, and how the script ended."""
        told = {
            "counts": list(self.counts.values()),
            "left_out": dict(self.left_out),
            "versions": versions,
            "error": error,
        }
        self.out.write(json.dumps({"end": told}, sort_keys=True) + "\n")


def run(out: IO[str], on: str, script: str, arguments: list[str]) -> int:
    """Run a script as the main program; return its exit status."""
    notes = Notes(out)
    error: dict[str, str] = {}
    status = 0
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    with Watch(notes.add, on) as watch:
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
        except BaseException as raised:
            error = {"type": error_type(raised), "head": error_head(raised)}
            status = 1
    versions = {name: str(getattr(sys.modules[name], "__version__", "")) for name in sorted(watch.watched)}
    notes.end(versions, error)
    return status


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        code = run(file, sys.argv[2], sys.argv[3], sys.argv[4:])
    sys.exit(code)
