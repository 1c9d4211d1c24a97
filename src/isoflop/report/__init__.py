"""The report: one self-contained page and ``findings.json`` from one body of evidence.

``isoflop.report(...)`` calls `report`: evidence in, a `Report` out that a notebook shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.report.build import assemble, write
    from isoflop.report.contents import Report
    from isoflop.report.make import report
    from isoflop.report.page import render

_HOME = {"Report": "contents", "assemble": "build", "render": "page", "report": "make", "write": "build"}

__all__ = ["Report", "assemble", "render", "report", "write"]

offer(__name__, _HOME, call="report")
