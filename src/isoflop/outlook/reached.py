"""What a budget reaches: the answers, and the frontier that they lie on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Finding, Provenance, json_ready
from isoflop.outlook.answer import LEVEL, Answer
from isoflop.outlook.budget import Budget, Target
from isoflop.outlook.law import FrontierLaw
from isoflop.outlook.model import Assumptions
from isoflop.outlook.result import Used, evidence_of, finding_of, said
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.stats.checks import FloatArray

if TYPE_CHECKING:
    import polars as pl

CURVE = 41


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reach:
    """What a budget buys under a law, and when it is worth a target.

    Parameters
    ----------
    budget : Budget
    target : Target or None
    flop : float
        The budget in FLOP.
    law : FrontierLaw or None
        None where the findings carry none.
    answers : tuple of Answer
    assumptions : Assumptions
    used : tuple of Used
    """

    budget: Budget
    target: Target | None
    flop: float
    law: FrontierLaw | None
    answers: tuple[Answer, ...]
    assumptions: Assumptions
    used: tuple[Used, ...]

    _repr_html_ = result_html

    def __getitem__(self, name: str) -> Answer:
        return {answer.id: answer for answer in self.answers}[name]

    @property
    def decades(self) -> float | None:
        """Decades by which the budget lies beyond the runs; None without a law."""
        return None if self.law is None else self.law.decades_beyond(self.flop)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the answers, each with what would cure it."""
        return tuple(dict.fromkeys(caution for answer in self.answers for caution in answer.cautions))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the findings that were joined."""
        return evidence_of([one.finding for one in self.used if one.finding is not None])

    def findings(self, *, qualifier: str = "") -> tuple[Finding, ...]:
        """Return each answer as a finding.

        Parameters
        ----------
        qualifier : str
            Appended to every id, where a document holds the reach of several budgets.
        """
        tail = f".{qualifier}" if qualifier else ""
        made = (finding_of(answer, self.used, self.assumptions) for answer in self.answers)
        return tuple(
            replace(one, id=one.id + tail, details={**one.details, "budget": str(self.budget)})
            for one in made
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an answer."""
        return [answer.row() for answer in self.answers]

    def share_rows(self) -> list[dict[str, Any]]:
        """Return one row an answer and input: the share of variance that the input carries."""
        return [
            {"id": answer.id, "label": answer.label, "input": name, "share": share}
            for answer in self.answers
            for name, share in answer.shares.items()
        ]

    def curve_rows(self) -> list[dict[str, Any]]:
        """Return the frontier with bands from the smallest run to the budget, or as far as it is believed.

        One row a budget: ``budget_flop``, then ``params``, ``tokens``, ``tokens_per_param`` and ``loss``,
        each with ``_low`` and ``_high``, and whether it is ``extrapolated``. No row without a law.
        """
        if self.law is None:
            return []
        low, high = self.law.data_flop
        farthest = high * 10.0 ** min(self.assumptions.most_decades, 300.0)
        budgets = np.geomspace(low, max(high, min(self.flop, farthest)), CURVE)
        at = self.law.at(budgets)
        columns = {
            "params": at.params,
            "tokens": at.tokens,
            "tokens_per_param": at.tokens / at.params,
            "loss": at.loss,
        }
        rows = [{"budget_flop": float(flop)} for flop in budgets]
        for name, values in columns.items():
            for row, column in zip(rows, values.T, strict=True):
                row |= _band(name, column)
        return [row | {"extrapolated": row["budget_flop"] > high * (1 + 1e-9)} for row in rows]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "budget": str(self.budget),
            "flop": self.flop,
            "decades_beyond_data": self.decades,
            "answers": json_ready(self.rows()),
            "frontier": json_ready(self.curve_rows()),
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        same = self.budget.unit == "FLOP"
        lines = [f"reach of {self.budget}" + ("" if same else f", {formats.flop(self.flop)}")]
        lines += [f"  {answer.label}: {said(answer)}" for answer in self.answers]
        return "\n".join(lines)

    __repr__ = __str__ = summary


def _band(name: str, values: FloatArray) -> dict[str, Any]:
    """Return a value and its band; the last of the values is the point."""
    drawn = values[:-1][np.isfinite(values[:-1])]
    tail = (1 - LEVEL) / 2
    low, high = (float(v) for v in np.quantile(drawn, [tail, 1 - tail])) if drawn.size else (None, None)
    point = float(values[-1])
    return {name: point if np.isfinite(point) else None, f"{name}_low": low, f"{name}_high": high}
