"""The next runs, and how much narrower the answer becomes with each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance
from isoflop.present.notebook import result_html
from isoflop.scaling.fit_findings import scaling_finding
from isoflop.scaling.frontier.costs import Cost
from isoflop.scaling.model import Array
from isoflop.scaling.result import FAR_DECADES, LawFit

if TYPE_CHECKING:
    import polars as pl

NORMAL_95 = 1.959963984540054
_ANSWER = {
    "loss": "ln of the least loss at the target",
    "allocation": "exponent a of the frontier",
    "parameters": "all parameters (determinant of the information)",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Design:
    """Runs in the order chosen.

    Parameters
    ----------
    params, tokens, spent : arrays, shape (k,)
        Sizes, and the cost so far in FLOP.
    variance : array, shape (k + 1,)
        Of the answer, averaged over draws, before and after each run.
    log_determinant : array, shape (k + 1,)
    noise : float
        Standard deviation of ln loss between runs, from the residuals.
    """

    fitted: LawFit
    target: str
    at_flop: float
    budget_flop: float
    cost: Cost
    params: Array
    tokens: Array
    spent: Array
    variance: Array
    log_determinant: Array
    noise: float
    candidates: int

    @property
    def n(self) -> int:
        """Number of runs at hand."""
        return self.fitted.n

    @property
    def seed(self) -> int | None:
        """Seed of the fit's draws."""
        return self.fitted.seed

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.fitted.provenance

    @property
    def sd_before(self) -> float:
        """Expected standard deviation of the answer on the runs at hand."""
        return float(np.sqrt(self.variance[0]))

    @property
    def sd_after(self) -> float:
        """Expected standard deviation of the answer with every chosen run."""
        return float(np.sqrt(self.variance[-1]))

    @property
    def method(self) -> str:
        """Criterion, candidates and cost in one line."""
        over = "one fit" if self.fitted.draws is None else "draws of the fit"
        return (
            f"greedy choice per FLOP among {self.candidates} sizes for {_ANSWER[self.target]}, averaged over "
            f"{over}; {self.cost.text}; noise {self.noise:.2g} in ln loss; {self.fitted.law.name}"
        )

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the design, each with what would cure it."""
        said = list(self.fitted.cautions)
        n, d = self.fitted.runs.inputs(("params", "tokens"))
        beyond = float(np.log10(self.at_flop / self.cost.flop(np.exp(n), np.exp(d)).max()))
        if self.target == "loss" and beyond > FAR_DECADES:
            said.append(
                f"the target lies {beyond:.1f} decades beyond the largest run: the design takes the law's "
                "form for granted there. Compare laws first (isoflop scaling compare)."
            )
        said.append(
            "expected widths assume that the law holds and that new runs are as noisy as those at hand."
        )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return the runs with what each leaves of the uncertainty; equal ones are counted together."""
        out = []
        for k in range(len(self.spent)):
            before = 0.0 if k == 0 else float(self.spent[k - 1])
            out.append(
                {
                    "order": k + 1,
                    "params": float(self.params[k]),
                    "tokens": float(self.tokens[k]),
                    "tokens_per_param": float(self.tokens[k] / self.params[k]),
                    "train_flop": float(self.spent[k]) - before,
                    "spent_flop": float(self.spent[k]),
                    "sd_after": float(np.sqrt(self.variance[k + 1])) if self.target != "parameters" else None,
                    "log_determinant": float(self.log_determinant[k + 1]),
                }
            )
        return out

    def frame(self) -> pl.DataFrame:
        """Return the runs in the order chosen."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def findings(self) -> tuple[Finding, ...]:
        """Return how much narrower the answer is expected to be."""
        if self.target == "parameters":
            gain = float(
                np.exp((self.log_determinant[-1] - self.log_determinant[0]) / (2 * self.fitted.law.p))
            )
            label = "expected narrowing of the parameters, geometric mean"
        else:
            gain = self.sd_before / self.sd_after
            label = f"expected narrowing of the interval of the {_ANSWER[self.target]}"
        return (
            scaling_finding(
                self,
                f"design_gain.{self.target}",
                label,
                Estimate(value=gain, unit="×"),
                {
                    "budget_flop": self.budget_flop,
                    "spent_flop": float(self.spent[-1]),
                    "runs": len(self.spent),
                    "at_flop": self.at_flop,
                    "half_width_before": NORMAL_95 * self.sd_before,
                    "half_width_after": NORMAL_95 * self.sd_after,
                },
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "target": self.target,
            "method": self.method,
            "runs": self.rows(),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [self.method]
        lines += [
            f"  {r['order']}. N {r['params']:.3g}, D {r['tokens']:.3g} ({r['train_flop']:.2g} FLOP)"
            for r in self.rows()[:12]
        ]
        return "\n".join([*lines, *(f"  ! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
