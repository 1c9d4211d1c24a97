"""How fast do algorithms make compute go further?

Evidence first, settings after: `select` the rows, `fit` a law to them, then `decompose` or `gain`:

>>> from isoflop import evidence, progress
>>> sample = progress.select(evidence.load("language_evaluations"))
>>> matched = progress.match(sample, flop="all")

Twelve verbs, then further analyses and the settings they take; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.progress.capability.stitching import stitch
    from isoflop.progress.capability.trend import trend
    from isoflop.progress.fit import fit
    from isoflop.progress.gains.chinchilla import chinchilla_gain
    from isoflop.progress.gains.decompose import decompose
    from isoflop.progress.gains.gain import gain
    from isoflop.progress.gains.transformer_gain import transformer_gain
    from isoflop.progress.match import match
    from isoflop.progress.robustness.aggregate import aggregate
    from isoflop.progress.robustness.check import check
    from isoflop.progress.robustness.compare import compare
    from isoflop.progress.robustness.diagnostics import diagnose
    from isoflop.progress.robustness.random_effects import random_effects
    from isoflop.progress.robustness.sweep import sweep
    from isoflop.progress.sample import OWN_RULES, PAPER_RULES, Rules, select
    from isoflop.progress.settings import L1, Profile, Starts
    from isoflop.progress.uncertainty.rate_profile import profile_rate

_HOME = {
    "select": "sample",
    "fit": "fit",
    "compare": "robustness.compare",
    "sweep": "robustness.sweep",
    "aggregate": "robustness.aggregate",
    "decompose": "gains.decompose",
    "gain": "gains.gain",
    "chinchilla_gain": "gains.chinchilla",
    "match": "match",
    "check": "robustness.check",
    "stitch": "capability.stitching",
    "trend": "capability.trend",
    "diagnose": "robustness.diagnostics",
    "profile_rate": "uncertainty.rate_profile",
    "random_effects": "robustness.random_effects",
    "transformer_gain": "gains.transformer_gain",
    "L1": "settings",
    "Profile": "settings",
    "Starts": "settings",
    "OWN_RULES": "sample",
    "PAPER_RULES": "sample",
    "Rules": "sample",
}

__all__ = [
    "L1",
    "OWN_RULES",
    "PAPER_RULES",
    "Profile",
    "Rules",
    "Starts",
    "aggregate",
    "check",
    "chinchilla_gain",
    "compare",
    "decompose",
    "diagnose",
    "fit",
    "gain",
    "match",
    "profile_rate",
    "random_effects",
    "select",
    "stitch",
    "sweep",
    "transformer_gain",
    "trend",
]

offer(__name__, _HOME)
