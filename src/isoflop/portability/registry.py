"""The tables of targets and providers. Nothing of a framework is imported until a worker asks.

A new target is a class with the methods of `isoflop.portability.worker.interface.Target` and one entry in its
framework's folder; a new framework is a folder of `isoflop.portability.worker` and a line here. A package
of somebody else offers entries under the entry-point group ``isoflop.portability``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from isoflop.errors import SettingError, closest
from isoflop.portability.entries import ProviderEntry, TargetEntry
from isoflop.portability.worker import fake, iree, jax, mlx, onnx, tensorflow, tinygrad, torch, trace

_FRAMEWORKS = (torch, jax, tensorflow, onnx, iree, mlx, tinygrad, trace, fake)

TARGETS: dict[str, TargetEntry] = {entry.id: entry for home in _FRAMEWORKS for entry in home.TARGETS}
PROVIDERS: dict[str, ProviderEntry] = {entry.name: entry for home in _FRAMEWORKS for entry in home.PROVIDERS}

GROUP = "isoflop.portability"
"""Entry points of this group name a module, or an object, with ``TARGETS`` and ``PROVIDERS``."""

_ID = re.compile(r"^(?P<name>[a-z0-9_]+:[a-z0-9_.-]+)(?:\((?P<arguments>[^()]*)\))?$", re.IGNORECASE)


@cache
def extend() -> None:
    """Take in the entries that other packages offer; an entry never replaces one of isoflop's own.

    Such a package must be installed both here and in the interpreter of its worker.

    Raises
    ------
    SettingError
        A package's entry point cannot be loaded.
    """
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        try:
            home: Any = point.load()
            targets, providers = tuple(home.TARGETS), tuple(home.PROVIDERS)
        except Exception as error:
            raise SettingError(
                f"targets: entry point {point.name!r} of {GROUP} cannot be loaded ({error}); needs TARGETS "
                f"and PROVIDERS. Repair or uninstall {point.value.partition(':')[0]}."
            ) from error
        for target in targets:
            TARGETS.setdefault(target.id, target)
        for provider in providers:
            PROVIDERS.setdefault(provider.name, provider)


def parse_target(text: str, framework: str | None = None) -> tuple[TargetEntry, tuple[str, ...]]:
    """Return the entry of a target id and the arguments in its brackets.

    Parameters
    ----------
    text : str
        ``framework:target`` or, where `framework` is given, the target alone; ``fake:slow(10)`` has one
        argument.

    Raises
    ------
    SettingError
        No such target.

    Examples
    --------
    >>> parse_target("fake:plain")[0].reference
    'fake:plain'
    """
    full = text if ":" in text or framework is None else f"{framework}:{text}"
    found = _ID.match(full)
    if found and found["name"] not in TARGETS:
        extend()
    entry = TARGETS.get(found["name"]) if found else None
    if entry is None or found is None:
        near = closest(full, TARGETS)
        hint = f"closest is {near!r}." if near else "List them with isoflop portability targets."
        raise SettingError(f"target: {text!r} is no known target; {hint}")
    arguments = found["arguments"]
    return entry, tuple(part.strip() for part in arguments.split(",")) if arguments else ()
