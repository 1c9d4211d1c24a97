"""Public names that are imported when they are first used, and that win over files of the same name."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def offer(
    package: str, home: Mapping[str, str], *, packages: Collection[str] = (), call: str | None = None
) -> None:
    """Let a package offer names from its modules without importing them.

    Parameters
    ----------
    package : str
        Name of the package, already being imported: its ``__name__``.
    home : mapping
        Public name to the module below the package that holds it.
    packages : collection of str
        Packages below this one that are public as they are.
    call : str, optional
        Name in `home` that calling the package itself means.

    Notes
    -----
    A verb and the file it lives in may share a name: importing ``scaling.fit`` (the file) would replace
    ``scaling.fit`` (the verb), were it not refused here. A package that is a verb (``isoflop.report``) stays
    a module that can be called: ``import isoflop.report.build as b`` needs the module.

    ``dir`` lists what is offered and nothing else, so that completion shows verbs, not files.

    Examples
    --------
    >>> from isoflop import divide
    >>> import isoflop.divide.growth.find
    >>> callable(divide.growth)
    True
    >>> "growth" in dir(divide), "model" in dir(divide)
    (True, False)
    """
    offered = {*home, *packages}

    class Offering(ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name in home:
                return getattr(import_module(f"{package}.{home[name]}"), name)
            if name in packages:
                return import_module(f"{package}.{name}")
            if not name.startswith("_"):
                raise AttributeError(_refusal(package, name, offered), name=name, obj=self)
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=self)

        def __setattr__(self, name: str, value: Any) -> None:
            if not (name in home and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

        def __dir__(self) -> list[str]:
            special = (name for name in vars(self) if name.startswith("__"))
            return sorted({*offered, *special, *vars(self).get("__all__", ())})

    if call is not None:

        def called(self: ModuleType, *values: Any, **settings: Any) -> Any:
            return getattr(self, call)(*values, **settings)

        # set by name: only a module that is a verb may be callable
        type.__setattr__(Offering, "__call__", called)
    sys.modules[package].__class__ = Offering


def _refusal(package: str, name: str, offered: Collection[str]) -> str:
    """Return the message for a name that a package does not offer, with the closest that it does."""
    from difflib import get_close_matches

    near = get_close_matches(name, offered, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"dir({package}) lists what there is."
    return f"{package}: no {name!r} here. {hint}"
