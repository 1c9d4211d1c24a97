"""From results to `study_points`: a study for each task, resource and familiarity, a row for each scale."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.findings import write_atomically
from validation.robotics_study.plan import BASE, BATCH, DEPTH, Plan, Point, Resource
from validation.robotics_study.task import FAMILIARITIES, Familiarity, Task
from validation.robotics_study.tasks import TASKS

if TYPE_CHECKING:
    from validation.robotics_study.ledger import Ledger, Measured

TABLE = Path(__file__).parents[2] / "src/isoflop/evidence/tables/robotics_study_points.csv"
COLUMNS = (
    "paper_id",
    "title",
    "year",
    "venue",
    "sector",
    "study_id",
    "model_class",
    "architecture",
    "task",
    "task_family",
    "embodiment",
    "environment",
    "familiarity",
    "training_phase",
    "resource",
    "x_unit",
    "x",
    "metric",
    "y",
    "y_unit",
    "higher_is_better",
    "n_trials",
    "n_seeds",
    "y_se",
    "source_locator",
    "extraction",
    "verified",
    "seen_in",
    "notes",
)
X_UNITS: dict[Resource, str] = {"data": "demonstrations", "model_size": "parameters", "compute": "FLOP"}
FEWEST_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One scale of one study: successes of each seed."""

    x: int
    successes: tuple[int, ...]
    trials_per_seed: int

    @property
    def trials(self) -> int:
        """Trials over all seeds."""
        return self.trials_per_seed * len(self.successes)

    @property
    def percent(self) -> float:
        """Success rate over all seeds."""
        return 100 * sum(self.successes) / self.trials

    @property
    def standard_error(self) -> float | None:
        """Standard error of the rate from the spread between seeds, in percentage points.

        None where all seeds succeeded equally often: no spread is then seen, which is not a spread of 0.
        """
        if len(set(self.successes)) == 1:
            return None
        rates = 100 * np.array(self.successes) / self.trials_per_seed
        return float(rates.std(ddof=1) / np.sqrt(len(rates)))


def curve(
    results: dict[Point, Measured], task: str, resource: Resource, familiarity: Familiarity
) -> list[Scale]:
    """Pool the seeds of each scale of one study, smallest scale first."""
    pooled: dict[int, list[int]] = {}
    trials = 0
    for point, measured in results.items():
        if (point.task, point.resource) == (task, resource):
            x = {
                "data": point.demonstrations,
                "model_size": measured.parameters,
                "compute": measured.training_flop,
            }[resource]
            found = measured.successes_seen if familiarity == "seen" else measured.successes_unseen
            pooled.setdefault(x, []).append(found)
            trials = point.trials
    return [Scale(x=x, successes=tuple(pooled[x]), trials_per_seed=trials) for x in sorted(pooled)]


def complete(ledger: Ledger, plan: Plan, tasks: tuple[str, ...]) -> dict[Point, Measured]:
    """Read the results of every seed whose points are all measured.

    Raises
    ------
    EvidenceError
        No seed is complete.
    """
    results: dict[Point, Measured] = {}
    by_seed: dict[int, list[Point]] = {}
    for point in plan.points(tasks):
        by_seed.setdefault(point.seed, []).append(point)
    for points in by_seed.values():
        found = {point: ledger.read(point) for point in points}
        if None not in found.values():
            results.update({point: measured for point, measured in found.items() if measured is not None})
    if not results:
        raise EvidenceError(
            f"robotics_study: no complete seed of {', '.join(tasks)} in {ledger.folder}, needs at least 1. "
            "Run `python -m validation.robotics_study` to measure the missing points."
        )
    return results


def rows(results: dict[Point, Measured], tasks: tuple[str, ...]) -> list[dict[str, str]]:
    """Lay out every study as rows of `study_points`."""
    versions = next(iter(results.values())).versions
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    locator = f"python -m validation.robotics_study ({named})"
    return [
        _row(TASKS[task], resource, familiarity, scale, locator)
        for task, resource, familiarity in product(tasks, X_UNITS, FAMILIARITIES)
        for scale in curve(results, task, resource, familiarity)
    ]


def _row(
    task: Task, resource: Resource, familiarity: Familiarity, scale: Scale, locator: str
) -> dict[str, str]:
    error = scale.standard_error
    fixed = {
        "data": f"width {BASE['width']}, {BASE['steps']} steps of {BATCH} samples",
        "model_size": f"{BASE['demonstrations']} demonstrations, {BASE['steps']} steps of {BATCH} samples",
        "compute": f"{BASE['demonstrations']} demonstrations, width {BASE['width']}",
    }[resource]
    width = "h" if resource == "model_size" else str(BASE["width"])
    values = (
        "isoflop-robotics-study",
        "isoflop robotics scaling study (own measurement)",
        "2026",
        "",
        "",
        f"{task.name}/{resource}/{familiarity}",
        "other",
        f"MLP {width}×{DEPTH}",
        task.title,
        task.task_family,
        task.embodiment,
        "sim",
        familiarity,
        "train_from_demonstrations",
        resource,
        X_UNITS[resource],
        str(scale.x),
        "success_rate",
        f"{scale.percent:.10g}",
        "percent",
        "true",
        str(scale.trials),
        str(len(scale.successes)),
        "" if error is None else f"{error:.4g}",
        locator,
        "measured",
        "read",
        "measured by this project",
        f"success: {task.criterion}; {familiarity}: {task.conditions(familiarity)}; fixed: {fixed}; "
        f"successes of {scale.trials_per_seed} by seed: {' '.join(map(str, scale.successes))}",
    )
    return dict(zip(COLUMNS, values, strict=True))


def write_table(ledger: Ledger, plan: Plan, table: Path = TABLE) -> str:
    """Write all studies of all tasks to the table that ships, and say what was written.

    Raises
    ------
    EvidenceError
        Fewer than three seeds are complete.
    """
    results = complete(ledger, plan, tuple(TASKS))
    seeds = len({point.seed for point in results})
    if seeds < FEWEST_SEEDS:
        raise EvidenceError(
            f"robotics_study: {seeds} complete seeds, needs at least {FEWEST_SEEDS}. "
            "Run `python -m validation.robotics_study` to measure the missing points."
        )
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    written = rows(results, tuple(TASKS))
    writer.writerows(written)
    write_atomically(table, out.getvalue())
    studies = len({row["study_id"] for row in written})
    minutes = sum(measured.cpu_seconds for measured in results.values()) / 60
    return f"{table.name}: {studies} studies, {len(written)} rows, {seeds} seeds, {minutes:.0f} CPU minutes"


def summary(ledger: Ledger, plan: Plan, tasks: tuple[str, ...]) -> str:
    """Show each study on one line: success in percent, smallest scale first."""
    results = complete(ledger, plan, tasks)
    lines = []
    for task, resource, familiarity in product(tasks, X_UNITS, FAMILIARITIES):
        rates = "  ".join(f"{scale.percent:3.0f}" for scale in curve(results, task, resource, familiarity))
        lines.append(f"{task + '/' + resource + '/' + familiarity:<26} {rates}")
    return "\n".join(lines)
