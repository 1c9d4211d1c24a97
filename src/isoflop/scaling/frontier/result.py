"""A compute-optimal frontier and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.fit_findings import fit_details, scaling_finding
from isoflop.scaling.frontier.carried import carried
from isoflop.scaling.frontier.costs import Cost
from isoflop.scaling.frontier.isoflop import Parabola
from isoflop.scaling.model import Array
from isoflop.scaling.result import FAR_DECADES, LawFit
from isoflop.scaling.runs import Runs
from isoflop.stats.draws import draw_interval
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

MANY_FAILED = 0.05
BIASED = 0.005
"""Bias of approach 2 in the exponent from which it is a caution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """Approach 2 run on the law's own noise-free losses at the runs' sizes: its bias here.

    Parameters
    ----------
    a_law, a_isoflop : float
        Exponent of the law, and what approach 2 makes of it on this grid.
    budgets : int
        Budgets whose parabola has its minimum inside.
    rows : tuple of mapping
        Per budget: bias of the vertex in ln N, half-width of the grid.
    """

    a_law: float
    a_isoflop: float
    budgets: int
    rows: tuple[Mapping[str, float | None], ...]

    @property
    def bias(self) -> float:
        """Bias of approach 2 in a, on this grid."""
        return self.a_isoflop - self.a_law


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Frontier:
    """How N* and D* grow with compute.

    Parameters
    ----------
    budgets : array, shape (1 + m,)
        FLOP; the first is the one asked for, the others run along the frontier.
    log_params, log_tokens : arrays, shape (1 + m,)
    loss : array or None
        Least loss, where a law gives it.
    a, b : float
        Exponents of N* and D* in compute.
    draws : mapping or None
        ``log_params``, ``log_tokens`` (R, 1 + m), ``a``, ``b`` (R,), drawn jointly.
    parabolas : tuple of Parabola
        Budgets of approach 2.
    on_envelope : int array or None
        Runs of approach 1.
    replay : Replay or None
    """

    runs: Runs
    approach: str
    cost: Cost
    fitted: LawFit | None
    ci: Bootstrap | None
    budgets: Array
    log_params: Array
    log_tokens: Array
    loss: Array | None
    a: float
    b: float
    draws: Mapping[str, Array] | None
    parabolas: tuple[Parabola, ...]
    on_envelope: NDArray[np.int64] | None
    thin_bins: int
    replay: Replay | None

    @property
    def n(self) -> int:
        """Number of runs."""
        return self.runs.n

    @property
    def seed(self) -> int | None:
        """Seed of the draws."""
        if self.fitted is not None:
            return self.fitted.seed
        return None if self.ci is None else self.ci.seed

    @property
    def at_flop(self) -> float:
        """The budget asked for."""
        return float(self.budgets[0])

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the frontier."""
        return self.runs.provenance

    def _with_interval(self, value: float, draws: Array | None, *, unit: str) -> Estimate:
        if draws is None or self.ci is None:
            return Estimate(value=value, unit=unit)
        found = draw_interval(self.ci, draws, point=value, on_failed="count")
        return Estimate(value=value, low=found.low, high=found.high, level=found.level, unit=unit)

    def _drawn(self, name: str) -> Array | None:
        return None if self.draws is None else self.draws[name]

    @property
    def exponent_a(self) -> Estimate:
        """Exponent of N* in compute."""
        return self._with_interval(self.a, self._drawn("a"), unit="1")

    @property
    def exponent_b(self) -> Estimate:
        """Exponent of D* in compute."""
        return self._with_interval(self.b, self._drawn("b"), unit="1")

    def _at(self, which: int, *, params: int, tokens: int, unit: str) -> Estimate:
        """Return exp(params·ln N* + tokens·ln D*) at a budget, with its interval."""
        value = float(np.exp(params * self.log_params[which] + tokens * self.log_tokens[which]))
        if self.draws is None:
            return Estimate(value=value, unit=unit)
        drawn = params * self.draws["log_params"][:, which] + tokens * self.draws["log_tokens"][:, which]
        return self._with_interval(value, np.exp(drawn), unit=unit)

    @property
    def optimal_params(self) -> Estimate:
        """N* at the budget asked for."""
        return self._at(0, params=1, tokens=0, unit="parameters")

    @property
    def optimal_tokens(self) -> Estimate:
        """D* at the budget asked for."""
        return self._at(0, params=0, tokens=1, unit="tokens")

    @property
    def tokens_per_param(self) -> Estimate:
        """D*/N* at the budget asked for."""
        return self._at(0, params=-1, tokens=1, unit="tokens")

    @property
    def extrapolation_decades(self) -> float:
        """Decades by which the budget lies beyond the largest run; 0 inside."""
        return max(0.0, float(np.log10(self.at_flop / self._largest)))

    @property
    def _largest(self) -> float:
        """The dearest run, in the unit of the cost."""
        if self.approach != "parametric":
            return float(self.runs.column("train_flop").max())
        n, d = self.runs.inputs(("params", "tokens"))
        return float(self.cost.flop(np.exp(n), np.exp(d)).max())

    @property
    def at_text(self) -> str:
        """The budget with its unit."""
        if self.cost.unit == "FLOP":
            return formats.flop(self.at_flop)
        return f"{formats.number(self.at_flop)} {self.cost.unit}"

    @property
    def _inside_hull(self) -> bool:
        """Whether the optimum lies in the convex hull of (ln N, ln D) of the runs."""
        points = self.runs.inputs(("params", "tokens")).T
        target = np.array([self.log_params[0], self.log_tokens[0]])
        around = points - target
        angles = np.sort(np.arctan2(around[:, 1], around[:, 0]))
        gaps = np.diff(np.concatenate([angles, angles[:1] + 2 * np.pi]))
        return bool(gaps.max() < np.pi + 1e-9)

    @property
    def method(self) -> str:
        """Approach, cost and interval in one line."""
        how = {
            "parametric": f"approach 3: {self.fitted.method if self.fitted else ''}",
            "isoflop": "approach 2: a parabola in ln N for each budget, then least squares through the "
            "minima",
            "envelope": "approach 1: lowest loss of each bin of compute, then least squares",
        }[self.approach]
        said = self.cost.text if self.approach == "parametric" else "compute from train_flop"
        cost = f"; {said}; N {self.runs.params}"
        if self.approach == "parametric" or self.ci is None:
            return how + cost
        what = "residuals within budgets" if self.approach == "isoflop" else "runs"
        return f"{how}{cost}; {self.ci.reps} draws of {what}"

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = list(self.runs.cautions if self.fitted is None else self.fitted.cautions)
        if self.extrapolation_decades > FAR_DECADES:
            said.append(
                f"{self.at_text} lies {self.extrapolation_decades:.1f} decades beyond the "
                "largest run: the answer rests on the form of the law. Runs nearer to it would cure it."
            )
        if self.fitted is not None and not self._inside_hull:
            said.append(
                f"the optimum at {self.at_text} lies outside the sizes and tokens trained together: no run "
                "is near it on both. Runs around it would cure it."
            )
        dropped = [p for p in self.parabolas if p.dropped]
        if dropped:
            said.append(
                f"{len(dropped)} of {len(self.parabolas)} budgets have no minimum inside their sizes and "
                f"are left out ({', '.join(f'{p.budget:.2g}' for p in dropped[:4])} FLOP). Train more "
                "sizes there."
            )
        if self.thin_bins:
            said.append(
                f"{self.thin_bins} bins of compute hold fewer than three runs: their lowest loss is hardly a "
                "minimum. Use the parametric approach."
            )
        if self.draws is not None:
            failed = float(np.mean(~np.isfinite(self.draws["log_params"][:, 0])))
            if failed > MANY_FAILED:
                said.append(f"{failed:.0%} of the draws have no frontier and are left out of the interval.")
        if self.replay is not None and self.approach == "isoflop" and abs(self.replay.bias) >= BIASED:
            said.append(
                f"on noise-free losses of the fitted law approach 2 gives a = {self.replay.a_isoflop:.3f} on "
                f"this grid where the law has {self.replay.a_law:.3f}: its bias is "
                f"{formats.difference(self.replay.bias)}."
            )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return the exponents and the optimum at the budget; ids are qualified unless parametric."""
        tail = "" if self.approach == "parametric" else f".{self.approach}"
        base = {} if self.fitted is None else fit_details(self.fitted)
        replayed = None if self.replay is None else {
            "a_law": self.replay.a_law, "a_isoflop": self.replay.a_isoflop, "bias": self.replay.bias,
        }  # fmt: skip
        shared = {**base, "approach": self.approach, "cost": self.cost.text, "replay": replayed}
        if self.fitted is not None:
            shared |= carried(self.fitted, self.cost, self._drawn("a"))
        at = {
            "at_flop": self.at_flop,
            "extrapolation_decades": self.extrapolation_decades,
            "optimal_params": self.optimal_params.value,
            "optimal_tokens": self.optimal_tokens.value,
            "approach": self.approach,
            "cost": self.cost.text,
            "params_kind": self.runs.params,
        }
        ratio = None
        if self.draws is not None:
            ratio = np.exp(self.draws["log_tokens"][:, 0] - self.draws["log_params"][:, 0])
        rows: tuple[tuple[str, str, Estimate, Mapping[str, Any], Array | None], ...] = (
            ("frontier_exponent_a", "exponent a of optimal parameters in compute", self.exponent_a, shared,
             self._drawn("a")),
            ("optimal_tokens_per_param", f"optimal tokens per parameter at {self.at_text}",
             self.tokens_per_param, at, ratio),
            ("frontier_exponent_b", "exponent b of optimal tokens in compute", self.exponent_b, {}, None),
            ("optimal_params", f"optimal parameters at {self.at_text}", self.optimal_params, at,
             None),
            ("optimal_tokens", f"optimal tokens at {self.at_text}", self.optimal_tokens, at,
             None),
        )  # fmt: skip
        return tuple(
            scaling_finding(self, name + tail, label, estimate, details, draws=drawn)
            for name, label, estimate, details, drawn in rows
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return the optimum along the frontier with bands, JSON-ready."""
        out = []
        for k in range(1, len(self.budgets)):
            n, d, ratio = (self._at(k, params=p, tokens=t, unit="1") for p, t in ((1, 0), (0, 1), (-1, 1)))
            out.append(
                {
                    "train_flop": float(self.budgets[k]),
                    "params": n.value, "params_low": n.low, "params_high": n.high,
                    "tokens": d.value, "tokens_low": d.low, "tokens_high": d.high,
                    "tokens_per_param": ratio.value, "tokens_per_param_low": ratio.low,
                    "tokens_per_param_high": ratio.high,
                    "loss": None if self.loss is None else float(self.loss[k]),
                }
            )  # fmt: skip
        return out

    def parabola_rows(self) -> list[dict[str, Any]]:
        """Return each budget of approach 2 with its vertex, or why it is left out."""
        return [
            {
                "budget_flop": p.budget,
                "points": p.points,
                "params": None if p.log_params is None else float(np.exp(p.log_params)),
                "tokens": None if p.log_tokens is None else float(np.exp(p.log_tokens)),
                "dropped": p.dropped,
            }
            for p in self.parabolas
        ]

    def frame(self) -> pl.DataFrame:
        """Return the optimum along the frontier, one row a budget."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "approach": self.approach,
            "method": self.method,
            "frontier": json_ready(self.rows()),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            self.method,
            f"  a = {formats.estimate(self.exponent_a)}, b = {formats.estimate(self.exponent_b)}",
            f"  at {self.at_text}: {formats.estimate(self.optimal_params)}, "
            f"{formats.estimate(self.optimal_tokens)}, {formats.estimate(self.tokens_per_param)} a parameter",
        ]
        return "\n".join([*lines, *(f"  ! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
