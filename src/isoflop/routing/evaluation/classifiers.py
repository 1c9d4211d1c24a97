"""Routing as binary classification: for each model, how well votes of neighbours tell right from wrong.

Every prompt is judged by a pool without its own dataset, so these are the predictors that S1 to S3 average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classifiers:
    """M predictors of correctness on left-out datasets.

    Parameters
    ----------
    models : tuple of str
    n : array of int, shape (M,)
        Prompts judged.
    base_rate : array, shape (M,)
        Share of right answers.
    auc : array, shape (M,)
        Chance that a prompt answered rightly has the larger vote; NaN where all answers are alike.
    brier, base_brier : array, shape (M,)
        Mean squared error of the vote, and of the base rate, which has seen the labels.
    log_loss : array, shape (M,)
        Mean negative log-likelihood in nats; votes of k neighbours count as (k g + 1/2)/(k + 1).
    slope : array, shape (M,)
        Least squares slope of correctness on the vote: 1 is calibrated, 0 tells nothing.
    bin_votes, bin_right : array, shape (M, B)
        Mean vote and share of right answers, prompts grouped by vote; NaN in an empty bin.
    bin_n : array of int, shape (M, B)
    """

    models: tuple[str, ...]
    n: NDArray[np.int64]
    base_rate: FloatArray
    auc: FloatArray
    brier: FloatArray
    base_brier: FloatArray
    log_loss: FloatArray
    slope: FloatArray
    bin_votes: FloatArray
    bin_right: FloatArray
    bin_n: NDArray[np.int64]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a model."""
        columns = ("n", "base_rate", "auc", "brier", "base_brier", "log_loss", "slope")
        return [
            {"model": model} | {name: getattr(self, name)[m].item() for name in columns}
            for m, model in enumerate(self.models)
        ]

    def calibration_rows(self) -> list[dict[str, Any]]:
        """Return one row a model and bin of votes that holds prompts."""
        return [
            {
                "model": self.models[m],
                "vote": float(self.bin_votes[m, b]),
                "right": float(self.bin_right[m, b]),
                "n": int(self.bin_n[m, b]),
            }
            for m, b in np.argwhere(self.bin_n > 0)
        ]


def judge_classifiers(votes: FloatArray, correct: FloatArray, models: tuple[str, ...], k: int) -> Classifiers:
    """Compare votes with the labels.

    Parameters
    ----------
    votes : array, shape (n, M), in [0, 1]
        NaN where no neighbour had a label.
    correct : array, shape (n, M), 0 or 1
        NaN where missing.
    models : tuple of str
    k : int
        Neighbours that voted.

    Returns
    -------
    Classifiers
    """
    known = np.isfinite(votes) & np.isfinite(correct)
    n = np.maximum(known.sum(axis=0), 1)
    g, y = np.where(known, votes, 0.0), np.where(known, correct, 0.0)
    rate, mean = y.sum(axis=0) / n, g.sum(axis=0) / n
    spread = np.where(known, (g - mean) ** 2, 0.0).sum(axis=0)
    shared = np.where(known, (g - mean) * (y - rate), 0.0).sum(axis=0)
    moved = (k * g + 0.5) / (k + 1)
    loss = -np.where(known, np.where(y > 0, np.log(moved), np.log1p(-moved)), 0.0).sum(axis=0) / n
    bins = np.minimum((g * BINS).astype(np.int64), BINS - 1)
    cell = (bins + BINS * np.arange(votes.shape[1]))[known]
    counts = np.bincount(cell, minlength=BINS * votes.shape[1]).reshape(-1, BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = [np.bincount(cell, w[known], BINS * votes.shape[1]).reshape(-1, BINS) for w in (g, y)]
        return Classifiers(
            models=models,
            n=known.sum(axis=0),
            base_rate=rate,
            auc=np.array([_auc(votes[known[:, m], m], correct[known[:, m], m]) for m in range(len(models))]),
            brier=np.where(known, (g - y) ** 2, 0.0).sum(axis=0) / n,
            base_brier=rate * (1 - rate),
            log_loss=loss,
            slope=shared / spread,
            bin_votes=sums[0] / counts,
            bin_right=sums[1] / counts,
            bin_n=counts,
        )


def _auc(votes: FloatArray, correct: FloatArray) -> float:
    """Return the area under the receiver operating characteristic, ties counting half."""
    from isoflop.stats.rank_tests import average_ranks

    right = correct > 0
    ups, downs = int(right.sum()), int((~right).sum())
    if ups == 0 or downs == 0:
        return float("nan")
    return float((average_ranks(votes)[right].sum() - ups * (ups + 1) / 2) / (ups * downs))
