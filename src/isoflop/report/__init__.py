"""The report: one self-contained page and ``findings.json`` from one body of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.report.build import Report, build, write

__all__ = ["Report", "build", "write"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from isoflop.report import build as module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
