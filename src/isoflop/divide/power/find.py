"""How many systems per sector and year are needed to see the gap widen by a given amount?

With m systems a sector and year spread evenly over T years, the variance of the difference of slopes is
``D (s_A^2 + s_I^2) / (m T^3 / 12)``: s the spread around each sector's line, D how much more the clustered
covariance says than independent systems would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.chosen import chosen
from isoflop.divide.gap.model import fit_gap
from isoflop.divide.model import SECTORS, Filter, TeamRule
from isoflop.divide.power.result import DividePower, Need
from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import normal_quantile

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table

DIFFERENCES = (0.05, 0.1, 0.15, 0.2)
"""Widening a year, orders of magnitude: from a tenth to a third of the growth of all systems."""
YEARS = (5, 10, 15)
POWER = 0.8
ON_THE_LINE = 1e-9
"""Orders of magnitude that are rounding, not spread."""


def power(
    models: Sample | Table | Any,
    *,
    differences: Sequence[float] = DIFFERENCES,
    years: Sequence[int] = YEARS,
    power: float = POWER,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
) -> DividePower:
    """Find how many systems it takes to see the gap widen, given the spread of these.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``; gives spread and dependence.
    differences : sequence of float, > 0
        Widening to be seen, orders of magnitude a year.
    years : sequence of int, >= 2
        Years over which systems are spread evenly.
    power : float, in (0, 1)
        Chance of seeing it.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.
    level : float, in (0, 1)
        Of the two-sided test.

    Returns
    -------
    DividePower

    Raises
    ------
    EvidenceError
        A sector has no system, or compute has no spread.
    NoFitError
        A sector has fewer than three distinct dates.

    Notes
    -----
    Normal quantiles. Our own calculation [D].

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = power(load("notable_systems"), differences=[0.1, 0.2], years=[10], filter="none")
    >>> found.needs[0].systems_per_year > found.needs[1].systems_per_year
    True
    """
    unit_level("power", level)
    unit_level("power", power)
    wrong = [d for d in differences if not (math.isfinite(d) and d > 0)]
    if wrong or not differences:
        raise SettingError(
            f"power: difference {wrong[0] if wrong else 'of none'}, must be > 0. Write 0.1 orders of "
            "magnitude a year, say."
        )
    short = [span for span in years if span < 2]
    if short or not years:
        raise SettingError(f"power: {short[0] if short else 'no'} years, needs at least 2. Write 10, say.")
    sample = chosen(models, rule=rule, filter=filter)
    pair = sample.of_team(*SECTORS)
    t, y, industry, codes = pair.t, pair.log10_flop, pair.team == "industry", pair.clusters
    if industry.all() or not industry.any():
        absent = SECTORS[0] if industry.any() else SECTORS[1]
        raise EvidenceError(
            f"{sample.table.name}: no system of {absent} alone with compute and date, power needs both "
            "sectors. Loosen the filter, or code the teams."
        )
    robust = fit_gap(t, y, industry, cov="hc1")
    if float(np.abs(robust.residuals).max()) < ON_THE_LINE:
        raise EvidenceError(
            f"{sample.table.name}: all {pair.n} systems lie on their sector's line, power needs a spread "
            "around it. Check the column train_flop."
        )
    clustered = fit_gap(t, y, industry, cov="cluster", codes=codes) if len(np.unique(codes)) > 1 else robust
    spread = tuple(
        math.sqrt(float(rest @ rest) / max(rest.size - 2, 1))
        for rest in (robust.residuals[~industry], robust.residuals[industry])
    )
    # Dependence can only cost: a clustered variance below the robust one is luck of few clusters.
    alone, joint = float(robust.covariance[3, 3]), float(clustered.covariance[3, 3])
    inflation = max(1.0, joint / alone) if alone > 0 else 1.0
    reach = normal_quantile((1 + level) / 2) + normal_quantile(power)
    se = math.sqrt(alone * inflation)
    variance = inflation * (spread[0] ** 2 + spread[1] ** 2)
    return DividePower(
        sample=sample,
        needs=tuple(
            Need(
                difference=float(d),
                years=int(span),
                systems_per_year=systems_per_year(float(d), int(span), variance, reach),
            )
            for span in years
            for d in differences
        ),
        detectable=reach * se,
        observed=float(robust.coefficients[3]),
        spread_academia=spread[0],
        spread_industry=spread[1],
        inflation=inflation,
        per_year=(_per_year(t[~industry]), _per_year(t[industry])),
        n=pair.n,
        power=power,
        level=level,
    )


def systems_per_year(difference: float, years: int, variance: float, reach: float) -> float:
    """Return m, systems a sector and year, at which the difference of slopes is seen.

    Parameters
    ----------
    difference : float
        Orders of magnitude a year.
    years : int
    variance : float
        Sum of both sectors' squared spread, times the inflation by organisations.
    reach : float
        Sum of the normal quantiles of level and power.

    Examples
    --------
    >>> systems_per_year(0.5, 12, 4.0, 3.0)
    1.0
    """
    return reach**2 * variance * 12 / (difference**2 * years**3)


def _per_year(t: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Return the systems a calendar year between the first and the last."""
    year = np.floor(t)
    return float(t.size / (year.max() - year.min() + 1))
