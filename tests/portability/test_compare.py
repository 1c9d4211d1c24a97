"""Two runs compared: planted regressions and fixes, planted speed, common inputs alone; commands."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.chapter.compare import compare_section
from isoflop.portability.commands.compare import compare as compare_command
from isoflop.portability.commands.merge import bundle as bundle_command
from isoflop.portability.commands.merge import merge as merge_command
from isoflop.portability.compare import Comparison, compare
from isoflop.portability.results import write_results
from isoflop.portability.runs import Run
from isoflop.portability.simulate import PlantedRun, run_of

Rows = list[dict[str, Any]]


@cache
def old() -> Run:
    """Return the older run: ten functions that pass on one computer."""
    run, _ = PlantedRun(functions=10, samples=2, processes=3).draw(np.random.default_rng(0))
    return run_of([row | {"target_version": "1.0", "host_hash": "h"} for row in run.frame().to_dicts()])


def changed(edit: Any) -> Run:
    """Return a newer run in which each row was edited."""
    return run_of(
        [row | {"run_id": "new", "target_version": "2.0"} | edit(row) for row in old().frame().to_dicts()]
    )


def fails(name: str) -> dict[str, Any]:
    """Return what a failing row holds."""
    return {"status": "error", "reason": name, "median_s": None, "block_log_ratios": None}


def by_function(found: Comparison) -> dict[str, Any]:
    """Return changes by function."""
    return {one.function: one for one in found.changes}


def test_a_run_does_not_differ_from_itself() -> None:
    found = compare(old(), old())
    assert {one.outcome for one in found.changes} == {"still passing"}
    assert {one.pace for one in found.changes} == {"alike"}
    assert all(one.ratio is not None and one.ratio.value == pytest.approx(1.0) for one in found.changes)


def test_what_fails_anew_and_what_was_fixed_are_found_both_ways() -> None:
    broken = {"made.f0002", "made.f0007"}
    new = changed(lambda row: fails("dtype") if row["function"] in broken else {})
    forth, back = compare(old(), new), compare(new, old())
    assert {one.function for one in forth.of("newly failing")} == broken
    assert {one.function for one in back.of("newly fixed")} == broken
    assert by_function(forth)["made.f0002"].reason == "dtype"
    assert forth.versions == {"made:other": ("1.0", "2.0")}
    ids = {one.id: one.details["count"] for one in forth.findings()}
    assert ids["portability.newly_failing.made.other"] == 2
    assert ids["portability.newly_fixed.made.other"] == 0


def test_one_lost_input_of_two_makes_a_function_fail_anew() -> None:
    lost = old().frame()["sample_id"][0]
    found = compare(old(), changed(lambda row: fails("memory") if row["sample_id"] == lost else {}))
    (one,) = found.of("newly failing")
    assert (one.lost, one.gained, one.tasks) == (1, 0, 2)


@pytest.mark.parametrize(("factor", "pace"), [(2.0, "slower"), (0.5, "faster"), (1.01, "alike")])
def test_planted_speed_is_found(factor: float, pace: str) -> None:
    new = changed(lambda row: {"median_s": factor * row["median_s"]})
    found = compare(old(), new)
    for one in found.changes:
        assert one.ratio is not None
        assert one.ratio.value == pytest.approx(factor)
        assert one.pace == pace
    assert found.timed_how.startswith("median seconds of one computer")


def test_on_another_computer_times_are_taken_beside_the_reference() -> None:
    new = changed(
        lambda row: (
            {"host_hash": "other", "median_s": 9 * row["median_s"]}
            | {"reference_median_s": 3 * row["reference_median_s"]}
        )
    )
    found = compare(old(), new)
    assert "computers differ" in found.timed_how
    assert all(one.ratio is not None and one.ratio.value == pytest.approx(3.0) for one in found.changes)


def test_protocols_are_not_compared() -> None:
    found = compare(old(), changed(lambda _row: {"protocol": "1q"}))
    assert {one.ratio for one in found.changes} == {None}
    assert found.timed_how == ""


def test_only_common_inputs_count_and_the_rest_is_said() -> None:
    names = old().frame()["function"].unique().sort().to_list()
    rows = [row | {"run_id": "new"} for row in old().frame().to_dicts() if row["function"] != names[0]]
    extra = rows[0] | {"task_id": "fresh", "sample_id": "fresh", "function": "made.fresh"}
    found = compare(old(), run_of([*rows, extra]))
    assert (found.only_old, found.only_new) == (2, 1)
    assert names[0] not in by_function(found)
    assert any("left out, since catalogues change" in text for text in found.cautions)


def test_inputs_left_out_on_a_side_are_no_change() -> None:
    found = compare(old(), changed(lambda _row: {"status": "skipped", "median_s": None}))
    assert (found.changes, found.left_out) == ((), 20)


def test_runs_without_a_common_input_are_refused() -> None:
    with pytest.raises(EvidenceError, match="share no input"):
        compare(old(), changed(lambda row: {"sample_id": f"x{row['sample_id']}"}))
    with pytest.raises(SettingError, match="'strict' or 'fallback'"):
        compare(old(), old(), policy="loose")  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_shows_the_changes() -> None:
    section = compare_section(compare(old(), changed(lambda row: {"median_s": 3 * row["median_s"]})))
    assert len(section.tables[1].rows) == 10
    spec = section.figures[0].chart().to_dict()
    assert spec["spec"]["layer"]
    quiet = compare_section(compare(old(), old()))
    assert len(quiet.tables) == 1


@pytest.mark.slow
@pytest.mark.ci
def test_commands_compare_merge_and_bundle(tmp_path: Path) -> None:
    new = changed(lambda row: fails("dtype") if row["function"] == "made.f0001" else {})
    paths = [str(write_results(run, tmp_path / f"{i}.csv.gz")) for i, run in enumerate((old(), new))]
    runner = CliRunner()
    told = runner.invoke(compare_command, [*paths, "--fail-on", "failing", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["tables"]["targets"][0]["newly_failing"] == 1
    assert runner.invoke(compare_command, [*paths[:1], paths[0], "--fail-on", "slower"]).exit_code == 0
    out = str(tmp_path / "both.parquet")
    merged = runner.invoke(merge_command, [*paths, "--out", out, "--json"])
    assert {row["run_id"] for row in json.loads(merged.stdout)["tables"]["runs"]} == {"made", "new"}
    packed = runner.invoke(bundle_command, [out, str(tmp_path / "both.zip"), "--json"])
    assert json.loads(packed.stdout)["tables"]["bundle"][0]["bytes"] > 0
    assert "results of 2 runs" in runner.invoke(merge_command, [str(tmp_path / "both.zip")]).stdout
