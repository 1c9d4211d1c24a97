"""What a task is: where trials start, what the policy sees, the scripted expert, and when a trial counts.

Actions are in [−1, 1] for policy and expert; `Task.action_scale` turns them into the actuators' units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from validation.robotics_study.simulators import Simulators

    Array = NDArray[np.float64]

Familiarity = Literal["seen", "unseen"]
FAMILIARITIES: tuple[Familiarity, ...] = ("seen", "unseen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: its physics, its conditions in words and in code, its expert and its success criterion.

    `start(rng, familiarity, n)` draws n trials; `observe`, `expert` and `succeeded` read a batch of
    simulators and return arrays of shape (n, observations), (n, actions) and (n,).
    """

    name: str
    title: str
    embodiment: str
    task_family: str
    horizon: int
    action_scale: float
    demonstration_noise: float
    seen: str
    unseen: str
    criterion: str
    start: Callable[[np.random.Generator, Familiarity, int], Simulators]
    observe: Callable[[Simulators], Array]
    expert: Callable[[Simulators], Array]
    succeeded: Callable[[Simulators], NDArray[np.bool_]]

    def conditions(self, familiarity: Familiarity) -> str:
        """Where trials of this familiarity start, in words."""
        return self.seen if familiarity == "seen" else self.unseen
