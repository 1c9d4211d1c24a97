"""The vertex of a least-absolute fit, and the multipliers that certify it.

At the minimum of sum_i w_i |r_i| some residuals vanish, and the gradient says nothing there. Instead
there are multipliers lambda_i in [-1, 1] for the rows that vanish such that

    sum_{others} w_i sgn(r_i) J_i + sum_{vanishing} w_i lambda_i J_i = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.stats.exp_sum import Array

NEWTON_STEPS = 12
ZERO = 1e-9
"""Residuals this small, relative to their median size, count as vanished."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vertex:
    """Where a least-absolute fit ended.

    Parameters
    ----------
    theta : array, shape (p,)
    objective : float
        Sum of w_i |r_i|.
    gap : float
        Largest entry of the condition above with multipliers cut to [-1, 1], relative to
        sum_i w_i |J_ij|: 0 at a minimum.
    vanishing : int
        Rows whose residual is zero.
    """

    theta: Array
    objective: float
    gap: float
    vanishing: int


def to_vertex(
    predict: Callable[[Array], Array],
    jacobian: Callable[[Array], Array],
    y: Array,
    theta: Array,
    weights: Array,
) -> Vertex:
    """Move a nearly optimal point onto its vertex, if that lowers the objective, and certify it.

    Parameters
    ----------
    predict : callable
        ``(p,) -> (n,)``.
    jacobian : callable
        ``(p,) -> (n, p)``.
    y, weights : arrays, shape (n,)
    theta : array, shape (p,)
        End of a smoothed fit; the p smallest residuals are taken to vanish.

    Examples
    --------
    >>> x = np.column_stack([np.ones(5), np.arange(5.0)])
    >>> y = np.array([0.0, 1.0, 2.0, 3.0, 9.0])
    >>> end = to_vertex(lambda t: x @ t, lambda t: x, y, np.array([0.01, 1.01]), np.ones(5))
    >>> end.theta.round(9).tolist(), round(end.objective, 9), end.gap < 1e-9
    ([0.0, 1.0], 5.0, True)
    """
    start = float(weights @ np.abs(predict(theta) - y))
    moved = _solve(predict, jacobian, y, theta)
    objective = float(weights @ np.abs(predict(moved) - y))
    if not objective <= start:
        moved, objective = theta, start
    residual = predict(moved) - y
    gap, vanishing = _gap(residual, jacobian(moved), weights)
    return Vertex(theta=moved, objective=objective, gap=gap, vanishing=vanishing)


def _solve(
    predict: Callable[[Array], Array], jacobian: Callable[[Array], Array], y: Array, theta: Array
) -> Array:
    """Newton steps that bring the p smallest residuals to zero; a singular system leaves theta."""
    zero = np.argsort(np.abs(predict(theta) - y), kind="stable")[: len(theta)]
    moved = theta.copy()
    for _ in range(NEWTON_STEPS):
        step, _, rank, _ = np.linalg.lstsq(jacobian(moved)[zero], predict(moved)[zero] - y[zero], rcond=None)
        if rank < len(theta):
            return theta
        moved = moved - step
        if not np.isfinite(moved).all():
            return theta
    return moved


def _gap(residual: Array, jacobian: Array, weights: Array) -> tuple[float, int]:
    size = np.abs(residual)
    vanishing = size <= ZERO * max(float(np.median(size)), 1e-300)
    pull = (weights[~vanishing] * np.sign(residual[~vanishing])) @ jacobian[~vanishing]
    held = (weights[:, None] * jacobian)[vanishing]
    if len(held):
        multipliers = np.clip(np.linalg.lstsq(held.T, -pull, rcond=None)[0], -1.0, 1.0)
        pull = pull + multipliers @ held
    scale = weights @ np.abs(jacobian)
    return float(np.max(np.abs(pull) / np.where(scale > 0, scale, 1.0))), int(vanishing.sum())
