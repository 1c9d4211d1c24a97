"""ONNX Runtime and its execution providers: one target each, present where the installed build has it.

Where nodes were placed is asked of the session itself: a session that lists a provider may still run every
node on the CPU.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.onnx.narrow import from_bytes, is_narrow_type, needs_raw, raw
from isoflop.portability.worker.onnx.reference import identity_model, model_of
from isoflop.portability.worker.onnx.suite import feed_names
from isoflop.portability.worker.onnx.values import TEXT, dtype_name, is_narrow, leaves
from isoflop.portability.worker.ready import Ready

_CPU = "CPUExecutionProvider"
_RECORD_PLACEMENT = "session.record_ep_graph_assignment_info"
_NO_CPU = "session.disable_cpu_ep_fallback"
_SILENT = 4
"""ONNX Runtime's own log is kept to what stops it: the text is in the exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxRuntime:
    """ONNX Runtime with one execution provider.

    Parameters
    ----------
    id : str
    providers : tuple of str
        Execution providers that stand for the target; the first one that the build has is used.
    memory : str
        Where inputs and outputs lie, as ONNX Runtime calls it: ``cpu``, ``cuda``, ``dml``.
    package : str
        Which build has the provider.
    """

    id: str
    providers: tuple[str, ...]
    memory: str
    package: str
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether the installed build has the execution provider, and whether it starts."""
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            return Absent(reason=f"{error.name} is not installed in this Python; needs {self.package}")
        version, provider = str(onnxruntime.__version__), self._provider()
        if provider is None:
            has = ", ".join(onnxruntime.get_available_providers())
            return Absent(reason=f"no {self.providers[0]} in onnxruntime {version}, which has {has}")
        if provider != _CPU and not hasattr(
            onnxruntime.InferenceSession, "get_provider_graph_assignment_info"
        ):
            return Absent(reason=f"onnxruntime {version} does not tell where it places nodes")
        try:
            self.null_call()()
        except Exception as error:  # a missing driver may raise anything
            return Absent(reason=f"{provider} does not start: {str(error)[:160]}")
        return Present(
            target_version=version,
            framework_version=str(onnx.__version__),
            device_name=str(onnxruntime.get_device()),
            notes=f"{provider}, 1 thread",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Open a session on the model and move the inputs; raise what ONNX Runtime raises."""
        import onnx

        model = model_of(call)
        session = self._session(model, policy)
        feeds = dict(zip(feed_names(onnx.load_from_string(model)), call.args, strict=True))
        provider = self._provider()

        def left() -> tuple[str, ...]:
            return () if provider == _CPU else _elsewhere(session, provider)

        if _has_narrow(session):
            values = {name: _ort_value(array) for name, array in feeds.items()}
            return Ready(
                run=lambda: session.run_with_ort_values(None, values),
                read=lambda out: leaves([_host_value(value) for value in out]),
                left=left,
            )
        if self.memory == "cpu" or not all(_is_plain(array) for array in feeds.values()):
            return Ready(run=lambda: session.run(None, feeds), read=leaves, left=left)
        return _bound(session, feeds, self.memory, left)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: inference only."""

    def null_call(self) -> Callable[[], None]:
        """Return a run of a model that passes one number on."""
        session = self._session(identity_model().SerializeToString(), "fallback")
        feeds = {"x": np.zeros(1, dtype=np.float32)}

        def null() -> None:
            session.run(None, feeds)

        return null

    def _provider(self) -> str | None:
        import onnxruntime

        available = onnxruntime.get_available_providers()
        return next((name for name in self.providers if name in available), None)

    def _session(self, model: bytes, policy: Policy) -> Any:
        """Open a session; under the strict policy nothing but the target's own provider may take a node."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        provider = self._provider()
        if provider is None:
            # Left to itself ONNX Runtime would drop the missing provider and run everything on the CPU.
            raise RuntimeError(f"{self.id}: this build of onnxruntime has no {self.providers[0]}")
        used = [provider]
        if provider != _CPU:
            options.add_session_config_entry(_RECORD_PLACEMENT, "1")
            if policy == "strict":
                options.add_session_config_entry(_NO_CPU, "1")
            else:
                used.append(_CPU)
        return onnxruntime.InferenceSession(model, options, providers=used)


