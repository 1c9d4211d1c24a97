"""Everything that scaling says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from isoflop.findings import Claim, Provenance
from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section, headlines_first
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import TRIALS
from isoflop.scaling.chapter.downstream import (
    downstream_of,
    downstream_section,
    needs_table_section,
    observe_section,
    observed_of,
)
from isoflop.scaling.chapter.emergence import emergence_section, power_section, returns_section
from isoflop.scaling.chapter.forecast import forecast_section, forecasts_of
from isoflop.scaling.chapter.own_grid import TextFit, own_grid, own_grid_findings, own_grid_section
from isoflop.scaling.chapter.own_study import own_study_section
from isoflop.scaling.chapter.pooling import groups_section, pooling_section, robustness_section
from isoflop.scaling.chapter.runs import OWN_RUNS, RunsStudy, study_runs
from isoflop.scaling.claims import CLAIMS, judge
from isoflop.scaling.emergence.find import emergence
from isoflop.scaling.pooling.pool import pool
from isoflop.scaling.power.find import power
from isoflop.scaling.returns.find import returns
from isoflop.scaling.studies.comparators import compare_domain
from isoflop.scaling.studies.fit_studies import fit_studies
from isoflop.scaling.studies.sample import OWN_STUDY
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Library, Table
    from isoflop.present.chapter import Progress
    from isoflop.scaling.pooling.pooled import Pooled

DRAWS, QUICK_DRAWS = 2000, 300
NULL_DRAWS, BEND_DRAWS = 19_999, 999
"""Draws of the null at most: of thresholds, enough for the false discovery rate over all studies."""
QUICK_TRIALS = (10, 100)
TASK_DRAWS = 80
"""Draws of the laws of tasks, each of which refits every task: the sections say how many."""
POINTS = "study_points"
FIRST = (
    "scaling.frontier_exponent_a",
    "scaling.optimal_tokens_per_param",
    "scaling.exponent_data_robotics",
    "scaling.halving_factor_data_robotics",
)


def chapter(library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
    """Return the chapter: one's own runs first, then the meta-analysis of robotics.

    Parameters
    ----------
    library : Library
    quick : bool
        300 draws instead of 2,000; the findings say so.
    seed : int
        Seed of every draw.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    ci = Bootstrap(reps=QUICK_DRAWS if quick else DRAWS, seed=seed)
    runs = study_runs(library, ci, progress=progress)
    grid = own_grid(library.table(OWN_RUNS), ci) if OWN_RUNS in library.available() else ()
    forecasts = forecasts_of(library, seed=seed, progress=progress)
    tasks = downstream_of(library, seed=seed, draws=TASK_DRAWS // (4 if quick else 1))
    observed = observed_of(library, seed=seed, draws=TASK_DRAWS // (8 if quick else 2))
    if progress is not None:
        progress("scaling: robotics studies", 0.5)
    points = library.table(POINTS)
    pooled = beside_vision(pool(fit_studies(points)), library)
    trials = QUICK_TRIALS if quick else TRIALS
    emerged = emergence(points, trials=trials, null=Null(reps=NULL_DRAWS, seed=seed), progress=progress)
    returned = returns(points, trials=trials, null=Null(reps=BEND_DRAWS, seed=seed), progress=progress)
    plan = power(seed=seed)
    findings = headlines_first(
        (
            *(() if runs is None else runs.findings()),
            *own_grid_findings(grid),
            *(f for one in forecasts[:1] for f in one.findings()),
            *(f for one in tasks[:1] for f in one.findings()),
            *(() if observed is None else observed.findings()),
            *pooled.findings(),
            *emerged.findings(),
            *returned.findings(),
            *plan.findings(),
        ),
        FIRST,
    )
    claims = judge(findings)
    return Chapter(
        instrument="scaling",
        question="How much better does more buy, how sure is that, and what to train next?",
        answer=_answer(runs, pooled),
        findings=findings,
        claims=claims,
        sections=(
            stands_on_section(runs, pooled),
            *(() if runs is None else runs.sections()),
            *((own_grid_section(grid),) if grid else ()),
            *(forecast_section(one) for one in forecasts),
            *(downstream_section(one) for one in tasks),
            *(() if observed is None else (observe_section(observed),)),
            *(() if tasks or observed is not None else (needs_table_section(),)),
            pooling_section(pooled),
            *own_robotics(points, pooled),
            groups_section(pooled),
            robustness_section(pooled, seed=seed),
            emergence_section(emerged),
            returns_section(returned),
            power_section(plan),
            change_section(claims),
        ),
        methods=_methods(runs, pooled),
        evidence=_evidence(
            (
                *(() if runs is None else (runs.influence.fitted, runs.fitted)),
                *(one.fitted for one in grid),
                *forecasts,
                *tasks,
                *(() if observed is None else (observed,)),
                pooled,
            )
        ),
        tables=_tables(runs, grid, pooled),
    )


def own_robotics(points: Table, pooled: Pooled) -> tuple[Section, ...]:
    """Return the section on the project's own study, if the table holds it."""
    section = own_study_section(points, pooled.fits)
    return () if section is None else (section,)


def beside_vision(pooled: Pooled, library: Library) -> Pooled:
    """Return the pool with robotics' exponent over vision's, on like metrics."""
    exponents = {resource: pooled.exponent(resource) for resource in pooled.resources}
    domain = compare_domain(
        library.table("published_exponents"), exponents, has_floor=pooled.fits.floor != "none"
    )
    return replace(pooled, domain=domain)


def stands_on_section(runs: RunsStudy | None, pooled: Pooled) -> Section:
    """Return the section that says what the numbers stand on, before any of them."""
    prose = []
    if runs is None:
        prose.append(
            "No table of training runs is at hand, so there is no law of runs here. Give one with columns "
            "params, tokens and loss_nats: `isoflop scaling fit FILE`."
        )
    else:
        table = runs.fitted.runs.table
        whose = {
            "measured": "measured by this project",
            "pulled": "public points, pulled",
            "own": "your own table",
        }.get(table.kind, table.kind)
        prose.append(
            f"The law of runs stands on `{table.name}` ({whose}): {table.rows_read} rows read, "
            f"{runs.fitted.n} in the fit."
        )
    sample = pooled.fits.sample
    own = sum(paper == OWN_STUDY for paper in sample.papers)
    whose = f", and {own} studies measured by this project" if own else ""
    prose.append(
        f"The meta-analysis stands on `{sample.table.name}`: {sample.n - own} studies of "
        f"{sample.n_papers - bool(own)} papers, typed from public text with their place{whose}. The "
        "papers were picked by hand and are no sample of the field; the published summary stands beside "
        "them and is never mixed in."
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


def _answer(runs: RunsStudy | None, pooled: Pooled) -> str:
    data = {f.id: f for f in pooled.findings()}["scaling.exponent_data_robotics"]
    said = f"In robotics studies the exponent of error in data is **{formats.finding(data)}**"
    if runs is None:
        return said + "."
    best = runs.approaches[0]
    return (
        f"On {runs.fitted.n} training runs, optimal model size grows as compute to the power "
        f"**{formats.estimate(best.exponent_a)}**, with {formats.estimate(best.tokens_per_param)} per "
        f"parameter at {formats.flop(best.at_flop)}. {said}."
    )


class _Backed(Protocol):
    """A result that names the evidence behind it."""

    @property
    def provenance(self) -> tuple[Provenance, ...]: ...


def _evidence(results: Iterable[_Backed]) -> tuple[Provenance, ...]:
    """Return every table with each number of rows that a result used of it, once."""
    used = [p for result in results for p in result.provenance]
    return tuple({(p.name, p.rows_used): p for p in used}.values())


def _tables(
    runs: RunsStudy | None, grid: tuple[TextFit, ...], pooled: Pooled
) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {} if runs is None else runs.tables()
    tables |= {f"parameters.{one.text}": one.fitted.rows() for one in grid}
    tables["by_resource"] = pooled.rows()
    tables["by_familiarity"] = pooled.rows("familiarity")
    tables["by_class"] = pooled.rows("model_class")
    tables["leave_one_paper_out"] = pooled.leave_one_out().to_dicts()
    return tables


def _methods(runs: RunsStudy | None, pooled: Pooled) -> tuple[str, ...]:
    said = [] if runs is None else [runs.fitted.method, runs.approaches[0].method, runs.design.method]
    return (
        *said,
        "Objectives are sums over rows, never means; every fit carries a certificate (gradient, or "
        "multipliers for least absolute deviation), and draws keep all parameters jointly.",
        "Exponents of error rates and of cross-entropies are different quantities and are never pooled.",
        f"Studies without a printed number of trials are taken to have {pooled.fits.sample.default_trials}; "
        "other numbers are in the table of sensitivities.",
    )
