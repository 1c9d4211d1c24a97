"""Where a system stands: its rank within the year, or its distance from the trend of the sample.

Rows may count several times, so that a bootstrap replicate is a row of whole numbers, not a copied table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LOWESS_FRACTION = 0.4
"""Share of rows in each local line of the running trend."""
LOWESS_PASSES = 3
"""Reweightings against outliers, as in the original procedure."""


def rank_in_year(
    years: NDArray[np.int64], flop: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the ascending rank within the year, ties averaged, and the year's total; (reps, n) each."""
    order = np.lexsort((flop, years))
    year, value, heavy = years[order], flop[order], counts[:, order]
    if not order.size:
        return counts, counts
    new_year = np.r_[True, year[1:] != year[:-1]]
    # NaN differs from itself: rows without compute form ties of one and count zero times.
    new_tie = new_year | np.r_[True, value[1:] != value[:-1]]
    tie, block = np.cumsum(new_tie) - 1, np.cumsum(new_year) - 1
    at = np.add.reduceat(heavy, np.flatnonzero(new_tie), axis=1)
    total = np.add.reduceat(heavy, np.flatnonzero(new_year), axis=1)[:, block]
    upto = np.cumsum(at, axis=1)
    before_year = np.cumsum(heavy, axis=1) - heavy
    start = before_year[:, np.flatnonzero(new_year)][:, block]
    rank = (upto - at)[:, tie] - start + (at[:, tie] + 1) / 2
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return rank[:, back], total[:, back]


def line_residuals(t: FloatArray, flop: FloatArray, counts: FloatArray) -> FloatArray:
    """Return residuals from the weighted least squares line, shape (reps, n); 0 without compute."""
    known = np.isfinite(flop)
    y, n = np.where(known, flop, 0.0), np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    centre_t, centre_y = counts @ t[:, None] / n, counts @ y[:, None] / n
    apart_t, apart_y = t - centre_t, y - centre_y
    spread = (counts * apart_t**2).sum(axis=1, keepdims=True)
    slope = (counts * apart_t * apart_y).sum(axis=1, keepdims=True) / np.where(spread > 0, spread, 1.0)
    return np.where(known, apart_y - slope * apart_t, 0.0)


def lowess_residuals(t: FloatArray, flop: FloatArray, counts: FloatArray) -> FloatArray:
    """Return residuals from a local line through the nearest 40 % of rows, shape (n,); 0 at weight 0."""
    rows = np.repeat(np.arange(t.size), counts.astype(int))
    if rows.size < 3:
        return np.zeros(t.size)
    smooth = lowess(t[rows], flop[rows])
    rest = np.zeros(t.size)
    rest[rows] = flop[rows] - smooth
    return rest


def lowess(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return Cleveland's robust local linear smooth at each x."""
    near = min(x.size, max(2, int(LOWESS_FRACTION * x.size + 1e-10)))
    apart = np.abs(x[:, None] - x[None, :])
    reach = np.partition(apart, near - 1, axis=1)[:, near - 1 : near]
    kernel = np.clip(1 - np.divide(apart, reach, out=np.ones_like(apart), where=reach > 0) ** 3, 0, None) ** 3
    kernel[(reach == 0)[:, 0]] = apart[(reach == 0)[:, 0]] == 0
    trust = np.ones_like(y)
    smooth = y.copy()
    for _ in range(LOWESS_PASSES + 1):
        smooth = _local_lines(x, y, kernel * trust)
        rest = np.abs(y - smooth)
        middle = float(np.median(rest))
        if middle == 0:
            break
        trust = np.clip(1 - (rest / (6 * middle)) ** 2, 0, None) ** 2
    return smooth


def _local_lines(x: FloatArray, y: FloatArray, kernel: FloatArray) -> FloatArray:
    """Return at each x the value of the line fitted with that row of weights."""
    total = kernel.sum(axis=1)
    safe = np.where(total > 0, total, 1.0)
    mid_x, mid_y = kernel @ x / safe, kernel @ y / safe
    spread = kernel @ x**2 / safe - mid_x**2
    joint = kernel @ (x * y) / safe - mid_x * mid_y
    # A neighbourhood on one date has no slope; its mean is the smooth.
    sloped = spread > (1e-3 * (x.max() - x.min())) ** 2
    slope = np.where(sloped, joint / np.where(sloped, spread, 1.0), 0.0)
    return np.where(total > 0, mid_y + slope * (x - mid_x), y)


def weighted_quantile(rest: FloatArray, counts: FloatArray, q: float) -> FloatArray:
    """Return the q-quantile of residuals that count several times, linear between them; (reps, 1)."""
    order = np.argsort(rest, axis=1)
    values = np.take_along_axis(rest, order, axis=1)
    upto = np.cumsum(np.take_along_axis(counts, order, axis=1), axis=1)
    place = q * (upto[:, -1:] - 1)
    lower = np.take_along_axis(values, (upto > np.floor(place)).argmax(axis=1)[:, None], axis=1)
    upper = np.take_along_axis(values, (upto > np.ceil(place)).argmax(axis=1)[:, None], axis=1)
    return np.asarray(lower + (place - np.floor(place)) * (upper - lower))
