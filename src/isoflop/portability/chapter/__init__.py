"""Everything that portability says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.findings import Claim, Finding, Provenance
from isoflop.portability.chapter.lower import lower_rows, lower_section
from isoflop.portability.chapter.matrix import matrix_section
from isoflop.portability.chapter.measure import measure_section
from isoflop.portability.chapter.paper import paper_section
from isoflop.portability.chapter.published import published_section
from isoflop.portability.chapter.reasons import reasons_section
from isoflop.portability.chapter.run import run_section
from isoflop.portability.chapter.shares import shares_section
from isoflop.portability.chapter.slowdown import slowdown_section
from isoflop.portability.claims import CLAIMS, judge
from isoflop.portability.model import Bootstrap
from isoflop.portability.paper.read import read_paper
from isoflop.portability.paper.study import study
from isoflop.portability.published import recounted_findings
from isoflop.portability.results.shipped import SHIPPED, with_certificate
from isoflop.portability.shares.find import shares
from isoflop.portability.slowdown.own import own_slowdown
from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section, headlines_first, once

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.portability.paper.study import PaperStudy
    from isoflop.portability.runs import Run
    from isoflop.portability.slowdown.result import Slowdown
    from isoflop.present.chapter import Progress

OUTCOMES = "portability/outcomes.csv.gz"
"""File by which a folder of published results is known."""
REPS, QUICK_REPS = 999, 200
"""Draws of functions, processes and blocks; the sections say how many."""
FIRST = (
    "portability.failure_share",
    "portability.share_over_10x",
    "portability.slowdown_median",
    "portability.share_slower",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a part of the chapter says."""

    sections: tuple[Section, ...] = ()
    findings: tuple[Finding, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    tables: dict[str, list[dict[str, Any]]]


def chapter(library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
    """Return the chapter: published devices first, then what was run here, then what would change it.

    Parameters
    ----------
    library : Library
        A folder with published result files gives their whole analysis; without one the aggregates that ship
        are told. The run that ships is told either way.
    quick : bool
        Fewer draws.
    seed : int
        Seed of every draw.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    ci = Bootstrap(reps=QUICK_REPS if quick else REPS, seed=seed)
    published = _published(library, ci)
    _say(progress, "published results", 0.3)
    own = _own(library, ci)
    _say(progress, "own run", 0.9)
    findings = headlines_first(once((*published.findings, *own.findings)), FIRST)
    claims = judge(findings)
    return Chapter(
        instrument="portability",
        question="What still runs on other hardware, and how slowly?",
        answer=_answer(findings),
        findings=findings,
        claims=claims,
        sections=(*published.sections, *own.sections, change_section(claims)),
        methods=_methods(),
        evidence=tuple({(p.name, p.rows_used): p for p in (*published.provenance, *own.provenance)}.values()),
        tables={**published.tables, **own.tables},
    )


def _published(library: Library, ci: Bootstrap) -> _Told:
    """Return what the authors' files say where they are at hand, else what was counted in them before."""
    path = library.find(OUTCOMES)
    if path is None:
        findings = recounted_findings()
        return _Told(
            sections=(published_section(findings),),
            findings=findings,
            provenance=findings[0].evidence,
            tables={},
        )
    found: PaperStudy = study(read_paper(path.parent), compat="paper", ci=ci)
    return _Told(
        sections=(paper_section(found),),
        findings=found.findings(),
        provenance=found.provenance,
        tables={f"published_{name}": rows for name, rows in found.tables().items() if name != "functions"},
    )


def _own(library: Library, ci: Bootstrap) -> _Told:
    """Return what the run that ships says; nothing where none does."""
    if SHIPPED not in library.available():
        return _Told(tables={})
    found = with_certificate(library.table(SHIPPED, schema="portability_results"))
    counted = shares(found)
    slowed = _slowdowns(found, ci)
    sections = [
        run_section(found),
        measure_section(found),
        shares_section(counted),
        matrix_section(counted),
        reasons_section(counted),
    ]
    lowered = lower_section(counted, found)
    if lowered is not None:
        sections.insert(4, lowered)
    if slowed:
        sections.insert(3, slowdown_section(slowed))
    return _Told(
        sections=tuple(sections),
        findings=(*counted.findings(), *(f for one in slowed for f in one.findings())),
        provenance=found.provenance,
        tables={
            "shares": counted.rows(),
            "reasons": counted.reason_rows(),
            "lower": lower_rows(counted, found),
            "slowdown": [row for one in slowed for row in one.grid_rows()],
        },
    )


def _slowdowns(found: Run, ci: Bootstrap) -> Sequence[Slowdown]:
    """Return the slow-downs of every target that was timed beside its reference under the full protocol."""
    frame = found.frame()
    timed = frame.filter(frame["median_s"].is_not_null() & (frame["protocol"] == "1"))
    pairs = timed.select("framework", "reference", "target").unique(maintain_order=True)
    out = []
    for framework, source, target in pairs.iter_rows():
        if source == target:
            continue
        try:
            out.append(
                own_slowdown(found, source=source, target=target, framework=framework, protocol="1", ci=ci)
            )
        except EvidenceError:
            continue  # no task passed on both
    return out


def change_section(claims: Iterable[Claim]) -> Section:
    """Return the section on what would move each verdict."""
    rules = {rule.id: rule for rule in CLAIMS}
    return Section(
        id="what-would-change",
        title="What would change the answer",
        prose=(
            *(f"**{c.text}** {rules[c.id].would_change}" for c in claims),
            "To answer for your own code: `isoflop portability scan PATH --target jax:lower-tpu` reads "
            "it without running it and says which calls no rule exists for; `isoflop portability run` "
            "measures the rest.",
        ),
    )


def _answer(findings: Sequence[Finding]) -> str:
    known = {finding.id: finding for finding in findings}
    lost, over, median = (known.get(name) for name in FIRST[:3])
    parts = []
    if lost is not None and lost.estimate.value is not None:
        details = lost.details
        parts.append(
            f"**{details['count']} of {details['functions']}** functions of {details['framework']} tested on "
            f"{details['target']} fail wholly or in part ({_share(lost)})"
        )
    if over is not None and over.estimate.value is not None:
        details = over.details
        parts.append(
            f"of {details['functions']} that run on both, **{details['count']}** are over ten times "
            f"slower than on {details['source']} ({_share(over)})"
        )
    said = "; ".join(parts)
    if not said:
        return "No two devices are compared by this evidence."
    published = any(f is not None and f.details.get("published") for f in (lost, over, median))
    return f"{said}{'. Both are published figures, recounted' if published else ''}."


def _share(finding: Finding) -> str:
    share = finding.estimate
    said = [formats.percent(x) for x in (share.value, share.low, share.high) if x is not None]
    return said[0] if len(said) < 3 else f"{said[0]}, {said[1]} to {said[2]}"


def _methods() -> tuple[str, ...]:
    return (
        "A function fails completely if no counted task passed, in part if some did; the failure share "
        "is both over the functions counted. Skipped tasks, faults of the harness and inputs that the "
        "reference refuses are not counted.",
        "The headline pair is the published one unless two devices of one computer were timed here: compiler "
        "modes of one device are ratios too, and never the headline.",
        "Levels of evidence (traced, lowered, compiled, ran, agreed) are never mixed in one share.",
        "Intervals of shares are Wilson's; those of slow-downs come from draws of functions, processes and "
        "blocks.",
    )


def _say(progress: Progress | None, label: str, fraction: float) -> None:
    if progress is not None:
        progress(label, fraction)
