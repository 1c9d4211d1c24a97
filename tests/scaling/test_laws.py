"""One grid of properties that every law of the registry passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.estimate import find, problem
from isoflop.scaling.laws import LAWS, law_named, m4_below
from isoflop.scaling.settings import Gaussian, Huber
from isoflop.stats.newton import fit_model
from isoflop.stats.optimise import fit_exp_sum

STEP = 1e-6
"""Central differences err by step² times the third derivative, and by rounding over the step: 1e-9 here."""
RTOL_DERIVATIVE = 1e-6
RTOL_PLANTED = 1e-5
"""Noise-free rows: the objective falls to rounding squared, parameters in flat directions to 1e-6."""

TRUTH: dict[str, dict[str, float]] = {
    "power": {"A": 5.0, "alpha": 0.25},
    "power_floor": {"E": 0.3, "A": 4.0, "alpha": 0.35},
    "m3": {"beta": 6.0, "gamma": 2e-4, "c": 0.4},
    "m4": {"E": 0.15, "span": 0.8, "kappa": 0.7, "beta": 9.0, "c": 0.5},
    "shifted_power": {"E": 0.2, "A": 8.0, "alpha": 0.5, "s": 60.0},
    "log_linear": {"a": 2.5, "b": 0.17},
    "exponential": {"E": 0.4, "A": 2.0, "tau": 900.0},
    "inverse_linear": {"E": 0.4, "A": 30.0},
    "bnsl_0": {"a": 0.3, "b": 4.0, "c0": 0.35},
    "bnsl_1": {"a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.4, "d1": 400.0, "f1": 0.4},
    "bnsl_2": {
        "a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.4, "d1": 100.0, "f1": 0.3,
        "c2": -0.3, "d2": 5000.0, "f2": 0.3,
    },
    "bnsl_3": {
        "a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.5, "d1": 40.0, "f1": 0.2, "c2": -0.4, "d2": 900.0, "f2": 0.2,
        "c3": 0.3, "d3": 2e4, "f3": 0.2,
    },
    "sigmoid": {"lo": 0.2, "span": 0.6, "k": 0.9, "x0": 500.0},
    "chinchilla": {"A": 406.0, "B": 410.0, "E": 1.69, "alpha": 0.34, "beta": 0.28},
    "kaplan": {"alpha_N": 0.076, "alpha_D": 0.095, "N_c": 8.8e13, "D_c": 5.4e13},
    "coupled": {"A": 300.0, "B": 500.0, "E": 1.5, "alpha": 0.4, "beta": 0.35, "k": 0.8},
    "data_constrained": {
        "A": 521.0, "B": 1488.0, "E": 1.87, "alpha": 0.353, "beta": 0.353, "R_D": 15.4, "R_N": 5.3,
    },
    "overtrain": {"a": 200.0, "b": 300.0, "E": 1.6, "eta": 0.16},
    "precision": {
        "A": 406.0, "B": 410.0, "E": 1.69, "alpha": 0.34, "beta": 0.28, "gamma": 2.7, "C_T": 0.05,
        "gamma_D": 0.5, "gamma_N": 0.32, "gamma_post": 0.6,
    },
}  # fmt: skip
HARD_TO_FIND = {"bnsl_3"}
"""Twelve parameters: the starts lead to a neighbouring minimum; it is asked only to stay at the truth."""


def inputs_of(name: str, n: int = 60) -> np.ndarray:
    """Return ln inputs of a law, shape (k, n): five decades of x, or a cloud in (N, D) with repeats."""
    rng = np.random.default_rng(7)
    law = LAWS[name]
    if law.inputs == ("x",):
        return np.linspace(np.log(3.0), np.log(3e5), n)[None]
    tokens = rng.uniform(np.log(1e8), np.log(1e11), n)
    columns = {
        "params": rng.uniform(np.log(1e7), np.log(1e10), n),
        "tokens": tokens,
        "unique_tokens": tokens - np.maximum(rng.normal(0.0, 2.0, n), 0.0),
        "train_bits": np.log(rng.choice([3.0, 4.0, 6.0, 8.0, 16.0], n)),
        "post_bits": np.log(rng.choice([3.0, 4.0, 6.0, 8.0], n)),
    }
    return np.array([columns[column] for column in law.inputs])


@pytest.fixture(params=sorted(LAWS))
def planted(request):
    """Return a law, its true working parameters, inputs and noise-free ln y."""
    law = LAWS[request.param]
    theta, u = law.working(TRUTH[law.name]), inputs_of(law.name)
    return law, theta, u, law.log_predict(theta, u)[0]


def test_every_law_has_a_planted_truth_and_there_are_at_least_fifteen():
    assert set(TRUTH) == set(LAWS)
    assert len(LAWS) >= 15


def test_reported_parameters_return_from_working_ones(planted):
    law, theta, _, _ = planted
    reported = law.report(theta)
    assert list(reported) == list(law.names)
    for name, value in TRUTH[law.name].items():
        assert float(reported[name]) == pytest.approx(value, rel=1e-12)


def test_derivatives_are_those_of_the_formula(planted):
    law, truth, u, _ = planted
    theta = truth + np.random.default_rng(0).normal(0.0, 0.03, (4, law.p))
    value, first, second = law.derivatives(theta, u)
    np.testing.assert_allclose(value, law.log_predict(theta, u), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(first, law.gradient(theta, u)[1], rtol=1e-12, atol=1e-12)
    for j in range(law.p):
        nudge = np.zeros(law.p)
        nudge[j] = STEP
        (up, up_first), (down, down_first) = law.gradient(theta + nudge, u), law.gradient(theta - nudge, u)
        scale = RTOL_DERIVATIVE * (1.0 + np.abs(first).max())
        np.testing.assert_allclose(first[:, :, j], (up - down) / (2 * STEP), atol=scale)
        scale = RTOL_DERIVATIVE * (1.0 + np.abs(second).max())
        np.testing.assert_allclose(second[:, :, j], (up_first - down_first) / (2 * STEP), atol=scale)


def test_second_derivatives_contract_as_the_engine_needs_them(planted):
    law, theta, u, _ = planted
    weights = np.random.default_rng(1).normal(size=(1, u.shape[1]))
    contract = law.expand(theta, u, 2).contract
    whole = np.einsum("bn,bnij->bij", weights, law.derivatives(theta, u)[2])
    np.testing.assert_allclose(contract(weights), whole, rtol=1e-10, atol=1e-10 * np.abs(whole).max())


def test_slopes_are_those_of_ln_y_and_fall_under_the_planted_truth(planted):
    law, theta, u, _ = planted
    slope = law.slope(theta, u)[0]
    for k in range(len(u)):
        nudge = np.zeros((len(u), 1))
        nudge[k] = STEP
        numeric = (law.log_predict(theta, u + nudge) - law.log_predict(theta, u - nudge))[0] / (2 * STEP)
        # unique_tokens and repeats meet at a kink, where a difference straddles two slopes
        smooth = np.abs(slope[k] - numeric) < 1e-6
        assert smooth.mean() > (0.5 if law.same_unit else 0.999)
    resources = [k for k, name in enumerate(law.inputs) if name in ("x", "params", "tokens")]
    assert (slope[resources] <= 0).all() or law.name == "precision"


@pytest.mark.slow
@pytest.mark.ci
@given(shift=st.floats(-8.0, 8.0), other=st.floats(-8.0, 8.0))
@pytest.mark.parametrize("name", sorted(LAWS))
def test_units_of_inputs_leave_predictions_unchanged(name, shift, other):
    law, u = LAWS[name], inputs_of(name, 12)
    moves = np.resize([shift, other], len(u))
    for first, second in law.same_unit:
        moves[second] = moves[first]
    theta = law.working(TRUTH[name])
    matrix, offset = law.centre(moves)
    inner = np.linalg.solve(matrix, theta - offset)
    np.testing.assert_allclose(
        law.log_predict(inner, u - moves[:, None]), law.log_predict(theta, u), rtol=1e-9, atol=1e-9
    )
    if law.sum_of_powers is not None:
        assert not offset.any()


def test_a_floor_may_vanish_without_a_trace(planted):
    """Far below the smallest y a floor is zero: halving it again changes no prediction."""
    law, theta, u, _ = planted
    floors = [j for j, q in enumerate(law.parameters) if q.is_floor]
    without = {"power", "m3", "log_linear", "kaplan"}
    assert bool(floors) is (law.name not in without)
    for j in floors:
        low, lower = theta.copy(), theta.copy()
        low[j], lower[j] = -100.0, -100.7
        few = u[:, :15]  # further out an exponential has nothing left but its floor
        np.testing.assert_allclose(law.log_predict(low, few), law.log_predict(lower, few), atol=1e-12)


def test_each_vector_may_have_rows_of_its_own(planted):
    law, theta, u, log_y = planted
    both = law.log_predict(np.stack([theta, theta]), np.stack([u, u[:, ::-1]], axis=1))
    np.testing.assert_allclose(both, [log_y, log_y[::-1]], rtol=1e-13)


def test_sums_of_powers_predict_as_their_law(planted):
    law, theta, u, log_y = planted
    if law.sum_of_powers is None:
        assert law.name not in {"power_floor", "bnsl_0", "chinchilla", "overtrain"}
        return
    np.testing.assert_allclose(law.sum_of_powers(u).predict(theta, link="log"), log_y, rtol=1e-12)


def test_starts_are_finite_and_as_many_for_any_data(planted):
    law, _, u, log_y = planted
    starts = law.starts(u, log_y)
    assert starts.shape[1] == law.p
    assert np.isfinite(starts).all()
    assert np.isfinite(law.log_predict(starts, u)).all()
    rough = np.random.default_rng(3).normal(0.0, 1.0, u.shape[1])
    for odd in (rough, np.zeros_like(rough), log_y[::-1], log_y + 600.0, log_y - 600.0):
        found = law.starts(u, odd)
        assert found.shape == starts.shape
        assert np.isfinite(found).all()
    short = law.starts(u[:, : law.p + 1], log_y[: law.p + 1])
    assert short.shape == starts.shape
    assert np.isfinite(short).all()


def test_the_first_broken_law_has_at_least_nine_starts():
    u = inputs_of("bnsl_1")
    assert len(LAWS["bnsl_1"].starts(u, -0.3 * u[0])) >= 9


@pytest.mark.slow
@pytest.mark.ci
def test_planted_truth_is_recovered_by_the_general_engine(planted):
    law, truth, u, log_y = planted
    middle = law.middle(u)
    matrix, offset = law.centre(middle)
    starts = truth[None] + 0.01 if law.name in HARD_TO_FIND else law.starts(u, log_y)
    inner = np.linalg.solve(matrix, (starts - offset).T).T
    found = fit_model(
        law.model(u - middle[:, None]), log_y, starts=inner, exact=False, keep=6, max_iterations=400
    )
    best = found.theta[found.objective.argmin()] @ matrix.T + offset
    np.testing.assert_allclose(law.log_predict(best, u)[0], log_y, atol=1e-7)
    np.testing.assert_allclose(best, truth, rtol=RTOL_PLANTED, atol=RTOL_PLANTED)


def test_planted_truth_is_recovered_by_the_fast_engine(planted):
    law, truth, u, log_y = planted
    if law.sum_of_powers is None:
        assert law.centre(np.ones(len(u)))[0].shape == (law.p, law.p)
        return
    middle = law.middle(u)
    matrix, _ = law.centre(middle)
    starts = np.linalg.solve(matrix, law.starts(u, log_y).T).T
    found = fit_exp_sum(law.sum_of_powers(u - middle[:, None]), log_y, starts=starts, link="log")
    best = matrix @ found.theta[found.objective.argmin()]
    np.testing.assert_allclose(best, truth, rtol=RTOL_PLANTED, atol=RTOL_PLANTED)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", sorted(set(LAWS) - {"bnsl_2", "bnsl_3"}))
def test_a_noisy_fit_ends_no_higher_than_the_truth(name):
    law, u = LAWS[name], inputs_of(name)
    truth = law.working(TRUTH[name])
    noisy = law.log_predict(truth, u)[0] + np.random.default_rng(5).normal(0.0, 0.01, u.shape[1])
    one = problem(law, u, noisy, objective=Gaussian())
    found = find(one)
    assert found.best.objective <= one.values(truth[None])[0]
    assert found.best.kkt <= 1e-8
    np.testing.assert_allclose(one.values(found.best.theta[None])[0], found.best.objective, rtol=1e-9)


@given(st.integers(0, 200))
def test_a_power_law_is_certified_where_no_residual_is_small(seed):
    """Under a loss that is nearly absolute the exact Hessian of a line is zero almost everywhere."""
    law, u = LAWS["power"], inputs_of("power")
    noisy = 1.0 - 0.1 * u[0] + np.random.default_rng(seed).normal(0.0, 0.2, u.shape[1])
    found = find(problem(law, u, noisy, objective=Huber(delta=1e-3)))
    assert found.best.kkt <= 1e-8


def test_data_constrained_has_derivatives_where_exponents_vanish_or_turn():
    law, u = LAWS["data_constrained"], inputs_of("data_constrained")
    theta = law.working(TRUTH["data_constrained"])
    for alpha, beta in ((0.0, 0.3), (-0.5, 0.3), (0.3, -0.2), (1e-3, 1e-3)):
        theta[3:5] = alpha, beta
        value, first, second = law.derivatives(theta, u)
        assert np.isfinite(value).all()
        assert np.isfinite(first).all()
        assert np.isfinite(second).all()


def test_inputs_in_one_unit_are_centred_alike():
    law = LAWS["data_constrained"]
    u = inputs_of("data_constrained")
    assert law.middle(u)[1] == law.middle(u)[2]
    with pytest.raises(SettingError, match="must move alike"):
        law.centre(u.mean(axis=1))


def test_huge_magnitudes_stay_finite(planted):
    law, theta, _, _ = planted
    for size in (600.0, -600.0):
        u = np.full((len(law.inputs), 3), size)
        with np.errstate(over="ignore", under="ignore"):
            values = law.log_predict(theta, u)
        assert not np.isnan(values).any()


def test_too_few_distinct_inputs_are_refused(planted):
    law, _, u, _ = planted
    law.check(u)
    few = np.repeat(u[:, : law.p], 3, axis=1)
    with pytest.raises(
        EvidenceError, match=rf"{law.p} distinct .* for {law.p} free parameters, needs {law.p + 1}"
    ):
        law.check(few)


def test_one_ratio_of_tokens_to_parameters_is_refused(planted):
    law, _, u, _ = planted
    if len(u) == 1:
        assert law.inputs == ("x",)
        return
    ray = u.copy()
    ray[1] = ray[0] + np.log(20.0)
    with pytest.raises(EvidenceError, match=r"all runs have D/N = 20; alpha and beta cannot be told apart"):
        law.check(ray)
    near = ray.copy()
    near[1] += 1e-8 * np.random.default_rng(0).normal(size=u.shape[1])
    with pytest.raises(EvidenceError, match="collinear"):
        law.check(near)


def test_an_unknown_law_gets_the_nearest_name():
    with pytest.raises(SettingError, match="Did you mean 'chinchilla'"):
        law_named("chinchila")
    assert law_named("m3") is LAWS["m3"]


def test_m4_with_a_known_chance_level_is_m4():
    law, free = m4_below(0.95), LAWS["m4"]
    truth = TRUTH["m4"]
    u = inputs_of("m4")
    theta = law.working({key: truth[key] for key in law.names})
    np.testing.assert_allclose(
        law.log_predict(theta, u), free.log_predict(free.working(truth), u), rtol=1e-12
    )
    starts = law.starts(u, law.log_predict(theta, u)[0])
    assert np.isfinite(starts).all()
