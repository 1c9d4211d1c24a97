"""A finished job's document as a page shows it: findings, claims, tables and pictures."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from isoflop.findings import Claim, Finding
from isoflop.report.picture import cell_text, side
from isoflop.report.still import still
from isoflop.serve.job import Job

MAX_PICTURE: Final = 1_500_000
"""A larger picture is offered as a file alone, so that the page stays light."""
HEADLINES: Final = 4
_SVG: Final = "{http://www.w3.org/2000/svg}"
_ACTIVE: Final = re.compile(r"<script|<foreignObject|\son\w+\s*=|javascript:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """The first rows of one table of a document, as text."""

    name: str
    columns: tuple[str, ...]
    sides: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureView:
    """A picture made ready to stand in a page.

    Parameters
    ----------
    name : str
        Its file in the job's folder.
    title : str
        What it says, read out of it.
    svg : str
        Empty where it is too large, or holds what a picture should not.
    """

    name: str
    title: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All that a finished job's page shows of its document."""

    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...]
    tables: tuple[TableView, ...]
    pictures: tuple[PictureView, ...]

    @property
    def headline(self) -> tuple[Finding, ...]:
        """Return the findings that lead: those whose id has no qualifier, else the first."""
        leading = [one for one in self.findings if one.id.count(".") == 1]
        return tuple((leading or list(self.findings))[:HEADLINES])

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return every caution once, in order."""
        return tuple(dict.fromkeys(caution for one in self.findings for caution in one.cautions))


def result(job: Job, *, rows: int) -> Result:
    """Return what a finished job's document holds, tables cut to some rows.

    Raises
    ------
    EvidenceError
        The document is missing, or is none.
    """
    document = job.document()
    tables: Mapping[str, list[Mapping[str, Any]]] = document.get("tables", {})
    return Result(
        findings=tuple(Finding.from_dict(entry) for entry in document.get("findings", [])),
        claims=tuple(Claim.from_dict(entry) for entry in document.get("claims", [])),
        tables=tuple(_table(name, entries, rows) for name, entries in tables.items() if entries),
        pictures=tuple(picture(path) for path in job.files("picture*.svg")),
    )


def picture(path: Path) -> PictureView:
    """Return a picture fit to stand inside a page; its colours follow the page's mode."""
    text = path.read_text(encoding="utf-8") if path.stat().st_size <= MAX_PICTURE else ""
    is_plain = bool(text) and not _ACTIVE.search(text)
    svg = still(text, prefix=re.sub(r"\W+", "-", path.stem)) if is_plain else ""
    return PictureView(name=path.name, title=title(text) if is_plain else path.stem, svg=svg)


def title(svg: str) -> str:
    """Return the words of a picture's title and subtitle, or an empty text.

    Examples
    --------
    >>> title(f'<svg xmlns="{_SVG[1:-1]}"><g class="role-title"><text>Loss falls</text></g></svg>')
    'Loss falls'
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return ""
    group = next((g for g in root.iter(f"{_SVG}g") if "role-title" in g.get("class", "").split()), None)
    return "" if group is None else " ".join(" ".join(group.itertext()).split())


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV; a cell that a spreadsheet would run as a formula is quoted by an apostrophe.

    Examples
    --------
    >>> csv_text([{"a": 1, "b": "=1+1"}, {"a": None, "b": "x,y"}]).splitlines()
    ['a,b', "1,'=1+1", ',"x,y"']
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return cell_text(value) if isinstance(value, (list, dict)) else value


def _table(name: str, entries: Sequence[Mapping[str, Any]], rows: int) -> TableView:
    columns = tuple(dict.fromkeys(key for row in entries for key in row))
    return TableView(
        name=name,
        columns=columns,
        sides=tuple(side(row.get(key) for row in entries) for key in columns),
        rows=tuple(tuple(cell_text(row.get(key), key) for key in columns) for row in entries[:rows]),
        total=len(entries),
    )
