"""How laws contain each other, and what each must do at its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, log_expit

from isoflop.errors import EvidenceError
from isoflop.scaling.laws import LAWS
from isoflop.scaling.laws.bent import log_odds
from isoflop.scaling.laws.scarce import effective
from isoflop.stats.jets import constants

RTOL = 1e-10
"""Two forms of one formula differ by rounding of logarithms of numbers up to 1e14."""

exponents = st.floats(0.05, 1.2)
log_sizes = st.floats(np.log(1e6), np.log(1e12))
SIZES = np.array([[14.0, 17.0, 20.0, 25.0], [20.0, 18.0, 24.0, 28.0]])


def log_y(name: str, u: np.ndarray, **reported: float) -> np.ndarray:
    law = LAWS[name]
    return law.log_predict(law.working(reported), u)[0]


@given(floor=st.floats(0.01, 5), scale=st.floats(0.01, 100), alpha=exponents)
def test_a_broken_law_without_breaks_is_a_power_law_with_a_floor(floor, scale, alpha):
    u = SIZES[:1]
    np.testing.assert_allclose(
        log_y("bnsl_0", u, a=floor, b=scale, c0=alpha),
        log_y("power_floor", u, E=floor, A=scale, alpha=alpha),
        rtol=RTOL,
    )


@given(alpha=exponents, beta=exponents, floor=st.floats(0.1, 3))
def test_coupled_with_k_one_is_chinchilla(alpha, beta, floor):
    shared = {"A": 300.0, "B": 900.0, "E": floor, "alpha": alpha, "beta": beta}
    np.testing.assert_allclose(
        log_y("coupled", SIZES, **shared, k=1.0), log_y("chinchilla", SIZES, **shared), rtol=RTOL
    )


@given(eta=st.floats(0.02, 0.5), a=st.floats(1, 1e4), b=st.floats(1, 1e4))
def test_overtraining_is_chinchilla_with_equal_exponents(eta, a, b):
    six = 6.0**-eta
    np.testing.assert_allclose(
        log_y("overtrain", SIZES, a=a, b=b, E=1.7, eta=eta),
        log_y("chinchilla", SIZES, A=a * six, B=b * six, E=1.7, alpha=2 * eta, beta=2 * eta),
        rtol=RTOL,
    )


def test_overtraining_matches_its_printed_formula():
    n, d = np.exp(SIZES)
    ratio, flop = d / n, 6 * n * d
    printed = 1.6 + (200 * ratio**0.16 + 300 * ratio**-0.16) * flop**-0.16
    np.testing.assert_allclose(np.exp(log_y("overtrain", SIZES, a=200, b=300, E=1.6, eta=0.16)), printed)


@given(alpha_n=st.floats(0.03, 0.3), alpha_d=st.floats(0.03, 0.3))
def test_kaplan_is_a_power_law_where_the_other_resource_is_unlimited(alpha_n, alpha_d):
    shared = {"alpha_N": alpha_n, "alpha_D": alpha_d, "N_c": 8.8e13, "D_c": 5.4e13}
    unlimited = np.full(4, 600.0)
    size, data = SIZES
    np.testing.assert_allclose(
        log_y("kaplan", np.array([size, unlimited]), **shared), alpha_n * (np.log(8.8e13) - size), rtol=1e-9
    )
    np.testing.assert_allclose(
        log_y("kaplan", np.array([np.full(4, 3000.0), data]), **shared),
        alpha_d * (np.log(5.4e13) - data),
        rtol=1e-9,
    )


def test_coupled_without_a_floor_and_with_beta_one_is_kaplan():
    alpha_n, alpha_d = 0.076, 0.095
    ratio = alpha_n / alpha_d
    np.testing.assert_allclose(
        log_y("coupled", SIZES, A=8.8e13**ratio, B=5.4e13, E=1e-200, alpha=ratio, beta=1.0, k=alpha_d),
        log_y("kaplan", SIZES, alpha_N=alpha_n, alpha_D=alpha_d, N_c=8.8e13, D_c=5.4e13),
        rtol=1e-9,
    )


CONSTRAINED = {"A": 521.0, "B": 1488.0, "E": 1.87, "alpha": 0.353, "beta": 0.4, "R_D": 15.4, "R_N": 5.3}


def test_fresh_data_and_modest_size_leave_chinchilla():
    u = np.array([[16.0, 18.0, 20.0], [22.0, 24.0, 26.0], [27.0, 27.0, 27.0]])
    plain = {key: CONSTRAINED[key] for key in ("A", "B", "E", "alpha", "beta")}
    np.testing.assert_allclose(
        log_y("data_constrained", u, **CONSTRAINED), log_y("chinchilla", u[:2], **plain), rtol=RTOL
    )


@given(log_sizes, log_sizes, st.floats(0, 12))
def test_repeated_tokens_and_excess_parameters_are_worth_no_more_than_fresh_ones(n, unique, repeats):
    u = np.array([[n], [unique + repeats], [unique]])
    theta = LAWS["data_constrained"].working(CONSTRAINED)
    size, data = effective(constants(theta[:, None, None]), constants(u))
    assert float(size.value.item()) <= n + 1e-9
    assert unique - 1e-9 <= float(data.value.item()) <= unique + repeats + 1e-9
    assert float(data.value.item()) <= unique + np.log1p(CONSTRAINED["R_D"]) + 1e-9


def test_repeats_follow_the_printed_formula():
    n, unique, repeats = np.exp(12.0), np.exp(25.0), 9.0
    u = np.log(np.array([[n], [unique * (1 + repeats)], [unique]]))
    r = CONSTRAINED["R_D"]
    data = unique + unique * r * (1 - np.exp(-repeats / r))
    printed = 1.87 + 521 * n**-0.353 + 1488 * data**-0.4
    assert np.exp(log_y("data_constrained", u, **CONSTRAINED))[0] == pytest.approx(printed, rel=1e-10)


def test_excess_parameters_begin_where_both_parts_of_the_loss_fall_alike():
    """At the best size for U tokens dL/dlnN = dL/dlnD, the condition of a minimum under C = 6ND."""
    unique = np.log(1e9)
    a, b, alpha, beta = (CONSTRAINED[key] for key in ("A", "B", "alpha", "beta"))
    best = (np.log(alpha * a) - np.log(beta * b) + beta * unique) / alpha
    slope = LAWS["chinchilla"].slope(
        LAWS["chinchilla"].working({"A": a, "B": b, "E": 1.87, "alpha": alpha, "beta": beta}),
        np.array([[best], [unique]]),
    )[0, :, 0]
    assert slope[0] == pytest.approx(slope[1], rel=1e-10)
    theta = LAWS["data_constrained"].working(CONSTRAINED)
    for offset, worn in ((-0.01, False), (0.01, True)):
        n = best + offset
        size, _ = effective(constants(theta[:, None, None]), constants(np.array([[n], [unique], [unique]])))
        assert bool(size.value.item() < n - 1e-6) is worn


def test_data_constrained_refuses_runs_that_never_repeat():
    rng = np.random.default_rng(0)
    u = rng.uniform(15, 25, (2, 30))
    with pytest.raises(EvidenceError, match="no run has more tokens than unique_tokens"):
        LAWS["data_constrained"].check(np.vstack([u, u[1] + 1.0]))


def test_precision_refuses_one_precision():
    rng = np.random.default_rng(0)
    u = np.vstack([rng.uniform(15, 25, (2, 30)), np.full(30, np.log(8)), rng.uniform(1, 2, 30)])
    with pytest.raises(EvidenceError, match="train_bits has one value"):
        LAWS["precision"].check(u)


def test_precision_with_many_bits_is_chinchilla():
    plain = {"A": 406.0, "B": 410.0, "E": 1.69, "alpha": 0.34, "beta": 0.28}
    bits = np.full((2, 4), np.log(200.0))
    np.testing.assert_allclose(
        log_y(
            "precision",
            np.vstack([SIZES, bits]),
            **plain,
            gamma=2.0,
            C_T=0.05,
            gamma_D=0.5,
            gamma_N=0.3,
            gamma_post=0.6,
        ),
        log_y("chinchilla", SIZES, **plain),
        rtol=RTOL,
    )


@given(target=st.floats(-60, 60), kappa=st.floats(0.02, 30))
def test_log_odds_solve_their_equation_as_a_bracketing_root_finder_does(target, kappa):
    def height(q: float) -> float:
        return float(log_expit(q) - kappa * log_expit(-q) - target)

    bracket = 70.0 * max(1.0, 1.0 / kappa)
    oracle = brentq(height, -bracket, bracket, xtol=1e-13, rtol=1e-14)
    assert float(log_odds(np.array(target), np.array(kappa))) == pytest.approx(oracle, rel=1e-9, abs=1e-9)


@given(
    floor=st.floats(0.01, 0.5), span=st.floats(0.01, 3), kappa=st.floats(0.05, 10), beta=st.floats(0.01, 100),
    c=st.floats(0.05, 2),
)  # fmt: skip
def test_m4_stays_between_its_levels_and_solves_its_equation(floor, span, kappa, beta, c):
    u = np.linspace(-20, 40, 61)[None]
    y = np.exp(log_y("m4", u, E=floor, span=span, kappa=kappa, beta=beta, c=c))
    assert (y >= floor * (1 - 1e-12)).all()
    assert (y <= (floor + span) * (1 + 1e-12)).all()
    assert (np.diff(y) <= 1e-12 * y[:-1]).all()
    share = (y - floor) / span
    inner = (share > 1e-6) & (share < 1 - 1e-6)
    left = np.log((y - floor)[inner]) - kappa * np.log((floor + span - y)[inner])
    np.testing.assert_allclose(left, np.log(beta) - c * u[0][inner], atol=1e-6 * (1 + kappa))


def test_m4_with_kappa_to_zero_is_a_power_law_with_a_floor():
    u = np.array([[5.0, 7.0, 9.0, 12.0]])
    np.testing.assert_allclose(
        log_y("m4", u, E=0.2, span=5.0, kappa=1e-9, beta=3.0, c=0.4),
        log_y("power_floor", u, E=0.2, A=3.0, alpha=0.4),
        rtol=1e-7,
    )


def test_m3_settles_at_beta_gamma_to_the_c():
    far = np.array([[200.0]])
    assert np.exp(log_y("m3", far, beta=6.0, gamma=2e-4, c=0.4))[0] == pytest.approx(
        6.0 * 2e-4**0.4, rel=1e-12
    )


@given(c1=st.floats(-0.5, 1), d1=st.floats(2, 8), f1=st.floats(0.05, 3))
def test_a_break_changes_the_slope_by_its_own_exponent(c1, d1, f1):
    """Of y − a the slope is −c0 − c1 s with s = (x/d)^(1/f) / (1 + (x/d)^(1/f))."""
    law, u = LAWS["bnsl_1"], np.linspace(0, 10, 21)[None]
    theta = law.working({"a": 1e-250, "b": 3.0, "c0": 0.2, "c1": c1, "d1": float(np.exp(d1)), "f1": f1})
    expected = -0.2 - c1 * expit((u[0] - d1) / f1)
    np.testing.assert_allclose(law.slope(theta, u)[0, 0], expected, rtol=1e-9, atol=1e-12)


def test_a_broken_law_matches_its_printed_formula():
    x = np.array([10.0, 100.0, 1e3, 1e4])
    printed = 0.1 + 3 * x**-0.1 * (1 + (x / 50) ** (1 / 0.4)) ** (-0.4 * 0.4) * (1 + (x / 2e3) ** 5) ** (
        0.3 * 0.2
    )
    found = log_y(
        "bnsl_2", np.log(x)[None], a=0.1, b=3, c0=0.1, c1=0.4, d1=50, f1=0.4, c2=-0.3, d2=2e3, f2=0.2
    )
    np.testing.assert_allclose(np.exp(found), printed, rtol=1e-9)


def test_sigmoid_runs_from_lo_plus_span_to_lo():
    ends = np.exp(
        log_y("sigmoid", np.array([[-200.0, 200.0, np.log(500.0)]]), lo=0.2, span=0.6, k=0.9, x0=500.0)
    )
    np.testing.assert_allclose(ends, [0.8, 0.2, 0.5], rtol=1e-12)


def test_a_line_that_crosses_zero_predicts_next_to_nothing_and_no_error():
    values = log_y("log_linear", np.array([[1.0, 20.0]]), a=2.0, b=0.2)
    assert values[0] == pytest.approx(np.log(1.8))
    assert values[1] == pytest.approx(np.log(1e-300))
