"""What two steps say about accuracy: predictions with intervals, and how far off they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.scaling.downstream.chance import above_chance
from isoflop.scaling.downstream.choice import Scored
from isoflop.scaling.downstream.links import link_named
from isoflop.scaling.downstream.predict import Path, Recipe, loss_of
from isoflop.scaling.downstream.sample import ENOUGH_RUNS, Mask, Sample
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

FAR_DECADES = 1.0
"""Targets with this many decades more compute than any fitted run carry a caution."""
FEW_DRAWS = 1000
SHORT = 0.05
"""Intervals that hold less than their level minus this are called too narrow."""
ROUTE_WORDS = {
    "task": "the task's own loss (bits per byte)",
    "val": "a validation loss",
    "both": "the mean of two predictions, through the task's own loss and through a validation loss",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupFit:
    """Both steps on the runs of one group.

    Parameters
    ----------
    name : str
    fitted, targets : bool arrays, shape (n,)
        Rows of the sample.
    paths : mapping of str to Path
        By route.
    accuracy : array, shape (T, m)
        Predicted for the m targets.
    draws : array, shape (T, R, m)
        Of a new run: refits of both steps plus the residuals of a fitted run.
    one_step, last_value : arrays, shape (T, m)
        From compute alone, and the fitted run with most compute.
    """

    name: str
    fitted: Mask
    targets: Mask
    paths: Mapping[str, Path]
    accuracy: Array
    draws: Array
    one_step: Array
    last_value: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TwoStepFit:
    """Accuracy predicted through the loss.

    Parameters
    ----------
    sample : Sample
    ranked : tuple of Scored
        Recipes tried, the one used first.
    groups : tuple of GroupFit
    unfitted : tuple of str
        Groups that hold targets only.
    ci : Bootstrap
    fit_below : float or None
    """

    sample: Sample
    ranked: tuple[Scored, ...]
    groups: tuple[GroupFit, ...]
    unfitted: tuple[str, ...]
    ci: Bootstrap
    fit_below: float | None

    @property
    def recipe(self) -> Recipe:
        """Law, link and route in use."""
        return self.ranked[0].recipe

    @property
    def n(self) -> int:
        """Number of final runs that were fitted."""
        final = self.sample.flags("is_final")
        return int(sum((one.fitted & final).sum() for one in self.groups))

    @property
    def n_targets(self) -> int:
        """Number of runs predicted."""
        return int(sum(one.targets.sum() for one in self.groups))

    @property
    def seed(self) -> int:
        """Seed of the draws."""
        return self.ci.seed

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The table behind the result; a row of it is one outcome."""
        return (self.sample.table.provenance(self._rows_used()),)

    def _rows_used(self) -> int:
        outcomes = [self.sample.accuracy]
        if "task" in self.groups[0].paths:
            outcomes.append(self.sample.task_loss)
        if "val" in self.groups[0].paths:
            outcomes.append(self.sample.val_loss[None])
        used = np.zeros(self.sample.frame.height, bool)
        for one in self.groups:
            used |= one.fitted | one.targets
        return int(sum(np.isfinite(values[:, used]).sum() for values in outcomes))

    @property
    def method(self) -> str:
        """Both steps in one line."""
        law, link = law_named(self.recipe.law), link_named(self.recipe.link)
        return (
            f"step 1, final checkpoints: loss = {law.formula}, Huber loss of log residuals; step 2: accuracy "
            f"= {link.formula}, least squares; through {ROUTE_WORDS[self.recipe.route]}; {self.ci.reps} "
            "draws of runs through both steps"
        )

    @cached_property
    def _prediction_rows(self) -> list[dict[str, Any]]:
        tail = (1 - self.ci.level) / 2
        rows = []
        for one in self.groups:
            columns = np.flatnonzero(one.targets)
            if not columns.size:
                continue
            low, high = np.quantile(one.draws, [tail, 1 - tail], axis=1)
            losses = self._losses(one)
            for j, row in enumerate(columns.tolist()):
                for t, task in enumerate(self.sample.tasks):
                    observed = float(self.sample.accuracy[t, row])
                    rows.append(
                        {
                            "task": task,
                            "run": str(self.sample.frame["run_id"][row]),
                            "group": one.name,
                            "params": float(self.sample.column("params")[row]),
                            "tokens": float(self.sample.column("tokens")[row]),
                            "predicted": float(one.accuracy[t, j]),
                            "low": float(low[t, j]),
                            "high": float(high[t, j]),
                            "observed": observed,
                            "error": float(one.accuracy[t, j]) - observed,
                            "relative_error": _relative(1 - one.accuracy[t, j], 1 - observed),
                            "one_step": float(one.one_step[t, j]),
                            "one_step_error": float(one.one_step[t, j]) - observed,
                            "last_value": float(one.last_value[t, j]),
                            "last_value_error": float(one.last_value[t, j]) - observed,
                            **{name: values[t, j] for name, values in losses.items()},
                        }
                    )
        return rows

    def _losses(self, one: GroupFit) -> dict[str, Array]:
        """Return predicted and observed loss and their relative gap, (T, m), of the first route."""
        route = "task" if "task" in one.paths else "val"
        predicted = np.exp(one.paths[route].log_loss[:, 0])
        observed = loss_of(self.sample, route)[:, one.targets]  # type: ignore[arg-type]
        shape = one.accuracy.shape
        return {
            "loss_predicted": np.broadcast_to(predicted, shape),
            "loss_observed": np.broadcast_to(observed, shape),
            "loss_relative_error": np.broadcast_to(predicted / observed - 1, shape),
        }

    def predictions(self) -> list[dict[str, Any]]:
        """Return one row a task and target, JSON-ready."""
        rows: list[dict[str, Any]] = json_ready(self._prediction_rows)
        return rows

    def frame(self) -> pl.DataFrame:
        """Return one row a task and target, or one a task where nothing was held out."""
        import polars as pl

        return pl.DataFrame(self.predictions() or self.task_rows(), infer_schema_length=None)

    def task_rows(self) -> list[dict[str, Any]]:
        """Return one row a task: errors on targets, test against chance, parameters of the link."""
        rows = []
        judged = above_chance(self.sample)
        for t, task in enumerate(self.sample.tasks):
            mine = [row for row in self._prediction_rows if row["task"] == task]
            rows.append(
                {
                    "task": task,
                    "targets": len(mine),
                    "mean_abs_error": _mean_abs(mine, "error"),
                    "bias": _mean(mine, "error"),
                    "mean_abs_relative_error": _mean_abs(mine, "relative_error"),
                    "one_step_abs_error": _mean_abs(mine, "one_step_error"),
                    "last_value_abs_error": _mean_abs(mine, "last_value_error"),
                    "loss_abs_relative_error": _mean_abs(mine, "loss_relative_error"),
                    "residual_sd": float(np.nanstd(self.residuals(t))),
                    "chance": float(self.sample.chance[t]),
                    "n_items": float(self.sample.n_items[t]),
                    "above_chance": judged[t].verdict,
                    "p_chance": judged[t].p,
                }
            )
        out: list[dict[str, Any]] = json_ready(rows)
        return out

    def residuals(self, task: int) -> Array:
        """Return observed − fitted accuracy of step 2 over all fitted checkpoints and routes."""
        return np.concatenate(
            [path.linked.residual[task] for one in self.groups for path in one.paths.values()]
        )

    @cached_property
    def mean_rows(self) -> list[dict[str, Any]]:
        """Mean accuracy over tasks of each target; the relative error is of 1 − mean."""
        tail = (1 - self.ci.level) / 2
        rows = []
        for one in self.groups:
            for j, row in enumerate(np.flatnonzero(one.targets).tolist()):
                known = np.isfinite(self.sample.accuracy[:, row])
                predicted = float(one.accuracy[known, j].mean())
                observed = float(self.sample.accuracy[known, row].mean())
                low, high = np.quantile(one.draws[known, :, j].mean(axis=0), [tail, 1 - tail])
                rows.append(
                    {
                        "run": str(self.sample.frame["run_id"][row]),
                        "group": one.name,
                        "params": float(self.sample.column("params")[row]),
                        "tokens": float(self.sample.column("tokens")[row]),
                        "tasks": int(known.sum()),
                        "predicted": predicted,
                        "low": float(low),
                        "high": float(high),
                        "observed": observed,
                        "error": predicted - observed,
                        "relative_error": _relative(1 - predicted, 1 - observed),
                        "last_value": float(one.last_value[known, j].mean()),
                    }
                )
        return rows

    def ranked_rows(self) -> list[dict[str, Any]]:
        """Return the recipes tried with their error on fitted sizes left out, best first."""
        return [
            {
                "law": one.recipe.law,
                "link": one.recipe.link,
                "route": one.recipe.route,
                "held_out_error": one.error,
                "used": k == 0,
            }
            for k, one in enumerate(self.ranked)
        ]

    @property
    def coverage(self) -> float | None:
        """Share of observed target accuracies inside their intervals."""
        known = [row for row in self._prediction_rows if np.isfinite(row["observed"])]
        if not known:
            return None
        return float(np.mean([row["low"] <= row["observed"] <= row["high"] for row in known]))

    @property
    def extrapolation_decades(self) -> float:
        """Decades of compute from the largest fitted run to the largest target; 0 without targets."""
        flop, final = self.sample.column("train_flop"), self.sample.flags("is_final")
        reach = [
            np.log10(flop[one.targets].max() / flop[one.fitted & final].max())
            for one in self.groups
            if one.targets.any()
        ]
        return float(max(0.0, *reach)) if reach else 0.0

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = list(self.sample.cautions)
        judged = above_chance(self.sample)
        unknown = [
            task for task, one in zip(self.sample.tasks, judged, strict=True) if one.verdict == "unknown"
        ]
        near = [task for task, one in zip(self.sample.tasks, judged, strict=True) if one.verdict == "no"]
        if unknown:
            said.append(
                f"chance level or number of items is unknown for {len(unknown)} of {len(judged)} tasks, so "
                "nobody can tell which lie at chance: those predict nothing. Give chance and n_items."
            )
        if near:
            said.append(
                f"{', '.join(near)}: no fitted run is above chance (binomial test, 5 %), so these runs "
                "cannot say when the task will rise. Add larger runs, or a finer score."
            )
        if self.unfitted:
            said.append(
                f"{', '.join(self.unfitted)}: nothing to fit below the bound, so these runs are not "
                "predicted. Fit groups together with another by."
            )
        if self.ranked[0].error is None:
            said.append(
                "too few runs to leave some out: law, link and route are defaults, not chosen. Add runs."
            )
        loose = sum(int((~path.losses.certified).sum()) for one in self.groups for path in one.paths.values())
        if loose:
            said.append(
                f"{loose} loss fits are not certified minima: one of their parameters is not held by these "
                "runs. Add runs at other sizes, or use the law overtrain."
            )
        final = self.sample.flags("is_final")
        least = min(int((one.fitted & final).sum()) for one in self.groups)
        if least < ENOUGH_RUNS:
            said.append(
                f"a group has {least} runs to fit a law of {law_named(self.recipe.law).p} parameters. "
                "Add runs."
            )
        if self.extrapolation_decades > FAR_DECADES:
            said.append(
                f"targets lie up to {self.extrapolation_decades:.1f} decades of compute beyond the fitted "
                "runs: intervals do not hold the error of a wrong law or link. Add larger runs."
            )
        if self.coverage is not None and self.coverage < self.ci.level - SHORT:
            said.append(
                f"the {self.ci.level:.0%} intervals hold {self.coverage:.0%} of what came: they are too "
                "narrow here, since they know no error of the law or the link. Fit nearer to the targets."
            )
        if self.ci.reps < FEW_DRAWS:
            said.append(
                f"{self.ci.reps} draws; below {FEW_DRAWS} the ends of the intervals move from seed to seed."
            )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return how far predictions were off: mean, worst task, loss, and mean accuracy."""
        from isoflop.scaling.downstream.findings import downstream_findings

        return downstream_findings(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "method": self.method,
            "n": self.n,
            "tasks": self.task_rows(),
            "predictions": self.predictions(),
            "mean_over_tasks": json_ready(self.mean_rows),
            "recipes": json_ready(self.ranked_rows()),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            self.method,
            f"  {self.n} runs fitted, {self.n_targets} predicted on {len(self.sample.tasks)} tasks",
        ]
        lines += [
            f"  {row['run']}: mean accuracy {row['predicted']:.3f} ({row['low']:.3f} to {row['high']:.3f}), "
            f"came {row['observed']:.3f}"
            for row in self.mean_rows[:8]
        ]
        return "\n".join([*lines, *(f"  ! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _relative(predicted: float, observed: float) -> float:
    return float(predicted / observed - 1) if observed > 0 else float("nan")


def _mean_abs(rows: list[dict[str, Any]], name: str) -> float | None:
    known = [abs(row[name]) for row in rows if np.isfinite(row[name])]
    return float(np.mean(known)) if known else None


def _mean(rows: list[dict[str, Any]], name: str) -> float | None:
    known = [row[name] for row in rows if np.isfinite(row[name])]
    return float(np.mean(known)) if known else None
