"""Both steps for all tasks and replicates at once: arrays to arrays.

T tasks share their runs, so that one batch holds every task and every replicate. W, shape (R, n), holds
row weights whose first row is the sample itself. A row that lacks an outcome has weight 0 in its task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.scaling.downstream.links import Link
from isoflop.scaling.estimate import Problem, problem
from isoflop.scaling.model import Array, Law
from isoflop.scaling.settings import Huber
from isoflop.stats import exp_sum
from isoflop.stats.newton import fit_model

Mask = NDArray[np.bool_]

PROMISING = 4
"""Starts of each task that run to the end, of those that the law reads off the data."""
FEW_STEPS = 8
WIDE, MIDDLE = 0.1, 0.01
LINK_STARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Parameters of every task and replicate, (T, R, p), and whether each task's first is certified."""

    theta: Array
    certified: Mask


def fit_losses(law: Law, u: Array, loss: Array, weights: Array) -> Fitted:
    """Fit a law to the losses of T tasks, each with R rows of weights.

    Parameters
    ----------
    u : array, shape (k, n)
        ln of the law's inputs.
    loss : array, shape (T, n)
        NaN where a run lacks it.
    weights : array, shape (R, n), >= 0

    Raises
    ------
    EvidenceError
        The runs cannot tell the parameters apart.
    """
    here = np.isfinite(loss)
    log_y = np.log(np.where(here, loss, 1.0))
    one = problem(law, u, log_y[0], objective=Huber())
    tasks, reps = len(loss), len(weights)
    starts = np.stack([_starts(one, y[some], some) for y, some in zip(log_y, here, strict=True)])
    first = weights[0] * here
    found, objective, certified = _descend(one, starts, log_y, first)
    ends = np.take_along_axis(found, np.argmin(objective, axis=1)[:, None, None], axis=1)[:, 0]
    sure = np.take_along_axis(certified, np.argmin(objective, axis=1)[:, None], axis=1)[:, 0]
    out = np.empty((tasks, reps, law.p))
    out[:, 0] = ends
    if reps > 1:
        rows = (weights[None, 1:] * here[:, None]).reshape(-1, loss.shape[1])
        many = np.repeat(log_y, reps - 1, axis=0)
        points = np.repeat(ends, reps - 1, axis=0)
        wide = one.solve(points, rows, y=many, loss=exp_sum.Huber(MIDDLE), max_iterations=FEW_STEPS)
        out[:, 1:] = one.solve(wide.theta, rows, y=many).theta.reshape(tasks, reps - 1, law.p)
    return Fitted(theta=out, certified=sure)


def _starts(one: Problem, log_y: Array, some: Mask) -> Array:
    return one.law.starts(one.u[:, some], log_y)


def _descend(one: Problem, starts: Array, log_y: Array, weights: Array) -> tuple[Array, Array, Mask]:
    """Run the best starts of every task to the end; shapes (T, S, p), (T, S), (T, S)."""
    tasks, _, p = starts.shape
    stepped = one.solve(
        starts.reshape(-1, p), weights, y=log_y, loss=exp_sum.Huber(WIDE), max_iterations=FEW_STEPS
    )
    order = np.argsort(np.nan_to_num(stepped.objective, nan=np.inf).reshape(tasks, -1), axis=1)
    chosen: Array = stepped.theta.reshape(starts.shape)
    chosen = np.take_along_axis(chosen, order[:, :PROMISING, None], axis=1)
    for loss, steps in ((exp_sum.Huber(MIDDLE), FEW_STEPS), (one.loss, 300)):
        ends = one.solve(chosen.reshape(-1, p), weights, y=log_y, loss=loss, max_iterations=steps)
        chosen = ends.theta.reshape(tasks, -1, p)
    objective = np.where(np.isfinite(ends.objective), ends.objective, np.inf).reshape(tasks, -1)
    if not np.isfinite(objective).any(axis=1).all():
        raise NoFitError("downstream: no start of a task's loss ended at a finite point. Add runs.")
    return chosen, objective, ends.certified.reshape(tasks, -1)


def predict_losses(law: Law, fitted: Fitted, u: Array) -> Array:
    """Return ln of the predicted losses, shape (T, R, m), at inputs of shape (k, m)."""
    tasks, reps, p = fitted.theta.shape
    return law.log_predict(fitted.theta.reshape(-1, p), u).reshape(tasks, reps, -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linked:
    """A link fitted to T tasks and R replicates.

    Parameters
    ----------
    link : Link
    theta : array, shape (T, R, p)
        For z = (x − middle)/spread.
    middle, spread : arrays, shape (T,)
    residual : array, shape (T, n)
        Observed − fitted accuracy of the sample, NaN where either is missing.
    """

    link: Link
    theta: Array
    middle: Array
    spread: Array
    residual: Array

    def accuracies(self, x: Array) -> Array:
        """Return accuracies, shape (T, R, m), at x of shape (T, R, m) or (T, 1, m)."""
        tasks, reps, p = self.theta.shape
        z = (x - self.middle[:, None, None]) / self.spread[:, None, None]
        z = np.broadcast_to(z, (tasks, reps, x.shape[2])).reshape(tasks * reps, -1)
        return self.link.predict(self.theta.reshape(-1, p), z).reshape(tasks, reps, -1)


def fit_link(link: Link, x: Array, accuracy: Array, weights: Array) -> Linked:
    """Fit accuracy against x, a loss or −ln compute, for T tasks and R rows of weights.

    Parameters
    ----------
    x, accuracy : arrays, shape (T, n)
        NaN where a row lacks either.
    weights : array, shape (R, n), >= 0
    """
    here = np.isfinite(x) & np.isfinite(accuracy)
    tasks, reps = len(x), len(weights)
    middle = np.array([row[some].mean() for row, some in zip(x, here, strict=True)])
    spread = np.array([max(row[some].std(), 1e-9) for row, some in zip(x, here, strict=True)])
    z = np.where(here, (x - middle[:, None]) / spread[:, None], 0.0)
    y = np.where(here, accuracy, 0.5)
    least = [row[some].min() for row, some in zip(accuracy, here, strict=True)]
    point = fit_model(
        link.model(z, 1),
        y,
        starts=np.stack([link.starts(float(low)) for low in least]),
        weights=weights[0] * here,
        keep=LINK_STARTS,
        exact=False,
    )
    best = np.argmin(point.objective.reshape(tasks, -1), axis=1)
    theta = np.empty((tasks, reps, link.p))
    theta[:, 0] = point.theta.reshape(tasks, -1, link.p)[np.arange(tasks), best]
    if reps > 1:
        drawn = fit_model(
            link.model(z, reps - 1),
            np.repeat(y, reps - 1, axis=0),
            starts=np.repeat(theta[:, 0], reps - 1, axis=0)[:, None],
            weights=(weights[None, 1:] * here[:, None]).reshape(-1, x.shape[1]),
            exact=False,
            max_iterations=60,
        )
        theta[:, 1:] = drawn.theta.reshape(tasks, reps - 1, link.p)
    fitted = link.predict(theta[:, 0], z)
    return Linked(
        link=link,
        theta=theta,
        middle=middle,
        spread=spread,
        residual=np.where(here, accuracy - fitted, np.nan),
    )
