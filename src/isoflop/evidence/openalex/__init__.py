"""From an OpenAlex snapshot on disk to a table of a few bytes a work: plan, extract, status, query.

No network code: the user brings the files, `plan` says which. Source of the layout: OpenAlex's
documentation of its snapshot format (developers.openalex.org/download/snapshot-format).
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.evidence.openalex.extract import extract, status
    from isoflop.evidence.openalex.plan import plan
    from isoflop.evidence.openalex.query import query
    from isoflop.evidence.openalex.result import Extraction, Status
    from isoflop.evidence.openalex.wanted import Model, Wanted

_HOME = {
    "extract": "extract",
    "status": "extract",
    "plan": "plan",
    "query": "query",
    "Extraction": "result",
    "Status": "result",
    "Model": "wanted",
    "Wanted": "wanted",
}

__all__ = ["Extraction", "Model", "Status", "Wanted", "extract", "plan", "query", "status"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Verbs(ModuleType):
    """The package, where a verb wins over the submodule of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Verbs
