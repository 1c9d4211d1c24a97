"""Numbers as text: digits follow the interval, and nothing missing looks like a number."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Estimate, Finding
from isoflop.present import formats

POWER = {ord(c): d for c, d in zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True)}
SIGNIFICANT = 3
RELATIVE = 0.5 * 10.0 ** (1 - SIGNIFICANT)
"""Largest relative change that rounding to three significant digits makes."""
sizes = st.floats(min_value=1e-12, max_value=1e28)


def read(text: str) -> float:
    """Return the number that a person reads in `text`."""
    text = text.replace(formats.MINUS, "-").replace(",", "")
    found = re.fullmatch(r"(-?)(?:([\d.]+)×)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if found:
        return float(f"{found[1]}{found[2] or 1}e{found[3].translate(POWER)}")
    return float(text)


@given(sizes, st.sampled_from([1, -1]))
def test_a_number_reads_back_to_three_digits(size: float, sign: int) -> None:
    value = sign * size
    assert read(formats.number(value)) == pytest.approx(value, rel=1.001 * RELATIVE)


@given(sizes, st.sampled_from([1, -1]))
def test_a_negative_number_differs_by_its_sign_alone(size: float, sign: int) -> None:
    assert formats.number(-size) == formats.MINUS + formats.number(size)


@given(st.integers(min_value=-9_999_999, max_value=9_999_999))
def test_whole_numbers_are_written_in_full(value: int) -> None:
    assert read(formats.number(value)) == value


@given(st.floats(min_value=1e-3, max_value=1e6), st.floats(min_value=1e-3, max_value=1), st.floats(0.001, 1))
def test_value_and_ends_share_their_decimals_and_keep_their_order(
    value: float, below: float, above: float
) -> None:
    low, high = value * (1 - 0.9 * below), value * (1 + above)
    text = formats.estimate(Estimate(value=value, low=low, high=high, level=0.95, unit="1"))
    found = re.fullmatch(r"(\S+) \((\S+) to (\S+), 95 %\)", text)
    assert found
    numbers = [read(g) for g in found.groups()]
    decimals = {len(g.partition(".")[2]) for g in found.groups()}
    assert len(decimals) == 1
    assert numbers[1] <= numbers[0] <= numbers[2]


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (
            Estimate(value=8.44, low=4.5, high=14.27, level=0.95, unit="months"),
            "8.4 months (4.5 to 14.3, 95 %)",
        ),
        (Estimate(value=0.81, low=0.808, high=0.812, level=0.95, unit="1"), "0.810 (0.808 to 0.812, 95 %)"),
        (Estimate(value=24.39, low=13.2, high=57.8, level=0.95, unit="×"), "24× (13 to 58, 95 %)"),
        (
            Estimate(value=-0.276, low=-0.317, high=-0.236, level=0.95, unit="1"),
            "−0.28 (−0.32 to −0.24, 95 %)",
        ),
        (
            Estimate(value=9.2, low=3.2, level=0.95, unit="months", interval="open_above"),
            "9.2 months (≥ 3.2, 95 %; no upper bound)",
        ),
        (
            Estimate(value=None, low=3.2, level=0.95, unit="months", interval="open_above"),
            "≥ 3.2 months (95 %); no upper bound",
        ),
        (
            Estimate(value=None, high=3.2, level=0.9, unit="×", interval="open_below"),
            "≤ 3.2× (90 %); no lower bound",
        ),
        (
            Estimate(value=8.0, low=-12.0, high=4.5, level=0.95, unit="months", interval="two_pieces"),
            "8.0 months (below −12.0 or above 4.5, 95 %)",
        ),
        (Estimate(value=231.0, unit="1"), "231"),
        (Estimate(value=1.0, unit="years"), "1 year"),
        (Estimate(value=math.nan, unit="months"), "not identified"),
        (Estimate(value=5.88e23, unit="FLOP"), "5.88×10²³ FLOP"),
    ],
)
def test_estimates_read_as_one_phrase(estimate: Estimate, text: str) -> None:
    assert formats.estimate(estimate) == text


def test_a_finding_says_what_its_open_interval_means_and_when_it_was_refused() -> None:
    estimate = Estimate(value=9.2, low=3.2, level=0.95, unit="months", interval="open_above")
    finding = Finding(
        id="a.b",
        instrument="a",
        label="b",
        estimate=estimate,
        method="m",
        n=1,
        details={"unbounded": "no end"},
    )
    assert formats.finding(finding) == "9.2 months (≥ 3.2, 95 %; no end)"
    refused = Finding(
        id="a.c", instrument="a", label="b", estimate=estimate, method="m", n=1, status="refused"
    )
    assert formats.finding(refused) == "refused"


@given(st.floats(0, 1), st.floats(0, 1))
def test_percentages_keep_the_order_of_shares(first: float, second: float) -> None:
    first, second = sorted((first, second))
    a, b = (float(formats.percent(v).removesuffix(" %")) for v in (first, second))
    assert a <= b


def test_zero_has_no_sign() -> None:
    assert formats.number(-0.0) == "0"
    assert formats.fixed(-0.0, 2) == formats.fixed(-1e-3, 2) == "0.00"


def test_a_value_near_zero_does_not_stretch_the_decimals_of_its_interval():
    at_the_bound = Estimate(value=3.48e-12, low=2.58e-13, high=1.1436751091976, level=0.95, unit="nats")
    assert formats.estimate(at_the_bound) == "3.48×10⁻¹² nats (2.58×10⁻¹³ to 1.1, 95 %)"


def test_an_end_far_above_the_value_has_no_decimals():
    wide = Estimate(value=9.54, low=2.23, high=1422.6, level=0.95, unit="×")
    assert formats.estimate(wide) == "9.5× (2.2 to 1,423, 95 %)"
