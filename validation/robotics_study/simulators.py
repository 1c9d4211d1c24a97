"""Many MuJoCo simulators of one model, stepped together.

Each control step applies one action to every simulator and advances each by the same number of physics
steps, exactly as gymnasium's `MujocoEnv.do_simulation` does (a test compares the two).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import mujoco
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Unstable(RuntimeError):
    """MuJoCo reset a simulator because its state became invalid; its trial means nothing."""


class Simulators:
    """A batch of independent simulators that share one model.

    Parameters
    ----------
    model : mujoco.MjModel
    qpos : array, shape (n, nq)
        Starting positions.
    qvel : array, shape (n, nv)
        Starting velocities.
    frame_skip : int
        Physics steps in one control step.
    mocap : array, shape (n, 7), optional
        Pose (position, quaternion) of the model's one mocap body.
    """

    def __init__(
        self, model: mujoco.MjModel, qpos: Array, qvel: Array, frame_skip: int, mocap: Array | None = None
    ) -> None:
        import mujoco

        self._step, self._warning = mujoco.mj_step, int(mujoco.mjtWarning.mjWARN_BADQACC)
        self.model, self.frame_skip, self.mocap = model, frame_skip, mocap
        self.data = [mujoco.MjData(model) for _ in range(len(qpos))]
        for row, data in enumerate(self.data):
            data.qpos[:], data.qvel[:] = qpos[row], qvel[row]
            if mocap is not None:
                data.mocap_pos[0], data.mocap_quat[0] = mocap[row, :3], mocap[row, 3:]
            mujoco.mj_forward(model, data)

    def __len__(self) -> int:
        return len(self.data)

    def step(self, action: Array) -> None:
        """Apply one action (shape (n, nu)) to each simulator for one control step."""
        for data, control in zip(self.data, action, strict=True):
            data.ctrl[:] = control
            self._step(self.model, data, self.frame_skip)

    @property
    def qpos(self) -> Array:
        """Positions, shape (n, nq)."""
        return np.array([data.qpos for data in self.data])

    @property
    def qvel(self) -> Array:
        """Velocities, shape (n, nv)."""
        return np.array([data.qvel for data in self.data])

    def body(self, name: str) -> Array:
        """Position of a body's frame in the world, shape (n, 3), as gymnasium's `get_body_com` gives it."""
        index = self.model.body(name).id
        return np.array([data.xpos[index] for data in self.data])

    def check(self) -> None:
        """Raise `Unstable` if MuJoCo had to reset any simulator."""
        for row, data in enumerate(self.data):
            if data.warning[self._warning].number:
                raise Unstable(
                    f"Simulators: simulator {row} became unstable at {data.time:.2f} s, needs finite "
                    "accelerations. Lower the task's gains or its time step."
                )
