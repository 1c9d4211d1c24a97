"""PyTorch functions exported to runtimes that know nothing of PyTorch: ONNX Runtime and OpenVINO.

An export takes tensors alone: whatever else a call has becomes part of the graph. The runtimes are those of
the ONNX tests; here they get what PyTorch's own exporter, or OpenVINO's own reader of PyTorch, makes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Leaf, Prepared, Present
from isoflop.portability.worker.onnx import openvino as openvino_targets
from isoflop.portability.worker.onnx import runtime
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.torch.eager import load, not_installed
from isoflop.portability.worker.torch.placed import on
from isoflop.portability.worker.torch.values import dtype_name, leaves, mapped, tensors


class OnnxRuntime:
    """``torch.onnx.export``, then ONNX Runtime on the CPU."""

    id = "torch:onnxruntime"
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether torch can export and ONNX Runtime can run."""
        try:
            torch = load()
            import onnxscript
        except ImportError as error:
            return not_installed(error)
        found = runtime.cpu().detect()
        if isinstance(found, Absent):
            return found
        return Present(
            target_version=found.target_version,
            framework_version=str(torch.__version__),
            device_name=found.device_name,
            notes=f"{found.notes}; onnx {found.framework_version}, onnxscript {onnxscript.__version__}",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Export the call and open a session on it."""
        torch = load()
        module, flat = graph_of(call)
        with quiet(), first_cause():
            program = torch.onnx.export(module, flat, dynamo=True, verbose=False)
        model = program.model_proto.SerializeToString()
        kinds = [dtype_name(value.dtype) for value in _ends(program.exported_program)]
        fed = Call(framework="onnx", function=module, args=tuple(host(one) for one in flat), model=model)
        ready = runtime.cpu().prepare(fed, policy)
        return Ready(run=ready.call, read=lambda out: typed(ready.fetch(out), kinds), wait=ready.sync)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: inference only."""

    def null_call(self) -> Callable[[], None]:
        """Return a run of a model that passes one number on."""
        return runtime.cpu().null_call()


class OpenVino:
    """``torch.export``, then OpenVINO on the CPU."""

    id = "torch:openvino"
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether OpenVINO can read and run what torch exports."""
        try:
            torch = load()
        except ImportError as error:
            return not_installed(error)
        found = openvino_targets.cpu().detect()
        if isinstance(found, Absent):
            return found
        return Present(
            target_version=found.target_version,
            framework_version=str(torch.__version__),
            device_name=found.device_name,
            notes=found.notes,
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Export the call, let OpenVINO read and compile it."""
        torch = load()
        import openvino

        module, flat = graph_of(call)
        with quiet(), first_cause():
            program = torch.export.export(module, flat)
            model = openvino.convert_model(program)
        kinds = [dtype_name(value.dtype) for value in _ends(program)]
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": 1,
        }
        request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
        feeds = [host(one) for one in flat]

        def run() -> list[np.ndarray]:
            found = request.infer(feeds, share_inputs=True)
            return [np.array(found[i]) for i in range(len(found))]

        return Ready(run=run, read=lambda out: typed(leaves([torch.from_numpy(one) for one in out]), kinds))

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: inference only."""

    def null_call(self) -> Callable[[], None]:
        """Return a run of a model that passes one number on."""
        return openvino_targets.cpu().null_call()


def graph_of(call: Call) -> tuple[Any, tuple[Any, ...]]:
    """Return a module of a call that takes its tensors alone, and the tensors."""
    torch = load()
    at = on(call)
    flat = tuple(tensors((at.args, at.kwargs)))

    class Graph(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = at.function

        def forward(self, *given: Any) -> Any:
            rest = iter(given)
            args, kwargs = mapped(
                (at.args, at.kwargs), lambda part: next(rest) if isinstance(part, torch.Tensor) else part
            )
            return self.inner(*args, **kwargs)

    return Graph().eval() if not getattr(at.function, "training", False) else Graph(), flat


def host(tensor: Any) -> np.ndarray:
    """Return a tensor as an array; a complex one as its real and imaginary parts along a last axis."""
    import torch

    plain = tensor.detach().resolve_conj().resolve_neg()
    return np.array((torch.view_as_real(plain) if plain.is_complex() else plain).numpy())


def typed(found: tuple[Leaf, ...], kinds: list[str]) -> tuple[Leaf, ...]:
    """Return outputs with complex ones put together from their real and imaginary parts."""
    if len(found) != len(kinds):
        return found
    return tuple(_complex(leaf, kind) for leaf, kind in zip(found, kinds, strict=True))


def _complex(leaf: Leaf, kind: str) -> Leaf:
    array = leaf.array
    if not kind.startswith("complex") or array is None or array.dtype.kind == "c" or array.shape[-1:] != (2,):
        return leaf
    joined = (array[..., 0] + 1j * array[..., 1]).astype(kind)
    return Leaf(array=joined, dtype=kind, shape=joined.shape, device=leaf.device)


def _ends(program: Any) -> list[Any]:
    """Return the tensors that stand for an exported program's outputs."""
    import torch

    named = program.graph_signature.user_outputs
    held = {node.name: node.meta.get("val") for node in program.graph.nodes}
    found = [held.get(name) if isinstance(name, str) else None for name in named]
    return [value if isinstance(value, torch.Tensor) else torch.empty(0) for value in found]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep exporters from talking: what matters is in the exception."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextmanager
def first_cause() -> Iterator[None]:
    """Raise the error that stopped an exporter instead of its report of how far it came."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if cause is error:
            raise
        raise cause from None
