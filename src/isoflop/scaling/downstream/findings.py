"""What two steps say as findings: how far off, on which task, and for the mean over tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.scaling.fit_findings import scaling_finding

if TYPE_CHECKING:
    from isoflop.scaling.downstream.result import TwoStepFit

TASK_REPS = 2000


def downstream_findings(found: TwoStepFit) -> tuple[Finding, ...]:
    """Return errors on targets; where nothing was held out, the error on fitted sizes left out in turn."""
    recipe = {"law": found.recipe.law, "link": found.recipe.link, "route": found.recipe.route}
    held = scaling_finding(
        found,
        "downstream_error.held_out_sizes",
        "mean absolute error of accuracy on the largest fitted sizes, predicted from smaller ones",
        Estimate(value=found.ranked[0].error, unit="1"),
        {**recipe, "recipes": found.ranked_rows()},
        method=f"{found.method}; the sizes chose the recipe, so it is a little low; no interval",
    )
    if not found.n_targets:
        return (held,)
    tasks = [row for row in found.task_rows() if row["mean_abs_error"] is not None]
    if not tasks:
        return (held, *_ahead(found, recipe))
    worst = max(tasks, key=lambda row: float(row["mean_abs_error"]))
    details = {
        **recipe,
        "targets": found.n_targets,
        "tasks": len(tasks),
        "coverage": found.coverage,
        "level": found.ci.level,
        "extrapolation_decades": found.extrapolation_decades,
        "one_step_mean_abs": _mean(tasks, "one_step_abs_error"),
        "last_value_mean_abs": _mean(tasks, "last_value_abs_error"),
    }
    return (
        scaling_finding(
            found,
            "downstream_error.mean_abs",
            "mean absolute error of predicted accuracy over tasks and targets",
            _over_tasks(found, tasks, "mean_abs_error"),
            details,
            method=f"{found.method}; interval: 95 % bootstrap over tasks",
        ),
        scaling_finding(
            found,
            "downstream_error.worst",
            f"largest error of a task: {worst['task']}",
            Estimate(value=worst["mean_abs_error"], unit="1"),
            {"task": worst["task"], "bias": worst["bias"]},
            method=f"{found.method}; a maximum over {len(tasks)} tasks, no interval",
        ),
        scaling_finding(
            found,
            "downstream_error.loss_relative",
            "mean absolute relative error of the predicted loss",
            _over_tasks(found, tasks, "loss_abs_relative_error"),
            {"loss": "task loss" if "task" in found.groups[0].paths else found.sample.val_name},
            method=f"{found.method}; interval: 95 % bootstrap over tasks where they have losses of their own",
        ),
        *_ahead(found, recipe),
        held,
    )


def _ahead(found: TwoStepFit, recipe: dict[str, Any]) -> tuple[Finding, ...]:
    """Return the mean accuracy of the largest target, and how far the mean was off where it is known."""
    rows = found.mean_rows
    known = [row for row in rows if np.isfinite(row["relative_error"])]
    if not known:
        return ()
    relative = float(np.mean([abs(row["relative_error"]) for row in known]))
    largest = max(rows, key=lambda row: row["params"] * row["tokens"])
    return (
        scaling_finding(
            found,
            "downstream_error.mean_relative",
            "mean absolute relative error of predicted top-1 error, averaged over tasks",
            Estimate(value=relative, unit="1"),
            {**recipe, "targets": [dict(row) for row in known]},
            method=f"{found.method}; {len(known)} targets, no interval",
        ),
        scaling_finding(
            found,
            "downstream_accuracy",
            f"predicted mean accuracy of {largest['run']} over tasks",
            Estimate(
                value=largest["predicted"],
                low=largest["low"],
                high=largest["high"],
                level=found.ci.level,
                unit="1",
            ),
            {**recipe, "observed": largest["observed"], "last_value": largest["last_value"]},
        ),
    )


def _over_tasks(found: TwoStepFit, rows: list[dict[str, Any]], name: str) -> Estimate:
    values = np.array([row[name] for row in rows if row[name] is not None])
    if not values.size:
        return Estimate(value=None, unit="1")
    if values.size < 3 or np.ptp(values) == 0:
        return Estimate(value=float(values.mean()), unit="1")
    drawn = np.random.default_rng(found.seed).choice(values, size=(TASK_REPS, values.size)).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value=float(values.mean()), low=float(low), high=float(high), level=0.95, unit="1")


def _mean(rows: list[dict[str, Any]], name: str) -> float | None:
    known = [row[name] for row in rows if row[name] is not None]
    return float(np.mean(known)) if known else None
