"""From a rate of progress with its interval to a yearly multiple and a halving time.

The rate has a sign and may be zero or without bound; a halving time exists only for a finite rate
above 0. Elsewhere it is missing: no negative and no infinite number of months leaves this module.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Estimate
from isoflop.units import halving_time_months, multiple_per_year

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LARGEST_RATE = 700.0
"""Rates above this have no multiple in double precision."""
HUGE_RATE = 1e6
"""Stands for an infinite rate among draws: ordered beyond every finite one, shown as open."""
MONTHS_AT_UNIT_RATE = halving_time_months(1.0)
"""12 ln2: the halving time in months is this over the rate in ln/yr."""
MEANING = "no progress not excluded"
"""What an interval of halving times that is open above means; goes to ``details["unbounded"]``."""


def yearly_multiple(rate: Estimate) -> Estimate:
    """Return e^rate with its interval, from a rate in ln/yr.

    Examples
    --------
    >>> yearly_multiple(Estimate(value=0.0, low=-1.0, high=1.0, unit="ln/yr")).low
    0.36787944117144233
    """
    found = rate.map(lambda r: multiple_per_year(r) if r < LARGEST_RATE else math.inf, unit="×/yr")
    return replace(found, interval="open_above") if rate.high is not None and found.high is None else found


def halving_months(rate_per_year: float | None) -> float | None:
    """Return 12 ln2/rate in months, or None where the rate is missing, not above 0 or without bound.

    Examples
    --------
    >>> halving_months(0.5), halving_months(-0.5), halving_months(0.0), halving_months(math.inf)
    (16.635532333438686, None, None, None)
    """
    if rate_per_year is None or not 0.0 < rate_per_year < HUGE_RATE:
        return None
    months = float(halving_time_months(rate_per_year))
    return months if math.isfinite(months) else None


def months_text(months: float | None, decimals: int = 1) -> str:
    """Return a halving time in words.

    Examples
    --------
    >>> months_text(6.08), months_text(None)
    ('6.1 months', 'no halving time')
    """
    return "no halving time" if months is None else f"{months:.{decimals}f} months"


def halving_time(rate: Estimate) -> Estimate:
    """Return 12 ln2/rate in months, from a rate in ln/yr; its interval is the rate's, inverted.

    Where the rate may be 0 the time has a lower bound only ("at least so many months, no progress
    not excluded"); where the rate has no upper bound the time has no lower one. A rate of 0 or below
    has no halving time: the value is missing, and so are the bounds if the whole interval lies there.

    Examples
    --------
    >>> halving_time(Estimate(value=0.7, low=-0.1, high=1.4, unit="ln/yr")).interval
    'open_above'
    >>> halving_time(Estimate(value=2.0, low=1.0, level=0.9, unit="ln/yr", interval="open_above")).interval
    'open_below'
    """
    from isoflop.stats.intervals import reciprocal

    bare = Estimate(value=halving_months(rate.value), level=rate.level, unit="months")
    if rate.low is None and rate.high is None:
        return replace(bare, interval=rate.interval)
    try:
        found = reciprocal(rate.low, rate.high, scale=MONTHS_AT_UNIT_RATE, signed=False)
    except NotIdentifiedError:
        return bare
    if rate.high is None:
        # high is None too where the rate may be 0: then nothing is excluded
        return replace(bare, high=found.high, interval="open_above" if found.high is None else "open_below")
    return replace(
        bare, low=found.low, high=found.high, interval="closed" if found.high is not None else "open_above"
    )


def rate_between(point: float, low: float, high: float, level: float) -> Estimate:
    """Return a rate in ln/yr whose ends beyond `HUGE_RATE` are open.

    Examples
    --------
    >>> rate_between(1.0, 0.5, math.inf, 0.95).interval
    'open_above'
    """
    open_low, open_high = abs(low) >= HUGE_RATE, abs(high) >= HUGE_RATE
    return Estimate(
        value=point,
        low=None if open_low else float(low),
        high=None if open_high else float(high),
        level=level,
        unit="ln/yr",
        interval="open_above" if open_high else "open_below" if open_low else "closed",
    )


def rate_from_draws(point: float, draws: ArrayLike, level: float) -> Estimate:
    """Return a rate in ln/yr with percentiles of its draws; failed draws (NaN) are left out.

    Parameters
    ----------
    point : float
    draws : array, shape (R,)
        Rates in ln/yr; infinite ones leave the end of the interval open.
    level : float in (0, 1)
    """
    import numpy as np

    known: Any = np.asarray(draws, float)
    known = np.clip(known[~np.isnan(known)], -HUGE_RATE, HUGE_RATE)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return rate_between(point, float(low), float(high), level)
