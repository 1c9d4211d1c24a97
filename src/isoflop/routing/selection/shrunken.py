"""The default selector: best on average, moved towards what the neighbours say where that is sure enough.

Three estimates of each model's accuracy on a new task are averaged with equal weights after centring: its
mean over the other tasks, its accuracy on the neighbours' datasets, and the paper's S3. Equal weights are the
combination that needs no labels to tune. The choice leaves the best model on average only if such choices
gained on tasks left out, and the gain that it expects survives what such gains missed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError, closest
from isoflop.routing.means import centred
from isoflop.routing.model import chosen
from isoflop.routing.selection.conformal import half_width
from isoflop.routing.selection.parts import Parts, task_parts, training_parts
from isoflop.routing.task_scores import Task, Training
from isoflop.stats.intervals import normal_quantile

FloatArray = NDArray[np.float64]
Combine = Literal["equal", "learned"]
GRID = np.linspace(0.0, 1.0, 21)
"""Weights of the mixture that `combine="learned"` tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunken:
    """How the default selector weighs and when it abstains.

    Parameters
    ----------
    combine : {"equal", "learned"}
        The mean of prior, mixture and S3; or prior and mixture, with the smallest weight whose error on tasks
        left out is within one standard error of the least.
    abstain : bool
        Choose the best model on average unless the gain is sure enough.
    sure : float, in (0, 1)
        One-sided level of that gain.
    level : float, in (0, 1)
        Of the intervals shown.
    """

    combine: Combine = "equal"
    abstain: bool = True
    sure: float = 0.75
    level: float = 0.9

    def __post_init__(self) -> None:
        if self.combine not in get_args(Combine):
            near = closest(str(self.combine), get_args(Combine))
            raise SettingError(
                f"Shrunken: combine={self.combine!r}, must be one of {', '.join(get_args(Combine))}."
                + (f" Did you mean {near!r}?" if near else "")
            )
        for name in ("sure", "level"):
            if not 0 < getattr(self, name) < 1:
                raise SettingError(f"Shrunken: {name}={getattr(self, name):g}, must lie in (0, 1).")


GOLDEN = Shrunken(combine="learned", abstain=False)
"""The rule behind the stored reference numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What the selector says of one task.

    Parameters
    ----------
    accuracy, prior, mixture, s3 : array, shape (M,)
        Expected accuracy of each model, and the three estimates behind it.
    choice, base : int
        The model to use, and the best on average.
    abstained : bool
        Another model was expected to do better, but not surely enough.
    w : float
        Weight of the mixture that tasks left out support, 0 for none.
    gain : float
        Expected gain of the best-scored model over the best on average.
    gain_low, gain_high : float or None
        Interval of that gain from tasks left out; None where they are too few.
    sure_gain : float or None
        One-sided lower bound, by which the selector abstains: the lesser of that of this gain and that of the
        mean gain of such choices on tasks left out.
    level, sure : float
    u : float
        Distance of the task to the pool.
    far : bool
        It is further away than any training task is from the others.
    reason : str
    """

    accuracy: FloatArray
    prior: FloatArray
    mixture: FloatArray
    s3: FloatArray
    choice: int
    base: int
    abstained: bool
    w: float
    gain: float
    gain_low: float | None
    gain_high: float | None
    sure_gain: float | None
    level: float
    sure: float
    u: float
    far: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShrunkenFit:
    """The selector after looking at the training tasks.

    Parameters
    ----------
    settings : Shrunken
    training : Training
    predicted : array, shape (E, M)
        What it would have said of each training task from the others.
    w : float
        Weight of the mixture by one standard error.
    w_curve : array, shape (21,)
        Mean squared error of centred accuracies for each weight of `GRID`.
    picks : array of int, shape (E,)
        What it would have chosen, before abstaining.
    expected, realised : array, shape (E,)
        Gains of those choices over the best on average: expected, and from the labels.
    """

    settings: Shrunken
    training: Training
    predicted: FloatArray
    w: float
    w_curve: FloatArray
    picks: NDArray[np.int64]
    expected: FloatArray
    realised: FloatArray

    @property
    def mse(self) -> float:
        """Mean squared error of centred predictions on training tasks left out."""
        return float(np.nanmean((centred(self.predicted) - centred(self.training.accuracy)) ** 2))

    @property
    def mean_gain_low(self) -> float:
        """One-sided lower bound of the mean gain of its choices on training tasks left out.

        Tasks on which it chose the best on average gain nothing and miss nothing: where they are many the
        conformal bound of one task's gain sees no risk, and a rule without signal would still be followed.
        """
        tasks = self.realised.size
        if tasks < 2:
            return -np.inf
        error = self.realised.std(ddof=1) / np.sqrt(tasks)
        return float(self.realised.mean() - normal_quantile(self.settings.sure) * error)

    @property
    def n0(self) -> float:
        """Strength of the prediction in labelled prompts: a Beta prior with this variance."""
        mean = float(np.nanmean(np.clip(self.predicted, 0, 1) * (1 - np.clip(self.predicted, 0, 1))))
        return max(mean / self.mse - 1, 0.5) if self.mse > 0 else 1e6

    def predict(self, task: Task) -> Prediction:
        """Return what the selector says of a new task."""
        parts = task_parts(self.training, task)
        accuracy = _combined(parts, self.settings, self.w)[0]
        prior = parts.prior[0]
        base, best = chosen(prior, prior), chosen(accuracy, prior)
        gain = float(accuracy[best] - accuracy[base])
        shortfall = half_width(self.expected - self.realised, self.settings.sure)
        sure = None if shortfall is None else min(gain - shortfall, self.mean_gain_low)
        width = half_width(np.abs(self.expected - self.realised), self.settings.level)
        unsure = best != base and (sure is None or sure <= 0)
        choice = base if self.settings.abstain and unsure else best
        return Prediction(
            accuracy=accuracy,
            prior=prior,
            mixture=parts.mixture[0],
            s3=parts.s3[0],
            choice=choice,
            base=base,
            abstained=choice != best,
            w=self.w,
            gain=gain,
            gain_low=None if width is None else max(gain - width, -1.0),
            gain_high=None if width is None else min(gain + width, 1.0),
            sure_gain=sure,
            level=self.settings.level,
            sure=self.settings.sure,
            u=task.u,
            far=bool(task.u > self.training.u.max()),
            reason="abstained" if choice != best else "best_on_average" if choice == base else "neighbours",
        )


