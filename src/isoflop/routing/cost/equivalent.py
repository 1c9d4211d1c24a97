"""What would a single model cost that scores as well as the router? The compute-equivalent gain.

Single models are points (ln cost, score); their upper concave, non-decreasing hull says at which cost a
model of a given score can be had. The gain is that cost at the router's score, over what the router's
calls cost on the same prompts:

    gain = exp(hull⁻¹(score of the router)) / mean cost of the router

A gain of 2 says that a single model as good costs twice as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles
from isoflop.present import formats
from isoflop.routing.means import means_by_dataset

if TYPE_CHECKING:
    from isoflop.routing.cost.prices import CallCosts
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
Place = Literal["inside", "above", "below"]
CELLS = 4_000_000
"""Numbers in one block of pairs of models, so that draws need little memory."""
FEW_TASKS = 5
WIDE = 1e4
"""Dearest over cheapest single model from which one mean cost says little."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EquivalentGain:
    """Cost of an equally good single model over the router's cost.

    Parameters
    ----------
    estimate : Estimate
        In ×; without a value where the router scores above (or below) every single model.
    place : {"inside", "above", "below"}
        Where the router's score lies beside those of single models.
    bound : float or None
        Above: the gain is at least this (the cost of the best single model, over the router's). Below: at
        most this.
    score, cost : float
        The router's, means over tasks of means over prompts.
    equivalent_cost : float or None
    best_single : str
        The single model with the largest score.
    draws : tuple of float
        Quantiles of the finite draws.
    draws_above, draws_below : float
        Shares of draws whose score lies outside those of single models.
    tasks : int
    unit, costs : str
        Unit of the costs, and what they are made of.
    router : str
        What chose the models.
    reps, seed : int
    cautions : tuple of str
    provenance : tuple of Provenance
    """

    estimate: Estimate
    place: Place
    bound: float | None
    score: float
    cost: float
    equivalent_cost: float | None
    best_single: str
    draws: tuple[float, ...]
    draws_above: float
    draws_below: float
    tasks: int
    unit: str
    costs: str
    router: str
    reps: int
    seed: int
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    @property
    def reason(self) -> str:
        """Why there is no value; empty if there is one."""
        if self.place == "inside":
            return ""
        side, bound = ("above", "least") if self.place == "above" else ("below", "most")
        return (
            f"the router scores {side} every single model, so no single model is as good; the gain is at "
            f"{bound} {formats.multiple(self.bound or 0.0)}"
            + (
                ", which says little, for the router's calls cost more than the best single model's"
                if self.place == "above" and (self.bound or 0.0) < 1
                else ""
            )
        )

    @property
    def words(self) -> str:
        """The gain with its interval, or its bound."""
        if self.place == "inside":
            return formats.estimate(self.estimate)
        return f"at {'least' if self.place == 'above' else 'most'} {formats.multiple(self.bound or 0.0)}"

    def finding(self, qualifier: str = "") -> Finding:
        """Return ``routing.compute_equivalent_gain``, with a dotted qualifier for a variant."""
        details: dict[str, Any] = {
            "score": self.score,
            "cost": self.cost,
            "cost_unit": self.unit,
            "costs": self.costs,
            "equivalent_cost": self.equivalent_cost,
            "best_single": self.best_single,
            "bound": self.bound,
            "place": self.place,
            "share_of_draws_above": self.draws_above,
            "share_of_draws_below": self.draws_below,
            "draws": list(self.draws),
            "router": self.router,
        }
        if self.reason:
            details["reason"] = self.reason
        return Finding(
            id="routing.compute_equivalent_gain" + (f".{qualifier}" if qualifier else ""),
            instrument="routing",
            label=f"cost of an equally good single model over the cost of the router ({self.router})",
            estimate=self.estimate,
            method=f"concave hull of single models in (ln cost, score); {self.costs}; paired bootstrap of "
            f"{self.reps} draws over tasks",
            n=self.tasks,
            evidence=self.provenance,
            seed=self.seed,
            cautions=self.cautions,
            status="ok" if self.place == "inside" else "not_identified",
            details=details,
        )


