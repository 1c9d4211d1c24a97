"""JAX lowered for a platform without its hardware: is there a rule for each operation?

A failure is a true failure of this version of JAX on that platform. A success is an upper bound: nothing is
said about the vendor's compiler, memory, speed or numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Artefact, Call, Prepared, Present
from isoflop.portability.worker.jax.values import flags, versions
from isoflop.portability.worker.ready import Ready

_CUSTOM_CALL = re.compile(r"stablehlo.custom_call @([\w.$-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lower:
    """JAX's rules for one platform.

    Parameters
    ----------
    id : str
    platform : str
        As JAX names it: ``cpu``, ``cuda``, ``tpu``, ``rocm``.
    """

    id: str
    platform: str
    level: Level = "lowered"

    def detect(self) -> Present | Absent:
        """Say whether JAX is here; no hardware is needed."""
        try:
            jaxlib, jax_version = versions()
        except ImportError as error:
            return Absent(reason=f"{error.name} is not installed in this Python")
        return Present(
            target_version=jaxlib,
            framework_version=jax_version,
            device_name=f"rules for {self.platform}, no device",
            notes="lowered only: a success is an upper bound on portability",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Lower the call; raise what JAX raises."""
        return self._lowered(call, call.function)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: there are no values to compare."""

    def null_call(self) -> Callable[[], None]:
        """Return nothing to be called: a lowered module does not run."""
        return lambda: None

    def _lowered(self, call: Call, function: Callable[..., Any]) -> Ready:
        import jax

        with flags(call):
            shapes = jax.tree_util.tree_map(_shape, call.args)
            # The text is taken from the lowering itself: an exported module would be refused for custom calls
            # that promise no stability over versions, which says nothing about the platform.
            lowered = jax.jit(function).trace(*shapes).lower(lowering_platforms=(self.platform,))
            text = lowered.as_text()
        return Ready(
            run=lambda: None,
            read=lambda value: (),  # noqa: ARG005
            made=Artefact(
                size_byte=len(text.encode()), custom_calls=tuple(dict.fromkeys(_CUSTOM_CALL.findall(text)))
            ),
        )


def _shape(arg: Any) -> Any:
    import jax

    array = arg if isinstance(arg, jax.Array) else jax.numpy.asarray(arg)
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def cpu() -> Lower:
    """Return the rules for CPUs."""
    return Lower(id="jax:lower-cpu", platform="cpu")


def cuda() -> Lower:
    """Return the rules for NVIDIA GPUs."""
    return Lower(id="jax:lower-cuda", platform="cuda")


def tpu() -> Lower:
    """Return the rules for TPUs."""
    return Lower(id="jax:lower-tpu", platform="tpu")


def rocm() -> Lower:
    """Return the rules for AMD GPUs."""
    return Lower(id="jax:lower-rocm", platform="rocm")
