"""Teams among foundation models and open weights, and the bases that academic systems build on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.chosen import chosen, known_teams
from isoflop.divide.model import Filter, Team, TeamRule
from isoflop.divide.openness.access import access_of
from isoflop.divide.openness.bases import Built, built_on
from isoflop.divide.openness.result import BaseShare, Flagged, Openness, TeamCount
from isoflop.divide.sample import BoolArray, Sample
from isoflop.divide.shares.find import teams_shown
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import wilson
from isoflop.stats.part_ratio import part_ratio

if TYPE_CHECKING:
    from isoflop.divide.openness.bases import Where
    from isoflop.evidence.table import Table

FLAGS = {"foundation": "is_foundation", "self_supervised": "is_self_supervised"}
LEAST_FOR_TREND = 10


def openness(
    models: Sample | Table | Any,
    *,
    dictionary: Table | None = None,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
) -> Openness:
    """Count teams among foundation models and open weights, and academic systems on industry bases.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``. From a table all systems are taken, with or without known compute.
    dictionary : Table, optional
        Evidence of schema ``pretrained_models``; finds bases that the table does not hold. Counts with it
        stand beside those without, never in their place.
    rule, filter : optional
        See `isoflop.divide.sample.select`; the filter is ``"none"`` by default, since these questions ask
        for no compute and a notability filter would leave out most systems built on others.
    level : float, in (0, 1)

    Returns
    -------
    Openness

    Notes
    -----
    A share of a flag is k/n over systems of known team that carry it, with Wilson's interval; its ratio
    compares with the team's share of all systems of the same years. A system stands on an industry base
    if any of its bases that were found has an industry-only team.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = openness(load("notable_systems"))
    >>> sorted(found.flags)
    ['foundation']
    """
    unit_level("openness", level)
    sample = chosen(models, rule=rule, filter=filter, default="none", compute=False)
    known = known_teams(sample)
    teams = teams_shown(sample)
    words: tuple[Any, ...] = ()
    if dictionary is not None:
        from isoflop.evidence.pretrained import dictionary as read_dictionary

        words = read_dictionary(dictionary)
    built, shared = built_on(sample, words)
    access = np.array([access_of(text) for text in sample.frame["accessibility"]], dtype=str)
    return Openness(
        sample=sample,
        level=level,
        teams=teams,
        flags={
            name: _flagged(
                sample, known, name, sample.frame[column].fill_null(False).to_numpy(), teams, level
            )
            for name, column in FLAGS.items()
            if sample.frame[column].any()
        },
        open_weights=_flagged(sample, known, "open_weights", access == "open", teams, level)
        if (access == "open").any()
        else None,
        opened=_opened(sample, access, teams, level),
        built=built,
        bases=tuple(_base_shares(built, teams, bool(words), level)),
        shared_names=shared,
        trend=_trend(sample, built),
        dictionary=dictionary,
    )


def _flagged(
    sample: Sample,
    known: Sample,
    name: str,
    flag: BoolArray,
    teams: tuple[Team, ...],
    level: float,
) -> Flagged:
    """Return the teams of flagged systems, beside the teams of all systems of the same years."""
    marked = flag[sample.known]
    n, unknown = int(marked.sum()), int((flag & ~sample.known).sum())
    first, last = int(sample.year[flag].min()), int(sample.year[flag].max())
    beside = (known.year >= first) & (known.year <= last)
    k = np.array([(marked & (known.team == team)).sum() for team in teams])
    whole = np.array([(beside & (known.team == team)).sum() for team in teams])
    low, high = wilson(k, np.full(len(teams), max(n, 1)), level)
    ratio = part_ratio(k, n, whole, int(beside.sum()), level)
    return Flagged(
        name=name,
        n=n,
        unknown=unknown,
        first=first,
        last=last,
        whole=int(beside.sum()),
        teams=tuple(
            TeamCount(
                team=team,
                k=int(k[g]),
                n=n,
                share=k[g] / n if n else None,
                low=float(low[g]) if n else None,
                high=float(high[g]) if n else None,
                bound_low=k[g] / (n + unknown) if n + unknown else None,
                bound_high=(k[g] + unknown) / (n + unknown) if n + unknown else None,
                ratio=_number(ratio.value[g]),
                ratio_low=_number(ratio.low[g]),
                ratio_high=_number(ratio.high[g]),
            )
            for g, team in enumerate(teams)
        ),
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _opened(
    sample: Sample, access: np.ndarray, teams: tuple[Team, ...], level: float
) -> tuple[TeamCount, ...]:
    """Return how many systems of each team have open weights, of those whose access is known."""
    found = []
    for team in (*teams, "unknown"):
        of_team = sample.team == team
        k, n = int((of_team & (access == "open")).sum()), int((of_team & (access != "unknown")).sum())
        if n == 0:
            continue
        low, high = wilson(k, n, level)
        found.append(TeamCount(team=team, k=k, n=n, share=k / n, low=float(low), high=float(high)))
    return tuple(found)


def _base_shares(
    built: tuple[Built, ...], teams: tuple[Team, ...], with_dictionary: bool, level: float
) -> list[BaseShare]:
    """Return for each team how many of its systems with a base found stand on an industry-only one."""
    ways: dict[str, tuple[Where, ...]] = {"table": ("table",)}
    if with_dictionary:
        ways["dictionary"] = ("table", "dictionary")
    found = []
    for way, where in ways.items():
        for team in teams:
            own = [one for one in built if one.team == team]
            here = [one for one in own if one.is_found(where)]
            k, n = sum(one.stands_on("industry", where) for one in here), len(here)
            bases = [base for one in here for base in one.bases if base.found_in in where]
            low, high = wilson(k, max(n, 1), level)
            found.append(
                BaseShare(
                    way=way,
                    team=team,
                    k=k,
                    n=n,
                    share=k / n if n else None,
                    low=float(low) if n else None,
                    high=float(high) if n else None,
                    noted=len(own),
                    links=len(bases),
                    industry_links=sum(base.team == "industry" for base in bases),
                    unknown_links=sum(base.team == "unknown" for base in bases),
                )
            )
    return found


def _trend(sample: Sample, built: tuple[Built, ...]) -> tuple[float, float] | None:
    """Return z and p of a trend in the part of academic systems that stand on an industry base."""
    from isoflop.stats.contingency import trend_test

    years = sample.year[sample.team == "academia"]
    k_of = [one.year for one in built if one.team == "academia" and one.stands_on("industry")]
    if not LEAST_FOR_TREND <= len(k_of) < years.size or np.unique(years).size < 2:
        return None
    span = np.unique(years)
    k = np.array([k_of.count(int(year)) for year in span])
    n = np.array([(years == year).sum() for year in span])
    test = trend_test(k, n, span.astype(float))
    return test.z, test.p if test.p_exact is None else test.p_exact
