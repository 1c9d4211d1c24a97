"""JAX run here: operation by operation, or compiled by XLA; on the CPU, a GPU or a TPU where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Leaf, Prepared, Present
from isoflop.portability.worker.jax.values import differentiable, flags, leaves, total, versions, x64
from isoflop.portability.worker.ready import Ready

_CALLBACK = re.compile(r"custom_call @(\w*(?:callback|hybrid)\w*)")
"""Calls that work on the host's CPU: callbacks, and the hybrid kernels of nonsymmetric eigenvalues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Xla:
    """JAX on one platform.

    Parameters
    ----------
    id : str
    device : str
        JAX's platform, ``cpu``, ``gpu`` or ``tpu``: where outputs must lie.
    compiled : bool
        Whether the whole call is one program.
    """

    id: str
    device: str
    compiled: bool
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether JAX has a device of the platform."""
        try:
            import jax

            devices = jax.devices(self.device)
        except ImportError as error:
            return Absent(reason=f"{error.name} is not installed in this Python")
        except RuntimeError:
            jaxlib, _ = versions()
            return Absent(reason=f"no {self.device.upper()} device visible to jax with jaxlib {jaxlib}")
        target_version, framework_version = versions()
        precision = jax.config.jax_default_matmul_precision or "default"
        return Present(
            target_version=target_version,
            framework_version=framework_version,
            device_name=str(devices[0].device_kind),
            driver=str(getattr(devices[0].client, "platform_version", "")),
            notes=f"jax_enable_x64 only for 64-bit items; matmul precision {precision}",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Move the inputs and compile; raise what JAX raises."""
        return self._ready(call, call.function)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Return the gradients with respect to all floating inputs, or None where there are none."""
        import jax

        with flags(call):
            places = differentiable(call)
        if not places:
            return None
        return self._ready(call, jax.grad(lambda *args: total(call.function(*args)), argnums=places))

    def null_call(self) -> Callable[[], None]:
        """Return a synchronised negation of one number."""
        import jax

        ready = self._ready(
            Call(framework="jax", function=jax.lax.neg, args=(np.zeros((), np.float32),)), jax.lax.neg
        )

        def null() -> None:
            ready.sync(ready.call())

        return null

    def _ready(self, call: Call, function: Callable[..., Any]) -> Ready:
        import jax

        device = jax.devices(self.device)[0]
        with flags(call), jax.default_device(device):
            args = jax.device_put(call.args, device)
            left: tuple[str, ...] = ()
            if self.compiled:
                lowered = jax.jit(function).lower(*args)
                if self.device != "cpu":
                    left = tuple(dict.fromkeys(_CALLBACK.findall(lowered.as_text())))
                function = lowered.compile()

        def in_context() -> Any:
            with flags(call), jax.default_device(device):
                return function(*args)

        def read(value: Any) -> tuple[Leaf, ...]:
            with flags(call):
                return leaves(value)

        # Entering a context costs microseconds: only where the call would differ without it.
        bare = self.compiled or (not x64(call) and jax.default_backend() == self.device)
        return Ready(
            run=(lambda: function(*args)) if bare else in_context,
            read=read,
            wait=jax.block_until_ready,
            left=lambda: left,
        )


def eager() -> Xla:
    """Return JAX on the CPU, operation by operation."""
    return Xla(id="jax:eager", device="cpu", compiled=False)


def jit() -> Xla:
    """Return JAX on the CPU, compiled."""
    return Xla(id="jax:jit", device="cpu", compiled=True)


def gpu() -> Xla:
    """Return JAX on a GPU, compiled."""
    return Xla(id="jax:gpu", device="gpu", compiled=True)


def tpu() -> Xla:
    """Return JAX on a TPU, compiled."""
    return Xla(id="jax:tpu", device="tpu", compiled=True)
