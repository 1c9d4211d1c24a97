"""A user's script, watched while it runs: what it calls, with which shapes; and those calls made again."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HOME = "isoflop.portability.worker.trace.provider"

TARGETS: tuple[TargetEntry, ...] = ()
PROVIDERS: tuple[ProviderEntry, ...] = tuple(
    ProviderEntry(
        name=f"{framework}-trace",
        framework=framework,
        home=f"{_HOME}:{framework}_trace",
        needs=needs,
        doc="Calls of a script, from isoflop portability trace.",
        default=False,
    )
    for framework, needs in (("torch", "torch"), ("jax", "jax"), ("tensorflow", "tensorflow"))
)
