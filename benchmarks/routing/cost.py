"""Speed of hulls and of paired draws over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Job, Reference
from isoflop.routing.cost.hull import Hull, upper_hull
from isoflop.stats.resample import replicate_weights

POINTS = 1_000_000
REPS, TASKS, METHODS = 10_000, 60, 12
FloatArray = NDArray[np.float64]


@cache
def points() -> tuple[FloatArray, FloatArray]:
    """Return a million points below a rising curve."""
    rng = np.random.default_rng(0)
    cost = rng.uniform(0, 10, POINTS)
    return cost, np.sqrt(cost) * rng.uniform(0, 1, POINTS)


def bent() -> tuple[FloatArray, FloatArray]:
    """Return the case that costs most: points on a concave arc that one last point hides."""
    x = np.linspace(0, 1, POINTS)
    return x, np.append(np.sqrt(x[:-1]), 1e5)


def hull_of(made: tuple[FloatArray, FloatArray]) -> Hull:
    """Return the hull of points."""
    return upper_hull(*made)


@cache
def task_scores() -> FloatArray:
    """Return scores of methods on tasks."""
    return np.random.default_rng(1).uniform(size=(TASKS, METHODS))


def paired() -> FloatArray:
    """Return the quantiles of every method's difference to the first, draws of tasks in common."""
    drawn = replicate_weights(0, TASKS, 0, REPS) @ task_scores()
    return np.asarray(np.quantile(drawn - drawn[:, :1], [0.025, 0.975], axis=0))


def one_by_one(pieces: Sequence[int]) -> None:
    """Draw tasks, average and subtract, a replicate at a time."""
    rng, scores = np.random.default_rng(0), task_scores()
    for _ in pieces:
        means = scores[rng.integers(0, TASKS, TASKS)].mean(axis=0)
        means - means[0]


JOBS = (
    Job(
        name="routing-hull-1m",
        ours=lambda: hull_of(points()),
        bar_cpu_s=1.0,
        accept=lambda hull: bool(np.all(np.diff(hull.score) > 0)),
        note="upper concave hull of a million random points",
    ),
    Job(
        name="routing-hull-1m-bent",
        ours=lambda: hull_of(bent()),
        bar_cpu_s=1.0,
        accept=lambda hull: hull.cost.size == 2,
        note="the same of a million points of which the last hides all others but the first",
    ),
    Job(
        name="routing-paired-bootstrap",
        ours=paired,
        reference=Reference(run=one_by_one, pieces=REPS),
        bar_cpu_s=0.3,
        note="10,000 paired draws of 60 tasks × 12 methods; beside one replicate at a time",
    ),
)
