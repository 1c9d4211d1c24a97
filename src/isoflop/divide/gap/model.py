"""The regression behind the gap: one line for academia, one for industry, and their distance.

``log10 C = a + b (t - 2018) + c ind + d ind (t - 2018)``, ind = 1 for industry, so that
``gap(Y) = c + d (Y + 0.5 - 2018)`` orders of magnitude in the middle of year Y, and d is its change a year.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.growth.slope import EPOCH, check_dates
from isoflop.errors import SettingError, closest
from isoflop.findings import Estimate
from isoflop.stats.intervals import student_quantile
from isoflop.stats.regression import linear_regression
from isoflop.stats.trend import fit_lines

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Cov = Literal["hc1", "ols", "cluster"]

COVS: dict[Cov, str] = {
    "hc1": "robust to unequal spread (HC1), normal quantiles",
    "ols": "equal spread, Student's t",
    "cluster": "robust to dependence within organisations, normal quantiles",
}
"""Kinds of covariance by name."""
UNIT = "orders of magnitude"
_STATS: dict[Cov, Literal["HC1", "classical", "CR1"]] = {"hc1": "HC1", "ols": "classical", "cluster": "CR1"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GapFit:
    """The four coefficients a, b, c, d with their covariance.

    Parameters
    ----------
    coefficients : array, shape (4,)
    covariance : array, shape (4, 4)
    df : float
        Degrees of freedom of the quantiles; infinite for normal ones.
    cov : {"hc1", "ols", "cluster"}
    n, n_clusters : int
    residuals : array, shape (n,)
        log10 compute minus its line.
    """

    coefficients: FloatArray
    covariance: FloatArray
    df: float
    cov: Cov
    n: int
    n_clusters: int
    residuals: FloatArray

    def at(self, year: int, level: float = 0.95) -> Estimate:
        """Return the gap in the middle of a calendar year."""
        return self._contrast(gap_vector(year), level, UNIT)

    def widening(self, level: float = 0.95) -> Estimate:
        """Return d, the change of the gap a year."""
        return self._contrast(np.array([0.0, 0.0, 0.0, 1.0]), level, f"{UNIT}/yr")

    def se(self, vector: FloatArray) -> float:
        """Return the standard error of a combination of the coefficients, by the delta method."""
        return math.sqrt(float(vector @ self.covariance @ vector))

    @property
    def p_widening(self) -> float:
        """Two-sided p of d against 0."""
        from scipy.special import ndtr, stdtr

        spread = math.sqrt(float(self.covariance[3, 3]))
        if spread == 0:
            return 0.0 if self.coefficients[3] else 1.0
        size = abs(float(self.coefficients[3])) / spread
        return float(2 * (ndtr(-size) if math.isinf(self.df) else stdtr(self.df, -size)))

    def _contrast(self, vector: FloatArray, level: float, unit: str) -> Estimate:
        value = float(vector @ self.coefficients)
        half = student_quantile((1 + level) / 2, self.df) * self.se(vector)
        return Estimate(value=value, low=value - half, high=value + half, level=level, unit=unit)


def gap_vector(year: int) -> FloatArray:
    """Return the combination of coefficients that is the gap in the middle of `year`.

    Examples
    --------
    >>> gap_vector(2022).tolist()
    [0.0, 0.0, 1.0, 4.5]
    """
    return np.array([0.0, 0.0, 1.0, year + 0.5 - EPOCH])


def gap_design(t: FloatArray, industry: BoolArray) -> FloatArray:
    """Return the design of the regression, shape (n, 4)."""
    u, ind = t - EPOCH, industry.astype(float)
    return np.column_stack([np.ones(t.size), u, ind, ind * u])


def fit_gap(
    t: FloatArray,
    log10_flop: FloatArray,
    industry: BoolArray,
    *,
    cov: Cov = "hc1",
    codes: NDArray[np.int64] | None = None,
) -> GapFit:
    """Fit the two lines.

    Parameters
    ----------
    t, log10_flop : arrays, shape (n,)
    industry : array of bool, shape (n,)
        True for industry; the others are academia.
    cov : {"hc1", "ols", "cluster"}
    codes : array, shape (n,), or None
        Organisation of each row; needed by ``"cluster"``.

    Raises
    ------
    NoFitError
        A sector has fewer than three distinct dates.

    Notes
    -----
    The clustered covariance is multiplied by G/(G-1) (n-1)/(n-4), G the number of organisations.

    Examples
    --------
    >>> t = np.array([2012.0, 2016.0, 2020.0] * 2)
    >>> industry = np.array([False] * 3 + [True] * 3)
    >>> fit = fit_gap(t, 0.5 * (t - 2018) + industry + [0.1, -0.2, 0.1, 0.1, -0.2, 0.1], industry)
    >>> round(fit.at(2022).value, 9)
    1.0
    """
    check_cov(cov)
    for sector, rows in (("academia", ~industry), ("industry", industry)):
        check_dates(t[rows], f"gap, {sector}")
    if cov == "cluster" and codes is None:
        raise SettingError(
            "fit_gap: cov='cluster' and no codes, needs the organisation of each row. Pass it."
        )
    fit = linear_regression(
        gap_design(t, industry),
        log10_flop,
        covariance=_STATS[cov],
        codes=codes if cov == "cluster" else None,
    )
    return GapFit(
        coefficients=fit.coefficients,
        covariance=fit.covariance,
        df=float(fit.df) if cov == "ols" else math.inf,
        cov=cov,
        n=fit.n,
        n_clusters=fit.n_clusters if cov == "cluster" else 0,
        residuals=fit.residuals,
    )


def gap_draws(
    t: FloatArray,
    log10_flop: FloatArray,
    industry: BoolArray,
    years: tuple[int, ...],
    *,
    weights: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return the gap at each year, shape (reps, years), and d, shape (reps,), over replicates.

    Parameters
    ----------
    t, industry : arrays, shape (n,)
    log10_flop : array, shape (n,) or (reps, n)
    years : tuple of int
    weights : array, shape (reps, n), or None

    Notes
    -----
    The regression is saturated in the sector, so a replicate is two separate lines.
    """
    lines = fit_lines(t, log10_flop, groups=[~industry, industry], weights=weights, origin=EPOCH)
    heights = np.stack([lines.at(year + 0.5) for year in years], axis=-1)
    return heights[..., 1, :] - heights[..., 0, :], lines.slope[..., 1] - lines.slope[..., 0]


def rough_factor(oom: float) -> float:
    """Return 10 to a power with two significant digits, for prose.

    Examples
    --------
    >>> rough_factor(2.0205), rough_factor(0.5)
    (100.0, 3.2)
    """
    return float(f"{10.0**oom:.1e}")


def check_cov(cov: str) -> None:
    """Refuse an unknown kind of covariance."""
    if cov not in get_args(Cov):
        near = closest(cov, COVS)
        hint = f"Did you mean {near!r}?" if near else "Use 'hc1'."
        raise SettingError(f"gap: cov={cov!r}, must be one of {', '.join(COVS)}. {hint}")
