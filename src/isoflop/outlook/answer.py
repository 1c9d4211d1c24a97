"""One answer from several findings: joint draws through a formula, and who carries the variance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.outlook.inputs import Input, input_of
from isoflop.outlook.model import Assumptions
from isoflop.stats.checks import FloatArray
from isoflop.stats.joint import Joint, variance_shares

LEVEL = 0.95
Formula = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One answer to be computed: which findings it needs, and the formula over their columns.

    Parameters
    ----------
    id, label, unit : str
    needs : tuple of str
        Ids, in the order of the formula's columns.
    formula : callable
        Inputs, shape (n, k), to answers, shape (n,); infinite where there is none.
    words : str
        The formula in words.
    positive : tuple of str
        Inputs that must be above zero in every draw.
    rising : str
        The input with which the answer rises: where that input is known from below alone, so is the answer.
    """

    id: str
    label: str
    unit: str
    needs: tuple[str, ...]
    formula: Formula
    words: str
    positive: tuple[str, ...] = ()
    rising: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One number that several findings give together.

    Parameters
    ----------
    id, label : str
    estimate : Estimate
        No value where an input is missing or not identified; then perhaps a lower bound.
    formula : str
        In words.
    inputs : tuple of str
        Ids of the findings it needs.
    draws : tuple of float
        Finite joint draws, rising.
    open_share : float
        Share of draws in which there is no finite answer.
    shares : mapping of str to float
        Share of the variance of the answer's rank that each input carries (Shapley effects); empty where
        nothing varies.
    cautions : tuple of str
    reason : str
        Why there is no value.
    details : mapping
        More of what belongs to this answer, for its finding.
    """

    id: str
    label: str
    estimate: Estimate
    formula: str
    inputs: tuple[str, ...]
    draws: tuple[float, ...] = ()
    open_share: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return the answer as a table row."""
        estimate = self.estimate
        return {
            "id": self.id,
            "label": self.label,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "unit": estimate.unit,
            "formula": self.formula,
            "reason": self.reason or None,
        }


def answer(
    question: Question,
    known: Mapping[str, Finding],
    chosen: Assumptions,
    *,
    ready: Mapping[str, Input] | None = None,
    with_shares: bool = True,
) -> Answer:
    """Return one answer, or why there is none.

    Parameters
    ----------
    question : Question
    known : mapping of str to Finding
    chosen : Assumptions
    ready : mapping of str to Input, optional
        Inputs that are made already, such as a law whose draws are rows.
    with_shares : bool
        Whether the shares of variance are wanted; they take most of the time.
    """
    inputs: list[Input] = []
    bounded = ""
    for name in question.needs:
        made = _input(name, known, ready or {})
        if isinstance(made, str) and question.rising == name and (below := _from_below(known.get(name))):
            bounded, made = made, below
        if isinstance(made, str):
            return without(question, made)
        if name in question.positive and float(made.quantiles[0]) <= 0:
            return without(question, f"{name} may be zero or less, where the formula has no value")
        inputs.append(made)
    joint = Joint.of([one.quantiles for one in inputs], _correlation(question.needs, chosen))
    drawn = np.sort(question.formula(joint.draw(chosen.draws, chosen.seed)))
    if bounded:
        return _at_least(question, drawn, bounded)
    point = float(question.formula(np.array([[one.point for one in inputs]], float))[0])
    return Answer(
        id=question.id,
        label=question.label,
        estimate=estimate_of(point, drawn, question.unit),
        formula=question.words,
        inputs=question.needs,
        draws=tuple(float(v) for v in drawn[np.isfinite(drawn)]),
        open_share=float(np.mean(~np.isfinite(drawn))),
        shares=_shares(question, joint, chosen) if with_shares else {},
        cautions=tuple(dict.fromkeys(caution for one in inputs for caution in one.cautions)),
    )


def estimate_of(point: float, drawn: FloatArray, unit: str) -> Estimate:
    """Return a value with the percentile interval of its draws; infinite ones leave it open above.

    A point that is not finite has no value. Without draws there is no interval.
    """
    if not drawn.size:
        return Estimate(value=point, unit=unit)
    tail = (1 - LEVEL) / 2
    low = float(np.quantile(drawn, tail, method="lower"))
    high = float(np.quantile(drawn, 1 - tail, method="higher"))
    if not math.isfinite(high):
        return Estimate(value=point, low=low, level=LEVEL, unit=unit, interval="open_above")
    return Estimate(value=point, low=low, high=high, level=LEVEL, unit=unit)


def time_needed(amount: FloatArray, rate: FloatArray) -> FloatArray:
    """Return how long a rate takes for an amount; a rate at or below zero never gets there."""
    never = np.full_like(amount, np.inf)
    return np.divide(amount, rate, out=never, where=rate > 0)


def without(question: Question, reason: str) -> Answer:
    """Return the answer that is not identified, with its reason."""
    return Answer(
        id=question.id,
        label=question.label,
        estimate=Estimate(value=None, unit=question.unit),
        formula=question.words,
        inputs=question.needs,
        reason=reason,
    )


def _input(name: str, known: Mapping[str, Finding], ready: Mapping[str, Input]) -> Input | str:
    if name in ready:
        return ready[name]
    if name not in known:
        return f"no finding {name}: its instrument has not been run on this evidence"
    return input_of(known[name])


def _from_below(finding: Finding | None) -> Input | None:
    """Return the lower bound of a finding that has no more than that, as a constant."""
    if finding is None or finding.estimate.interval != "open_above" or finding.estimate.low is None:
        return None
    low = finding.estimate.low
    return Input(finding=finding, point=low, quantiles=np.array([low]), how="its lower bound")


def _at_least(question: Question, drawn: FloatArray, reason: str) -> Answer:
    low = float(np.quantile(drawn, (1 - LEVEL) / 2, method="lower"))
    if not low > 0:
        # A bound below nothing at all says nothing; the reason does.
        return without(question, reason)
    estimate = Estimate(value=None, low=low, level=LEVEL, unit=question.unit, interval="open_above")
    return Answer(
        id=question.id,
        label=question.label,
        estimate=estimate,
        formula=question.words,
        inputs=question.needs,
        reason=reason,
    )


def _shares(question: Question, joint: Joint, chosen: Assumptions) -> dict[str, float]:
    """Return which share of the variance of the answer's rank each input carries.

    A rank exists for an infinite answer too, and does not depend on the scale that the answer is told in.
    """
    base = np.sort(question.formula(joint.draw(chosen.draws, chosen.seed)))

    def rank(rows: FloatArray) -> FloatArray:
        values = question.formula(rows)
        return 0.5 * (np.searchsorted(base, values) + np.searchsorted(base, values, "right")) / base.size

    # Monte Carlo error takes the share of an idle input just below zero.
    shares = np.maximum(variance_shares(rank, joint, draws=chosen.draws, seed=chosen.seed), 0.0)
    if not shares.any():
        return {}
    return {name: float(v) for name, v in zip(question.needs, shares / shares.sum(), strict=True)}


def _correlation(names: tuple[str, ...], chosen: Assumptions) -> FloatArray:
    matrix = np.eye(len(names))
    for (one, other), rho in chosen.correlation.items():
        if one in names and other in names:
            i, j = names.index(one), names.index(other)
            matrix[i, j] = matrix[j, i] = rho
    return matrix
