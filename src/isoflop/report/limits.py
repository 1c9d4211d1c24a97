"""The honest limits of a report: what has no value, what is doubtful, how the evidence was sourced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.present import formats

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.present.chapter import Chapter

SILENT = (
    "It forecasts nothing. A rate is that of the systems counted, over the years they cover; how long it "
    "lasts is no part of the evidence.",
    "It measures what was published. What a laboratory keeps to itself, what failed and what was never "
    "written up is in no table.",
    "It speaks of losses, error rates and scores on benchmarks. What a model is worth to the people who use "
    "it is another question.",
    "Its causes are those of a model: a share of progress is a share under a stated law, not what an "
    "experiment would have shown.",
    "It judges claims, not papers. A verdict says what these rows show under a stated rule; other rows may "
    "show something else, and each claim says which.",
)
"""What no finding of any instrument says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Findings of one chapter without a value, those with the same reason together."""

    labels: tuple[str, ...]
    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One caution, and the labels of the headline findings that it limits."""

    caution: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What limits one chapter.

    Parameters
    ----------
    instrument, question : str
    missing : tuple of Missing
    findings : int
        How many findings the chapter has.
    doubts : tuple of Doubt
        Cautions of the headline findings, those that limit most of them first.
    """

    instrument: str
    question: str
    missing: tuple[Missing, ...]
    findings: int
    doubts: tuple[Doubt, ...]

    @property
    def without_value(self) -> int:
        """Return how many findings of the chapter have no value."""
        return sum(len(one.ids) for one in self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourcing:
    """How the rows of one shipped table were come by.

    Parameters
    ----------
    table : str
    rows : int
    read, elsewhere : int
        Facts read in their own source, and facts seen in another text.
    measured : int
        Rows that the project measured itself.
    used : int
        The most rows that any part of the report used.
    """

    table: str
    rows: int
    read: int
    elsewhere: int
    measured: int
    used: int


def limits_of(chapter: Chapter, headline: Sequence[Finding]) -> Limits:
    """Return what limits a chapter, its headline findings first."""
    return Limits(
        instrument=chapter.instrument,
        question=chapter.question,
        missing=_missing(chapter.findings),
        findings=len(chapter.findings),
        doubts=_doubts(headline),
    )


def _missing(findings: Iterable[Finding]) -> tuple[Missing, ...]:
    by_reason: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.status != "ok":
            by_reason.setdefault(reason_of(finding), []).append(finding)
    return tuple(
        Missing(
            labels=tuple(dict.fromkeys(f.label for f in group)),
            ids=tuple(f.id for f in group),
            reason=why,
        )
        for why, group in by_reason.items()
    )


def reason_of(finding: Finding) -> str:
    """Return why a finding has no value: its own reason, else its first caution, else its method."""
    reason = finding.details.get("reason")
    if isinstance(reason, str) and reason:
        return reason
    return finding.cautions[0] if finding.cautions else f"its method gives none: {finding.method}"


def _doubts(headline: Sequence[Finding]) -> tuple[Doubt, ...]:
    limited: dict[str, list[str]] = {}
    for finding in headline:
        for caution in finding.cautions:
            limited.setdefault(caution, []).append(finding.label)
    ordered = sorted(limited.items(), key=lambda item: -len(item[1]))
    return tuple(Doubt(caution=caution, labels=tuple(labels)) for caution, labels in ordered)


def sourcing(chapters: Iterable[Chapter]) -> tuple[Sourcing, ...]:
    """Return how the shipped tables that the chapters used were sourced, counted from the tables."""
    from isoflop.evidence.embedded import EMBEDDED, MEASURED, embedded

    used: dict[str, int] = {}
    for provenance in (p for chapter in chapters for p in chapter.evidence):
        if provenance.kind not in ("own", "pulled") and provenance.name in EMBEDDED:
            used[provenance.name] = max(used.get(provenance.name, 0), provenance.rows_used)
    counted = []
    for name, most in used.items():
        frame = embedded(name).frame
        own = EMBEDDED[name].kind == "measured"
        measured = frame.height if own else int((frame["seen_in"] == MEASURED).sum())
        read = (
            0 if own else frame.filter((frame["verified"] == "read") & (frame["seen_in"] != MEASURED)).height
        )
        counted.append(
            Sourcing(
                table=name,
                rows=frame.height,
                read=read,
                elsewhere=frame.height - read - measured,
                measured=measured,
                used=most,
            )
        )
    return tuple(counted)


def sourcing_text(tables: Sequence[Sourcing]) -> str:
    """Return the counts of all tables in one sentence, or nothing for no table."""
    read, elsewhere, measured = (
        sum(getattr(one, name) for one in tables) for name in ("read", "elsewhere", "measured")
    )
    if not tables:
        return ""
    total = formats.count(read + elsewhere + measured)
    return (
        f"Of {total} shipped rows, {formats.count(read)} are facts read in their source, "
        f"{formats.count(elsewhere)} facts seen in another text, and {formats.count(measured)} measurements "
        "of the project. The facts were picked by hand: they are no sample of a population."
    )