def equivalent_log_cost(single_log_cost: ArrayLike, single_score: ArrayLike, score: ArrayLike) -> FloatArray:
    """Return the least ln cost at which the hull of single models reaches a score.

    Parameters
    ----------
    single_log_cost, single_score : array, shape (..., M)
    score : array, shape (...)

    Returns
    -------
    array, shape (...)
        +inf above every single model. A score that the cheapest model exceeds costs what that model costs.

    Notes
    -----
    The hull's least cost at height s is the smallest of all chords' costs there, over pairs of models one
    of which scores at most s and the other at least s: so whole stacks of draws are done at once.

    Examples
    --------
    >>> equivalent_log_cost([0.0, 2.0], [0.25, 0.75], [0.5]).tolist()
    [1.0]
    """
    x, y = np.asarray(single_log_cost, dtype=np.float64), np.asarray(single_score, dtype=np.float64)
    s = np.asarray(score, dtype=np.float64)[..., None]
    x, y = np.broadcast_arrays(x, y)
    good = y >= s
    least = np.where(good, x, np.inf).min(axis=-1)
    below = np.where(good, np.nan, y)[..., :, None]
    above = np.where(good, y, np.nan)[..., None, :]
    step = (s[..., None] - below) / (above - below)
    chord = x[..., :, None] + step * (x[..., None, :] - x[..., :, None])
    chords = np.where(np.isfinite(chord), chord, np.inf).min(axis=(-2, -1))
    return np.asarray(np.minimum(least, chords))


