"""The ways to choose a model that are compared: a table of names, words and scores.

A method turns what is known of one new task (`Fold`) into a score for each model; the model with the largest
is chosen. Bounds know the new task's labels or the whole table: they are printed beside the methods and are
never offered for routing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.routing.evaluation.agreement import guessed_accuracy
from isoflop.routing.evaluation.smoothing import Smoothed
from isoflop.routing.means import mix
from isoflop.routing.model import s3
from isoflop.routing.task_scores import Task, Training

FloatArray = NDArray[np.float64]
Kind = Literal["method", "baseline", "bound"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """One new task, and what may be known of it.

    Parameters
    ----------
    training : Training
        The other datasets.
    task : Task
        The new one's inputs.
    prior : array, shape (M,)
        Mean accuracy over the training datasets.
    smoothed : Smoothed
        Guessed accuracy of the predictors of correctness on the task.
    selected : array, shape (M,), or None
        The default selector's scores, where it was asked for.
    linear : array, shape (M,), or None
        Mean prediction of the linear predictor, where asked for.
    log_likelihood : array, shape (M,), or None
        Mean log-likelihood of each model's own answers on the task, where the table has it.
    true_p : array, shape (M,)
        Accuracy of the predictors on the task, from its labels: for bounds alone.
    truth : array, shape (M,)
        Accuracy of the models on the task, from its labels: for bounds alone.
    overall : array, shape (M,)
        Mean accuracy over all datasets, the new one too: for bounds alone.
    """

    training: Training
    task: Task
    prior: FloatArray
    smoothed: Smoothed
    selected: FloatArray | None
    linear: FloatArray | None
    log_likelihood: FloatArray | None
    true_p: FloatArray
    truth: FloatArray
    overall: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to choose.

    Parameters
    ----------
    name : str
        Key in the table and part of the finding's id.
    label : str
        In words, for tables and pictures.
    text : str
        What it does, in a sentence.
    kind : {"method", "baseline", "bound"}
    score : callable or None
        A score for each model; None where no model is chosen (chance, or one for each prompt).
    needs_every_model : bool
        A score of every model on every training dataset is needed.
    """

    name: str
    label: str
    text: str
    kind: Kind
    score: Callable[[Fold], FloatArray] | None
    needs_every_model: bool = False


def _nearest_dataset(fold: Fold) -> FloatArray:
    return np.asarray(fold.training.accuracy[int(np.argmax(fold.task.share))])


def _given(values: FloatArray | None) -> FloatArray:
    assert values is not None, "prepared for the methods asked for"
    return values


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="random",
            label="a model at random",
            text="Mean over the models.",
            kind="baseline",
            score=None,
        ),
        Method(
            name="best_on_average",
            label="best on average",
            text="The model with the largest mean score over the other datasets.",
            kind="baseline",
            score=lambda fold: fold.prior,
        ),
        Method(
            name="s1",
            label="S1, mean vote",
            text="Mean over the prompts of the share of their nearest prompts that the model got right.",
            kind="method",
            score=lambda fold: fold.task.s1,
            needs_every_model=True,
        ),
        Method(
            name="s2",
            label="S2, mean hard prediction",
            text="Share of the prompts that the model is predicted to get right.",
            kind="method",
            score=lambda fold: fold.task.s2,
            needs_every_model=True,
        ),
        Method(
            name="s3",
            label="S3, the paper's score",
            text="S2 corrected for how often such predictions were right on tasks at a like distance.",
            kind="method",
            score=lambda fold: s3(fold.task.s2, fold.smoothed.p_hat),
            needs_every_model=True,
        ),
        Method(
            name="s3_agreement",
            label="S3, accuracy guessed from rates",
            text="S3 with the predictors' accuracy guessed from what luck alone would give; ours.",
            kind="method",
            score=lambda fold: s3(fold.task.s2, guessed_accuracy(fold.training, fold.task)),
            needs_every_model=True,
        ),
        Method(
            name="neighbour_mix",
            label="mix of the neighbours' datasets",
            text="Accuracies on the other datasets, weighted by their shares among the 50 nearest prompts.",
            kind="method",
            score=lambda fold: mix(fold.task.share, fold.training.accuracy),
        ),
        Method(
            name="nearest_dataset",
            label="nearest dataset's best",
            text="The best model of the dataset that has the largest share of the nearest prompts.",
            kind="baseline",
            score=_nearest_dataset,
        ),
        Method(
            name="ridge",
            label="linear predictor",
            text="Mean score predicted by ridge regression on the vectors, every dataset counting the same.",
            kind="method",
            score=lambda fold: _given(fold.linear),
        ),
        Method(
            name="log_likelihood",
            label="log-likelihood of own answers",
            text="The model surest of its own answers; every model has to answer first.",
            kind="baseline",
            score=lambda fold: _given(fold.log_likelihood),
        ),
        Method(
            name="selector",
            label="default selector",
            text="Best on average, moved towards what the neighbours say as far as left-out tasks support.",
            kind="method",
            score=lambda fold: _given(fold.selected),
        ),
        Method(
            name="s3_true_p",
            label="S3 with true p",
            text="S3 with the predictors' accuracy measured on the task's own labels.",
            kind="bound",
            score=lambda fold: s3(fold.task.s2, fold.true_p),
            needs_every_model=True,
        ),
        Method(
            name="best_fixed",
            label="best fixed model, in hindsight",
            text="The one model with the largest mean score over all datasets, these labels included.",
            kind="bound",
            score=lambda fold: fold.overall,
        ),
        Method(
            name="oracle",
            label="best model of each task",
            text="The best model of each task, from its labels.",
            kind="bound",
            score=lambda fold: fold.truth,
        ),
        Method(
            name="instance_oracle",
            label="best model of each prompt",
            text="A right answer wherever any model has one; with many models luck alone comes close to 1.",
            kind="bound",
            score=None,
        ),
    )
}
