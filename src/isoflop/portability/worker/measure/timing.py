"""The timing protocol: blocks of calls, reference and target interleaved, one synchronisation a block.

Two sides are timed as A B B A, so that a drift of the computer's speed falls on both. A block is long enough
for the clock; its calls are synchronised once, at its end. The collector of garbage is off inside a block.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from isoflop.portability.model import Timing
    from isoflop.portability.worker.interface import Prepared

Clock = Callable[[], float]
TICKS = 1000
"""A block lasts at least this many ticks of the clock."""
MAX_BLOCKS = 201
MAX_INNER = 100_000
SETTLED = 0.05
"""Warm-up ends when two successive calls differ by less than this share."""
NOISE = 0.10
"""A series whose first and last quarter differ by more than this share is noisy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What was measured of one task.

    Parameters
    ----------
    target, reference : tuple of float
        Seconds a call, one a block, in the order of measurement.
    log_ratios : tuple of float
        ln(target/reference) of neighbouring blocks.
    n_inner, n_warmup : int
        Calls a block of the target, and before the first block.
    end : str
        ``precise`` or ``budget``: what ended it.
    """

    target: tuple[float, ...]
    reference: tuple[float, ...]
    log_ratios: tuple[float, ...]
    n_inner: int
    n_warmup: int
    end: str


def warm_up(prepared: Prepared, timing: Timing, clock: Clock = time.perf_counter) -> tuple[int, float]:
    """Call until two successive calls take alike, at least 3 times and at most 20.

    Returns
    -------
    tuple of int and float
        How many calls, and the seconds of the last one.
    """
    before = math.inf
    spent = 0.0
    for calls in range(1, timing.max_warm_up + 1):
        took = max(_block(prepared, 1, clock), 1e-9)
        spent += took
        enough = calls >= timing.min_warm_up
        if enough and (abs(took - before) <= SETTLED * took or spent > timing.budget_s):
            return calls, took
        before = took
    return timing.max_warm_up, took


def time_pair(
    target: Prepared,
    reference: Prepared,
    timing: Timing,
    clock: Clock = time.perf_counter,
    tick: float | None = None,
) -> Timed:
    """Time a target beside its reference.

    Parameters
    ----------
    target, reference : Prepared
        Ready to be called; their outputs are not looked at.
    timing : Timing
    clock : callable
        Seconds, rising.
    tick : float, optional
        Resolution of the clock in seconds. Default: that of ``time.perf_counter``.
    """
    least = max(
        timing.block_s, TICKS * (time.get_clock_info("perf_counter").resolution if tick is None else tick)
    )
    warm, once = warm_up(target, timing, clock)
    _, reference_once = warm_up(reference, timing, clock)
    inner, reference_inner = calls_a_block(once, least), calls_a_block(reference_once, least)
    sides: tuple[list[float], list[float]] = ([], [])
    plan = (
        (reference, reference_inner, 1),
        (target, inner, 0),
        (target, inner, 0),
        (reference, reference_inner, 1),
    )
    begun = clock()
    end = "budget"
    while len(sides[0]) < MAX_BLOCKS:
        for prepared, calls, side in plan:
            sides[side].append(max(_block(prepared, calls, clock) / calls, 1e-12))
        if len(sides[0]) >= timing.min_blocks and all(half_width(s) < timing.half_width for s in sides):
            end = "precise"
            break
        if clock() - begun > timing.budget_s and len(sides[0]) >= timing.min_blocks:
            break
    logs = tuple(math.log(t / r) for t, r in zip(*sides, strict=True))
    return Timed(
        target=tuple(sides[0]),
        reference=tuple(sides[1]),
        log_ratios=logs,
        n_inner=inner,
        n_warmup=warm,
        end=end,
    )


def calls_a_block(once: float, least: float) -> int:
    """Return how many calls a block needs to last `least` seconds.

    Examples
    --------
    >>> calls_a_block(1e-5, 1e-3), calls_a_block(1.0, 1e-3)
    (100, 1)
    """
    return int(min(MAX_INNER, max(1, math.ceil(least / max(once, 1e-9)))))


def median_interval(values: tuple[float, ...] | list[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median by order statistics; the whole range for few values.

    Examples
    --------
    >>> median_interval([float(i) for i in range(1, 22)])
    (6.0, 16.0)
    """
    ordered = sorted(values)
    n = len(ordered)
    low = 0
    # Between the (l+1)-th and (n-l)-th values lies the median, but for a chance of 2 P(Bin(n, 1/2) <= l).
    tail = 0.5**n
    while low + 1 <= (n - 1) // 2:
        more = tail + math.comb(n, low + 1) * 0.5**n
        if 2 * more > 0.05:
            break
        tail, low = more, low + 1
    return ordered[low], ordered[n - 1 - low]


def half_width(values: list[float]) -> float:
    """Return half the width of the median's 95 % interval as a share of the median."""
    low, high = median_interval(values)
    return (high - low) / 2 / float(np.median(values))


def is_noisy(values: tuple[float, ...]) -> bool:
    """Return whether the first and the last quarter of blocks differ by more than a tenth.

    Examples
    --------
    >>> is_noisy((1.0,) * 8), is_noisy((1.0,) * 6 + (1.5,) * 2)
    (False, True)
    """
    quarter = max(1, len(values) // 4)
    first, last = float(np.median(values[:quarter])), float(np.median(values[-quarter:]))
    return abs(last - first) > NOISE * min(first, last)


def null_seconds(null: Callable[[], None], clock: Clock = time.perf_counter) -> float:
    """Return the median seconds of a call that does as little as the target allows."""
    null()
    times = []
    for _ in range(7):
        begun = clock()
        for _ in range(20):
            null()
        times.append((clock() - begun) / 20)
    return max(float(np.median(times)), 1e-9)


def _block(prepared: Prepared, calls: int, clock: Clock) -> float:
    call, sync = prepared.call, prepared.sync
    collecting = gc.isenabled()
    gc.disable()
    try:
        begun = clock()
        for _ in range(calls):
            value = call()
        sync(value)
        return clock() - begun
    finally:
        if collecting:
            gc.enable()
