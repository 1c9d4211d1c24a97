"""A halving time exists for a finite rate above zero, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Estimate
from isoflop.present import formats
from isoflop.progress.halving import (
    HUGE_RATE,
    MEANING,
    halving_months,
    halving_time,
    months_text,
    rate_between,
    rate_from_draws,
)

MONTHS = 12.0 * math.log(2.0)
"""Halving time at 1 ln/yr."""
rates = st.floats(-50.0, 50.0).filter(lambda g: abs(g) > 1e-6)


def rate(value: float | None, low: float | None, high: float | None) -> Estimate:
    kind = "open_above" if high is None else "open_below" if low is None else "closed"
    return Estimate(value=value, low=low, high=high, level=0.95, unit="ln/yr", interval=kind)


@pytest.mark.parametrize(
    ("given_rate", "value", "low", "high", "kind"),
    [
        ((1.0, 0.5, 2.0), MONTHS, MONTHS / 2.0, MONTHS / 0.5, "closed"),
        ((1.0, -0.5, 2.0), MONTHS, MONTHS / 2.0, None, "open_above"),
        ((1.0, 0.0, 2.0), MONTHS, MONTHS / 2.0, None, "open_above"),
        ((1.0, None, 2.0), MONTHS, MONTHS / 2.0, None, "open_above"),
        ((1.0, 0.5, None), MONTHS, None, MONTHS / 0.5, "open_below"),
        ((1.0, -0.5, None), MONTHS, None, None, "open_above"),
        ((1.0, None, None), MONTHS, None, None, "open_above"),
        ((-0.2, -0.5, 2.0), None, MONTHS / 2.0, None, "open_above"),
        ((-1.0, -2.0, -0.5), None, None, None, "closed"),
        ((0.0, 0.0, 0.0), None, None, None, "closed"),
        ((math.inf, 0.5, None), None, None, MONTHS / 0.5, "open_below"),
    ],
)
def test_a_rate_interval_inverts_to_the_right_set(given_rate, value, low, high, kind):
    found = halving_time(rate(*given_rate))
    wanted = [want if want is None else pytest.approx(want) for want in (value, low, high)]
    assert [found.value, found.low, found.high] == wanted
    assert found.interval == kind
    assert found.level == 0.95
    assert found.unit == "months"


@given(a=rates, b=rates, share=st.floats(0.0, 1.0))
def test_every_rate_inside_has_its_time_inside_and_no_time_is_negative(a, b, share):
    low, high = min(a, b), max(a, b)
    g = low + share * (high - low)
    found = halving_time(rate(g, low, high))
    numbers = [v for v in (found.value, found.low, found.high) if v is not None]
    assert all(v > 0 and math.isfinite(v) for v in numbers)
    assert (found.value is None) == (halving_months(g) is None)
    if g > 1e-6:
        assert found.low is not None
        assert found.low <= found.value * (1 + 1e-12)
        assert found.high is None or found.value <= found.high * (1 + 1e-12)
        assert (found.high is None) == (low <= 0)


@pytest.mark.parametrize("g", [None, 0.0, -1.0, math.nan, math.inf, -math.inf, HUGE_RATE, 5e-324])
def test_no_halving_time_where_the_rate_is_missing_not_above_zero_or_unbounded(g):
    assert halving_months(g) is None
    assert months_text(halving_months(g)) == "no halving time"


def test_a_time_without_any_bound_says_so():
    text = formats.estimate(halving_time(rate(1.0, -0.5, None)), unbounded=MEANING)
    assert text == "8.3 months (any value possible, 95 %)"
    assert "no lower bound" in formats.estimate(halving_time(rate(1.0, 0.5, None)))
    assert MEANING in formats.estimate(halving_time(rate(1.0, -0.5, 2.0)), unbounded=MEANING)


def test_infinite_draws_leave_an_end_open_and_failed_ones_are_left_out():
    draws = np.concatenate([np.linspace(1.0, 2.0, 90), np.full(10, np.inf), np.full(50, np.nan)])
    found = rate_from_draws(1.5, draws, 0.9)
    finite = np.where(np.isinf(draws), HUGE_RATE, draws)
    assert found.low == pytest.approx(np.nanquantile(finite, 0.05))
    assert found.high is None
    assert found.interval == "open_above"
    below = rate_from_draws(-1.5, -draws, 0.9)
    assert [below.low, below.high, below.interval] == [None, pytest.approx(-found.low), "open_below"]


@given(low=st.floats(-1e5, 0.0), width=st.floats(0.0, 1e5))
def test_bounded_ends_stay_as_they_are(low, width):
    found = rate_between(low, low, low + width, 0.95)
    assert (found.low, found.high, found.interval) == (low, low + width, "closed")
