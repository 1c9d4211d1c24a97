"""Pick and lift, our own MuJoCo model: a planar gripper grasps a block and lifts it.

The gripper slides in x and z and closes two coupled fingers, driven by forces. The block lies at a drawn
place. Unseen trials keep the places and change the block: three times the weight, which no observation
shows. The expert aligns above the block, lowers as far as aligned, closes, and lifts once it holds.
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

BLOCK_M = 0.02  # half width
OPEN_M = 0.04  # finger to the middle, fully open
SEEN_KG, UNSEEN_KG = 0.1, 0.3
LIFTED_M = 0.1
HOVER_M, GRASP_M, TOP_M = 0.1, 0.025, 0.2
FRAME_SKIP = 10

_XML = """
<mujoco model="pick and lift">
  <compiler angle="radian"/>
  <option timestep="0.005" gravity="0 0 -9.81" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <default><geom friction="0.8 0.005 0.0001" density="500"/></default>
  <worldbody>
    <geom type="plane" size="1 1 0.1"/>
    <body name="gripper" gravcomp="1">
      <joint name="x" type="slide" axis="1 0 0" armature="0.1" damping="4" limited="true" range="-0.4 0.4"/>
      <joint name="z" type="slide" axis="0 0 1" armature="0.1" damping="4" limited="true" range="0.02 0.4"/>
      <geom type="box" size="0.06 0.02 0.01" pos="0 0 0.05"/>
      <body name="left" pos="-0.006 0 0" gravcomp="1">
        <joint name="left" type="slide" axis="-1 0 0" armature="0.02" damping="4" limited="true"
               range="0 {open}"/>
        <geom type="box" size="0.006 0.02 0.02" pos="0 0 0.01"/>
      </body>
      <body name="right" pos="0.006 0 0" gravcomp="1">
        <joint name="right" type="slide" axis="1 0 0" armature="0.02" damping="4" limited="true"
               range="0 {open}"/>
        <geom type="box" size="0.006 0.02 0.02" pos="0 0 0.01"/>
      </body>
    </body>
    <body name="block" pos="0 0 {half}">
      <joint name="block_x" type="slide" axis="1 0 0"/>
      <joint name="block_z" type="slide" axis="0 0 1"/>
      <joint name="block_tilt" type="hinge" axis="0 1 0" damping="0.0005"/>
      <geom type="box" size="{half} {half} {half}" mass="{kg}"/>
    </body>
  </worldbody>
  <equality><joint joint1="left" joint2="right"/></equality>
  <actuator>
    <motor joint="x" gear="6" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="z" gear="6" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="left" gear="-6" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
"""


@cache
def _model(kilograms: float) -> mujoco.MjModel:
    import mujoco

    return mujoco.MjModel.from_xml_string(_XML.format(open=OPEN_M, half=BLOCK_M, kg=kilograms))


def start(rng: np.random.Generator, familiarity: Familiarity, n: int) -> Simulators:
    """Draw the open gripper's place above the table and the block's place on it."""
    qpos = np.zeros((n, 7))
    qpos[:, 0], qpos[:, 1] = rng.uniform(-0.25, 0.25, n), rng.uniform(0.1, 0.2, n)
    qpos[:, 2:4], qpos[:, 4] = OPEN_M, rng.uniform(-0.25, 0.25, n)
    model = _model(SEEN_KG if familiarity == "seen" else UNSEEN_KG)
    return Simulators(model, qpos, np.zeros((n, 7)), FRAME_SKIP)


def observe(simulators: Simulators) -> Array:
    """Return pose and speed of gripper, one finger and block: twelve numbers."""
    kept = [0, 1, 2, 4, 5, 6]
    return np.hstack([simulators.qpos[:, kept], simulators.qvel[:, kept]])


def expert(simulators: Simulators) -> Array:
    """Align, lower, close, lift: each as far as the one before is done."""
    qpos, qvel = simulators.qpos, simulators.qvel
    across = qpos[:, 4] - qpos[:, 0]
    below = qpos[:, 5] + BLOCK_M - qpos[:, 1]  # block's middle to the fingers' frame
    aligned = np.clip(2.0 - np.abs(across) / 0.008, 0.0, 1.0)
    around = aligned * np.clip((below + 0.03) / 0.01, 0.0, 1.0)
    holds = around * np.clip((BLOCK_M + 0.004 - qpos[:, 2]) / 0.003, 0.0, 1.0)
    height = np.where(holds > 0.5, TOP_M, HOVER_M * (1 - aligned) + GRASP_M * aligned)
    x = 10 * np.clip(across, -0.1, 0.1) - 0.5 * qvel[:, 0]
    z = 10 * np.clip(height - qpos[:, 1], -0.1, 0.1) - 0.5 * qvel[:, 1]
    return np.clip(np.stack([x, z, 2 * around - 1], axis=1), -1.0, 1.0)


def succeeded(simulators: Simulators) -> NDArray[np.bool_]:
    """Whether the block is held high enough above the table."""
    return simulators.qpos[:, 5] >= LIFTED_M


TASK = Task(
    name="lift",
    title="pick and lift",
    embodiment="planar gripper (MuJoCo, own model)",
    task_family="manipulation",
    horizon=40,
    action_scale=1.0,
    demonstration_noise=0.1,
    seen=f"block of {1000 * SEEN_KG:g} g, within 25 cm of the middle",
    unseen=f"the same places, block of {1000 * UNSEEN_KG:g} g, a weight that no demonstration has",
    criterion=f"block at least {100 * LIFTED_M:g} cm above the table at the end of 40 steps",
    start=start,
    observe=observe,
    expert=expert,
    succeeded=succeeded,
)
