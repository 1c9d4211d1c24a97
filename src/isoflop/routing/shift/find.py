"""In and out of distribution: the same predictors with and without a task's own benchmark in the pool.

For each prompt and model the k nearest other prompts vote on whether the model is right. Once any prompt but
the prompt's own text may vote (in distribution), once none of its dataset (out). The loss in accuracy, the
same prompts and models on both sides, is averaged over models within a dataset; its interval is over
datasets.
Routing by the neighbours is scored both ways too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.routing.model import KNN, SHARED_NEIGHBOURS
from isoflop.routing.neighbours.elsewhere import nearest_elsewhere
from isoflop.routing.shift.result import Shift

if TYPE_CHECKING:
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
REPS = 10_000


def shift(
    scored: ScoredPrompts,
    *,
    encoder: str | Encoder = "static",
    vectors: NDArray[np.floating[Any]] | None = None,
    predictor: KNN | None = None,
    level: float = 0.95,
    reps: int = REPS,
    seed: int = 0,
) -> Shift:
    """Return what accuracy the predictors lose when a task's own benchmark leaves the pool.

    Parameters
    ----------
    scored : ScoredPrompts
    encoder : str or Encoder
    vectors : array, shape (n, width), optional
        Vectors of the prompts by `encoder`, if they are made already.
    predictor : KNN, optional
    level : float
    reps : int
        Resamples of datasets for intervals.
    seed : int

    Returns
    -------
    Shift

    Raises
    ------
    EvidenceError
        Fewer than two datasets, or too few prompts elsewhere.

    Notes
    -----
    Source: the claim is the paper's; the paired measurement is ours.
    """
    from isoflop.routing.encoders import encode
    from isoflop.stats.resample import Bootstrap

    if len(scored.datasets) < 2:
        raise EvidenceError(
            f"shift: {len(scored.datasets)} dataset, needs at least 2 to leave one out. Add benchmarks."
        )
    knn = predictor or KNN()
    made = encode(scored.prompts, encoder, vectors=vectors).vectors
    rows = np.arange(scored.n)
    parts = []
    for unit in (scored.group, scored.dataset):
        near, _ = nearest_elsewhere(made, unit, rows, max(knn.k, SHARED_NEIGHBOURS))
        parts.append((_right(scored, near[:, : knn.k], knn), _routed(scored, near[:, :SHARED_NEIGHBOURS])))
    (right_in, routed_in), (right_out, routed_out) = parts
    best = _best_elsewhere(scored)
    return Shift(
        scored=scored,
        accuracy_in=right_in,
        accuracy_out=right_out,
        gain_in=routed_in - best,
        gain_out=routed_out - best,
        ci=Bootstrap(reps=reps, by="row", level=level, seed=seed),
        knn=knn,
    )


def _right(scored: ScoredPrompts, near: IntArray, knn: KNN) -> FloatArray:
    """Return the share of right hard predictions, shape (D,): mean over models of each dataset."""
    labels = scored.correct if knn.labels == "threshold" else scored.score
    right = np.zeros(len(scored.datasets))
    models = len(scored.models)
    counts = np.bincount(scored.dataset, minlength=right.size)
    for m in range(models):
        votes = labels[near, m]
        known = np.isfinite(votes)
        share = np.where(known, votes, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        hit = np.where(
            np.isfinite(scored.correct[:, m]), (share > knn.threshold) == scored.correct[:, m], 0.0
        )
        right += np.bincount(scored.dataset, weights=hit, minlength=right.size) / counts
    return right / models


def _routed(scored: ScoredPrompts, near: IntArray) -> FloatArray:
    """Return the mean score of each dataset's prompts when each goes to its neighbours' best model."""
    known = np.isfinite(scored.score)
    filled = np.where(known, scored.score, 0.0)
    mean = np.stack([filled[one].sum(axis=0) / np.maximum(known[one].sum(axis=0), 1) for one in near])
    score = scored.score[np.arange(scored.n), np.argmax(mean, axis=1)]
    present = np.isfinite(score)
    sums = np.bincount(scored.dataset, weights=np.where(present, score, 0.0), minlength=len(scored.datasets))
    return sums / np.maximum(np.bincount(scored.dataset, weights=present, minlength=sums.size), 1)


def _best_elsewhere(scored: ScoredPrompts) -> FloatArray:
    """Return, for each dataset, the score there of the model that is best on average on the others."""
    accuracy = scored.accuracy
    datasets = np.arange(accuracy.shape[0])
    chosen = [int(np.nanargmax(np.nanmean(accuracy[datasets != d], axis=0))) for d in datasets]
    return np.asarray(accuracy[datasets, chosen])
