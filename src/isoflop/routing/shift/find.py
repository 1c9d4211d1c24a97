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
from isoflop.routing.means import means_by_dataset, means_of_present
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
        Fewer than two datasets, too few prompts elsewhere, or a dataset whose models were run nowhere else.

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
    depth = max(knn.k, SHARED_NEIGHBOURS)
    near_in, near_out = (
        nearest_elsewhere(made, unit, rows, depth)[0] for unit in (scored.group, scored.dataset)
    )
    right_in, right_out = _right(scored, near_in[:, : knn.k], near_out[:, : knn.k], knn)
    routed_in, routed_out = (_routed(scored, near[:, :SHARED_NEIGHBOURS]) for near in (near_in, near_out))
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


def _right(
    scored: ScoredPrompts, near_in: IntArray, near_out: IntArray, knn: KNN
) -> tuple[FloatArray, FloatArray]:
    """Return the shares of right hard predictions in and out, shape (D,): means over models."""
    labels = scored.correct if knn.labels == "threshold" else scored.score
    datasets, models = len(scored.datasets), len(scored.models)
    share = np.full((2, datasets, models), np.nan)
    for m in range(models):
        votes = np.stack([means_of_present(labels[near, m]) for near in (near_in, near_out)])
        # A prompt without a label of its own, or of its neighbours on either side, judges nothing.
        judged = np.isfinite(votes).all(axis=0) & np.isfinite(scored.correct[:, m])
        right = np.where(judged, (votes > knn.threshold) == scored.correct[:, m], np.nan)
        share[:, :, m] = means_by_dataset(right.T, scored.dataset, datasets).T
    told_in, told_out = means_of_present(share)
    return told_in, told_out


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
    """Return, for each dataset, the score there of the model that is best on average on the others.

    Raises
    ------
    EvidenceError
        No model was run both on a dataset and on another.
    """
    accuracy = scored.accuracy
    best = np.empty(accuracy.shape[0])
    for d in range(best.size):
        elsewhere = means_of_present(np.delete(accuracy, d, axis=0).T)
        asked = np.flatnonzero(np.isfinite(elsewhere) & np.isfinite(accuracy[d]))
        if not asked.size:
            raise EvidenceError(
                f"shift: no model has scores on {scored.datasets[d]} and on another dataset, needs at least "
                "one. Run the same models on several datasets, or leave this one out."
            )
        best[d] = accuracy[d, asked[np.argmax(elsewhere[asked])]]
    return best
