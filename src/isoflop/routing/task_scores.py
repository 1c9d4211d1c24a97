"""What is known of each task without its labels, from pools that leave it out.

One number of the router rests on three sorts of arrays. `TaskScores` holds all of them for all tasks at
once: entry ``[e, x]`` speaks of the prompts of dataset e, judged by a pool without e and without x (on the
diagonal: without e only). So for a target x every statistic of a training dataset e is ``[e, x]``, which
neither saw e's labels nor x's, and the target itself is ``[x, x]``. `training` and `task` cut that out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What the inputs of one new task say, given a pool.

    Parameters
    ----------
    s1, s2 : array, shape (M,), in [0, 1]
        Mean vote, and mean hard prediction, of each model's correctness.
    local : array, shape (M,), in [0, 1]
        Mean score of the 50 nearest pool prompts.
    u : float
        Mean distance (1 − cosine) of the task's prompts to their nearest pool prompts.
    share : array, shape (D,)
        Share of each training dataset among the first neighbours; sums to one.
    n : int
        Prompts of the task.
    """

    s1: FloatArray
    s2: FloatArray
    local: FloatArray
    u: float
    share: FloatArray
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Training:
    """D training datasets: true accuracies, and what the pool of the others said of each.

    Parameters
    ----------
    accuracy : array, shape (D, M), in [0, 1]
        Mean score; NaN where a model was not run on a dataset.
    s1, s2, p : array, shape (D, M), in [0, 1]
        Leave-one-dataset-out scores, and the share of hard predictions that were right.
    local : array, shape (D, M), in [0, 1]
        Leave-one-dataset-out mean score of the 50 nearest pool prompts.
    u : array, shape (D,)
    share : array, shape (D, D)
        Row e: shares among the neighbours of e's prompts; the diagonal is zero.
    sizes : array of int, shape (D,)
        Prompts of each dataset.
    """

    accuracy: FloatArray
    s1: FloatArray
    s2: FloatArray
    p: FloatArray
    local: FloatArray
    u: FloatArray
    share: FloatArray
    sizes: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskScores:
    """All tasks under all pools; see the module's head for the indices.

    Parameters
    ----------
    datasets, models : tuple of str
    accuracy : array, shape (D, M)
    sizes : array of int, shape (D,)
    s1, s2, p, local : array, shape (D, D, M)
    u : array, shape (D, D)
    share : array, shape (D, D, D)
        ``[e, x, f]``: share of dataset f; zero where f is e or x.
    """

    datasets: tuple[str, ...]
    models: tuple[str, ...]
    accuracy: FloatArray
    sizes: NDArray[np.int64]
    s1: FloatArray
    s2: FloatArray
    p: FloatArray
    local: FloatArray
    u: FloatArray
    share: FloatArray

    def training(self, target: int | None) -> Training:
        """Return what may be known when `target` is new; None: every dataset is for training."""
        places = np.arange(len(self.datasets))
        keep = places if target is None else np.delete(places, target)
        left_out = keep if target is None else np.full_like(keep, target)
        return Training(
            accuracy=self.accuracy[keep],
            s1=self.s1[keep, left_out],
            s2=self.s2[keep, left_out],
            p=self.p[keep, left_out],
            local=self.local[keep, left_out],
            u=self.u[keep, left_out],
            share=self.share[keep, left_out][:, keep],
            sizes=self.sizes[keep],
        )

    def task(self, target: int) -> Task:
        """Return the new task `target`; its shares leave itself out, in the order of `training(target)`."""
        return Task(
            s1=self.s1[target, target],
            s2=self.s2[target, target],
            local=self.local[target, target],
            u=float(self.u[target, target]),
            share=np.delete(self.share[target, target], target),
            n=int(self.sizes[target]),
        )
