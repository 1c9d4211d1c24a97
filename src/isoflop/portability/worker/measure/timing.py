"""The timing protocol: blocks of calls, reference and target interleaved, one synchronisation a block.

Two sides are timed as A B B A, so that a drift of the computer's speed falls on both. A block is long enough
for the clock; its calls are synchronised once, at its end. The collector of garbage is off inside a block.
Nothing is subtracted: what a call costs by itself stands beside the result.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isoflop.portability.model import Timing
    from isoflop.portability.worker.interface import Prepared

Clock = Callable[[], float]
TICKS = 1000
"""A block lasts at least this many ticks of the clock."""
MAX_BLOCKS = 201
MAX_INNER = 100_000
CALIBRATIONS = 6
"""Blocks tried until one is long enough: a queue that is waited for once runs faster than its first calls."""
SETTLED = 0.05
"""Warm-up ends when two successive calls differ by less than this share."""
NOISE = 0.10
"""A series whose first and last quarter differ by more than this share is noisy."""
PATIENCE = 5.0
"""Timing ends after so many budgets even with fewer than the least number of blocks."""
NULL_BLOCKS, NULL_CALLS = 7, 20
_SHORTEST_S = 1e-9
"""What a clock that did not move is taken for: a call takes time."""


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


def time_pair(
    target: Prepared,
    reference: Prepared,
    timing: Timing,
    *,
    clock: Clock = time.perf_counter,
    tick: float | None = None,
    left_s: float = math.inf,
) -> Timed | None:
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
    left_s : float
        Seconds until the task is killed.

    Returns
    -------
    Timed or None
        None where not even one A B B A fits into what is left.
    """
    begun = clock()
    resolution = time.get_clock_info("perf_counter").resolution if tick is None else tick
    least = max(timing.block_s, TICKS * resolution)
    share = left_s / 4
    n_warmup, once = warm_up(target, timing, clock, share)
    _, reference_once = warm_up(reference, timing, clock, share)
    if clock() - begun + 2 * (once + reference_once) > left_s:
        return None
    inner = calibrate(target, once, least, clock)
    reference_inner = calibrate(reference, reference_once, least, clock)

    def one(side: Prepared, calls: int) -> float:
        return max(block(side, calls, clock), _SHORTEST_S) / calls

    of_target: list[float] = []
    of_reference: list[float] = []
    started, end = clock(), "budget"
    while len(of_target) < MAX_BLOCKS:
        before = clock()
        of_reference.append(one(reference, reference_inner))
        of_target += [one(target, inner), one(target, inner)]
        of_reference.append(one(reference, reference_inner))
        if _is_precise(of_target, timing) and _is_precise(of_reference, timing):
            end = "precise"
            break
        now = clock()
        if _is_over(now - started, len(of_target), timing) or now - begun + 2 * (now - before) > left_s:
            break
    return Timed(
        target=tuple(of_target),
        reference=tuple(of_reference),
        log_ratios=tuple(math.log(b / a) for a, b in zip(of_reference, of_target, strict=True)),
        n_inner=inner,
        n_warmup=n_warmup,
        end=end,
    )


def _is_precise(values: Sequence[float], timing: Timing) -> bool:
    return len(values) >= timing.min_blocks and half_width(values) < timing.half_width


def _is_over(spent: float, blocks: int, timing: Timing) -> bool:
    return spent > (timing.budget_s if blocks >= timing.min_blocks else PATIENCE * timing.budget_s)


def warm_up(
    prepared: Prepared, timing: Timing, clock: Clock = time.perf_counter, most_s: float = math.inf
) -> tuple[int, float]:
    """Call until two successive calls take alike, at least 3 times and at most 20.

    A call that fills the budget or `most_s` by itself is not repeated for the sake of the count.

    Returns
    -------
    tuple of int and float
        How many calls, and the seconds of the last one.
    """
    before, spent, took = math.inf, 0.0, math.inf
    for calls in range(1, timing.max_warm_up + 1):
        took = max(block(prepared, 1, clock), _SHORTEST_S)
        spent += took
        is_settled = calls >= timing.min_warm_up and abs(took - before) <= SETTLED * took
        if is_settled or spent > min(PATIENCE * timing.budget_s, most_s):
            return calls, took
        if calls >= timing.min_warm_up and spent > timing.budget_s:
            return calls, took
        before = took
    return timing.max_warm_up, took


def calibrate(prepared: Prepared, once: float, least: float, clock: Clock = time.perf_counter) -> int:
    """Return how many calls make a block of at least `least` seconds, tried out block by block."""
    calls = calls_a_block(once, least)
    for _ in range(CALIBRATIONS):
        if calls == 1 and once >= least:
            break
        took = max(block(prepared, calls, clock), _SHORTEST_S)
        if took >= least or calls == MAX_INNER:
            break
        calls = min(MAX_INNER, max(calls + 1, math.ceil(1.1 * calls * least / took)))
    return calls


def calls_a_block(once: float, least: float) -> int:
    """Return how many calls a block needs to last `least` seconds if each takes `once`.

    Examples
    --------
    >>> calls_a_block(1e-5, 1e-3), calls_a_block(1.0, 1e-3)
    (100, 1)
    """
    return int(min(MAX_INNER, max(1, math.ceil(least / max(once, _SHORTEST_S)))))


def block(prepared: Prepared, calls: int, clock: Clock = time.perf_counter) -> float:
    """Return the seconds of `calls` calls that are waited for once, with the collector of garbage off."""
    call, sync = prepared.call, prepared.sync
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        begun = clock()
        for _ in range(calls):
            value = call()
        sync(value)
        return clock() - begun
    finally:
        if is_collecting:
            gc.enable()


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median by order statistics.

    It is distribution-free. Of fewer than six values it is their range, which covers less than 95 %.

    Examples
    --------
    >>> median_interval([float(i) for i in range(1, 22)])
    (6.0, 16.0)
    """
    ordered = sorted(values)
    left_out = _left_out(len(ordered))
    return ordered[left_out], ordered[-1 - left_out]


@lru_cache(maxsize=4 * MAX_BLOCKS)
def _left_out(n: int) -> int:
    """Return how many values to leave out at each end.

    The interval from the (l+1)-th to the (n-l)-th value misses the median with chance 2 P(Bin(n, 1/2) <= l).
    """
    tail, left_out = 0.5**n, 0
    while left_out + 1 <= (n - 1) // 2:
        tail += math.comb(n, left_out + 1) * 0.5**n
        if 2 * tail > 0.05:
            break
        left_out += 1
    return left_out


def half_width(values: Sequence[float]) -> float:
    """Return half the width of the median's 95 % interval as a share of the median."""
    low, high = median_interval(values)
    return (high - low) / 2 / median(values)


def is_noisy(values: Sequence[float]) -> bool:
    """Return whether the first and the last quarter of blocks differ by more than a tenth.

    Examples
    --------
    >>> is_noisy((1.0,) * 8), is_noisy((1.0,) * 6 + (1.5,) * 2)
    (False, True)
    """
    quarter = max(1, len(values) // 4)
    first, last = median(values[:quarter]), median(values[-quarter:])
    return abs(last - first) > NOISE * min(first, last)


def null_seconds(null: Callable[[], None], clock: Clock = time.perf_counter) -> float:
    """Return the median seconds of a call that does as little as the target allows."""
    null()
    times = []
    for _ in range(NULL_BLOCKS):
        begun = clock()
        for _ in range(NULL_CALLS):
            null()
        times.append((clock() - begun) / NULL_CALLS)
    return max(median(times), _SHORTEST_S)
