"""The general engine against independent optimisers, and its own rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares, minimize

from isoflop.errors import SettingError
from isoflop.stats.exp_sum import ExpSumDesign, Huber, SmoothAbsolute, Squared, StudentT
from isoflop.stats.jets import Expansion, exp, expansion, first_order, logaddexp, seeds
from isoflop.stats.newton import Ridge, fit_model
from isoflop.stats.optimise import fit_exp_sum

U = np.linspace(-2.0, 2.0, 40)
TRUTH = np.array([-1.0, 0.3, 0.6])
SAME_OPTIMUM = 1e-7
"""Parameters at one optimum found by two methods: both stop at gradients below 1e-8."""


def floor_model(theta, problems, order):
    """ln(exp(e) + exp(a − alpha u)), the law most fits use."""
    e, a, alpha = seeds(theta.T[:, :, None])
    if order < 2:
        e, a, alpha = first_order((e, a, alpha))
    return expansion(logaddexp(e, a - alpha * U), 3, (len(theta), len(U)))


def value_of(theta):
    return np.logaddexp(theta[0], theta[1] - theta[2] * U)


def noisy(seed: int = 0, size: float = 0.02) -> np.ndarray:
    return value_of(TRUTH) + np.random.default_rng(seed).normal(0.0, size, len(U))


STARTS = np.array([[-2.0, 0.0, 0.3], [-0.5, 0.5, 1.0], [-3.0, 1.0, 0.2]])


def test_least_squares_agree_with_scipy():
    y = noisy()
    found = fit_model(floor_model, y, starts=STARTS)
    oracle = least_squares(lambda t: value_of(t) - y, TRUTH, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.certified.all()
    for theta in found.theta:
        assert theta == pytest.approx(oracle.x, abs=SAME_OPTIMUM)
    assert found.objective == pytest.approx([2 * oracle.cost] * 3)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("loss", [Squared(), Huber(1e-2), SmoothAbsolute(1e-3), StudentT(4.0, 0.02)])
def test_every_loss_agrees_with_the_engine_for_sums_of_exponentials(loss, exact):
    one, zero = np.ones_like(U), np.zeros_like(U)
    design = ExpSumDesign(
        terms=(np.column_stack([one, zero, zero]), np.column_stack([zero, one, -U])),
    )
    y, weights = noisy(1), np.random.default_rng(2).uniform(0.5, 2.0, len(U))
    fast = fit_exp_sum(design, y, starts=TRUTH, weights=weights, loss=loss, link="log")
    found = fit_model(
        floor_model, y, starts=TRUTH + 0.05, weights=weights, loss=loss, exact=exact, max_iterations=2000
    )
    assert found.objective[0] == pytest.approx(fast.objective[0], rel=1e-9)
    assert found.theta[0] == pytest.approx(fast.theta[0], abs=1e-4 if not exact else 1e-6)


def test_a_rough_loss_agrees_with_a_simplex_search():
    y, loss = noisy(3, 0.05), Huber(0.01)
    found = fit_model(floor_model, y, starts=STARTS, loss=loss)
    simplex = minimize(
        lambda t: loss.value(value_of(t) - y).sum(),
        TRUTH,
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000},
    )
    assert found.objective.min() <= simplex.fun + 1e-12
    assert found.objective.min() == pytest.approx(simplex.fun, rel=1e-6)


def test_a_batch_ends_where_its_problems_end_alone():
    rng = np.random.default_rng(4)
    y = noisy(4)
    weights = rng.multinomial(len(U), np.full(len(U), 1 / len(U)), size=6).astype(float)
    together = fit_model(floor_model, y, starts=STARTS, weights=weights)
    assert together.theta.shape == (18, 3)
    for row, w in enumerate(weights):
        alone = fit_model(floor_model, y, starts=STARTS, weights=w)
        assert together.theta[3 * row : 3 * row + 3] == pytest.approx(alone.theta, abs=1e-9)
    best = together.best_of(6)
    assert (best // 3).tolist() == list(range(6))


def test_more_problems_than_a_chunk_are_all_solved():
    y = np.vstack([noisy(seed) for seed in range(300)])
    found = fit_model(floor_model, y, starts=TRUTH, exact=False)
    assert found.certified.all()
    oracle = least_squares(lambda t: value_of(t) - y[277], TRUTH, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.theta[277] == pytest.approx(oracle.x, abs=SAME_OPTIMUM)


def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row():
    y = noisy(5)
    weights = np.ones(len(U))
    weights[3], weights[10:20] = 2.0, 0.0
    spoilt = y.copy()
    spoilt[12] = 1e6
    found = fit_model(floor_model, spoilt, starts=STARTS[:1], weights=weights)
    rows = [*range(10), 3, *range(20, len(U))]
    oracle = least_squares(lambda t: (value_of(t) - y)[rows], TRUTH, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.theta[0] == pytest.approx(oracle.x, abs=SAME_OPTIMUM)


def test_a_row_without_weight_may_be_impossible():
    def model(theta, problems, order):
        found = floor_model(theta, problems, order)
        value, jacobian = found.value.copy(), found.jacobian.copy()
        value[:, -1], jacobian[:, :, -1] = np.nan, np.inf
        return Expansion(value=value, jacobian=jacobian)

    weights = np.ones(len(U))
    weights[-1] = 0.0
    found = fit_model(model, noisy(6), starts=TRUTH, weights=weights)
    assert found.certified.all()
    impossible = fit_model(model, noisy(6), starts=TRUTH, max_iterations=5)
    assert not impossible.certified.any()
    assert np.isfinite(impossible.objective).all()


@given(st.integers(0, 50), st.floats(0.01, 100.0))
def test_a_ridge_on_a_line_has_its_closed_form(seed, strength):
    rng = np.random.default_rng(seed)
    x, y, centre = rng.normal(size=(2, 15)), rng.normal(size=15), rng.normal(size=2)

    def line(theta, problems, order):
        a, b = seeds(theta.T[:, :, None])
        return expansion(a * x[0] + b * x[1], 2, (len(theta), 15))

    found = fit_model(line, y, starts=np.zeros(2), ridge=Ridge(centre=centre, strength=np.full(2, strength)))
    closed = np.linalg.solve(x @ x.T + strength * np.eye(2), x @ y + strength * centre)
    assert found.theta[0] == pytest.approx(closed, abs=1e-8)


def test_ridges_may_differ_between_rows_of_weights():
    strength = np.array([[1e9] * 3, [1e-12] * 3])
    centre = np.vstack([TRUTH + 0.5, TRUTH])
    found = fit_model(
        floor_model,
        noisy(7),
        starts=TRUTH,
        weights=np.ones((2, len(U))),
        ridge=Ridge(centre=centre, strength=strength),
    )
    assert found.theta[0] == pytest.approx(TRUTH + 0.5, abs=1e-6)
    assert np.abs(found.theta[1] - TRUTH).max() < 0.3


def test_a_screen_keeps_the_best_starts_of_each_row():
    starts = np.vstack([STARTS, np.random.default_rng(8).normal(0, 3, (20, 3))])
    found = fit_model(
        floor_model, noisy(8), starts=starts, weights=np.ones((2, len(U))), keep=2, max_iterations=0
    )
    every = fit_model(floor_model, noisy(8), starts=starts, max_iterations=0)
    assert found.objective.reshape(2, 2) == pytest.approx(np.tile(np.sort(every.objective)[:2], (2, 1)))


def test_rows_of_weights_may_have_starts_of_their_own():
    starts = np.stack([STARTS, STARTS[::-1]])
    found = fit_model(floor_model, noisy(9), starts=starts, weights=np.ones((2, len(U))), max_iterations=0)
    assert found.theta.reshape(2, 3, 3).tolist() == starts.tolist()


def test_no_iteration_makes_the_objective_worse():
    y = noisy(10, 0.3)
    paths = [
        fit_model(floor_model, y, starts=STARTS, loss=Huber(1e-3), max_iterations=k).objective
        for k in range(0, 40, 4)
    ]
    assert (np.diff(paths, axis=0) <= 1e-12).all()


def test_a_start_far_outside_does_not_break_its_neighbours():
    def steep(theta, problems, order):
        a, b = seeds(theta.T[:, :, None])
        return expansion(exp(a + b * U), 2, (len(theta), len(U)))

    y = np.exp(0.2 - 0.5 * U)
    found = fit_model(steep, y, starts=np.array([[900.0, 0.0], [0.0, 0.0]]))
    assert found.theta[1] == pytest.approx([0.2, -0.5], abs=1e-8)
    assert not found.certified[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.full(len(U), np.nan)}, "y holds NaN"),
        ({"starts": np.full(3, np.inf)}, "starts holds NaN or infinity"),
        ({"weights": -np.ones(len(U))}, "a weight is negative"),
        ({"weights": np.ones(3)}, "one column per row"),
        ({"weights": np.ones((2, len(U))), "y": np.ones((3, len(U)))}, "one row, or one per replicate"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    given = {"y": noisy(), "starts": TRUTH, "weights": np.ones(len(U))} | change
    with pytest.raises(SettingError, match=message):
        fit_model(floor_model, given["y"], starts=given["starts"], weights=given["weights"])
