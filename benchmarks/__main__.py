"""``python -m benchmarks NAME [--json] [--full] [--job JOB]``: one benchmark, its bars, this machine."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Job, Trial, machine, measure, measure_trial, on_one_thread, table

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").is_file())
    and path.stem not in {"__init__", "__main__", "harness"}
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a benchmark; results go to stdout, talk to stderr."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES, help="which benchmark")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--full", action="store_true", help="time every reference whole, however long")
    parser.add_argument("--job", action="append", metavar="JOB", help="only this job; may be repeated")
    asked = parser.parse_args(argv)
    jobs: dict[str, Job | Trial] = {
        job.name: job for job in importlib.import_module(f"benchmarks.{asked.name}").JOBS
    }
    unknown = [name for name in asked.job or () if name not in jobs]
    if unknown:
        parser.error(f"--job {unknown[0]!r} is no job of {asked.name}. Choose from {', '.join(jobs)}.")
    rows = {}
    for name in asked.job or jobs:
        print(f"{asked.name}: {name} …", file=sys.stderr, flush=True)
        job = jobs[name]
        rows[name] = measure_trial(job) if isinstance(job, Trial) else measure(job, full=asked.full)
    if asked.json:
        print(json.dumps({"machine": machine(), "jobs": rows}, indent=1, allow_nan=False, ensure_ascii=False))
    else:
        print(table(rows))
        print(", ".join(f"{key} {value}" for key, value in machine().items()))
    return 0


if __name__ == "__main__":
    on_one_thread(["-m", "benchmarks", *sys.argv[1:]])
    sys.exit(main())
