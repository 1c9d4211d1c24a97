"""Join findings: effective growth, the lag of academia, what slow-downs cost and what routing wins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.outlook.inputs import Input, by_id, input_of
from isoflop.outlook.model import EXPONENT, GAIN, MONTHS, RATE, SLOWDOWN, Assumptions
from isoflop.outlook.result import Answer, Outlook, Used
from isoflop.stats.checks import FloatArray
from isoflop.stats.joint import Joint, variance_shares

LEVEL = 0.95
_LN10, _LN2 = math.log(10.0), math.log(2.0)

Formula = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One answer to be computed: which findings it needs, and the formula over their columns."""

    id: str
    label: str
    unit: str
    needs: tuple[str, ...]
    formula: Formula
    words: str
    positive: tuple[str, ...] = ()


def outlook(findings: Iterable[Finding], *, assumptions: Assumptions | None = None) -> Outlook:
    """Join the findings of the instruments in one unit.

    Parameters
    ----------
    findings : iterable of Finding
        Of a report, or of any documents; only ids that the formulas name are read.
    assumptions : Assumptions, optional

    Returns
    -------
    Outlook
        An answer whose input is missing or not identified is not identified, and says which.

    Notes
    -----
    Formulas: `isoflop.outlook.model`. Inputs are drawn jointly, independent unless a correlation is given.
    A rate of growth that may be zero or less leaves a time open above.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> def given(id, value, unit):
    ...     return Finding(
    ...         id=id,
    ...         instrument=id.split(".")[0],
    ...         label=id,
    ...         method="",
    ...         n=None,
    ...         estimate=Estimate(value=value, unit=unit),
    ...     )
    >>> found = outlook(
    ...     [
    ...         given("progress.rate_per_year", 1.0, "ln/yr"),
    ...         given("divide.doubling_time_months_all", 12 * np.log(2), "months"),
    ...         given("divide.gap_oom", 2.0, "orders of magnitude"),
    ...     ]
    ... )
    >>> round(found["outlook.academic_lag_years"].estimate.value, 3)  # ln(100) / (1 + 1)
    2.303
    """
    chosen = assumptions or Assumptions()
    known = by_id(findings)
    answers = tuple(_answer(question, known, chosen) for question in _questions(chosen))
    return Outlook(answers=answers, assumptions=chosen, used=_used(answers, known))


def _questions(chosen: Assumptions) -> Sequence[_Question]:
    doubling, gap = chosen.doubling, chosen.gap

    def growth(months: FloatArray) -> FloatArray:
        return MONTHS * _LN2 / months

    return (
        _Question(
            id="outlook.effective_growth_per_year",
            label="growth of effective compute: hardware and spending times algorithms",
            unit="ln/yr",
            needs=(doubling, RATE),
            formula=lambda x: growth(x[:, 0]) + x[:, 1],
            words="12 ln 2 / doubling time + algorithmic progress",
            positive=(doubling,),
        ),
        _Question(
            id="outlook.academic_lag_years",
            label="years until academia has the effective compute that industry has today",
            unit="years",
            needs=(gap, doubling, RATE),
            formula=lambda x: _time(_LN10 * x[:, 0], growth(x[:, 1]) + chosen.diffusion * x[:, 2]),
            words=f"gap × ln 10 / (12 ln 2 / doubling time + {chosen.diffusion:g} × algorithmic progress)",
            positive=(doubling,),
        ),
        _Question(
            id="outlook.academic_lag_years.no_diffusion",
            label="the same if algorithmic progress does not reach academia",
            unit="years",
            needs=(gap, doubling),
            formula=lambda x: _time(_LN10 * x[:, 0], growth(x[:, 1])),
            words="gap × ln 10 / (12 ln 2 / doubling time)",
            positive=(doubling,),
        ),
        _Question(
            id="outlook.portability_tax_months",
            label="months of algorithmic progress that a move to other hardware takes",
            unit="months",
            needs=(SLOWDOWN, RATE),
            formula=lambda x: _time(MONTHS * np.log(x[:, 0]), x[:, 1]),
            words="12 × ln(slow-down) / algorithmic progress",
            positive=(SLOWDOWN,),
        ),
        _Question(
            id="outlook.routing_gain_months",
            label="months of algorithmic progress that routing is worth",
            unit="months",
            needs=(GAIN, RATE),
            formula=lambda x: _time(MONTHS * np.log(x[:, 0]), x[:, 1]),
            words="12 × ln(compute-equivalent gain) / algorithmic progress",
            positive=(GAIN,),
        ),
    )


