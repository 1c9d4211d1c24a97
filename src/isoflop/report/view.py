"""What the templates show: chapters, sections and appendices made ready, with nothing left to compute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.present.chapter import Chapter, Figure, Section, Table
from isoflop.report.front import KINDS, kinds_of
from isoflop.report.instruments import INSTRUMENTS
from isoflop.report.limits import Limits, limits_of
from isoflop.report.picture import Picture, cell_text, picture, side

if TYPE_CHECKING:
    from isoflop.findings import Claim, EvidenceKind, Finding, Provenance
    from isoflop.report.contents import Report

HEADLINE_FINDINGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section with its blocks in reading order, pictures drawn."""

    section: Section
    anchor: str
    blocks: tuple[str | Picture | Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineView:
    """A headline finding with the kinds of evidence behind it."""

    finding: Finding
    kinds: tuple[EvidenceKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterView:
    """A chapter ready for the template; `warnings` are headline cautions that no section shows."""

    chapter: Chapter
    headline: tuple[HeadlineView, ...]
    sections: tuple[SectionView, ...]
    paper: str
    warnings: tuple[str, ...]
    limits: Limits
    evidence: tuple[Provenance, ...]
    waterfall_columns: tuple[str, ...]
    waterfall_rows: tuple[tuple[str, ...], ...]
    waterfall_sides: tuple[str, ...]


def chapter_view(chapter: Chapter, drawn: Mapping[str, Picture]) -> ChapterView:
    """Return a chapter for the template, taking the pictures that are drawn already."""
    papers = {i.name: i.paper for i in INSTRUMENTS}
    headline = chapter.findings[:HEADLINE_FINDINGS]
    in_place = {c for s in chapter.sections for c in s.cautions}
    steps = chapter.tables.get("waterfall", [])
    columns = tuple(dict.fromkeys(name for step in steps for name in step))
    return ChapterView(
        chapter=chapter,
        headline=tuple(HeadlineView(finding=f, kinds=kinds_of([f])) for f in headline),
        warnings=tuple(dict.fromkeys(c for f in headline for c in f.cautions if c not in in_place)),
        limits=limits_of(chapter, headline),
        sections=tuple(_section_view(s, chapter.instrument, drawn) for s in chapter.sections),
        paper=papers.get(chapter.instrument, ""),
        evidence=most_of_each(chapter.evidence),
        waterfall_columns=tuple(name.replace("_", " ").capitalize() for name in columns),
        waterfall_rows=tuple(tuple(cell_text(step.get(name), name) for name in columns) for step in steps),
        waterfall_sides=tuple(side(step.get(name) for step in steps) for name in columns),
    )


def most_of_each(evidence: Iterable[Provenance]) -> tuple[Provenance, ...]:
    """Return each table once, with the use that took most of its rows."""
    known: dict[tuple[str, str], Provenance] = {}
    for one in evidence:
        key = (one.name, one.kind)
        if key not in known or one.rows_used > known[key].rows_used:
            known[key] = one
    return tuple(known.values())


def pictures_of(chapter: Chapter) -> tuple[Picture, ...]:
    """Return every picture of a chapter, drawn for the page."""
    return tuple(picture(f, _anchor(chapter.instrument, f)) for f in chapter.figures)


def _anchor(instrument: str, figure: Figure) -> str:
    return f"{instrument}-fig-{figure.id}".replace(".", "-")


def _section_view(section: Section, instrument: str, drawn: Mapping[str, Picture]) -> SectionView:
    def shown(figure: Figure) -> Picture:
        anchor = _anchor(instrument, figure)
        return drawn.get(anchor) or picture(figure, anchor)

    blocks = tuple(shown(b) if isinstance(b, Figure) else b for b in section.blocks())
    return SectionView(section=section, anchor=f"{instrument}-{section.id}".replace(".", "-"), blocks=blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A claim with the kinds of evidence behind its findings."""

    claim: Claim
    kinds: tuple[EvidenceKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The claims of one paper."""

    instrument: str
    paper: str
    entries: tuple[Entry, ...]


def ledger_view(report: Report) -> tuple[Group, ...]:
    """Return the claims by the instrument that judges them, in the order of the ledger."""
    known = {f.id: f for c in report.chapters for f in c.findings}
    grouped: dict[str, list[Entry]] = {}
    for claim in report.claims:
        kinds = kinds_of(known[name] for name in claim.finding_ids if name in known)
        grouped.setdefault(claim.id.partition(".")[0], []).append(Entry(claim=claim, kinds=kinds))
    papers = {i.name: i.paper for i in INSTRUMENTS}
    return tuple(
        Group(instrument=name, paper=papers.get(name, entries[0].claim.paper), entries=tuple(entries))
        for name, entries in grouped.items()
    )


def absent(report: Report) -> str:
    """Return what a report of single instruments leaves out, or nothing."""
    here = {c.instrument for c in report.chapters}
    out = [one.name for one in INSTRUMENTS if one.name not in here]
    if not out:
        return ""
    return (
        f"This report was made of single instruments: {', '.join(out)} "
        f"{'is' if len(out) == 1 else 'are'} left out, and so is the outlook, which joins all "
        f"{len(INSTRUMENTS)}. `isoflop report` without `--only` makes them."
    )


def evidence_by_kind(report: Report) -> list[tuple[EvidenceKind, list[str]]]:
    """Return the kinds of evidence used, each with its tables, in the order of `KINDS`."""
    found: dict[EvidenceKind, dict[str, None]] = {kind: {} for kind in KINDS}
    for chapter in report.chapters:
        for provenance in chapter.evidence:
            found[provenance.kind][provenance.name] = None
    return [(kind, list(names)) for kind, names in found.items() if names]


def caution_numbers(report: Report) -> dict[str, int]:
    """Return the cautions of all findings, numbered: many findings share the same ones."""
    said = dict.fromkeys(c for chapter in report.chapters for f in chapter.findings for c in f.cautions)
    return {caution: number for number, caution in enumerate(said, start=1)}


def words_of(report: Report) -> str:
    """Return all words that a term of the glossary may occur in, in lower case."""
    texts: list[str] = []
    for c in report.chapters:
        texts += [c.question, c.answer, *c.methods, *c.cautions]
        texts += [f"{f.label} {f.method} {f.estimate.unit}" for f in c.findings]
        texts += [t for s in c.sections for t in (s.title, *s.prose)]
        texts += [f"{f.title} {f.subtitle} {f.interval}" for f in c.figures]
    texts += [f"{claim.text} {claim.rule} {claim.why}" for claim in report.claims]
    return re.sub(r"\s+", " ", " ".join(texts)).lower()
