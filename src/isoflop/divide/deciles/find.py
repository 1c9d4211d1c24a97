"""Academia's share by decile of compute above the trend, and by how much compute a field takes.

Residuals of log10 compute from one straight line over the years take out that every system grows; ten
equal groups of them show whether academic teams thin out towards the top of their time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.chosen import chosen, known_teams
from isoflop.divide.deciles.result import ComputeDeciles, Correlation, Field, Group
from isoflop.divide.model import Filter, Period, Team, TeamRule
from isoflop.divide.sample import FloatArray, IntArray, Sample
from isoflop.divide.shares.find import teams_shown
from isoflop.divide.standing import line_residuals
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.models import listed
from isoflop.stats.checks import unit_level
from isoflop.stats.part_ratio import part_ratio

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

YEARS = Period(first=2018, last=2023)
"""Years of the default: enough systems a year, and before much compute went unpublished."""
GROUPS = 10
LEAST_IN_GROUP = 2
LEAST_TO_RANK = 3
LEAST_IN_FIELD = 10
LEAST_FIELDS = 4
"""With three fields every order has a chance of a sixth or more: no test could tell."""
REPS = 999


def deciles(
    models: Sample | Table | Any,
    *,
    years: Period = YEARS,
    groups: int = GROUPS,
    team: Team = "academia",
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> ComputeDeciles:
    """Split systems by compute above trend into equal groups and count a team in each.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    years : Period
        Calendar years used; the trend is fitted to their systems of known team alone.
    groups : int, >= 2
        Equal groups, from least to most compute above trend.
    team : str
        The team followed.
    rule, filter : optional
        See `isoflop.divide.sample.select`.
    level : float, in (0, 1)
    seed : int
        Of the permutations and of the bootstrap by organisation.

    Returns
    -------
    ComputeDeciles

    Raises
    ------
    EvidenceError
        Fewer than two systems a group, or none or all of the team.

    Notes
    -----
    The ratio of a group is the team's share in it over its share in all; see `part_ratio`. The rank
    correlation between group and share is tested by permuting the shares of the groups. Cut points are
    quantiles, linear between systems, so groups differ by at most one system unless compute is tied.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = deciles(load("notable_systems"), filter="none", groups=5)
    >>> len(found.groups)
    5
    """
    unit_level("deciles", level)
    if groups < 2:
        raise SettingError(f"deciles: groups={groups}, must be at least 2. Use 10.")
    whole = known_teams(chosen(models, rule=rule, filter=filter))
    sample = _in_years(whole, years, groups)
    member = sample.team == team
    if not 0 < member.sum() < sample.n:
        raise EvidenceError(
            f"deciles: {int(member.sum())} of {sample.n} systems of {years} are of {team}, needs some and "
            "not all. Choose another team or other years."
        )
    rest = line_residuals(sample.t, sample.log10_flop, np.ones((1, sample.n)))[0]
    place = equal_groups(rest, groups)
    return ComputeDeciles(
        sample=sample,
        years=years,
        team=team,
        level=level,
        seed=seed,
        groups=_groups(sample, rest, place, groups, team, level),
        correlation=_correlation(sample, place, member.astype(float), groups, level, seed),
        fields={
            name: _fields(sample, rest, name, team, level)
            for name in ("domain", "task")
            if sample.frame[name].drop_nulls().len()
        },
    )


def _in_years(whole: Sample, years: Period, groups: int) -> Sample:
    inside = (whole.year >= years.first) & (whole.year <= years.last)
    if inside.sum() < LEAST_IN_GROUP * groups:
        raise EvidenceError(
            f"{whole.table.name}: {int(inside.sum())} systems of known team and compute in {years}, needs "
            f"{LEAST_IN_GROUP * groups} for {groups} groups. Choose fewer groups or more years."
        )
    return whole.of(inside)


def equal_groups(values: FloatArray, groups: int) -> IntArray:
    """Return the group of each value, 0 to groups - 1, cut at the quantiles; a value on a cut goes below.

    Examples
    --------
    >>> equal_groups(np.arange(10.0), 5).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    cuts = np.quantile(values, np.arange(1, groups) / groups)
    return np.searchsorted(cuts, values, side="left").astype(np.int64)


