"""The published procedure: SciPy's SLSQP from a vector of zeros, stopped where it stops.

It does not reach the optimum (see docs/explanation/progress.md). It exists so that the published
numbers can be reproduced and compared on the same rows; nothing else in isoflop uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.resample import legacy_choices

FTOL, MAX_ITERATIONS = 1e-6, 100
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PaperFit:
    """Where SLSQP stopped: parameters (p,), the objective there, and whether it claims success."""

    theta: Array
    objective: float
    success: bool


def paper_fit(design: ExpSumDesign, y: Array, delta: float, *, start: Array | None = None) -> PaperFit:
    """Minimise mean squared error + delta sum_j |theta_j| as published.

    Parameters
    ----------
    design : ExpSumDesign
    y : array, shape (n,)
    delta : float
        Penalty on every parameter, constants included.
    start : array, shape (p,), default zeros
        The published leave-one-out starts each fold at the solution of the one before.

    Notes
    -----
    SLSQP with two-sided-free finite differences of SciPy, ftol 1e-6, at most 100 iterations.
    """
    from scipy.optimize import minimize

    terms, linear = [_columns(x) for x in design.terms], design.linear

    def objective(theta: Array) -> float:
        # Column by column, constants first, as the published function adds its terms: SLSQP stops
        # early, and a rounding error decides where in about one replicate of twenty.
        predicted = np.zeros(len(y))
        for columns in terms:
            exponent = sum(theta[j] * column for j, column in columns)
            predicted = predicted + np.exp(exponent)
        if linear is not None:
            predicted = predicted + linear @ theta
        return float(np.mean((y - predicted) ** 2) + delta * np.sum(np.abs(theta)))

    start = np.zeros(design.p) if start is None else start
    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(objective, start, method="SLSQP", options={"ftol": FTOL, "maxiter": MAX_ITERATIONS})
    return PaperFit(theta=np.asarray(found.x), objective=float(found.fun), success=bool(found.success))


def _columns(x: Array) -> list[tuple[int, Array]]:
    return [(j, np.ascontiguousarray(x[:, j])) for j in range(x.shape[1]) if np.any(x[:, j])]


def paper_bootstrap(
    design: ExpSumDesign,
    y: Array,
    delta: float,
    reps: int,
    *,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.int64], Array, Array]:
    """Refit from zero on `reps` row resamples of the legacy generator.

    Returns
    -------
    choices : int array, shape (reps, n)
    theta : array, shape (reps, p)
    objective : array, shape (reps,)
    """
    choices = legacy_choices(design.n, reps, seed)
    theta, objective = np.empty((reps, design.p)), np.empty(reps)
    for i, chosen in enumerate(choices):
        fit = paper_fit(design.rows(chosen), y[chosen], delta)
        theta[i], objective[i] = fit.theta, fit.objective
        if progress is not None:
            progress(i + 1, reps)
    return choices, theta, objective
