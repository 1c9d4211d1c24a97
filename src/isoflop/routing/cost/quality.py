"""What does quality cost, with a router and without? The sweep of one router beside single models.

For each price of a point of quality λ the router takes, prompt by prompt, the model with the largest
predicted score minus λ times its expected cost. λ = 0 asks for quality alone; the largest λ for the cheapest
model. Scores and costs of the choices are then read from what was measured, and averaged over tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.routing.cost.equivalent import EquivalentGain
from isoflop.routing.cost.hull import Hull, upper_hull
from isoflop.routing.cost.measures import arena_score, cost_save, gains, pareto_distance

if TYPE_CHECKING:
    import polars as pl

    from isoflop.routing.cost.prices import CallCosts
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ROUTER, SINGLES = "router", "single models"
HULL_REPS = 500
"""Draws of the area under the frontier, each of which needs a hull of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostQuality:
    """One router's sweep over prices of quality, beside single models.

    Parameters
    ----------
    scored : ScoredPrompts
    costs : CallCosts
    method : str
        How the router predicts.
    score_per_cost : array, shape (L,)
        λ: score that a unit of cost must be worth; ascending from 0.
    cost, score : array, shape (L,)
        The router's, means over tasks.
    low, high : array, shape (L,)
        Pointwise interval of `score` minus that of the best single model, drawn together.
    single_cost, single_score : array, shape (M,)
    random_score, oracle_score : float
        A model at random; the best model of each prompt, which no router reaches.
    aiq, aiq_span : dict of str to Estimate
        Of the router and of single models (the zero router).
    gain : EquivalentGain
        At λ = 0.
    matched : EquivalentGain or None
        At the cheapest setting that scores like the best single model on the other tasks; None where there
        are too few tasks, or no setting reaches that.
    pick_share : array, shape (M,)
        Share of prompts that go to each model at λ = 0.
    tasks : int
    level : float
    reps, seed : int
    """

    scored: ScoredPrompts
    costs: CallCosts
    method: str
    score_per_cost: FloatArray
    cost: FloatArray
    score: FloatArray
    low: FloatArray
    high: FloatArray
    single_cost: FloatArray
    single_score: FloatArray
    random_score: float
    oracle_score: float
    aiq: dict[str, Estimate]
    aiq_span: dict[str, Estimate]
    gain: EquivalentGain
    matched: EquivalentGain | None
    pick_share: FloatArray
    tasks: int
    level: float
    reps: int
    seed: int

    @property
    def best_single(self) -> int:
        """The single model with the largest score over all tasks, in hindsight."""
        return int(np.argmax(self.single_score))

    @property
    def frontier_models(self) -> tuple[str, ...]:
        """Single models on the hull in (ln cost, score), by which the gain is read; cheapest first."""
        x, y = np.log(self.single_cost), self.single_score
        hull = upper_hull(x, y)
        at = [int(np.flatnonzero((x == a) & (y == b))[0]) for a, b in zip(hull.cost, hull.score, strict=True)]
        return tuple(self.scored.models[m] for m in at)

    @property
    def singles_hull(self) -> Hull:
        """Frontier of single models and of random mixtures of them."""
        return upper_hull(self.single_cost, self.single_score)

    @property
    def router_hull(self) -> Hull:
        """Frontier of the router's sweep."""
        return upper_hull(self.cost, self.score)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the result."""
        return self.gain.cautions

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.gain.provenance

    def curve_rows(self) -> list[dict[str, Any]]:
        """Return one row a setting of the router and one a single model."""
        best = self.best_single
        arena = self._arena(self.cost, self.score)
        rows: list[dict[str, Any]] = [
            {
                "router": ROUTER,
                "model": None,
                "score_per_cost": float(weight),
                "cost": float(cost),
                "score": float(score),
                "lead": float(score - self.single_score[best]),
                "lead_low": float(low),
                "lead_high": float(high),
                "arena_score": mark,
            }
            for weight, cost, score, low, high, mark in zip(
                self.score_per_cost, self.cost, self.score, self.low, self.high, arena, strict=True
            )
        ]
        arena = self._arena(self.single_cost, self.single_score)
        rows += [
            {
                "router": SINGLES,
                "model": name,
                "cost": float(cost),
                "score": float(score),
                "lead": float(score - self.single_score[best]),
                "arena_score": mark,
                "share_of_picks": float(share),
            }
            for name, cost, score, mark, share in zip(
                self.scored.models, self.single_cost, self.single_score, arena, self.pick_share, strict=True
            )
        ]
        return rows

    def hull_rows(self) -> list[dict[str, Any]]:
        """Return the vertices of both frontiers."""
        return [
            {"router": name, "cost": float(cost), "score": float(score)}
            for name, hull in ((ROUTER, self.router_hull), (SINGLES, self.singles_hull))
            for cost, score in zip(hull.cost, hull.score, strict=True)
        ]

    def metric_rows(self) -> list[dict[str, Any]]:
        """Return measures by the names of those who defined them."""
        best = self.best_single
        top = float(self.single_score[best])
        shown = {
            "average_accuracy": float(self.score[0]),
            **gains(
                float(self.score[0]), random=self.random_score, best_single=top, oracle=self.oracle_score
            ),
            "perf_gain": float(self.score.max() / top - 1) if top > 0 else None,
            "cost_save": cost_save(
                self.cost, self.score, single_cost=float(self.single_cost[best]), single_score=top
            ),
            "pareto_distance": pareto_distance(
                self.cost, self.score, among=(self.single_cost, self.single_score)
            ),
        }
        arena = [mark for mark in self._arena(self.cost, self.score) if mark is not None]
        if arena:
            shown["arena_score_best_setting"] = max(arena)
        rows = [{"measure": name, "router": ROUTER, "value": value} for name, value in shown.items()]
        for measure, found in (("aiq", self.aiq), ("aiq_span", self.aiq_span)):
            rows += [
                {"measure": measure, "router": name, "value": e.value, "low": e.low, "high": e.high}
                for name, e in found.items()
            ]
        return rows

    def _arena(self, cost: FloatArray, score: FloatArray) -> list[float | None]:
        if self.costs.unit != "USD":
            return [None] * cost.size
        return [float(mark) for mark in arena_score(score, 1000 * cost)]

    def findings(self) -> tuple[Finding, ...]:
        """Return the gain and the area under the frontier."""
        shared: dict[str, Any] = {
            "instrument": "routing",
            "n": self.tasks,
            "evidence": self.provenance,
            "seed": self.seed,
            "cautions": self.cautions,
            "method": f"{self.method}; {self.costs.words}; bootstrap of {HULL_REPS} draws over tasks",
        }
        matched = () if self.matched is None else (self.matched.finding("matched"),)
        return (
            self.gain.finding(),
            *matched,
            Finding(
                id="routing.aiq",
                label="area under the router's frontier of cost and score, over the largest cost compared",
                estimate=self.aiq[ROUTER],
                details={
                    "single_models": self.aiq[SINGLES].value,
                    "compared": [ROUTER, SINGLES],
                    "cost_unit": self.costs.unit,
                },
                **shared,
            ),
            Finding(
                id="routing.aiq_span",
                label="mean height of the router's frontier over the costs that it covers",
                estimate=self.aiq_span[ROUTER],
                details={"single_models": self.aiq_span[SINGLES].value, "cost_unit": self.costs.unit},
                **shared,
            ),
        )

    def frame(self) -> pl.DataFrame:
        """Return the rows of the curve as a frame."""
        import polars as pl

        return pl.DataFrame(self.curve_rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        shown: dict[str, Any] = json_ready(
            {
                "findings": [f.to_dict() for f in self.findings()],
                "curve": self.curve_rows(),
                "hull": self.hull_rows(),
                "metrics": self.metric_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return the answer in a few sentences."""
        gain, best = self.gain, self.best_single
        lead = (
            f"A single model as good as the router costs {gain.words} what the router does"
            if gain.place == "inside"
            else f"Compute-equivalent gain: {gain.reason}"
        )
        if self.matched is not None:
            lead += (
                ". Asked only to match the best single model, with the setting chosen on the other tasks, it "
                f"gains {self.matched.words}"
            )
        return (
            f"{lead}. Asked for quality alone the router scores {formats.number(gain.score)} at "
            f"{formats.number(1000 * gain.cost)} {gain.unit} for 1,000 calls; the best single model, "
            f"{gain.best_single}, {formats.number(float(self.single_score[best]))} at "
            f"{formats.number(1000 * float(self.single_cost[best]))}. Costs: {self.costs.words}. "
            f"{self.method[:1].upper()}{self.method[1:]}."
        )

    def __repr__(self) -> str:
        return f"CostQuality: {self.summary()}"

    _repr_html_ = result_html
