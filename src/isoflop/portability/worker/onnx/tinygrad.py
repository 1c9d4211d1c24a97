"""tinygrad's own reader of ONNX models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.onnx.narrow import needs_raw
from isoflop.portability.worker.onnx.reference import identity_model, model_of
from isoflop.portability.worker.onnx.suite import feed_names
from isoflop.portability.worker.onnx.values import TEXT, dtype_name
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.tinygrad.device import GPUS, Device, find, leaves, load, present


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyGrad:
    """ONNX models in tinygrad, on the first of some devices that opens.

    Kernels are compiled once; the plan of a call is made anew in Python each time, as in plain use.
    """

    id: str
    devices: tuple[str, ...]
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether tinygrad opens one of the devices."""
        try:
            import onnx
        except ImportError:
            return Absent(reason="onnx is not installed in this Python")
        found = find(self.devices)
        if isinstance(found, Absent):
            return found
        here = present(found)
        return Present(
            target_version=here.target_version,
            framework_version=str(onnx.__version__),
            device_name=here.device_name,
            notes=here.notes,
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Read the model and move the inputs."""
        import onnx

        device = self._device()
        serial = model_of(call)
        runner = _runner(serial, device)
        names = feed_names(onnx.load_from_string(serial))
        feeds = {name: _moved(device, value) for name, value in zip(names, call.args, strict=True)}

        def run() -> Any:
            with device.chosen():
                return runner(feeds)

        return Ready(run=run, read=leaves, wait=device.wait)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: a test asks for no gradients."""

    def null_call(self) -> Callable[[], None]:
        """Return a run of a model that passes one number on."""
        device = self._device()
        runner = _runner(identity_model().SerializeToString(), device)
        feeds = {"x": device.tensor(np.zeros(1, dtype=np.float32))}

        def null() -> None:
            device.wait(runner(feeds))

        return null

    def _device(self) -> Device:
        found = find(self.devices)
        if isinstance(found, Absent):
            raise RuntimeError(f"{self.id}: {found.reason}")
        return found


def cpu() -> TinyGrad:
    """Return tinygrad on the CPU."""
    return TinyGrad(id="onnx:tinygrad-cpu", devices=("CPU",))


def gpu() -> TinyGrad:
    """Return tinygrad on a GPU."""
    return TinyGrad(id="onnx:tinygrad-gpu", devices=GPUS)


def _runner(serial: bytes, device: Device) -> Any:
    from tinygrad.nn.onnx import OnnxRunner

    tinygrad = load()
    runner = OnnxRunner(tinygrad.Tensor(serial, device="CPU"))
    return runner.to(device.name)


def _moved(device: Device, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_moved(device, part) for part in value]
    if dtype_name(value) == TEXT or (needs_raw(value) and dtype_name(value) != "bfloat16"):
        raise NotImplementedError(f"tinygrad has no tensor of {dtype_name(value)} for ONNX models")
    return device.tensor(value)
