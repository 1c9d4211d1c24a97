"""JAX: what runs here, and what can be lowered for hardware that is not here."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.jax"
_EAGER = "jax:eager"

PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="jax_harness",
        framework="jax",
        home=f"{_HERE}.harness:harnesses",
        needs="jax absl-py",
        doc="Harnesses of JAX's own primitives, a spread of each group; inside the jax wheel.",
    ),
    ProviderEntry(
        name="jax_recipes",
        framework="jax",
        home=f"{_HERE}.recipes:recipes",
        needs="jax",
        doc="Own recipes for jax.numpy, jax.nn, jax.lax, jax.scipy, jax.random and others.",
    ),
)

TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id=_EAGER,
        home=f"{_HERE}.run:eager",
        level="ran",
        needs="jax",
        reference=_EAGER,
        doc="JAX on the CPU, operation by operation.",
    ),
    TargetEntry(
        id="jax:jit",
        home=f"{_HERE}.run:jit",
        level="ran",
        needs="jax",
        reference=_EAGER,
        doc="JAX on the CPU, compiled by XLA as one program.",
    ),
    *(
        TargetEntry(
            id=f"jax:{name}",
            home=f"{_HERE}.run:{name}",
            level="ran",
            needs=needs,
            reference=_EAGER,
            doc=doc,
        )
        for name, needs, doc in (
            ("gpu", "jax[cuda12]", "JAX on a GPU, compiled by XLA as one program."),
            ("tpu", "jax[tpu]", "JAX on a TPU, compiled by XLA as one program."),
        )
    ),
    *(
        TargetEntry(
            id=f"jax:lower-{platform}",
            home=f"{_HERE}.lower:{platform}",
            level="lowered",
            needs="jax",
            reference=_EAGER,
            doc=f"Lowered for {platform} without that hardware: is there a rule for each operation?",
        )
        for platform in ("cpu", "cuda", "tpu", "rocm")
    ),
)
