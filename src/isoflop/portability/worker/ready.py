"""A prepared call put together from plain functions, for targets that need no class of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.portability.worker.interface import Artefact, Leaf

_NOTHING = Artefact()


def _at_once(value: Any) -> None:
    """Return: what was called is done when it returns."""


def _no_output(_: Any) -> tuple[Leaf, ...]:
    return ()


def _nowhere() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A call that is ready to be made.

    Parameters
    ----------
    run : callable
        Starts one call and returns its output.
    read : callable
        Brings an output to the host.
    wait : callable, optional
        Waits for an output; left out where a call ends when it is done.
    left : callable, optional
        Names the operations that left the target.
    made : Artefact
        What was made where nothing is run.
    """

    run: Callable[[], Any]
    read: Callable[[Any], tuple[Leaf, ...]]
    wait: Callable[[Any], None] = _at_once
    left: Callable[[], tuple[str, ...]] = _nowhere
    made: Artefact = _NOTHING

    def call(self) -> Any:
        """Start one call."""
        return self.run()

    def sync(self, value: Any) -> None:
        """Wait until it is done."""
        self.wait(value)

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        """Return the output on the host."""
        return self.read(value)

    def fallback_ops(self) -> tuple[str, ...]:
        """Return the operations that left the target."""
        return self.left()

    def artefact(self) -> Artefact:
        """Return what was made."""
        return self.made


def compiled(made: Artefact) -> Ready:
    """Return a call that was compiled and is not run: it gives nothing to compare.

    Examples
    --------
    >>> ready = compiled(Artefact(size_byte=8))
    >>> ready.fetch(ready.call()), ready.artefact().size_byte
    ((), 8)
    """
    return Ready(run=lambda: None, read=_no_output, made=made)
