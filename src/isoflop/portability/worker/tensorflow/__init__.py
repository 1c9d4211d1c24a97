"""TensorFlow: eager, graph and XLA."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

TARGETS: tuple[TargetEntry, ...] = ()
PROVIDERS: tuple[ProviderEntry, ...] = ()
