"""Reacher-v5: a planar arm of two links brings its fingertip to a goal and stops there.

Physics, start pose and observation are gymnasium's; the goals are drawn here, so that a sector of the
workspace can be held out of the demonstrations. The expert solves the two-link inverse kinematics
(elbow always to the same side, so that demonstrations agree) and follows joint velocities.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from validation.robotics_study.simulators import Simulators
from validation.robotics_study.task import Familiarity, Task

if TYPE_CHECKING:
    import mujoco
    from numpy.typing import NDArray

    from validation.robotics_study.simulators import Array

UPPER_M, LOWER_M = 0.1, 0.11  # links of Reacher-v5
GOAL_RADIUS_M = (0.06, 0.2)  # nearer goals need the elbow beyond its limit of 3 rad
HELD_OUT_RAD = (np.pi / 3, 2 * np.pi / 3)
TOLERANCE_M = 0.01
FRAME_SKIP = 2


@cache
def _model() -> mujoco.MjModel:
    import gymnasium

    return gymnasium.make("Reacher-v5").unwrapped.model


def start(rng: np.random.Generator, familiarity: Familiarity, n: int) -> Simulators:
    """Draw start poses as Reacher-v5 does, and goals inside or outside the held-out sector."""
    low, high = HELD_OUT_RAD
    radius = np.sqrt(rng.uniform(GOAL_RADIUS_M[0] ** 2, GOAL_RADIUS_M[1] ** 2, n))
    angle = rng.uniform(low, high, n) if familiarity == "unseen" else rng.uniform(high, low + 2 * np.pi, n)
    arm, speed = rng.uniform(-0.1, 0.1, (n, 2)), rng.uniform(-0.005, 0.005, (n, 2))
    goal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    qpos, qvel = np.hstack([arm, goal]), np.hstack([speed, np.zeros((n, 2))])
    return Simulators(_model(), qpos, qvel, FRAME_SKIP)


def _miss(simulators: Simulators) -> Array:
    return (simulators.body("fingertip") - simulators.body("target"))[:, :2]


def observe(simulators: Simulators) -> Array:
    """Return Reacher-v5's ten observations: cos, sin of the joints, goal, joint speeds, miss."""
    qpos, speed = simulators.qpos, simulators.qvel[:, :2]
    joints = qpos[:, :2]
    return np.hstack([np.cos(joints), np.sin(joints), qpos[:, 2:], speed, _miss(simulators)])


def inverse_kinematics(goal: Array) -> tuple[Array, Array]:
    """Joint angles that put the fingertip on the goal (shape (n, 2)), elbow angle in [0, π]."""
    square = (goal**2).sum(axis=1)
    cosine = (square - UPPER_M**2 - LOWER_M**2) / (2 * UPPER_M * LOWER_M)
    elbow = np.arccos(np.clip(cosine, -1.0, 1.0))
    reach = np.arctan2(LOWER_M * np.sin(elbow), UPPER_M + LOWER_M * np.cos(elbow))
    return np.arctan2(goal[:, 1], goal[:, 0]) - reach, elbow


def expert(simulators: Simulators) -> Array:
    """Turn both joints towards the goal's angles, the shoulder by the shorter way."""
    qpos, speed = simulators.qpos, simulators.qvel[:, :2]
    shoulder, elbow = inverse_kinematics(qpos[:, 2:])
    turn = (shoulder - qpos[:, 0] + np.pi) % (2 * np.pi) - np.pi
    error = np.stack([turn, elbow - qpos[:, 1]], axis=1)
    wanted_speed = np.clip(8.0 * error, -6.0, 6.0)
    return np.clip(0.1 * (wanted_speed - speed), -1.0, 1.0)


def succeeded(simulators: Simulators) -> NDArray[np.bool_]:
    """Whether the fingertip is on the goal."""
    miss: Array = np.linalg.norm(_miss(simulators), axis=1)
    return miss <= TOLERANCE_M


TASK = Task(
    name="reach",
    title="Reacher-v5",
    embodiment="two-link planar arm (MuJoCo, gymnasium Reacher-v5)",
    task_family="control",
    horizon=50,
    action_scale=1.0,
    demonstration_noise=0.1,
    seen="goals 6 to 20 cm from the shoulder, outside the sector from 60° to 120°",
    unseen="goals in the sector from 60° to 120°, which no demonstration visits",
    criterion=f"fingertip within {100 * TOLERANCE_M:g} cm of the goal at the end of 50 steps",
    start=start,
    observe=observe,
    expert=expert,
    succeeded=succeeded,
)
