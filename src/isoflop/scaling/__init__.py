"""How much better does more buy, how sure is that, and what to train next?

Evidence first, settings after: ``fit(select(load("scaling_runs")))``. The verbs for one's own runs come
first, then those for other people's studies; each is imported when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.scaling.design.find import design
    from isoflop.scaling.fit import fit
    from isoflop.scaling.frontier.find import frontier
    from isoflop.scaling.influence.find import influence
    from isoflop.scaling.laws import LAWS
    from isoflop.scaling.runs import select
    from isoflop.scaling.settings import LAD, Gaussian, Huber, StudentT

_HOME = {
    "select": "runs",
    "fit": "fit",
    "frontier": "frontier.find",
    "influence": "influence.find",
    "design": "design.find",
    "LAWS": "laws",
    "Gaussian": "settings",
    "Huber": "settings",
    "LAD": "settings",
    "StudentT": "settings",
}

__all__ = [
    "LAD",
    "LAWS",
    "Gaussian",
    "Huber",
    "StudentT",
    "design",
    "fit",
    "frontier",
    "influence",
    "select",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"isoflop.scaling.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Verbs(ModuleType):
    """The package, where a verb wins over the submodule of the same name.

    Importing ``scaling.fit`` (the file) would otherwise replace ``scaling.fit`` (the verb).
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Verbs
