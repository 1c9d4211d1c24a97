"""Measure every point that has no result yet, then write the table from all results."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from isoflop.errors import EvidenceError, IsoflopError
from validation.robotics_study.ledger import Ledger
from validation.robotics_study.measure import measure
from validation.robotics_study.plan import FULL, QUICK, Plan
from validation.robotics_study.table import TABLE, summary, write_table
from validation.robotics_study.tasks import TASKS

RUNS = Path(__file__).parent / "runs"


def main(arguments: list[str] | None = None) -> int:
    """Run the study; 2 where it cannot run, 130 where it was interrupted and can go on."""
    parser = argparse.ArgumentParser(prog="python -m validation.robotics_study", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three scales, one seed, a minute; no table")
    parser.add_argument("--only", choices=sorted(TASKS), help="this task alone; no table")
    parser.add_argument("--seeds", type=int, default=FULL.seeds, help="seeds a point (default %(default)s)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of finished points")
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")
    given = parser.parse_args(arguments)
    plan = QUICK if given.quick else replace(FULL, seeds=given.seeds)
    tasks = (given.only,) if given.only else tuple(TASKS)
    ledger = Ledger(given.runs / ("quick" if given.quick else "full"))
    try:
        _measure_missing(ledger, plan, tasks)
        print(summary(ledger, plan, tasks))
        if not given.quick and not given.only:
            print(write_table(ledger, plan, given.table))
    except IsoflopError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _measure_missing(ledger: Ledger, plan: Plan, tasks: tuple[str, ...]) -> None:
    points = list(plan.points(tasks))
    missing = [point for point in points if ledger.read(point) is None]
    print(f"{len(points)} points, {len(points) - len(missing)} already measured", file=sys.stderr)
    if missing and (find_spec("gymnasium") is None or find_spec("mujoco") is None):
        raise EvidenceError(
            "robotics_study: gymnasium or mujoco not installed, needs both to simulate. "
            'Run `pip install "gymnasium[mujoco]==1.4.0"` in an environment of its own.'
        )
    began = time.monotonic()
    for done, point in enumerate(missing, start=1):
        measured = measure(point)
        ledger.write(point, measured)
        left = (time.monotonic() - began) / done * (len(missing) - done) / 60
        print(
            f"{done}/{len(missing)}  {point.name:<28} seen {measured.successes_seen:>3}"
            f"  unseen {measured.successes_unseen:>3}  of {point.trials}"
            f"  {measured.cpu_seconds:.1f} s  {left:.0f} min left",
            file=sys.stderr,
            flush=True,
        )
