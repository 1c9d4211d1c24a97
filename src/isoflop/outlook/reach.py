"""What a budget reaches under the frontier law of a finding, and when it is worth a target."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from isoflop.findings import Finding
from isoflop.outlook.answer import Answer, Question, answer, estimate_of, time_needed, without
from isoflop.outlook.budget import Budget, Target
from isoflop.outlook.find import growth, joined
from isoflop.outlook.inputs import Input
from isoflop.outlook.law import FrontierLaw
from isoflop.outlook.model import EXPONENT, Assumptions
from isoflop.outlook.reached import Reach
from isoflop.outlook.result import used
from isoflop.present import formats
from isoflop.stats.checks import FloatArray

FAR_DECADES = 1.0
"""An answer this many decades beyond the runs carries a caution."""
_YEARS = "outlook.years_to_target"
_COMPUTE = {
    "loss": "training compute that reaches {}",
    "flop": "training compute of the target",
    "params": "training compute that has its optimum at {}",
    "tokens": "training compute that has its optimum at {}",
}
_WORTH = {
    "loss": "reaches {}",
    "flop": "is worth {} of today",
    "params": "is worth the compute that trains {} best today",
    "tokens": "is worth the compute that trains best on {} today",
}
"""What it means to reach a target: algorithms multiply compute, so a size is reached in today's terms."""


def reach(
    findings: Iterable[Finding],
    *,
    budget: Budget,
    target: Target | None = None,
    assumptions: Assumptions | None = None,
) -> Reach:
    """Return what a budget buys now, and when it is worth a target.

    Parameters
    ----------
    findings : iterable of Finding
        With `scaling.frontier_exponent_a`, which carries the law; for a target also the growth rates.
    budget : Budget
        Money needs `Assumptions.usd_per_flop`.
    target : Target, optional
    assumptions : Assumptions, optional

    Returns
    -------
    Reach
        Numbers farther than `Assumptions.most_decades` beyond the runs are not identified.

    Raises
    ------
    SettingError
        Money without a price, or an assumption that names no usable finding.

    Notes
    -----
    Formulas: `isoflop.outlook.model`. The draws of the law's parameters are rows of one bootstrap, so that
    size, data and loss move together. A year counts from today for a budget that keeps its place in the
    trend of `Assumptions.doubling`.
    """
    chosen = assumptions or Assumptions()
    known = joined(findings, chosen)
    flop = budget.flop(chosen.usd_per_flop)
    law = FrontierLaw.among(known)
    answers = _at_budget(law, flop, chosen)
    if target is not None:
        answers += _to_target(law, flop, target, known, chosen)
    return Reach(
        budget=budget,
        target=target,
        flop=flop,
        law=None if isinstance(law, str) else law,
        answers=answers,
        assumptions=chosen,
        used=used(answers, known),
    )


# ------------------------------------------------------------------------------ at the budget


def _at_budget(law: FrontierLaw | str, flop: float, chosen: Assumptions) -> tuple[Answer, ...]:
    at = formats.flop(flop)
    asked = (
        ("params", f"parameters that {at} trains best", "parameters", "N* of the law's frontier"),
        ("tokens", f"tokens that {at} trains best on", "tokens", "D* of the law's frontier"),
        ("tokens_per_param", f"tokens a parameter at {at}", "tokens", "D*/N* of the law's frontier"),
        ("loss", f"least loss that {at} reaches", "", "the law's loss at N*, D*"),
    )
    loss_unit = "loss" if isinstance(law, str) else law.loss_unit
    wanted = {
        name: Question(
            id=f"outlook.reach_{name}",
            label=label,
            unit=unit or loss_unit,
            needs=(EXPONENT,),
            formula=lambda x: x[:, 0],
            words=words,
        )
        for name, label, unit, words in asked
    }
    reason = law if isinstance(law, str) else _too_far(law, flop, at, chosen)
    if reason or isinstance(law, str):
        return tuple(without(question, reason) for question in wanted.values())
    found = law.at(np.array([flop]))
    values = {
        "params": found.params[:, 0],
        "tokens": found.tokens[:, 0],
        "tokens_per_param": found.tokens[:, 0] / found.params[:, 0],
        "loss": found.loss[:, 0],
    }
    details = {"at_flop": flop, "extrapolation_decades": law.decades_beyond(flop)}
    doubts = _doubts(law, flop, at, values["params"])
    return tuple(_of_law(wanted[name], values[name], law, doubts, details) for name in wanted)


