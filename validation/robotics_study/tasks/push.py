"""Pusher-v5: a seven-joint arm lowers its fork over a cylinder and pushes it onto a goal.

Physics, goal and observation are gymnasium's, with two changes. The cylinder weighs 50 g: at the 8 mg of
the model as shipped, contact hardly moves it against the damping of its slides. It starts where
Pusher-v5 puts it, but 53 to 70 cm from the arm's axis: nearer the lowered fork cannot get behind it, and
further out it would have to be pulled. The expert is inverse kinematics in polar coordinates about the
axis: hover over the cylinder, lower, then turn and extend while the cylinder rests in the fork.
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

BASE_XY = np.array([0.0, -0.6])
GOAL_XY = np.array([0.45, -0.05])
UPPER_M, FOREARM_M, SHOULDER_M = 0.4, 0.321, 0.1
CYLINDER_KG = 0.05
RADIUS_M = (0.53, 0.70)
HELD_OUT_BELOW_RAD = 0.62
TOLERANCE_M = 0.03
FRAME_SKIP = 5
TORQUE = 2.0

HOVER_M, LOW_M, LOWERED_M = -0.15, -0.27, -0.22  # heights of the fork above the table frame
CONTACT_M = 0.085  # fork's bar to the cylinder's axis when lowering, 1.5 cm clear of touching
ALIGNED_M = 0.03
# pan, lift, upper-arm roll, elbow, forearm roll, wrist flex, wrist roll
STIFFNESS = np.array([8.0, 10.0, 3.0, 10.0, 1.0, 1.0, 1.0])
DAMPING = STIFFNESS * np.array([0.2, 0.3, 0.1, 0.3, 0.1, 0.1, 0.1])


@cache
def _model() -> mujoco.MjModel:
    import gymnasium
    import mujoco

    model = gymnasium.make("Pusher-v5").unwrapped.model
    body = model.body("object").id
    factor = CYLINDER_KG / model.body_mass[body]
    model.body_mass[body] *= factor
    model.body_inertia[body] *= factor
    mujoco.mj_setConst(model, mujoco.MjData(model))
    return model


def _polar(xy: Array) -> tuple[Array, Array]:
    """Distance from the arm's axis and angle about it."""
    offset = xy - BASE_XY
    return np.hypot(offset[:, 0], offset[:, 1]), np.arctan2(offset[:, 1], offset[:, 0])


def cylinders(rng: np.random.Generator, familiarity: Familiarity, n: int) -> Array:
    """Draw cylinder positions relative to the goal, (y, x) as Pusher-v5 orders its slides."""
    kept = np.empty((0, 2))
    while len(kept) < n:
        slides = rng.uniform([-0.3, -0.2], [0.0, 0.2], (4 * n, 2))
        radius, angle = _polar(slides[:, ::-1] + GOAL_XY)
        inside = (np.linalg.norm(slides, axis=1) > 0.17) & (radius > RADIUS_M[0]) & (radius < RADIUS_M[1])
        wanted = (angle < HELD_OUT_BELOW_RAD) == (familiarity == "unseen")
        kept = np.vstack([kept, slides[inside & wanted]])
    return kept[:n]


def start(rng: np.random.Generator, familiarity: Familiarity, n: int) -> Simulators:
    """Draw trials as Pusher-v5 does, the cylinder inside or outside the held-out side."""
    model = _model()
    qpos, qvel = np.zeros((n, model.nq)), np.zeros((n, model.nv))
    qpos[:, 7:9] = cylinders(rng, familiarity, n)
    qvel[:, :7] = rng.uniform(-0.005, 0.005, (n, 7))
    return Simulators(model, qpos, qvel, FRAME_SKIP)


def observe(simulators: Simulators) -> Array:
    """Return Pusher-v5's 23 observations: joints, their speeds, fork, cylinder and goal."""
    bodies = [simulators.body(name) for name in ("tips_arm", "object", "goal")]
    return np.hstack([simulators.qpos[:, :7], simulators.qvel[:, :7], *bodies])


