"""Everything that progress says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section
from isoflop.progress.baselines import Baselines, baselines
from isoflop.progress.chapter.beside import (
    capability,
    capability_section,
    image_section,
    images,
    match_section,
    reproduction_section,
)
from isoflop.progress.chapter.fit import data_section, minima_section, timeline_section
from isoflop.progress.chapter.gain import decomposition_section, gain_section, gains
from isoflop.progress.chapter.robustness import checks_section, influence_section, laws_section
from isoflop.progress.chapter.sensitivity import (
    Sensitivity,
    choices_section,
    sensitivity_rows,
    spread,
    study,
)
from isoflop.progress.claims import CLAIMS, judge
from isoflop.progress.fit import fit
from isoflop.progress.halving import MEANING, months_text
from isoflop.progress.result import ProgressFit
from isoflop.progress.sample import Sample, select
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.findings import Claim, Finding
    from isoflop.present.chapter import Progress

DRAWS, QUICK_DRAWS = 2000, 300
LANGUAGE_TABLES = ("lm_evaluations", "language_evaluations")
"""The public sheet where it was pulled, else the facts that ship."""


def chapter(library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
    """Return the chapter on the best language table at hand.

    Parameters
    ----------
    library : Library
    quick : bool
        300 draws instead of 2,000, and fewer laws; the findings say so.
    seed : int
        Seed of starts and draws.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    sample = language_sample(library)
    ci = Bootstrap(reps=QUICK_DRAWS if quick else DRAWS, by="paper", seed=seed)
    fitted = fit(sample, ci=ci, progress=progress)
    beside = baselines(fitted, library.table("hardware_facts"))
    studied = study(fitted, quick=quick, seed=seed, progress=progress)
    gained = gains(fitted, seed=seed)
    image_fits = images(library, seed=seed)
    capable = capability(library, quick=quick, seed=seed)
    matched, _ = match_section(sample)
    reproduced, reproduction = reproduction_section(fitted, gained, quick=quick)
    findings = _ordered(
        (
            *fitted.findings(),
            *beside.findings(),
            *gained.findings(),
            *studied.findings(),
            *image_fits.findings(),
            *(() if capable is None else capable.trend.findings()),
        )
    )
    claims = judge(findings)
    return Chapter(
        instrument="progress",
        question="How fast do algorithms make compute go further?",
        answer=_answer(fitted, beside, spread(studied)),
        findings=findings,
        claims=claims,
        sections=(
            evidence_section(sample),
            timeline_section(beside),
            minima_section(fitted),
            choices_section(studied),
            laws_section(studied),
            influence_section(studied),
            checks_section(studied),
            decomposition_section(gained),
            gain_section(gained),
            matched,
            image_section(image_fits),
            capability_section(capable),
            data_section(sample),
            reproduced,
            change_section(claims, studied),
        ),
        methods=_methods(fitted),
        evidence=(
            *fitted.provenance,
            *beside.provenance,
            *(p for f in image_fits.fits[:1] for p in f.provenance),
        ),
        tables=_tables(fitted, studied, reproduction),
    )


def language_sample(library: Library) -> Sample:
    """Return the sample of the first of `LANGUAGE_TABLES` that the library has."""
    here = library.available()
    name = next(name for name in LANGUAGE_TABLES if name in here)
    return select(library.table(name), task="language")


def evidence_section(sample: Sample) -> Section:
    """Return the section that says what the numbers stand on, before any of them."""
    table, frame = sample.table, sample.table.frame
    said = f"The language rows come from `{table.name}`: {table.rows_read} read, {sample.n} used."
    if table.kind == "embedded":
        read = int((frame["verified"] == "read").sum())
        said += (
            f" Each row is one published figure, typed with its source: {read} were read in the source "
            f"itself, {frame.height - read} in another text that reports it. They were picked by hand for "
            "their spread over years and are no sample of a population, so neither the rate nor its "
            "interval describes all systems. The sheet behind the paper, `isoflop data pull "
            "lm-evaluations`, gives the published setting."
        )
    else:
        said += (
            " What is in the table decides what the rate describes: systems that somebody evaluated and "
            "somebody else collected, not all systems trained."
        )
    return Section(id="stands-on", title="What this stands on", prose=(said,))


