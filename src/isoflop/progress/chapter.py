"""Everything that progress says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section
from isoflop.progress.baselines import Baselines, baselines
from isoflop.progress.chapter_fit import data_section, minima_section, timeline_section
from isoflop.progress.claims import judge
from isoflop.progress.fit import fit
from isoflop.progress.result import ProgressFit
from isoflop.progress.sample import Sample, select
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Library
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
        300 draws instead of 2,000; the findings say so.
    seed : int
        Seed of starts and draws.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    sample = language_sample(library)
    ci = Bootstrap(reps=QUICK_DRAWS if quick else DRAWS, by="paper", seed=seed)
    fitted = fit(sample, ci=ci, progress=progress)
    beside = baselines(fitted, library.table("hardware_facts"))
    findings = (*fitted.findings(), *beside.findings())
    sections: tuple[Section, ...] = (
        timeline_section(beside),
        minima_section(fitted),
        data_section(sample),
    )
    return Chapter(
        instrument="progress",
        question="How fast do algorithms make compute go further?",
        answer=_answer(fitted, beside),
        findings=findings,
        claims=judge(findings),
        sections=sections,
        methods=_METHODS,
        evidence=(*fitted.provenance, *beside.provenance),
        tables=_tables(fitted),
    )


def language_sample(library: Library) -> Sample:
    """Return the sample of the first of `LANGUAGE_TABLES` that the library has."""
    here = library.available()
    name = next(name for name in LANGUAGE_TABLES if name in here)
    return select(library.table(name), task="language")


def _answer(fitted: ProgressFit, beside: Baselines) -> str:
    time = formats.estimate(fitted.halving_time, unbounded="no progress not excluded")
    ratio = formats.estimate(beside.ratio_to_moore())
    rival = ""
    if len(fitted.minima) > 1:
        months = fitted.basin_halving_times()[1]
        kind = "fits almost as well" if fitted.has_two_basins else "fits worse, but draws reach it"
        rival = f" A second explanation, {months:.1f} months, {kind}."
    return (
        f"On {fitted.sample.n} evaluations of {fitted.sample.papers} papers, the compute needed for a set "
        "loss "
        f"halves every **{time}**: {ratio} the rate of Moore's doubling.{rival}"
    )


def _tables(fitted: ProgressFit) -> dict[str, list[dict[str, Any]]]:
    minima = fitted.findings()[1].details["minima"]
    return {
        "waterfall": [
            {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped}
            for s in fitted.sample.steps
        ],
        "minima": list(minima),
    }


_METHODS = (
    "Law 7 of the paper: loss = exp(a − ay·t − an·ln N) + exp(b − by·t − bd·ln D), with constants by "
    "benchmark; "
    "the rate is G = ay/an + by/bd and the halving time 12·ln2/G months.",
)
