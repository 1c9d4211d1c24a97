"""How long a router's decisions take on this machine, part by part."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.router.router import NEAREST

if TYPE_CHECKING:
    from isoflop.routing.router.router import Router

FloatArray = NDArray[np.float64]
PARTS = {"encode": "text to vector", "scan": "nearest prompts", "decide": "the whole decision"}
WARM = 20
"""Decisions before any is timed: the first ones load weights and fill caches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RouterTiming:
    """Seconds of each part, for each timed prompt.

    Parameters
    ----------
    router : Router
    seconds : dict of str to array, shape (runs,)
        By part: ``encode``, ``scan``, ``decide``.
    characters : float
        Mean length of the prompts.
    """

    router: Router
    seconds: dict[str, FloatArray]
    characters: float

    @property
    def decisions_per_s(self) -> float:
        """Decisions a second of one process."""
        return float(1.0 / self.seconds["decide"].mean())

    def rows(self) -> list[dict[str, Any]]:
        """Return milliseconds of each part: median, 90th and 99th percentile."""
        return [
            {
                "part": part,
                "what": PARTS[part],
                **{f"p{q}_ms": float(1e3 * np.quantile(taken, q / 100)) for q in (50, 90, 99)},
            }
            for part, taken in self.seconds.items()
        ]

    def summary(self) -> str:
        """Return the median decision and the rate in one sentence."""
        median = 1e3 * float(np.median(self.seconds["decide"]))
        return (
            f"{self.router.n} scored prompts, {self.router.encoder.id}, prompts of {self.characters:.0f} "
            f"characters: a decision takes {median:.2f} ms (median), {self.decisions_per_s:.0f} a second "
            "in one process."
        )


def time_router(
    router: Router,
    prompts: Sequence[str],
    *,
    runs: int = 500,
    clock: Callable[[], float] = time.perf_counter,
) -> RouterTiming:
    """Time decisions on prompts, one after another, as a gateway makes them.

    Parameters
    ----------
    router : Router
    prompts : sequence of str
        Used in turn.
    runs : int
        Timed decisions.
    clock : callable
        Seconds so far.

    Raises
    ------
    EvidenceError
        No prompt.
    SettingError
        `runs` is below 1.
    """
    if not prompts:
        raise EvidenceError(
            "bench: no prompt, needs at least one. Give texts, or a router that kept its own."
        )
    if runs < 1:
        raise SettingError(f"bench: runs={runs}, needs at least 1. 500 are usual.")
    texts = [prompts[at % len(prompts)] for at in range(runs)]
    for text in texts[:WARM]:
        router.decide(text)
    taken: dict[str, FloatArray] = {part: np.empty(runs) for part in PARTS}
    for at, text in enumerate(texts):
        start = clock()
        vector = router.encoder.encode_one(text)
        encoded = clock()
        router.nearest(vector, NEAREST)
        found = clock()
        router.decide(text)
        taken["encode"][at], taken["scan"][at] = encoded - start, found - encoded
        taken["decide"][at] = clock() - found
    return RouterTiming(
        router=router, seconds=taken, characters=float(np.mean([len(text) for text in texts]))
    )