def change_section(claims: tuple[Claim, ...], found: Sensitivity) -> Section:
    """Return the section on what would move each verdict."""
    rules = {rule.id: rule for rule in CLAIMS}
    prose = [f"**{c.text}** {rules[c.id].would_change}" for c in claims]
    top = found.diagnostics.papers.row(0, named=True)
    prose.append(
        f"The single paper that moves the rate most is “{top['label']}” ({top['rows_left_out']} rows): a "
        "second look at its sizes and dates is the cheapest check of the answer."
    )
    return Section(id="what-would-change", title="What would change the answer", prose=tuple(prose))


def _answer(fitted: ProgressFit, beside: Baselines, reach: str) -> str:
    time = formats.estimate(fitted.halving_time, unbounded=MEANING)
    moore = formats.estimate(beside.ratio_to_moore())
    if fitted.halving_time.value is None:
        return (
            f"On {fitted.sample.n} evaluations of {fitted.sample.papers} papers no progress of algorithms is "
            f"found: effective compute at fixed hardware changes by {formats.estimate(fitted.rate)}."
        )
    said = (
        f"On {fitted.sample.n} evaluations of {fitted.sample.papers} papers, the compute needed for a set "
        f"loss halves in **{time}**, {moore} the pace of Moore's doubling"
    )
    rivals = [
        (months, basin.objective - fitted.objective, share)
        for months, basin, share in zip(
            fitted.basin_halving_times()[1:], fitted.minima[1:], fitted.basin_shares[1:], strict=False
        )
    ]
    moved = f"Other defensible choices of rows, penalty and scaling put it {reach}."
    if fitted.has_two_basins:
        told = " and ".join(months_text(months) for months, _, _ in rivals)
        return (
            f"{said}; a second explanation, **{told}**, fits almost as well, and the data do not choose. "
            f"{moved}"
        )
    near = [
        f"{months_text(months)}, fits best in {formats.percent(share)} of resamples"
        for months, _, share in rivals
        if share
    ]
    return f"{said}; a second explanation, {near[0]}. {moved}" if near else f"{said}. {moved}"


def _ordered(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Put the headline first: time, rate, ratio to Moore, share of compute."""
    first = (
        "progress.halving_time_months",
        "progress.rate_per_year",
        "progress.ratio_to_moore",
        "progress.compute_share",
    )
    return tuple(sorted(findings, key=lambda f: first.index(f.id) if f.id in first else len(first)))


def _tables(
    fitted: ProgressFit, found: Sensitivity, reproduction: list[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    time = next(f for f in fitted.findings() if f.id == "progress.halving_time_months")
    steps = fitted.sample.steps
    return {
        "waterfall": [{"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped} for s in steps],
        "minima": list(time.details["minima"]),
        "sweep": sensitivity_rows(found),
        "comparison": found.comparison.frame().to_dicts(),
        "influence": found.diagnostics.papers.head(20).to_dicts(),
        "reproduction": reproduction,
    }


def _methods(fitted: ProgressFit) -> tuple[str, ...]:
    base = fitted.model.normalisers
    return (
        "The law (7 in the paper) predicts loss in nats per token as exp(a − ay·t − an·ln(N/N0)) + exp(b "
        "− by·t − bd·ln(D/D0)), with t years since the first row, N parameters, D unique tokens, and "
        "constants a, b by benchmark. The rate is G = ay/an + by/bd in ln per year; the halving time is "
        "12·ln2/G months.",
        f"The objective is the mean squared error plus {fitted.penalty.delta:g} times the sum of absolute "
        "parameters. Sizes are taken against the smallest of the sample (N0 = "
        f"{formats.number(base.parameters)}, D0 = {formats.number(base.data)}), as published; both enter a "
        "penalised answer and are varied above.",
        f"{fitted.starts} starts, the minima of neighbouring penalties and every minimum of the full sample "
        "are run to a certificate (KKT residual at most 10⁻⁸); a fit without one is never listed.",
        f"Intervals resample papers {fitted.ci.reps if fitted.ci else 0:,} times and keep the best certified "
        "minimum of each draw, whichever explanation it belongs to. The interval of the rate is inverted "
        "for the halving time.",
        "A perplexity belongs to the row's own benchmark; the published rule takes the first of three and "
        "puts another benchmark's number into four rows of the public sheet.",
        "Baselines: Moore is a doubling in 24 months. Hardware is the slope of ln(FLOP/s per dollar) at "
        "FP32 of cards that set a record, with cards resampled. Image and capability results are shown "
        "beside and never pooled.",
    )
