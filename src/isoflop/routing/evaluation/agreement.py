"""How often a predictor of correctness is right on a new task, guessed from rates instead of distance.

A hard prediction that says "right" for a share S2 of the prompts, of a model that is right on a share a,
agrees with the truth by luck alone on p₀ = S2 a + (1 − S2)(1 − a) of them. Training tasks tell how far this
and the predictor's mean accuracy elsewhere, p̄(m), speak of its accuracy::

    p_hat(m) − 1/2 = b₁ (p₀(m) − 1/2) + b₂ (p̄(m) − 1/2),

where a is halfway between the model's mean accuracy and that of its neighbours' datasets. Ours, not the
paper's. The form was found on the public collections that we also report, so its lead there flatters it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from isoflop.routing.task_scores import Task, Training

FloatArray = NDArray[np.float64]


def guessed_accuracy(training: Training, task: Task) -> FloatArray:
    """Return the guessed accuracy of each model's predictor on a new task, shape (M,), in [0, 1].

    Parameters
    ----------
    training : Training
        At least three datasets.
    task : Task

    Returns
    -------
    array, shape (M,)
        NaN for a model without a score on any training dataset.
    """
    tasks = len(training.sizes)
    everyone, others = np.ones((1, tasks)), 1.0 - np.eye(tasks)
    by_luck = _luck(training.s2, _expected(training.accuracy, others, training.share))
    elsewhere = _mean(others, training.p)
    rows = np.stack([by_luck, elsewhere], axis=-1).reshape(-1, 2) - 0.5
    target = training.p.ravel() - 0.5
    known = np.isfinite(rows).all(axis=1) & np.isfinite(target)
    weights = np.linalg.lstsq(rows[known], target[known], rcond=None)[0]
    a = _expected(training.accuracy, everyone, task.share[None, :])[0]
    new = np.stack([_luck(task.s2, a), _mean(everyone, training.p)[0]], axis=-1) - 0.5
    return np.clip(0.5 + new @ weights, 0.0, 1.0)


def _luck(s2: FloatArray, a: FloatArray) -> FloatArray:
    return s2 * a + (1 - s2) * (1 - a)


def _expected(accuracy: FloatArray, others: FloatArray, share: FloatArray) -> FloatArray:
    return (_mean(others, accuracy) + _mean(share, accuracy)) / 2


def _mean(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return weighted means over the rows of `values` that are known."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ np.where(known, values, 0.0)) / (weights @ known))