def _groups(
    sample: Sample, rest: FloatArray, place: IntArray, groups: int, team: Team, level: float
) -> tuple[Group, ...]:
    teams = teams_shown(sample)
    inside = place[None, :] == np.arange(groups)[:, None]
    n = inside.sum(axis=1)
    k = {one: (inside & (sample.team == one)).sum(axis=1) for one in teams}
    ratio = part_ratio(k[team], n, k[team].sum(), sample.n, level)
    return tuple(
        Group(
            place=g + 1,
            n=int(n[g]),
            k={one: int(k[one][g]) for one in teams},
            lowest=float(rest[inside[g]].min()) if n[g] else None,
            highest=float(rest[inside[g]].max()) if n[g] else None,
            share=float(k[team][g] / n[g]) if n[g] else None,
            ratio=_number(ratio.value[g]),
            low=_number(ratio.low[g]),
            high=_number(ratio.high[g]),
        )
        for g in range(groups)
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _correlation(
    sample: Sample, place: IntArray, member: FloatArray, groups: int, level: float, seed: int
) -> Correlation | None:
    """Return the rank correlation between group and share, its permutation p and interval by organisation."""
    from isoflop.stats.rank_tests import rank_correlation
    from isoflop.stats.resample import Bootstrap

    inside = (place[:, None] == np.arange(groups)).astype(float)
    n = inside.sum(axis=0)
    filled = n > 0
    share = (member @ inside)[filled] / n[filled]
    order = np.arange(groups)[filled]
    if np.ptp(share) == 0 or share.size < LEAST_TO_RANK:
        return None
    test = rank_correlation(order, share, seed=seed)
    ends: tuple[float | None, float | None] = (None, None)
    clusters = sample.clusters
    if len(set(clusters.tolist())) > 1:
        drawn = Bootstrap(reps=REPS, by="organisation", seed=seed).weights(sample.n, clusters)
        draws = _rank_correlations(order, ((drawn * member) @ inside)[:, filled], (drawn @ inside)[:, filled])
        if draws.size:
            low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
            ends = (float(low), float(high))
    return Correlation(rho=test.rho, p=test.p, low=ends[0], high=ends[1], n=test.n)


def _rank_correlations(order: IntArray, k: FloatArray, n: FloatArray) -> FloatArray:
    """Return Spearman's rho of each replicate; one where a group is empty or all shares agree is left out."""
    whole = (n > 0).all(axis=1)
    share = np.round(k[whole] / n[whole], 12)
    below = (share[:, None, :] < share[:, :, None]).sum(axis=2)
    tied = (share[:, None, :] == share[:, :, None]).sum(axis=2)
    rank = below + (tied + 1) / 2
    apart = rank - rank.mean(axis=1, keepdims=True)
    steps = order - order.mean()
    size = np.sqrt((apart**2).sum(axis=1) * (steps**2).sum())
    rho: FloatArray = (apart @ steps)[size > 0] / size[size > 0]
    return rho


def _fields(sample: Sample, rest: FloatArray, name: str, team: Team, level: float) -> tuple[Field, ...]:
    """Return each field with enough systems: how much compute it takes, and how common the team is in it."""
    cells = [frozenset(listed(cell)) for cell in sample.frame[name]]
    member = sample.team == team
    found = []
    for field in sorted(set().union(*cells)):
        inside = np.array([field in cell for cell in cells])
        n = int(inside.sum())
        if n < LEAST_IN_FIELD:
            continue
        k = int((inside & member).sum())
        ratio = part_ratio(k, n, int(member.sum()), sample.n, level)
        found.append(
            Field(
                name=field,
                n=n,
                k=k,
                median_log10_flop=float(np.median(sample.log10_flop[inside])),
                median_residual=float(np.median(rest[inside])),
                ratio=float(ratio.value),
                low=float(ratio.low),
                high=float(ratio.high),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.median_log10_flop))


def field_correlation(fields: tuple[Field, ...], *, detrended: bool, seed: int = 0) -> Correlation | None:
    """Return the rank correlation between a field's compute and the team's ratio; None for few fields.

    Parameters
    ----------
    detrended : bool
        Take compute above the trend of all systems, so that young fields do not count as large ones.
    """
    from isoflop.stats.rank_tests import rank_correlation

    if len(fields) < LEAST_FIELDS:
        return None
    compute = [f.median_residual if detrended else f.median_log10_flop for f in fields]
    ratios = [f.ratio for f in fields]
    if len(set(ratios)) < 2 or len(set(compute)) < 2:
        return None
    test = rank_correlation(compute, ratios, seed=seed)
    return Correlation(rho=test.rho, p=test.p, low=None, high=None, n=test.n)