def _lift_and_elbow(radius: Array, height: Array) -> tuple[Array, Array]:
    """Two-link inverse kinematics in the arm's vertical plane, elbow bent upwards."""
    forward = radius - SHOULDER_M
    distance = np.clip(np.hypot(forward, height), SHOULDER_M, UPPER_M + FOREARM_M - 1e-3)
    cosine = (distance**2 - UPPER_M**2 - FOREARM_M**2) / (2 * UPPER_M * FOREARM_M)
    bend = np.arccos(np.clip(cosine, -1.0, 1.0))
    lift = np.arctan2(-height, forward)
    lift += np.arctan2(FOREARM_M * np.sin(bend), UPPER_M + FOREARM_M * np.cos(bend))
    return lift, -bend


def expert(simulators: Simulators) -> Array:
    """Hover over the cylinder, lower the fork, then carry the cylinder to the goal's polar position."""
    fork, cylinder = simulators.body("tips_arm"), simulators.body("object")[:, :2]
    fork_radius, fork_angle = _polar(fork[:, :2])
    radius, angle = _polar(cylinder)
    (goal_radius,), (goal_angle,) = _polar(GOAL_XY[None])
    sideways = radius * np.sin(angle - fork_angle)
    ahead = radius * np.cos(angle - fork_angle) - fork_radius
    lowered = fork[:, 2] < LOWERED_M
    caught = lowered & (np.abs(sideways) < 0.08) & (ahead > 0.0) & (ahead < 0.13)

    aligned = np.clip(2.0 - np.hypot(sideways, ahead - CONTACT_M) / ALIGNED_M, 0.0, 1.0)
    over_angle = fork_angle + np.clip(angle - fork_angle, -0.6, 0.6)
    over_radius = fork_radius + np.clip(ahead - CONTACT_M, -0.15, 0.15)
    over_height = HOVER_M * (1 - aligned) + LOW_M * aligned
    push_angle = fork_angle + np.clip(goal_angle - angle, -0.2, 0.2) + 0.5 * (angle - fork_angle)
    push_radius = fork_radius + np.clip(goal_radius - radius, -0.02, 0.08)

    lift, elbow = _lift_and_elbow(
        np.where(caught, push_radius, over_radius), np.where(caught, LOW_M, over_height)
    )
    wanted = np.zeros((len(simulators), 7))
    wanted[:, 0], wanted[:, 1], wanted[:, 3] = np.where(caught, push_angle, over_angle), lift, elbow
    torque: Array = STIFFNESS * (wanted - simulators.qpos[:, :7]) - DAMPING * simulators.qvel[:, :7]
    return np.clip(torque / TORQUE, -1.0, 1.0)


def succeeded(simulators: Simulators) -> NDArray[np.bool_]:
    """Whether the cylinder lies on the goal."""
    offset = simulators.body("object")[:, :2] - simulators.body("goal")[:, :2]
    miss: Array = np.linalg.norm(offset, axis=1)
    return miss <= TOLERANCE_M


TASK = Task(
    name="push",
    title="Pusher-v5",
    embodiment="seven-joint arm with fork (MuJoCo, gymnasium Pusher-v5, cylinder of 50 g)",
    task_family="manipulation",
    horizon=80,
    action_scale=TORQUE,
    demonstration_noise=0.05,
    seen=f"cylinder starts 53 to 70 cm from the arm's axis, at angles of at least {HELD_OUT_BELOW_RAD:g} rad",
    unseen=f"cylinder starts at angles below {HELD_OUT_BELOW_RAD:g} rad, where no demonstration starts",
    criterion=f"cylinder within {100 * TOLERANCE_M:g} cm of the goal at the end of 80 steps",
    start=start,
    observe=observe,
    expert=expert,
    succeeded=succeeded,
)
