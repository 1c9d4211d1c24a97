"""Is a group more common in a part than in the whole? The ratio of its two shares, with an interval.

``R = (a / n) / (A / N)``: a members of the group among n in the part, A among N in the whole. The part
belongs to the whole, so numerator and denominator move together; the familiar variance for two
independent shares is too wide below 1 and too narrow above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, unit_level
from isoflop.stats.intervals import clopper_pearson, normal_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRatio:
    """Ratios of shares; NaN where the part or the group is empty.

    Parameters
    ----------
    value, low, high : arrays of any one shape
    se_log : array
        Standard error of the logarithm; NaN where the ratio is 0.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    se_log: FloatArray


def part_ratio(
    part_group: ArrayLike, part: ArrayLike, group: ArrayLike, whole: ArrayLike, level: float = 0.95
) -> PartRatio:
    """Return the share of a group within parts over its share of the whole.

    Parameters
    ----------
    part_group, part, group, whole : arrays that broadcast, counts
        a, n, A and N above; a <= min(n, A) and n - a <= N - A.
    level : float, in (0, 1)

    Returns
    -------
    PartRatio
        For a = 0 the ratio is 0, with Clopper and Pearson's upper end of a/n over A/N.

    Raises
    ------
    EvidenceError
        Counts that no table has.

    Notes
    -----
    Var log R = 1/a - 1/n - 1/A + 2a/(nA) - 1/N, by the delta method for a part of a whole.

    Examples
    --------
    >>> found = part_ratio(20, 100, 100, 1000)
    >>> float(found.value), round(float(found.low), 2), round(float(found.high), 2)
    (2.0, 1.4, 2.86)
    """
    z = normal_quantile(0.5 + unit_level("part_ratio", level) / 2)
    counts = (np.asarray(x, dtype=np.float64) for x in (part_group, part, group, whole))
    a, n, big_a, big_n = np.broadcast_arrays(*counts)
    if (a < 0).any() or (a > np.minimum(n, big_a)).any() or (n - a > big_n - big_a).any():
        raise EvidenceError(
            "part_ratio: counts of no table, needs 0 <= a <= n, a <= A and n - a <= N - A. Count the whole "
            "with its parts."
        )
    there, some = (n > 0) & (big_a > 0), (a > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        overall = big_a / big_n
        value = np.where(there, a / n / overall, np.nan)
        variance = 1 / a - 1 / n - 1 / big_a + 2 * a / (n * big_a) - 1 / big_n
        se = np.where(there & some, np.sqrt(np.maximum(variance, 0.0)), np.nan)
        low, high = value * np.exp(-z * se), value * np.exp(z * se)
        top = clopper_pearson(np.zeros_like(n), np.maximum(n, 1), level)[1] / overall
    empty = there & ~some
    return PartRatio(
        value=value, low=np.where(empty, 0.0, low), high=np.where(empty, top, high), se_log=np.asarray(se)
    )
