"""Tasks to workers: one warm worker a target, cheap tasks first, and nothing lost when one dies."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isoflop.portability.engine.child import Child
from isoflop.portability.engine.journal import Journal
from isoflop.portability.engine.lane import Lane
from isoflop.portability.engine.limits import Limits
from isoflop.portability.reasons import classify_row
from isoflop.portability.registry import parse_target
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.row import blank_row

Row = dict[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """Workers over queues of tasks.

    Parameters
    ----------
    journal : Journal
    columns : mapping
        Target id to the columns that are the same for all its rows (versions, device).
    python : callable
        Target id to the interpreter of its worker.
    limits : Limits
    lock : path, optional
        File whose lock is held while blocks are timed.
    told : callable, optional
        Called with the tasks done and all of them.
    restarts : int
        Workers that died so far.
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
    _begun: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _children: set[Child] = field(default_factory=set)

    def work(self, tasks: Iterable[Task], jobs: int) -> None:
        """Run every task whose row is not in the journal yet; interrupted, it leaves no worker behind."""
        waiting = [task for task in tasks if task.key not in self.journal.rows]
        lanes: queue.SimpleQueue[list[Task]] = queue.SimpleQueue()
        planned = plan_lanes(waiting, jobs)
        for lane in planned:
            lanes.put(lane)
        self._total, self._done, self._begun = len(waiting), 0, time.monotonic()
        errors: list[BaseException] = []
        threads = [
            threading.Thread(target=self._serve, args=(lanes, errors), daemon=True)
            for _ in range(min(jobs, len(planned)))
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        except BaseException:
            self._abandon()
            for thread in threads:
                thread.join()
            raise
        if errors:
            raise errors[0]

    def _abandon(self) -> None:
        self._stop.set()
        with self._guard:
            for child in self._children:
                child.kill()

    def _serve(self, lanes: queue.SimpleQueue[list[Task]], errors: list[BaseException]) -> None:
        while not self._stop.is_set():
            try:
                tasks = lanes.get_nowait()
            except queue.Empty:
                return
            try:
                self._run(tasks)
            except BaseException as error:
                errors.append(error)
                self._abandon()

    def _run(self, tasks: list[Task]) -> None:
        lane = Lane(tasks, start=lambda: self._start(tasks[0].target), limits=self.limits, died=self._died)
        try:
            for task in tasks:
                if self._stop.is_set() or self._is_out_of_time():
                    return
                row = lane.row(task)
                if self._stop.is_set():
                    return  # it was killed from here: what its row says is not the task's doing
                self._keep(task, row)
        finally:
            lane.close()

    def _start(self, target: str) -> Child:
        child = Child(self.python(target), lock=self.lock, memory_byte=self.limits.memory_byte)
        with self._guard:
            self._children.add(child)
        if self._stop.is_set():
            child.kill()
        return child

    def _died(self, child: Child) -> None:
        with self._guard:
            self._children.discard(child)
            self.restarts += 1

    def _is_out_of_time(self) -> bool:
        budget = self.limits.budget_s
        return budget is not None and time.monotonic() - self._begun > budget

    def _keep(self, task: Task, row: Row) -> None:
        level = parse_target(task.target)[0].level
        whole = {**blank_row(task, level), **self.columns.get(task.target, {}), **row}
        self.journal.add(task, classify_row(whole))
        with self._guard:
            self._done += 1
            done = self._done
        if self.told is not None:
            self.told(done, self._total)


def plan_lanes(tasks: Iterable[Task], jobs: int) -> list[list[Task]]:
    """Return queues of tasks, each for one worker at a time: cheap tasks first, long queues first.

    A queue holds one target in one process repeat; all fakes share theirs. Where nothing is timed and there
    are workers to spare, a target's tasks are dealt to several.
    """
    groups: dict[tuple[int, str, str], list[Task]] = {}
    for task in tasks:
        is_fake = task.item.framework == "fake"
        groups.setdefault((task.repeat, "fake" if is_fake else task.target, task.timing.protocol), []).append(
            task
        )
    hands = max(1, jobs // len(groups)) if groups else 1
    lanes: list[list[Task]] = []
    for (_, _, protocol), group in sorted(groups.items(), key=lambda pair: (pair[0][0], -len(pair[1]))):
        ordered = sorted(group, key=lambda task: task.item.cost)
        dealt = hands if protocol == "none" else 1
        lanes += [lane for lane in (ordered[start::dealt] for start in range(dealt)) if lane]
    return lanes
