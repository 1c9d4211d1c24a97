"""The report: one self-contained page and ``findings.json`` from one body of evidence."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.report.build import Report, assemble, write

__all__ = ["Report", "assemble", "write"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("isoflop.report.build"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
