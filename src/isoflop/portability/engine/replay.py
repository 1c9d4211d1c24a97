"""One task again, in the foreground, with nothing caught: what a bug report needs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.engine.child import worker_environment
from isoflop.portability.engine.journal import JOURNAL, read_about, read_lines, read_tasks
from isoflop.portability.engine.targets import Interpreters
from isoflop.portability.task import Task

_SCRIPT = '''"""{function} ({dtype}) on {target}: one task of isoflop portability, with nothing caught.

Run it with an interpreter that has {framework}; isoflop's folder must be on PYTHONPATH.
"""

import json
import sys

from isoflop.portability.task import Task
from isoflop.portability.worker.main import Session

task = Task.of(json.loads({task!r}))
session = Session(sys.stdout.fileno(), None)
call = session.provider(task.item.provider).make(task.item, task.seed)
print("inputs:", json.dumps(dict(call.signature), default=str))
prepared = session.target(task.target).prepare(call, task.policy)
if session.target(task.target).level in ("lowered", "compiled"):
    print("made:", prepared.artefact())
else:
    value = prepared.call()
    prepared.sync(value)
    for leaf in prepared.fetch(value):
        print("output:", leaf.dtype, leaf.shape, leaf.device)
        print(leaf.array)
    print("left the device:", ", ".join(prepared.fallback_ops()) or "nothing")
'''


def find_task(folder: str | Path, task_id: str) -> Task:
    """Return the task of a run by the start of its id.

    Raises
    ------
    EvidenceError
        The folder holds no run.
    SettingError
        No task has that id, or several have.
    """
    place = Path(folder)
    read_about(place)
    tasks = {task.key: task for task in read_tasks(place)}
    ids = {key: task.task_id for key, task in tasks.items()}
    # Where a provider's index leaves the inputs' hash open, a task's id is known once it has run.
    ids |= {row["key"]: row["task_id"] for row in read_lines(place / JOURNAL)}
    keys = [key for key, known in ids.items() if known.startswith(task_id)]
    names = dict.fromkeys(ids[key] for key in keys)
    if len(names) != 1:
        known = "no task" if not names else f"{len(names)} tasks"
        raise SettingError(
            f"replay: {known} of {place} has an id that starts with {task_id!r}, needs one. Copy it from "
            "the results."
        )
    return tasks[keys[0]]


def script_of(task: Task) -> str:
    """Return a script that does the task once and lets every error through."""
    item = task.item
    return _SCRIPT.format(
        function=item.function,
        dtype=item.dtype,
        target=task.target,
        framework=item.framework,
        task=json.dumps(task.to_dict()),
    )


def replay(script: str | Path, target: str, python: Interpreters) -> int:
    """Run a script in the target's interpreter, in the foreground, and return its exit code.

    Raises
    ------
    EvidenceError
        The interpreter cannot be started.
    """
    try:
        return subprocess.run([python(target), str(script)], env=worker_environment(), check=False).returncode
    except OSError as error:
        raise EvidenceError(
            f"replay: {python(target)} does not start ({error.strerror}), needs an interpreter. Name one "
            "with --python."
        ) from error
