"""The engine: what is planned, what is kept, and what becomes of a run that is cut off."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability import registry
from isoflop.portability.engine import certificate as certifying
from isoflop.portability.engine.catalogue import Catalogue
from isoflop.portability.engine.child import Child, WorkerDied
from isoflop.portability.engine.journal import JOURNAL, Journal, begin, read_lines, read_tasks
from isoflop.portability.engine.lane import Lane, row_of_death
from isoflop.portability.engine.limits import Limits
from isoflop.portability.engine.run import plan_tasks, resume, run
from isoflop.portability.engine.schedule import plan_lanes
from isoflop.portability.engine.targets import Interpreters, targets
from isoflop.portability.entries import TargetEntry
from isoflop.portability.model import Timing
from isoflop.portability.task import Item, Task

FUNCTIONS = ("fake.add", "fake.exp", "fake.sort")


def item(function: str = "fake.add", index: int = 0, cost: float = 1e-4) -> Item:
    """Return an item of the fakes that their provider can make."""
    return Item(
        framework="fake", function=function, provider="fake", dtype="float32", size_class="tiny",
        index=index, address='{"stream": 0}', cost=cost,
    )  # fmt: skip


def task(function: str = "fake.add", target: str = "fake:plain", **rest: Any) -> Task:
    """Return a task that times nothing."""
    return Task(item=item(function), target=target, reference="fake:plain", timing=Timing.none(), **rest)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["torch:eager", "torch:meta", "jax:jit"]), st.integers(0, 2), st.floats(0, 1)
        ),
        max_size=30,
    ),
    st.integers(1, 6),
)
@settings(max_examples=40, deadline=None)
def test_every_task_stands_in_one_lane_and_cheap_ones_come_first(
    drawn: list[tuple[str, int, float]], jobs: int
) -> None:
    tasks = [
        Task(
            item=Item(framework="torch", function=f"f{i}", provider="p", dtype="float32", cost=cost),
            target=target, reference="torch:eager", timing=Timing.none(), repeat=repeat,
        )
        for i, (target, repeat, cost) in enumerate(drawn)
    ]  # fmt: skip
    lanes = plan_lanes(tasks, jobs)
    assert sorted(t.key for lane in lanes for t in lane) == sorted(t.key for t in tasks)
    for lane in lanes:
        assert lane
        assert len({(t.target, t.repeat) for t in lane}) == 1
        assert [t.item.cost for t in lane] == sorted(t.item.cost for t in lane)
    repeats = [lane[0].repeat for lane in lanes]
    assert repeats == sorted(repeats)


def test_timed_tasks_of_a_target_share_one_worker_however_many_there_may_be() -> None:
    made = plan_tasks([item(index=i) for i in range(9)], ["fake:plain"], None, "fallback", Timing(), 0, 5.0)
    assert len(made) == 9 * Timing().processes
    assert len(plan_lanes(made, 8)) == Timing().processes
    untimed = plan_tasks(
        [item(index=i) for i in range(9)], ["fake:plain"], None, "fallback", Timing.none(), 0, 5.0
    )
    assert len(plan_lanes(untimed, 4)) == 4


def test_what_cannot_run_is_planned_once_whatever_the_timing() -> None:
    made = plan_tasks([item()], ["fake:lower", "fake:plain"], None, "fallback", Timing(), 0, 5.0)
    assert [t.repeat for t in made if t.target == "fake:lower"] == [0]
    assert [t.repeat for t in made if t.target == "fake:plain"] == [0, 1, 2]


def test_a_catalogue_of_another_framework_is_refused() -> None:
    with pytest.raises(SettingError, match="no item belongs to the framework of torch:meta"):
        plan_tasks([item()], ["torch:meta"], None, "fallback", Timing.none(), 0, 5.0)


@given(st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_a_journal_cut_anywhere_keeps_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    done = [task(name) for name in FUNCTIONS]
    journal = Journal(folder)
    for one in done:
        journal.add(one, {"status": "ok"})
    journal.close()
    path = folder / JOURNAL
    data = path.read_bytes()
    kept = data[: min(cut, len(data))]
    path.write_bytes(kept)
    again = Journal(folder)
    assert len(again.rows) == kept.count(b"\n")
    again.add(task("fake.matmul"), {"status": "ok"})
    again.close()
    assert [row["status"] for row in read_lines(path)] == ["ok"] * len(again.rows)


def test_a_journal_broken_in_the_middle_is_refused(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"key": "a"}\n{"key": \n{"key": "c"}\n', encoding="utf-8")
    with pytest.raises(EvidenceError, match="line 2 of journal"):
        read_lines(tmp_path / JOURNAL)


def test_a_folder_takes_one_run(tmp_path: Path) -> None:
    begin(tmp_path, {"run_id": "r"}, [task()])
    assert read_tasks(tmp_path) == [task()]
    with pytest.raises(EvidenceError, match="holds a run already"):
        begin(tmp_path, {"run_id": "s"}, [task()])
    with pytest.raises(EvidenceError, match="holds a run already"):
        run([item()], targets=["fake:plain"], out=tmp_path)
    with pytest.raises(EvidenceError, match="no run in"):
        resume(tmp_path / "nowhere")


class Scripted:
    """Stands in for a worker: dies or answers as told."""

    def __init__(self, answers: Iterator[Any]) -> None:
        self.answers = answers

    def send(self, message: dict[str, Any]) -> None:
        """Take no notice."""

    def receive(self, deadline_s: float) -> dict[str, Any]:  # noqa: ARG002 - the interface of a worker
        """Return or raise what comes next."""
        answer = next(self.answers)
        if isinstance(answer, WorkerDied):
            raise answer
        return answer

    def close(self) -> None:
        """End."""


def lane_of(*answers: Any) -> tuple[Lane, list[Any]]:
    """Return a lane whose workers give these answers one after another, and the list of those that died."""
    script, died = iter(answers), []
    made = Lane(
        [task()],
        start=lambda: Scripted(script),
        limits=Limits(memory_byte=None),
        died=died.append,  # type: ignore[arg-type, return-value]
    )
    return made, died


OPENED = {"opened": True}
OK = {"row": {"status": "ok"}, "rss_byte": 1}


def crash(stage: str = "call", status: str = "crash") -> WorkerDied:
    """Return the death of a worker."""
    return WorkerDied(status, "SIGSEGV", stage, "last words")


def test_a_crash_that_repeats_is_a_crash_and_one_that_does_not_depends_on_state() -> None:
    lane, died = lane_of(OPENED, crash(), OPENED, crash())
    assert lane.row(task())["status"] == "crash"
    assert len(died) == 2
    lane, died = lane_of(OPENED, crash(), OPENED, OK)
    row = lane.row(task())
    assert (row["status"], row["reason"], len(died)) == ("crash", "state_dependent", 1)


def test_a_death_while_the_reference_ran_is_not_held_against_the_target() -> None:
    lane, _ = lane_of(
        OPENED, crash("reference"), OPENED, crash("reference"), OPENED, crash("reference"), OPENED, OK
    )
    assert lane.row(task())["status"] == "input_error"
    assert lane.row(task())["status"] == "ok"
    assert row_of_death(crash("inputs", "timeout"))["status"] == "input_error"
    assert row_of_death(crash("timing", "timeout"))["status"] == "timeout"


def test_workers_that_never_start_end_all_their_tasks_at_once() -> None:
    lane, died = lane_of(crash(""), crash(""))
    assert [lane.row(task())["status"] for _ in range(3)] == ["harness_error"] * 3
    assert len(died) == 2
    lane, _ = lane_of({"absent": "no such library"})
    first = lane.row(task())
    assert first["status"] == "harness_error"
    assert "no such library" in first["error_head"]


def test_a_worker_is_replaced_when_it_is_spent_or_has_grown() -> None:
    lane, died = lane_of(OPENED, *[OK] * 50, {**OK, "rss_byte": 2}, OPENED, OK)
    for _ in range(51):
        lane.row(task())
    assert lane.child is None
    assert lane.row(task())["status"] == "ok"
    assert not died


def test_an_interpreter_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no interpreter"):
        Interpreters.of([str(tmp_path / "python")])
    with pytest.raises(WorkerDied, match="start"):
        Child(tmp_path / "python")
    chosen = Interpreters.of([f"jax={sys.executable}"])
    assert chosen("jax:jit") == sys.executable
    assert Interpreters(named={"jax": "a", "jax:jit": "b"}, default="c")("jax:jit") == "b"
    assert Interpreters(named={"jax": "a"}, default="c")("fake:slow(2)") == sys.executable


def test_targets_of_other_packages_are_taken_in_and_replace_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Home:
        TARGETS = (
            TargetEntry(id="made:here", home="m:T", level="ran", reference="made:here"),
            TargetEntry(id="fake:plain", home="m:T", level="ran", reference="made:here"),
        )
        PROVIDERS = ()

    class Point:
        name, value = "made", "made.entries:Home"

        def load(self) -> type[Home]:
            return Home

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point()])  # noqa: ARG005
    monkeypatch.setattr(registry, "TARGETS", dict(registry.TARGETS))
    registry.extend.cache_clear()
    assert registry.parse_target("made:here")[0].home == "m:T"
    assert registry.TARGETS["fake:plain"].home != "m:T"
    monkeypatch.setattr(Home, "TARGETS", None)
    registry.extend.cache_clear()
    with pytest.raises(SettingError, match="entry point 'made'"):
        registry.extend()
    monkeypatch.undo()
    registry.extend.cache_clear()


def row(target: str, function: str, status: str = "ok", **rest: Any) -> dict[str, Any]:
    """Return a row as the certificate reads it."""
    return {"target": target, "reference": "fake:plain", "function": function, "status": status, **rest}


def controls(**changed: str) -> list[dict[str, Any]]:
    """Return rows of the planted targets as they should be, with changes by target."""
    return [
        row(target, function, changed.get(target.partition("(")[0][5:], planted.get(function, "ok")))
        for target, planted in certifying.CONTROLS.items()
        for function in certifying.PLANTED
    ]


def test_a_certificate_needs_each_planted_fault_and_no_other() -> None:
    good = certifying.certificate([row("a", "f")], controls=controls(), restarts=0)
    assert good["passed"]
    for missed in ({"broken": "ok"}, {"plain": "wrong"}, {"crashy": "ok"}, {"wrong": "ok"}):
        bad = certifying.certificate([row("a", "f")], controls=controls(**missed), restarts=0)
        assert bad["doubts"] == ["what was planted was not found again"]


@pytest.mark.parametrize(("log_ratio", "passed"), [(0.0, True), (0.04, True), (0.06, False), (-0.06, False)])
def test_a_reference_against_itself_takes_as_long_as_itself(log_ratio: float, passed: bool) -> None:
    own = [
        row("fake:plain", f"f{i}", block_log_ratios=f"{log_ratio} {log_ratio}", median_s=1.0)
        for i in range(12)
    ]
    found = certifying.certificate(own, controls=controls(), restarts=0)
    assert found["passed"] is passed
    failing = [*own[:11], row("fake:plain", "f", "error")]
    assert (
        "fails 1 task against itself"
        in certifying.certificate(failing, controls=controls(), restarts=0)["doubts"][0]
    )


def test_tasks_that_were_not_begun_stand_in_the_certificate() -> None:
    found = certifying.certificate([row("a", "f")], controls=controls(), restarts=3, not_begun=2)
    assert found["doubts"] == ["2 tasks were not begun within the budget"]
    assert found["worker_restarts"] == 3


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that lost all but its first two rows, the third torn."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    run([item(name) for name in FUNCTIONS], targets=["fake:plain", "fake:broken(add)"],
        timing=Timing.none(), jobs=1, out=folder, controls="none")  # fmt: skip
    lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 6
    (folder / JOURNAL).write_text("".join(lines[:2]) + lines[2][:30], encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.ci
def test_a_run_goes_on_where_it_was_cut_off(cut_off: Path) -> None:
    before = read_lines(cut_off / JOURNAL)
    found = resume(cut_off, jobs=1)
    statuses = {(r["target"], r["function"]): r["status"] for r in found.frame().iter_rows(named=True)}
    assert statuses == {
        **{("fake:plain", name): "ok" for name in FUNCTIONS},
        **{("fake:broken(add)", name): "ok" for name in FUNCTIONS},
        ("fake:broken(add)", "fake.add"): "unsupported",
    }
    after = {line["key"]: line for line in read_lines(cut_off / JOURNAL)}
    assert all(after[line["key"]] == line for line in before)
    about = json.loads((cut_off / "run.json").read_text(encoding="utf-8"))
    assert about["tasks"] == about["done"] == 6
    text = json.dumps(about | {"python": None})
    assert about["host"]["host_hash"] in text
    import platform

    assert platform.node() not in text


def test_an_absent_target_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="target 'fake:absent' is absent"):
        run([item()], targets=["fake:absent"], timing=Timing.none(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingError, match="no target"):
        run([item()], targets=[])
    with pytest.raises(SettingError, match="--jobs: 0"):
        run([item()], targets=["fake:plain"], jobs=0)
    with pytest.raises(SettingError, match="closest is 'fake:plain'"):
        run([item()], targets=["fake:plainn"])


def test_a_pattern_that_matches_nothing_names_the_closest_function() -> None:
    found = Catalogue(items=tuple(item(name) for name in FUNCTIONS))
    assert found.only(["fake.[ae]*"]).functions == ("fake.add", "fake.exp")
    with pytest.raises(SettingError, match=r"closest is 'fake\.add'"):
        found.only(["fake.ad"])


def test_targets_are_listed_without_looking_for_them() -> None:
    listed = targets(detect=False)
    assert {one.id for one in listed.targets} >= {"torch:eager", "jax:lower-tpu", "fake:plain"}
    assert not listed.present
