"""Run trials: record the expert's demonstrations, and count a policy's successes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from validation.robotics_study.task import Familiarity, Task

    Array = NDArray[np.float64]


def demonstrate(task: Task, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Record `count` successful demonstrations under seen conditions.

    Noise is added to the executed action and not to the recorded one (Laskey et al. 2017), so that the
    demonstrations show how to come back from small errors. Failed trials are drawn again.

    Returns
    -------
    observations : array, shape (count, horizon, inputs)
    actions : array, shape (count, horizon, outputs), in [−1, 1]
    """
    observations, actions, have = [], [], 0
    while have < count:
        simulators = task.start(rng, "seen", count - have)
        seen, done = [], []
        for _ in range(task.horizon):
            action = task.expert(simulators)
            seen.append(task.observe(simulators))
            done.append(action)
            noise = task.demonstration_noise * rng.standard_normal(action.shape)
            simulators.step(task.action_scale * np.clip(action + noise, -1.0, 1.0))
        simulators.check()
        good = task.succeeded(simulators)
        observations.append(np.stack(seen, axis=1)[good])
        actions.append(np.stack(done, axis=1)[good])
        have += int(good.sum())
    return np.concatenate(observations), np.concatenate(actions)


def count_successes(
    task: Task,
    act: Callable[[Array], Array] | None,
    familiarity: Familiarity,
    trials: int,
    rng: np.random.Generator,
) -> int:
    """Count the trials that meet the task's criterion; `act` maps observations to actions, None = expert."""
    simulators = task.start(rng, familiarity, trials)
    for _ in range(task.horizon):
        action = task.expert(simulators) if act is None else act(task.observe(simulators))
        simulators.step(task.action_scale * action)
    simulators.check()
    return int(task.succeeded(simulators).sum())
