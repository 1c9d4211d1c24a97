"""MLX run here: on the CPU, or on a GPU where there is one."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Leaf, Prepared, Present
from isoflop.portability.worker.ready import Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlx:
    """MLX on one device.

    MLX never moves work to another device by itself: what a GPU lacks is refused, whatever the policy.

    Parameters
    ----------
    id : str
    backend : str
        ``cpu``, ``metal`` or ``cuda``.
    compiled : bool
        Whether the function goes through ``mlx.core.compile``.
    """

    id: str
    backend: str
    compiled: bool = False
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether MLX has the device."""
        try:
            import mlx.core as mx
        except ImportError as error:
            return Absent(reason=f"mlx cannot be imported: {error}")
        version = str(mx.__version__)
        if self.backend != "cpu" and not getattr(mx, self.backend).is_available():
            return Absent(reason=f"no {self.backend} device visible to mlx {version}")
        if self.compiled and shutil.which("g++") is None and shutil.which("c++") is None:
            return Absent(reason="g++ not found")
        name = platform.processor() or platform.machine()
        about = mx.device_info(self._device()) if self.backend != "cpu" else {"device_name": name}
        return Present(
            target_version=version,
            framework_version=version,
            device_name=str(about.get("device_name", self.backend)),
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Place the inputs; MLX shares memory between devices where they share it."""
        return self._ready(call.function, call.args)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Return the gradients with respect to all floating inputs, or None where there are none."""
        import mlx.core as mx

        places = [i for i, arg in enumerate(call.args) if _is_floating(arg)]
        with mx.stream(self._device()):
            outputs = _arrays(call.function(*call.args)) if places else []
        if not any(_is_floating(output) for output in outputs):
            return None

        def total(*args: Any) -> Any:
            floats = [part for part in _arrays(call.function(*args)) if _is_floating(part)]
            return sum((mx.sum(mx.real(part)) for part in floats), start=mx.array(0.0))

        return self._ready(mx.grad(total, argnums=places), call.args)

    def null_call(self) -> Callable[[], None]:
        """Return a synchronised negation of one number."""
        import mlx.core as mx

        ready = self._ready(mx.negative, (mx.array(0.0),))

        def null() -> None:
            ready.sync(ready.call())

        return null

    def _device(self) -> Any:
        import mlx.core as mx

        return mx.Device(mx.cpu if self.backend == "cpu" else mx.gpu)

    def _ready(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Ready:
        import mlx.core as mx

        device = self._device()
        mx.eval(*args)
        called = mx.compile(function) if self.compiled else function

        def run() -> Any:
            with mx.stream(device):
                return called(*args)

        def wait(value: Any) -> None:
            # MLX plans lazily: what was never evaluated was never computed.
            mx.eval(*_arrays(value))
            mx.synchronize(mx.default_stream(device))

        return Ready(run=run, read=lambda value: _leaves(value, self.backend), wait=wait)


def cpu() -> Mlx:
    """Return MLX on the CPU."""
    return Mlx(id="mlx:cpu", backend="cpu")


def compiled() -> Mlx:
    """Return MLX on the CPU, compiled."""
    return Mlx(id="mlx:compile", backend="cpu", compiled=True)


def metal() -> Mlx:
    """Return MLX on an Apple GPU."""
    return Mlx(id="mlx:metal", backend="metal")


def cuda() -> Mlx:
    """Return MLX on an NVIDIA GPU."""
    return Mlx(id="mlx:cuda", backend="cuda")


def _arrays(value: Any) -> list[Any]:
    """Return the arrays of nested outputs, in order."""
    import mlx.core as mx

    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in _arrays(part)]
    return [value] if isinstance(value, mx.array) else []


def _leaves(value: Any, device: str) -> tuple[Leaf, ...]:
    return tuple(_leaf(array, device) for array in _arrays(value))


def _leaf(array: Any, device: str) -> Leaf:
    import mlx.core as mx

    name = str(array.dtype).rpartition(".")[2].rstrip("_")
    if name == "bfloat16":
        array = array.astype(mx.float32)
    return Leaf(array=np.array(array), dtype=name, shape=tuple(array.shape), device=device)


def _is_floating(value: Any) -> bool:
    import mlx.core as mx

    return isinstance(value, mx.array) and bool(mx.issubdtype(value.dtype, mx.inexact))
