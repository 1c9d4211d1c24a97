"""The folder of a run: what was asked, and one flushed line for each task that is done.

A run that is killed at any moment loses at most the tasks that its workers had in hand; `resume` goes on
with the rest. A torn last line is left out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.findings import write_atomically
from isoflop.portability.task import Task

ABOUT, TASKS, JOURNAL = "run.json", "tasks.jsonl", "journal.jsonl"


class Journal:
    """Rows of a run as they come, on disk if a folder is given and in memory otherwise."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.rows: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._file = None
        if folder is not None:
            mend(folder / JOURNAL)  # first: a line that lacks but its end would be counted and then cut
            self.rows = {row.pop("key"): row for row in read_lines(folder / JOURNAL)}
            self._file = (folder / JOURNAL).open("a", encoding="utf-8")

    def add(self, task: Task, row: dict[str, Any]) -> None:
        """Keep one row; it is on disk when this returns."""
        with self._lock:
            self.rows[task.key] = row
            if self._file is not None:
                self._file.write(json.dumps({"key": task.key, **row}, separators=(",", ":")) + "\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def refuse_taken(folder: Path) -> None:
    """Refuse a folder that holds a run.

    Raises
    ------
    EvidenceError
        There is a run in the folder.
    """
    if (folder / ABOUT).exists():
        raise EvidenceError(
            f"run: {folder} holds a run already, needs a new folder. Go on with that run by "
            f"isoflop portability resume {folder}, or choose another --out."
        )


def begin(folder: Path, about: dict[str, Any], tasks: Iterable[Task]) -> None:
    """Write what is to be run; refuses a folder that holds another run.

    Raises
    ------
    EvidenceError
        There is a run in the folder.
    """
    refuse_taken(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(task.to_dict(), separators=(",", ":")) for task in tasks)
    write_atomically(folder / TASKS, "".join(f"{line}\n" for line in lines))
    write_about(folder, about)


def write_about(folder: Path, about: dict[str, Any]) -> None:
    """Write what was asked, and what is known of the run so far."""
    write_atomically(folder / ABOUT, json.dumps(about, indent=1) + "\n")


def read_about(folder: Path) -> dict[str, Any]:
    """Return what was asked.

    Raises
    ------
    EvidenceError
        The folder holds no run.
    """
    path = folder / ABOUT
    if not path.is_file():
        raise EvidenceError(f"resume: no run in {folder}, needs its {ABOUT}. Name the folder given as --out.")
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known


def read_tasks(folder: Path) -> list[Task]:
    """Return the tasks of a run, in the order in which they were planned."""
    return [Task.of(row) for row in read_lines(folder / TASKS)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines; a torn last line is left out.

    Raises
    ------
    EvidenceError
        A line before the last is no JSON object.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise EvidenceError(
                f"resume: line {number} of {path.name} is no JSON ({error}). Restore the file, or run anew."
            ) from error
        rows.append(row)
    return rows


def mend(path: Path) -> None:
    """Cut a torn last line, so that the next one starts afresh."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