def equivalent_gain(
    scored: ScoredPrompts,
    costs: CallCosts,
    choice: ArrayLike,
    *,
    router: str,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> EquivalentGain:
    """Return the compute-equivalent gain of a router's choices.

    Parameters
    ----------
    scored : ScoredPrompts
    costs : CallCosts
    choice : int array, shape (n,) or (D,)
        Model chosen for each prompt, or for each task.
    router : str
        What chose, for the finding.
    level, reps, seed
        Of the paired bootstrap over tasks: single models and router are drawn together.

    Returns
    -------
    EquivalentGain

    Raises
    ------
    EvidenceError
        Choices of another shape, or of models without a score.

    Notes
    -----
    Source: ours. What is assumed:

    - Quality grows with the logarithm of cost between neighbouring models, as scaling laws say of compute;
      mixing two models at random would give a chord in cost itself, which needs more of it.
    - Scores and costs are means over tasks of means over prompts: every task weighs the same.
    - Deciding costs nothing. A decision takes well under a millisecond of one core.
    - Prices stand for compute: list prices hold margins, and sizes ignore speed.

    Noise in the models' scores lifts their hull, most where several lie near one line, so the gain leans low:
    by 5 % for four models on a line over 14 tasks, by 3 % over 40.

    A score above that of every single model has no equivalent: the result then holds a lower bound, and the
    interval is open above. The choice must not have seen the labels it is judged by.
    """
    picked = np.asarray(choice, dtype=np.int64)
    if picked.shape == (len(scored.datasets),) and picked.shape != (scored.n,):
        picked = picked[scored.dataset]
    if picked.shape != (scored.n,):
        raise EvidenceError(
            f"equivalent_gain: choice {picked.shape}, needs ({scored.n},) or ({len(scored.datasets)},). "
            "Give a model for each prompt or task."
        )
    rows = np.arange(scored.n)
    own_score, own_cost = scored.score[rows, picked], costs.per_call[rows, picked]
    use = np.isfinite(own_score)
    if not use.any():
        raise EvidenceError("equivalent_gain: no chosen model has a score. Check the choices.")
    score = np.column_stack([own_score, np.where(use[:, None], scored.score, np.nan)])
    cost = np.column_stack([own_cost, np.where(use[:, None], costs.per_call, np.nan)])
    return _gain(
        scored, costs, task_means(scored, score), task_means(scored, cost), router, level, reps, seed
    )


def task_means(scored: ScoredPrompts, cells: FloatArray) -> FloatArray:
    """Return means over the prompts of each task, shape (D, k); NaN where a task has none."""
    return means_by_dataset(cells, scored.dataset, len(scored.datasets))


def _gain(
    scored: ScoredPrompts,
    costs: CallCosts,
    score: FloatArray,
    cost: FloatArray,
    router: str,
    level: float,
    reps: int,
    seed: int,
) -> EquivalentGain:
    """Return the gain from task means, shape (D, 1 + M); the first column is the router."""
    from isoflop.stats.resample import replicate_weights

    whole = np.isfinite(score).all(axis=1) & np.isfinite(cost).all(axis=1)
    score, cost = score[whole], cost[whole]
    tasks = int(whole.sum())
    if not tasks:
        raise EvidenceError("equivalent_gain: no task has scores and costs of all models. Add results.")
    mean, paid = score.mean(axis=0), cost.mean(axis=0)
    at = float(equivalent_log_cost(np.log(paid[1:]), mean[1:], mean[:1])[0])
    best = int(np.argmax(mean[1:]))
    if mean[0] > mean[1:].max():
        place: Place = "above"
        bound: float | None = float(paid[1 + best] / paid[0])
    elif mean[0] < mean[1 + int(np.argmin(paid[1:]))]:
        place, bound = "below", float(np.exp(at) / paid[0])
    else:
        place, bound = "inside", None
    weights = replicate_weights(seed, tasks, 0, reps)
    drawn = _Draws.of(weights @ score, weights @ cost)
    value = float(np.exp(at) / paid[0]) if place == "inside" else None
    return EquivalentGain(
        estimate=_interval(value, bound if place == "above" else None, drawn, level, tasks),
        place=place,
        bound=bound,
        score=float(mean[0]),
        cost=float(paid[0]),
        equivalent_cost=float(np.exp(at)) if place == "inside" else None,
        best_single=scored.models[best],
        draws=tuple(equal_probability_quantiles(drawn.gain[~drawn.above & ~drawn.below])),
        draws_above=float(drawn.above.mean()),
        draws_below=float(drawn.below.mean()),
        tasks=tasks,
        unit=costs.unit,
        costs=costs.words,
        router=router,
        reps=reps,
        seed=seed,
        cautions=(
            *scored.cautions,
            *costs.cautions,
            *_cautions(
                tasks, len(scored.datasets), len(scored.models), float(paid[1:].max() / paid[1:].min())
            ),
        ),
        provenance=(*scored.provenance(), *costs.provenance),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Draws:
    """Gains of bootstrap draws, shape (r,); where `above` or `below`, `gain` is a bound of that draw."""

    gain: FloatArray
    above: NDArray[np.bool_]
    below: NDArray[np.bool_]

    @classmethod
    def of(cls, score: FloatArray, cost: FloatArray) -> _Draws:
        """Return the gains of means, shape (r, 1 + M); the first column is the router."""
        models = score.shape[1] - 1
        block = max(1, CELLS // models**2)
        at = [
            equivalent_log_cost(
                np.log(cost[k : k + block, 1:]), score[k : k + block, 1:], score[k : k + block, 0]
            )
            for k in range(0, score.shape[0], block)
        ]
        every = np.arange(score.shape[0])
        best, cheapest = np.argmax(score[:, 1:], axis=1), np.argmin(cost[:, 1:], axis=1)
        above = score[:, 0] > score[every, 1 + best]
        least = np.where(above, np.log(cost[every, 1 + best]), np.concatenate(at))
        return cls(
            gain=np.exp(least) / cost[:, 0],
            above=above,
            below=score[:, 0] < score[every, 1 + cheapest],
        )


def _interval(value: float | None, bound: float | None, drawn: _Draws, level: float, tasks: int) -> Estimate:
    """Return the percentile interval; an end that falls on draws without a value there is open."""
    if tasks < FEW_TASKS:
        if bound is not None:
            return Estimate(value=None, low=bound, unit="×", interval="open_above")
        return Estimate(value=value, unit="×")
    lowest = np.where(drawn.below, 0.0, drawn.gain)
    highest = np.where(drawn.above, np.inf, drawn.gain)
    low = float(np.quantile(lowest, (1 - level) / 2, method="lower"))
    high = float(np.quantile(highest, (1 + level) / 2, method="higher"))
    kind: Literal["closed", "open_above", "open_below"] = "closed"
    if not np.isfinite(high):
        kind = "open_above"
    elif low <= 0:
        kind = "open_below"
    return Estimate(
        value=value,
        low=low if low > 0 else None,
        high=high,
        level=level,
        unit="×",
        interval=kind,
    )


def _cautions(tasks: int, all_tasks: int, models: int, spread: float) -> tuple[str, ...]:
    said = []
    if tasks < all_tasks:
        said.append(
            f"{all_tasks - tasks} of {all_tasks} tasks lack scores of some model and are left out of the "
            "gain. Scores of all models cure it."
        )
    if tasks < FEW_TASKS:
        said.append(f"{tasks} tasks are too few to draw, so the gain has no interval. Add benchmarks.")
    if spread > WIDE:
        said.append(
            f"Costs of single models differ by a factor of {formats.number(spread, 1)}, so a few of the "
            "dearest make the cost. Give quality a price, or leave out models that are no alternative."
        )
    if models < 3:
        said.append(f"A hull of {models} models is one chord. Scores of further models cure it.")
    return tuple(said)
