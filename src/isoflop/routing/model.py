"""What the instrument assumes: predictors, selectors, policies, and the constants of the paper.

Constants of the paper that we know only from memory or summaries are settings, marked in `docs`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

FloatArray = NDArray[np.float64]
Labels = Literal["threshold", "score"]
Weights = Literal["uniform", "similarity"]
Leakage = Literal["drop", "keep"]
Split = Literal["lodo", "random", "origin"]
Compat = Literal["paper", "golden"]

THRESHOLD = 0.5
"""A score of at least this is a correct answer."""
NEIGHBOURS = 5
KAPPA = 19
"""Neighbours in the distance of a task to the pool."""
SHARED_NEIGHBOURS = 50
"""Neighbours whose datasets describe a task (coarse domain structure, low variance)."""
SIGMAS = (0.01, 0.02, 0.03, 0.05, 0.09, 0.2)
"""Widths of the smoother of predictor accuracy over distance; the paper's is .09 as far as we know."""
CHARACTERS_PER_TOKEN = 4.0
"""Of English under the usual tokenizers, roughly; for prompts whose tokens were not counted."""
ANSWER_TOKENS = 256.0
"""Assumed length of an answer where no table says it; a caution names it."""
TIE = 1e-9
"""Scores closer than this are tied: the larger prior wins, then the order of names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KNN:
    """Nearest neighbours that vote on whether a model is right.

    Parameters
    ----------
    k : int
        Neighbours, at least 1.
    weights : {"uniform", "similarity"}
    labels : {"threshold", "score"}
        Votes are 0 or 1, or the scores themselves.
    threshold : float
        A vote above this (strictly) is a hard prediction of a correct answer.
    """

    k: int = NEIGHBOURS
    weights: Weights = "uniform"
    labels: Labels = "threshold"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise SettingError(f"KNN: k={self.k}, needs at least 1. The paper's is {NEIGHBOURS}.")
        if not 0 <= self.threshold < 1:
            raise SettingError(f"KNN: threshold={self.threshold:g}, must lie in [0, 1). Half is usual.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How the paper's task scores are made.

    Parameters
    ----------
    predictor : KNN
    kappa : int
        Neighbours in the distance u of a task to the pool.
    sigmas : tuple of float
        Grid of smoothing widths; one value fixes it.
    leakage : {"drop", "keep"}
        Whether a training prompt that also occurs in the target is taken from the pool.
    """

    predictor: KNN = field(default_factory=KNN)
    kappa: int = KAPPA
    sigmas: tuple[float, ...] = SIGMAS
    leakage: Leakage = "drop"


def s3(s2: FloatArray, p: FloatArray) -> FloatArray:
    """Return S3: the expected accuracy when hard predictions of mean `s2` are right with chance `p`.

    Examples
    --------
    >>> s3(np.array([0.9]), np.array([1.0])).tolist(), s3(np.array([0.9]), np.array([0.5])).tolist()
    ([0.9], [0.5])
    """
    return s2 * p + (1 - s2) * (1 - p)


def chosen(score: FloatArray, prior: FloatArray, can: NDArray[np.bool_] | None = None) -> int:
    """Return the model with the largest score; of ties the larger prior, then the first in name order.

    `can` marks the models that may be chosen. A model without a score is never chosen while another has one.

    Examples
    --------
    >>> chosen(np.array([0.5, 0.5, 0.4]), np.array([0.1, 0.2, 0.9]))
    1
    """
    allowed = np.isfinite(score) if can is None else np.isfinite(score) & can
    if not allowed.any():
        allowed = np.ones_like(allowed) if can is None else can
        score = prior
    best = np.max(np.where(allowed, score, -np.inf))
    tied = np.flatnonzero(allowed & (score >= best - TIE))
    return int(tied[np.argmax(np.nan_to_num(prior[tied], nan=-1.0))])
