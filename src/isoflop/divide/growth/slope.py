"""The slope of log compute on time with its interval, and the doubling time that follows from it.

``doubling time = 12 / slope`` months with the slope in doublings a year. Its interval is the slope's,
inverted: where the slope may be 0 the doubling time has no upper end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.growth.settings import HC1, OLS, Cluster, IntervalKind
from isoflop.errors import NoFitError
from isoflop.findings import MAX_DRAWS, Estimate
from isoflop.stats.intervals import reciprocal, student_quantile
from isoflop.stats.trend import fit_lines

FloatArray = NDArray[np.float64]

LOG10_2 = math.log10(2.0)
LEAST_DATES = 3
"""Two dates always lie on a line."""
EPOCH = 2018.0
"""Year at which levels are read: the middle of the data, so that level and slope hardly correlate."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slope:
    """Doublings of compute a year, with an interval of one kind.

    Parameters
    ----------
    value, low, high : float
        Doublings/yr.
    level : float
        Of the interval.
    kind : str
        Name of the kind of interval.
    draws : array
        Slopes of the replicates; of an interval without draws, equal-probability quantiles.
    n, n_clusters : int
        Rows, and organisations among them.
    failed : int
        Replicates whose systems share one date, left out.
    """

    value: float
    low: float
    high: float
    level: float
    kind: str
    draws: FloatArray
    n: int
    n_clusters: int
    failed: int = 0

    def doubling_months(self) -> Estimate:
        """Return the doubling time in months; see `doubling_time`."""
        return doubling_time(self.value, self.low, self.high, level=self.level)

    def per_year(self) -> Estimate:
        """Return growth as a factor a year."""
        return self._estimate("×/yr", lambda slope: float(2.0**slope))

    def oom_per_year(self) -> Estimate:
        """Return growth in orders of magnitude a year."""
        return self._estimate("OOM/yr", lambda slope: slope * LOG10_2)

    def _estimate(self, unit: str, of: Callable[[float], float]) -> Estimate:
        value, low, high = (of(slope) for slope in (self.value, self.low, self.high))
        return Estimate(value=value, low=low, high=high, level=self.level, unit=unit)


def doubling_time(value: float, low: float, high: float, *, level: float) -> Estimate:
    """Return 12/slope months with the slope's interval inverted.

    Parameters
    ----------
    value, low, high : float
        Slope in doublings/yr, low <= high.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        Closed where low > 0. Open above where the slope may be 0 or less: at least 12/high months, or never.
        Without a value where the point does not rise; wholly empty where nothing rising is in the interval.

    Examples
    --------
    >>> doubling_time(2.0, 1.5, 2.4, level=0.95).high
    8.0
    >>> found = doubling_time(0.5, -0.1, 1.0, level=0.95)
    >>> found.low, found.high, found.interval
    (12.0, None, 'open_above')
    """
    if high <= 0:
        return Estimate(value=None, unit="months")
    inverted = reciprocal(low, high, 12.0, signed=False)
    return Estimate(
        value=12 / value if value > 0 else None,
        low=inverted.low,
        high=inverted.high,
        level=level,
        unit="months",
        interval="closed" if inverted.high is not None else "open_above",
    )


def fit_slope(
    t: FloatArray,
    log10_flop: FloatArray,
    kind: IntervalKind,
    codes: NDArray[np.int64],
    *,
    level: float = 0.95,
) -> Slope:
    """Fit log2 compute on time by least squares.

    Parameters
    ----------
    t : array, shape (n,)
        Fractional years.
    log10_flop : array, shape (n,)
    kind : IntervalKind
    codes : array of int, shape (n,)
        Organisation of each row.
    level : float

    Raises
    ------
    NoFitError
        Fewer than three distinct dates, or no more than two rows.

    Examples
    --------
    >>> t = np.array([2012.0, 2014.0, 2016.0, 2018.0])
    >>> noise = np.array([0.1, -0.1, -0.1, 0.1])
    >>> round(fit_slope(t, 0.6 * t + noise, OLS(), np.arange(4)).oom_per_year().value, 9)
    0.6
    """
    check_dates(t, "fit_slope")
    n_clusters = len(np.unique(codes))
    if isinstance(kind, OLS | HC1):
        from isoflop.stats.regression import linear_regression

        design = np.column_stack([np.ones(t.size), t - EPOCH])
        covariance = "classical" if isinstance(kind, OLS) else "HC1"
        fit = linear_regression(design, log10_flop / LOG10_2, covariance=covariance)  # type: ignore[arg-type]
        low, high = (float(end[1]) for end in fit.interval(level))
        value, failed = float(fit.coefficients[1]), 0
        draws = value + float(fit.standard_errors[1]) * _student_quantiles(fit.df)
    else:
        from isoflop.stats.draws import percentile_interval
        from isoflop.stats.resample import replicate_weights

        value = float(fit_lines(t, log10_flop).slope) / LOG10_2
        clusters = codes if isinstance(kind, Cluster) else None
        weights = replicate_weights(kind.seed, t.size, 0, kind.reps, clusters)
        draws = fit_lines(t, log10_flop, weights=weights).slope / LOG10_2
        ends = percentile_interval(draws, level, on_failed="count")
        low, high, failed = ends.low, ends.high, ends.n_failed
        draws = draws[np.isfinite(draws)]
    return Slope(
        value=value,
        low=low,
        high=high,
        level=level,
        kind=kind.name,
        draws=draws,
        n=t.size,
        n_clusters=n_clusters,
        failed=failed,
    )


def _student_quantiles(df: float) -> FloatArray:
    """Return quantiles of Student's t at equal steps of probability."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(df, (np.arange(MAX_DRAWS) + 0.5) / MAX_DRAWS))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """The line and its pointwise interval over a grid of years, log10 FLOP; shape (m,) each."""

    year: FloatArray
    line: FloatArray
    low: FloatArray
    high: FloatArray


def trend_band(t: FloatArray, log10_flop: FloatArray, *, level: float = 0.95, points: int = 25) -> Band:
    """Return the line from the first to the last date with a pointwise HC1 interval."""
    from isoflop.stats.regression import linear_regression

    design = np.column_stack([np.ones(t.size), t - EPOCH])
    fit = linear_regression(design, log10_flop, covariance="HC1")
    grid = np.linspace(float(t.min()), float(t.max()), points)
    at = np.column_stack([np.ones(points), grid - EPOCH])
    line = at @ fit.coefficients
    half = student_quantile((1 + level) / 2, fit.df) * np.sqrt(
        np.einsum("ij,jk,ik->i", at, fit.covariance, at)
    )
    return Band(year=grid, line=line, low=line - half, high=line + half)


def check_dates(t: FloatArray, where: str) -> None:
    """Refuse a trend over fewer than three distinct dates."""
    distinct = len(np.unique(t))
    if distinct < LEAST_DATES:
        raise NoFitError(
            f"{where}: {distinct} distinct date{'' if distinct == 1 else 's'}, a trend needs at least "
            f"{LEAST_DATES}. Add systems of other dates, or widen the span."
        )
