"""On which topics is a team rarer than elsewhere? Ratios of shares from counted works, year for year.

Crude: R = P(team | topic) / P(team). Topics that grow lately hold recent works, and teams change with the
years, so the standardised ratio stands beside it: works of the team on the topic over those expected if
each year's works on it had that year's teams.
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
from isoflop.stats.part_ratio import part_ratio

TOPICS: Final = ("domain", "field", "subfield", "topic")
"""Groupings that part the works: each stands in one class at most."""
Ints = NDArray[np.int64]


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


def topic_ratios(
    counts: WorkCounts, *, reps: int = 199, level: float = 0.95, seed: int = 0
) -> tuple[TopicRatio, ...]:
    """Return each team's ratio on each topic, crude and standardised by year.

    Parameters
    ----------
    counts : WorkCounts
        By team, year and one of `TOPICS`.
    reps, seed : int
        Of the bootstrap over works within years behind the standardised interval.
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
    both, expected = _expected(cells.astype(float))
    drawn = _drawn(cells, reps, seed)
    of_team, on_topic = cells.sum(axis=(0, 2)), cells.sum(axis=(0, 1))[:-1]
    out = []
    for g, team in enumerate(KNOWN):
        crude = part_ratio(both[g], on_topic, of_team[g], cells.sum(), level)
        for t, topic in enumerate(names):
            fixed = _standardised(float(both[g, t]), float(expected[g, t]), drawn[:, g, t], level)
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


def _expected(cells: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return works of each team on each topic, and those expected from each year's teams."""
    in_year = cells.sum(axis=(1, 2))
    share = cells.sum(axis=2) / np.maximum(in_year, 1)[:, None]
    expected = np.einsum("sg,st->gt", share, cells.sum(axis=1))
    return cells.sum(axis=0)[:, :-1], expected[:, :-1]


def _drawn(cells: Ints, reps: int, seed: int) -> NDArray[np.float64]:
    """Return standardised ratios of works drawn anew within each year, shape (reps, teams, topics)."""
    rng = np.random.default_rng(seed)
    totals = cells.sum(axis=(1, 2))
    flat = cells.reshape(len(cells), -1) / np.maximum(totals, 1)[:, None]
    out = np.empty((reps, cells.shape[1], cells.shape[2] - 1))
    for i in range(reps):
        drawn = np.stack([rng.multinomial(n, p) for n, p in zip(totals, flat, strict=True)])
        both, expected = _expected(drawn.reshape(cells.shape).astype(float))
        out[i] = np.divide(both, expected, out=np.full_like(both, np.nan), where=expected > 0)
    return out


def _standardised(a: float, expected: float, drawn: NDArray[np.float64], level: float) -> Estimate:
    """Return a over expected with percentiles of the draws; without a work there is no interval."""
    if expected <= 0:
        return Estimate(value=None, unit="1")
    some = drawn[np.isfinite(drawn)]
    if a == 0 or some.size == 0:
        return Estimate(value=a / expected, unit="1")
    low, high = np.quantile(some, ((1 - level) / 2, (1 + level) / 2))
    return _estimate(a / expected, low, high, level)


def _estimate(value: float, low: float, high: float, level: float) -> Estimate:
    return Estimate(value=float(value), low=float(low), high=float(high), level=level, unit="1")
