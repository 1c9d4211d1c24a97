"""``python -m examples.portability_measurement --work FOLDER``: run the plan, one folder a step."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.portability_measurement.plan import PLAN, Step
from isoflop.portability import Interpreters, Timing, catalogue, resume, run


def main() -> None:
    """Run the steps that were named, or all; what is done is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="Folder of the runs.")
    parser.add_argument("--steps", nargs="*", default=[step.name for step in PLAN])
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--python", default=None, help="Interpreter that has the frameworks.")
    given = parser.parse_args()
    python = Interpreters() if given.python is None else Interpreters.of([given.python])
    for step in PLAN:
        if step.name in given.steps:
            work(step, given.work / step.name, python, given.jobs)


def work(step: Step, folder: Path, python: Interpreters, jobs: int | None) -> None:
    """Run one step, or go on with it."""
    if (folder / "run.json").exists():
        print(resume(folder, jobs=jobs).summary())
        return
    found = catalogue(step.framework, providers=step.providers, sizes=step.sizes, python=python)
    if step.functions:
        found = found.only(step.functions)
    timing = Timing() if step.timing == "full" else Timing.none()
    done = run(
        found.items[:: step.every],
        targets=step.targets,
        timing=timing,
        jobs=1 if step.timing == "full" else jobs,
        python=python,
        out=folder,
        command=f"python -m examples.portability_measurement --steps {step.name}",
    )
    print(done.summary())


if __name__ == "__main__":
    main()
