"""`Jobs`: starts command lines, a few at a time, lets the rest wait, and remembers them all."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from isoflop.errors import SettingError
from isoflop.present import formats
from isoflop.serve import process as processes
from isoflop.serve.job import JOB_ID, PRINTED, Job, read_job
from isoflop.serve.settings import GIGABYTE, Settings

LOOK_S: Final = 0.25
"""How often a running job is looked at."""
MEASURE_S: Final = 2.0
"""How often its memory is measured."""
INTERRUPTED: Final = "The server ended before the job did. Run it again."


class Jobs:
    """The jobs below a folder.

    Parameters
    ----------
    folder : Path
        One folder a job; made where absent.
    settings : Settings

    Notes
    -----
    Safe to call from any thread. A job that an earlier server left running is marked as interrupted.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[str] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ends: dict[str, tuple[str, str]] = {}
        self._attendants: list[threading.Thread] = []
        self._is_open = True
        for place in sorted(folder.iterdir()):
            job = read_job(place) if place.is_dir() and JOB_ID.fullmatch(place.name) else None
            if job is not None:
                self._jobs[job.id] = job
                if not job.is_over:
                    self._change(job.id, state="interrupted", ended=_now(), reason=INTERRUPTED)

    def start(
        self, words: Sequence[str], *, title: str, inputs: Mapping[str, bytes | Path] | None = None
    ) -> Job:
        """Queue a command line; it runs as soon as there is room.

        Parameters
        ----------
        words : sequence of str
            The words after ``isoflop``; they name inputs relative to the job's folder.
        title : str
        inputs : mapping of str to bytes or Path, optional
            Files to lay into the job's folder first, by relative name.

        Raises
        ------
        SettingError
            The queue is full, an input's name leaves the folder, or the server is ending.
        """
        with self._lock:
            if not self._is_open:
                raise SettingError("jobs: the server is ending, needs to be running. Start it again.")
            if len(self._waiting) >= self.settings.jobs_waiting:
                raise SettingError(
                    f"jobs: {len(self._waiting)} wait already, that is the limit. Wait, or cancel some."
                )
            created = _now()
            name = f"{created:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
            folder = self.folder / name
            folder.mkdir()
            try:
                for relative, content in (inputs or {}).items():
                    _lay(folder, relative, content)
                job = Job(
                    id=name, title=title, words=tuple(words), folder=folder, state="queued", created=created
                )
                job.save()
            except BaseException:
                shutil.rmtree(folder)
                raise
            self._jobs[name] = job
            self._waiting.append(name)
            self._start_waiting()
            return self._jobs[name]

    def get(self, name: str) -> Job | None:
        """Return a job as it is now, or None."""
        with self._lock:
            return self._jobs.get(name)

    def all(self) -> tuple[Job, ...]:
        """Return every job, the newest first."""
        with self._lock:
            return tuple(sorted(self._jobs.values(), key=lambda job: (job.created, job.id), reverse=True))

    def place(self, name: str) -> int | None:
        """Return a waiting job's place in the queue, from 1; None for any other job."""
        with self._lock:
            return self._waiting.index(name) + 1 if name in self._waiting else None

    def cancel(self, name: str) -> Job | None:
        """End a job that waits or runs; any other stays as it is."""
        with self._lock:
            if name in self._waiting:
                self._waiting.remove(name)
                self._change(
                    name, state="cancelled", ended=_now(), reason="It was cancelled before it began."
                )
            running = self._processes.get(name)
            if running is None:
                return self._jobs.get(name)
            self._ends.setdefault(name, ("cancelled", "It was cancelled."))
        processes.stop(running)
        self.wait(name, processes.GRACE_S)
        return self.get(name)

    def delete(self, name: str) -> bool:
        """Cancel a job and remove it with its folder; say whether there was one."""
        self.cancel(name)
        with self._lock:
            job = self._jobs.pop(name, None)
        if job is None:
            return False
        shutil.rmtree(job.folder, ignore_errors=True)
        return True

    def wait(self, name: str, seconds: float) -> Job | None:
        """Return a job once it is over, or as it is after some seconds."""
        end = time.monotonic() + seconds
        while (job := self.get(name)) is not None and not job.is_over and time.monotonic() < end:
            time.sleep(0.02)
        return job

    def close(self) -> None:
        """End everything that waits or runs, and take no more."""
        with self._lock:
            self._is_open = False
            for name in self._waiting:
                self._change(name, state="interrupted", ended=_now(), reason=INTERRUPTED)
            self._waiting.clear()
            running = dict(self._processes)
            for name in running:
                self._ends.setdefault(name, ("interrupted", INTERRUPTED))
        for one in running.values():
            processes.stop(one)
        for attendant in self._attendants:
            attendant.join(processes.GRACE_S)

    # ------------------------------------------------------------------ running

    def _start_waiting(self) -> None:
        while self._is_open and self._waiting and len(self._processes) < self.settings.jobs_at_once:
            name = self._waiting.pop(0)
            job = self._jobs[name]
            threads = max(1, (os.cpu_count() or 1) // self.settings.jobs_at_once)
            running = processes.start(job.words, job.folder, nice=self.settings.job_nice, threads=threads)
            self._processes[name] = running
            self._change(name, state="running", started=_now())
            attendant = threading.Thread(target=self._attend, args=(name, running), daemon=True)
            self._attendants = [one for one in self._attendants if one.is_alive()] + [attendant]
            attendant.start()

    def _attend(self, name: str, running: subprocess.Popen[bytes]) -> None:
        """Wait for a job's end, and end it where it takes too much."""
        began = measured = time.monotonic()
        while running.poll() is None:
            time.sleep(LOOK_S)
            now = time.monotonic()
            reason = ""
            if now - began > self.settings.job_seconds:
                reason = f"It ran for {formats.count(self.settings.job_seconds)} seconds, which is the limit."
            elif now - measured > MEASURE_S:
                measured = now
                if processes.memory(running.pid) > self.settings.job_bytes:
                    reason = (
                        f"It took more than {self.settings.job_bytes / GIGABYTE:.1f} GB, which is the limit."
                    )
            if reason:
                self._ends.setdefault(
                    name, ("failed", f"{reason} Ask for less, or run the command in a terminal.")
                )
                processes.stop(running)
        with self._lock:
            del self._processes[name]
            outcome = _outcome(running.returncode, self.folder / name)
            state, reason = self._ends.pop(name, outcome)
            self._change(name, state=state, ended=_now(), exit_code=running.returncode, reason=reason)
            self._start_waiting()

    def _change(self, name: str, **changes: object) -> None:
        before = self._jobs.get(name)
        if before is None:  # deleted meanwhile
            return
        job = replace(before, **changes)  # type: ignore[arg-type]
        self._jobs[name] = job
        job.save()


def _outcome(code: int, folder: Path) -> tuple[str, str]:
    """Return state and reason by the exit code: 1 with a result is a finding over a threshold."""
    printed = folder / PRINTED
    has_result = printed.is_file() and printed.stat().st_size > 0
    if code == 0 or (code == 1 and has_result):
        return "done", ""
    if code < 0:
        return "failed", f"The process was ended by signal {-code}. Was the computer short of memory?"
    return "failed", "" if code == 2 else f"The command ended with exit code {code}; see what it said."


def _lay(folder: Path, relative: str, content: bytes | Path) -> None:
    target = (folder / relative).resolve()
    if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
        raise SettingError(f"jobs: input {relative!r}, must lie below the job's folder. Name it plainly.")
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        target.write_bytes(content)
    else:
        shutil.copyfile(content, target)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