def cpu() -> OnnxRuntime:
    """Return ONNX Runtime on the CPU."""
    return OnnxRuntime(id="onnx:ort-cpu", providers=(_CPU,), memory="cpu", package="onnxruntime")


def cuda() -> OnnxRuntime:
    """Return ONNX Runtime on an NVIDIA GPU."""
    return OnnxRuntime(
        id="onnx:ort-cuda",
        providers=("CUDAExecutionProvider",),
        memory="cuda",
        package="onnxruntime-gpu",
    )


def tensorrt() -> OnnxRuntime:
    """Return ONNX Runtime through TensorRT."""
    return OnnxRuntime(
        id="onnx:ort-tensorrt",
        providers=("TensorrtExecutionProvider", "NvTensorRTRTXExecutionProvider"),
        memory="cuda",
        package="onnxruntime-gpu and TensorRT",
    )


def rocm() -> OnnxRuntime:
    """Return ONNX Runtime on an AMD GPU."""
    return OnnxRuntime(
        id="onnx:ort-rocm",
        providers=("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
        memory="cpu",
        package="onnxruntime-rocm",
    )


def coreml() -> OnnxRuntime:
    """Return ONNX Runtime through Core ML, on macOS."""
    return OnnxRuntime(
        id="onnx:ort-coreml",
        providers=("CoreMLExecutionProvider",),
        memory="cpu",
        package="onnxruntime on macOS",
    )


def directml() -> OnnxRuntime:
    """Return ONNX Runtime through DirectML, on Windows."""
    return OnnxRuntime(
        id="onnx:ort-directml",
        providers=("DmlExecutionProvider",),
        memory="dml",
        package="onnxruntime-directml on Windows",
    )


def qnn() -> OnnxRuntime:
    """Return ONNX Runtime on a Qualcomm NPU."""
    return OnnxRuntime(
        id="onnx:ort-qnn",
        providers=("QNNExecutionProvider",),
        memory="cpu",
        package="onnxruntime-qnn",
    )


def _bound(
    session: Any, feeds: Mapping[str, np.ndarray], memory: str, left: Callable[[], tuple[str, ...]]
) -> Ready:
    """Return a run whose inputs already lie on the device and whose outputs stay there."""
    import onnxruntime

    binding = session.io_binding()
    for name, array in feeds.items():
        value = onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(array, order="C"), memory, 0)
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name, memory)

    def run() -> Any:
        session.run_with_iobinding(binding)
        return binding

    return Ready(
        run=run,
        read=lambda bound: leaves(bound.copy_outputs_to_cpu(), device=memory),
        wait=lambda bound: bound.synchronize_outputs(),
        left=left,
    )


def _elsewhere(session: Any, provider: str | None) -> tuple[str, ...]:
    """Return the operators that another execution provider took, in order, once each."""
    parts = session.get_provider_graph_assignment_info()
    found = [node.op_type for part in parts if part.ep_name != provider for node in part.get_nodes()]
    return tuple(dict.fromkeys(found))


def _ort_value(array: np.ndarray) -> Any:
    import onnx
    import onnxruntime

    if not needs_raw(array):
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(array, order="C"))
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(raw(array), kind)


def _host_value(value: Any) -> np.ndarray:
    import onnx

    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.element_type())
    if not is_narrow(np.empty(0, dtype=dtype)):
        return np.asarray(value.numpy())
    size = value.tensor_size_in_bytes()
    data = ctypes.string_at(value.data_ptr(), size) if size else b""
    return from_bytes(data, dtype, tuple(value.shape()))


def _has_narrow(session: Any) -> bool:
    return any(is_narrow_type(part.type) for part in (*session.get_inputs(), *session.get_outputs()))


def _is_plain(array: Any) -> bool:
    return isinstance(array, np.ndarray) and not is_narrow(array) and dtype_name(array) != TEXT
