"""From a rate of progress with its interval to a yearly multiple and a halving time."""

from __future__ import annotations

import math
from dataclasses import replace

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Estimate
from isoflop.units import halving_time_months, multiple_per_year

LARGEST_RATE = 700.0
"""Rates above this have no multiple in double precision."""


def yearly_multiple(rate: Estimate) -> Estimate:
    """Return e^rate with its interval, from a rate in ln/yr.

    Examples
    --------
    >>> yearly_multiple(Estimate(value=0.0, low=-1.0, high=1.0, unit="ln/yr")).low
    0.36787944117144233
    """
    found = rate.map(lambda r: multiple_per_year(r) if r < LARGEST_RATE else math.inf, unit="×/yr")
    return replace(found, interval="open_above") if rate.high is not None and found.high is None else found


def halving_time(rate: Estimate) -> Estimate:
    """Return 12 ln2/rate in months, from a rate in ln/yr.

    Where the rate may be 0 the time has a lower bound only ("at least so many months, no progress
    not excluded"). A rate of 0 or below has no halving time: the value is missing.

    Examples
    --------
    >>> halving_time(Estimate(value=0.7, low=-0.1, high=1.4, unit="ln/yr")).interval
    'open_above'
    """
    from isoflop.stats.intervals import reciprocal

    value = halving_time_months(rate.value) if rate.value is not None and rate.value > 0 else None
    bare = replace(rate, value=value, low=None, high=None, unit="months", interval="closed")
    if rate.low is None and rate.high is None:
        return bare
    try:
        found = reciprocal(rate.low, rate.high, scale=12.0 * math.log(2.0), signed=False)
    except NotIdentifiedError:
        return bare
    if found.kind == "open_above":
        return replace(bare, low=found.low, interval="open_above")
    return replace(bare, low=found.low, high=found.high)
