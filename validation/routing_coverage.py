"""Do the selector's intervals hold the truth, does it abstain without signal, does it see a shifted task?

Planted worlds of 20 tasks, 60 prompts each, 6 models. A model's accuracy on a task is its ability, an effect
of the group of like tasks, an effect of the task's difficulty and one of model and task together, which no
input tells. Prompts lie around their task's place, tasks around their group's. Each task in turn is new: 19
tasks are for training, so that the 18th of 20 ranks is exactly .9.

Prints the share of 90 % intervals that hold the accuracy measured on the task, in the three flavours and for
the gain; how often the best model on average was used; and how often a task moved away is said to be far.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isoflop.evidence import load
from isoflop.routing.neighbours.tasks import score_tasks
from isoflop.routing.sample import ScoredPrompts, join
from isoflop.routing.selection import ShrunkenFit, fit_shrunken
from isoflop.routing.selection.conformal import half_width, residuals
from isoflop.routing.task_scores import TaskScores

TASKS, PROMPTS, MODELS, WIDTH = 20, 60, 6, 16
GROUPS = 4
LEVEL = 0.9
WORLDS = 100
COLUMNS = ("one model", "all models", "chosen model", "gain", "gain bound .75", "used base", "gain of choice")

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """How much groups of like tasks, and tasks alone, move a model; standard deviations of accuracy."""

    by_group: float
    by_task: float
    moved: bool = False

    def draw(self, seed: int) -> tuple[ScoredPrompts, NDArray[np.float32]]:
        """Return scored prompts and their vectors; if `moved`, those of the last task lie elsewhere."""
        rng = np.random.default_rng(seed)
        group = rng.integers(0, GROUPS, TASKS)
        accuracy = (
            0.6
            + rng.normal(0, 0.06, MODELS)
            + rng.normal(0, 0.1, (TASKS, 1))
            + rng.normal(0, self.by_group, (GROUPS, MODELS))[group]
            + rng.normal(0, self.by_task, (TASKS, MODELS))
        ).clip(0.02, 0.98)
        task = np.repeat(np.arange(TASKS), PROMPTS)
        places = rng.normal(size=(GROUPS, WIDTH))[group] + 0.4 * rng.normal(size=(TASKS, WIDTH))
        vectors = places[task] + 0.7 * rng.normal(size=(task.size, WIDTH))
        if self.moved:
            vectors[task == TASKS - 1] -= 2 * places[group == group[-1]].mean(axis=0)
        correct = (rng.random((task.size, MODELS)) < accuracy[task]).astype(float)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return _joined(correct, task), unit.astype(np.float32)


SIGNAL = Planted(by_group=0.12, by_task=0.03)
NO_SIGNAL = Planted(by_group=0.0, by_task=0.03)
MUCH_NOISE = Planted(by_group=0.0, by_task=0.12)


def study(worlds: int = WORLDS) -> None:
    """Print the shares of each kind of world."""
    print(f"{worlds} worlds of {TASKS} tasks, {MODELS} models; nominal {LEVEL:g}, bound of the gain .75")
    print(f"{'world':<24}" + "".join(f"{name:>16}" for name in COLUMNS))
    for name, kind in (
        ("groups of like tasks", SIGNAL),
        ("no signal", NO_SIGNAL),
        ("no signal, much noise", MUCH_NOISE),
    ):
        shares = coverage(kind, worlds)
        print(f"{name:<24}" + "".join(f"{shares[column]:>16.3f}" for column in COLUMNS), flush=True)
    print(f"share of tasks said to be far: as drawn {far(SIGNAL, worlds):.3f}, ", end="")
    print(f"moved away {far(Planted(by_group=0.12, by_task=0.03, moved=True), worlds):.3f}")


def coverage(kind: Planted, worlds: int) -> dict[str, float]:
    """Return the mean of each column over all tasks of all worlds."""
    rows = [_task(scores, d) for scores in _worlds(kind, worlds) for d in range(TASKS)]
    return dict(zip(COLUMNS, np.mean(rows, axis=0).tolist(), strict=True))


def far(kind: Planted, worlds: int) -> float:
    """Return how often the last task is said to be further away than any training task."""
    last = TASKS - 1
    said = [fit_shrunken(s.training(last)).predict(s.task(last)).far for s in _worlds(kind, worlds)]
    return float(np.mean(said))


def _worlds(kind: Planted, worlds: int) -> list[TaskScores]:
    return [score_tasks(*kind.draw(seed)) for seed in range(worlds)]


def _task(scores: TaskScores, target: int) -> list[float]:
    """Return one task's row: 1 where an interval holds what was measured, and the gain of the choice."""
    fit = fit_shrunken(scores.training(target))
    said, truth = fit.predict(scores.task(target)), scores.accuracy[target]
    best = int(np.argmax(said.accuracy))
    apart = np.abs(said.accuracy - truth)
    realised = truth[best] - truth[said.base]
    assert said.gain_low is not None
    assert said.gain_high is not None
    assert said.sure_gain is not None
    return [
        float(apart[0] <= _half_width(fit, "one")),
        float(apart.max() <= _half_width(fit, "all")),
        float(apart[best] <= _half_width(fit, "chosen")),
        float(said.gain_low - 1e-12 <= realised <= said.gain_high + 1e-12),
        float(realised >= said.sure_gain - 1e-12),
        float(said.choice == said.base),
        float(truth[said.choice] - truth[said.base]),
    ]


def _half_width(fit: ShrunkenFit, flavour: str) -> float:
    true = fit.training.accuracy
    if flavour == "one":
        found = residuals(fit.predicted, true, "one", model=0)
    elif flavour == "all":
        found = residuals(fit.predicted, true, "all")
    else:
        found = residuals(fit.predicted, true, "chosen", chosen=fit.picks)
    width = half_width(found, LEVEL)
    assert width is not None
    return width


def _joined(correct: FloatArray, task: NDArray[np.int64]) -> ScoredPrompts:
    keys = {"dataset": [f"t{t:02d}" for t in task], "instance_id": [f"i{i:04d}" for i in range(task.size)]}
    scores = pl.concat(
        pl.DataFrame(keys).with_columns(model=pl.lit(f"m{m}"), score=pl.Series(correct[:, m]))
        for m in range(MODELS)
    )
    prompts = pl.DataFrame(keys).with_columns(prompt=pl.Series([f"prompt {i}" for i in range(task.size)]))
    return join(
        load(scores, schema="model_scores_by_prompt", name="planted_scores"),
        load(prompts, schema="prompts", name="planted_prompts"),
    )


if __name__ == "__main__":
    study(int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS)
