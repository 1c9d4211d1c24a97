"""What each study says about its exponent: a likelihood of alpha on a grid, many studies at once.

Errors are counts: ``k ~ Binomial(n, e(x))`` with ``e(x) = E + A x^-alpha``. The law is anchored at the
end of the range where it puts the larger error, so that 0 <= e <= 1 holds and alpha may be negative.
The error at the anchor is either profiled (each alpha takes its most likely one: what a study says by
itself) or integrated over the levels of the other studies (`Levels`: for pooling, where profiling
biases the mean by up to 0.02 at ten trials a point, and integrating does not). No 0 or 1 needs a
correction: they go through the likelihood as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOW, HIGH, STEP = -2.0, 5.0, 0.02
"""The grid of alpha. A sum over a grid as fine as one standard deviation integrates a normal density to
1e-8; a study more precise than that is placed to the nearest hundredth, which no pool of studies that
differ by tenths can feel."""
_NEWTON, _SETTLED = 60, 1e-9
"""Most Newton steps to the likeliest level (some 8 are usual), and the relative step that ends them."""
_TINY, _MOST = 1e-12, 1e9
"""Range of the odds of the level: log(0) is out of reach, and one success in 10⁹ trials changes nothing."""
_MODE_STEPS, _NUDGE = 12, 1e-4
"""Newton steps to the mode of a level, and the difference that gives its curvature."""


def alpha_grid(low: float = LOW, high: float = HIGH, step: float = STEP) -> Array:
    """Return the grid of exponents, ascending; 0 is one of its points.

    Examples
    --------
    >>> grid = alpha_grid()
    >>> grid.size, float(grid[0]), float(grid[-1])
    (351, -2.0, 5.0)
    """
    return np.round(np.arange(round((high - low) / step) + 1) * step + low, 10)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """Errors and trials of many studies, padded to the longest one.

    Parameters
    ----------
    log_x : array, shape (S, P)
        Natural logarithm of the resource; padding may hold anything finite.
    errors : array, shape (S, P)
        Trials that went wrong; need not be whole (mean scores, effective trials).
    trials : array, shape (S, P)
        0 marks padding.
    """

    log_x: Array
    errors: Array
    trials: Array

    @property
    def given(self) -> NDArray[np.bool_]:
        """Which cells hold a point, shape (S, P)."""
        return np.asarray(self.trials > 0)

    @property
    def low_x(self) -> Array:
        """Smallest ``log_x`` of each study, shape (S,)."""
        return np.asarray(np.where(self.given, self.log_x, np.inf).min(axis=1))

    @property
    def high_x(self) -> Array:
        """Largest ``log_x`` of each study, shape (S,)."""
        return np.asarray(np.where(self.given, self.log_x, -np.inf).max(axis=1))

    def rows(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Counts:
        """Return the studies that `which` selects."""
        return Counts(log_x=self.log_x[which], errors=self.errors[which], trials=self.trials[which])


def shapes(counts: Counts, alpha: Array, floor_ratio: float) -> list[Array]:
    """Return the error at each point over the largest error of the range, one array (S, G) a point.

    Parameters
    ----------
    counts : Counts
    alpha : array, shape (G,) or (S, G)
    floor_ratio : float, in [0, 1)
        E over the smallest error that the law reaches within the range.
    """
    low, high = counts.low_x[:, None], counts.high_x[:, None]
    best_end = np.where(alpha >= 0, high, low)
    top = floor_ratio + (1 - floor_ratio) * np.exp(np.abs(alpha) * (high - low))
    out = []
    for j in range(counts.log_x.shape[1]):
        distance = np.where(counts.given[:, j, None], counts.log_x[:, j, None] - best_end, 0.0)
        out.append((floor_ratio + (1 - floor_ratio) * np.exp(-alpha * distance)) / top)
    return out


def log_likelihood(counts: Counts, alpha: Array, *, floor_ratio: float = 0.0) -> tuple[Array, Array]:
    """Return the profile log-likelihood of alpha and the level that attains it, each shape (S, G).

    `alpha` has shape (G,), or (S, G) for a grid of each study's own. The constant of the binomial is left
    out. A study without a single error is flat: it says nothing about its exponent.

    Examples
    --------
    >>> one = Counts(log_x=np.log([[1.0, 10.0, 100.0]]), errors=np.array([[80.0, 40.0, 20.0]]),
    ...              trials=np.full((1, 3), 100.0))
    >>> grid = alpha_grid()
    >>> curve, level = log_likelihood(one, grid)
    >>> best = curve[0].argmax()
    >>> float(grid[best]), round(float(level[0, best]), 2)
    (0.3, 0.8)
    """
    relative = shapes(counts, alpha, floor_ratio)
    errors, right = counts.errors, np.where(counts.given, counts.trials - counts.errors, 0.0)
    total = errors.sum(axis=1)[:, None]

    # In odds of the level the score is convex and falls, so Newton from below climbs to the root and
    # cannot pass it; where there is none the level is as high as it may be.
    least = sum(right[:, j, None] * r for j, r in enumerate(relative))
    odds = np.where(total > 0, total / np.maximum(least, _TINY), _TINY)
    odds = np.clip(odds, _TINY, _MOST)
    for _ in range(_NEWTON):
        value, slope = np.broadcast_to(total, odds.shape).copy(), np.zeros_like(odds)
        for j, r in enumerate(relative):
            rest = 1.0 + odds * (1.0 - r)
            value -= right[:, j, None] * odds * r / rest
            slope += right[:, j, None] * r / rest**2
        step = value / np.maximum(slope, _TINY)
        odds = np.clip(odds + np.maximum(step, 0.0), _TINY, _MOST)
        if (step < _SETTLED * odds).all():
            break
    level = odds / (1.0 + odds)
    out = np.where(total > 0, total * np.log(level), 0.0)
    for j, r in enumerate(relative):
        out += errors[:, j, None] * np.log(r) + right[:, j, None] * np.log1p(-level * r)
    return out, level


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How errors at the smallest scale vary over studies: logit(error) ~ Normal(mean, sd²).

    Parameters
    ----------
    mean, sd : float
    """

    mean: float
    sd: float


