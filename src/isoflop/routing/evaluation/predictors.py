"""Any classifier of scikit-learn in place of neighbours' votes, fitted anew for each pool and model.

The pool without datasets e and x is the same for both, so D (D + 1)/2 fits a model give every score from
pools that saw neither. That is what the single search of neighbours saves.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.routing.task_scores import TaskScores

FloatArray = NDArray[np.float64]


class Classifier(Protocol):
    """What is asked of a classifier; those of scikit-learn with `predict_proba` have it."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn from vectors, shape (n, width), and labels 0 or 1."""
        ...

    def predict_proba(self, X: Any) -> Any:
        """Return the chance of each class, shape (n, 2)."""
        ...


def fits_needed(datasets: int, models: int) -> int:
    """Return how many fits a nested evaluation takes.

    Examples
    --------
    >>> fits_needed(14, 9)
    945
    """
    return models * datasets * (datasets + 1) // 2


def with_classifier(
    scores: TaskScores,
    scored: ScoredPrompts,
    vectors: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    classifier: Classifier,
    threshold: float,
) -> tuple[TaskScores, FloatArray]:
    """Return task scores with S1, S2 and p by a classifier, and its chances on left-out datasets.

    Parameters
    ----------
    scores : TaskScores
        Whose distances and shares stay.
    scored : ScoredPrompts
    vectors : array, shape (n, width)
    hidden : array of bool, shape (D, n + 1)
        Prompts that leave the pool with each dataset.
    classifier : Classifier
        Unfitted; copied for each fit.
    threshold : float
        A chance above it is a hard prediction of a right answer.

    Returns
    -------
    TaskScores, and array of shape (n, M)
    """
    if not (hasattr(classifier, "fit") and hasattr(classifier, "predict_proba")):
        raise SettingError(
            f"evaluate: predictor {type(classifier).__name__}, needs fit and predict_proba. Use a "
            "classifier of scikit-learn that has both."
        )
    tasks = len(scored.datasets)
    s1, s2, p = (np.full_like(scores.s1, np.nan) for _ in range(3))
    chances = np.full(scored.score.shape, np.nan)
    for e in range(tasks):
        for x in range(e, tasks):
            pool = ~(hidden[e, :-1] | hidden[x, :-1])
            asked = np.flatnonzero((scored.dataset == e) | (scored.dataset == x))
            found = _chances(classifier, vectors, scored.correct, pool, asked)
            for task, other in {(e, x), (x, e)}:
                rows = scored.dataset[asked] == task
                cell = _judged(found[rows], scored.correct[asked[rows]], threshold)
                s1[task, other], s2[task, other], p[task, other] = cell
            if e == x:
                chances[asked] = found
    return replace(scores, s1=s1, s2=s2, p=p), chances


def _chances(
    classifier: Classifier,
    vectors: NDArray[np.float32],
    correct: FloatArray,
    pool: NDArray[np.bool_],
    asked: NDArray[np.int64],
) -> FloatArray:
    """Return each model's chances of a right answer on the prompts asked, fitted on the pool."""
    found = np.full((asked.size, correct.shape[1]), np.nan)
    for model in range(correct.shape[1]):
        rows = pool & np.isfinite(correct[:, model])
        labels = correct[rows, model].astype(np.int64)
        if labels.size == 0:
            continue
        if labels.min() == labels.max():
            found[:, model] = labels[0]
            continue
        fitted = deepcopy(classifier).fit(vectors[rows], labels)
        found[:, model] = fitted.predict_proba(vectors[asked])[:, 1]
    return found


def _judged(chances: FloatArray, correct: FloatArray, threshold: float) -> tuple[FloatArray, ...]:
    hard = chances > threshold
    known = np.isfinite(chances)
    judged = known & np.isfinite(correct)
    with np.errstate(invalid="ignore"):
        return (
            np.where(known, chances, 0.0).sum(axis=0) / known.sum(axis=0),
            (hard & known).sum(axis=0) / known.sum(axis=0),
            ((hard == correct) & judged).sum(axis=0) / judged.sum(axis=0),
        )
