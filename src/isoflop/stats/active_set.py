"""The inner step of the engine: an L1-penalised quadratic model, for a batch of problems."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import Array

TARGET_KKT = 1e-11
"""Iterations aim below the certificate: the last Newton step is nearly free."""
ROUNDS = 3
"""Solving the model further saves fewer evaluations of F than it costs."""


def lower_model(model: Array, gradient: Array, theta: Array, l1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Lower the penalised quadratic model around `theta`.

    Returns the new point, shape (B, p), and whether the model looked convex on the way, (B,).

    Active set: solve for the coordinates that are not zero, walk until the first of them
    reaches zero and pin it there; when none does, release the zero coordinate whose gradient
    exceeds its penalty most; stop when there is none, or after a few rounds: every round
    lowers the model, and none costs an evaluation of F. Shapes: model (B, p, p), else (B, p).
    """
    p = theta.shape[1]
    diagonal = np.arange(p)
    x, slope = theta.copy(), gradient.copy()  # slope: gradient of the quadratic at x
    penalised = l1 > 0
    sign = np.where(penalised, np.sign(theta), 1.0)
    out, convex = np.empty_like(theta), np.ones(len(theta), bool)
    where = np.arange(len(theta))
    for _ in range(ROUNDS):
        active = sign != 0
        system = model * (active[:, :, None] & active[:, None, :])
        system[:, diagonal, diagonal] += ~active
        push = np.where(active, -(slope + np.where(penalised, l1 * sign, 0.0)), 0.0)
        step = np.linalg.solve(system, push[:, :, None])[:, :, 0]
        uphill = ~(np.einsum("bj,bj->b", step, push) >= 0)
        step[uphill] = 0.0  # the model is not convex here: stop, and let the damping grow
        uphill &= np.abs(push).max(axis=1) > TARGET_KKT
        convex[where[uphill]] = False
        crosses = penalised & active & ((x + step) * sign < 0)
        columns = np.arange(len(where))
        stops = crosses.any(axis=1)
        if stops.any():
            until = np.where(crosses, np.abs(x) / np.maximum(np.abs(step), 1e-300), np.inf)
            first = until.argmin(axis=1)
            step *= np.where(stops, until[columns, first], 1.0)[:, None]
            x += step
            x[columns[stops], first[stops]] = 0.0
            sign[columns[stops], first[stops]] = 0.0
        else:
            x += step
        slope += np.matmul(model, step[:, :, None])[:, :, 0]
        excess = np.where(active, 0.0, np.abs(slope) - l1)
        release = excess.argmax(axis=1)
        releases = ~stops & ~uphill & (excess[columns, release] > 1e-12)
        freed = release[releases]
        sign[columns[releases], freed] = -np.sign(slope[columns[releases], freed])
        done = ~stops & ~releases
        if done.any():
            out[where[done]] = x[done]
            go = ~done
            where, x, slope, sign = where[go], x[go], slope[go], sign[go]
            if not len(where):
                return out, convex
            model, l1, penalised = model[go], l1[go], penalised[go]
    out[where] = x
    return out, convex
