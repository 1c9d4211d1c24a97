"""A breaker opens on failures, tries again after a while, and is never left waiting for a probe."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.routing.gateway.breaker import OPEN_S, Breakers


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breakers, Clock]:
    clock = Clock()
    breakers = Breakers(clock)
    for _ in range(5):
        call = breakers.begin("p", "m")
        assert call is not None
        call.failed()
    return breakers, clock


def test_it_opens_at_half_of_the_last_calls_and_not_before_five() -> None:
    for goods, bads, is_open in (
        (0, 4, False),
        (2, 2, False),
        (3, 2, False),
        (3, 3, True),
        (11, 9, False),
        (10, 10, True),
    ):
        breakers = Breakers(Clock())
        for is_good in [True] * goods + [False] * bads:
            call = breakers.begin("p", "m")
            assert call is not None
            call.succeeded() if is_good else call.failed()
        assert breakers.allows("p", "m") is not is_open, (goods, bads)


def test_only_the_last_twenty_calls_count() -> None:
    breakers = Breakers(Clock())
    for is_good in [True] * 100 + [False] * 10:
        call = breakers.begin("p", "m")
        assert call is not None
        call.succeeded() if is_good else call.failed()
    assert not breakers.allows("p", "m")


def test_one_model_does_not_close_another() -> None:
    breakers, _ = opened()
    assert breakers.allows("p", "other")
    assert breakers.allows("other", "m")
    assert breakers.states() == {("p", "m"): "open"}


def test_after_a_while_one_probe_goes_through_and_its_first_byte_closes() -> None:
    breakers, clock = opened()
    assert breakers.begin("p", "m") is None
    clock.now = OPEN_S
    assert breakers.allows("p", "m")
    probe = breakers.begin("p", "m")
    assert probe is not None
    assert not breakers.allows("p", "m")
    assert breakers.begin("p", "m") is None
    probe.answered()
    assert breakers.states() == {("p", "m"): "closed"}
    probe.failed()
    assert breakers.allows("p", "m")


def test_a_failed_probe_opens_it_again() -> None:
    breakers, clock = opened()
    clock.now = OPEN_S
    probe = breakers.begin("p", "m")
    assert probe is not None
    probe.failed()
    assert breakers.states() == {("p", "m"): "open"}
    clock.now = 2 * OPEN_S - 0.1
    assert not breakers.allows("p", "m")
    clock.now = 2 * OPEN_S
    assert breakers.allows("p", "m")


def test_a_client_that_leaves_a_probe_says_nothing() -> None:
    breakers, clock = opened()
    clock.now = OPEN_S
    probe = breakers.begin("p", "m")
    assert probe is not None
    probe.dropped()
    assert breakers.states() == {("p", "m"): "half_open"}
    assert breakers.allows("p", "m")


@given(
    st.lists(
        st.tuples(st.sampled_from(["answered", "succeeded", "failed", "dropped"]), st.integers(0, 3)),
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_a_call_is_allowed_after_the_pause(steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    breakers = Breakers(clock)
    calls = []
    for what, which in steps:
        clock.now += 7.0
        may = breakers.allows("p", "m")
        call = breakers.begin("p", "m")
        assert (call is not None) is may
        calls += [call] if call is not None else []
        getattr(calls[-1 - which % len(calls)], what)()
    for call in calls:
        call.dropped()
    clock.now += OPEN_S
    assert breakers.allows("p", "m")
