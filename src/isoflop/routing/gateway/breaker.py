"""Leave a failing model alone for a while: one circuit breaker for each provider and model.

Closed: calls go through and the last ones are remembered. Open: none goes through. Half open: one probe; its
answer closes the breaker, its failure opens it again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

State = Literal["closed", "open", "half_open"]

WINDOW: Final = 20
"""Calls that are remembered."""
LEAST_CALLS: Final = 5
"""Fewer say nothing."""
FAILURE_SHARE: Final = 0.5
OPEN_S: Final = 30.0


@dataclass(slots=True)
class _Breaker:
    outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    opened_at: float | None = None
    probe: Call | None = None


class Call:
    """One call that a breaker let through; told once how it went."""

    __slots__ = ("_breaker", "_clock", "_is_over")

    def __init__(self, breaker: _Breaker, clock: Callable[[], float]) -> None:
        self._breaker = breaker
        self._clock = clock
        self._is_over = False

    def answered(self) -> None:
        """Note the first byte of an answer: a probe has succeeded, however long the answer takes."""
        if self._breaker.probe is self:
            self._breaker.probe = self._breaker.opened_at = None
            self._breaker.outcomes.clear()

    def succeeded(self) -> None:
        """Note a complete answer."""
        self.answered()
        self._end(True)

    def failed(self) -> None:
        """Note a failure: no connection, no answer in time, an error of the server, or a cut answer."""
        breaker = self._breaker
        was_probe = breaker.probe is self
        if not self._end(False):
            return
        outcomes = breaker.outcomes
        is_bad = len(outcomes) >= LEAST_CALLS and outcomes.count(False) >= FAILURE_SHARE * len(outcomes)
        if was_probe or (breaker.opened_at is None and is_bad):
            breaker.opened_at = self._clock()

    def dropped(self) -> None:
        """Note that the client went before anything was known: it says nothing about the model."""
        if not self._is_over:
            self._is_over = True
            if self._breaker.probe is self:
                self._breaker.probe = None

    def _end(self, is_good: bool) -> bool:
        if self._is_over:
            return False
        self._is_over = True
        if self._breaker.probe is self:
            self._breaker.probe = None
        self._breaker.outcomes.append(is_good)
        return True


class Breakers:
    """The breakers of all targets.

    Parameters
    ----------
    clock : callable
        Seconds that never run backwards.

    Examples
    --------
    >>> now = [0.0]
    >>> breakers = Breakers(lambda: now[0])
    >>> for _ in range(5):
    ...     breakers.begin("p", "m").failed()
    >>> breakers.allows("p", "m"), breakers.states()
    (False, {('p', 'm'): 'open'})
    >>> now[0] = 30.0
    >>> breakers.allows("p", "m")
    True
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._breakers: dict[tuple[str, str], _Breaker] = {}

    def begin(self, provider: str, model: str) -> Call | None:
        """Return a call, or None where none may be tried now."""
        breaker = self._breakers.setdefault((provider, model), _Breaker())
        state = self._state(breaker)
        if state == "open" or (state == "half_open" and breaker.probe is not None):
            return None
        call = Call(breaker, self._clock)
        if state == "half_open":
            breaker.probe = call
        return call

    def allows(self, provider: str, model: str) -> bool:
        """Return whether a call may be tried now."""
        breaker = self._breakers.get((provider, model))
        if breaker is None or breaker.opened_at is None:
            return True
        return self._state(breaker) == "half_open" and breaker.probe is None

    def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each provider and model called so far."""
        return {key: self._state(breaker) for key, breaker in self._breakers.items()}

    def _state(self, breaker: _Breaker) -> State:
        if breaker.opened_at is None:
            return "closed"
        return "half_open" if self._clock() - breaker.opened_at >= OPEN_S else "open"
