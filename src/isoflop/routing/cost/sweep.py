"""From predicted scores to a router's sweep over prices of quality, with draws over tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate
from isoflop.routing.cost.equivalent import FEW_TASKS, equivalent_gain, task_means
from isoflop.routing.cost.measures import aiq
from isoflop.routing.cost.quality import HULL_REPS, ROUTER, SINGLES, CostQuality

if TYPE_CHECKING:
    from isoflop.routing.cost.prices import CallCosts
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
STEPS = 60
"""Prices of a point of quality that are tried, beside 0."""
MATCHED = "cheapest setting that matched the best single model on the other tasks"


def cost_quality(
    scored: ScoredPrompts,
    costs: CallCosts,
    predicted: ArrayLike,
    *,
    method: str,
    steps: int = STEPS,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> CostQuality:
    """Return a router's sweep over prices of quality, from predicted scores.

    Parameters
    ----------
    scored : ScoredPrompts
    costs : CallCosts
    predicted : array, shape (n, M)
        Predicted scores, out of sample.
    method : str
        How they were predicted, for findings and captions.
    steps : int
        Prices tried beside 0.
    level, reps, seed
        Of the paired bootstrap over tasks.

    Returns
    -------
    CostQuality

    Raises
    ------
    EvidenceError
        Predictions of another shape, fewer than two models, or a task without scores of all models.

    Notes
    -----
    A model's expected cost is its mean over tasks: at the time of the choice the answer's length is not
    known. Random mixtures of settings reach every point of the frontier.
    """
    guess = np.asarray(predicted, dtype=np.float64)
    if guess.shape != scored.score.shape or guess.shape[1] < 2:
        raise EvidenceError(
            f"cost_quality: predicted {guess.shape} for scores {scored.score.shape}, needs the same shape "
            "and at least two models. Predict these prompts and models."
        )
    guess = np.where(np.isfinite(scored.score), guess, -np.inf)
    score, cost = task_means(scored, scored.score), task_means(scored, costs.per_call)
    whole = np.isfinite(score).all(axis=1) & np.isfinite(cost).all(axis=1)
    if not whole.any():
        raise EvidenceError("cost_quality: no task has scores of all models. Add results, or drop models.")
    expected = cost[whole].mean(axis=0)
    weights = _prices_of_quality(expected, steps)
    rows = np.arange(scored.n)
    picks = np.array([np.argmax(guess - weight * expected, axis=1) for weight in weights])
    moved = np.concatenate(([True], (picks[1:] != picks[:-1]).any(axis=1)))
    weights, picks = weights[moved], picks[moved]
    swept_score = task_means(scored, np.column_stack([scored.score[rows, p] for p in picks]))[whole]
    swept_cost = task_means(scored, np.column_stack([costs.per_call[rows, p] for p in picks]))[whole]
    score, cost = score[whole], cost[whole]
    drawn = _weights(score.shape[0], reps, seed)
    lead = swept_score - score[:, [int(np.argmax(score.mean(axis=0)))]]
    ends = np.quantile(drawn @ lead, [(1 - level) / 2, (1 + level) / 2], axis=0)
    areas = {
        span: _areas((cost, score), (swept_cost, swept_score), drawn[:HULL_REPS], level, span=span)
        for span in (False, True)
    }
    best = np.nanmax(scored.score, axis=1, keepdims=True)
    choice = None if not whole.all() else _matched(picks, swept_score, swept_cost, score, scored.dataset)
    return CostQuality(
        scored=scored,
        costs=costs,
        method=method,
        score_per_cost=weights,
        cost=swept_cost.mean(axis=0),
        score=swept_score.mean(axis=0),
        low=ends[0],
        high=ends[1],
        single_cost=cost.mean(axis=0),
        single_score=score.mean(axis=0),
        random_score=float(score.mean()),
        oracle_score=float(task_means(scored, best)[whole].mean()),
        aiq=areas[False],
        aiq_span=areas[True],
        gain=equivalent_gain(
            scored,
            costs,
            picks[0],
            router="best predicted score of each prompt",
            level=level,
            reps=reps,
            seed=seed,
        ),
        matched=None
        if choice is None
        else equivalent_gain(scored, costs, choice, router=MATCHED, level=level, reps=reps, seed=seed),
        pick_share=np.bincount(picks[0], minlength=len(scored.models)) / scored.n,
        tasks=int(whole.sum()),
        level=level,
        reps=reps,
        seed=seed,
    )


def _matched(
    picks: IntArray, swept_score: FloatArray, swept_cost: FloatArray, single: FloatArray, dataset: IntArray
) -> IntArray | None:
    """Return each prompt's model under the setting that its task is given by the other tasks, shape (n,).

    That is the cheapest setting whose mean score over the other tasks is at least the best single model's.
    """
    tasks = single.shape[0]
    if tasks < FEW_TASKS:
        return None
    choice = np.empty(dataset.size, dtype=np.int64)
    for task in range(tasks):
        others = np.delete(np.arange(tasks), task)
        good = swept_score[others].mean(axis=0) >= single[others].mean(axis=0).max()
        if not good.any():
            return None
        cost = np.where(good, swept_cost[others].mean(axis=0), np.inf)
        own = dataset == task
        choice[own] = picks[int(np.argmin(cost))][own]
    return choice


def _prices_of_quality(expected: FloatArray, steps: int) -> FloatArray:
    """Return 0 and prices from one that hardly matters to one at which the cheapest model always wins."""
    spread = float(expected.max() - expected.min())
    if spread <= 0:
        return np.zeros(1)
    apart = np.diff(np.unique(expected))
    return np.concatenate(([0.0], np.geomspace(1e-3 / spread, 2.0 / float(apart.min()), steps)))


def _weights(tasks: int, reps: int, seed: int) -> FloatArray:
    from isoflop.stats.resample import replicate_weights

    return replicate_weights(seed, tasks, 0, reps)


def _areas(
    singles: tuple[FloatArray, FloatArray],
    swept: tuple[FloatArray, FloatArray],
    drawn: FloatArray,
    level: float,
    *,
    span: bool,
) -> dict[str, Estimate]:
    """Return the area of router and single models with percentile intervals, drawn together."""
    tasks = singles[0].shape[0]
    whole = np.full((1, tasks), 1 / tasks)
    found: dict[str, list[float]] = {ROUTER: [], SINGLES: []}
    for weight in np.concatenate([whole, drawn]):
        points = {
            ROUTER: (weight @ swept[0], weight @ swept[1]),
            SINGLES: (weight @ singles[0], weight @ singles[1]),
        }
        for name, value in aiq(points, span=span).items():
            found[name].append(value)
    out = {}
    for name, (value, *draws) in found.items():
        if tasks < 2 or not np.isfinite(draws).all():
            out[name] = Estimate(value=value, unit="1")
            continue
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        out[name] = Estimate(value=value, low=float(low), high=float(high), level=level, unit="1")
    return out
