"""The verbs that start workers: what they print, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from isoflop.errors import SettingError
from isoflop.portability.chapter.run import certificate_text, run_section, target_rows
from isoflop.portability.commands import group
from isoflop.portability.engine.run import run as run_items
from isoflop.portability.results import read_run
from isoflop.present.console import WIDTH

RUN = ("run", "--framework", "fake", "--functions", "fake.add,fake.exp,fake.sort", "--dtypes", "float32",
       "--sizes", "tiny", "--timing", "none", "--jobs", "1")  # fmt: skip
Asked = Callable[..., Result]


def asked(*arguments: str) -> Result:
    """Return what a verb of the group does."""
    return CliRunner().invoke(group, arguments, catch_exceptions=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of two targets, one of them at fault."""
    place = tmp_path_factory.mktemp("runs") / "run"
    found = asked(*RUN, "--targets", "plain,broken(add),lower", "--out", str(place), "--json")
    assert found.exit_code == 0, found.output
    (place / "printed.json").write_text(found.stdout, encoding="utf-8")
    return place


def test_a_run_prints_its_results_targets_and_certificate(folder: Path) -> None:
    document = json.loads((folder / "printed.json").read_text(encoding="utf-8"))
    tables = document["tables"]
    assert {"results", "shares", "targets", "certificate"} <= set(tables)
    statuses = {(row["target"], row["function"]): row["status"] for row in tables["results"]}
    assert len(statuses) == 9
    assert {key for key, status in statuses.items() if status != "ok"} == {("fake:broken(add)", "fake.add")}
    levels = {row["target"]: (row["target_level"], row["failed"]) for row in tables["targets"]}
    assert levels == {
        "fake:plain": ("ran", 0), "fake:broken(add)": ("ran", 1), "fake:lower": ("lowered", 0),
    }  # fmt: skip
    assert tables["certificate"][0]["self_check_tasks"] == 3
    shares = {f["id"]: f["value"] for f in document["findings"] if "failure_share" in f["id"]}
    assert any(value == pytest.approx(1 / 3) for value in shares.values())


@pytest.mark.slow
@pytest.mark.ci
def test_the_folder_of_a_run_is_a_run_for_every_other_verb(folder: Path) -> None:
    run = read_run(folder)
    assert run.frame().height == 9
    assert run.certificate
    assert {row["target"]: row["ok"] for row in target_rows(run)}["fake:broken(add)"] == 2
    assert "not certified: no negative controls were run" in certificate_text(run)
    section = run_section(run)
    assert section.tables[0].rows
    again = asked("resume", str(folder), "--json")
    assert again.exit_code == 0, again.output
    assert len(json.loads(again.stdout)["tables"]["results"]) == 9


def test_a_page_for_people_keeps_its_width(folder: Path) -> None:
    found = asked("resume", str(folder))
    assert found.exit_code == 0, found.output
    assert max(map(len, found.stdout.splitlines())) <= WIDTH
    assert "fake.add" in found.stdout


def test_a_task_is_done_again_by_a_script_of_its_own(folder: Path) -> None:
    frame = read_run(folder).frame()
    broken = frame.filter((frame["target"] == "fake:broken(add)") & (frame["status"] != "ok"))["task_id"][0]
    found = asked("replay", str(folder), broken[:10], "--write-only")
    assert found.exit_code == 0, found.output
    script = Path(found.stdout.strip())
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert ended.returncode == 1
    assert "NotImplementedError: fake.add has no kernel on device fake" in ended.stderr
    assert '"function": "fake.add"' in ended.stdout
    with pytest.raises(SettingError, match="no task"):
        asked_or_raise("replay", str(folder), "zzz")


def asked_or_raise(*arguments: str) -> None:
    """Do what `asked` does and let errors through."""
    CliRunner().invoke(group, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--framework", "fak", "--targets", "plain"), "Did you mean 'fake'"),
        (("run", "--framework", "fake", "--targets", "plain", "--providers", "x"), "--providers: 'x'"),
        (("resume", "nowhere", "--jobs", "x"), "--jobs: 'x'"),
        (("run", "--targets", "fake:plain", "--catalogue", "nowhere.jsonl"), "no file nowhere.jsonl"),
        (("targets", "--framework", "troch"), "Did you mean torch?"),
        (("targets", "--python", "nowhere"), "no interpreter nowhere"),
        (("resume", "nowhere"), "no run in nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_before_it_is_begun(arguments: tuple[str, ...], message: str) -> None:
    found = asked(*arguments)
    assert found.exit_code != 0
    assert message in str(found.exception)


def test_targets_say_why_they_are_absent() -> None:
    found = asked("targets", "fake:plain", "fake:absent", "--json")
    assert found.exit_code == 0, found.output
    rows = {row["id"]: row for row in json.loads(found.stdout)["tables"]["targets"]}
    assert rows["fake:plain"]["present"] is True
    assert rows["fake:absent"]["reason"] == "a fake target that is never here"


@pytest.mark.slow
@pytest.mark.ci
def test_items_written_down_can_be_run(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    listed = asked("catalogue", "fake", "--functions", "fake.add", "--dtypes", "float32", "--sizes", "tiny",
                   "--out", str(path), "--json")  # fmt: skip
    assert listed.exit_code == 0, listed.output
    items = json.loads(listed.stdout)["tables"]["items"]
    assert {item["function"] for item in items} == {"fake.add"}
    found = asked("run", "--targets", "fake:plain", "--catalogue", str(path), "--timing", "none", "--json")
    assert found.exit_code == 0, found.output
    assert len(json.loads(found.stdout)["tables"]["results"]) == len(items)
    path.write_text('{"nothing": 1}\n', encoding="utf-8")
    assert "is no item" in str(asked("run", "--targets", "fake:plain", "--catalogue", str(path)).exception)


@pytest.mark.slow
@pytest.mark.ci
def test_every_planted_fault_is_found_by_the_full_controls() -> None:
    from isoflop.portability.engine.certificate import DEADLY, recovered, run_controls
    from isoflop.portability.model import Timing

    rows = run_controls(Timing.none(), full=True)
    assert recovered(rows), [(row["target"], row["function"], row["status"]) for row in rows]
    assert {row["target"] for row in rows} >= set(DEADLY)


@pytest.mark.slow
def test_a_framework_is_run_and_certified(frameworks: Path, tmp_path: Path) -> None:
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.portability.engine.targets import Interpreters
    from isoflop.portability.model import Timing

    python = Interpreters(default=str(frameworks))
    items = catalogue("torch", providers=["opinfo"], python=python).items[:60]
    found = run_items(items, targets=["torch:eager", "torch:meta"], timing=Timing.none(), python=python,
                      out=tmp_path / "run")  # fmt: skip
    counts: dict[str, Any] = {row["target"]: row for row in target_rows(found)}
    assert counts["torch:eager"]["failed"] == 0
    assert counts["torch:meta"]["ok"] >= 50
    known = next(iter(found.certificate.values()))
    assert known["passed"], known["doubts"]
    assert not list((tmp_path / "run").glob("*.tmp"))
