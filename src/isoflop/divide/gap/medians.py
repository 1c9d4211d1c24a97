"""The gap without a model: the difference of median compute, period by period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import Period
from isoflop.findings import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST = 5
"""Systems a sector needs in a period for the interval; below it the median jumps from row to row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianGap:
    """Median log10 compute of industry minus that of academia in one period.

    Parameters
    ----------
    period : Period
    n_academia, n_industry : int
    gap : Estimate
        Without a value where a sector has no system; without ends where one has fewer than five.
    """

    period: Period
    n_academia: int
    n_industry: int
    gap: Estimate


def median_gaps(
    year: NDArray[np.int64],
    log10_flop: FloatArray,
    industry: BoolArray,
    periods: Sequence[Period],
    weights: FloatArray,
    *,
    level: float = 0.95,
) -> tuple[MedianGap, ...]:
    """Return the median gap of each period with percentiles over replicates.

    Parameters
    ----------
    year, log10_flop, industry : arrays, shape (n,)
    periods : sequence of Period
    weights : array, shape (reps, n)
        Replicates of rows or of organisations.
    level : float
    """
    found = []
    for period in periods:
        inside = (year >= period.first) & (year <= period.last)
        sides = [inside & ~industry, inside & industry]
        n_academia, n_industry = (int(side.sum()) for side in sides)
        value = low = high = None
        if n_academia and n_industry:
            value = float(np.median(log10_flop[sides[1]]) - np.median(log10_flop[sides[0]]))
        if min(n_academia, n_industry) >= LEAST:
            draws = [weighted_median(log10_flop[side], weights[:, side]) for side in sides]
            apart = draws[1] - draws[0]
            apart = apart[np.isfinite(apart)]
            low, high = (float(end) for end in np.quantile(apart, [(1 - level) / 2, (1 + level) / 2]))
        found.append(
            MedianGap(
                period=period,
                n_academia=n_academia,
                n_industry=n_industry,
                gap=Estimate(
                    value=value,
                    low=low,
                    high=high,
                    level=None if low is None else level,
                    unit="orders of magnitude",
                ),
            )
        )
    return tuple(found)


def weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the lower weighted median of `values` (n,) in each replicate of `weights` (reps, n).

    NaN where a replicate holds no row.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([[1, 1, 1], [5, 1, 1], [0, 0, 0]])).tolist()
    [2.0, 3.0, nan]
    """
    order = np.argsort(values)
    upto = np.cumsum(weights[:, order], axis=1)
    total = upto[:, -1:]
    place = (upto >= total / 2).argmax(axis=1)
    return np.where(total[:, 0] > 0, values[order][place], np.nan)
