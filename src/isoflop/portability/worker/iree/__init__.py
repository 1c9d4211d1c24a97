"""IREE as a compiler for hardware that is not here: what it accepts, it turned into that device's code.

Level ``compiled``: nothing is run, so nothing is said about numbers, speed or memory.
"""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.iree"
BACKENDS = ("llvm-cpu", "vmvx", "vulkan-spirv", "cuda", "rocm", "metal-spirv")
"""IREE's names of what it compiles for; an architecture may follow in brackets: ``jax:iree-cuda(sm_90)``."""

PROVIDERS: tuple[ProviderEntry, ...] = ()
TARGETS: tuple[TargetEntry, ...] = (
    *(
        TargetEntry(
            id=f"onnx:iree-{backend}",
            home=f"{_HERE}.onnx:{backend.replace('-', '_')}",
            level="compiled",
            needs="onnx iree-base-compiler",
            reference="onnx:reference",
            doc=f"The ONNX model through IREE's compiler for {backend}; compiled only.",
        )
        for backend in BACKENDS
    ),
    *(
        TargetEntry(
            id=f"jax:iree-{backend}",
            home=f"{_HERE}.jax:{backend.replace('-', '_')}",
            level="compiled",
            needs="jax iree-base-compiler",
            reference="jax:eager",
            doc=f"The function's StableHLO through IREE's compiler for {backend}; compiled only.",
        )
        for backend in BACKENDS
    ),
)