def fit_shrunken(training: Training, settings: Shrunken | None = None) -> ShrunkenFit:
    """Fit the default selector to training tasks.

    Parameters
    ----------
    training : Training
    settings : Shrunken, optional

    Returns
    -------
    ShrunkenFit

    Notes
    -----
    Source: ours. Combining forecasts with equal weights follows Bates and Granger (1969) and Stock and Watson
    (2004); `combine="learned"` is shrinkage with a one-standard-error rule (Breiman et al. 1984).
    """
    rule = settings or Shrunken()
    parts = training_parts(training)
    w, curve = _weight(parts, training.accuracy)
    predicted = _combined(parts, rule, w)
    rows = np.arange(len(predicted))
    base = np.array([chosen(prior, prior) for prior in parts.prior])
    picks = np.array([chosen(a, prior) for a, prior in zip(predicted, parts.prior, strict=True)])
    realised = training.accuracy[rows, picks] - training.accuracy[rows, base]
    return ShrunkenFit(
        settings=rule,
        training=training,
        predicted=predicted,
        w=w,
        w_curve=curve,
        picks=picks,
        expected=predicted[rows, picks] - predicted[rows, base],
        realised=np.nan_to_num(realised),
    )


def _combined(parts: Parts, settings: Shrunken, w: float) -> FloatArray:
    """Return the expected accuracies, shape (E, M): the prior's level, moved in centred terms."""
    prior = centred(parts.prior)
    towards = centred(parts.mixture) - prior
    if settings.combine == "learned":
        return np.asarray(parts.prior + w * towards)
    return np.asarray(parts.prior + (towards + centred(parts.s3) - prior) / 3)


def _weight(parts: Parts, accuracy: FloatArray) -> tuple[float, FloatArray]:
    """Return the smallest weight within one standard error of the least error, and the error curve."""
    prior, truth = centred(parts.prior), centred(accuracy)
    towards = centred(parts.mixture) - prior
    error = np.stack([np.nanmean((prior + w * towards - truth) ** 2, axis=1) for w in GRID], axis=1)
    mean = error.mean(axis=0)
    best = int(np.argmin(mean))
    if len(error) < 2:
        return 0.0, mean
    apart = error - error[:, [best]]
    se = apart.std(axis=0, ddof=1) / np.sqrt(len(error))
    return float(GRID[np.flatnonzero(apart.mean(axis=0) <= se)[0]]), mean
