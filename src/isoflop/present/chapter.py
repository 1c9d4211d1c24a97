"""What an instrument hands to the report: a `Chapter` of sections, pictures and tables.

A picture is a pair: the frame that holds every number in it, and a function that draws that
frame and nothing else. The function runs only when a picture is wanted, so that building a
chapter for ``findings.json`` imports no charting library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from isoflop.errors import SettingError
from isoflop.present.formats import FORMATS

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Library
    from isoflop.findings import Claim, Finding, Provenance

Align = Literal["left", "right"]
Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction done, 0 to 1."""

_ID = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")


class Drawable(Protocol):
    """A chart of altair's, or one that was drawn elsewhere."""

    def to_dict(self) -> dict[str, Any]:
        """Return the Vega-Lite specification."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One picture: its frame, and the chart that draws that frame.

    Parameters
    ----------
    id : str
        Lower case, unique in the chapter; names the anchor and the downloaded files.
    title : str
        The finding in words, numbers filled in.
    subtitle : str
        What the axes show, with units.
    frame : polars.DataFrame
        Every number in the picture; offered to the reader as CSV and JSON.
    chart : callable
        Draws `frame`; altair is imported inside it.
    alt : str
        What a reader who cannot see the picture needs to know.
    source : str
        Where the data come from.
    n : int or None
        Rows (systems, pairs) behind the picture; None where nothing was counted.
    interval : str
        How intervals are drawn, with their level, or why there is none.
    """

    id: str
    title: str
    subtitle: str
    frame: pl.DataFrame
    chart: Callable[[], Drawable]
    alt: str
    source: str
    n: int | None
    interval: str

    def __post_init__(self) -> None:
        _check_id("Figure", self.id)
        for name in ("title", "subtitle", "alt", "source", "interval"):
            if not getattr(self, name).strip():
                raise SettingError(
                    f"Figure {self.id!r}: {name} is empty, needs text. A picture says what it shows."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a `Table`.

    Parameters
    ----------
    name : str
        Key in each row.
    label : str
        Heading.
    unit : str
        Shown after the heading; empty for text and pure numbers.
    format : str
        A key of `isoflop.present.formats.FORMATS`.
    align : {"left", "right"} or None
        None puts text left and numbers right.
    """

    name: str
    label: str
    unit: str = ""
    format: str = "text"
    align: Align | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingError(
                f"Column {self.name!r}: format {self.format!r}, must be one of {', '.join(FORMATS)}."
            )

    @property
    def side(self) -> Align:
        """Return the alignment that applies."""
        return self.align or ("left" if self.format == "text" else "right")

    def show(self, row: Mapping[str, Any]) -> str:
        """Return the cell's text; a missing value is an en dash."""
        value = row.get(self.name)
        return "–" if value is None else FORMATS[self.format](value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table shown in a section; `rows` are plain mappings keyed by column name."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    note: str = ""

    def __post_init__(self) -> None:
        _check_id("Table", self.id)
        object.__setattr__(self, "rows", tuple(self.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with prose, then pictures, then tables.

    `prose` is one string a paragraph, in the notation of `isoflop.present.prose`; a picture or
    table is placed where a paragraph reads ``{figure:id}`` or ``{table:id}``, and those that no
    paragraph places follow at the end. `cautions` stand right under the heading.
    """

    id: str
    title: str
    prose: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    cautions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_id("Section", self.id)

    def blocks(self) -> Iterator[str | Figure | Table]:
        """Yield paragraphs, pictures and tables in reading order, each picture and table once."""
        waiting: dict[str, Figure | Table] = {f"{{figure:{f.id}}}": f for f in self.figures}
        waiting |= {f"{{table:{t.id}}}": t for t in self.tables}
        for paragraph in self.prose:
            placed = waiting.pop(paragraph.strip(), None)
            if placed is None and re.fullmatch(r"\{(figure|table):.*\}", paragraph.strip()):
                raise SettingError(
                    f"Section {self.id!r}: {paragraph.strip()} names nothing here, or something already "
                    "placed. Use the id of a figure or table of this section, once."
                )
            yield paragraph if placed is None else placed
        yield from waiting.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """All that one instrument says on one body of evidence.

    Parameters
    ----------
    instrument : str
        Name of the instrument.
    question : str
        The question in plain words.
    answer : str
        One sentence with its numbers.
    findings, claims
        What the numbers are, and what the paper's claims become on them.
    sections : tuple of Section
        The chapter's body.
    methods : tuple of str
        One paragraph a choice: what was assumed and why.
    evidence : tuple of Provenance
        Tables used.
    tables : mapping
        Rows for ``findings.json``; ``waterfall`` is also shown beside the provenance.
    """

    instrument: str
    question: str
    answer: str
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...] = ()
    sections: tuple[Section, ...] = ()
    methods: tuple[str, ...] = ()
    evidence: tuple[Provenance, ...] = ()
    tables: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_id("Chapter", self.instrument)
        for kind, ids in (
            ("section", [s.id for s in self.sections]),
            ("figure", [f.id for f in self.figures]),
            ("table", [t.id for s in self.sections for t in s.tables]),
        ):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                raise SettingError(
                    f"Chapter {self.instrument!r}: {kind} id {twice[0]!r} occurs twice, must be unique. "
                    "Rename one."
                )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the pictures of all sections in order."""
        return tuple(f for s in self.sections for f in s.figures)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return every caution of findings and sections, each once, in order."""
        said = [c for f in self.findings for c in f.cautions] + [c for s in self.sections for c in s.cautions]
        return tuple(dict.fromkeys(said))


class ChapterFactory(Protocol):
    """The function that an instrument's ``chapter`` module offers to the report."""

    def __call__(self, library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
        """Return the chapter on this evidence; `quick` asks for fewer draws and says so."""
        ...


def _check_id(kind: str, text: str) -> None:
    if not _ID.fullmatch(text):
        raise SettingError(
            f"{kind}: id {text!r}, needs lower-case letters, digits, '.', '_' or '-'. "
            "It becomes an anchor and a file name."
        )


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with each id once: the first part that gives a number owns it."""
    known: dict[str, Finding] = {}
    for finding in findings:
        known.setdefault(finding.id, finding)
    return tuple(known.values())


def headlines_first(findings: Iterable[Finding], first: Sequence[str]) -> tuple[Finding, ...]:
    """Return findings with the named ids in front, in that order; the rest keep theirs."""
    place = {name: at for at, name in enumerate(first)}
    return tuple(sorted(findings, key=lambda finding: place.get(finding.id, len(place))))
