"""OpenVINO on Intel's and other CPUs, on Intel GPUs and NPUs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.onnx.narrow import from_bytes, needs_raw, raw
from isoflop.portability.worker.onnx.reference import identity_model, model_of
from isoflop.portability.worker.onnx.suite import feed_names
from isoflop.portability.worker.onnx.values import leaves
from isoflop.portability.worker.ready import Ready

_ELEMENT_TYPES = {
    "bf16": "BFLOAT16",
    "f8e4m3": "FLOAT8E4M3FN",
    "f8e5m2": "FLOAT8E5M2",
    "f8e8m0": "FLOAT8E8M0",
    "f4e2m1": "FLOAT4E2M1",
    "i4": "INT4",
    "u4": "UINT4",
    "u2": "UINT2",
}
"""OpenVINO's names of the types that NumPy does not know, and those of ONNX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVino:
    """OpenVINO on one device.

    Parameters
    ----------
    id : str
    device : str
        OpenVINO's own name: ``CPU``, ``GPU``, ``NPU``.
    """

    id: str
    device: str
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether OpenVINO sees the device."""
        try:
            import onnx
            import openvino
        except ImportError as error:
            return Absent(reason=f"{error.name} is not installed in this Python; needs onnx and openvino")
        version = str(openvino.__version__).partition("-")[0]
        core = openvino.Core()
        devices = list(core.available_devices)
        if not any(name.partition(".")[0] == self.device for name in devices):
            seen = ", ".join(devices) or "none"
            return Absent(reason=f"no {self.device} visible to openvino {version}; visible: {seen}")
        return Present(
            target_version=version,
            framework_version=str(onnx.__version__),
            device_name=str(core.get_property(self.device, "FULL_DEVICE_NAME")).strip(),
            notes="f32 inference precision, latency hint" + (", 1 thread" if self.device == "CPU" else ""),
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Read and compile the model; raise what OpenVINO raises."""
        import onnx
        import openvino

        serial = model_of(call)
        core = openvino.Core()
        model = core.read_model(model=serial)
        compiled = core.compile_model(model, self._place(policy), self._settings())
        request = compiled.create_infer_request()
        feeds = dict(zip(feed_names(onnx.load_from_string(serial)), call.args, strict=True))
        held = {port: _tensor(feeds[name], port) for port, name in _named(model, compiled, feeds)}
        ports = list(compiled.outputs)

        def run() -> Any:
            request.infer(held, share_inputs=True)
            return request

        def read(done: Any) -> tuple[Any, ...]:
            return leaves([_array(done.get_tensor(port)) for port in ports], device=self.device.lower())

        def left() -> tuple[str, ...]:
            return () if self.device == "CPU" else _elsewhere(core, model, self.device)

        return Ready(run=run, read=read, left=left)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: inference only."""

    def null_call(self) -> Callable[[], None]:
        """Return a run of a model that passes one number on."""
        import openvino

        core = openvino.Core()
        model = core.read_model(model=identity_model().SerializeToString())
        request = core.compile_model(model, self.device, self._settings()).create_infer_request()
        request.set_input_tensor(openvino.Tensor(np.zeros(1, dtype=np.float32)))

        def null() -> None:
            request.infer()

        return null

    def _place(self, policy: Policy) -> str:
        """Return the device; where falling back is allowed, HETERO gives to the CPU what the device lacks."""
        return self.device if self.device == "CPU" or policy == "strict" else f"HETERO:{self.device},CPU"

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if self.device == "CPU":
            settings["INFERENCE_NUM_THREADS"] = 1
        return settings


def cpu() -> OpenVino:
    """Return OpenVINO on the CPU."""
    return OpenVino(id="onnx:openvino-cpu", device="CPU")


def gpu() -> OpenVino:
    """Return OpenVINO on an Intel GPU."""
    return OpenVino(id="onnx:openvino-gpu", device="GPU")


def npu() -> OpenVino:
    """Return OpenVINO on an Intel NPU."""
    return OpenVino(id="onnx:openvino-npu", device="NPU")


def _tensor(array: Any, port: Any) -> Any:
    import openvino

    if needs_raw(array):
        return openvino.Tensor(raw(array), openvino.Shape(list(array.shape)), port.get_element_type())
    if array.dtype.kind == "O":
        return openvino.Tensor(array.astype(str))
    return openvino.Tensor(np.asarray(array, order="C"))


def _named(model: Any, compiled: Any, feeds: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the compiled model's inputs with the names of what feeds them.

    An input that is passed straight on takes the output's name, in the read model already: it gets the first
    input of the ONNX model that is left over and has its shape. An input that nothing feeds would be read
    uninitialised: that is an error here, not a result.
    """
    found = [next((name for name in feeds if name in port.get_names()), None) for port in model.inputs]
    left = [name for name in feeds if name not in found]
    for i, port in enumerate(model.inputs):
        if found[i] is None:
            found[i] = next((name for name in left if _fits(port, feeds[name])), None)
            left = [name for name in left if name != found[i]]
    if len(found) != len(compiled.inputs) or None in found:
        raise RuntimeError(f"OpenVINO's model has inputs {found} for {sorted(feeds)}")
    return [(port, name) for port, name in zip(compiled.inputs, found, strict=True) if name is not None]


def _fits(port: Any, array: Any) -> bool:
    import openvino

    shape = openvino.PartialShape(list(np.shape(array)))
    return bool(port.get_partial_shape().compatible(shape))


def _array(tensor: Any) -> np.ndarray:
    """Return a copy: a view does not keep OpenVINO's memory alive."""
    kind = tensor.element_type.get_type_name()
    if kind == "string":
        return np.array(tensor.str_data)
    if kind not in _ELEMENT_TYPES:
        return np.array(tensor.data)
    import onnx

    dtype = onnx.helper.tensor_dtype_to_np_dtype(getattr(onnx.TensorProto, _ELEMENT_TYPES[kind]))
    return from_bytes(tensor.data.tobytes(), dtype, tuple(tensor.shape))


def _elsewhere(core: Any, model: Any, device: str) -> tuple[str, ...]:
    """Return the types of the operations that the device does not take, in order, once each."""
    taken = core.query_model(model, device)
    operations = (node for node in model.get_ordered_ops() if node.get_type_name() not in _NO_WORK)
    found = [node.get_type_name() for node in operations if node.get_friendly_name() not in taken]
    return tuple(dict.fromkeys(found))


_NO_WORK = frozenset({"Parameter", "Result", "Constant"})
