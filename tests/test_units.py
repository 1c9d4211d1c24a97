"""Units: conversions undo each other, and calendar positions follow the published rules."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop import units
from isoflop.errors import SettingError

ROUND_TRIP_RTOL = 1e-12  # a few multiplications and one logarithm in double precision
DATES = st.dates(dt.date(1950, 1, 1), dt.date(2050, 12, 31))
POSITIVE = st.floats(1e-6, 1e6)


@given(st.floats(1.0, 1e6))
def test_perplexity_and_nats_undo_each_other(perplexity):
    back = units.perplexity_from_nats(units.nats_from_perplexity(perplexity))
    assert math.isclose(back, perplexity, rel_tol=ROUND_TRIP_RTOL)


@given(st.floats(0.05, 20.0), st.floats(1.0, 12.0))
def test_bits_per_byte_count_the_bits_of_one_token(bits_per_byte, bytes_per_token):
    nats = units.nats_from_bits_per_byte(bits_per_byte, bytes_per_token)
    assert math.isclose(
        units.perplexity_from_nats(nats),
        2.0 ** (bits_per_byte * bytes_per_token),
        rel_tol=ROUND_TRIP_RTOL * 1e3,
    )


@given(st.floats(1e-3, 1e3), st.sampled_from([-1.0, 1.0]))
def test_rate_and_halving_time_undo_each_other_and_keep_the_sign(size, sign):
    rate = sign * size
    time = units.halving_time_months(rate)
    assert math.copysign(1.0, time) == sign
    assert math.isclose(units.rate_from_halving_time(time), rate, rel_tol=ROUND_TRIP_RTOL)


@given(st.floats(0.01, 20.0))
def test_compute_doubles_in_exactly_one_halving_time(rate):
    years = units.halving_time_months(rate) / units.months(1.0)
    assert math.isclose(units.multiple_per_year(rate) ** years, 2.0, rel_tol=ROUND_TRIP_RTOL * 10)


def _is_last_day_of_a_leap_year(date: dt.date) -> bool:
    return date.timetuple().tm_yday == 366


@given(DATES.filter(lambda date: not _is_last_day_of_a_leap_year(date)))
def test_a_date_survives_the_trip_through_fractional_years(date):
    assert units.date_from_year(units.fractional_year(date)) == date


@given(st.integers(1951, 2050))
def test_the_last_day_of_a_leap_year_equals_the_next_new_year(year):
    last, new_year = dt.date(year, 12, 31), dt.date(year + 1, 1, 1)
    gap = units.fractional_year(new_year) - units.fractional_year(last)
    if _is_last_day_of_a_leap_year(last):
        assert gap == 0.0
    else:
        assert math.isclose(gap, 1 / 365, rel_tol=1e-9)  # the difference of two numbers near 2000


@given(DATES, DATES)
def test_later_dates_never_lie_earlier_on_either_year_scale(one, other):
    early, late = sorted((one, other))
    assert units.fractional_year(early) <= units.fractional_year(late)
    assert units.tropical_year(early) <= units.tropical_year(late)


@given(DATES)
def test_the_two_year_scales_differ_by_less_than_two_days(date):
    assert abs(units.fractional_year(date) - units.tropical_year(date)) < 2 / 365


def test_published_dates_are_reproduced():
    assert round(units.fractional_year(dt.date(2012, 6, 27)), 4) == 2012.4877  # first of the published sample
    assert round(units.fractional_year(dt.date(2023, 5, 23)), 3) == 2023.389  # last of the published sample
    assert units.tropical_year(dt.date(1970, 1, 1)) == 1970.0


@given(POSITIVE)
def test_a_petaflop_day_is_a_thousand_teraflop_days(days):
    assert math.isclose(
        units.flop_from_petaflop_days(days),
        units.flop_from_teraflop_days(1000 * days),
        rel_tol=ROUND_TRIP_RTOL,
    )


def test_training_compute_of_a_dense_transformer_is_six_n_d():
    assert units.train_flop(70e9, 1.4e12) == pytest.approx(5.88e23, rel=1e-12)
    assert units.flop_from_petaflop_days(1.0) == 8.64e19


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("70B", 70e9),
        ("70b", 70e9),
        ("1.4T", 1.4e12),
        ("5M", 5e6),
        ("2k", 2e3),
        ("3G", 3e9),
        ("4P", 4e15),
        ("2E", 2e18),
        ("1e25", 1e25),
        ("5.88E23", 5.88e23),
        ("300_000", 3e5),
        ("1,000,000", 1e6),
        (" 7 ", 7.0),
    ],
)
def test_quantities_are_read_as_people_write_them(text, number):
    assert units.parse_quantity(text, where="--tokens") == pytest.approx(number, rel=1e-15)


@given(st.floats(1e-3, 1e300))
def test_a_printed_number_is_read_back_unchanged(number):
    assert units.parse_quantity(repr(number), where="--tokens") == number


@pytest.mark.parametrize("text", ["", "B", "-7B", "0", "seven", "7BB", "7 8", "nan", "inf", "1e999", "5/2"])
def test_what_is_no_positive_number_is_refused_with_the_place_and_the_cure(text):
    with pytest.raises(SettingError, match=r"^--tokens: .* needs a positive number\. Write it as"):
        units.parse_quantity(text, where="--tokens")
