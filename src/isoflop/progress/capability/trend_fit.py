"""Slopes of capability in compute and time, for many sets of row weights at once.

All functions take weights of shape (draws, n), each row summing to 1, and return (draws,): the
estimate on the evidence is the draw with equal weights. Slopes are per unit of x (decades of
compute) and of t (years).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """One entry per model, sorted by date.

    Parameters
    ----------
    y : array, shape (n,)
        Capability index.
    x : array, shape (n,)
        log10 of training FLOP.
    t : array, shape (n,)
        Fractional year of release.
    family : int array, shape (n,)
        Family number, or −1 for a model in none of use.
    """

    y: FloatArray
    x: FloatArray
    t: FloatArray
    family: IntArray


def ols_slope(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    """Return the weighted least-squares slope of y on x; NaN where x does not vary.

    `x` has shape (n,), `y` (n,) or (draws, n).
    """
    centred = x - (w @ x)[:, None]
    spread = np.sum(w * centred**2, axis=1)
    shared = np.sum(w * centred * y, axis=1)
    return _ratio(shared, spread, spread > 1e-12)


def within_family_slope(models: Models, w: FloatArray) -> FloatArray:
    """Return the slope of y on x with a constant of its own for each family."""
    shared, spread = np.zeros(len(w)), np.zeros(len(w))
    for number in range(int(models.family.max(initial=-1)) + 1):
        rows = models.family == number
        part = w[:, rows]
        total = part.sum(axis=1, keepdims=True)
        share = np.divide(part, total, out=np.zeros_like(part), where=total > 0)
        x_gap = models.x[rows] - (share @ models.x[rows])[:, None]
        y_gap = models.y[rows] - (share @ models.y[rows])[:, None]
        shared += np.sum(part * x_gap * y_gap, axis=1)
        spread += np.sum(part * x_gap**2, axis=1)
    return _ratio(shared, spread, spread > 1e-12)


def joint_slopes(models: Models, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (k, g) of y = c + k x + g t by weighted least squares."""
    x = models.x - (w @ models.x)[:, None]
    t = models.t - (w @ models.t)[:, None]
    xx, tt, xt = (np.sum(w * a * b, axis=1) for a, b in ((x, x), (t, t), (x, t)))
    xy, ty = np.sum(w * x * models.y, axis=1), np.sum(w * t * models.y, axis=1)
    determinant = xx * tt - xt**2
    fine = determinant > 1e-9 * np.maximum(xx * tt, 1e-300)
    return _ratio(tt * xy - xt * ty, determinant, fine), _ratio(xx * ty - xt * xy, determinant, fine)


def gain_per_year(models: Models, k: FloatArray, w: FloatArray) -> FloatArray:
    """Return the slope in time of h = y − k x."""
    return ols_slope(models.t, models.y - k[:, None] * models.x, w)


def frontier(models: Models, k: FloatArray, w: FloatArray) -> BoolArray:
    """Return, shape (draws, n), which drawn models exceed every earlier one in h = y − k x.

    Of models released on one day only the best can.
    """
    h = np.where(w > 0, models.y - k[:, None] * models.x, -np.inf)
    _, day = np.unique(models.t, return_inverse=True)
    starts = np.flatnonzero(np.diff(day, prepend=-1))
    best_of_day = np.maximum.reduceat(h, starts, axis=1)
    before = np.maximum.accumulate(best_of_day, axis=1)
    before = np.concatenate([np.full((len(w), 1), -np.inf), before[:, :-1]], axis=1)
    record: BoolArray = (h > before[:, day]) & (h == best_of_day[:, day])
    return record


def frontier_gain_per_year(models: Models, k: FloatArray, w: FloatArray) -> FloatArray:
    """Return the slope in time of h over the models of `frontier`."""
    chosen = w * frontier(models, k, w)
    total = chosen.sum(axis=1, keepdims=True)
    share = np.divide(chosen, total, out=np.zeros_like(chosen), where=total > 0)
    return gain_per_year(models, k, share)


def _ratio(above: FloatArray, below: FloatArray, where: BoolArray) -> FloatArray:
    """Return above/below, NaN outside `where`."""
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=where))
