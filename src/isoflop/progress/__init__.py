"""How fast do algorithms make compute go further?

Evidence first, settings after: ``fit(select(load("language_evaluations")))``. Verbs and result
types are imported when they are first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.progress.aggregate import aggregate
    from isoflop.progress.check import check
    from isoflop.progress.decompose import decompose
    from isoflop.progress.diagnostics import diagnose
    from isoflop.progress.fit import fit
    from isoflop.progress.gain import gain
    from isoflop.progress.random_effects import random_effects
    from isoflop.progress.rate_profile import profile_rate
    from isoflop.progress.sample import OWN_RULES, PAPER_RULES, Rules, Sample, select
    from isoflop.progress.settings import L1, Profile, Starts
    from isoflop.progress.sweep import sensitivity_map, sweep
    from isoflop.progress.systems import System
    from isoflop.progress.transformer_gain import transformer_gain

_HOME = {
    "aggregate": "aggregate",
    "check": "check",
    "diagnose": "diagnostics",
    "profile_rate": "rate_profile",
    "random_effects": "random_effects",
    "sensitivity_map": "sweep",
    "sweep": "sweep",
    "Profile": "settings",
    "decompose": "decompose",
    "fit": "fit",
    "gain": "gain",
    "select": "sample",
    "Rules": "sample",
    "Sample": "sample",
    "OWN_RULES": "sample",
    "PAPER_RULES": "sample",
    "L1": "settings",
    "Starts": "settings",
    "System": "systems",
    "transformer_gain": "transformer_gain",
}

__all__ = [
    "L1",
    "OWN_RULES",
    "PAPER_RULES",
    "Profile",
    "Rules",
    "Sample",
    "Starts",
    "System",
    "aggregate",
    "check",
    "decompose",
    "diagnose",
    "fit",
    "gain",
    "profile_rate",
    "random_effects",
    "select",
    "sensitivity_map",
    "sweep",
    "transformer_gain",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"isoflop.progress.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Verbs(ModuleType):
    """The package, where a verb wins over the submodule of the same name.

    Importing ``progress.fit`` (the file) would otherwise replace ``progress.fit`` (the verb).
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Verbs
