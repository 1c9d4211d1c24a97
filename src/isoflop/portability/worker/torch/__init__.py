"""PyTorch: eager and compiled targets, and what its functions can be exported to."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.torch"
_REFERENCE = "torch:eager"

TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id=_REFERENCE,
        home=f"{_HERE}.eager:Eager",
        level="ran",
        needs="torch",
        reference=_REFERENCE,
        doc="PyTorch on the CPU, one operation after another.",
    ),
    TargetEntry(
        id="torch:meta",
        home=f"{_HERE}.eager:Meta",
        level="traced",
        needs="torch",
        reference=_REFERENCE,
        doc="Shapes and dtypes propagate on tensors without values.",
    ),
)
PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="opinfo",
        framework="torch",
        home=f"{_HERE}.opinfo:OpInfos",
        needs="torch expecttest",
        doc="The operations and sample inputs of PyTorch's own test suite.",
    ),
)
