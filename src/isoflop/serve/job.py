"""`Job`: one command line that was, is or will be run, and what it left behind.

A job is a folder: ``job.json`` says what and when, ``document.json`` is what the command printed,
``remarks.txt`` what it said on the way, ``progress.jsonl`` how far it is. So jobs outlive the server.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from isoflop.errors import EvidenceError
from isoflop.findings import write_atomically

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

RECORD, PRINTED, REMARKS, PROGRESS = "job.json", "document.json", "remarks.txt", "progress.jsonl"
JOB_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_TAIL_BYTES = 20_000
"""Of remarks and progress the end is what matters; a long run must not make a heavy page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command line with its state at the moment of asking.

    Parameters
    ----------
    id : str
        Date, time and eight random digits; names the folder.
    title : str
        What a person calls it.
    words : tuple of str
        The words after ``isoflop``.
    folder : Path
        Where it runs and what it leaves.
    state : {"queued", "running", "done", "failed", "cancelled", "interrupted"}
        Interrupted means that the server ended first.
    created, started, ended : datetime or None
        In UTC.
    exit_code : int or None
    reason : str
        Why it failed or was ended, where the command did not say so itself.
    """

    id: str
    title: str
    words: tuple[str, ...]
    folder: Path
    state: State
    created: dt.datetime
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    exit_code: int | None = None
    reason: str = ""

    @property
    def command(self) -> str:
        """Return the command line as a person would type it in the job's folder.

        Examples
        --------
        >>> now = dt.datetime.now(dt.UTC)
        >>> words = ("scaling", "fit", "--json", "my runs.csv")
        >>> Job(id="a", title="", words=words, folder=Path(), state="done", created=now).command
        "isoflop scaling fit --json 'my runs.csv'"
        """
        return shlex.join(("isoflop", *self.words))

    @property
    def verb(self) -> tuple[str, ...]:
        """Return the words that name the command: ``("scaling", "fit")``, ``("report",)``."""
        named = [word for word in self.words[:2] if not word.startswith("-")]
        return tuple(named[:1] if named[:1] == ["report"] else named)

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will happen."""
        return self.state not in ("queued", "running")

    @property
    def seconds(self) -> float | None:
        """Return how long it has run, in seconds; None before it began."""
        if self.started is None:
            return None
        return ((self.ended or dt.datetime.now(dt.UTC)) - self.started).total_seconds()

    @property
    def progress(self) -> dict[str, float]:
        """Return what is being done and the fraction done of each, 0 to 1, in order of appearance."""
        found: dict[str, float] = {}
        for line in _tail(self.folder / PROGRESS).splitlines():
            try:
                step = json.loads(line)
                found[str(step["label"])] = min(max(float(step["fraction"]), 0.0), 1.0)
            except (ValueError, KeyError, TypeError):
                continue  # the line that is being written, or the one that the tail cut
        return found

    @property
    def fraction(self) -> float | None:
        """Return the mean fraction done of all that was announced; None where nothing was."""
        steps = self.progress.values()
        return sum(steps) / len(steps) if steps else None

    @property
    def label(self) -> str:
        """Return what is being done now, or an empty string."""
        return next((name for name, done in reversed(self.progress.items()) if done < 1.0), "")

    def document(self) -> dict[str, Any]:
        """Return the document that the command printed or, for a report, wrote.

        Raises
        ------
        EvidenceError
            There is none.
        """
        path = self.folder / ("report/findings.json" if self.verb == ("report",) else PRINTED)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EvidenceError(
                f"job {self.id}: no document ({error}), needs a finished run. Run it again."
            ) from error
        if not isinstance(document, dict):
            raise EvidenceError(f"job {self.id}: {type(document).__name__}, needs a document. Run it again.")
        return document

    def stderr(self) -> str:
        """Return the end of what the command said on the way."""
        return _tail(self.folder / REMARKS)

    def files(self, *patterns: str) -> tuple[Path, ...]:
        """Return the files in the job's folder whose names match, in order of name."""
        return tuple(sorted({path for one in patterns for path in self.folder.glob(one) if path.is_file()}))

    def save(self) -> None:
        """Write the record, whole or not at all."""
        record = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "folder"}
        text = json.dumps(record, indent=1, default=lambda moment: moment.isoformat(), ensure_ascii=False)
        write_atomically(self.folder / RECORD, text + "\n")


def read_job(folder: Path) -> Job | None:
    """Return the job that a folder holds, or None where it holds none."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return _job(record, folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _job(record: Mapping[str, Any], folder: Path) -> Job:
    if record["state"] not in get_args(State) or record["id"] != folder.name:
        raise ValueError(record["state"])
    return Job(
        id=record["id"],
        title=str(record["title"]),
        words=tuple(map(str, record["words"])),
        folder=folder,
        state=record["state"],
        created=dt.datetime.fromisoformat(record["created"]),
        started=_moment(record["started"]),
        ended=_moment(record["ended"]),
        exit_code=record["exit_code"],
        reason=str(record["reason"]),
    )


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
