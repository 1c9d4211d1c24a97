"""The estimator of Sartor and Thompson (arXiv 2405.14005 v2), as far as its text tells it.

One least-squares fit a study in raw percent, ``error = (A/x)^alpha + E``; exponents in (-1, 0) are
kept, their plain mean, median and standard deviation reported with a t interval, and the factor that
halves the error taken from the median as 2^(1/|median|). Bounds, starts and the test between groups
are not stated there: bounds are alpha in [0, 5] and E in [0, 100], groups are compared by Welch's t.

Known bias, kept so that it can be seen: three parameters on three or four points fit noise, the
filter cuts one tail, studies of one paper count as independent, and the factor assumes E = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate
from isoflop.scaling.studies.likelihood import Array, Counts

MAX_ALPHA, MAX_FLOOR = 5.0, 100.0
FEWEST_POINTS = 3
BIAS_CAUTION = (
    "sartor2024 fits three parameters to as few as three points and keeps exponents in (−1, 0) only: in "
    "simulations its kept mean is far from the true one, R² says nothing there, and halving concerns the "
    "reducible error alone. The hierarchical estimator on the same rows cures it."
)
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
_COARSE, _ZOOMS, _FINE = 101, 5, 21


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PercentFits:
    """Least-squares fits of many studies; NaN where a study has fewer than three points.

    Parameters
    ----------
    alpha, scale, floor, r2 : array, shape (S,)
        ``error = (scale/x)^alpha + floor`` in percent; R² of the fit.
    """

    alpha: Array
    scale: Array
    floor: Array
    r2: Array

    @property
    def exponent(self) -> Array:
        """Slope, negative where the error falls."""
        return -self.alpha

    def kept(self, *, least_r2: float | None = None) -> NDArray[np.bool_]:
        """Return which exponents the published analysis keeps: those in (-1, 0)."""
        inside = (self.exponent > -1.0) & (self.exponent < 0.0)
        return inside if least_r2 is None else inside & (self.r2 > least_r2)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSummary:
    """Mean, median and spread of exponents as the paper reports them."""

    mean: Estimate
    median: float
    sd: float
    n: int

    @property
    def halving_factor(self) -> float:
        """Multiple of the resource that halves the reducible error, from the median."""
        return halving_factor(self.median)


@dataclass(frozen=True, slots=True, kw_only=True)
class Welch:
    """Two groups of exponents compared with unequal variances."""

    difference: Estimate
    t: float
    df: float
    p: float

    @property
    def stars(self) -> str:
        """Marks at .05, .01 and .001."""
        return next((mark for bar, mark in STARS if self.p < bar), "")


def halving_factor(exponent: float) -> float:
    """Return the multiple of a resource that halves the reducible error; infinite at 0.

    Examples
    --------
    >>> round(halving_factor(-0.217), 2), round(halving_factor(-0.172), 2), round(halving_factor(-0.105), 2)
    (24.39, 56.26, 736.13)
    """
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.exp2(1.0 / np.abs(np.float64(exponent))))


def fit_percent(counts: Counts) -> PercentFits:
    """Fit every study by least squares in percent, over all alpha in [0, 5] and floors in [0, 100].

    For each alpha the other two parameters follow in closed form, so the search is over alpha alone: a
    grid, then zooms on its best cell. A local optimiser from several starts ends at the same place or
    at a worse one.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0, 100.0, 1000.0]])
    >>> error = 5.0 + 60.0 * x**-0.4
    >>> fits = fit_percent(Counts(log_x=np.log(x), errors=error, trials=np.full((1, 4), 100.0)))
    >>> round(float(fits.alpha[0]), 4), round(float(fits.floor[0]), 3)
    (0.4, 5.0)
    """
    given = counts.given
    y = 100.0 * np.divide(counts.errors, counts.trials, out=np.zeros_like(counts.errors), where=given)
    u = np.where(given, counts.log_x - counts.low_x[:, None], 0.0)
    count = len(y)
    low, high = np.zeros(count), np.full(count, MAX_ALPHA)
    for points in (_COARSE, *([_FINE] * _ZOOMS)):
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, points)
        sse = np.stack([_closed_form(u, y, given, grid[:, g])[0] for g in range(points)], axis=1)
        best = sse.argmin(axis=1)
        rows, step = np.arange(count), (high - low) / (points - 1)
        alpha = grid[rows, best]
        low, high = np.maximum(alpha - step, 0.0), np.minimum(alpha + step, MAX_ALPHA)
    error, floor, slope = _closed_form(u, y, given, alpha)
    n = given.sum(axis=1)
    centred = np.where(given, y - (y.sum(axis=1) / n)[:, None], 0.0)
    total = (centred**2).sum(axis=1)
    r2 = np.where(total > 0, 1.0 - error / np.where(total > 0, total, 1.0), np.nan)
    with np.errstate(divide="ignore", over="ignore"):
        scale = np.exp(counts.low_x + np.log(slope) / np.maximum(alpha, 1e-12))
    enough = n >= FEWEST_POINTS
    out = [np.where(enough, one, np.nan) for one in (alpha, scale, floor, r2)]
    return PercentFits(alpha=out[0], scale=out[1], floor=out[2], r2=out[3])


def _closed_form(u: Array, y: Array, given: NDArray[np.bool_], alpha: Array) -> tuple[Array, Array, Array]:
    """Return the least squared error, floor and slope of ``floor + slope·exp(-alpha u)`` within bounds."""
    b = np.where(given, np.exp(-alpha[:, None] * u), 0.0)
    n, sb, sy = given.sum(axis=1), b.sum(axis=1), y.sum(axis=1)
    sbb, sby = (b * b).sum(axis=1), (b * y).sum(axis=1)
    det = n * sbb - sb**2
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(det > 1e-12 * n * sbb, (sbb * sy - sb * sby) / det, np.nan)
    free_slope = (sby - np.nan_to_num(free) * sb) / sbb
    inside = (free >= 0) & (free <= MAX_FLOOR) & (free_slope >= 0)
    options = [(np.where(inside, free, 0.0), np.where(inside, free_slope, 0.0), inside)]
    always = np.ones(len(y), bool)
    for edge in (0.0, MAX_FLOOR):
        floor = np.full(len(y), edge)
        options.append((floor, np.maximum((sby - edge * sb) / sbb, 0.0), always))
    options.append((np.clip(sy / n, 0.0, MAX_FLOOR), np.zeros(len(y)), always))
    errors = []
    for floor, slope, can in options:
        residual = np.where(given, y - floor[:, None] - slope[:, None] * b, 0.0)
        errors.append(np.where(can, (residual**2).sum(axis=1), np.inf))
    stacked = np.stack(errors)
    which, rows = stacked.argmin(axis=0), np.arange(len(y))
    floors, slopes = np.stack([o[0] for o in options]), np.stack([o[1] for o in options])
    return stacked[which, rows], floors[which, rows], slopes[which, rows]


def summarise(exponents: Array, *, level: float = 0.95) -> PublishedSummary:
    """Return the unweighted mean with its t interval, median and standard deviation.

    Examples
    --------
    >>> found = summarise(np.array([-0.1, -0.2, -0.3, -0.4]))
    >>> round(found.mean.value, 3), round(found.median, 3), found.n
    (-0.25, -0.25, 4)
    """
    from isoflop.stats.intervals import student_quantile

    n = len(exponents)
    if n == 0:
        raise EvidenceError(
            "sartor2024: no exponent in (−1, 0), needs at least 1. Use method 'hierarchical'."
        )
    centre = float(np.mean(exponents))
    if n == 1:
        only = Estimate(value=centre, unit="1")
        return PublishedSummary(mean=only, median=centre, sd=float("nan"), n=1)
    sd = float(np.std(exponents, ddof=1))
    half = student_quantile(0.5 + level / 2, n - 1) * sd / np.sqrt(n)
    mean = Estimate(value=centre, low=centre - half, high=centre + half, level=level, unit="1")
    return PublishedSummary(mean=mean, median=float(np.median(exponents)), sd=sd, n=n)


def welch(first: Array, second: Array, *, level: float = 0.95) -> Welch:
    """Compare the means of two groups of exponents (first − second).

    Raises
    ------
    EvidenceError
        A group has fewer than two exponents.

    Examples
    --------
    >>> found = welch(np.array([-0.4, -0.5, -0.45]), np.array([-0.1, -0.2, -0.12]))
    >>> round(found.difference.value, 2), found.stars
    (-0.31, '**')
    """
    from scipy.special import stdtr

    from isoflop.stats.intervals import student_quantile

    if min(len(first), len(second)) < 2:
        raise EvidenceError(
            f"welch: groups of {len(first)} and {len(second)}, needs 2 exponents in each. Add studies."
        )
    parts = [float(np.var(g, ddof=1)) / len(g) for g in (first, second)]
    variance = sum(parts)
    difference = float(np.mean(first) - np.mean(second))
    freedom = [part**2 / (len(g) - 1) for part, g in zip(parts, (first, second), strict=True)]
    df = variance**2 / sum(freedom) if variance > 0 else float(len(first) + len(second) - 2)
    t = difference / np.sqrt(variance) if variance > 0 else np.copysign(np.inf, difference)
    half = student_quantile(0.5 + level / 2, df) * np.sqrt(variance)
    estimate = Estimate(
        value=difference, low=difference - half, high=difference + half, level=level, unit="1"
    )
    return Welch(difference=estimate, t=float(t), df=float(df), p=float(2.0 * stdtr(df, -abs(t))))
