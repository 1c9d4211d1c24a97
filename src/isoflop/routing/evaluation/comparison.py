"""Is one way of choosing better than another? Paired differences over tasks, resampled as tasks.

Prompts of one task are alike, so the task is the unit: each replicate draws tasks, with all methods on the
same draw. Differences of a few points over a few dozen tasks lie within this noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate
from isoflop.stats.resample import replicate_weights

FloatArray = NDArray[np.float64]

REPS = 10_000
EQUAL = 1e-12
"""A smaller difference on a task is a tie: both chose the same model, or equals."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """K methods on D tasks, each beside one of them.

    Parameters
    ----------
    means : tuple of Estimate
        Mean over tasks, the interval from resampled tasks.
    gains : tuple of Estimate
        Mean difference to the reference.
    p_better : array, shape (K,)
        Share of replicates in which the difference is above 0, ties counting half.
    wins, ties, losses : array of int, shape (K,)
        Tasks on which the method reaches more, the same, or less than the reference.
    draws : array, shape (K, reps)
        Differences of the means, replicate by replicate.
    """

    means: tuple[Estimate, ...]
    gains: tuple[Estimate, ...]
    p_better: FloatArray
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    losses: NDArray[np.int64]
    draws: FloatArray


def compare(
    reached: FloatArray,
    reference: int,
    *,
    reps: int = REPS,
    level: float = 0.95,
    seed: int = 0,
    weights: FloatArray | None = None,
) -> Comparison:
    """Compare methods by a paired bootstrap over tasks.

    Parameters
    ----------
    reached : array, shape (K, D)
        What each method reaches on each task.
    reference : int
        Row to compare with.
    reps : int
    level : float
    seed : int
    weights : array, shape (D,), optional
        Weight of each task in the mean, e.g. its prompts (micro mean); default equal (macro mean).

    Returns
    -------
    Comparison

    Examples
    --------
    >>> found = compare(np.array([[0.5, 0.6], [0.6, 0.6]]), 0, reps=1000)
    >>> round(found.gains[1].value, 3), found.wins.tolist(), found.ties.tolist()
    (0.05, [0, 1], [2, 1])
    """
    tasks = reached.shape[1]
    base = np.ones(tasks) if weights is None else np.asarray(weights, dtype=np.float64)
    drawn = replicate_weights(seed, tasks, 0, reps) * base
    drawn /= drawn.sum(axis=1, keepdims=True)
    means = reached @ base / base.sum()
    replicates = reached @ drawn.T
    draws = replicates - replicates[reference]
    difference = reached - reached[reference]
    wins, losses = (difference > EQUAL).sum(axis=1), (difference < -EQUAL).sum(axis=1)
    better = (draws > EQUAL).mean(axis=1) + 0.5 * (np.abs(draws) <= EQUAL).mean(axis=1)
    return Comparison(
        means=_estimates(means, replicates, level),
        gains=_estimates(means - means[reference], draws, level),
        p_better=better,
        wins=wins,
        ties=tasks - wins - losses,
        losses=losses,
        draws=draws,
    )


def _estimates(values: FloatArray, draws: FloatArray, level: float) -> tuple[Estimate, ...]:
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2), axis=1)
    return tuple(
        Estimate(value=float(v), low=float(a), high=float(b), level=level, unit="1")
        for v, a, b in zip(values, low, high, strict=True)
    )


def mean_ranks(reached: FloatArray) -> FloatArray:
    """Return the mean over tasks of each method's rank, 1 for the largest; ties share the best rank.

    Examples
    --------
    >>> mean_ranks(np.array([[0.5, 0.7], [0.5, 0.6], [0.4, 0.8]])).tolist()
    [1.5, 2.0, 2.0]
    """
    higher = reached[None, :, :] > reached[:, None, :] + EQUAL
    return np.asarray(1 + higher.sum(axis=1).mean(axis=1))


def correlations(score: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Return mean Pearson and Spearman correlations over tasks of scores with true accuracies.

    Parameters
    ----------
    score, truth : array, shape (D, M)

    Notes
    -----
    Tasks where either side is constant, or fewer than three models have both, are left out.
    """
    from isoflop.stats.rank_tests import average_ranks

    pearson, spearman = [], []
    for s, t in zip(score, truth, strict=True):
        both = np.isfinite(s) & np.isfinite(t)
        if both.sum() < 3 or np.ptp(s[both]) < EQUAL or np.ptp(t[both]) < EQUAL:
            continue
        pearson.append(np.corrcoef(s[both], t[both])[0, 1])
        spearman.append(np.corrcoef(average_ranks(s[both]), average_ranks(t[both]))[0, 1])
    if not pearson:
        return float("nan"), float("nan")
    return float(np.mean(pearson)), float(np.mean(spearman))
