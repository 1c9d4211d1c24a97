"""Tasks to workers: one warm worker a target, cheap tasks first, and nothing lost when one dies."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isoflop.portability.engine.child import Child, WorkerDied
from isoflop.portability.engine.host import load_average
from isoflop.portability.engine.journal import Journal
from isoflop.portability.reasons.classify import classify_row
from isoflop.portability.registry import parse_target
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.errors import error_head
from isoflop.portability.worker.measure.row import blank_row

Row = dict[str, Any]
GROWTH = 1.5
"""A worker whose resident memory has grown this many times is replaced."""
SETTLE = 50
"""Tasks after which a worker's memory is taken as its own."""
REFERENCE_STAGES = frozenset({"inputs", "reference"})
MEMORY_BYTE = 8 << 30
MAX_STARTS = 2
"""A target whose worker fails to start this often in a row is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may take.

    Parameters
    ----------
    recycle_after : int
        Tasks after which a worker is replaced.
    memory_byte : int or None
        Resident memory at which it is killed.
    budget_s : float or None
        Seconds after which no further task is begun.
    """

    recycle_after: int = 500
    memory_byte: int | None = MEMORY_BYTE
    budget_s: float | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """Workers over groups of tasks; each group is a target in one process repeat.

    Parameters
    ----------
    journal : Journal
    columns : mapping
        Target id to the columns that are the same for all its rows (versions, device).
    python : callable
        Target id to the interpreter of its worker.
    """

    journal: Journal
    columns: Mapping[str, Row]
    python: Callable[[str], str]
    limits: Limits
    lock: Path | None = None
    told: Callable[[int, int], None] | None = None
    restarts: int = 0
    _done: int = 0
    _total: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _begun: float = 0.0

    def work(self, tasks: Iterable[Task], jobs: int) -> None:
        """Run every task whose row is not in the journal yet."""
        waiting = [task for task in tasks if task.key not in self.journal.rows]
        groups: dict[tuple[int, str], list[Task]] = {}
        for task in waiting:
            groups.setdefault((task.repeat, task.target), []).append(task)
        plan: queue.SimpleQueue[list[Task]] = queue.SimpleQueue()
        for key in sorted(groups, key=lambda pair: (pair[0], -len(groups[pair]))):
            plan.put(sorted(groups[key], key=lambda task: task.item.cost))
        self._total, self._done, self._begun = len(waiting), 0, time.monotonic()
        errors: list[BaseException] = []
        threads = [
            threading.Thread(target=self._serve, args=(plan, errors), daemon=True)
            for _ in range(max(1, min(jobs, len(groups))))
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        except BaseException:
            self._stop.set()
            for thread in threads:
                thread.join(2.0)
            raise
        if errors:
            raise errors[0]

    def _serve(self, plan: queue.SimpleQueue[list[Task]], errors: list[BaseException]) -> None:
        while not self._stop.is_set():
            try:
                group = plan.get_nowait()
            except queue.Empty:
                return
            try:
                self._group(group)
            except BaseException as error:
                errors.append(error)
                self._stop.set()

    def _group(self, tasks: list[Task]) -> None:
        target = tasks[0].target
        holder = _Holder(self, target)
        try:
            for task in tasks:
                if self._stop.is_set() or self._out_of_time():
                    return
                self._keep(task, holder.row(task))
        finally:
            holder.close()

    def _out_of_time(self) -> bool:
        budget = self.limits.budget_s
        return budget is not None and time.monotonic() - self._begun > budget

    def _keep(self, task: Task, row: Row) -> None:
        level = parse_target(task.target)[0].level
        whole = {**blank_row(task, level), **self.columns.get(task.target, {}), **row}
        self.journal.add(task, classify_row(whole))
        self._done += 1
        if self.told is not None:
            self.told(self._done, self._total)


class _Holder:
    """The worker of one target: replaced when it dies, is spent or has grown."""

    def __init__(self, pool: Pool, target: str) -> None:
        self.pool = pool
        self.target = target
        self.child: Child | None = None
        self.served = 0
        self.usual_byte = 0
        self.failed_starts = 0

    def row(self, task: Task) -> Row:
        """Return the row of a task, whatever becomes of the worker."""
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return {"started_at": started, "load_avg": load_average(), **self._row(task)}

    def _row(self, task: Task) -> Row:
        try:
            return self._ask(task)
        except WorkerDied as died:
            if died.status != "crash":
                return _row_of_death(died)
        try:
            row = self._ask(task)
        except WorkerDied as again:
            return _row_of_death(again)
        return {**row, "status": "crash", "reason": "state_dependent", "error_type": "crash"} | {
            "error_head": "the worker crashed once and not again in a fresh process"
        }

    def _ask(self, task: Task) -> Row:
        if self.failed_starts >= MAX_STARTS:
            raise WorkerDied("start", "given up", "", "the worker did not start before")
        child = self._worker()
        child.send({"do": "run", "task": task.to_dict()})
        try:
            message = child.receive(task.deadline_s)
        except WorkerDied:
            self.child = None
            self.pool.restarts += 1
            raise
        self.served += 1
        grown = int(message.get("rss_byte", 0))
        if self.served == SETTLE:
            self.usual_byte = grown
        spent = self.served >= self.pool.limits.recycle_after
        if spent or (self.usual_byte and grown > GROWTH * self.usual_byte):
            self.close()
        row: Row = message["row"]
        return row

    def _worker(self) -> Child:
        if self.child is None:
            try:
                self.child = Child(
                    self.pool.python(self.target),
                    lock=self.pool.lock,
                    memory_byte=self.pool.limits.memory_byte,
                )
            except WorkerDied:
                self.failed_starts += 1
                raise
            self.failed_starts, self.served, self.usual_byte = 0, 0, 0
        return self.child

    def close(self) -> None:
        """End the worker."""
        if self.child is not None:
            self.child.close()
            self.child = None


def _row_of_death(died: WorkerDied) -> Row:
    """Return what a task's row says of its worker's death."""
    if died.status == "start":
        return {
            "status": "harness_error",
            "error_type": "WorkerDied",
            "error_head": error_head(f"the worker did not start: {died.printed[-200:]}"),
        }
    status = "input_error" if died.stage in REFERENCE_STAGES else died.status
    last = died.printed.strip().splitlines()[-1:] or [""]
    return {
        "status": status,
        "error_type": died.signal_name if died.status == "crash" else died.status,
        "error_head": error_head(f"{died.status} in stage {died.stage or 'start'}: {last[0]}"),
    }