def integrated_log_likelihood(
    counts: Counts, alpha: Array, levels: Levels, *, floor_ratio: float = 0.0
) -> tuple[Array, Array, Array]:
    """Return the log-likelihood of alpha with the level integrated over other studies' levels.

    Parameters
    ----------
    counts : Counts
    alpha : array, shape (G,)
    levels : Levels
        Distribution of logit(error at the smallest scale), taken to be independent of alpha.
    floor_ratio : float, in [0, 1)

    Returns
    -------
    curve, mean, variance : array, shape (S, G)
        Log-likelihood up to a constant; mean and variance of the logit at the smallest scale.

    Notes
    -----
    Laplace's approximation in the logit of the error at the anchor, where the level has no bounds.
    """
    relative = shapes(counts, alpha, floor_ratio)
    at_low = np.where(alpha >= 0, 1.0, _smallest_scale(counts, relative))
    errors, right = counts.errors, np.where(counts.given, counts.trials - counts.errors, 0.0)

    def log_density(logit: Array) -> tuple[Array, Array, Array, Array]:
        """Return the log density, its slope, and the level at the smallest scale with its slope."""
        p, q = 1.0 / (1.0 + np.exp(-logit)), 1.0 / (1.0 + np.exp(logit))
        value, slope = np.zeros_like(p), np.zeros_like(p)
        for j, r in enumerate(relative):
            rest = 1.0 - p * r
            k, m = errors[:, j, None], right[:, j, None]
            value += k * np.log(p * r) + m * np.log(rest)
            slope += q * (k - m * p * r / rest)
        rest = 1.0 - p * at_low
        low = np.log(p * at_low / rest)
        away = (low - levels.mean) / levels.sd**2
        value += -0.5 * away * (low - levels.mean) + np.log(q / rest) - np.log(levels.sd)
        slope += -away * q / rest - p + p * q * at_low / rest
        return value, slope, low, q / rest

    logit = np.full((len(errors), alpha.size), np.clip(levels.mean, -4.0, 4.0))
    for _ in range(_MODE_STEPS):
        _, slope, _, _ = log_density(logit)
        bend = (log_density(logit + _NUDGE)[1] - slope) / _NUDGE
        step = np.clip(slope / np.maximum(-bend, 0.05), -1.5, 1.5)
        logit = np.clip(logit + step, -14.0, 14.0)
        if np.abs(step).max() < 1e-5:
            break
    value, _, low, stretch = log_density(logit)
    bend = (log_density(logit + _NUDGE)[1] - log_density(logit - _NUDGE)[1]) / (2 * _NUDGE)
    curvature = np.maximum(-bend, 1e-3)
    return value - 0.5 * np.log(curvature), low, stretch**2 / curvature


def _smallest_scale(counts: Counts, relative: list[Array]) -> Array:
    """Return the relative error at the smallest scale, shape (S, G)."""
    first = np.where(counts.given, counts.log_x, np.inf).argmin(axis=1)
    stacked = np.stack(relative, axis=1)
    return np.asarray(stacked[np.arange(len(first)), first])