def _of_law(
    question: Question,
    values: FloatArray,
    law: FrontierLaw,
    doubts: tuple[str, ...],
    details: Mapping[str, object],
) -> Answer:
    """Return an answer that rests on the law alone; the last value is the point."""
    point, drawn = float(values[-1]), np.sort(values[:-1][~np.isnan(values[:-1])])
    if math.isnan(point):
        return without(question, f"law {law.law.name} has no optimum there")
    return Answer(
        id=question.id,
        label=question.label,
        estimate=estimate_of(point, drawn, question.unit),
        formula=question.words,
        inputs=question.needs,
        draws=tuple(float(v) for v in drawn[np.isfinite(drawn)]),
        open_share=float(np.mean(np.isinf(drawn))) if drawn.size else 0.0,
        shares={EXPONENT: 1.0} if drawn.size else {},
        cautions=doubts,
        details=details,
    )


def _too_far(law: FrontierLaw, flop: float, what: str, chosen: Assumptions) -> str:
    """Return why a budget is not answered for, or nothing."""
    decades = law.decades_beyond(flop)
    if decades <= chosen.most_decades:
        return ""
    low, high = (formats.flop(v) for v in law.data_flop)
    return (
        f"{what} lies {decades:.1f} decades beyond the runs of {law.finding.id} ({low} to {high}), and a law "
        f"is believed for {chosen.most_decades:g} at most. Runs nearer to it cure it"
    )


def _doubts(law: FrontierLaw, flop: float, what: str, params: FloatArray) -> tuple[str, ...]:
    said = []
    decades = law.decades_beyond(flop)
    if decades > FAR_DECADES:
        said.append(
            f"{what} lies {decades:.1f} decades beyond the runs: the answer rests on the form of law "
            f"{law.law.name}, and its interval does not cover another form. Runs nearer to it cure it."
        )
    if not law.drawn:
        said.append("the law came without draws, so there is no interval. A fit with a bootstrap cures it.")
    elif lost := float(np.mean(np.isnan(params[:-1]))):
        said.append(f"{formats.percent(lost)} of the law's draws have no optimum there and are left out.")
    return tuple(said)


# -------------------------------------------------------------------------------- to the target


def _to_target(
    law: FrontierLaw | str,
    flop: float,
    target: Target,
    known: Mapping[str, Finding],
    chosen: Assumptions,
) -> tuple[Answer, ...]:
    words = target.words("" if isinstance(law, str) else law.loss_unit)
    needs = () if target.kind == "flop" else (EXPONENT,)
    compute = Question(
        id="outlook.target_flop",
        label=_COMPUTE[target.kind].format(words),
        unit="FLOP",
        needs=needs,
        formula=lambda x: x[:, 0],
        words="the budget whose optimum is the target",
    )
    years = _years(flop, _WORTH[target.kind].format(words), needs, chosen)
    if target.kind == "flop":
        costs, first = np.array([target.amount]), _stated(compute, target.amount)
    elif isinstance(law, str):
        return tuple(without(question, law) for question in (compute, *years))
    else:
        costs = law.flop_for(target)
        reason = _out_of_reach(law, costs, target, words, chosen)
        if reason:
            return tuple(without(question, reason) for question in (compute, *years))
        needed = float(costs[-1])
        doubts = _doubts(law, needed, f"the target ({formats.flop(needed)})", costs)
        details = {"target": words, "extrapolation_decades": law.decades_beyond(needed)}
        first = _of_law(compute, costs, law, doubts, details)
    return (first, *(_when(question, costs, flop, law, first, known, chosen) for question in years))


