"""What a study says about its exponent by itself: estimate, standard error and likelihood interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.scaling.studies.likelihood import Array, Counts, alpha_grid, log_likelihood

HALF_UNIT = 0.5
"""Drop of the log-likelihood at one standard error."""
FINE = 201
"""Points of a study's own grid, over little more than its 95 % interval."""
FLAT = 1e-9
"""A curve that moves less than this says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alone:
    """Estimates of many studies; NaN where the study leaves the number open.

    Parameters
    ----------
    alpha : array, shape (S,)
        Most likely alpha; NaN where the likelihood is flat or still rises at the end of the grid.
    se : array, shape (S,)
        Half the width of the range within half a unit of log-likelihood: from trials, never from the
        residuals of a few points.
    low, high : array, shape (S,)
        95 % likelihood interval of alpha; NaN on a side that is open.
    """

    alpha: Array
    se: Array
    low: Array
    high: Array

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which studies have an estimate and a standard error, boolean (S,)."""
        return np.asarray(np.isfinite(self.alpha) & np.isfinite(self.se) & (self.se > 0))


def estimate_alone(counts: Counts, *, level: float = 0.95, floor_ratio: float = 0.0) -> Alone:
    """Return the estimates of each study by itself.

    Examples
    --------
    >>> one = Counts(log_x=np.log([[1.0, 10.0, 100.0]]), errors=np.array([[80.0, 40.0, 20.0]]),
    ...              trials=np.full((1, 3), 100.0))
    >>> found = estimate_alone(one)
    >>> round(float(found.alpha[0]), 2), bool(found.low[0] < found.alpha[0] < found.high[0])
    (0.3, True)
    """
    from isoflop.stats.intervals import chi2_quantile

    drop = chi2_quantile(level, 1) / 2.0
    coarse = np.broadcast_to(alpha_grid(), (len(counts.errors), alpha_grid().size))
    rough = _read_off(counts, coarse, floor_ratio, drop)
    # A precise study falls by many units within one step: it is read again on a grid of its own.
    step = coarse[0, 1] - coarse[0, 0]
    low = np.where(np.isnan(rough.low), coarse[0, 0], rough.low - step)
    high = np.where(np.isnan(rough.high), coarse[0, -1], rough.high + step)
    fine = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, FINE)
    return _read_off(counts, fine, floor_ratio, drop)


def _read_off(counts: Counts, grid: Array, floor_ratio: float, drop: float) -> Alone:
    """Return tops and crossings of each study's curve on its own grid, shape (S, G)."""
    curves, _ = log_likelihood(counts, grid, floor_ratio=floor_ratio)
    best, rows = curves.argmax(axis=1), np.arange(len(curves))
    last = grid.shape[1] - 1
    at = np.clip(best, 1, last - 1)
    left, middle, right = curves[rows, at - 1], curves[rows, at], curves[rows, at + 1]
    bend = left - 2 * middle + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1.0), 0.0)
    shift = np.clip(shift, -1.0, 1.0)
    inner = (best > 0) & (best < last) & (np.ptp(curves, axis=1) > FLAT)
    alpha = np.where(inner, grid[rows, at] + (grid[:, 1] - grid[:, 0]) * shift, np.nan)
    top = middle - 0.25 * (left - right) * shift
    low, high = (_crossing(grid, curves, best, top - drop, side) for side in (-1, 1))
    below, above = (_crossing(grid, curves, best, top - HALF_UNIT, side) for side in (-1, 1))
    return Alone(alpha=alpha, se=0.5 * (above - below), low=low, high=high)


def _crossing(grid: Array, curves: Array, best: Array, height: Array, side: int) -> Array:
    """Return where each curve first falls below `height` on one side of its top; NaN if it does not."""
    out = np.full(len(curves), np.nan)
    for i, curve in enumerate(curves):
        walk = curve[best[i] :: side] if side > 0 else curve[best[i] :: -1]
        under = np.flatnonzero(walk < height[i])
        if under.size and under[0] > 0:
            k = under[0]
            share = (walk[k - 1] - height[i]) / (walk[k - 1] - walk[k])
            out[i] = grid[i, best[i] + side * (k - 1)] + side * share * (grid[i, 1] - grid[i, 0])
        elif under.size:
            # the top lies within one step of the height
            out[i] = grid[i, best[i]]
    return out
