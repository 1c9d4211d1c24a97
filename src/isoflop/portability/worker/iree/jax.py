"""JAX functions through IREE's compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Artefact, Call, Prepared, Present
from isoflop.portability.worker.iree import BACKENDS
from isoflop.portability.worker.iree.compiler import Backend, compile_text, missing, version
from isoflop.portability.worker.jax.values import flags
from isoflop.portability.worker.ready import compiled

_NEUTRAL = "iree"
"""A platform for which JAX knows no rules of its own, so that only rules for every platform are used: the
rules for CPUs and GPUs call libraries that IREE does not link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IreeJax:
    """JAX functions for one of IREE's backends, compiled and not run.

    A failure may be IREE's or that of JAX without a vendor's libraries; it is not that of JAX with XLA on the
    same hardware.
    """

    id: str
    backend: Backend
    level: Level = "compiled"

    def detect(self) -> Present | Absent:
        """Say whether JAX and the compiler are here, and whether it has the backend."""
        try:
            import jax
        except ImportError:
            return Absent(reason="jax is not installed in this Python")
        found = version()
        if isinstance(found, Absent):
            return found
        return missing(self.backend.name) or Present(
            target_version=found,
            framework_version=str(jax.__version__),
            device_name=f"{self.backend.name} {self.backend.chosen}".strip(),
            notes="compiled for it, not run; not XLA's compiler",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Lower and compile the function; raise what JAX or the compiler says."""
        import jax

        with flags(call):
            shapes = jax.tree_util.tree_map(_shape, call.args)
            lowered = jax.jit(call.function).trace(*shapes).lower(lowering_platforms=(_NEUTRAL,))
            text = str(lowered.as_text())
        size = compile_text(text, kind="stablehlo", backend=self.backend)
        return compiled(Artefact(size_byte=size))

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: there are no values to compare."""

    def null_call(self) -> Callable[[], None]:
        """Return what does nothing: nothing is ever called."""
        return lambda: None


def _target(name: str, architecture: str = "") -> IreeJax:
    return IreeJax(id=f"jax:iree-{name}", backend=Backend(name, architecture))


llvm_cpu, vmvx, vulkan_spirv, cuda, rocm, metal_spirv = (partial(_target, name) for name in BACKENDS)


def _shape(arg: Any) -> Any:
    import jax

    array = arg if isinstance(arg, jax.Array) else jax.numpy.asarray(arg)
    return jax.ShapeDtypeStruct(array.shape, array.dtype)
