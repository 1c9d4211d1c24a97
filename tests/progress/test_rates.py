"""Rates of progress: formulas by law, the numeric rule against SciPy, invariances, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from isoflop.errors import NotIdentifiedError
from isoflop.progress.fit import fit
from isoflop.progress.model import LAWS, Features, Normalisers, model
from isoflop.progress.rates import (
    REFERENCE_FLOP,
    REFERENCE_YEAR,
    allocation,
    bracketed_root,
    loss_at,
    numeric_doubling_years,
    rate,
    term_rates,
)
from isoflop.progress.settings import L1, Starts
from tests.progress.by_hand import hand_fit, theta_of

# The rule asks for a root to 1e-10 in loss; bisection to rounding leaves about 1e-15.
RESIDUAL = 1e-10
# Closed forms divide differences of designs, which lose a few digits of 16.
CLOSED_RTOL = 1e-11
BASE = Normalisers(parameters=2e6, data=9e5, year=2012.5, compute=1e13)
BENCHMARKS = ("WT103", "PTB", "WT2")
NUMERIC_LAWS = [n for n in LAWS if LAWS[n].has_time]
exponents = st.floats(min_value=0.01, max_value=0.3)
yearly = st.floats(min_value=-0.1, max_value=0.1)


def law(number: int):
    return model(number, benchmarks=BENCHMARKS, normalisers=BASE)


def set_to(chosen, **values: float) -> np.ndarray:
    theta = theta_of(chosen)
    for name, value in values.items():
        theta[chosen.index(name)] = value
    return theta


@given(exponents, exponents, yearly, yearly)
def test_growth_of_effective_compute_is_the_sum_of_both_terms(an, bd, ay, by):
    chosen = law(7)
    theta = set_to(chosen, alpha_param=an, beta_data=bd, alpha_year=ay, beta_year=by)
    assert rate(chosen, theta) == pytest.approx(ay / an + by / bd, rel=CLOSED_RTOL, abs=1e-12)
    np.testing.assert_allclose(term_rates(chosen, theta), [ay / an, by / bd], rtol=1e-9, atol=1e-12)


@given(exponents, exponents, st.floats(0.001, 0.1), st.floats(0.001, 0.1))
def test_halving_times_of_the_terms_add_as_reciprocals(an, bd, ay, by):
    chosen = law(7)
    theta = set_to(chosen, alpha_param=an, beta_data=bd, alpha_year=ay, beta_year=by)
    t_n, t_d = np.log(2) / term_rates(chosen, theta)
    assert t_n == pytest.approx(np.log(2) * an / ay, rel=1e-9)
    assert t_d == pytest.approx(np.log(2) * bd / by, rel=1e-9)
    assert np.log(2) / rate(chosen, theta) == pytest.approx(1 / (1 / t_n + 1 / t_d), rel=1e-9)


@pytest.mark.parametrize("number", [2, 8])
def test_laws_without_parameter_progress_take_all_from_data(number):
    chosen = law(number)
    assert term_rates(chosen, theta_of(chosen)) == pytest.approx([0.0, 0.03 / 0.05])


@pytest.mark.parametrize("number", [3, 9])
def test_laws_without_data_progress_take_all_from_parameters(number):
    chosen = law(number)
    assert term_rates(chosen, theta_of(chosen)) == pytest.approx([0.02 / 0.10, 0.0])


@pytest.mark.parametrize("number", [4, 5, 6, 10, 11])
@pytest.mark.parametrize(("code", "shift"), [(1, 0.011), (2, -0.007)])
def test_rates_by_benchmark_take_their_shifts(number, code, shift):
    kind = LAWS[number]
    ay, an, by, bd = 0.02, 0.10, 0.03, 0.05
    if kind.first.year == "benchmark":
        ay += shift
    if kind.second.year == "benchmark":
        by += shift
    if number == 11:
        an, bd = an + shift, bd + shift
    chosen = law(number)
    assert rate(chosen, theta_of(chosen), benchmark=code) == pytest.approx(ay / an + by / bd, rel=1e-9)
    assert rate(chosen, theta_of(chosen)) == pytest.approx(0.02 / 0.10 + 0.03 / 0.05, rel=1e-9)


def test_rates_by_class_use_the_exponents_of_the_class():
    chosen = law(13)
    theta = theta_of(chosen)
    assert rate(chosen, theta, is_transformer=False) == pytest.approx(0.02 / 0.10 + 0.03 / 0.05, rel=1e-9)
    assert rate(chosen, theta, is_transformer=True) == pytest.approx(0.02 / 0.113 + 0.03 / 0.063, rel=1e-9)


def test_common_rate_and_common_factor_are_one_law():
    tied, factor = law(12), law(21)
    a = theta_of(tied)
    rows = Features.of(parameters=[1e7, 1e9], data=[1e8, 1e10], year=[2015.0, 2022.0], benchmark=1)
    b = np.array([0.02 if n == "gamma_year" else a[tied.index(n)] for n in factor.names])
    assert rate(tied, a) == pytest.approx(0.02 / 0.10 + 0.02 / 0.05, rel=1e-9)
    assert rate(factor, b) == pytest.approx(float(rate(tied, a)), rel=1e-12)
    np.testing.assert_allclose(factor.design(rows).predict(b), tied.design(rows).predict(a), rtol=1e-13)


def test_law_in_compute_has_one_rate():
    chosen = law(18)
    assert rate(chosen, theta_of(chosen)) == pytest.approx(0.02 / 0.06, rel=1e-9)


def test_common_factor_beside_own_rates_counts_in_both_terms():
    chosen = law(22)
    assert rate(chosen, theta_of(chosen)) == pytest.approx(0.03 / 0.10 + 0.04 / 0.05, rel=1e-9)


@pytest.mark.parametrize("number", [16, 17])
def test_laws_without_time_are_refused(number):
    chosen = law(number)
    for ask in (rate, numeric_doubling_years):
        with pytest.raises(NotIdentifiedError, match=f"law {number} has no time term"):
            ask(chosen, theta_of(chosen))


def test_a_term_without_exponent_gives_an_infinite_rate_and_without_both_none():
    chosen = law(7)
    assert rate(chosen, set_to(chosen, beta_data=0.0)) == np.inf
    assert rate(chosen, set_to(chosen, beta_data=0.0, beta_year=-0.01)) == -np.inf
    assert rate(chosen, set_to(chosen, beta_data=0.0, beta_year=0.0)) == pytest.approx(0.2, rel=1e-9)


def test_rates_keep_the_shape_of_the_draws():
    for number in (7, 15):
        chosen = law(number)
        draws = theta_of(chosen) * np.random.default_rng(0).normal(1, 0.05, (4, 3, len(chosen.names)))
        together = rate(chosen, draws)
        assert together.shape == (4, 3)
        assert together[2, 1] == pytest.approx(float(rate(chosen, draws[2, 1])), rel=1e-12)


def test_split_year_adds_its_rate_from_that_year_on():
    from isoflop.progress.model import Options

    chosen = model(7, benchmarks=BENCHMARKS, normalisers=BASE, options=Options(split_year=2017.0))
    theta = np.array(
        [0.004 if n.endswith("year_after") else theta_of(law(7))[law(7).index(n)] for n in chosen.names]
    )
    before, after = (float(rate(chosen, theta, year=y)) for y in (2014.0, 2020.0))
    assert before == pytest.approx(0.02 / 0.1 + 0.03 / 0.05, rel=1e-9)
    assert after == pytest.approx(0.024 / 0.1 + 0.034 / 0.05, rel=1e-9)


def least(chosen, theta, size: float, year: float) -> tuple[float, float]:
    """Search the best split of N·D = e^size with SciPy; no closed form."""
    found = minimize_scalar(
        lambda u: one_loss(chosen, theta, u, size - u, year),
        bounds=(-80.0, size + 80.0),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.x), float(found.fun)


def one_loss(chosen, theta, log_n: float, log_d: float, year: float) -> float:
    rows = Features.of(parameters=np.exp(log_n), data=np.exp(log_d), year=year)
    return float(chosen.design(rows).predict(theta)[0])


@pytest.mark.parametrize("number", NUMERIC_LAWS)
def test_numeric_rule_agrees_with_exact_zero_finding(number):
    chosen = law(number)
    theta = theta_of(chosen)
    size = np.log(REFERENCE_FLOP / 6)
    years = float(numeric_doubling_years(chosen, theta))
    log_n, today = least(chosen, theta, size, REFERENCE_YEAR)
    if LAWS[number].second is None:
        log_n = size / 2
    _, target = least(chosen, theta, size + np.log(2), REFERENCE_YEAR)
    assert today > target
    exact = brentq(
        lambda t: one_loss(chosen, theta, log_n, size - log_n, REFERENCE_YEAR + t) - target,
        0.0,
        1e5,
        xtol=1e-13,
    )
    # the searched split is known to about sqrt(machine epsilon), its loss to the epsilon
    assert years == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("number", NUMERIC_LAWS)
def test_numeric_root_leaves_no_residual(number):
    chosen = law(number)
    draws = theta_of(chosen) * np.random.default_rng(3).normal(1, 0.05, (50, len(chosen.names)))
    size = np.log(REFERENCE_FLOP / 6)
    years = numeric_doubling_years(chosen, draws)
    log_n = allocation(chosen, draws, np.array([size]), year=REFERENCE_YEAR)
    twice = allocation(chosen, draws, np.array([size + np.log(2)]), year=REFERENCE_YEAR)
    target = loss_at(chosen, draws, twice, size + np.log(2) - twice, year=REFERENCE_YEAR)
    reached = loss_at(chosen, draws, log_n, size - log_n, year=REFERENCE_YEAR + years)
    assert np.isfinite(years).all()
    assert np.abs(reached - target).max() <= RESIDUAL


def test_numeric_rule_is_near_the_closed_form_for_law_7():
    chosen = law(7)
    draws = theta_of(chosen) * np.random.default_rng(1).normal(1, 0.05, (100, len(chosen.names)))
    ratio = numeric_doubling_years(chosen, draws) * rate(chosen, draws) / np.log(2)
    assert np.abs(ratio - 1).max() < 0.03
    assert np.abs(ratio - 1).max() > 1e-4  # a finite step: agreement to rounding would be a tautology


@given(exponents, exponents, st.floats(1e18, 1e26))
def test_allocation_beats_every_other_split(an, bd, flop):
    chosen = law(7)
    theta = set_to(chosen, alpha_param=an, beta_data=bd)[None]
    size = np.log(np.array([flop]) / 6)
    log_n = allocation(chosen, theta, size, year=2020.0)
    best = loss_at(chosen, theta, log_n, size - log_n, year=2020.0)
    for step in (-0.5, 0.5):
        assert loss_at(chosen, theta, log_n + step, size - log_n - step, year=2020.0) > best


@pytest.mark.parametrize("name", ["alpha_param", "beta_data"])
@pytest.mark.parametrize("value", [0.0, -0.05])
def test_no_allocation_where_size_does_not_help(name, value):
    chosen = law(7)
    theta = set_to(chosen, **{name: value})[None]
    assert np.isnan(allocation(chosen, theta, np.array([50.0]), year=2020.0)).all()
    assert np.isnan(numeric_doubling_years(chosen, theta)).all()


def test_a_law_that_gets_worse_has_a_negative_doubling_time():
    chosen = law(7)
    theta = set_to(chosen, alpha_year=-0.02, beta_year=-0.03)
    assert numeric_doubling_years(chosen, theta) < 0


def test_slow_progress_of_law_14_is_a_long_time_and_not_missing():
    chosen = law(14)
    years = float(numeric_doubling_years(chosen, theta_of(chosen)))
    assert years > 200
    assert float(rate(chosen, theta_of(chosen))) == pytest.approx(np.log(2) / years)


@settings(max_examples=10)
@given(st.floats(-20.0, 20.0))
def test_rate_of_law_7_does_not_depend_on_the_year_itself(shift):
    chosen = law(7)
    theta = theta_of(chosen)
    assert rate(chosen, theta, year=2023.0 + shift) == pytest.approx(float(rate(chosen, theta)), rel=1e-9)


def test_rate_of_an_unpenalised_fit_does_not_depend_on_the_date_origin(planted):
    base = planted.normalisers
    moved = Normalisers(
        parameters=base.parameters, data=base.data, year=base.year + 4.0, compute=base.compute
    )
    here, there = (
        fit(planted, penalty=L1(delta=0.0, normalisers=n), starts=Starts(count=8)) for n in ("sample", moved)
    )
    assert here.objective == pytest.approx(there.objective, abs=1e-10)
    # both ends are certified to 1e-8 in the gradient, which the flat direction of G turns into 1e-5
    assert here.rate.value == pytest.approx(there.rate.value, rel=1e-5)


def test_roots_are_found_on_both_sides_and_the_nearest_is_taken():
    targets = np.array([0.3, -0.3, 100.0, -40.0, 1e-9])
    found = bracketed_root(lambda x: x - targets, 5, low=-60.0, high=200.0, near=0.0)
    np.testing.assert_allclose(found, targets, rtol=1e-12, atol=1e-15)
    two = bracketed_root(lambda x: (x - 1.0) * (x + 30.0), 1, low=-60.0, high=200.0, near=0.0)
    assert two[0] == pytest.approx(1.0)


def test_a_function_without_a_root_gives_a_missing_one():
    found = bracketed_root(lambda x: np.exp(-x) + 1.0, 3, low=-60.0, high=200.0, near=0.0)
    assert np.isnan(found).all()


@pytest.mark.public_data
def test_published_point_gives_its_halving_times(published):
    fitted = fit(published, compat="paper")
    assert 12 * np.log(2) / float(rate(fitted.model, fitted.theta)) == pytest.approx(8.68, abs=0.01)
    numeric = 12 * float(numeric_doubling_years(fitted.model, fitted.theta))
    assert numeric == pytest.approx(8.68, rel=0.02)


def test_hand_made_fits_carry_the_rate_of_their_parameters(planted):
    fitted = hand_fit(planted, reps=30)
    assert fitted.rate.value == pytest.approx(0.02 / 0.1 + 0.03 / 0.05, rel=1e-9)
    assert fitted.rate.low < fitted.rate.value < fitted.rate.high
