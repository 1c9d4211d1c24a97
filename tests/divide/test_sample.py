"""Teams and the choice of rows: policies on labels, and the published counts of three snapshots."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.model import FILTERS, Period, TeamRule
from isoflop.divide.sample import select
from isoflop.divide.teams import WORDS, coding_of, read_label, team_of
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load

from .made_models import table

SNAPSHOTS = {
    "2023-12": "epoch_models_2023-12-20.csv",
    "2025-02": "epoch_notable_ai_models_2025-02.csv",
    "2025-04": "epoch_all_ai_models_2025-04.csv",
}
OLD = "Industry - Academia Collaboration"
words = st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("label", "team"),
    [
        ("Industry", "industry"),
        ("academia", "academia"),
        (OLD, "collaboration"),
        (f"{OLD} (Industry Leaning)", "collaboration"),
        ("Industry - Academia collaboration (academia leaning)", "collaboration"),
        ("Industry,Academia,Academia", "collaboration"),
        ("Industry,Government", "industry"),
        ("Academia,Research collective", "academia"),
        ("Research collective", "other"),
        ("Non-profit", "other"),
        ("", "unknown"),
        (None, "unknown"),
        ("unknown", "unknown"),
    ],
)
def test_labels_of_both_codings_give_one_team(label: str | None, team: str) -> None:
    typed = read_label(label)
    assert typed is not None
    assert team_of(typed, TeamRule()) == team


@pytest.mark.parametrize(
    ("label", "rule", "team"),
    [
        (f"{OLD} (Industry leaning)", TeamRule(leaning="lean"), "industry"),
        (f"{OLD} (Academia leaning)", TeamRule(leaning="lean"), "academia"),
        (OLD, TeamRule(leaning="lean"), "collaboration"),
        ("Government", TeamRule(public_research="academia"), "academia"),
        ("Government,Industry", TeamRule(public_research="academia"), "collaboration"),
        ("Government,Non-profit", TeamRule(public_research="own"), "public"),
        ("Government,Industry", TeamRule(strict=True), "other"),
        ("Industry,Industry", TeamRule(strict=True), "industry"),
    ],
)
def test_a_policy_moves_only_the_labels_it_speaks_of(label: str, rule: TeamRule, team: str) -> None:
    typed = read_label(label)
    assert typed is not None
    assert team_of(typed, rule) == team


@given(words)
def test_the_order_and_repetition_of_words_do_not_matter(listed: list[str]) -> None:
    one, other = read_label(",".join(listed)), read_label(", ".join(reversed(listed + listed)))
    assert one is not None
    assert other is not None
    assert one.types == other.types


@given(words)
def test_strict_only_moves_teams_to_other(listed: list[str]) -> None:
    typed = read_label(",".join(listed))
    assert typed is not None
    loose, strict = team_of(typed, TeamRule()), team_of(typed, TeamRule(strict=True))
    assert strict in (loose, "other")


def test_both_codings_of_one_table_give_one_result() -> None:
    old = table([{"team_label": OLD}, {"team_label": "Academia"}, {"team_label": "Industry"}])
    new = table([{"team_label": "Industry,Academia"}, {"team_label": "Academia"}, {"team_label": "Industry"}])
    assert list(select(old).team) == list(select(new).team)


def test_types_of_organisations_are_read_where_there_is_no_label() -> None:
    sample = select(table([{"org_types": "education; company"}, {"org_types": "education"}]))
    assert list(sample.team) == ["collaboration", "academia"]


def test_mixed_codings_in_one_table_are_refused() -> None:
    with pytest.raises(EvidenceError, match="needs one coding"):
        coding_of([OLD, "Industry,Academia"])


def test_a_label_of_neither_coding_is_refused_with_the_nearest_word_and_may_be_taken_as_other() -> None:
    rows = table([{"team_label": "Acadmia"}, {"team_label": "Industry"}])
    with pytest.raises(EvidenceError, match=r"'Acadmia'.*meant as 'academia'"):
        select(rows)
    assert list(select(rows, unknown_labels="other").team) == ["other", "industry"]


def test_unknown_teams_stay_and_are_counted_as_the_rule_says() -> None:
    rows = table([{"team_label": "Academia"}, {"team_label": None}])
    assert select(rows).known.tolist() == [True, False]
    assumed = select(rows, rule=TeamRule(unknown="industry"))
    assert list(assumed.team) == ["academia", "industry"]
    assert any("counted as industry" in caution for caution in assumed.cautions)


def test_attribution_by_sponsor_needs_a_table_that_says_who_paid() -> None:
    with pytest.raises(EvidenceError, match="sponsor_type"):
        select(table([{"team_label": "Academia"}]), rule=TeamRule(attribution="sponsor"))
    rows = table([{"team_label": "Academia", "sponsor_type": "Industry"}])
    assert list(select(rows, rule=TeamRule(attribution="sponsor")).team) == ["industry"]


def test_names_decide_where_the_label_is_missing() -> None:
    rows = table(
        [
            {"organisations": "University of Toronto; Google Inc."},
            {"organisations": "University of Toronto", "team_label": "Industry"},
        ]
    )
    sample = select(rows, rule=TeamRule(resolve_names=True))
    assert list(sample.team) == ["collaboration", "industry"]
    assert any(caution.startswith("1 of 1 rows without a label") for caution in sample.cautions)


def test_every_row_left_out_is_listed_with_its_rule() -> None:
    rows = table(
        [
            {"model": "kept"},
            {"model": "undated", "date": None},
            {"model": "unpublished", "train_flop": None},
            {"model": "early", "date": "2009-12-31"},
            {"model": "deployed", "notability": "Significant use"},
        ]
    )
    sample = select(rows)
    assert sample.frame["model"].to_list() == ["kept"]
    gone = [row for step in sample.steps for row in step.rows]
    assert gone == ["row 2 (undated)", "row 3 (unpublished)", "row 4 (early)", "row 5 (deployed)"]
    assert sample.provenance()[0].rows_dropped == 4 + 1  # the row kept has no team


def test_a_date_without_compute_may_stay() -> None:
    rows = table([{"train_flop": None}, {"train_flop": 1e20}])
    assert select(rows, compute=False).n == 2
    assert select(rows).n == 1


def test_the_filter_looks_for_words_in_any_case() -> None:
    rows = table(
        [{"notability": text} for text in ("sota Improvement", "HIGHLY CITED", "Training cost", None)]
    )
    assert select(rows).n == 2
    assert select(rows, filter="none").n == 4


def test_a_selection_without_rows_says_which_rule_took_the_last() -> None:
    with pytest.raises(EvidenceError, match="no row is left after 'since 2030-01-01'"):
        select(table([{}]), since=dt.date(2030, 1, 1))


def test_an_organisation_without_name_is_a_cluster_of_its_own() -> None:
    rows = table([{"organisations": name} for name in ("A", None, "A", None, "A; B")])
    assert select(rows).clusters.tolist() == [0, 1, 0, 2, 3]


def test_settings_outside_their_range_are_refused() -> None:
    with pytest.raises(SettingError, match="public_research='govt'"):
        TeamRule(public_research="govt")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="Did you mean 'none'"):
        select(table([{}]), filter="nones")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="Swap the years"):
        Period(first=2022, last=2020)


@pytest.mark.public_data
@pytest.mark.parametrize(
    ("snapshot", "counts"),
    [("2023-12", (1135, 1134, 419, 397, 258, 252, 191, 103)),
     ("2025-02", (895, 895, 451, 397, 397, 365, 365, 213)),
     ("2025-04", (2228, 2188, 970, 897, 891, 389, 389, 220))],
)  # fmt: skip
def test_the_cleaning_of_the_public_snapshots_keeps_the_counts_stated(
    public_data: Path, snapshot: str, counts: tuple[int, ...]
) -> None:
    models = load(public_data / "divide" / SNAPSHOTS[snapshot])
    everything, filtered = (select(models, filter=name) for name in reversed(FILTERS))
    kept = [step.kept for step in everything.steps]
    known = filtered.of(filtered.known)
    found = (models.rows_read, *kept, int(everything.known.sum()), filtered.n, known.n)
    assert (*found, len(set(known.clusters))) == counts


@pytest.mark.public_data
@pytest.mark.parametrize(
    ("snapshot", "counts"),
    [("2023-12", (307, 254, 146, 16, 412)), ("2025-02", (409, 291, 175, 7, 13)),
     ("2025-04", (951, 717, 392, 27, 141 - 3))],
)  # fmt: skip
def test_the_teams_of_all_rows_agree_with_the_counts_stated(
    public_data: Path, snapshot: str, counts: tuple[int, ...]
) -> None:
    # Three rows of the last snapshot have neither a name nor anything else; the importer lists them.
    models = load(public_data / "divide" / SNAPSHOTS[snapshot])
    teams = Counter(
        team_of(typed, TeamRule())
        for typed in map(read_label, models.frame["team_label"])
        if typed is not None
    )
    assert tuple(teams[t] for t in ("industry", "academia", "collaboration", "other", "unknown")) == counts
