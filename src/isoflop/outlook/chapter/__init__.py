"""Everything that the five say together: numbers filled in, none typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.outlook.budget import Budget, Target
from isoflop.outlook.chapter.doubt import carriers_section, choices_section, inputs_section
from isoflop.outlook.chapter.growth import growth_section, lag_section
from isoflop.outlook.chapter.months import months_section
from isoflop.outlook.chapter.reach import reach_section
from isoflop.outlook.model import Assumptions
from isoflop.outlook.result import said
from isoflop.outlook.study import Study, study
from isoflop.present import formats
from isoflop.present.chapter import Chapter

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.present.chapter import Progress

QUESTION = "What do the five say together?"


def chapter(
    findings: Sequence[Finding],
    *,
    assumptions: Assumptions | None = None,
    budget: Budget | None = None,
    target: Target | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Chapter:
    """Return the chapter that joins findings of the instruments.

    Parameters
    ----------
    findings : sequence of Finding
        Of the other chapters; only those that the formulas name are read.
    assumptions : Assumptions, optional
    budget : Budget, optional
        Default: ten and a hundred times the largest run behind the frontier's law.
    target : Target, optional
        Default, without a budget: half the reducible loss that the largest run has left.
    quick : bool
        Fewer draws.
    seed : int
        Seed of the joint draws.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    chosen = replace(assumptions or Assumptions(), seed=seed)
    return chapter_of(
        study(findings, assumptions=chosen, budget=budget, target=target, quick=quick, progress=progress)
    )


def chapter_of(found: Study) -> Chapter:
    """Return the chapter of a study that is made already."""
    return Chapter(
        instrument="outlook",
        question=QUESTION,
        answer=_answer(found),
        findings=found.findings(),
        sections=(
            growth_section(found),
            lag_section(found),
            months_section(found),
            reach_section(found),
            carriers_section(found),
            choices_section(found),
            inputs_section(found),
        ),
        methods=_methods(found),
        evidence=found.joined.provenance,
        tables=found.tables(),
    )


def _answer(found: Study) -> str:
    joined = found.joined
    lag, alone = (joined[f"outlook.academic_lag_years{tail}"] for tail in ("", ".no_diffusion"))
    tax, gain = joined["outlook.portability_tax_months"], joined["outlook.routing_gain_months"]
    if lag.estimate.value is None:
        first = f"How far academia is behind industry is not identified: {lag.reason}"
    else:
        reach = "reach it too" if found.assumptions.diffusion else "do not reach it"
        first = (
            f"At today's rates academia has industry's effective compute of today in "
            f"**{formats.estimate(lag.estimate)}** if better algorithms {reach}"
        )
        if alone.estimate.value is not None and found.assumptions.diffusion:
            first += f", in {formats.estimate(alone.estimate)} if none do"
    published = any(row["assumed"] and row["published"] for row in found.factors)
    source = "a published move" if published else "a move"
    return (
        f"{first}; {source} to other hardware takes {_months(tax.estimate.value is None, said(tax))} of "
        f"algorithmic progress, and routing is worth {_months(gain.estimate.value is None, said(gain))}."
    )


def _months(missing: bool, text: str) -> str:
    return "an amount that is not identified" if missing else text


def _methods(found: Study) -> tuple[str, ...]:
    chosen = found.assumptions
    return (
        "Joined are findings, not tables: each brings its value, its interval and up to 200 draws. A finding "
        "without draws brings its interval, read as two half-normal halves; one without either is taken as "
        "exact, with a caution.",
        f"Intervals: {formats.count(chosen.draws)} joint draws, inputs {chosen.dependence}, equal-tailed at "
        "95 %. The parameters of the frontier's law are drawn together, as rows of one bootstrap. A rate of "
        "growth that is not above zero in a draw leaves a time infinite in it, and the interval open.",
        "Growth: g = 12 ln 2 / doubling time is hardware and spending together, G is algorithms at fixed "
        "hardware; effective compute grows at g + G. Lag: gap × ln 10 / (g + diffusion × G). Months: 12 "
        "ln(factor) "
        "/ G. Years to a target: ln(compute of the target / budget) / (g + G).",
        "All rates are taken to hold as they were: nothing here forecasts a change of trend, a limit of "
        "data, "
        "power or money, or whether an algorithm's gain carries over from its benchmark to another scale.",
        "Who carries the uncertainty: Shapley effects on the rank of the answer, which exist where some "
        "draws "
        "have no finite answer and do not depend on the scale that the answer is told in.",
    )
