"""Targets of known behaviour, on NumPy alone: the negative controls of every run."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.fake"

TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id="fake:plain",
        home=f"{_HERE}.targets:Plain",
        level="ran",
        reference="fake:plain",
        doc="NumPy on this computer: the reference of the negative controls.",
    ),
)
PROVIDERS: tuple[ProviderEntry, ...] = ()
