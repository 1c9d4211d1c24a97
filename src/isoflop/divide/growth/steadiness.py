"""Is one straight line enough? The bend of the trend, and what simpler rules would have foretold.

A log-linear trend is an assumption, so a squared term is fitted beside it. And it must earn its keep:
fitted to the earlier systems it is compared, on the later ones, with the last year's mean and with a
doubling in 24 months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.growth.slope import LOG10_2
from isoflop.stats.trend import fit_lines

FloatArray = NDArray[np.float64]

MOORE_MONTHS = 24.0
"""Doubling time of the baseline: transistors on a chip, in Moore's words of 1975."""
HELD_OUT_YEARS = 3
LEAST_ROWS = 10
"""Rows needed on each side of the split, and for a squared term."""
BENT = 0.05
"""Below this p of the squared term a caution is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """The squared term of log10 compute on time.

    Parameters
    ----------
    oom_per_year2 : float
        Change of the slope, orders of magnitude per year, each year.
    p : float
        Against 0, HC1, Student's t.
    first, last : float
        Dates, in years, between which the slopes are read.
    first_months, last_months : float or None
        Doubling time of the curve there; None where it falls.
    """

    oom_per_year2: float
    p: float
    first: float
    last: float
    first_months: float | None
    last_months: float | None

    @property
    def bent(self) -> bool:
        """Whether the squared term speaks against one straight line."""
        return self.p < BENT

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How far a rule fitted to earlier systems misses the later ones.

    Parameters
    ----------
    rule : str
    rmse_oom, bias_oom : float
        Root mean square error, and mean of observed minus foretold, in orders of magnitude.
    n_before, n_after : int
    split : int
        First calendar year foretold.
    """

    rule: str
    rmse_oom: float
    bias_oom: float
    n_before: int
    n_after: int
    split: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__}


def bend(t: FloatArray, log10_flop: FloatArray) -> Bend | None:
    """Return the squared term of the trend, or None with fewer than ten rows or four dates.

    The slopes are read a quarter of the rows in from each end, where the curve is held by data.
    """
    from isoflop.stats.regression import linear_regression

    if t.size < LEAST_ROWS or len(np.unique(t)) < 4:
        return None
    middle = float(t.mean())
    u = t - middle
    fit = linear_regression(np.column_stack([np.ones(t.size), u, u**2]), log10_flop, covariance="HC1")
    first, last = (float(year) for year in np.quantile(t, [0.25, 0.75]))
    slopes = [
        float(fit.coefficients[1] + 2 * fit.coefficients[2] * (year - middle)) for year in (first, last)
    ]
    months = [12 * LOG10_2 / slope if slope > 0 else None for slope in slopes]
    return Bend(
        oom_per_year2=float(2 * fit.coefficients[2]),
        p=float(fit.p_values()[2]),
        first=first,
        last=last,
        first_months=months[0],
        last_months=months[1],
    )


def forecasts(t: FloatArray, log10_flop: FloatArray) -> tuple[Forecast, ...]:
    """Compare the trend with simpler rules on the last three calendar years.

    Empty where either side of the split holds fewer than ten systems.

    Examples
    --------
    >>> t = np.arange(2012.0, 2024.0, 0.25)
    >>> found = {one.rule: round(one.rmse_oom, 6) for one in forecasts(t, 0.6 * t)}
    >>> found["trend"], found["last year's mean"] > found["doubling in 24 months"]
    (0.0, True)
    """
    year = np.floor(t).astype(int)
    split = int(year.max()) - HELD_OUT_YEARS + 1
    before, after = year < split, year >= split
    if min(before.sum(), after.sum()) < LEAST_ROWS or len(np.unique(t[before])) < 3:
        return ()
    line = fit_lines(t[before], log10_flop[before], origin=float(split))
    last = year[before].max()
    recent = year == last
    level, centre = float(log10_flop[recent].mean()), float(t[recent].mean())
    later = t[after]
    rules = {
        "trend": line.level + line.slope * (later - line.origin),
        "last year's mean": np.full(later.size, level),
        "doubling in 24 months": level + 12 * LOG10_2 / MOORE_MONTHS * (later - centre),
    }
    return tuple(
        Forecast(
            rule=rule,
            rmse_oom=float(np.sqrt(np.mean((log10_flop[after] - foretold) ** 2))),
            bias_oom=float(np.mean(log10_flop[after] - foretold)),
            n_before=int(before.sum()),
            n_after=int(after.sum()),
            split=split,
        )
        for rule, foretold in rules.items()
    )
