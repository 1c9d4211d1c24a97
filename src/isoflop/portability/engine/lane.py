"""The workers that serve one queue of tasks: replaced when they die, are spent or have grown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from isoflop.portability.engine.child import START_S, Child, WorkerDied
from isoflop.portability.engine.host import load_average
from isoflop.portability.engine.limits import Limits
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.errors import error_head

Row = dict[str, Any]
GROWTH = 1.5
"""A worker whose resident memory has grown this many times is replaced."""
SETTLE = 50
"""Tasks after which a worker's memory is taken as its own."""
MAX_STARTS = 2
"""Starts in a row that may fail before the tasks that are left are given up."""
REFERENCE_STAGES = frozenset({"inputs", "reference"})


class CannotStart(Exception):
    """No worker can be had for these tasks, and why."""


class Lane:
    """One worker after another, each asked for one task at a time.

    Parameters
    ----------
    tasks : sequence of Task
        What is to come: a fresh worker imports what they need before the first of them.
    start : callable
        Starts a worker.
    limits : Limits
    died : callable
        Told of each worker that died.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        start: Callable[[], Child],
        limits: Limits,
        died: Callable[[Child], None],
    ) -> None:
        self.opening = {
            "do": "open",
            "providers": list(dict.fromkeys(task.item.provider for task in tasks)),
            "targets": list(dict.fromkeys(name for task in tasks for name in (task.reference, task.target))),
        }
        self.start = start
        self.limits = limits
        self.died = died
        self.child: Child | None = None
        self.served = 0
        self.usual_byte = 0
        self.failed_starts = 0
        self.given_up = ""

    def row(self, task: Task) -> Row:
        """Return the row of a task, whatever becomes of the worker."""
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return {"started_at": started, "load_avg": load_average(), **self._row(task)}

    def close(self) -> None:
        """End the worker."""
        if self.child is not None:
            self.child.close()
            self.child = None

    def _row(self, task: Task) -> Row:
        try:
            try:
                return self._ask(task)
            except WorkerDied as first:
                if first.status != "crash":
                    return row_of_death(first)
                return self._again(task, first)
        except CannotStart as reason:
            return {
                "status": "harness_error",
                "error_type": "WorkerDied",
                "error_head": error_head(str(reason)),
            }

    def _again(self, task: Task, first: WorkerDied) -> Row:
        """Ask a fresh worker: a crash that does not repeat came of what ran before in its process."""
        try:
            row = self._ask(task)
        except WorkerDied as second:
            return row_of_death(second)
        if first.stage in REFERENCE_STAGES:
            return row
        return {
            **row,
            "status": "crash",
            "reason": "state_dependent",
            "error_type": first.signal_name,
            "error_head": error_head(f"crash in stage {first.stage}, and none in a fresh process"),
        }

    def _ask(self, task: Task) -> Row:
        child = self._worker()
        child.send({"do": "run", "task": task.to_dict()})
        try:
            message = child.receive(task.deadline_s)
        except WorkerDied:
            self.child = None
            self.died(child)
            raise
        self.served += 1
        held = int(message.get("rss_byte", 0))
        if self.served == SETTLE:
            self.usual_byte = held
        spent = self.served >= self.limits.recycle_after
        if spent or (self.usual_byte and held > GROWTH * self.usual_byte):
            self.close()
        row: Row = message["row"]
        return row

    def _worker(self) -> Child:
        while self.child is None:
            if self.given_up:
                raise CannotStart(self.given_up)
            self._try_to_start()
        return self.child

    def _try_to_start(self) -> None:
        child = None
        try:
            child = self.start()
            child.send(self.opening)
            answer = child.receive(START_S)
        except WorkerDied as died:
            if child is not None:
                self.died(child)
            self.failed_starts += 1
            if self.failed_starts >= MAX_STARTS:
                self.given_up = f"no worker starts: {died.status} ({died.signal_name}) {died.last_line}"
            return
        if "absent" in answer:
            child.close()
            self.given_up = f"the target cannot be had: {answer['absent']}"
            return
        self.child = child
        self.failed_starts, self.served, self.usual_byte = 0, 0, 0


def row_of_death(died: WorkerDied) -> Row:
    """Return what a task's row says of its worker's death."""
    status = "input_error" if died.stage in REFERENCE_STAGES else died.status
    return {
        "status": status,
        "error_type": died.signal_name if died.status == "crash" else died.status,
        "error_head": error_head(f"{died.status} in stage {died.stage or 'start'}: {died.last_line}"),
    }
