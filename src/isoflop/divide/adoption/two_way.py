"""Shares by year at a fixed mix of venues: a multiplicative effect for each venue and each year.

Where venues come and go, the crude share of a year is the share of the venues that happen to be there.
The model is rate(v, y) = a_v b_y; its Poisson likelihood is maximal where the fitted counts of every venue
and every year equal those seen, which alternate scaling reaches. The standardised share of year y is
sum_v w_v a_v b_y, with w_v the venue's part of all papers over all years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SWEEPS = 400
CLOSE = 1e-8
"""Relative change of the year effects at which scaling stops; intervals are a million times wider."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class YearEffects:
    """Standardised shares.

    Parameters
    ----------
    share : array, shape (y,) or (reps, y)
        NaN where the venues of the year are tied to no other year with papers that count.
    linked : bool array, shape (y,)
        Years that the largest set of tied venues reaches.
    mix : array, shape (y,) or (reps, y)
        Share at the fixed mix over the share at the mix of the year.
    """

    share: FloatArray
    linked: BoolArray
    mix: FloatArray


def year_effects(k: FloatArray, n: FloatArray) -> YearEffects:
    """Return the share of each year at the mix of venues of all years.

    Parameters
    ----------
    k : array, shape (v, y) or (reps, v, y), 0 <= k <= n
        Papers that count, by venue and year.
    n : array, shape (v, y)
        All papers.

    Examples
    --------
    >>> n = np.array([[100.0, 100.0], [100.0, 0.0]])
    >>> effects = year_effects(np.array([[10.0, 20.0], [2.0, 0.0]]), n)
    >>> effects.share.round(3).tolist()
    [0.073, 0.147]
    """
    one = k.ndim == 2
    counts = k[None] if one else k
    linked = _linked(counts.sum(axis=0) > 0, n)
    weight = n.sum(axis=1) / n.sum()
    venue, year = np.ones(counts.shape[:2]), np.ones((counts.shape[0], counts.shape[2]))
    by_venue, by_year = counts.sum(axis=2), counts.sum(axis=1)
    for _ in range(SWEEPS):
        venue = by_venue / np.maximum(year @ n.T, 1e-300)
        # Only the product of the effects is identified: the mean venue is set to 1.
        venue /= np.maximum((venue @ weight)[:, None], 1e-300)
        before, year = year, by_year / np.maximum(venue @ n, 1e-300)
        year = np.where(by_year > 0, year, 0.0)
        if np.all(np.abs(year - before) <= CLOSE * np.maximum(year, 1e-12)):
            break
    usual = venue @ n / np.maximum(n.sum(axis=0), 1.0)
    mix = np.divide((venue @ weight)[:, None], usual, out=np.full_like(usual, np.nan), where=usual > 0)
    share = np.where(linked, year * (venue @ weight)[:, None], np.nan)
    return YearEffects(share=share[0] if one else share, linked=linked, mix=mix[0] if one else mix)


def _linked(counted: BoolArray, n: FloatArray) -> BoolArray:
    """Return the years that can be compared: joined by venues which have papers that count."""
    useful = np.asarray((n > 0) & counted.any(axis=1, keepdims=True))
    best = np.zeros(n.shape[1], dtype=bool)
    left = np.asarray(useful.any(axis=0))
    while left.any():
        years = np.zeros(n.shape[1], dtype=bool)
        years[int(np.argmax(left))] = True
        grown = True
        while grown:
            venues = (useful & years).any(axis=1, keepdims=True)
            more = np.asarray((useful & venues).any(axis=0) | years)
            grown, years = bool((more != years).any()), more
        best = years if n[:, years].sum() > n[:, best].sum() else best
        left &= ~years
    return best
