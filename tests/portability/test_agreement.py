"""Agreement: both errors against float64, classes of mismatch first, distributions by their own test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isoflop.portability.worker.interface import Leaf
from isoflop.portability.worker.measure.agreement import (
    OWN_ERRORS,
    TOLERANCE,
    compare,
    relative_error,
    tolerance_of,
    ulp_error,
)
from isoflop.portability.worker.measure.distribution import are_alike, ks_distance, ks_probability

FEW = settings(max_examples=25, deadline=None)
NUMBERS = st.floats(-1e3, 1e3, allow_nan=False).filter(lambda x: abs(x) > 1e-3)
ROUNDING = 1e-12
"""Sums of a few dozen float64 numbers."""


def leaf(array: NDArray[np.generic] | list[float], dtype: str = "") -> Leaf:
    host = np.asarray(array)
    return Leaf(array=host, dtype=dtype or str(host.dtype), shape=host.shape)


@FEW
@given(values=st.lists(NUMBERS, min_size=1, max_size=20), power=st.integers(-60, 60), share=st.floats(0, 0.5))
def test_relative_errors_do_not_depend_on_units(values: list[float], power: int, share: float) -> None:
    right = np.array(values)
    off = right * (1 + share)
    scale = 2.0**power
    assert relative_error(off * scale, right * scale, 1e-300) == pytest.approx(
        relative_error(off, right, 1e-300), rel=ROUNDING, abs=ROUNDING
    )


@FEW
@given(values=st.lists(NUMBERS, min_size=1, max_size=20), share=st.floats(0, 0.5))
def test_a_common_factor_is_the_relative_error(values: list[float], share: float) -> None:
    right = np.array(values)
    assert relative_error(right * (1 + share), right, 1e-300) == pytest.approx(share, rel=1e-9, abs=ROUNDING)


@FEW
@given(value=NUMBERS, steps=st.integers(0, 50))
def test_ulp_counts_the_floats_in_between(value: float, steps: int) -> None:
    moved = value
    for _ in range(steps):
        moved = math.nextafter(moved, math.copysign(math.inf, value))
    # Units double where a power of two is crossed; count in those of the right value.
    expected = abs(moved - value) / math.ulp(value)
    found = ulp_error(np.array([moved]), np.array([value]), "float64")
    assert found == pytest.approx(expected)
    assert found is not None
    assert found >= steps


@pytest.mark.parametrize(
    ("dtype", "unit"),
    [("float16", 2.0**-10), ("bfloat16", 2.0**-7), ("float32", 2.0**-23), ("float64", 2.0**-52)],
)
def test_one_unit_in_the_last_place_is_that_of_the_dtype(dtype: str, unit: float) -> None:
    assert ulp_error(np.array([1.0 + unit]), np.array([1.0]), dtype) == pytest.approx(1.0)


def test_parts_of_complex_numbers_count_apart() -> None:
    right = np.array([1.0 + 1e-3j])
    found = right + 1j * np.spacing(np.float32(1e-3))
    assert ulp_error(found, right, "complex64") == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("times", "verdict"), [(0.9, "agree"), (1.2, "differ")])
def test_the_tolerance_of_the_dtype_is_the_border(dtype: str, times: float, verdict: str) -> None:
    right = np.linspace(1.0, 2.0, 7)
    off = leaf(right * (1 + times * TOLERANCE[dtype]), dtype)
    assert compare([off], [leaf(right, dtype)]).agreement == verdict


@pytest.mark.parametrize(("times", "verdict"), [(0.9, "agree"), (1.1, "differ")])
def test_the_reference_s_own_error_widens_the_border(times: float, verdict: str) -> None:
    right = np.linspace(1.0, 2.0, 7)
    own = 1e-3
    found = compare(
        [leaf(right * (1 + times * OWN_ERRORS * own), "float32")],
        [leaf(right * (1 - own), "float32")],
        [leaf(right)],
    )
    assert found.agreement == verdict
    assert found.ref_err_rel == pytest.approx(own)


def test_a_target_better_than_its_reference_agrees() -> None:
    right = np.linspace(1.0, 2.0, 7)
    found = compare([leaf(right, "float32")], [leaf(right * 1.5, "float32")], [leaf(right)])
    assert found.agreement == "agree"
    assert found.err_rel == 0.0


def test_whole_numbers_and_truth_values_must_be_exact() -> None:
    assert compare([leaf(np.array([10**15]))], [leaf(np.array([10**15 + 1]))]).agreement == "differ"
    assert compare([leaf(np.array([True]))], [leaf(np.array([False]))]).agreement == "differ"
    assert compare([leaf(np.array(["a"]), "string")], [leaf(np.array(["a"]), "string")]).agreement == "agree"


def test_classes_come_in_their_order() -> None:
    one = leaf(np.array([1.0, np.nan]))
    assert compare([leaf(np.ones((2, 1), np.float32))], [one]).agreement == "shape"
    assert compare([one, one], [one]).agreement == "shape"
    assert compare([leaf(np.ones(2, np.float32))], [one]).agreement == "dtype"
    assert compare([leaf(np.array([5.0, 1.0]))], [one]).agreement == "nan_pattern"
    assert compare([leaf(np.array([5.0, np.nan]))], [one]).agreement == "differ"


def test_signs_of_infinity_belong_to_the_pattern() -> None:
    up, down = leaf(np.array([np.inf, 1.0])), leaf(np.array([-np.inf, 1.0]))
    assert compare([up], [up]).agreement == "agree"
    assert compare([up], [down]).agreement == "nan_pattern"


def test_the_worst_leaf_decides() -> None:
    right, off = leaf(np.ones(3)), leaf(np.ones(3) * 1.1)
    assert compare([right, off], [right, right]).agreement == "differ"


def test_leaves_without_values_are_compared_by_shape_alone() -> None:
    bare = Leaf(array=None, dtype="float64", shape=(3,))
    assert compare([bare], [leaf(np.ones(3))]).agreement == "not_comparable"
    assert compare([bare], [leaf(np.ones(3))], check="shape_dtype").agreement == "agree"
    empty = Leaf(array=None, dtype="none", shape=())
    assert compare([empty], [empty]).agreement == "agree"


def test_order_does_not_matter_where_none_is_promised() -> None:
    one, other = leaf(np.array([3.0, 1.0, 2.0])), leaf(np.array([1.0, 2.0, 3.0]))
    assert compare([one], [other]).agreement == "differ"
    assert compare([one], [other], check="sorted").agreement == "agree"


def test_empty_outputs_agree() -> None:
    nothing = leaf(np.zeros((0, 3), np.float32))
    assert compare([nothing], [nothing], [leaf(np.zeros((0, 3)))]).agreement == "agree"
    assert compare([], []).agreement == "agree"


def test_errors_are_finite_at_the_ends_of_the_range() -> None:
    huge, small = np.array([1e308, -1e308]), np.array([5e-324, 0.0])
    assert relative_error(-huge, huge, 2e-308) == pytest.approx(2.0)
    assert relative_error(np.zeros(2), small, 2e-308) < ROUNDING


def test_floats_of_eight_bits_may_differ_by_their_rounding() -> None:
    assert tolerance_of("float8_e5m2") == 0.5
    assert tolerance_of("uint8") is None
    found = compare(
        [leaf(np.array([1.125], np.float32), "float8_e4m3fn")],
        [leaf(np.ones(1, np.float32), "float8_e4m3fn")],
    )
    assert found.agreement == "agree"


@pytest.mark.slow
@pytest.mark.ci
@FEW
@given(seed=st.integers(0, 10**6), n=st.integers(2, 60), m=st.integers(2, 60), shift=st.floats(0, 2))
def test_the_distance_of_samples_is_scipy_s(seed: int, n: int, m: int, shift: float) -> None:
    from scipy import special, stats

    draw = np.random.default_rng(seed)
    x, y = np.round(draw.normal(size=n), 1), np.round(draw.normal(size=m) + shift, 1)
    distance = float(stats.ks_2samp(x, y, method="asymp").statistic)
    assert ks_distance(x, y) == pytest.approx(distance, abs=ROUNDING)
    limit = float(special.kolmogorov(distance * math.sqrt(n * m / (n + m))))
    assert ks_probability(x, y) == pytest.approx(limit, abs=1e-9)


def test_large_samples_give_scipy_s_probability() -> None:
    from scipy import stats

    draw = np.random.default_rng(3)
    x, y = draw.normal(size=4000), draw.normal(size=4000) + 0.05
    assert ks_probability(x, y) == pytest.approx(float(stats.ks_2samp(x, y, method="asymp").pvalue), rel=0.02)


def test_equal_distributions_are_told_apart_less_often_than_the_level_allows() -> None:
    draw = np.random.default_rng(7)
    trials = 400
    wrong = sum(not are_alike(*draw.normal(size=(2, 64))) for _ in range(trials))
    assert wrong <= 1


def test_other_distributions_are_told_apart() -> None:
    draw = np.random.default_rng(8)
    uniform = draw.uniform(size=2000)
    assert are_alike(draw.uniform(size=2000), uniform)
    assert not are_alike(draw.uniform(size=2000) ** 1.3, uniform)
    assert not are_alike(uniform - 0.02, uniform)
    assert not are_alike(draw.uniform(0, 9, size=200), draw.integers(0, 9, size=200))
    assert not are_alike(np.where(uniform < 0.001, np.nan, uniform), uniform)
