"""tinygrad run here: on the CPU, compiled as a whole, or on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.tinygrad.device import GPUS, Device, find, leaves, load, present, tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyGrad:
    """tinygrad on the first of some devices that opens; it never moves work elsewhere by itself.

    Parameters
    ----------
    id : str
    devices : tuple of str
    compiled : bool
        Whether the function goes through TinyJit, which replays the kernels of the second call.
    """

    id: str
    devices: tuple[str, ...]
    compiled: bool = False
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether tinygrad opens one of the devices."""
        found = find(self.devices)
        return found if isinstance(found, Absent) else present(found)

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Move the inputs."""
        return self._ready(call.function, call.args)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Return the gradients with respect to all floating inputs, or None where there are none."""
        places = [i for i, arg in enumerate(call.args) if _is_floating(arg)]
        outputs = (
            [part for part in tensors(call.function(*call.args)) if _is_floating(part)] if places else []
        )
        if not outputs:
            return None

        def gradients(*args: Any) -> Any:
            floats = [part for part in tensors(call.function(*args)) if _is_floating(part)]
            total = sum((part.sum() for part in floats[1:]), start=floats[0].sum())
            return total.gradient(*(args[i] for i in places))

        return self._ready(gradients, call.args)

    def null_call(self) -> Callable[[], None]:
        """Return a synchronised negation of one number."""
        tinygrad = load()
        ready = self._ready(tinygrad.Tensor.neg, (tinygrad.Tensor([0.0], device="CPU"),))

        def null() -> None:
            ready.sync(ready.call())

        return null

    def _ready(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Ready:
        device = self._device()
        placed = tuple(arg.to(device.name).realize() if hasattr(arg, "realize") else arg for arg in args)
        called = _compiled(function, device) if self.compiled else function

        def run() -> Any:
            with device.chosen():
                return called(*placed)

        return Ready(run=run, read=leaves, wait=device.wait)

    def _device(self) -> Device:
        found = find(self.devices)
        if isinstance(found, Absent):
            raise RuntimeError(f"{self.id}: {found.reason}")
        return found


def cpu() -> TinyGrad:
    """Return tinygrad on the CPU."""
    return TinyGrad(id="tinygrad:cpu", devices=("CPU",))


def jit() -> TinyGrad:
    """Return tinygrad on the CPU through TinyJit."""
    return TinyGrad(id="tinygrad:jit", devices=("CPU",), compiled=True)


def gpu() -> TinyGrad:
    """Return tinygrad on a GPU."""
    return TinyGrad(id="tinygrad:gpu", devices=GPUS)


def _compiled(function: Callable[..., Any], device: Device) -> Callable[..., Any]:
    """Return a function through TinyJit, whose outputs must be computed before it returns."""

    def computed(*args: Any) -> Any:
        value = function(*args)
        device.wait(value)
        return value

    compiled: Callable[..., Any] = load().TinyJit(computed)
    return compiled


def _is_floating(value: Any) -> bool:
    return hasattr(value, "realize") and bool(value.is_floating_point())
