"""From an OpenAlex snapshot on disk to a table of a few bytes a work: plan, extract, status, query.

No network code: the user brings the files, `plan` says which. Source of the layout: OpenAlex's
documentation of its snapshot format (developers.openalex.org/download/snapshot-format).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.evidence.openalex.extract import extract, status
    from isoflop.evidence.openalex.plan import plan
    from isoflop.evidence.openalex.query import Where, WorkCounts, query
    from isoflop.evidence.openalex.result import Extraction, Status
    from isoflop.evidence.openalex.wanted import Model, Wanted

_HOME = {
    "extract": "extract",
    "status": "extract",
    "plan": "plan",
    "query": "query",
    "Where": "query",
    "WorkCounts": "query",
    "Extraction": "result",
    "Status": "result",
    "Model": "wanted",
    "Wanted": "wanted",
}

__all__ = [
    "Extraction",
    "Model",
    "Status",
    "Wanted",
    "Where",
    "WorkCounts",
    "extract",
    "plan",
    "query",
    "status",
]

offer(__name__, _HOME)