def _answer(question: _Question, known: dict[str, Finding], chosen: Assumptions) -> Answer:
    inputs: list[Input] = []
    for name in question.needs:
        if name not in known:
            return _none(question, f"no finding {name}: its instrument has not been run on this evidence")
        made = input_of(known[name])
        if isinstance(made, str):
            return _none(question, made)
        if name in question.positive and float(made.quantiles[0]) <= 0:
            return _none(question, f"{name} may be zero or less, where the formula has no value")
        inputs.append(made)
    point = float(question.formula(np.array([[i.finding.estimate.value for i in inputs]], float))[0])
    joint = Joint.of([one.quantiles for one in inputs], _correlation(question.needs, chosen))
    drawn = np.sort(question.formula(joint.draw(chosen.draws, chosen.seed)))
    estimate = _estimate(point, drawn, question.unit)
    return Answer(
        id=question.id,
        label=question.label,
        estimate=estimate,
        formula=question.words,
        inputs=question.needs,
        draws=tuple(float(v) for v in drawn[np.isfinite(drawn)]),
        open_share=float(np.mean(~np.isfinite(drawn))),
        shares=_shares(question, joint, chosen),
        cautions=tuple(one.caution for one in inputs if one.caution),
    )


def _time(amount: FloatArray, rate: FloatArray) -> FloatArray:
    """Return how long a rate takes for an amount; a rate at or below zero never gets there."""
    never = np.full_like(amount, np.inf)
    return np.divide(amount, rate, out=never, where=rate > 0)


def _estimate(point: float, drawn: FloatArray, unit: str) -> Estimate:
    tail = (1 - LEVEL) / 2
    low, high = (float(v) for v in np.quantile(drawn, [tail, 1 - tail], method="lower"))
    if not math.isfinite(high):
        return Estimate(value=point, low=low, high=None, level=LEVEL, unit=unit, interval="open_above")
    return Estimate(value=point, low=low, high=high, level=LEVEL, unit=unit)


def _shares(question: _Question, joint: Joint, chosen: Assumptions) -> dict[str, float]:
    """Return which share of the variance of the answer's logarithm each input carries, or nothing."""
    probe = question.formula(joint.draw(chosen.draws, chosen.seed))
    if not np.isfinite(probe).all() or probe.min() <= 0:
        return {}
    shares = variance_shares(
        lambda rows: np.log(question.formula(rows)), joint, draws=chosen.draws, seed=chosen.seed
    )
    return {name: float(share) for name, share in zip(question.needs, shares, strict=True)}


def _correlation(names: tuple[str, ...], chosen: Assumptions) -> FloatArray:
    matrix = np.eye(len(names))
    for (one, other), rho in chosen.correlation.items():
        if one in names and other in names:
            i, j = names.index(one), names.index(other)
            matrix[i, j] = matrix[j, i] = rho
    return matrix


def _none(question: _Question, reason: str) -> Answer:
    return Answer(
        id=question.id,
        label=question.label,
        estimate=Estimate(value=None, unit=question.unit),
        formula=question.words,
        inputs=question.needs,
        reason=reason,
    )


def _used(answers: Sequence[Answer], known: dict[str, Finding]) -> tuple[Used, ...]:
    names = dict.fromkeys(name for answer in answers for name in (*answer.inputs, EXPONENT))
    return tuple(Used.of(name, known.get(name)) for name in names)
