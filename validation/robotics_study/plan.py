"""Which policies are trained: three resources, their scales, and what stays fixed meanwhile.

A point is one policy: a task, a resource, a scale and a seed. Every point draws its own demonstrations,
initial weights, sample order and trials, so points are independent. Seeds are the outermost loop: an
interrupted run has whole curves of fewer seeds rather than half the curves.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Resource = Literal["data", "model_size", "compute"]

DEPTH = 2
BATCH = 256
BASE = {"demonstrations": 256, "width": 64, "steps": 4000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One policy to train and try."""

    task: str
    resource: Resource
    demonstrations: int
    width: int
    steps: int
    trials: int
    seed: int

    @property
    def name(self) -> str:
        """Unique in the plan, and a file name."""
        scale = {"data": self.demonstrations, "model_size": self.width, "compute": self.steps}[self.resource]
        return f"{self.task}-{self.resource}-{scale}-{self.seed}"

    def generator(self) -> np.random.Generator:
        """Return the random stream of this point, which no other point shares."""
        return np.random.default_rng([self.seed, zlib.crc32(self.name.encode())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Scales of each resource, seeds, and trials a seed under each familiarity."""

    demonstrations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    widths: tuple[int, ...] = (2, 4, 6, 8, 12, 16, 24, 32, 64, 128)
    steps: tuple[int, ...] = (30, 60, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
    seeds: int = 6
    trials: int = 50

    def points(self, tasks: tuple[str, ...]) -> Iterator[Point]:
        """Yield every point, all scales of all tasks for one seed before the next."""
        axes: tuple[tuple[Resource, str, tuple[int, ...]], ...] = (
            ("data", "demonstrations", self.demonstrations),
            ("model_size", "width", self.widths),
            ("compute", "steps", self.steps),
        )
        for seed in range(self.seeds):
            for task in tasks:
                for resource, axis, scales in axes:
                    for scale in scales:
                        fixed = {**BASE, axis: scale}
                        yield Point(task=task, resource=resource, trials=self.trials, seed=seed, **fixed)


FULL = Plan()
QUICK = Plan(demonstrations=(4, 32, 128), widths=(4, 12, 64), steps=(60, 250, 1000), seeds=1, trials=50)
