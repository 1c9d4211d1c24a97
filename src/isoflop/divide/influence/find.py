"""Which organisation moves each headline most, and is anything left over year by year?

An organisation is removed with every system that names it, its joint systems included. All removals are
weights of one batch: no headline is fitted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.chosen import chosen, known_teams
from isoflop.divide.gap.find import HEADLINE_YEAR, calendar
from isoflop.divide.gap.model import UNIT
from isoflop.divide.growth.slope import EPOCH, LEAST_DATES, LOG10_2, check_dates
from isoflop.divide.influence.result import Influence, Leftover, Removal, YearResidual
from isoflop.divide.model import FIRST, LAST, SECTORS, Filter, Period, TeamRule
from isoflop.errors import EvidenceError
from isoflop.evidence.models import listed
from isoflop.stats.trend import Lines, fit_lines

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]

TOP = 5
"""Organisations listed for each headline."""
LEAST_YEARS = 4
"""Years with systems needed for an autocorrelation of yearly means."""


def influence(
    models: Sample | Table | Any,
    *,
    at_year: int = HEADLINE_YEAR,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
) -> Influence:
    """Remove each organisation in turn and read every headline again.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    at_year : int
        Year of the gap.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.

    Returns
    -------
    Influence

    Raises
    ------
    EvidenceError
        No row names an organisation, or none has a known team.
    NoFitError
        Systems of fewer than three distinct dates.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = influence(load("notable_systems"), filter="none")
    >>> found.removal("doubling_time_months_all").unit
    'months'
    """
    calendar("influence", at_year)
    known = known_teams(chosen(models, rule=rule, filter=filter))
    check_dates(known.t, known.table.name)
    names, member = _membership(known)
    weights = np.vstack([np.ones((1, known.n)), 1.0 - member])
    values = _headlines(known, weights, at_year)
    sizes = member.sum(axis=1).astype(int)
    removals = tuple(
        _removal(headline, unit, drawn, names, sizes) for headline, (unit, drawn) in values.items()
    )
    years, leftovers = _residuals(known)
    return Influence(
        sample=known,
        removals=tuple(one for one in removals if one is not None),
        residuals=years,
        leftovers=leftovers,
        at_year=at_year,
        n_organisations=len(names),
    )


def _membership(known: Sample) -> tuple[list[str], FloatArray]:
    """Return the organisations named, and which rows name them, shape (organisations, n)."""
    rows = [listed(cell) for cell in known.frame["organisations"].to_list()]
    names = sorted({name for row in rows for name in row})
    if len(names) < 2:
        raise EvidenceError(
            f"{known.table.name}: {len(names)} organisation named, needs at least two to leave one out. Give "
            "the column 'organisations'."
        )
    place = {name: at for at, name in enumerate(names)}
    member = np.zeros((len(names), known.n))
    for at, row in enumerate(rows):
        for name in row:
            member[place[name], at] = 1.0
    return names, member


def _headlines(known: Sample, weights: FloatArray, at_year: int) -> dict[str, tuple[str, FloatArray]]:
    """Return each headline over the batch: the first entry is with every organisation."""
    t, y, team = known.t, known.log10_flop, known.team
    academia, industry = team == SECTORS[0], team == SECTORS[1]
    groups = [np.ones(known.n), academia, industry]
    lines = fit_lines(t, y, groups=groups, weights=weights, origin=EPOCH)
    lines = _enough(lines, t, groups, weights)
    months = np.where(lines.slope > 0, 12 * LOG10_2 / np.where(lines.slope > 0, lines.slope, 1.0), np.nan)
    height = lines.at(at_year + 0.5)
    values = {
        "doubling_time_months_all": ("months", months[:, 0]),
        "doubling_time_months.academia": ("months", months[:, 1]),
        "doubling_time_months.industry": ("months", months[:, 2]),
        "gap_oom": (UNIT, height[:, 2] - height[:, 1]),
        "gap_widening_oom_per_year": (f"{UNIT}/yr", lines.slope[:, 2] - lines.slope[:, 1]),
    }
    for name, period in (("academia_share_first", FIRST), ("academia_share_last", LAST)):
        values[name] = ("1", _share(known, academia, period, weights))
    values["industry_share_last"] = ("1", _share(known, industry, LAST, weights))
    return values


def _enough(lines: Lines, t: FloatArray, groups: Sequence[NDArray[Any]], weights: FloatArray) -> Lines:
    """Return the lines without those over fewer than three distinct dates."""
    _, date = np.unique(t, return_inverse=True)
    held = np.stack([np.asarray(group, dtype=float) for group in groups])
    at = np.zeros((t.size, int(date.max()) + 1))
    at[np.arange(t.size), date] = 1.0
    dates = np.stack([((weights * group) @ at > 0).sum(axis=1) for group in held], axis=1)
    few = dates < LEAST_DATES
    return Lines(
        level=np.where(few, np.nan, lines.level),
        slope=np.where(few, np.nan, lines.slope),
        origin=lines.origin,
    )


def _share(known: Sample, team: NDArray[np.bool_], period: Period, weights: FloatArray) -> FloatArray:
    inside = (known.year >= period.first) & (known.year <= period.last)
    n = weights @ inside
    return np.asarray(np.where(n > 0, weights @ (inside & team) / np.where(n > 0, n, 1.0), np.nan))


def _removal(
    headline: str, unit: str, values: FloatArray, names: list[str], sizes: NDArray[np.int64]
) -> Removal | None:
    """Return how a headline moves; None where it has no value with everyone in, or without anyone."""
    whole, without = float(values[0]), values[1:]
    if not np.isfinite(whole):
        return None
    moved = np.where(np.isfinite(without), np.abs(without - whole), -1.0)
    # Of equal moves the first in the alphabet is named, so that the order of rows does not matter.
    most = int(np.argmax(moved))
    finite = without[np.isfinite(without)]
    if not finite.size:
        return None
    order = np.argsort(-moved, kind="stable")[:TOP]
    return Removal(
        headline=headline,
        unit=unit,
        value=whole,
        low=float(finite.min()),
        high=float(finite.max()),
        organisation=names[most],
        without=float(without[most]),
        n_removed=int(sizes[most]),
        lost=int((~np.isfinite(without)).sum()),
        top=tuple((names[at], float(without[at]), int(sizes[at])) for at in order if moved[at] >= 0),
    )


def _residuals(known: Sample) -> tuple[tuple[YearResidual, ...], tuple[Leftover, ...]]:
    """Return the mean residual of each sector and year, and how alike neighbouring years are."""
    years, leftovers = [], []
    for sector in SECTORS:
        rows = known.of_team(sector)
        if len(np.unique(rows.t)) < 3:
            continue
        t, y = rows.t, rows.log10_flop
        line = fit_lines(t, y, origin=EPOCH)
        rest = y - line.level - line.slope * (t - EPOCH)
        means = []
        for year in np.unique(rows.year):
            inside = rest[rows.year == year]
            means.append(float(inside.mean()))
            years.append(YearResidual(team=sector, year=int(year), n=inside.size, mean_oom=means[-1]))
        leftovers.append(
            Leftover(
                team=sector,
                sd_oom=float(np.sqrt(rest @ rest / max(rest.size - 2, 1))),
                autocorrelation=_neighbours(np.unique(rows.year), np.array(means)),
                n_years=len(means),
            )
        )
    return tuple(years), tuple(leftovers)


def _neighbours(years: NDArray[np.int64], means: FloatArray) -> float | None:
    """Return the correlation of yearly means with those of the year before; gaps are left out."""
    if means.size < LEAST_YEARS:
        return None
    centred = means - means.mean()
    spread = float(centred @ centred)
    follows = np.diff(years) == 1
    return float((centred[1:] * centred[:-1])[follows].sum() / spread) if spread > 0 else None
