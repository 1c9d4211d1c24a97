"""Everything that divide says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from isoflop import divide
from isoflop.divide.chapter.adoption import adoption_section
from isoflop.divide.chapter.afford import afford_section
from isoflop.divide.chapter.audit import audit_section
from isoflop.divide.chapter.concentration import concentration_section
from isoflop.divide.chapter.coverage import coverage_section
from isoflop.divide.chapter.deciles import deciles_section
from isoflop.divide.chapter.gap import gap_section
from isoflop.divide.chapter.growth import growth_section
from isoflop.divide.chapter.impact import impact_section
from isoflop.divide.chapter.influence import influence_section
from isoflop.divide.chapter.openness import openness_section
from isoflop.divide.chapter.representation import (
    remedies_section,
    representation_section,
    works_missing_section,
)
from isoflop.divide.chapter.shares import shares_section
from isoflop.divide.chapter.specification import specification_section
from isoflop.divide.claims import CLAIMS, judge
from isoflop.divide.large import RELATIVE
from isoflop.findings import Claim, Finding, Provenance
from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section, headlines_first, once

if TYPE_CHECKING:
    from isoflop.divide.audit.result import SnapshotChanges
    from isoflop.divide.gap.result import ComputeGap
    from isoflop.divide.growth.result import ComputeGrowth
    from isoflop.divide.sample import Sample
    from isoflop.divide.shares.result import LargeShares
    from isoflop.divide.specification.result import SpecificationCurve
    from isoflop.evidence import Library, Table
    from isoflop.present.chapter import Progress

MODELS = ("epoch_all_ai_models", "notable_systems")
SNAPSHOTS = ("epoch_models_2023", "epoch_notable_ai_models", "epoch_all_ai_models")
WORKS = ("ml_papers_2013_2018", "ml_papers_2019_2025")
JOINT, QUICK_JOINT = 500, 100
"""Resamples of the whole curve under the null; the section says how many."""
FACILITIES = ("Leonardo", "Isambard-AI")
FIRST = (
    "divide.doubling_time_months_all",
    "divide.gap_oom",
    "divide.academia_share_first",
    "divide.academia_share_last",
)


class _Result(Protocol):
    """What the chapter reads of every result."""

    @property
    def provenance(self) -> tuple[Provenance, ...]: ...

    def findings(self) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Told:
    """What a part of the chapter says."""

    sections: tuple[Section, ...]
    results: tuple[_Result, ...]


def chapter(library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
    """Return the chapter: systems and their compute first, then papers.

    Parameters
    ----------
    library : Library
    quick : bool
        Fewer resamples of the specification curve; its section says how many.
    seed : int
        Seed of every draw.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    here = library.available()
    table = library.table(next(name for name in MODELS if name in here), schema="models")
    sample = divide.select(table)
    grown = divide.growth(sample, seed=seed)
    apart = divide.gap(sample, seed=seed)
    held = divide.shares(sample, large=RELATIVE, seed=seed)
    _say(progress, "specification curve", 0.2)
    editions = [library.table(name, schema="models") for name in SNAPSHOTS if name in here]
    curve = divide.specification(
        editions if len(editions) > 1 else table, joint=QUICK_JOINT if quick else JOINT, seed=seed
    )
    changes = divide.audit(editions) if len(editions) > 1 else None
    _say(progress, "systems", 0.6)
    systems = _systems(sample, library, seed)
    _say(progress, "papers", 0.8)
    papers = _papers(library, seed)
    results: tuple[_Result, ...] = (
        grown, apart, held, curve, *(() if changes is None else (changes,)), *systems.results, *papers.results
    )  # fmt: skip
    findings = headlines_first(once(f for one in results for f in one.findings()), FIRST)
    claims = judge(findings)
    return Chapter(
        instrument="divide",
        question="Who has the compute, and what do those without it do?",
        answer=_answer(grown, apart, held),
        findings=findings,
        claims=claims,
        sections=(
            stands_on_section(table, sample, papers),
            growth_section(grown),
            gap_section(apart),
            shares_section(held),
            specification_section(curve),
            *(() if changes is None else (audit_section(changes),)),
            *systems.sections,
            *papers.sections,
            change_section(claims),
        ),
        methods=_methods(sample, curve),
        evidence=_evidence(results),
        tables=_tables(sample, grown, apart, held, curve, changes),
    )


def _systems(sample: Sample, library: Library, seed: int) -> _Told:
    """Return what else the table of systems says: coverage, influence, deciles, openness, owners, reach."""
    covered = divide.coverage(sample, seed=seed)
    swayed = divide.influence(sample)
    ranked = divide.deciles(sample, seed=seed)
    opened = divide.openness(sample.table, rule=sample.rule, dictionary=library.table("pretrained_models"))
    owned = divide.concentration(sample, seed=seed)
    countries = divide.concentration(sample, by="country", seed=seed)
    reached = divide.affordability(sample, facilities=FACILITIES, seed=seed)
    return _Told(
        sections=(
            coverage_section(covered),
            influence_section(swayed),
            deciles_section(ranked),
            openness_section(opened),
            concentration_section(owned, countries),
            afford_section(reached),
        ),
        results=(covered, swayed, ranked, opened, owned, reached),
    )