def _out_of_reach(
    law: FrontierLaw, costs: FloatArray, target: Target, words: str, chosen: Assumptions
) -> str:
    """Return why a target has no answer, or nothing."""
    point, drawn = float(costs[-1]), costs[:-1]
    if math.isfinite(point):
        return _too_far(law, point, f"the budget for {words}, {formats.flop(point)},", chosen)
    if target.kind != "loss":
        return f"no budget within reach of law {law.law.name} asks for {words}"
    where = "" if law.floor is None else f", {formats.quantity(law.floor, law.loss_unit)}"
    never = f" (so in {formats.percent(float(np.mean(np.isinf(drawn))))} of its draws)" if drawn.size else ""
    return (
        f"{words} lies at or below what law {law.law.name} calls irreducible{where}{never}: no compute "
        "reaches it. Ask for a higher loss"
    )


def _stated(compute: Question, flop: float) -> Answer:
    return Answer(
        id=compute.id,
        label=compute.label,
        estimate=estimate_of(flop, np.array([]), compute.unit),
        formula="as stated",
        inputs=(),
    )


def _years(flop: float, worth: str, needs: tuple[str, ...], chosen: Assumptions) -> tuple[Question, ...]:
    budget = formats.flop(flop)
    at = len(needs)

    def with_algorithms(x: FloatArray) -> FloatArray:
        return growth(x[:, at]) + x[:, at + 1]

    return (
        Question(
            id=_YEARS,
            label=f"years until {budget}, growing with the trend, {worth}",
            unit="years",
            needs=(*needs, chosen.doubling, chosen.rate),
            formula=with_algorithms,
            words="ln(compute of the target / budget) / (12 ln 2 / doubling time + algorithmic progress)",
            positive=(chosen.doubling,),
        ),
        Question(
            id=f"{_YEARS}.physical",
            label="the same by hardware and spending alone",
            unit="years",
            needs=(*needs, chosen.doubling),
            formula=lambda x: growth(x[:, at]),
            words="ln(compute of the target / budget) / (12 ln 2 / doubling time)",
            positive=(chosen.doubling,),
        ),
    )


def _when(
    question: Question,
    costs: FloatArray,
    flop: float,
    law: FrontierLaw | str,
    first: Answer,
    known: Mapping[str, Finding],
    chosen: Assumptions,
) -> Answer:
    """Return the years; the question's formula is the rate, and the law's draws come as rows."""
    rate = question.formula
    amounts = np.maximum(np.log(costs / flop), 0.0)

    def years(x: FloatArray) -> FloatArray:
        rows = np.rint(x[:, 0]).astype(int) if EXPONENT in question.needs else np.full(len(x), -1)
        amount = amounts[rows]
        return np.where(amount > 0, time_needed(amount, rate(x)), 0.0)

    ready = {} if isinstance(law, str) else {EXPONENT: _rows(law)}
    made = answer(replace(question, formula=years), known, chosen, ready=ready)
    details = {
        "at_flop": flop,
        "target_flop": first.estimate.value,
        "already_reached": bool(amounts[-1] == 0),
        "share_already_reached": float(np.mean(amounts[:-1] == 0)) if len(amounts) > 1 else None,
    }
    return replace(made, cautions=(*first.cautions, *made.cautions), details=details)


def _rows(law: FrontierLaw) -> Input:
    """Return the law as an input whose values are rows of its draws; the point is row −1."""
    rows = np.arange(law.drawn, dtype=float) if law.drawn else np.array([-1.0])
    return Input(finding=law.finding, point=-1.0, quantiles=rows, how="joint draws of its parameters")
