"""How each family's capability rises with compute: S = ν_f + ω_f (ln C − mean), slopes partly pooled.

A family of two or three models says little about its own slope, and one model nothing. Slopes are
drawn to the common one by how much families truly differ (REML), which families of one model take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.scaling.model import Array

LEAST_RATIO = 2.0
"""Compute must differ by this factor within a family for a slope of its own: below, recipes differ more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyLines:
    """Lines of one component, by family.

    Parameters
    ----------
    names : tuple of str
    intercept, slope : arrays, shape (F,)
        At mean ln compute; per unit of ln compute.
    own_slope : array, shape (F,)
        Without pooling; NaN for families whose compute differs by less than a factor of two.
    common : float
        The mean slope.
    tau : float
        Standard deviation of true slopes over families.
    middle : float
        Mean ln compute.
    """

    names: tuple[str, ...]
    intercept: Array
    slope: Array
    own_slope: Array
    common: float
    tau: float
    middle: float


def fit_families(values: Array, log_flop: Array, families: list[str]) -> FamilyLines:
    """Fit lines with partly pooled slopes.

    Parameters
    ----------
    values, log_flop : arrays, shape (n,)
    families : list of n names

    Raises
    ------
    EvidenceError
        No family has two models of different compute.
    """
    names = tuple(dict.fromkeys(families))
    code = np.array([names.index(family) for family in families])
    middle = float(log_flop.mean())
    x = log_flop - middle
    size = np.bincount(code)
    mean_x, mean_y = np.bincount(code, x) / size, np.bincount(code, values) / size
    dx, dy = x - mean_x[code], values - mean_y[code]
    spread = np.bincount(code, dx**2)
    reach = np.array([np.ptp(x[code == f]) for f in range(len(names))])
    several = reach >= np.log(LEAST_RATIO)
    if not several.any():
        raise EvidenceError(
            "observe: no family has models a factor of two apart in training compute, needs one. Add models."
        )
    own = np.where(several, np.bincount(code, dx * dy) / np.where(several, spread, 1.0), np.nan)
    left = dy - np.where(several[code], own[code], 0.0) * dx
    spare = int(size[several].sum() - 2 * several.sum())
    noise = float(left[several[code]] @ left[several[code]] / max(spare, 1))
    variance = max(noise, 1e-12) / spread[several]
    common, tau2 = _pooled(own[several], variance)
    slope = np.full(len(names), common)
    trust = tau2 / (tau2 + variance)
    slope[several] = trust * own[several] + (1 - trust) * common
    return FamilyLines(
        names=names,
        intercept=mean_y - slope * mean_x,
        slope=slope,
        own_slope=own,
        common=common,
        tau=float(np.sqrt(tau2)),
        middle=middle,
    )


def _pooled(slopes: Array, variance: Array) -> tuple[float, float]:
    """Return mean and variance of true slopes by REML; equal weights of one family give no variance."""
    if len(slopes) < 2:
        return float(slopes[0]), 0.0
    from isoflop.stats.meta import pool

    found = pool(slopes, variance, tau2="REML", test="z")
    return float(found.coefficients[0]), float(found.tau2)
