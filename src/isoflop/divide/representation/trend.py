"""A team's share of a topic's papers, year by year, beside the share that its venues would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.divide.model import Team
from isoflop.divide.representation.topics import TOPIC_NAMES
from isoflop.divide.works_sample import WorksSample
from isoflop.findings import Estimate
from isoflop.stats.contingency import TrendTest, trend_test
from isoflop.stats.intervals import wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class YearShare:
    """One year of a topic.

    Parameters
    ----------
    year : int
    k, n : int
        Papers of the team, and all of known team, on the topic.
    share : Estimate
        k/n with Wilson's interval.
    expected : float
        Share if, in each venue, the topic had the team's share of all papers of that year.
    """

    year: int
    k: int
    n: int
    share: Estimate
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TopicTrend:
    """One team on one topic over the years.

    Parameters
    ----------
    team, topic : str
    years : tuple of YearShare
        Years with at least one paper on the topic.
    share : Estimate
        Over all years, with Wilson's interval.
    expected : float
        As for a year, over all years.
    k, n : int
    trend : TrendTest or None
        Cochran and Armitage's test of the crude share over years; None with one year or one outcome.
    """

    team: Team
    topic: str
    years: tuple[YearShare, ...]
    share: Estimate
    expected: float
    k: int
    n: int
    trend: TrendTest | None

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a year."""
        return [
            {
                "topic": self.topic,
                "topic_name": TOPIC_NAMES.get(self.topic, self.topic),
                "team": self.team,
                "year": one.year,
                "papers": one.k,
                "topic_papers": one.n,
                "share": one.share.value,
                "low": one.share.low,
                "high": one.share.high,
                "expected_share": one.expected,
            }
            for one in self.years
        ]


def topic_trend(known: WorksSample, topic: str, team: Team, level: float = 0.95) -> TopicTrend:
    """Return a team's share of a topic's papers by year.

    Parameters
    ----------
    known : WorksSample
        Papers of known team.
    topic : str
        One that occurs.
    team : str
    level : float
        Of Wilson's intervals.

    Examples
    --------
    >>> import polars as pl
    >>> from isoflop.divide.works_sample import select_works
    >>> rows = {"title": ["On A", "On B", "On C"], "year": [2020, 2020, 2021], "topics": "safety"}
    >>> rows |= {"team_label": ["Academia", "Industry", "Academia"]}
    >>> trend = topic_trend(select_works(pl.DataFrame(rows)), "safety", "academia")
    >>> [(one.year, one.k, one.n) for one in trend.years]
    [(2020, 1, 2), (2021, 1, 1)]
    """
    on, of = known.on_topic(topic), known.team == team
    strata = len(known.strata)
    rate = np.bincount(known.stratum, weights=of, minlength=strata) / np.maximum(
        np.bincount(known.stratum, minlength=strata), 1
    )
    usual = rate[known.stratum]
    years = []
    for year in np.unique(known.year[on]):
        here = on & (known.year == year)
        k, n = int((of & here).sum()), int(here.sum())
        years.append(
            YearShare(
                year=int(year), k=k, n=n, share=share_of(k, n, level), expected=float(usual[here].mean())
            )
        )
    k, n = int((of & on).sum()), int(on.sum())
    testable = len(years) > 1 and 0 < k < n
    return TopicTrend(
        team=team,
        topic=topic,
        years=tuple(years),
        share=share_of(k, n, level),
        expected=float(usual[on].mean()),
        k=k,
        n=n,
        trend=trend_test([y.k for y in years], [y.n for y in years], [y.year for y in years])
        if testable
        else None,
    )


def share_of(k: int, n: int, level: float = 0.95) -> Estimate:
    """Return k/n with Wilson's interval; without a value where n is 0.

    Examples
    --------
    >>> share_of(1, 2).value
    0.5
    """
    if n == 0:
        return Estimate(value=None, unit="1")
    low, high = wilson(k, n, level)
    return Estimate(value=k / n, low=float(low), high=float(high), level=level, unit="1")
