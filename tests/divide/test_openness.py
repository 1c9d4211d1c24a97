"""Foundation models, open weights and bases: golden counts, reading of words, and made-up links."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.chapter.openness import openness_section
from isoflop.divide.model import TeamRule
from isoflop.divide.openness.access import access_of
from isoflop.divide.openness.bases import folded
from isoflop.divide.openness.find import openness
from isoflop.divide.sample import select
from isoflop.evidence import load

from .made_models import table

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "divide_shares.json").read_text())["snapshots"]
FILES = {"2023-12": "epoch_models_2023-12-20.csv", "2025-04": "epoch_all_ai_models_2025-04.csv"}


@pytest.mark.public_data
def test_flags_weights_and_bases_agree_with_the_golden_table(public_data: Path) -> None:
    found, want = openness(load(public_data / "divide" / FILES["2025-04"])), GOLDEN["2025-04"]
    for group in found.groups:
        counts = want[group.name]
        assert group.n == counts["n"]
        assert {team: group.of(team).k for team in ("academia", "industry", "collaboration")} == {
            team: k for team, k in counts.items() if team != "n"
        }
    links = found.base_share()
    assert [links.n, links.k] == list(want["base_links"].values())


@pytest.mark.public_data
def test_the_self_supervised_flag_of_the_old_layout_agrees_with_the_golden_table(public_data: Path) -> None:
    found, want = openness(load(public_data / "divide" / FILES["2023-12"])), GOLDEN["2023-12"]
    group = found.flags["self_supervised"]
    assert group.n == want["self_supervised"]["n"]
    assert all(group.of(team).k == want["self_supervised"][team] for team in ("academia", "industry"))
    assert "foundation" not in found.flags


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ("Open weights (restricted use)", "open"),
        ("open weights", "open"),
        ("Fully open-source", "open"),
        ("Permissive license", "open"),
        ("API access", "closed"),
        ("API accessible", "closed"),
        ("Hosted access (no API)", "closed"),
        ("Unreleased", "closed"),
        ("closed", "closed"),
        ("", "unknown"),
        (None, "unknown"),
        ("on request", "unknown"),
    ],
)
def test_words_of_every_layout_are_read_and_a_blank_is_unknown(text: str | None, access: str) -> None:
    assert access_of(text) == access


@given(st.text())
def test_folding_a_name_twice_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)


def linked() -> list[dict[str, object]]:
    return [
        {"model": "Base-7B", "team_label": "Industry", "date": "2022-01-01"},
        {"model": "Joint", "team_label": "Industry,Academia"},
        {"model": "a", "team_label": "Academia", "base_models": "base 7b"},
        {"model": "b", "team_label": "Academia", "base_models": "Joint; Base-7B"},
        {"model": "c", "team_label": "Academia", "base_models": "Joint"},
        {"model": "d", "team_label": "Academia", "base_models": "never heard of"},
        {"model": "e", "team_label": "Academia", "base_models": "e"},
        {"model": "f", "team_label": "Academia", "base_models": "Llama 2-13B"},
        {"model": "g", "team_label": "Industry", "base_models": "Base-7B"},
    ]


def test_a_base_is_found_by_its_letters_and_digits_and_no_system_is_its_own() -> None:
    share = openness(table(linked())).base_share()
    assert (share.noted, share.n, share.k) == (6, 3, 2)
    assert (share.links, share.industry_links) == (4, 2)


def test_a_dictionary_adds_bases_beside_those_of_the_table() -> None:
    found = openness(table(linked()), dictionary=load("pretrained_models"))
    assert found.base_share() == openness(table(linked())).base_share()
    more = found.base_share("academia", "dictionary")
    assert (more.n, more.k) == (4, 3)
    ids = {f.id for f in found.findings()}
    assert {"divide.industry_base_share", "divide.industry_base_share.with_dictionary"} <= ids


def test_a_name_shared_by_rows_of_different_teams_is_said() -> None:
    rows = [*linked(), {"model": "Base 7B", "team_label": "Academia"}]
    found = openness(table(rows))
    assert found.shared_names == 3
    assert any("share. Rename them" in caution for caution in found.cautions)


def test_unknown_teams_bound_the_share_and_are_in_none() -> None:
    rows = [
        {"is_foundation": "yes", "team_label": label} for label in ("Academia", "Industry", "Industry", "")
    ]
    group = openness(table(rows)).flags["foundation"]
    academia = group.of("academia")
    assert (group.n, group.unknown, academia.k) == (3, 1, 1)
    assert (academia.bound_low, academia.bound_high) == (1 / 4, 2 / 4)


def test_a_table_that_marks_nothing_says_so() -> None:
    found = openness(table([{"team_label": "Academia"}, {"team_label": "Industry"}]))
    section = openness_section(found)
    said = " ".join(block for block in section.blocks() if isinstance(block, str))
    assert "does not mark foundation models" in said
    assert "names no system with open weights" in said
    assert "notes no base models" in said
    assert found.open_weights is None
    assert not section.figures


def test_a_sample_of_known_compute_alone_carries_a_caution() -> None:
    rows = table(linked())
    assert any("compute=False" in caution for caution in openness(select(rows)).cautions)
    assert not any("compute=False" in caution for caution in openness(rows).cautions)


def test_policies_on_teams_reach_the_groups() -> None:
    rows = [{"is_foundation": "yes", "team_label": label} for label in ("Government", "Academia", "Industry")]
    plain, moved = (
        openness(table(rows), rule=rule).flags["foundation"].of("academia").k
        for rule in (TeamRule(), TeamRule(public_research="academia"))
    )
    assert (plain, moved) == (1, 2)


def test_the_embedded_table_shows_every_group_and_draws_it() -> None:
    found = openness(load("notable_systems"), dictionary=load("pretrained_models"))
    ids = {f.id for f in found.findings()}
    assert {
        "divide.foundation_share.academia",
        "divide.foundation_ratio.academia",
        "divide.open_weights_share.industry",
        "divide.open_rate.academia",
        "divide.industry_base_share",
        "divide.industry_base_trend_z",
    } <= ids
    section = openness_section(found)
    assert {figure.id for figure in section.figures} == {
        "openness-groups", "openness-rates", "openness-bases",
    }  # fmt: skip
    for figure in section.figures:
        assert figure.chart().to_dict()
