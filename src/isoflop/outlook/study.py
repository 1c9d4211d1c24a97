"""Everything that the outlook says on a set of findings: answers, reach, and what each assumption does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.outlook.budget import Budget, Target
from isoflop.outlook.factors import factor_rows
from isoflop.outlook.find import outlook
from isoflop.outlook.inputs import by_id
from isoflop.outlook.law import FrontierLaw
from isoflop.outlook.model import Assumptions
from isoflop.outlook.reach import reach
from isoflop.outlook.reached import Reach
from isoflop.outlook.result import Outlook
from isoflop.outlook.specification import Curve, by_diffusion, specifications

MULTIPLES = (10.0, 100.0)
"""Budgets that are answered for where none is given, as multiples of the largest run."""
QUICK_DRAWS = 2048
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """The outlook with all that stands beside it.

    Parameters
    ----------
    joined : Outlook
    reaches : tuple of (str, Reach)
        Qualifier of the ids (none for the headline) and what that budget reaches.
    no_reach : str
        Why there is no law to answer for budgets.
    lags : tuple of (float, Estimate)
        Lag by diffusion.
    factors : sequence of mapping
        Months by slow-down and gain.
    curve : Curve
    """

    joined: Outlook
    reaches: tuple[tuple[str, Reach], ...]
    no_reach: str
    lags: tuple[tuple[float, Estimate], ...]
    factors: Sequence[Mapping[str, Any]]
    curve: Curve

    @property
    def assumptions(self) -> Assumptions:
        """What was taken for granted."""
        return self.joined.assumptions

    def findings(self) -> tuple[Finding, ...]:
        """Return the answers as findings, the reach of each budget after them."""
        reached = (f for qualifier, one in self.reaches for f in one.findings(qualifier=qualifier))
        return (*self.joined.findings(), *reached)

    def share_rows(self) -> list[dict[str, Any]]:
        """Return who carries the variance of each answer that rests on more than one input."""
        rows = self.joined.share_rows() + [row for _, one in self.reaches[:1] for row in one.share_rows()]
        several = [row["id"] for row in rows]
        return [row for row in rows if several.count(row["id"]) > 1]

    def assumption_rows(self) -> list[dict[str, Any]]:
        """Return every assumption with its value, its default and the option that changes it."""
        chosen, default = self.assumptions, Assumptions()
        rows = [
            {
                "assumption": words,
                "value": getattr(chosen, name),
                "default": getattr(default, name),
                "option": option,
            }
            for name, words, option in OPTIONS
        ]
        correlation = "; ".join(
            f"{one}, {other} = {rho:g}" for (one, other), rho in chosen.correlation.items()
        )
        rows.append(
            {"assumption": "dependence of inputs", "value": correlation or "independent",
             "default": "independent", "option": "--correlation"}
        )  # fmt: skip
        return [row | {name: _text(row[name]) for name in ("value", "default")} for row in rows]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return rows for ``findings.json``."""
        reached = [one for _, one in self.reaches]
        farthest = max(reached, key=lambda one: one.flop, default=None)
        return {
            "answers": self.joined.rows() + [row for one in reached[:1] for row in one.rows()],
            "inputs": self.joined.used_rows(),
            "assumptions": self.assumption_rows(),
            "shares": self.share_rows(),
            "frontier": [] if farthest is None else farthest.curve_rows(),
            "months": [dict(row) for row in self.factors],
            "diffusion": [
                {"share": share, "years": lag.value, "low": lag.low, "high": lag.high}
                for share, lag in self.lags
            ],
            "one_change": self.curve.alone_rows(),
            "specifications": self.curve.rows(),
        }


OPTIONS = (
    ("diffusion", "share of algorithmic progress that reaches academia at once", "--diffusion"),
    ("rate", "algorithmic progress", "--rate"),
    ("doubling", "growth of compute: hardware and spending", "--doubling"),
    ("gap", "distance of academia", "--gap"),
    ("slowdown", "slow-down of a move", "--slowdown"),
    ("gain", "gain by routing", "--gain"),
    ("usd_per_flop", "price of a FLOP, USD", "--usd-per-flop"),
    ("most_decades", "decades beyond the runs that a law is believed", "--decades"),
    ("draws", "joint draws", "--draws"),
)
"""Assumption, its words, and the option of the command line."""


def study(
    findings: Iterable[Finding],
    *,
    assumptions: Assumptions | None = None,
    budget: Budget | None = None,
    target: Target | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Return everything that findings say together.

    Parameters
    ----------
    findings : iterable of Finding
    assumptions : Assumptions, optional
    budget : Budget, optional
        Default: ten and a hundred times the largest run behind the frontier's law.
    target : Target, optional
        Default, without a budget: half the reducible loss that the largest run has left.
    quick : bool
        Fewer draws.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    known = tuple(findings)
    chosen = assumptions or Assumptions()
    if quick:
        chosen = replace(chosen, draws=min(chosen.draws, QUICK_DRAWS))

    def tell(share: float) -> None:
        if progress is not None:
            progress("outlook", share)

    tell(0.0)
    joined = outlook(known, assumptions=chosen)
    tell(0.3)
    law = FrontierLaw.among(by_id(known))
    asked, goal = _asked(law, budget, target)
    reaches = tuple(
        (qualifier, reach(known, budget=one, target=goal if not qualifier else None, assumptions=chosen))
        for qualifier, one in asked
    )
    tell(0.5)
    lags = by_diffusion(known, assumptions=chosen)
    factors = factor_rows(known, assumptions=chosen)
    tell(0.7)
    curve = specifications(known, assumptions=chosen)
    tell(1.0)
    return Study(
        joined=joined,
        reaches=reaches,
        no_reach=law if isinstance(law, str) else "",
        lags=lags,
        factors=factors,
        curve=curve,
    )


def _asked(
    law: FrontierLaw | str, budget: Budget | None, target: Target | None
) -> tuple[list[tuple[str, Budget]], Target | None]:
    """Return the budgets with their qualifiers, and the target of the first."""
    if budget is not None:
        return [("", budget)], target
    if isinstance(law, str):
        return [], None
    largest = law.data_flop[1]
    budgets = [
        ("" if at == 0 else f"{times:g}x", Budget(amount=float(f"{times * largest:.3g}")))
        for at, times in enumerate(MULTIPLES)
    ]
    return budgets, target or _half_the_reducible(law)


def _half_the_reducible(law: FrontierLaw) -> Target | None:
    """Return the loss halfway from that of the largest run's budget to the floor; None without a floor."""
    floor = law.floor
    there = float(law.at(np.array([law.data_flop[1]])).loss[-1, 0])
    if floor is None or not np.isfinite(there) or not 0 < floor < there:
        return None
    return Target(kind="loss", amount=float(f"{(floor + there) / 2:.4g}"))


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else f"{value:g}"
