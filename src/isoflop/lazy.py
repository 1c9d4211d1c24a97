"""Public names that are imported when they are first used, and that win over files of the same name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def offer(package: str, home: Mapping[str, str]) -> None:
    """Let a package offer names from its modules without importing them.

    Parameters
    ----------
    package : str
        Name of the package, already being imported: its ``__name__``.
    home : mapping
        Public name to the module below the package that holds it.

    Notes
    -----
    A verb and the file it lives in may share a name: importing ``scaling.fit`` (the file) would replace
    ``scaling.fit`` (the verb), were it not refused here.

    Examples
    --------
    >>> from isoflop import divide
    >>> import isoflop.divide.growth.find
    >>> callable(divide.growth)
    True
    """

    class Offering(ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name in home:
                return getattr(import_module(f"{package}.{home[name]}"), name)
            raise AttributeError(f"module {package!r} has no attribute {name!r}")

        def __setattr__(self, name: str, value: Any) -> None:
            if not (name in home and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

    sys.modules[package].__class__ = Offering
