"""What three simple rules say of each training task from the others, and of the new one from all.

Each rule gives one number a model: its mean accuracy (prior), its accuracy on the neighbours' datasets by
their shares (mixture), and the paper's S3. All are used centred over models: how hard a task is, the same for
all models, is poorly predictable and moves no choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.routing.evaluation.smoothing import leave_one_out, smooth
from isoflop.routing.means import mix
from isoflop.routing.model import SIGMAS, s3
from isoflop.routing.task_scores import Task, Training

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """Scores of the three rules; rows are tasks.

    Parameters
    ----------
    prior, mixture, s3 : array, shape (E, M)
        For training tasks each without its own labels; for a new task E is 1.
    """

    prior: FloatArray
    mixture: FloatArray
    s3: FloatArray


def training_parts(training: Training) -> Parts:
    """Return the rules' scores of each training task from the other ones."""
    accuracy, filled = training.accuracy, np.nan_to_num(training.accuracy)
    known = np.isfinite(accuracy)
    with np.errstate(invalid="ignore", divide="ignore"):
        prior = (filled.sum(axis=0) - filled) / (known.sum(axis=0) - known)
    sigma = smooth(0.0, training.u, training.p, SIGMAS).sigma
    p_hat = leave_one_out(training.u, training.p, sigma)
    mixture = mix(training.share, accuracy)
    return _whole(Parts(prior=prior, mixture=mixture, s3=s3(training.s2, p_hat)))


def task_parts(training: Training, task: Task) -> Parts:
    """Return the rules' scores of a new task from all training tasks."""
    known = np.isfinite(training.accuracy)
    with np.errstate(invalid="ignore"):
        prior = np.nan_to_num(training.accuracy).sum(axis=0) / known.sum(axis=0)
    p_hat = smooth(task.u, training.u, training.p, SIGMAS).p_hat
    return _whole(
        Parts(
            prior=prior[None],
            mixture=mix(task.share, training.accuracy)[None],
            s3=s3(task.s2, p_hat)[None],
        )
    )


def _whole(parts: Parts) -> Parts:
    """Return the parts with what a rule cannot say replaced by the prior."""
    return Parts(
        prior=parts.prior,
        mixture=np.where(np.isfinite(parts.mixture), parts.mixture, parts.prior),
        s3=np.where(np.isfinite(parts.s3), parts.s3, parts.prior),
    )
