"""Every dataset in turn is the new task: what each method scores, chooses and reaches there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.routing.evaluation.methods import METHODS, Fold
from isoflop.routing.evaluation.smoothing import Far, smooth
from isoflop.routing.model import chosen

if TYPE_CHECKING:
    from isoflop.routing.model import Compat, Paper
    from isoflop.routing.selection.shrunken import Prediction, Shrunken
    from isoflop.routing.task_scores import TaskScores

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """What K methods did on D tasks.

    Parameters
    ----------
    methods : tuple of str
    score : array, shape (K, D, M)
        Score of each model; NaN where the method scores none.
    choice : array of int, shape (K, D)
        Model chosen; -1 where none is.
    reached : array, shape (K, D), in [0, 1]
        Mean score on the task with that choice.
    p_hat : array, shape (D, M)
        Guessed accuracy of the predictors of correctness.
    sigma : array, shape (D,)
    sigma_errors : array, shape (D, S)
    selections : tuple of Prediction
        What the default selector said of each task; empty where it was not asked for.
    """

    methods: tuple[str, ...]
    score: FloatArray
    choice: IntArray
    reached: FloatArray
    p_hat: FloatArray
    sigma: FloatArray
    sigma_errors: FloatArray
    selections: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """Arrays that some methods need beside the task scores.

    Parameters
    ----------
    linear : array, shape (D, M), or None
    log_likelihood : array, shape (D, M), or None
    instance_oracle : array, shape (D,)
        Mean over prompts of the largest score.
    """

    linear: FloatArray | None
    log_likelihood: FloatArray | None
    instance_oracle: FloatArray


def run_folds(
    scores: TaskScores,
    given: Given,
    methods: Sequence[str],
    settings: Paper,
    *,
    compat: Compat | None = None,
    selector: Shrunken | None = None,
) -> Outcomes:
    """Let each method choose a model for every task from what the other tasks tell.

    Parameters
    ----------
    scores : TaskScores
    given : Given
    methods : sequence of str
        Keys of `METHODS`.
    settings : Paper
    compat : {"paper", "golden"}, optional
        Both take the plain mean where no task is at a like distance; "golden" also chooses sigma on
        accuracies whose pools left one dataset out, as the stored numbers did.
    selector : Shrunken, optional
        Settings of the default selector; needed if it is among the methods.
    """
    tasks, models = scores.accuracy.shape
    shape = (len(methods), tasks)
    outcome = np.full((*shape, models), np.nan), np.full(shape, -1), np.full(shape, np.nan)
    p_hat, sigma = np.empty((tasks, models)), np.empty(tasks)
    errors = np.empty((tasks, len(settings.sigmas)))
    selections = []
    for target in range(tasks):
        fold, prediction = _fold(scores, given, target, settings, compat, selector)
        if prediction is not None:
            selections.append(prediction)
        p_hat[target], sigma[target] = fold.smoothed.p_hat, fold.smoothed.sigma
        errors[target] = fold.smoothed.errors
        for k, name in enumerate(methods):
            outcome[0][k, target], outcome[1][k, target], outcome[2][k, target] = _outcome(
                name, fold, prediction, float(given.instance_oracle[target])
            )
    return Outcomes(
        methods=tuple(methods),
        score=outcome[0],
        choice=outcome[1],
        reached=outcome[2],
        p_hat=p_hat,
        sigma=sigma,
        sigma_errors=errors,
        selections=tuple(selections),
    )


def _fold(
    scores: TaskScores,
    given: Given,
    target: int,
    settings: Paper,
    compat: Compat | None,
    selector: Shrunken | None,
) -> tuple[Fold, Prediction | None]:
    training, task = scores.training(target), scores.task(target)
    others = np.delete(np.arange(len(scores.datasets)), target)
    far: Far = "nearest" if compat is None else "mean"
    judged = scores.p[others, others] if compat == "golden" else None
    prediction = None
    if selector is not None:
        from isoflop.routing.selection.shrunken import fit_shrunken

        prediction = fit_shrunken(training, selector).predict(task)
    fold = Fold(
        training=training,
        task=task,
        prior=mean_of_datasets(training.accuracy),
        smoothed=smooth(task.u, training.u, training.p, settings.sigmas, far=far, judged_on=judged),
        selected=None if prediction is None else prediction.accuracy,
        linear=_row(given.linear, target),
        log_likelihood=_row(given.log_likelihood, target),
        true_p=scores.p[target, target],
        truth=scores.accuracy[target],
        overall=mean_of_datasets(scores.accuracy),
    )
    return fold, prediction


def _outcome(
    name: str, fold: Fold, prediction: Prediction | None, instance_oracle: float
) -> tuple[FloatArray | float, int, float]:
    """Return the scores, the choice and what it reaches; a selector that abstains chooses by itself."""
    method = METHODS[name]
    if method.score is None:
        reached = instance_oracle if name == "instance_oracle" else float(np.nanmean(fold.truth))
        return np.nan, -1, reached
    score = method.score(fold)
    can = np.isfinite(fold.truth)
    if name == "selector" and prediction is not None and can[prediction.choice]:
        choice = int(prediction.choice)
    else:
        choice = chosen(score, fold.prior, can)
    return score, choice, float(fold.truth[choice])


def mean_of_datasets(accuracy: FloatArray) -> FloatArray:
    """Return the mean over datasets of each model, over those it was run on; NaN where on none."""
    known = np.isfinite(accuracy)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, accuracy, 0.0).sum(axis=0) / known.sum(axis=0))


def _row(values: FloatArray | None, place: int) -> Any:
    return None if values is None else values[place]
