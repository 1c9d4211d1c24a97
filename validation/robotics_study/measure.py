"""Measure one point: demonstrate, train, try on seen and unseen conditions."""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from validation.robotics_study.ledger import Measured
from validation.robotics_study.plan import BATCH, DEPTH
from validation.robotics_study.policy import Training, layer_sizes, parameter_count, train, training_flop
from validation.robotics_study.tasks import TASKS
from validation.robotics_study.trials import count_successes, demonstrate

if TYPE_CHECKING:
    from validation.robotics_study.plan import Point


def versions() -> dict[str, str]:
    """Versions that the numbers depend on."""
    packages = {name: version(name) for name in ("gymnasium", "mujoco", "numpy")}
    return {"python": platform.python_version(), **packages}


def measure(point: Point) -> Measured:
    """Train the point's policy and count its successes."""
    began, task, rng = time.process_time(), TASKS[point.task], point.generator()
    observations, actions = demonstrate(task, point.demonstrations, rng)
    inputs, outputs = observations.shape[2], actions.shape[2]
    policy = train(
        observations.reshape(-1, inputs),
        actions.reshape(-1, outputs),
        width=point.width,
        depth=DEPTH,
        training=Training(steps=point.steps, batch=BATCH),
        seed=int(rng.integers(2**31)),
    )
    parameters = parameter_count(layer_sizes(inputs, point.width, DEPTH, outputs))
    return Measured(
        parameters=parameters,
        training_flop=training_flop(parameters, steps=point.steps, batch=BATCH),
        successes_seen=count_successes(task, policy, "seen", point.trials, rng),
        successes_unseen=count_successes(task, policy, "unseen", point.trials, rng),
        cpu_seconds=round(time.process_time() - began, 3),
        versions=versions(),
    )