def _papers(library: Library, seed: int) -> _Told:
    """Return what papers say, or what table is needed for it."""
    here = [library.table(name, schema="works") for name in WORKS if name in library.available()]
    if not here:
        return _Told(sections=(works_missing_section(),), results=())
    from isoflop.divide.works_sample import select_works
    from isoflop.evidence.works import join_works

    works = select_works(join_works(here))
    topics = divide.representation(works, seed=seed)
    cited = divide.impact(works)
    adopted = divide.adoption(works, dictionary=library.table("pretrained_models"), seed=seed)
    followed = divide.remedies(works)
    return _Told(
        sections=(
            representation_section(topics),
            remedies_section(followed),
            impact_section(cited),
            adoption_section(adopted),
        ),
        results=(topics, followed, cited, adopted),
    )


def stands_on_section(table: Table, sample: Sample, papers: _Told) -> Section:
    """Return the section that says what the numbers stand on, before any of them."""
    whose = {
        "embedded": "facts picked by hand and shipped with their sources",
        "pulled": "a public table, pulled",
        "own": "a table of your own",
    }.get(table.kind, table.kind)
    known = int(sample.known.sum())
    prose = [
        f"Systems stand on `{table.name}` ({whose}): {formats.count(table.rows_read)} rows read, "
        f"{formats.count(sample.n)} with date and known compute since 2010 that were notable for more "
        f"than their use or cost, {formats.count(known)} of them of known team.",
    ]
    if table.kind == "embedded":
        prose.append(
            "These rows were picked for their spread over years and sectors. They show what the "
            "instrument does; shares and trends on them speak of the picking, and the verdicts say so. "
            "`isoflop data pull epoch-all-ai-models-2025-04` fetches a table to judge by."
        )
    prose.append(
        "Papers stand on pulled lists of accepted papers, whose teams are decided by affiliation."
        if papers.results
        else "No table of papers is at hand: topics, citations and adoption by year wait for one."
    )
    prose.append(
        "We have read the abstract of the paper and part of its supplement. [V] marks its own words, [S] "
        "what summaries state, [M] our measurement, [D] our own definition: teams, the definitions of "
        "large, the specification curve and all intervals are ours [D]; the filter's reason is the "
        "paper's [V]."
    )
    return Section(id="stands-on", title="What this stands on", prose=tuple(prose))


def change_section(claims: tuple[Claim, ...]) -> Section:
    """Return the section on what would move each verdict."""
    rules = {rule.id: rule for rule in CLAIMS}
    return Section(
        id="what-would-change",
        title="What would change the answer",
        prose=tuple(f"**{c.text}** {rules[c.id].would_change}" for c in claims),
    )


def _answer(grown: ComputeGrowth, apart: ComputeGap, held: LargeShares) -> str:
    known = {f.id: f for one in (grown, apart, held) for f in one.findings()}
    doubling, distance = known[FIRST[0]], known[FIRST[1]]
    factor = formats.estimate(distance.estimate.map(lambda oom: 10.0**oom, unit="×"))
    picked = "hand-picked " if grown.sample.table.kind == "embedded" else ""
    said = (
        f"On {formats.count(grown.n)} {picked}systems, training compute doubles in "
        f"**{formats.finding(doubling)}**, and industry uses **{factor}** as much as academia"
    )
    first, last = known.get(FIRST[2]), known.get(FIRST[3])
    if last is None or last.estimate.value is None:
        return said + "."
    ends = [_share(one) for one in (first, last) if one is not None and one.estimate.value is not None]
    return f"{said}; teams of academia alone make {', then '.join(ends)} of systems with known compute."


def _share(finding: Finding) -> str:
    share, low, high = (
        None if x is None else formats.percent(x)
        for x in (finding.estimate.value, finding.estimate.low, finding.estimate.high)
    )
    return f"{share} ({low} to {high}) in {finding.details['period']}"


def _methods(sample: Sample, curve: SpecificationCurve) -> tuple[str, ...]:
    return (
        f"Rows: {sample.text}; trends since 2010. Rows without a known team stay out of points and make the "
        "bounds beside each share.",
        "Growth: least squares of log2 compute on time; the interval inverts that of the slope, by resampled "
        "organisations where there are twenty or more. The gap is one regression with a slope for each "
        "sector.",
        f"Specification curve: {len(curve.rows())} specifications over headlines; the joint test redoes "
        "the whole curve under the null with shared resamples. Specifications are not independent, and "
        "their median is no estimate of the truth.",
        "Compute is that of the final training run. Nothing is imputed: a missing figure stays missing.",
    )


def _tables(
    sample: Sample,
    grown: ComputeGrowth,
    apart: ComputeGap,
    held: LargeShares,
    curve: SpecificationCurve,
    changes: SnapshotChanges | None,
) -> dict[str, list[dict[str, Any]]]:
    tables = {
        "waterfall": sample.waterfall(),
        "growth": grown.rows(),
        "gap": apart.rows(),
        "shares": held.rows(),
        "shares_by_year": held.year_rows(),
        "specifications": curve.rows(),
    }
    if changes is not None:
        tables["headlines"] = [dict(row) for row in changes.headline_rows()]
        tables["decomposition"] = [dict(row) for row in changes.decomposition_rows()]
    return tables


def _say(progress: Progress | None, label: str, fraction: float) -> None:
    if progress is not None:
        progress(label, fraction)


def _evidence(results: Iterable[_Result]) -> tuple[Provenance, ...]:
    """Return every table with each number of rows that a result used of it, once."""
    used = [p for result in results for p in result.provenance]
    return tuple({(p.name, p.rows_used): p for p in used}.values())
