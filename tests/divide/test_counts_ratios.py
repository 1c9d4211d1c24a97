"""Ratios from counted works: identities, a planted confounder, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.counts.find import KNOWN
from isoflop.divide.counts.ratios import TopicRatio, kind_of, topic_ratios
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.openalex.query import Where, WorkCounts

Cells = dict[tuple[str, int | None, int | None], int]


def counted(cells: Cells, by: tuple[str, ...] = ("team", "year", "field")) -> WorkCounts:
    rows: tuple[dict[str, Any], ...] = tuple(
        {"team": t, "year": y, by[2]: f, "works": n, "cited_by": 0} for (t, y, f), n in cells.items()
    )
    total = sum(cells.values())
    return WorkCounts(
        by=by, where=Where(), rows=rows, works=total, read=total, table="t", fingerprint="0", engine="duckdb"
    )


def ratio(found: tuple[TopicRatio, ...], team: str, topic: int) -> TopicRatio:
    return next(one for one in found if (one.team, one.topic) == (team, topic))


tables = st.dictionaries(
    st.tuples(st.sampled_from(KNOWN), st.sampled_from([2019, 2020]), st.sampled_from([17, 22, None])),
    st.integers(1, 60),
    min_size=4,
).filter(lambda cells: any(topic is not None for _, _, topic in cells))


@given(tables)
def test_ratios_weighted_by_topic_shares_average_to_one(cells: Cells) -> None:
    cells = {key: n for key, n in cells.items() if key[2] is not None}
    found = topic_ratios(counted(cells))
    total = sum(cells.values())
    for team in {team for team, *_ in cells}:
        mine = [one for one in found if one.team == team]
        assert sum(one.crude.value * one.on_topic for one in mine) / total == pytest.approx(1)
        assert sum(one.both for one in mine) == sum(n for (t, *_), n in cells.items() if t == team)


@given(tables)
def test_in_a_single_year_both_ratios_are_one_and_the_same(cells: Cells) -> None:
    found = topic_ratios(
        counted({key: n for key, n in cells.items() if key[1] == 2019} | {("academia", 2019, 17): 5})
    )
    for one in found:
        if one.standardised.value is not None:
            assert one.standardised.value == pytest.approx(one.crude.value)


def test_a_topic_of_recent_years_is_told_from_a_topic_without_academia() -> None:
    """Academia falls from 90 to 30 %, one topic lies in the later year: crude wrong, standardised right."""
    cells: Cells = {
        ("academia", 2010, 17): 9000,
        ("industry", 2010, 17): 1000,
        ("academia", 2020, 17): 1500,
        ("industry", 2020, 17): 3500,
        ("academia", 2020, 22): 1500,
        ("industry", 2020, 22): 3500,
    }
    one = ratio(topic_ratios(counted(cells)), "academia", 22)
    assert one.crude.high is not None
    assert one.crude.high < 0.6
    assert one.standardised.value == pytest.approx(1)
    assert one.standardised.low < 1 < one.standardised.high


def test_the_standardised_interval_is_as_wide_as_the_sampling_of_works() -> None:
    rng = np.random.default_rng(0)
    keys = [(team, year, topic) for year in (2019, 2020) for team in KNOWN for topic in (17, 22)]
    p = rng.dirichlet(np.full(8, 5.0), 2)
    held = values = np.empty((0, len(KNOWN)))
    truth = topic_ratios(counted(dict(zip(keys, np.rint(1e6 * p).astype(int).ravel().tolist(), strict=True))))
    for _ in range(300):
        drawn = np.concatenate([rng.multinomial(800, row) for row in p]).tolist()
        found = topic_ratios(counted(dict(zip(keys, drawn, strict=True))))
        some = [ratio(found, team, 17).standardised for team in KNOWN]
        right = [ratio(truth, team, 17).standardised.value for team in KNOWN]
        values = np.vstack([values, [np.log(one.value) for one in some]])
        held = np.vstack([held, [one.low < r < one.high for one, r in zip(some, right, strict=True)]])
    shown = topic_ratios(counted(dict(zip(keys, np.rint(800 * p).astype(int).ravel().tolist(), strict=True))))
    intervals = [ratio(shown, team, 17).standardised for team in KNOWN]
    widths = [np.log(one.high / one.low) for one in intervals]
    # 300 draws know a spread to 4 % and a coverage of 95 % to 1.3 points.
    assert widths == pytest.approx(2 * 1.96 * values.std(axis=0), rel=0.13)
    assert held.mean(axis=0) == pytest.approx(0.95, abs=0.04)


def test_the_standardised_interval_narrows_with_the_root_of_the_works() -> None:
    cells: Cells = {
        (team, year, topic): 20 + 7 * i + (year - 2019) * topic
        for i, team in enumerate(KNOWN)
        for year in (2019, 2020)
        for topic in (17, 22)
    }
    few, many = (topic_ratios(counted({key: times * n for key, n in cells.items()})) for times in (1, 100))
    for one, other in zip(few, many, strict=True):
        assert other.standardised.value == pytest.approx(one.standardised.value)
        widths = [np.log(x.standardised.high / x.standardised.low) for x in (one, other)]
        assert widths[0] == pytest.approx(10 * widths[1])


def test_unknown_teams_and_years_take_no_part() -> None:
    cells: Cells = {("academia", 2020, 17): 10, ("industry", 2020, 22): 10}
    more = cells | {("unknown", 2020, 17): 99, ("academia", None, 17): 99}
    assert [one.row() for one in topic_ratios(counted(more))] == [
        one.row() for one in topic_ratios(counted(cells))
    ]


def test_a_team_without_works_on_a_topic_has_an_upper_limit() -> None:
    one = ratio(
        topic_ratios(counted({("academia", 2020, 17): 50, ("industry", 2020, 22): 50})), "industry", 17
    )
    assert (one.crude.value, one.crude.low) == (0, 0)
    assert one.crude.high is not None
    assert 0 < one.crude.high < 0.2
    assert (one.standardised.value, one.standardised.low) == (0, None)


def test_other_groupings_and_empty_counts_are_refused() -> None:
    assert kind_of(("team", "year", "country")) is None
    with pytest.raises(SettingError, match="--by team,year,subfield"):
        topic_ratios(counted({}, by=("team", "year", "country")))
    with pytest.raises(EvidenceError, match="needs some"):
        topic_ratios(counted({("unknown", 2020, 17): 5}))
