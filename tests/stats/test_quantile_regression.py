"""Quantile regression: certificate, equivariance, coverage, and statsmodels as an oracle."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.stats.quantile_regression import MAX_GAP, quantile_regression

SOLVER = 1e-7
"""The program is solved to 1e-9 in the scaled outcome; vertices are then exact."""


def problem(seed, n=60):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-5, 5, n)
    return np.column_stack([np.ones(n), x]), 1 + 0.5 * x + rng.standard_t(3, n)


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_minimum_is_certified_and_splits_the_rows_at_the_quantile(seed, q):
    design, y = problem(seed)
    fit = quantile_regression(design, y, q=q)
    assert fit.gap <= MAX_GAP
    rest = y - design @ fit.coefficients
    on_line = np.abs(rest) < 1e-9
    assert on_line.sum() >= 2
    assert (rest < -1e-9).sum() <= q * y.size <= (rest < 1e-9).sum()


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-10, 10))
def test_scaling_the_outcome_and_adding_a_line_moves_the_line_alike(seed, scale, slope):
    design, y = problem(seed)
    plain = quantile_regression(design, y, q=0.5)
    moved = quantile_regression(design, scale * y + design @ [0.0, slope], q=0.5)
    assert moved.objective == pytest.approx(scale * plain.objective, rel=SOLVER)
    np.testing.assert_allclose(
        moved.coefficients, scale * plain.coefficients + [0, slope], rtol=1e-6, atol=1e-6
    )


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_negating_the_outcome_swaps_the_quantiles(seed):
    design, y = problem(seed)
    upper, lower = quantile_regression(design, y, q=0.8), quantile_regression(design, -y, q=0.2)
    assert upper.objective == pytest.approx(lower.objective, rel=SOLVER)
    np.testing.assert_allclose(upper.coefficients, -lower.coefficients, atol=1e-6)


@pytest.mark.slow
@pytest.mark.ci
def test_intervals_of_the_slope_hold_the_truth_about_as_often_as_they_say():
    held = 0
    for seed in range(150):
        design, y = problem(seed, n=120)
        _, low, high = quantile_regression(design, y, q=0.5).contrast([0, 1])
        held += low <= 0.5 <= high
    # Two-sided 99.9 % range of 150 draws at .95, and the slight excess of a kernel sandwich.
    assert 0.88 <= held / 150 <= 1.0


def test_rows_on_one_line_leave_no_interval_and_say_so():
    fit = quantile_regression([[1, 0], [1, 1], [1, 2], [1, 3], [1, 4]], [0, 1, 2, 3, 40], q=0.5)
    assert fit.covariance is None
    assert "one line" in fit.without
    value, low, high = fit.contrast([0, 1])
    assert value == pytest.approx(1.0)
    assert low is None
    assert high is None


def test_an_outcome_that_stands_still_is_fitted_exactly():
    design, _ = problem(0)
    fit = quantile_regression(design, np.full(60, 20.0))
    np.testing.assert_allclose(fit.coefficients, [20.0, 0.0], atol=1e-9)
    assert fit.covariance is None


def test_bad_input_is_refused():
    design, y = problem(0)
    with pytest.raises(SettingError, match="q=1"):
        quantile_regression(design, y, q=1.0)
    with pytest.raises(NoFitError, match="condition"):
        quantile_regression(np.column_stack([design, design[:, 1]]), y)
    with pytest.raises(EvidenceError, match="2 rows for 2 coefficients"):
        quantile_regression(design[:2], y[:2])


@pytest.mark.slow
@pytest.mark.parametrize("q", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_coefficients_are_those_of_statsmodels(seed, q):
    quantreg = pytest.importorskip("statsmodels.regression.quantile_regression")
    design, y = problem(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = quantreg.QuantReg(y, design).fit(q=q, max_iter=5000, p_tol=1e-10)
    ours = quantile_regression(design, y, q=q)
    rest = y - design @ oracle.params
    assert ours.objective <= np.where(rest > 0, q * rest, (q - 1) * rest).sum() * (1 + SOLVER)
    np.testing.assert_allclose(ours.coefficients, oracle.params, atol=1e-3)
