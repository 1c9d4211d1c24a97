"""The frontier law that rides in a finding: what a budget buys, and what a result costs.

The finding `scaling.frontier_exponent_a` carries the law's name, its parameters, some of their joint draws,
the cost model and the range of the data, so that no table is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.errors import SettingError
from isoflop.findings import Finding
from isoflop.outlook.budget import Target
from isoflop.outlook.model import EXPONENT
from isoflop.scaling.frontier.allocation import Allocation, allocate, has_frontier
from isoflop.scaling.frontier.costs import Cost, cost_of
from isoflop.scaling.laws import LAWS
from isoflop.scaling.model import Law
from isoflop.stats.checks import FloatArray

NEEDED = ("law", "parameters", "parameter_draws", "loss_unit", "data_flop", "data_params", "cost_settings")
TINY = 1e-300
"""Stands for a floor of zero, whose logarithm a law could not take."""
SEARCH_DECADES = 18.0
"""Budgets this far on either side of the data are searched for a target."""
MARGIN = math.log(1e6)
HALVINGS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrontierLaw:
    """A law on its frontier, with the draws of its parameters.

    Parameters
    ----------
    finding : Finding
    law : Law
    cost : Cost
    theta : array, shape (R + 1, p)
        Working coordinates of the draws, and of the point last: index −1 is the point.
    data_flop, data_params : (float, float)
        Least and greatest of the runs.
    loss_unit : str
    """

    finding: Finding
    law: Law
    cost: Cost
    theta: FloatArray
    data_flop: tuple[float, float]
    data_params: tuple[float, float]
    loss_unit: str

    @classmethod
    def of(cls, finding: Finding) -> FrontierLaw | str:
        """Return the law of a finding, or why it has none."""
        details = finding.details
        if finding.status != "ok":
            return f"{finding.label}: {details.get('reason', 'not identified')}"
        missing = [name for name in NEEDED if name not in details]
        if missing:
            return (
                f"{finding.id} was made by an earlier version and carries no {missing[0]}; make the report "
                "again: isoflop report"
            )
        law = LAWS.get(details["law"])
        if law is None or not has_frontier(law):
            return f"{finding.id} rests on law {details['law']!r}, which has no frontier"
        if details.get("cost_unit", "FLOP") != "FLOP":
            return f"{finding.id} counts cost in {details['cost_unit']}, and a budget is in FLOP"
        try:
            cost = cost_of(details["cost_settings"])
            theta = _theta(law, details)
        except (SettingError, KeyError, ValueError) as error:
            return f"{finding.id} carries no usable law: {error}"
        return cls(
            finding=finding,
            law=law,
            cost=cost,
            theta=theta,
            data_flop=_pair(details["data_flop"]),
            data_params=_pair(details["data_params"]),
            loss_unit=str(details["loss_unit"]),
        )

    @classmethod
    def among(cls, known: Mapping[str, Finding]) -> FrontierLaw | str:
        """Return the law that rides in findings by id, or why there is none."""
        if EXPONENT not in known:
            return f"no finding {EXPONENT}: scaling has not been run on this evidence"
        return cls.of(known[EXPONENT])

    @property
    def floor(self) -> float | None:
        """The irreducible loss; None where the law has none."""
        value = self.finding.details["parameters"].get("E", {}).get("value")
        return None if value is None else float(value)

    @property
    def drawn(self) -> int:
        """Number of joint draws; 0 where the law came without."""
        return len(self.theta) - 1

    def at(self, flop: FloatArray) -> Allocation:
        """Return the optimum of each budget, shape (m,) or (R + 1, m), by draw with the point last."""
        flop = np.atleast_1d(np.asarray(flop, float))
        low, high = np.log(self.data_params)
        widen = MARGIN + max(
            0.0,
            float(np.log(flop.max() / self.data_flop[1])),
            float(np.log(self.data_flop[0] / flop.min())),
        )
        with np.errstate(all="ignore"):  # a draw without an optimum shows as NaN
            return allocate(self.law, self.theta, flop, self.cost, around=(low - widen, high + widen))

    def decades_beyond(self, flop: float) -> float:
        """Return the decades by which a budget lies beyond the runs, on either side; 0 among them."""
        low, high = self.data_flop
        return max(0.0, math.log10(flop / high), math.log10(low / flop))

    def flop_for(self, target: Target) -> FloatArray:
        """Return the least budget that reaches a target, shape (R + 1,), the point last.

        Infinite where no budget does: a loss at or below the irreducible one.
        """
        if target.kind == "flop":
            return np.full(len(self.theta), target.amount)
        goal = math.log(target.amount)
        return self._bisect(_HEIGHTS[target.kind], -goal if target.kind == "loss" else goal)

    def _bisect(self, height: Callable[[Allocation], FloatArray], goal: float) -> FloatArray:
        """Return the budget at which a rising function of it comes to `goal`."""
        span = SEARCH_DECADES * math.log(10.0)
        low = np.full(len(self.theta), math.log(self.data_flop[0]) - span)
        high = np.full(len(self.theta), math.log(self.data_flop[1]) + span)

        def below(log_flop: FloatArray) -> Any:
            reached = height(self.at(np.exp(log_flop)[:, None]))[:, 0]
            return ~(reached >= goal)

        never = below(high)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            short = below(middle)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return np.where(never, np.inf, np.exp(high))


def _log(values: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        return np.asarray(np.log(values))


_HEIGHTS: Mapping[str, Callable[[Allocation], FloatArray]] = {
    "loss": lambda at: -_log(at.loss),
    "params": lambda at: _log(at.params),
    "tokens": lambda at: _log(at.tokens),
}


def _theta(law: Law, details: Mapping[str, Any]) -> FloatArray:
    """Return working coordinates of the draws, then of the point."""
    drawn: Mapping[str, list[float]] = details["parameter_draws"]
    columns = []
    for q in law.parameters:
        reported = np.array([*drawn.get(q.name, ()), details["parameters"][q.name]["value"]], float)
        columns.append(q.to_working(np.maximum(reported, TINY) if q.transform == "log" else reported))
    if len({len(column) for column in columns}) > 1:
        raise ValueError("its parameters have different numbers of draws")
    return np.column_stack(columns)


def _pair(values: Any) -> tuple[float, float]:
    low, high = (float(v) for v in values)
    return low, high
