"""For how many systems of each team and year is compute known, and what could the others change?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.coverage.result import AnyCompute, ComputeCoverage, CoverageCell
from isoflop.divide.coverage.tilt import Tilt, tilts
from isoflop.divide.gap.find import HEADLINE_YEAR, calendar
from isoflop.divide.model import FIRST, KNOWN_TEAMS, LAST, Filter, Period, Team, TeamRule
from isoflop.divide.sample import Sample, select
from isoflop.errors import NoFitError, SettingError
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import wilson

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

REPS = 999


def coverage(
    models: Sample | Table | Any,
    *,
    at_year: int = HEADLINE_YEAR,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> ComputeCoverage:
    """Count the systems with known compute by team and year, and shift the missing ones.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``. A sample whose rows all have compute is chosen again from its
        table without that condition, since 2010.
    at_year : int
        Year of the gap whose tipping point is sought.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.
    level : float, in (0, 1)
    seed : int
        Of the draws of organisations.

    Returns
    -------
    ComputeCoverage

    Notes
    -----
    Our own diagnostic [D]. The shift is a what-if: nothing in the table says how large systems without
    known compute were. See `isoflop.divide.coverage.tilt`.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = coverage(load("notable_systems"), filter="none")
    >>> 0 <= found.total("industry").share <= 1
    True
    """
    unit_level("coverage", level)
    calendar("coverage", at_year)
    sample = _all_rows(models, rule, filter)
    has = np.isfinite(sample.log10_flop)
    teams: tuple[Team, ...] = tuple(team for team in KNOWN_TEAMS if (sample.team == team).any())
    years = [Period(first=int(y), last=int(y)) for y in np.unique(sample.year)]
    found, why = _tilts(sample, at_year, level)
    return ComputeCoverage(
        sample=sample,
        cells=tuple(_cells(sample, has, teams, years, level)),
        totals=tuple(_totals(sample, has, teams, level, seed)),
        shares=tuple(_any_compute(sample, has, (FIRST, LAST))),
        tilts=found,
        no_tilt=why,
        at_year=at_year,
        level=level,
        seed=seed,
    )


def _all_rows(models: Sample | Table | Any, rule: TeamRule | None, filter: Filter | None) -> Sample:
    """Return the sample with the rows whose compute is not known."""
    if not isinstance(models, Sample):
        return select(models, rule=rule, filter=filter or "notable_not_deployed", compute=False)
    if rule is not None or filter is not None:
        raise SettingError(
            "coverage: a sample and a rule or filter, which it already has. Pass the table, or drop them."
        )
    if np.isfinite(models.log10_flop).all():
        # Labels were read once already, so none can be refused here.
        return select(
            models.table, rule=models.rule, filter=models.filter, compute=False, unknown_labels="other"
        )
    return models


def _cells(
    sample: Sample, has: Any, teams: Sequence[Team], years: Sequence[Period], level: float
) -> list[CoverageCell]:
    cells = []
    for team in teams:
        for period in years:
            rows = (sample.team == team) & (sample.year >= period.first) & (sample.year <= period.last)
            n, k = int(rows.sum()), int((rows & has).sum())
            if n:
                low, high = (float(end) for end in wilson(k, n, level))
                cells.append(CoverageCell(team=team, period=period, with_compute=k, n=n, low=low, high=high))
    return cells


def _totals(sample: Sample, has: Any, teams: Sequence[Team], level: float, seed: int) -> list[CoverageCell]:
    """Return each team over all years; the interval draws organisations, which disclose alike."""
    from isoflop.stats.resample import replicate_weights

    period = Period(first=int(sample.year.min()), last=int(sample.year.max()))
    codes = sample.clusters
    drawn = replicate_weights(seed, sample.n, 0, REPS, codes) if len(np.unique(codes)) > 1 else None
    totals = []
    for team in teams:
        rows = sample.team == team
        n, k = int(rows.sum()), int((rows & has).sum())
        low, high = (float(end) for end in wilson(k, n, level))
        if drawn is not None and len(np.unique(codes[rows])) > 1:
            held = drawn[:, rows].sum(axis=1)
            share = drawn[:, rows & has].sum(axis=1)[held > 0] / held[held > 0]
            low, high = (float(end) for end in np.quantile(share, [(1 - level) / 2, (1 + level) / 2]))
        totals.append(CoverageCell(team=team, period=period, with_compute=k, n=n, low=low, high=high))
    return totals


def _any_compute(sample: Sample, has: Any, periods: Sequence[Period]) -> list[AnyCompute]:
    """Return academia's share with known compute beside its share of all systems noted."""
    found = []
    for period in periods:
        rows = sample.known & (sample.year >= period.first) & (sample.year <= period.last)
        academia = rows & (sample.team == "academia")
        if rows.any():
            found.append(
                AnyCompute(
                    period=period,
                    k_any=int(academia.sum()),
                    n_any=int(rows.sum()),
                    k_known=int((academia & has).sum()),
                    n_known=int((rows & has).sum()),
                )
            )
    return found


def _tilts(sample: Sample, at_year: int, level: float) -> tuple[tuple[Tilt, ...], str]:
    """Return the shifts of missing compute, or why there are none."""
    try:
        return tilts(sample.t, sample.log10_flop, sample.team, at_year, level=level), ""
    except NoFitError as error:
        return (), str(error)
