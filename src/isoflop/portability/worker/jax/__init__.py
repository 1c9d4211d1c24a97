"""JAX: what runs here, and what can be lowered for hardware that is not here."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

TARGETS: tuple[TargetEntry, ...] = ()
PROVIDERS: tuple[ProviderEntry, ...] = ()
