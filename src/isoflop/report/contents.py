"""What a report holds: finished chapters and the one document that page and file both carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.findings import Claim
    from isoflop.present.chapter import Chapter, Figure
    from isoflop.report.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """Everything the page shows and ``findings.json`` holds.

    Parameters
    ----------
    chapters : tuple of Chapter
        In reading order.
    record : mapping
        The document as JSON-ready mapping; both files carry this one.
    command : str
        Command line that makes this report again.
    evidence : str
        Where the tables were taken from, in one line.
    seed : int
    quick : bool
        Whether fewer draws were asked for.
    pictures : mapping
        Pictures already drawn for the page, by anchor; the page draws the others.
    claims : tuple of Claim
        The ledger.
    signature : Figure or None
        All factors on one axis, where at least two have a value.
    """

    chapters: tuple[Chapter, ...]
    record: Mapping[str, Any]
    command: str
    evidence: str = ""
    seed: int = 0
    quick: bool = False
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    signature: Figure | None = None

    def json(self) -> str:
        """Return the text of ``findings.json``."""
        return json.dumps(self.record, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
