"""Jobs: few at a time, in turn, ended as a group, and remembered."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.errors import EvidenceError, SettingError
from isoflop.serve import Job, Jobs, Settings
from isoflop.serve import process as processes

SLEEP = "import time; time.sleep(60)"
SOON_S = 20.0


@pytest.fixture
def scripted(monkeypatch):
    """Let the words of a job be a Python script, so that no job costs an import of isoflop."""

    def start(words, folder, *, nice, threads):
        with (folder / "document.json").open("wb") as out, (folder / "remarks.txt").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", *words],
                cwd=folder,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    monkeypatch.setattr(processes, "start", start)
    monkeypatch.setattr("isoflop.serve.jobs.LOOK_S", 0.01)


@pytest.fixture
def jobs(tmp_path, scripted):
    made = Jobs(tmp_path / "jobs", Settings())
    yield made
    made.close()


def test_a_job_s_result_is_what_it_printed(jobs):
    job = jobs.start(["print('{\"findings\": []}')"], title="one")
    job = jobs.wait(job.id, SOON_S)
    assert job.state == "done"
    assert job.exit_code == 0
    assert job.document() == {"findings": []}
    assert job.started <= job.ended


def test_what_a_refused_command_said_is_kept(jobs):
    job = jobs.wait(
        jobs.start(["import sys; print('no', file=sys.stderr); sys.exit(2)"], title="two").id, SOON_S
    )
    assert (job.state, job.exit_code, job.stderr().strip()) == ("failed", 2, "no")
    with pytest.raises(EvidenceError, match="no document"):
        job.document()


@pytest.mark.parametrize(("printed", "state"), [("{}", "done"), ("", "failed")])
def test_exit_code_one_is_a_finding_where_something_was_printed_and_a_fault_elsewhere(jobs, printed, state):
    job = jobs.start([f"import sys; sys.stdout.write('{printed}'); sys.exit(1)"], title="three")
    assert jobs.wait(job.id, SOON_S).state == state


def test_no_more_than_allowed_run_at_once_and_the_rest_keep_their_turn(jobs):
    started = [jobs.start([SLEEP], title=str(number)) for number in range(4)]
    assert [jobs.get(job.id).state for job in started] == ["running", "running", "queued", "queued"]
    assert [jobs.place(job.id) for job in started] == [None, None, 1, 2]
    jobs.cancel(started[2].id)
    assert jobs.place(started[3].id) == 1
    jobs.cancel(started[0].id)
    assert [jobs.get(job.id).state for job in started] == ["cancelled", "running", "cancelled", "running"]


def test_cancelling_ends_what_the_job_started_too(jobs, tmp_path):
    note = tmp_path / "child"
    script = (
        "import subprocess, sys, time, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-I', '-S', '-c', {SLEEP!r}])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)"
    )
    job = jobs.start([script], title="parent")
    end = time.monotonic() + SOON_S
    while not (note.exists() and note.read_text()) and time.monotonic() < end:
        time.sleep(0.01)
    assert jobs.cancel(job.id).state == "cancelled"
    while time.monotonic() < end and not _is_gone(int(note.read_text())):
        time.sleep(0.01)
    assert _is_gone(int(note.read_text()))


def _is_gone(pid: int) -> bool:
    """A killed process without a living parent may stay a zombie where nothing reaps it."""
    state = Path(f"/proc/{pid}/stat")
    if state.exists():
        return state.read_text().rpartition(")")[2].split()[0] == "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_job_that_takes_too_long_is_ended_with_the_reason(tmp_path, scripted):
    jobs = Jobs(tmp_path, Settings(job_seconds=0.05))
    job = jobs.wait(jobs.start([SLEEP], title="slow").id, SOON_S)
    jobs.close()
    assert job.state == "failed"
    assert "limit" in job.reason


def test_a_job_that_takes_too_much_memory_is_ended_with_the_reason(tmp_path, scripted, monkeypatch):
    monkeypatch.setattr("isoflop.serve.jobs.MEASURE_S", 0.05)
    jobs = Jobs(tmp_path, Settings(job_bytes=20_000_000))
    job = jobs.wait(jobs.start([f"held = bytearray(60_000_000); {SLEEP}"], title="large").id, SOON_S)
    jobs.close()
    assert job.state == "failed"
    assert "GB" in job.reason


def test_jobs_outlive_the_server_and_those_it_left_running_are_interrupted(tmp_path, scripted):
    first = Jobs(tmp_path, Settings())
    done = first.wait(first.start(["print('{}')"], title="done").id, SOON_S)
    left = replace(
        done, id="20260101-000000-0000abcd", folder=tmp_path / "20260101-000000-0000abcd", state="running"
    )
    left.folder.mkdir()
    left.save()
    (tmp_path / "20260101-000000-ffffffff").mkdir()
    first.close()
    second = Jobs(tmp_path, Settings())
    assert second.get(done.id) == done
    assert second.get(left.id).state == "interrupted"
    assert len(second.all()) == 2
    assert json.loads((left.folder / "job.json").read_text())["state"] == "interrupted"


def test_closing_ends_everything_and_takes_no_more(tmp_path, scripted):
    jobs = Jobs(tmp_path, Settings(jobs_at_once=1))
    started = [jobs.start([SLEEP], title="x") for _ in range(2)]
    jobs.close()
    assert {jobs.get(job.id).state for job in started} == {"interrupted"}
    with pytest.raises(SettingError, match="ending"):
        jobs.start([SLEEP], title="late")


def test_deleting_a_running_job_ends_it_and_removes_its_folder(jobs):
    job = jobs.start([SLEEP], title="x")
    assert jobs.delete(job.id)
    assert not job.folder.exists()
    assert jobs.get(job.id) is None
    assert not jobs.delete(job.id)


def test_a_full_queue_refuses(tmp_path, scripted):
    jobs = Jobs(tmp_path, Settings(jobs_at_once=1, jobs_waiting=1))
    for _ in range(2):
        jobs.start([SLEEP], title="x")
    with pytest.raises(SettingError, match="limit"):
        jobs.start([SLEEP], title="x")
    jobs.close()


@pytest.mark.parametrize("name", ["../x", "/x", ".", "a/../../x", ""])
def test_an_input_cannot_leave_the_job_s_folder(jobs, name):
    with pytest.raises(SettingError, match="below the job's folder"):
        jobs.start(["pass"], title="x", inputs={name: b""})
    assert list(jobs.folder.iterdir()) == []


def test_inputs_lie_where_the_command_runs(jobs, tmp_path):
    source = tmp_path / "runs.csv"
    source.write_text("a\n1\n")
    script = "import pathlib; print(pathlib.Path('b/c.csv').read_text() + pathlib.Path('d').read_text())"
    job = jobs.start([script], title="x", inputs={"b/c.csv": source, "d": b"e"})
    job = jobs.wait(job.id, SOON_S)
    assert (job.folder / "document.json").read_text().split() == ["a", "1", "e"]


def test_progress_is_the_mean_of_what_was_announced_and_half_a_line_is_no_harm(tmp_path):
    job = Job(id="x", title="", words=(), folder=tmp_path, state="running", created=dt.datetime.now(dt.UTC))
    assert job.fraction is None
    steps = [("a", 0.0), ("a", 1.0), ("b", 0.5), ("c", 7.0)]
    lines = [json.dumps({"label": label, "fraction": done}) for label, done in steps]
    (tmp_path / "progress.jsonl").write_text("\n".join(lines) + '\n{"label": "d", "fra')
    assert job.progress == {"a": 1.0, "b": 0.5, "c": 1.0}
    assert job.fraction == pytest.approx(2.5 / 3)
    assert job.label == "b"


@pytest.mark.slow
@pytest.mark.ci
def test_a_real_command_runs_in_its_folder_and_tells_its_progress(tmp_path):
    (tmp_path / "trap").mkdir()
    jobs = Jobs(tmp_path / "jobs", Settings())
    words = ["scaling", "fit", "--bootstrap", "20", "--json", "--figure", "picture.svg"]
    trap = b"raise SystemExit('an uploaded file was imported')"
    job = jobs.wait(jobs.start(words, title="fit", inputs={"numpy.py": trap, "json.py": trap}).id, 60.0)
    jobs.close()
    assert job.state == "done", job.stderr()
    assert job.document()["findings"]
    assert job.progress == {"bootstrap": 1.0}
    assert job.files("picture*.svg")
