"""MLX on the CPU, on Apple GPUs through Metal, and on NVIDIA GPUs."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.mlx"
_CPU = "mlx:cpu"

PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="mlx_recipes",
        framework="mlx",
        home=f"{_HERE}.recipes:recipes",
        needs="mlx",
        doc="Own recipes for mlx.core, its linalg, fft, random and fast, and mlx.nn.",
    ),
)
TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id=_CPU,
        home=f"{_HERE}.run:cpu",
        level="ran",
        needs="mlx",
        reference=_CPU,
        doc="MLX on the CPU, each call evaluated at once.",
    ),
    TargetEntry(
        id="mlx:compile",
        home=f"{_HERE}.run:compiled",
        level="ran",
        needs="mlx",
        reference=_CPU,
        doc="MLX on the CPU through mlx.core.compile; needs a C++ compiler.",
    ),
    *(
        TargetEntry(
            id=f"mlx:{name}",
            home=f"{_HERE}.run:{name}",
            level="ran",
            needs=needs,
            reference=_CPU,
            doc=doc,
        )
        for name, needs, doc in (
            ("metal", "mlx", "MLX on an Apple GPU."),
            ("cuda", "mlx[cuda]", "MLX on an NVIDIA GPU."),
        )
    ),
)
