"""The timing protocol on a clock that the test moves: no test here depends on this computer's speed."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.model import Timing
from isoflop.portability.worker.interface import Artefact, Leaf
from isoflop.portability.worker.measure.timing import (
    MAX_INNER,
    PATIENCE,
    block,
    calibrate,
    half_width,
    is_noisy,
    median_interval,
    null_seconds,
    time_pair,
    warm_up,
)

FEW = settings(max_examples=25, deadline=None)
TICK = 1e-9
SLOW = Timing(budget_s=1e3)


@dataclass
class Hands:
    """A clock that moves only when a call takes time."""

    now: float = 0.0
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


@dataclass
class Costs:
    """A call that takes what `seconds` says, by its number; `late` comes when it is waited for."""

    hands: Hands
    seconds: Callable[[int], float]
    name: str = ""
    late: Callable[[int], float] = lambda calls: 0.0  # noqa: ARG005
    calls: int = 0
    since: int = 0

    def call(self) -> Any:
        self.hands.now += self.seconds(self.calls)
        self.calls += 1
        self.since += 1

    def sync(self, value: Any) -> None:  # noqa: ARG002
        self.hands.now += self.late(self.since)
        self.hands.seen.append((self.name, self.since))
        self.since = 0

    def fetch(self, value: Any) -> tuple[Leaf, ...]:  # noqa: ARG002
        return ()

    def fallback_ops(self) -> tuple[str, ...]:
        return ()

    def artefact(self) -> Artefact:
        return Artefact()


def steady(seconds: float, hands: Hands, name: str = "") -> Costs:
    return Costs(hands, lambda n: seconds, name)  # noqa: ARG005


@FEW
@given(k=st.floats(1.0, 300.0), seconds=st.floats(1e-5, 1e-3))
def test_the_ratio_of_steady_calls_is_recovered(k: float, seconds: float) -> None:
    hands = Hands()
    timed = time_pair(steady(k * seconds, hands), steady(seconds, hands), SLOW, clock=hands, tick=TICK)
    assert timed is not None
    assert timed.end == "precise"
    assert np.exp(timed.log_ratios) == pytest.approx(k, rel=1e-6)
    assert len(timed.target) == len(timed.reference) >= Timing().min_blocks


def test_blocks_come_as_a_b_b_a() -> None:
    hands = Hands()
    timed = time_pair(steady(1.0, hands, "B"), steady(1.0, hands, "A"), SLOW, clock=hands, tick=TICK)
    assert timed is not None
    rounds = "".join(name for name, _ in hands.seen)[-2 * len(timed.target) :]
    assert rounds == "ABBA" * (len(timed.target) // 2)


@pytest.mark.parametrize("growth", [1.0001, 1.01])
def test_a_drift_of_the_computer_falls_on_both_sides(growth: float) -> None:
    hands = Hands()
    target = Costs(hands, lambda n: 3e-3 * growth ** len(hands.seen))  # noqa: ARG005
    reference = Costs(hands, lambda n: 1e-3 * growth ** len(hands.seen))  # noqa: ARG005
    timed = time_pair(target, reference, Timing(budget_s=0.5), clock=hands, tick=TICK)
    assert timed is not None
    assert np.exp(np.mean(timed.log_ratios)) == pytest.approx(3.0, rel=1e-9)


@FEW
@given(once=st.floats(1e-5, 1e-2), tick=st.sampled_from([1e-9, 1e-7, 1e-5]))
def test_a_block_lasts_a_millisecond_and_a_thousand_ticks(once: float, tick: float) -> None:
    hands = Hands()
    timing = Timing()
    timed = time_pair(steady(once, hands), steady(once, hands), timing, clock=hands, tick=tick)
    assert timed is not None
    length = timed.n_inner * once
    assert length >= min(max(timing.block_s, 1000 * tick), MAX_INNER * once) * (1 - 1e-6)


def test_a_queue_that_hides_its_work_still_fills_a_block() -> None:
    hands = Hands()
    # A call returns at once; waiting costs a start of 1 ms and then 1 microsecond a call in the queue.
    queue = Costs(hands, lambda n: 1e-7, late=lambda calls: 1e-4 + 1e-6 * calls)  # noqa: ARG005
    calls = calibrate(queue, 1e-4, 1e-3, hands)
    assert block(queue, calls, hands) >= 1e-3


def test_a_block_is_waited_for_once() -> None:
    hands = Hands()
    once = 2.0**-17
    time_pair(
        steady(once, hands, "B"), steady(once, hands, "A"), Timing(block_s=2.0**-10), clock=hands, tick=TICK
    )
    assert hands.seen[-4:] == [("A", 128), ("B", 128), ("B", 128), ("A", 128)]


def test_warm_up_waits_until_calls_take_alike() -> None:
    hands = Hands()
    slowing = Costs(hands, lambda n: 1.0 if n < 6 else 0.1 + 0.5 * 2.0 ** (6 - n))
    calls, took = warm_up(slowing, Timing(budget_s=1e3, min_warm_up=7), hands)
    assert calls > 7
    assert took == pytest.approx(0.1, rel=0.1)
    never = Costs(hands, lambda n: 2.0 ** (n % 2))
    assert warm_up(never, SLOW, hands)[0] == Timing().max_warm_up
    assert warm_up(steady(1.0, hands), SLOW, hands)[0] == Timing().min_warm_up


def test_noise_ends_with_the_budget_and_says_so() -> None:
    hands = Hands()
    draw = np.random.default_rng(0)
    wild = Costs(hands, lambda n: float(draw.lognormal(-4.0, 2.0)))  # noqa: ARG005
    timed = time_pair(wild, steady(1e-2, hands), Timing(), clock=hands, tick=TICK)
    assert timed is not None
    assert timed.end == "budget"
    assert half_width(timed.target) > Timing().half_width


def test_calls_that_fill_many_budgets_are_not_repeated_for_the_count() -> None:
    hands = Hands()
    timing = Timing(budget_s=0.1)
    timed = time_pair(steady(1.0, hands), steady(1.0, hands), timing, clock=hands, tick=TICK)
    assert timed is not None
    assert len(timed.target) == 2
    assert timed.n_warmup == 1
    assert hands.now <= 2 + 4 + PATIENCE


def test_timing_ends_before_the_task_is_killed() -> None:
    for left in (4.0, 16.0, 40.0):
        hands = Hands()
        timing = Timing(budget_s=1e3, half_width=1e-12)
        draw = np.random.default_rng(1)
        wild = Costs(hands, lambda n: float(draw.uniform(0.5, 1.5)))  # noqa: ARG005, B023
        timed = time_pair(wild, steady(1.0, hands), timing, clock=hands, tick=TICK, left_s=left)
        assert (timed is None) == (left < 6.0)
        assert hands.now <= left + 3.0


def test_the_collector_is_off_inside_a_block_and_as_before_after_it() -> None:
    seen = []

    class Watch(Costs):
        def call(self) -> Any:
            seen.append(gc.isenabled())

    assert gc.isenabled()
    block(Watch(Hands(), lambda n: 0.0), 3)  # noqa: ARG005
    assert seen == [False] * 3
    assert gc.isenabled()


@FEW
@given(n=st.integers(6, 201), seed=st.integers(0, 10**6))
def test_the_interval_of_the_median_is_that_of_the_binomial(n: int, seed: int) -> None:
    from scipy import special

    values = np.random.default_rng(seed).normal(size=n)
    low, high = median_interval(list(values))
    left_out = int((values < low).sum())
    # The chance of a miss is 2 P(Bin(n, 1/2) <= left_out), a regularised incomplete beta function.
    assert 2 * float(special.bdtr(left_out, n, 0.5)) <= 0.05
    assert 2 * float(special.bdtr(left_out + 1, n, 0.5)) > 0.05 or left_out + 1 > (n - 1) // 2
    assert low <= float(np.median(values)) <= high
    assert int((values > high).sum()) == left_out


def test_noise_is_a_difference_of_first_and_last_quarter() -> None:
    assert not is_noisy([1.0, 5.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.05, 1.05, 1.05, 1.05])
    assert is_noisy([1.0, 1.0, 1.0, 1.0, 1.2, 1.2])
    assert is_noisy([1.2, 1.2, 1.0, 1.0])


def test_a_null_call_is_timed_by_itself() -> None:
    hands = Hands()
    cost = steady(3e-6, hands)
    assert null_seconds(cost.call, hands) == pytest.approx(3e-6)
    assert null_seconds(lambda: None, hands) > 0


@pytest.mark.slow
@pytest.mark.ci
def test_a_clock_that_stands_still_gives_no_zero() -> None:
    hands = Hands()
    timed = time_pair(steady(0.0, hands), steady(0.0, hands), Timing.quick(), clock=hands, tick=TICK)
    assert timed is not None
    assert min(timed.target) > 0
    assert all(math.isfinite(ratio) for ratio in timed.log_ratios)
