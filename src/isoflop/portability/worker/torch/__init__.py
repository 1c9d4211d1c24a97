"""PyTorch: eager and compiled targets, and what its functions can be exported to."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

TARGETS: tuple[TargetEntry, ...] = ()
PROVIDERS: tuple[ProviderEntry, ...] = ()
