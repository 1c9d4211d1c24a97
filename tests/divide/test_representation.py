"""Ratios of a team's share in a topic to its share of all papers, crude and within venues."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.remedies.find import remedies, remedy_topics
from isoflop.divide.representation.cells import Cells, count_cells, draw_counts, sums
from isoflop.divide.representation.find import representation
from isoflop.divide.representation.trend import topic_trend
from isoflop.divide.works_sample import select_works
from isoflop.errors import EvidenceError, SettingError

from .made_works import confounded, many, works

TEAMS = ("academia", "industry", "collaboration")
rows = st.lists(
    st.tuples(st.sampled_from(TEAMS), st.sampled_from(["x", "y", "z"]), st.sampled_from(["v", "w"])),
    min_size=8,
    max_size=40,
)


@given(rows)
def test_ratios_over_a_partition_of_topics_average_to_one(papers: list[tuple[str, str, str]]) -> None:
    found = representation(works([{"team": t, "topics": x, "venue": v} for t, x, v in papers]), reps=50)
    for team in found.teams:
        mine = [one for one in found.ratios if one.team == team]
        crude = sum((one.crude.value or 0) * one.on_topic for one in mine) / found.n
        assert crude == pytest.approx(1.0)
        assert sum(one.expected for one in mine) == pytest.approx(mine[0].of_team)
        assert all(one.q >= one.p for one in mine)


@pytest.mark.slow
@pytest.mark.ci
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(papers: list[tuple[str, str, str]], random: object) -> None:
    made = [{"team": t, "topics": x, "venue": v} for t, x, v in papers]
    shuffled = made.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (representation(works(rows), reps=50) for rows in (made, shuffled))
    by_name = [sorted(str(r.row()) for r in one.ratios) for one in (first, second)]
    assert by_name[0] == by_name[1]


def test_a_venue_that_mixes_team_and_topic_fools_the_crude_ratio_only() -> None:
    found = representation(confounded(np.random.default_rng(1)), reps=300)
    one = found.ratio("academia", "theory")
    assert one.crude.low is not None
    assert one.crude.low > 1.2
    assert one.standardised is not None
    assert one.standardised.low is not None and one.standardised.high is not None  # noqa: PT018
    assert one.standardised.low < 1 < one.standardised.high
    assert one.standardised.value == pytest.approx(1.0, abs=0.03)


def test_a_planted_scarcity_within_venues_is_found() -> None:
    counts = {}
    for venue, academic in (("a", 160), ("b", 80)):
        # Half as likely to be academic on the topic as the venue's papers are.
        counts[venue, "academia", "big"] = academic // 4
        counts[venue, "industry", "big"] = 100 - academic // 4
        counts[venue, "academia", "small"] = academic
        counts[venue, "industry", "small"] = 200 - academic
    found = representation(works(many(counts, ("venue", "team", "topics"))), reps=200)
    one = found.ratio("academia", "big")
    expected = (40 + 20) / sum(100 * (a // 4 + a) / 300 for a in (160, 80))
    assert one.standardised is not None
    assert one.standardised.value == pytest.approx(expected)
    assert one.standardised.high is not None
    assert one.standardised.high < 1
    assert one.q < 1e-6


def test_a_team_absent_from_a_topic_has_an_upper_limit_alone() -> None:
    counts = {("academia", "x"): 60, ("industry", "x"): 20, ("academia", "y"): 20}
    one = representation(works(many(counts, ("team", "topics"))), reps=50).ratio("industry", "y")
    for estimate in (one.crude, one.standardised):
        assert estimate is not None
        assert (estimate.value, estimate.low) == (0.0, 0.0)
        # Clopper-Pearson of 0 in 20 is 0.1684; industry signs a fifth of all.
        assert estimate.high == pytest.approx(0.16843 / 0.2, rel=1e-3)


def test_replicates_keep_the_papers_of_each_venue_and_vary_as_papers_do() -> None:
    table = confounded(np.random.default_rng(2), papers=400)
    sample = select_works(table)
    cells = count_cells(sample, ("theory",), ("academia",))
    drawn = draw_counts(cells, 4000, seed=3)
    for stratum in np.unique(cells.stratum):
        inside = cells.stratum == stratum
        assert (drawn[:, inside].sum(axis=1) == cells.count[inside].sum()).all()
    both = sums(cells, drawn).both[:, 0, 0]
    spread = 0.0
    for stratum in np.unique(cells.stratum):
        inside = cells.stratum == stratum
        n = cells.count[inside].sum()
        k = (cells.count * cells.team[:, 0] * cells.topic[:, 0])[inside].sum()
        spread += n * (k / n) * (1 - k / n)
    # 4,000 draws know a variance to about 2 %.
    assert both.var() == pytest.approx(spread, rel=0.1)
    assert draw_counts(cells, 100, seed=3).tolist() == drawn[:100].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("size", [60, 400])
def test_intervals_within_venues_cover_the_planted_ratio(size: int) -> None:
    rng = np.random.default_rng(5)
    # Chances of (academic and on topic, academic, on topic, neither) in three venues of unlike make-up.
    chance = np.array([[0.10, 0.55, 0.15, 0.20], [0.05, 0.15, 0.35, 0.45], [0.20, 0.40, 0.20, 0.20]])
    sizes = np.array([size, 2 * size, size])
    team = np.tile([[1.0], [1.0], [0.0], [0.0]], (3, 1))
    topic = np.tile([[1.0], [0.0], [1.0], [0.0]], (3, 1))
    both = chance[:, 0] @ sizes
    expected = ((chance[:, 0] + chance[:, 1]) * (chance[:, 0] + chance[:, 2])) @ sizes
    inside, rounds = 0, 600
    for seed in range(rounds):
        count = np.concatenate([rng.multinomial(n, p) for n, p in zip(sizes, chance, strict=True)])
        cells = Cells(count=count, stratum=np.repeat(np.arange(3), 4), team=team, topic=topic)
        drawn = sums(cells, draw_counts(cells, 399, seed))
        low, high = np.quantile(drawn.both[:, 0, 0] / drawn.expected[:, 0, 0], [0.025, 0.975])
        inside += bool(low <= both / expected <= high)
    # 600 rounds know a coverage of 95 % to 0.9 points.
    assert 0.925 <= inside / rounds <= 0.975


def test_unknown_teams_are_left_out_and_said() -> None:
    counts = {("academia", "x"): 30, ("industry", "x"): 10, ("unknown", "x"): 10, ("industry", "y"): 5}
    found = representation(works(many(counts, ("team", "topics"))), reps=50)
    assert found.n == 45
    assert any("10 of 55 papers" in caution for caution in found.cautions)
    assert all(f.details["unknown_papers"] == 10 for f in found.findings())
    assert "10 more" in found.summary()


def test_findings_name_team_and_topic_and_stay_unique() -> None:
    counts = {("academia", "Large models (LLM)"): 30, ("industry", "y"): 10, ("collaboration", "y"): 3}
    found = representation(works(many(counts, ("team", "topics"))), reps=50)
    ids = [f.id for f in found.findings()]
    assert "divide.representation.academia.large_models_llm" in ids
    assert "divide.representation_standardised.industry.y" in ids
    assert len(set(ids)) == len(ids) == 2 * 2 * 3
    assert found.frame().height == 6


def test_without_topics_or_teams_the_verb_refuses() -> None:
    with pytest.raises(EvidenceError, match="no paper has a topic"):
        representation(works([{}]))
    with pytest.raises(EvidenceError, match="no paper has a known team"):
        representation(works([{"team": "unknown", "topics": "x"}]))
    with pytest.raises(SettingError, match="team 'public'"):
        representation(works([{"topics": "x"}]), teams=["public"])  # type: ignore[list-item]


def test_topics_of_the_remedies_are_known_by_their_words_and_counted_by_year() -> None:
    assert remedy_topics(["robot", "interp", "model audits", "speech"]) == ("interp", "model audits")
    counts = {
        (2019, "academia", "interp"): 9,
        (2019, "industry", "interp"): 1,
        (2020, "academia", "interp"): 4,
        (2020, "industry", "interp"): 16,
        (2020, "academia", "robot"): 50,
    }
    found = remedies(works(many(counts, ("year", "team", "topics"))))
    (trend,) = found.trends
    assert [(y.year, y.k, y.n) for y in trend.years] == [(2019, 9, 10), (2020, 4, 20)]
    assert trend.trend is not None
    assert trend.trend.z < 0
    assert trend.years[1].expected == pytest.approx(54 / 70)
    assert [f.id for f in found.findings()] == [
        "divide.remedy_share.interp",
        "divide.remedy_share.interp.2019",
        "divide.remedy_share.interp.2020",
    ]
    assert "falls" in found.summary()


def test_a_table_without_such_topics_gives_no_share_and_says_so() -> None:
    found = remedies(works([{"topics": "robot"}, {"topics": "speech"}]))
    assert found.findings() == ()
    assert any("Name the topics" in caution for caution in found.cautions)
    assert remedies(works([{"topics": "robot"}]), topics=["robot"]).trends[0].n == 1


@given(rows)
def test_shares_of_all_teams_in_a_topic_sum_to_one_each_year(papers: list[tuple[str, str, str]]) -> None:
    sample = select_works(works([{"team": t, "topics": x, "venue": v} for t, x, v in papers]))
    for topic in sample.topic_counts:
        trends = [topic_trend(sample, topic, team) for team in TEAMS]  # type: ignore[arg-type]
        assert sum(t.share.value or 0 for t in trends) == pytest.approx(1)
        assert sum(t.expected for t in trends) == pytest.approx(1)
