"""tinygrad on the CPU and on GPUs."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

TARGETS: tuple[TargetEntry, ...] = ()
PROVIDERS: tuple[ProviderEntry, ...] = ()
