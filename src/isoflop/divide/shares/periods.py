"""Which years are compared: early and late 2010s by default, else the ends of the table."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isoflop.divide.model import FIRST, LAST, Period
from isoflop.errors import EvidenceError

FEW = 10
"""A period with fewer systems than this is too small to stand at an end of the comparison."""
SPAN = 3
"""Calendar years of a period."""


def default_periods(year: ArrayLike, where: str) -> tuple[tuple[Period, Period], str]:
    """Return the first and last period to compare, and how they were chosen.

    2012-14 and 2020-22 where each holds at least ten systems. Else the first and the last three calendar
    years in a row that hold ten together.

    Parameters
    ----------
    year : array of int, shape (n,)
        Calendar year of each system of known team.
    where : str
        Name of the table, for messages.

    Raises
    ------
    EvidenceError
        The table has no two such periods apart.

    Examples
    --------
    >>> periods, how = default_periods([2005] * 10 + [2015] * 12, "made up")
    >>> [str(p) for p in periods]
    ['2005-07', '2013-15']
    """
    years = np.asarray(year)

    def count(period: Period) -> int:
        return int(((years >= period.first) & (years <= period.last)).sum())

    if count(FIRST) >= FEW and count(LAST) >= FEW:
        return (FIRST, LAST), "the early 2010s and the early 2020s, as in the published comparison"
    windows = [
        Period(first=start, last=start + SPAN - 1)
        for start in range(int(years.min()), int(years.max()) - SPAN + 2)
    ]
    full = [window for window in windows if count(window) >= FEW]
    if not full or full[0].last >= full[-1].first:
        some = f"{years.size} system{'' if years.size == 1 else 's'}"
        raise EvidenceError(
            f"{where}: {some} of known team from {years.min()} to {years.max()}, needs two separate spans of "
            f"{SPAN} years with {FEW} each. Name periods yourself, such as 2012-2014 and 2020-2022."
        )
    return (full[0], full[-1]), f"the first and last {SPAN} years in a row with at least {FEW} systems"
