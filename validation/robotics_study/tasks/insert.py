"""Peg insertion, our own MuJoCo model: a planar manipulator puts a peg into a tilted slot.

The manipulator slides in x and z and tilts about y, driven by forces. The fixture stands at a drawn
place and tilt; the slot is a few millimetres wider than the peg, so a policy that is slightly off rests
on the rim. The expert aligns above the slot and goes in as far as it is aligned.
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

PEG_M = 0.01  # half width
CLEARANCE_M = 0.003  # a side
DEPTH_M = 0.04
FRAME_SKIP = 10
HOVER_M, BOTTOM_M = 0.02, -0.055
SEEN_M, UNSEEN_M = 0.15, 0.25

_WALL = 0.06
_XML = f"""
<mujoco model="peg insertion">
  <compiler angle="radian"/>
  <option timestep="0.005" gravity="0 0 -9.81" integrator="implicitfast"/>
  <default><geom friction="0.3 0.005 0.0001" density="1000"/></default>
  <worldbody>
    <body name="peg" gravcomp="1">
      <joint name="x" type="slide" axis="1 0 0" armature="0.02" damping="2" limited="true" range="-0.5 0.5"/>
      <joint name="z" type="slide" axis="0 0 1" armature="0.02" damping="2" limited="true" range="-0.1 0.5"/>
      <joint name="tilt" type="hinge" axis="0 1 0" armature="0.0005" damping="0.02" limited="true"
             range="-1.5 1.5"/>
      <geom type="box" size="{PEG_M} 0.02 0.05" pos="0 0 0.05"/>
    </body>
    <body name="fixture" mocap="true">
      <geom type="box" size="{_WALL} 0.03 0.03" pos="{-_WALL - PEG_M - CLEARANCE_M} 0 -0.03"/>
      <geom type="box" size="{_WALL} 0.03 0.03" pos="{_WALL + PEG_M + CLEARANCE_M} 0 -0.03"/>
      <geom type="box" size="0.03 0.03 0.005" pos="0 0 -0.065"/>
    </body>
  </worldbody>
  <actuator>
    <motor joint="x" gear="3" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="z" gear="3" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="tilt" gear="0.05" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
"""


@cache
def _model() -> mujoco.MjModel:
    import mujoco

    return mujoco.MjModel.from_xml_string(_XML)


def start(rng: np.random.Generator, familiarity: Familiarity, n: int) -> Simulators:
    """Draw the peg's pose above the table, and the fixture's place within or beyond the seen range."""
    peg = np.stack([rng.uniform(-0.2, 0.2, n), rng.uniform(0.1, 0.2, n), rng.uniform(-0.4, 0.4, n)], axis=1)
    if familiarity == "seen":
        place = rng.uniform(-SEEN_M, SEEN_M, n)
    else:
        place = rng.uniform(SEEN_M, UNSEEN_M, n) * rng.choice([-1.0, 1.0], n)
    tilt, zero = rng.uniform(-0.4, 0.4, n), np.zeros(n)
    pose = np.stack([place, zero, zero, np.cos(tilt / 2), zero, np.sin(tilt / 2), zero], axis=1)
    return Simulators(_model(), peg, np.zeros((n, 3)), FRAME_SKIP, pose)


def _fixture(simulators: Simulators) -> tuple[Array, Array]:
    """Place and tilt of the fixture."""
    pose = simulators.mocap
    assert pose is not None
    return pose[:, 0], 2 * np.arctan2(pose[:, 5], pose[:, 3])


def _peg_in_slot(simulators: Simulators) -> tuple[Array, Array, Array]:
    """Peg's tip across and along the slot's axis (0 at the rim), and its tilt against the slot."""
    peg, (place, tilt) = simulators.qpos, _fixture(simulators)
    x, z = peg[:, 0] - place, peg[:, 1]
    across, along = x * np.cos(tilt) - z * np.sin(tilt), x * np.sin(tilt) + z * np.cos(tilt)
    return across, along, peg[:, 2] - tilt


def observe(simulators: Simulators) -> Array:
    """Return pose and speed of the peg, place and tilt of the fixture: eight numbers."""
    return np.hstack([simulators.qpos, simulators.qvel, np.stack(_fixture(simulators), axis=1)])


def expert(simulators: Simulators) -> Array:
    """Align above the slot, and go in as far as aligned."""
    speed, (_, tilt) = simulators.qvel, _fixture(simulators)
    across, along, lean = _peg_in_slot(simulators)
    aligned = np.clip(2.0 - np.abs(across) / 0.006 - np.abs(lean) / 0.08, 0.0, 1.0)
    depth = HOVER_M * (1 - aligned) + BOTTOM_M * aligned
    right, down = np.clip(-across, -0.15, 0.15), np.clip(depth - along, -0.1, 0.1)
    x, z = right * np.cos(tilt) + down * np.sin(tilt), -right * np.sin(tilt) + down * np.cos(tilt)
    force = [15 * x - 0.3 * speed[:, 0], 15 * z - 0.3 * speed[:, 1], -8 * lean - 0.2 * speed[:, 2]]
    return np.clip(np.stack(force, axis=1), -1.0, 1.0)


def succeeded(simulators: Simulators) -> NDArray[np.bool_]:
    """Whether the peg's tip is in the slot and deep enough."""
    across, along, _ = _peg_in_slot(simulators)
    return (along <= -DEPTH_M) & (np.abs(across) <= PEG_M + CLEARANCE_M)


TASK = Task(
    name="insert",
    title="peg insertion",
    embodiment="planar manipulator with peg (MuJoCo, own model)",
    task_family="manipulation",
    horizon=60,
    action_scale=1.0,
    demonstration_noise=0.1,
    seen=f"fixture within {100 * SEEN_M:g} cm of the middle",
    unseen=f"fixture {100 * SEEN_M:g} to {100 * UNSEEN_M:g} cm from the middle, beyond every demonstration",
    criterion=f"peg at least {100 * DEPTH_M:g} cm deep in the slot at the end of 60 steps",
    start=start,
    observe=observe,
    expert=expert,
    succeeded=succeeded,
)
