"""tinygrad on the CPU and on GPUs."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.tinygrad"
_CPU = "tinygrad:cpu"

PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="tinygrad_recipes",
        framework="tinygrad",
        home=f"{_HERE}.recipes:recipes",
        needs="tinygrad",
        doc="Own recipes for tinygrad.Tensor and tinygrad.nn.",
    ),
)
TARGETS: tuple[TargetEntry, ...] = tuple(
    TargetEntry(
        id=f"tinygrad:{name}",
        home=f"{_HERE}.run:{home}",
        level="ran",
        needs="tinygrad",
        reference=_CPU,
        doc=doc,
    )
    for name, home, doc in (
        ("cpu", "cpu", "tinygrad on the CPU, planned anew at each call; needs clang."),
        ("jit", "jit", "tinygrad on the CPU through TinyJit; needs clang."),
        ("gpu", "gpu", "tinygrad on the first GPU that it opens, planned anew at each call."),
    )
)
