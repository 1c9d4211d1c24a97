"""A linear predictor of scores on the vectors: ridge regression, every dataset counting the same.

Being linear, its mean over a task's prompts needs only their mean vector; and the normal equations of a pool
are sums over its datasets, so leaving one out subtracts its part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
PENALTY = 10.0


def linear_scores(
    vectors: NDArray[np.float32],
    score: FloatArray,
    dataset: NDArray[np.int64],
    hidden: NDArray[np.bool_],
    *,
    penalty: float = PENALTY,
) -> FloatArray:
    """Return each task's mean predicted score by models fitted without it, shape (D, M).

    Parameters
    ----------
    vectors : array, shape (n, width)
    score : array, shape (n, M)
        NaN where missing; such prompts teach nothing about that model's deviation and count at its mean.
    dataset : array of int, shape (n,)
    hidden : array of bool, shape (D, n + 1)
        Prompts that leave the pool with each dataset.
    penalty : float
        On squared coefficients; the intercept is free. Weights of the prompts average one.

    Returns
    -------
    array, shape (D, M)
    """
    tasks = len(hidden)
    x = vectors.astype(np.float64)
    means = np.stack([x[dataset == d].mean(axis=0) for d in range(tasks)])
    parts = [_moments(x[dataset == d], score[dataset == d]) for d in range(tasks)]
    out = np.empty((tasks, score.shape[1]))
    for task in range(tasks):
        pool = ~hidden[task, :-1]
        leaked = np.unique(dataset[~pool])
        kept = [
            parts[d] if d not in leaked else _moments(x[pool & (dataset == d)], score[pool & (dataset == d)])
            for d in range(tasks)
            if d != task and (pool & (dataset == d)).any()
        ]
        out[task] = _predicted(kept, means[task], penalty / pool.sum())
    return out


def _moments(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean outer product, mean product with the scores, and both means."""
    with np.errstate(invalid="ignore"):
        mean = np.where(np.isfinite(y), y, 0.0).sum(axis=0) / np.isfinite(y).sum(axis=0)
    filled = np.where(np.isfinite(y), y, np.nan_to_num(mean))
    return x.T @ x / len(x), x.T @ filled / len(x), x.mean(axis=0), filled.mean(axis=0)


def _predicted(
    parts: list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]], at: FloatArray, penalty: float
) -> FloatArray:
    count = len(parts)
    gram, cross, mean, level = (sum(part[i] for part in parts) / count for i in range(4))
    centred = gram - np.outer(mean, mean)
    centred[np.diag_indices_from(centred)] += penalty
    slopes = np.linalg.solve(centred, cross - np.outer(mean, level))
    return np.asarray(level + (at - mean) @ slopes)
