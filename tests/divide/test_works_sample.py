"""Which papers are chosen, and the team of each."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.model import TeamRule
from isoflop.divide.works_sample import present, select_works
from isoflop.divide.works_teams import teams_of_works
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load

from .made_works import works

TEAMS = ["academia", "industry", "collaboration", "other", "unknown"]


@given(st.lists(st.sampled_from(TEAMS), min_size=1, max_size=12))
def test_every_paper_has_one_team_and_parts_that_sum_to_one(teams: list[str]) -> None:
    sample = select_works(works([{"team": team} for team in teams]))
    assert sample.team.tolist() == teams
    assert sum(sample.counts().values()) == len(teams)
    parts = sample.frame.select(pl.sum_horizontal("part_academia", "part_industry", "part_other"))
    assert parts.to_series().to_list() == pytest.approx([float(team != "unknown") for team in teams])


def test_a_leaning_label_does_not_rub_off_on_plain_ones() -> None:
    rows = {"title": ["a", "b", "c"], "year": 2020}
    labels = [
        "Industry - Academia Collaboration (Industry leaning)",
        "Industry - Academia Collaboration",
        "Industry - Academia Collaboration (Academia leaning)",
    ]
    table = load(pl.DataFrame(rows | {"team_label": labels}), schema="works")
    sample = select_works(table, rule=TeamRule(leaning="lean"))
    assert sample.team.tolist() == ["industry", "collaboration", "academia"]


def test_types_given_by_the_source_come_before_affiliations() -> None:
    frame = works([{"team": "unknown", "org_types": "education; company; company; company"}]).frame
    team, academia, industry, _ = teams_of_works(frame, TeamRule(), "made")
    assert (team[0], academia[0], industry[0]) == ("collaboration", 0.5, 0.5)


def test_choices_drop_rows_in_named_steps() -> None:
    rows = [{"year": year, "venue": venue} for year in (2018, 2019, 2020) for venue in ("icml", "ICRA")]
    sample = select_works(works(rows), since=2019, until=2019, venues=["icra"])
    assert sample.n == 1
    assert [(s.rule, s.dropped) for s in sample.steps] == [
        ("since 2019", 2),
        ("until 2019", 2),
        ("venue is icra", 1),
    ]
    assert sample.provenance()[0].rows_dropped == 5
    with pytest.raises(SettingError, match="Did you mean 'icra'"):
        select_works(works(rows), venues=["ircra"])
    with pytest.raises(EvidenceError, match="after 'since 2031'"):
        select_works(works(rows), since=2031)


def test_a_sample_is_chosen_from_as_its_table_would_be_and_keeps_its_rule() -> None:
    rows = [{"year": year, "team": team} for year in (2019, 2020) for team in TEAMS]
    table = works(rows)
    once = select_works(select_works(table, rule=TeamRule(public_research="academia")), since=2020)
    direct = select_works(table, rule=TeamRule(public_research="academia"), since=2020)
    assert once.frame.equals(direct.frame)
    assert (once.rule, once.steps, once.cautions) == (direct.rule, direct.steps, direct.cautions)
    assert select_works(once, rule=TeamRule()).counts()["other"] == 1


def test_papers_without_abstract_are_left_out_only_where_the_table_says_so() -> None:
    rows = [{"has_abstract": True}, {"has_abstract": False}, {"has_abstract": None}]
    assert select_works(works(rows), with_abstract=True).n == 1
    assert select_works(works([{}, {}]), with_abstract=True).n == 2


def test_strata_are_venue_and_year_in_order() -> None:
    rows = [{"venue": v, "year": y} for v, y in (("b", 2020), ("a", 2021), ("b", 2019), ("b", 2020))]
    sample = select_works(works(rows))
    assert sample.strata == (("a", 2021), ("b", 2019), ("b", 2020))
    assert sample.stratum.tolist() == [2, 0, 1, 2]


def test_topics_are_counted_once_a_paper() -> None:
    sample = select_works(works([{"topics": "rl; llm; rl"}, {"topics": "llm"}, {}]))
    assert sample.topic_counts == {"llm": 2, "rl": 1}
    assert sample.on_topic("rl").tolist() == [True, False, False]
    with pytest.raises(SettingError, match="'lm' does not occur"):
        present(sample.topic_counts, ["lm"], "topic")


def test_affiliations_are_read_by_author_and_organisation() -> None:
    rows = [
        {"affiliations": "Stanford University; Google + Stanford University"},
        {"affiliations": "Google | Microsoft Research;; "},
        {"affiliations": "Department of Computer Science; Room 3", "email_domains": "mit.edu;gmail.com"},
        {"affiliations": "Department of Computer Science", "email_domains": "mit.edu;mit.edu"},
        {"affiliations": None},
    ]
    sample = select_works(works([row | {"team": "unknown"} for row in rows]))
    # A domain decides where no name does, and only where domains and authors pair.
    assert sample.team.tolist() == ["collaboration", "industry", "academia", "unknown", "unknown"]
    assert sample.frame["part_academia"].to_list() == pytest.approx([2 / 3, 0, 1, 0, 0])
    assert any("rules on affiliation texts" in caution for caution in sample.cautions)
