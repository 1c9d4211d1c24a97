"""Whatever a task does to its worker, every other result is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isoflop.errors import SettingError
from isoflop.portability.engine.catalogue import catalogue
from isoflop.portability.engine.child import Child, WorkerDied
from isoflop.portability.engine.journal import JOURNAL, read_lines
from isoflop.portability.engine.run import resume, run
from isoflop.portability.engine.targets import Interpreters
from isoflop.portability.model import Timing
from isoflop.portability.task import Item

EXPECTED = {
    "segv": ("crash", "SIGSEGV"),
    "abort": ("crash", "SIGABRT"),
    "exit": ("crash", "exit code 3"),
    "stack_overflow": ("crash", "SIGSEGV"),
    "memory_bomb": ("oom", "oom"),
    "loop": ("timeout", "timeout"),
    "stdout_flood": ("ok", None),
    "fork": ("ok", None),
    "closed_descriptors": ("ok", None),
    "used_process": ("crash", "SIGABRT"),
}
"""What each trouble becomes, and the error's type."""
CHEAP = ("abort", "stdout_flood", "closed_descriptors")


def troubles(*names: str) -> list[Item]:
    """Return the items that do harm, each between two that do none."""
    every = {
        one.function.rpartition(".")[2]: one for one in catalogue("fake", providers=["fake_trouble"]).items
    }
    assert set(every) == set(EXPECTED)
    null = catalogue("fake", providers=["fake_null"], samples=len(names) + 1).items
    return [null[0], *(part for i, name in enumerate(names) for part in (every[name], null[i + 1]))]


def outcomes(
    items: list[Item], deadline_s: float, memory_byte: int
) -> dict[str, tuple[str, str | None, str | None]]:
    """Return status, error type and reason by the last part of the function's name."""
    frame = run(
        items,
        targets=["fake:trouble"],
        timing=Timing.none(),
        jobs=1,
        deadline_s=deadline_s,
        memory_byte=memory_byte,
    ).frame()
    assert frame.height == len(items)
    return {
        row["function"].rpartition(".")[2]: (row["status"], row["error_type"], row["reason"])
        for row in frame.iter_rows(named=True)
    }


def test_a_task_that_kills_its_worker_costs_its_own_result_alone() -> None:
    found = outcomes(troubles(*CHEAP), 20.0, 1 << 30)
    assert found.pop("null")[0] == "ok"
    assert {name: one[:2] for name, one in found.items()} == {name: EXPECTED[name] for name in CHEAP}


@pytest.mark.slow
@pytest.mark.ci
def test_every_trouble_becomes_the_status_that_it_is() -> None:
    found = outcomes(troubles(*EXPECTED), 12.0, 700 << 20)
    assert found.pop("null")[0] == "ok"
    assert {name: one[:2] for name, one in found.items()} == EXPECTED
    assert found["used_process"][2] == "state_dependent"


def test_a_worker_that_dies_at_its_start_says_what_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library: libfoo' >&2\nexit 9\n", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(WorkerDied, match="libfoo") as caught:
        Child(broken)
    assert (caught.value.status, caught.value.signal_name) == ("start", "exit code 9")
    monkeypatch.setattr(Interpreters, "__call__", lambda *_: str(broken))
    one = Item(framework="fake", function="fake.add", provider="fake", dtype="float32")
    with pytest.raises(SettingError, match=r"(?s)fake:plain.*libfoo"):
        run([one], targets=["fake:plain"], timing=Timing.none())


def test_a_worker_that_dies_is_noticed_though_a_child_of_it_holds_the_pipe(tmp_path: Path) -> None:
    forking = tmp_path / "python"
    forking.write_text("#!/bin/sh\nsleep 100 &\nexit 9\n", encoding="utf-8")
    forking.chmod(0o755)
    begun = time.monotonic()
    with pytest.raises(WorkerDied, match="exit code 9"):
        Child(forking)
    assert time.monotonic() - begun < 60


def test_a_worker_ends_when_its_pipe_is_closed() -> None:
    child = Child()
    pid = child._process.pid
    os.close(child._to)
    child._process.wait(timeout=20)
    child._to = os.open(os.devnull, os.O_WRONLY)
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


_PARENT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs do not hear it
from isoflop.portability.engine.catalogue import catalogue
from isoflop.portability.engine.run import run
from isoflop.portability.model import Timing
items = [*catalogue("fake", providers=["fake_null"], samples=40).items]
items += [one for one in catalogue("fake", providers=["fake_trouble"]).items if one.function.endswith("loop")]
run(items, targets=["fake:trouble"], timing=Timing.none(), jobs=1, out=sys.argv[1], deadline_s=60.0)
"""


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.skipif(sys.platform != "linux", reason="workers are tied to their parent on Linux only")
def test_a_parent_that_is_killed_leaves_its_results_and_no_worker(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(folder)])
    until = time.monotonic() + 60
    while len(_whole(folder / JOURNAL)) < 40 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # so that the worker hangs in C by now
    workers = _children(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    done = {row["key"]: row for row in read_lines(folder / JOURNAL)}
    assert len(done) == 40
    assert workers
    until = time.monotonic() + 10
    while any(_runs(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in workers)
    tasks = (
        (folder / "tasks.jsonl").read_text(encoding="utf-8").replace('"deadline_s":60.0', '"deadline_s":2.0')
    )
    (folder / "tasks.jsonl").write_text(tasks, encoding="utf-8")
    found = resume(folder, jobs=1).frame()
    assert found.height == 41
    assert dict(found["status"].value_counts().iter_rows()) == {"ok": 40, "timeout": 1}
    after = {row["key"]: row for row in read_lines(folder / JOURNAL)}
    assert all(after[key] == row for key, row in done.items())


@pytest.mark.slow
@pytest.mark.ci
def test_an_interrupted_run_leaves_no_worker_and_can_be_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(folder)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(_whole(folder / JOURNAL)) < 40 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    workers = _children(parent.pid)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(timeout=20) != 0
    assert workers
    assert not any(_runs(pid) for pid in workers)
    assert len(read_lines(folder / JOURNAL)) == 40


def _whole(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.is_file() else []


def _children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                fields = (place / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(place.name))
    return found


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
