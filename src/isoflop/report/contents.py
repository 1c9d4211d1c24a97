"""What a report holds: finished chapters and the one document that page and file both carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import SettingError, closest

if TYPE_CHECKING:
    import polars as pl

    from isoflop.findings import Claim, Finding, Provenance
    from isoflop.present.chapter import Chapter, Figure
    from isoflop.report.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
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

    def findings(self) -> tuple[Finding, ...]:
        """Return every finding of every chapter, in reading order."""
        return tuple(f for chapter in self.chapters for f in chapter.findings)

    def finding(self, name: str) -> Finding:
        """Return one finding by its id.

        Raises
        ------
        SettingError
            No finding of this report has that id; the message names the closest.
        """
        known = {f.id: f for f in self.findings()}
        if name not in known:
            near = closest(name, known)
            hint = f"Did you mean {near!r}?" if near else "report.frame() lists them."
            raise SettingError(f"finding: {name!r} is not in this report of {len(known)} findings. {hint}")
        return known[name]

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the numbers, each with what would cure it."""
        return tuple(dict.fromkeys(c for chapter in self.chapters for c in chapter.cautions))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the report."""
        return tuple(dict.fromkeys(p for chapter in self.chapters for p in chapter.evidence))

    def frame(self) -> pl.DataFrame:
        """Return one row a finding: id, label, value, interval, unit, status, n and method."""
        import polars as pl

        names = (
            "id",
            "instrument",
            "label",
            "value",
            "low",
            "high",
            "level",
            "unit",
            "status",
            "n",
            "method",
        )
        rows = [{name: record[name] for name in names} for record in self.record["findings"]]
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the document of ``findings.json``."""
        return dict(self.record)

    def summary(self) -> str:
        """Return a text of one screen: the answers, then how many claims hold."""
        from isoflop.report.brief import summary

        return summary(self)

    def save(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``index.html`` and ``findings.json`` into a folder, both or neither.

        Returns
        -------
        tuple of Path
            The page and the findings.
        """
        from isoflop.report.build import write

        return write(self, Path(folder))

    def _repr_html_(self) -> str:
        from isoflop.report.brief import html

        return html(self)

    def __repr__(self) -> str:
        return self.summary()

    def json(self) -> str:
        """Return the text of ``findings.json``."""
        return json.dumps(self.record, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
