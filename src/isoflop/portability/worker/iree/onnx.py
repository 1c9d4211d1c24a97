"""ONNX models through IREE's compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Artefact, Call, Prepared, Present
from isoflop.portability.worker.iree import BACKENDS
from isoflop.portability.worker.iree.compiler import Backend, compile_text, missing, version
from isoflop.portability.worker.onnx.reference import model_of
from isoflop.portability.worker.ready import compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class IreeOnnx:
    """ONNX models for one of IREE's backends, compiled and not run."""

    id: str
    backend: Backend
    level: Level = "compiled"

    def detect(self) -> Present | Absent:
        """Say whether the compiler is here and has the backend."""
        try:
            import onnx
        except ImportError:
            return Absent(reason="onnx is not installed in this Python")
        found = version()
        if isinstance(found, Absent):
            return found
        try:
            from iree.compiler.extras import onnx_importer  # noqa: F401
        except ImportError as error:
            return Absent(reason=f"IREE's ONNX importer cannot be imported: {error}")
        return missing(self.backend.name) or Present(
            target_version=found,
            framework_version=str(onnx.__version__),
            device_name=f"{self.backend.name} {self.backend.chosen}".strip(),
            notes="compiled for it, not run",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Import and compile the model; raise what the importer or the compiler says."""
        size = compile_text(_imported(model_of(call)), kind="onnx", backend=self.backend)
        return compiled(Artefact(size_byte=size))

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: a test asks for no gradients."""

    def null_call(self) -> Callable[[], None]:
        """Return what does nothing: nothing is ever called."""
        return lambda: None


def _target(name: str, architecture: str = "") -> IreeOnnx:
    return IreeOnnx(id=f"onnx:iree-{name}", backend=Backend(name, architecture))


llvm_cpu, vmvx, vulkan_spirv, cuda, rocm, metal_spirv = (partial(_target, name) for name in BACKENDS)


def _imported(serial: bytes) -> Any:
    """Return a model as MLIR text, with the shapes that ONNX infers."""
    import onnx
    from iree.compiler import ir
    from iree.compiler.extras import onnx_importer

    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(serial))
    with ir.Context() as context:
        about = onnx_importer.ModelInfo(model)
        module = about.create_module(context=context).operation
        onnx_importer.NodeImporter.define_function(about.main_graph, module).import_all()
        module.verify()
        return str(module.get_asm())
