"""CPU of warm workers a function, against one fresh process for each test; what a task costs by itself."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache

from benchmarks.harness import Trial
from isoflop.portability.engine.catalogue import Catalogue, catalogue
from isoflop.portability.engine.child import worker_environment
from isoflop.portability.engine.replay import script_of
from isoflop.portability.engine.run import run
from isoflop.portability.engine.targets import Interpreters
from isoflop.portability.model import Timing
from isoflop.portability.task import Item, Task

NULL_TASKS = 2_000
FEW = 50
ALONE = 5
"""Tests that are run in processes of their own; their mean stands for all."""
TARGET = "torch:eager"


def children_s() -> float:
    """Return CPU seconds of children that have ended, this process's own included."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def null_tasks() -> Mapping[str, float]:
    """Run functions that do nothing and return what a task costs, the start of workers taken off."""
    items = catalogue("fake", providers=["fake_null"], samples=NULL_TASKS).items

    def spent(part: Sequence[Item]) -> tuple[float, float]:
        begun, cpu = time.perf_counter(), children_s()
        run(part, targets=["fake:plain"], timing=Timing.none(), jobs=1)
        return time.perf_counter() - begun, children_s() - cpu

    start_s, start_cpu_s = spent(items[:1])
    wall_s, cpu_s = spent(items)
    return {
        "ms_per_task": 1e3 * (wall_s - start_s) / NULL_TASKS,
        "cpu_ms_per_task": 1e3 * (cpu_s - start_cpu_s) / NULL_TASKS,
        "tasks_per_minute": 60.0 * NULL_TASKS / wall_s,
    }


@cache
def opinfo() -> Catalogue:
    """Return PyTorch's operations, one set of inputs each; indexed before anything is timed."""
    return catalogue("torch", providers=["opinfo"])


def against_processes(count: int | None) -> Mapping[str, float]:
    """Run functions in a warm worker, and a few of them in a fresh process each.

    Both make the same inputs, run once and hand the output over; start-up counts on both sides.
    """
    every = list(opinfo().items)
    items = every if count is None else random.Random(0).sample(every, count)
    cpu = children_s()
    run(items, targets=[TARGET], timing=Timing.none(), jobs=1, controls="none")
    ours = (children_s() - cpu) / len(items)
    cpu = children_s()
    for item in random.Random(1).sample(items, ALONE):
        one_process(item)
    alone = (children_s() - cpu) / ALONE
    return {"ms_per_function": 1e3 * ours, "ms_per_process": 1e3 * alone, "ratio": alone / ours}


def one_process(item: Item) -> None:
    """Do one task in a process of its own."""
    task = Task(item=item, target=TARGET, reference=TARGET, timing=Timing.none())
    subprocess.run(
        [Interpreters()(TARGET), "-c", script_of(task)],
        env=worker_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


JOBS = (
    Trial(
        name="portability-null-tasks",
        run=null_tasks,
        at_most={"ms_per_task": 5.0},
        at_least={"tasks_per_minute": 1_500.0},
        runs=3,
        note=f"{NULL_TASKS} functions that do nothing, each checked against float64; wall clock",
    ),
    *(
        Trial(
            name=f"portability-processes-{count or 'all'}",
            run=lambda count=count: against_processes(count),  # type: ignore[misc]
            at_least={} if count else {"ratio": 50.0},
            runs=3,
            note=f"{count or 'all'} OpInfo functions on {TARGET} against one process a test; CPU s of all "
            "children; needs ISOFLOP_FRAMEWORKS_PYTHON",
        )
        for count in ((FEW, None) if os.environ.get("ISOFLOP_FRAMEWORKS_PYTHON") else ())
    ),
)
