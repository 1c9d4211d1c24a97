"""Share of each team among large systems, by period and year, and whether it changed.

``share = k / n``: k large systems of the team, n large systems of known team. Rows of unknown team widen
it to bounds, ``k / (n + u)`` if all u are of another team and ``(k + u) / (n + u)`` if all are of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.chosen import chosen, known_teams
from isoflop.divide.large import Known, Large
from isoflop.divide.model import KNOWN_TEAMS, Filter, Period, Team, TeamRule
from isoflop.divide.sample import BoolArray, Sample, select
from isoflop.divide.shares.count import FloatArray, count_large, inside_periods, of_teams
from isoflop.divide.shares.periods import default_periods
from isoflop.divide.shares.result import Cell, Change, Coverage, LargeShares, Trend
from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import newcombe, wilson

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

REPS = 999
"""Replicates of the interval by organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One definition applied to a sample.

    Parameters
    ----------
    large : Large
    known : array of bool, shape (n_known,)
        Large among the rows of known team: these give the point.
    every : array of bool, shape (n,)
        Large among all rows, unknown teams included: these give the bounds.
    """

    large: Large
    known: BoolArray
    every: BoolArray


def judge(sample: Sample, large: Large) -> Judged:
    """Apply a definition to the rows of known team, and to all rows.

    A rank or a trend moves when rows of unknown team join, so the two differ. The share rests on the rows
    of known team; this reading gives the counts published beside the paper's summaries.
    """
    known = known_teams(sample)
    return Judged(
        large=large,
        known=large.mask(known.t, known.year, known.log10_flop),
        every=large.mask(sample.t, sample.year, sample.log10_flop),
    )


def teams_shown(sample: Sample) -> tuple[Team, ...]:
    """Return the teams of a rule: public research is one only where the rule says so."""
    own = sample.rule.public_research == "own"
    return tuple(team for team in KNOWN_TEAMS if own or team != "public")


def shares(
    models: Sample | Table | Any,
    *,
    large: Large | Sequence[Large] = (),
    periods: Sequence[Period] | None = None,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> LargeShares:
    """Count how often each team made the large systems of a period.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    large : Large or sequence of Large
        Definitions besides `Known`, which is always first: the headline rests on it.
    periods : sequence of Period, optional
        Default: 2012-14 and 2020-22, or what `default_periods` finds. The first and the last are compared.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.
    level : float, in (0, 1)
        Of every interval.
    seed : int
        Of the bootstrap by organisation, and of permutations where the exact table is too large.

    Returns
    -------
    LargeShares

    Raises
    ------
    EvidenceError
        A period holds no system of known team, or no team is known at all.

    Notes
    -----
    Wilson intervals take systems as independent; the interval by organisation draws whole organisations
    and holds fixed which systems are large. Changes: Fisher's exact test and Newcombe's interval. Trend over
    years: Cochran and Armitage, with an exact permutation p where a year holds fewer than five.
    What the paper counts as large is not known to us: definitions other than `Known` are ours.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = shares(load("notable_systems"), filter="none")
    >>> [str(period) for period in found.periods]
    ['2012-14', '2020-22']
    """
    unit_level("shares", level)
    sample = chosen(models, rule=rule, filter=filter)
    known = known_teams(sample)
    if periods is None:
        wanted, how = default_periods(known.year, sample.table.name)
        periods = wanted
    else:
        how = "as named"
    periods = _checked(tuple(dict.fromkeys(periods)), known)
    extra = tuple(large) if isinstance(large, Sequence) else (large,)
    definitions: tuple[Large, ...] = tuple(dict.fromkeys((Known(), *extra)))
    judged = [judge(sample, one) for one in definitions]
    teams = teams_shown(sample)
    drawn = _drawn(known, seed)
    span = Period(first=min(p.first for p in periods), last=max(p.last for p in periods))
    years = tuple(Period(first=int(y), last=int(y)) for y in np.unique(known.year))
    return LargeShares(
        sample=sample,
        definitions=definitions,
        periods=periods,
        teams=teams,
        level=level,
        seed=seed,
        how=how,
        cells=tuple(
            cell for one in judged for cell in _cells(sample, known, one, periods, teams, level, drawn)
        ),
        years=tuple(cell for one in judged for cell in _cells(sample, known, one, years, teams, level, None)),
        changes=tuple(change for one in judged for change in _changes(known, one, periods, teams, level)),
        trends=tuple(trend for one in judged for trend in _trends(known, one, span, teams, seed)),
        coverage=_coverage(sample, periods, teams),
    )


def _checked(periods: tuple[Period, ...], known: Sample) -> tuple[Period, ...]:
    if not periods:
        raise SettingError("shares: no period, needs one or more. Name some, or leave the default.")
    for period in periods:
        if not ((known.year >= period.first) & (known.year <= period.last)).any():
            raise EvidenceError(
                f"{known.table.name}: no system of known team and compute in {period}, needs at least one. "
                f"Choose years within {known.year.min()} to {known.year.max()}."
            )
    return periods


def _drawn(known: Sample, seed: int) -> FloatArray | None:
    """Return weights of replicates that draw organisations; None where all rows are of one."""
    from isoflop.stats.resample import Bootstrap

    codes = known.clusters
    if len(set(codes.tolist())) < 2:
        return None
    return Bootstrap(reps=REPS, by="organisation", seed=seed).weights(known.n, codes)


def _cells(
    sample: Sample,
    known: Sample,
    judged: Judged,
    periods: Sequence[Period],
    teams: tuple[Team, ...],
    level: float,
    drawn: FloatArray | None,
) -> list[Cell]:
    k, n = count_large(judged.known, inside_periods(known.year, periods), of_teams(known.team, teams))
    every, total = count_large(
        judged.every, inside_periods(sample.year, periods), of_teams(sample.team, (*teams, "unknown"))
    )
    blank = every[:, -1]
    low, high = wilson(k, np.maximum(n, 1)[:, None], level)
    ends = _by_organisation(known, judged, periods, teams, level, drawn)
    cells = []
    for p, period in enumerate(periods):
        for g, team in enumerate(teams):
            has, all_rows = bool(n[p]), total[p]
            share = k[p, g] / n[p] if has else None
            bounds = sorted(
                value
                for value in (
                    share,
                    every[p, g] / all_rows if all_rows else None,
                    (every[p, g] + blank[p]) / all_rows if all_rows else None,
                )
                if value is not None
            )
            open_ended = sample.rule.unknown != "drop" and bounds
            cells.append(
                Cell(
                    large=judged.large.name,
                    team=team,
                    period=period,
                    k=int(k[p, g]),
                    n=int(n[p]),
                    share=share,
                    low=float(low[p, g]) if has else None,
                    high=float(high[p, g]) if has else None,
                    unknown=int(blank[p]),
                    bound_low=float(bounds[0]) if open_ended else None,
                    bound_high=float(bounds[-1]) if open_ended else None,
                    organisation_low=None if ends is None else ends[0][p][g],
                    organisation_high=None if ends is None else ends[1][p][g],
                )
            )
    return cells


def _by_organisation(
    known: Sample,
    judged: Judged,
    periods: Sequence[Period],
    teams: tuple[Team, ...],
    level: float,
    drawn: FloatArray | None,
) -> tuple[list[list[float | None]], list[list[float | None]]] | None:
    """Return the ends of the percentile interval over replicates of organisations."""
    if drawn is None:
        return None
    inside, team = inside_periods(known.year, periods), of_teams(known.team, teams)
    k, n = count_large(judged.known, inside, team, drawn)
    draws = np.divide(k, n[:, :, None], out=np.full_like(k, np.nan), where=n[:, :, None] > 0)
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = (
        [
            [float(np.nanquantile(cell, tail)) if np.isfinite(cell).any() else None for cell in column]
            for column in draws.transpose(1, 2, 0)
        ]
        for tail in tails
    )
    return low, high


def _changes(
    known: Sample,
    judged: Judged,
    periods: tuple[Period, ...],
    teams: tuple[Team, ...],
    level: float,
) -> list[Change]:
    """Compare the last period with the first."""
    from isoflop.stats.contingency import fisher_exact

    if len(periods) < 2:
        return []
    ends = (periods[0], periods[-1])
    k, n = count_large(judged.known, inside_periods(known.year, ends), of_teams(known.team, teams))
    if not n.all():
        return []
    low, high = newcombe(k[1], n[1], k[0], n[0], level)
    return [
        Change(
            large=judged.large.name,
            team=team,
            first=ends[0],
            last=ends[1],
            difference=float(k[1, g] / n[1] - k[0, g] / n[0]),
            low=float(low[g]),
            high=float(high[g]),
            p_fisher=fisher_exact(int(k[0, g]), int(n[0]), int(k[1, g]), int(n[1])),
        )
        for g, team in enumerate(teams)
    ]


def _trends(known: Sample, judged: Judged, span: Period, teams: tuple[Team, ...], seed: int) -> list[Trend]:
    """Test for a trend of each team's share over the years from the first period to the last."""
    from isoflop.stats.contingency import trend_test

    years = [Period(first=y, last=y) for y in span.years]
    k, n = count_large(judged.known, inside_periods(known.year, years), of_teams(known.team, teams))
    found = []
    for g, team in enumerate(teams):
        hits = k[:, g].sum()
        testable = 0 < hits < n.sum() and (n > 0).sum() > 1
        test = trend_test(k[:, g], n, np.array(span.years, dtype=float), seed=seed) if testable else None
        found.append(
            Trend(
                large=judged.large.name,
                team=team,
                span=span,
                n=int(n.sum()),
                z=None if test is None else test.z,
                p=None if test is None else test.p,
                p_exact=None if test is None else test.p_exact,
                is_simulated=test is not None and test.is_simulated,
            )
        )
    return found


def _coverage(sample: Sample, periods: tuple[Period, ...], teams: tuple[Team, ...]) -> tuple[Coverage, ...]:
    """Return how many systems of each team and period have known compute, of all that pass the filter."""
    # Labels were read once already, so none can be refused here.
    every = select(
        sample.table,
        rule=sample.rule,
        filter=sample.filter,
        since=None,
        compute=False,
        unknown_labels="other",
    )
    inside, team = inside_periods(every.year, periods), of_teams(every.team, teams)
    with_compute, _ = count_large(np.isfinite(every.log10_flop), inside, team)
    total, _ = count_large(np.ones(every.n, dtype=bool), inside, team)
    return tuple(
        Coverage(team=one, period=period, with_compute=int(with_compute[p, g]), n=int(total[p, g]))
        for p, period in enumerate(periods)
        for g, one in enumerate(teams)
    )
