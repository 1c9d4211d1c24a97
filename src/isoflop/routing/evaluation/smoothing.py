"""How often a predictor of correctness is right on a new task, guessed from tasks at a like distance.

For a new task at distance u' from the pool and training tasks d with distance u(d) and accuracy p(d, m)::

    p_hat(m) = Σ_d K_d p(d, m) / Σ_d K_d,    K_d = exp(−(u' − u(d))² / (2 σ²)).

σ is the value of a grid with the least squared error of p_hat when each training task in turn is the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

FloatArray = NDArray[np.float64]
Far = Literal["nearest", "mean"]

NO_WEIGHT = 1e-12
"""Below this total weight no training task is at a like distance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothed:
    """Accuracy of the predictors on one new task.

    Parameters
    ----------
    p_hat : array, shape (M,), in [0, 1]
    sigma : float
        Width chosen.
    errors : array, shape (S,)
        Mean squared error of each width of the grid on the training tasks.
    """

    p_hat: FloatArray
    sigma: float
    errors: FloatArray


def smooth(
    new_u: float,
    u: FloatArray,
    p: FloatArray,
    sigmas: tuple[float, ...],
    *,
    far: Far = "nearest",
    judged_on: FloatArray | None = None,
) -> Smoothed:
    """Guess the accuracy of each model's predictor on a new task.

    Parameters
    ----------
    new_u : float
    u : array, shape (E,)
        Distances of the training tasks.
    p : array, shape (E, M), in [0, 1]
        Measured accuracies there; NaN where a model was not run.
    sigmas : tuple of float
        Grid of widths, > 0.
    far : {"nearest", "mean"}
        Where no training task has weight: mean of the two nearest in distance, or of all.
    judged_on : array, shape (E, M), optional
        Accuracies on which the width is chosen; default `p`.

    Returns
    -------
    Smoothed

    Examples
    --------
    >>> u, p = np.array([0.1, 0.2, 0.9]), np.array([[0.6], [0.8], [0.0]])
    >>> smooth(0.15, u, p, (0.05,)).p_hat.round(3).tolist()
    [0.7]
    >>> smooth(5.0, u, p, (0.05,)).p_hat.round(3).tolist()
    [0.4]
    """
    if not sigmas or min(sigmas) <= 0:
        raise SettingError(f"Paper: sigmas={sigmas}, needs widths above 0. The paper's is 0.09.")
    judged = p if judged_on is None else judged_on
    gaps = np.abs(u[:, None] - u[None, :])
    np.fill_diagonal(gaps, np.inf)
    errors = np.array([np.nanmean((_mean(gaps, judged, sigma, far) - judged) ** 2) for sigma in sigmas])
    sigma = sigmas[int(np.argmin(errors))] if len(sigmas) > 1 else sigmas[0]
    return Smoothed(p_hat=_mean(np.abs(new_u - u)[None, :], p, sigma, far)[0], sigma=sigma, errors=errors)


def leave_one_out(u: FloatArray, p: FloatArray, sigma: float, *, far: Far = "nearest") -> FloatArray:
    """Return the guess for each training task from the others, shape (E, M).

    Examples
    --------
    >>> leave_one_out(np.array([0.1, 0.1, 0.9]), np.array([[0.6], [0.8], [0.0]]), 0.05)[0].tolist()
    [0.8]
    """
    gaps = np.abs(u[:, None] - u[None, :])
    np.fill_diagonal(gaps, np.inf)
    return _mean(gaps, p, sigma, far)


def _mean(gaps: FloatArray, p: FloatArray, sigma: float, far: Far) -> FloatArray:
    """Return weighted means of the rows of p for each row of distances; an infinite one has no weight."""
    known = np.isfinite(p)
    filled = np.where(known, p, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        kernel = np.exp(-0.5 * (gaps / sigma) ** 2)
        alone = kernel.sum(axis=1) < NO_WEIGHT
        if alone.any():
            kernel[alone] = _fallback(gaps[alone], far)
        return np.asarray((kernel @ filled) / (kernel @ known))


def _fallback(gaps: FloatArray, far: Far) -> FloatArray:
    if far == "mean":
        return np.isfinite(gaps).astype(float)
    nearest = np.argsort(gaps, axis=1, kind="stable")[:, :2]
    weights = np.zeros_like(gaps)
    np.put_along_axis(weights, nearest, 1.0, axis=1)
    return np.where(np.isfinite(gaps), weights, 0.0)
