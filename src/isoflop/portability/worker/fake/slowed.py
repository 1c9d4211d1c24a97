"""A call that takes a known number of times as long as it would."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

from isoflop.portability.worker.fake.functions import wait_until
from isoflop.portability.worker.interface import Artefact, Leaf, Prepared

_REMEMBERED = 9
"""Calls whose median is multiplied: one that was interrupted must not be."""
_LONG_S = 1e-3


class Slowed:
    """A call that takes `times` as long: made several times over if short, waited for by the clock if long.

    Repetition holds at a microsecond, where a clock costs as much as the call. Waiting, mostly asleep, holds
    on a computer that has other things to do, which would keep on interrupting a long computation.
    """

    def __init__(self, once: Prepared, times: float) -> None:
        self.once, self.times = once, times
        self.seen: deque[float] = deque(maxlen=_REMEMBERED)
        self.call: Callable[[], Any] = self._first

    def _first(self) -> Any:
        self._timed()
        is_long = self.times * self._timed()[1] > _LONG_S
        # Set once, not asked at each call: at half a microsecond a question is a tenth of the call.
        self.call = self._waited if is_long else self._repeated()
        return self.call()

    def _repeated(self) -> Callable[[], Any]:
        once, whole = self.once.call, int(self.times)
        further, share = range(whole - 1), self.times - whole

        def repeated() -> Any:
            for _ in further:
                once()
            return once()

        def repeated_and_waited() -> Any:
            for _ in further:
                once()
            value, took = self._timed()
            wait_until(time.perf_counter() + share * took)
            return value

        return repeated_and_waited if share else repeated

    def _waited(self) -> Any:
        begun = time.perf_counter()
        value, took = self._timed()
        self.seen.append(took)
        wait_until(begun + self.times * median(self.seen))
        return value

    def _timed(self) -> tuple[Any, float]:
        begun = time.perf_counter()
        value = self.once.call()
        self.once.sync(value)
        return value, time.perf_counter() - begun

    def sync(self, value: Any) -> None:
        """Wait for the last of the calls."""
        self.once.sync(value)

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        """Return the output of the last call."""
        return self.once.fetch(value)

    def fallback_ops(self) -> tuple[str, ...]:
        """Return nothing: all stays where it is."""
        return ()

    def artefact(self) -> Artefact:
        """Return that nothing was made."""
        return Artefact()
