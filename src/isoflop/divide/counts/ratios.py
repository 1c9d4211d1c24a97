"""On which topics is a team rarer than elsewhere? Ratios of shares from counted works, year for year.

Crude: R = P(team | topic) / P(team). Topics that grow lately hold recent works, and teams change with the
years, so the standardised ratio stands beside it: works of the team on the topic over those expected if
each year's works on it had that year's teams. Its interval is in closed form: a snapshot has thousands of
topics, on which a bootstrap takes a third of a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.counts.find import KNOWN
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.openalex.query import WorkCounts
from isoflop.findings import Estimate
from isoflop.stats.intervals import normal_quantile
from isoflop.stats.part_ratio import part_ratio

TOPICS: Final = ("domain", "field", "subfield", "topic")
"""Groupings that part the works: each stands in one class at most."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRatio:
    """A team's share on a topic over its share of all works of known team.

    Parameters
    ----------
    team : str
    kind : str
        The grouping, such as ``subfield``.
    topic : int
        OpenAlex's number.
    both, on_topic : int
        Works of the team on the topic, and all of known team on it.
    crude, standardised : Estimate
    """

    team: str
    kind: str
    topic: int
    both: int
    on_topic: int
    crude: Estimate
    standardised: Estimate

    def row(self) -> dict[str, Any]:
        """Return the ratio as a row."""
        crude, fixed = self.crude, self.standardised
        return {
            self.kind: self.topic,
            "team": self.team,
            "both": self.both,
            "on_topic": self.on_topic,
            "crude": crude.value,
            "crude_low": crude.low,
            "crude_high": crude.high,
            "standardised": fixed.value,
            "standardised_low": fixed.low,
            "standardised_high": fixed.high,
        }


def kind_of(by: tuple[str, ...]) -> str | None:
    """Return the topic grouping of counts by team, year and one of them; None for any other.

    Examples
    --------
    >>> kind_of(("team", "year", "field")), kind_of(("team", "year"))
    ('field', None)
    """
    kinds = set(by) - {"team", "year"}
    kind = next(iter(kinds), None)
    return kind if len(by) == 3 and len(kinds) == 1 and kind in TOPICS else None


def topic_ratios(counts: WorkCounts, *, level: float = 0.95) -> tuple[TopicRatio, ...]:
    """Return each team's ratio on each topic, crude and standardised by year.

    Parameters
    ----------
    counts : WorkCounts
        By team, year and one of `TOPICS`.
    level : float, in (0, 1)

    Raises
    ------
    SettingError
        Other groupings.
    EvidenceError
        No work has a known team and a topic.

    Notes
    -----
    Works of unknown team, or without a year, take no part; works without a topic count in the whole. No
    p is given: with this many works every difference is significant, so read the size.

    With a works of the team on the topic and E expected, the interval of the standardised ratio is
    a/E * exp(+-z s), s^2 the variance of log(a/E) by the delta method, works drawn anew within each year.
    Below some ten works it is rough; without any it is not given.
    """
    kind = kind_of(counts.by)
    if kind is None:
        raise SettingError(
            f"ratios: counts by {', '.join(counts.by)}, need team, year and one of {', '.join(TOPICS)}. Say "
            "--by team,year,subfield."
        )
    names, cells = _cells(counts, kind)
    if not names or not cells[:, :, :-1].sum():
        raise EvidenceError(
            "ratios: no work has a known team, a year and a topic, needs some. Choose more works."
        )
    both, expected, spread = _standardised(cells.astype(float))
    of_team, on_topic = cells.sum(axis=(0, 2)), cells.sum(axis=(0, 1))[:-1]
    out = []
    for g, team in enumerate(KNOWN):
        crude = part_ratio(both[g], on_topic, of_team[g], cells.sum(), level)
        for t, topic in enumerate(names):
            fixed = _ratio(float(both[g, t]), float(expected[g, t]), float(spread[g, t]), level)
            out.append(
                TopicRatio(
                    team=team,
                    kind=kind,
                    topic=topic,
                    both=int(both[g, t]),
                    on_topic=int(on_topic[t]),
                    crude=_estimate(crude.value[t], crude.low[t], crude.high[t], level),
                    standardised=fixed,
                )
            )
    return tuple(out)


def _cells(counts: WorkCounts, kind: str) -> tuple[list[int], Ints]:
    """Return the topics, and works by year, known team and topic; the last topic is that of none."""
    rows = [row for row in counts.rows if row["team"] in KNOWN and row["year"] is not None]
    years = sorted({row["year"] for row in rows})
    names = sorted({row[kind] for row in rows if row[kind] is not None})
    place = {name: i for i, name in enumerate(names)} | {None: len(names)}
    cells = np.zeros((len(years), len(KNOWN), len(names) + 1), np.int64)
    for row in rows:
        cells[years.index(row["year"]), KNOWN.index(row["team"]), place[row[kind]]] = row["works"]
    return names, cells


def _standardised(cells: Floats) -> tuple[Floats, Floats, Floats]:
    """Return works of each team on each topic, those expected, and the standard error of their log ratio.

    All of shape (teams, topics). The error is infinite where there is no work.
    """
    in_year = np.maximum(cells.sum(axis=(1, 2)), 1)
    of_team = cells.sum(axis=2) / in_year[:, None]
    on_topic = cells.sum(axis=1)[:, :-1] / in_year[:, None]
    both = cells.sum(axis=0)[:, :-1]
    expected = np.einsum("sg,st,s->gt", of_team, on_topic, in_year)
    variance = np.zeros_like(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        for year, total, p, q in zip(cells[:, :, :-1], in_year, of_team, on_topic, strict=True):
            team, topic = np.broadcast_to(p[:, None], both.shape), np.broadcast_to(q, both.shape)
            # What one work adds to log(a/E): one of both kinds, of the team alone, on the topic alone.
            adds = (1 / both - (team + topic) / expected, -topic / expected, -team / expected)
            shares = (year / total, team - year / total, topic - year / total)
            mean = sum(n * one for n, one in zip(shares, adds, strict=True))
            square = sum(n * one**2 for n, one in zip(shares, adds, strict=True))
            variance += total * np.maximum(square - mean**2, 0.0)
        spread = np.where(both > 0, np.sqrt(variance), np.inf)
    return both, expected, spread


def _ratio(a: float, expected: float, spread: float, level: float) -> Estimate:
    """Return a over expected with its interval; without a work there is none."""
    if expected <= 0:
        return Estimate(value=None, unit="1")
    if a == 0:
        return Estimate(value=0.0, unit="1")
    factor = float(np.exp(normal_quantile((1 + level) / 2) * spread))
    return _estimate(a / expected, a / expected / factor, a / expected * factor, level)


def _estimate(value: float, low: float, high: float, level: float) -> Estimate:
    return Estimate(value=float(value), low=float(low), high=float(high), level=level, unit="1")
