"""Audit of snapshots: golden counts, planted revisions, the sum of the parts, refusals."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.audit.align import align, edition_of, plain_name
from isoflop.divide.audit.find import audit
from isoflop.divide.audit.headlines import HEADLINES, PLAYERS
from isoflop.divide.audit.result import SnapshotChanges
from isoflop.divide.chapter.audit import audit_figures, audit_section
from isoflop.divide.commands.audit import audit as command
from isoflop.divide.figures.audit import waterfall_data
from isoflop.divide.model import TeamRule
from isoflop.divide.snapshots import snapshots_of
from isoflop.errors import EvidenceError, IsoflopError
from isoflop.evidence import load
from isoflop.evidence.table import Table

from .made_models import day, table

FILES = (
    "epoch_models_2023-12-20.csv",
    "epoch_notable_ai_models_2025-02.csv",
    "epoch_all_ai_models_2025-04.csv",
)
GOLDEN_HEADLINES = {
    "doubling_time_months_all": (5.96, 5.91, 5.95),
    "gap_oom": (2.02, 2.19, 2.23),
    "academia_share_first": (12 / 20, 18 / 32, 22 / 36),
    "academia_share_last": (8 / 84, 24 / 149, 24 / 151),
    "industry_share_2022": (19 / 31, 31 / 54, 32 / 55),
}
SHOWN = 0.005
"""Half of the last digit printed."""
BY_NAME_ALONE = 0.015
"""The golden counts match printed names whatever the date; ours fold case and marks and want near dates."""
Row = dict[str, Any]


def rows_made(seed: int, n: int = 80) -> list[Row]:
    rng = np.random.default_rng(seed)
    labels = ["Academia", "Industry", "Industry,Academia", "Government", ""]
    return [
        {
            "model": f"system {i}",
            "date": day(2010.2 + 13 * i / n),
            "train_flop": 10 ** (18 + 6 * i / n + rng.normal(0, 0.7)),
            "team_label": str(rng.choice(labels, p=[0.4, 0.35, 0.1, 0.05, 0.1])),
            "organisations": f"lab {rng.integers(12)}",
        }
        for i in range(n)
    ]


def pair(old: list[Row], new: list[Row]) -> SnapshotChanges:
    return audit([table(old, "models_2023-12"), table(new, "models_2025-04")])


@functools.cache
def public(folder: Path) -> SnapshotChanges:
    return audit([load(folder / "divide" / name) for name in reversed(FILES)])


@pytest.mark.public_data
def test_headlines_of_each_public_snapshot_are_the_golden_ones(public_data: Path) -> None:
    found = public(public_data)
    assert [one.name for one in found.snapshots] == ["2023-12-20", "2025-02", "2025-04"]
    for name, want in GOLDEN_HEADLINES.items():
        values = [one.value.value for one in found.readings if one.headline == name]
        assert values == pytest.approx(want, abs=SHOWN)


@pytest.mark.public_data
def test_what_the_revisions_of_the_public_table_changed_agrees_with_the_golden_counts(
    public_data: Path,
) -> None:
    counts = public(public_data).counts[-1]
    assert (counts["first"], counts["last"]) == ("2023-12-20", "2025-04")
    golden = {
        "team_known_in_both": 668,
        "team_kept_share": 0.888,
        "compute_known_in_both": 380,
        "removed": 244,
    }
    for name, value in golden.items():
        assert counts[name] == pytest.approx(value, rel=BY_NAME_ALONE)
    assert counts["collaboration_to_academia"] == 25
    assert abs(counts["compute_moved"] - 57) <= 1
    assert (counts["compute_added"], counts["compute_withdrawn"]) == (33, 1)


@pytest.mark.public_data
def test_parts_of_every_public_change_add_up_and_carry_the_caution_on_codings(public_data: Path) -> None:
    found = public(public_data)
    assert len(found.moves) == 3 * len(HEADLINES)
    for move in found.moves:
        assert move.parts is not None
        assert math.fsum(move.parts.values()) == pytest.approx(move.change, abs=1e-9)
    ids = {finding.id for finding in found.findings()}
    assert "divide.snapshot_change.academia_share_last.2023-12-20_2025-04" in ids
    assert all(any("two ways" in text for text in one.cautions) for one in found.findings())
    assert any("2025-02 lacks" in text for text in found.cautions)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000), added=st.integers(0, 15), removed=st.integers(0, 15))
def test_parts_add_up_to_the_change_whatever_was_revised(seed: int, added: int, removed: int) -> None:
    rng = np.random.default_rng(seed)
    old = rows_made(seed)
    new = [
        row
        | {
            "train_flop": row["train_flop"] * (10.0 if rng.random() < 0.1 else 1.0),
            "team_label": "Academia" if rng.random() < 0.1 else row["team_label"],
            "notability": "SOTA improvement" if rng.random() < 0.9 else "Training cost",
        }
        for row in old[removed:]
    ] + [row | {"model": f"new {i}"} for i, row in enumerate(rows_made(seed + 1, 15)[:added])]
    found = pair(old, [*new, rows_made(seed)[0] | {"model": "always new"}])
    for move in found.moves:
        if move.parts is not None:
            assert math.fsum(move.parts.values()) == pytest.approx(move.change, abs=1e-9)


@pytest.mark.parametrize(
    ("player", "revise"),
    [
        ("changed team", lambda row: row | {"team_label": "Academia"}),
        ("changed compute", lambda row: row | {"train_flop": 100 * row["train_flop"]}),
        ("changed filter", lambda row: row | {"notability": "Training cost"}),
    ],
)
def test_one_planted_kind_of_revision_gets_the_whole_change(player: str, revise: Any) -> None:
    old = rows_made(3)
    new = [revise(row) if place % 5 == 0 else row for place, row in enumerate(old)]
    found = pair(old, new)
    move = found.move("gap_oom")
    assert move.parts is not None
    assert move.parts[player] == pytest.approx(move.change)
    assert abs(move.parts[player]) > 1e-3
    assert all(part == pytest.approx(0, abs=1e-12) for name, part in move.parts.items() if name != player)


def test_rows_only_added_or_only_removed_get_the_whole_change() -> None:
    rows = rows_made(4)
    for old, new, player in ((rows[:60], rows, "added rows"), (rows, rows[:60], "removed rows")):
        move = pair(old, new).move("doubling_time_months_all")
        assert move.parts is not None
        assert move.parts[player] == pytest.approx(move.change)
        assert move.change != 0


def test_every_changed_system_is_listed_with_what_changed() -> None:
    old = rows_made(5)[:6]
    new = [dict(row) for row in old]
    new[0]["train_flop"] *= 2
    new[1]["train_flop"] *= 1.005
    new[2]["train_flop"] = None
    new[3]["team_label"] = "Government"
    new[4]["model"] = "SYSTEM-4"
    new[5]["model"] = "renamed"
    changes = {row["model"]: row for row in pair(old, new).changes}
    assert changes["system 0"]["change"] == "compute"
    assert changes["system 0"]["compute_factor"] == pytest.approx(2)
    assert "system 1" not in changes
    assert changes["system 2"]["change"] == "compute withdrawn"
    assert changes["system 3"]["change"] == "team"
    assert changes["system 3"]["team_after"] == "other"
    assert "system 4" not in changes
    assert (changes["system 5"]["change"], changes["renamed"]["change"]) == ("removed", "added")
    assert changes["system 5"]["team_after"] is None


def test_one_name_far_apart_in_time_is_two_systems_and_the_nearest_dates_are_paired() -> None:
    def edition(days: list[str], name: str) -> Any:
        rows = [{"model": "Atlas", "date": one, "team_label": "Industry"} for one in days]
        (snapshot,) = snapshots_of(table(rows, name))
        return edition_of(snapshot, TeamRule(), "none")

    old = edition(["2020-01-01", "2021-01-01"], "models_2022")
    new = edition(["2021-01-20", "2020-02-20", "2022-06-01"], "models_2023")
    found = align(old, new)
    assert list(zip(found.old, found.new, strict=True)) == [(0, 1), (1, 0)]
    assert found.added.tolist() == [2]
    assert found.removed.size == 0


@given(name=st.text(min_size=1, max_size=20))
def test_a_plain_name_is_its_own_plain_name(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_turning_the_editions_round_turns_each_change_and_part_round(seed: int) -> None:
    old = rows_made(seed)
    new = [row | {"team_label": "Industry"} if i % 7 == 0 else row for i, row in enumerate(old[5:])]
    there = audit([table(old, "models_2023"), table(new, "models_2024")])
    back = audit([table(old, "models_2024"), table(new, "models_2023")])
    mirror = {"added rows": "removed rows", "removed rows": "added rows"}
    for name in HEADLINES:
        one, other = there.move(name), back.move(name)
        if one.parts is not None and other.parts is not None and one.change is not None:
            assert other.change == pytest.approx(-one.change)
            for player in PLAYERS:
                turned = other.parts[mirror.get(player, player)]
                assert turned == pytest.approx(-one.parts[player], abs=1e-9)


def test_a_headline_that_one_edition_cannot_give_is_not_identified() -> None:
    late = [row for row in rows_made(6) if row["date"] >= "2016"]
    found = pair(rows_made(6), late)
    finding = next(one for one in found.findings() if ".academia_share_first." in one.id)
    assert finding.status == "not_identified"
    assert "2025-04" in finding.details["reason"]
    assert found.move("academia_share_first").parts is None


def test_editions_are_ordered_by_the_date_in_their_name_else_by_their_latest_row() -> None:
    rows = rows_made(7)
    later, earlier = table(rows, "models_2025-04"), table(rows[:50], "models_2023-12-20")
    undated = table(rows[:70], "my systems")
    assert [one.name for one in snapshots_of([later, undated, earlier])] == [
        "my systems",
        "2023-12-20",
        "2025-04",
    ]


def test_one_edition_or_the_same_twice_is_refused() -> None:
    models = table(rows_made(1), "models_2023")
    with pytest.raises(EvidenceError, match="1 snapshot, needs at least two"):
        audit([models])
    with pytest.raises(EvidenceError, match="holds the same rows as"):
        audit([models, table(rows_made(1), "models_2024")])
    with pytest.raises(EvidenceError, match=r"a table of .*, needs models"):
        audit([models, load("chip_prices")])


def two_files(folder: Path) -> list[str]:
    paths = []
    for name, rows in (("models_2023-12.csv", rows_made(9)), ("models_2025-04.csv", rows_made(9)[4:])):
        plain: Table = table(rows)
        path = folder / name
        plain.frame.select(
            "model", "date", "train_flop", "organisations", "team_label", "notability"
        ).write_csv(path)
        paths.append(str(path))
    return paths


def test_the_command_prints_changes_headlines_and_their_decomposition(tmp_path: Path) -> None:
    files = two_files(tmp_path)
    done = CliRunner().invoke(command, [*files, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [row["change"] for row in document["tables"]["changes"]] == ["removed"] * 4
    assert len(document["tables"]["headlines"]) == 2 * len(HEADLINES)
    assert len(document["tables"]["decomposition"]) == len(HEADLINES) * len(PLAYERS)
    page = CliRunner().invoke(command, files)
    assert page.exit_code == 0
    assert "Change from 2023-12 to 2025-04" in page.stdout
    assert "What each kind of revision contributed to it" in page.stdout
    twice = CliRunner().invoke(command, [files[0], files[0]])
    assert isinstance(twice.exception, IsoflopError)


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_and_its_pictures_hold_the_whole_staircase() -> None:
    old = rows_made(10)
    found = pair(old, [row | {"team_label": "Industry"} if i % 4 == 0 else row for i, row in enumerate(old)])
    frame = waterfall_data(found)
    for title in frame["title"].unique():
        steps = frame.filter(frame["title"] == title).sort("place")
        assert steps["end"].to_list()[-2] == pytest.approx(steps["end"].to_list()[-1])
    for figure in audit_figures(found):
        assert figure.chart().to_dict()["$schema"]
    text = " ".join(block for block in audit_section(found).blocks() if isinstance(block, str))
    assert "the largest part is changed team" in text
