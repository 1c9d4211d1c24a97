"""The report: one self-contained page and ``findings.json`` from one body of evidence."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.report.build import assemble, write
    from isoflop.report.contents import Report
    from isoflop.report.page import render

_HOME = {"Report": "contents", "assemble": "build", "render": "page", "write": "build"}

__all__ = ["Report", "assemble", "render", "write"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"isoflop.report.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
