"""The engine: certificates, SciPy as oracle, and the invariances a fit must have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares, minimize

from isoflop.errors import NoFitError, SettingError
from isoflop.stats.exp_sum import ExpSumDesign, Huber
from isoflop.stats.multistart import all_minima, random_starts
from isoflop.stats.optimise import evaluate, fit_exp_sum
from isoflop.stats.solutions import CERTIFIED_KKT

SAME_OBJECTIVE = 1e-12
"""Two runs that meet a KKT residual of 1e-8 agree in F to the square of it over the curvature."""


def problem(seed: int = 0, n: int = 60, noise: float = 0.1) -> tuple[ExpSumDesign, np.ndarray, np.ndarray]:
    """Return a two-term design (5 parameters), observations and the planted parameters."""
    rng = np.random.default_rng(seed)
    t, size, data = rng.random(n) * 10, rng.random(n) * 8, rng.random(n) * 9
    one, zero = np.ones(n), np.zeros(n)
    first = np.column_stack([one, -t, -size, zero, zero])
    second = np.column_stack([zero, zero, zero, one, -data])
    d = ExpSumDesign(terms=(first, second))
    truth = np.array([1.0, 0.03, 0.12, 0.8, 0.05])
    return d, d.predict(truth) + noise * rng.normal(size=n), truth


STARTS = random_starts(np.array([0.7, 0.05, 0.1, 0.7, 0.1]), 12, seed=1)


@pytest.mark.parametrize("seed", range(4))
def test_without_penalty_it_equals_scipy_least_squares(seed):
    d, y, truth = problem(seed)
    best = all_minima(d, y, starts=STARTS)[0]
    oracle = least_squares(
        lambda theta: d.predict(theta) - y, truth, jac=d.jacobian, xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    assert best.objective <= oracle.cost * 2 / d.n + SAME_OBJECTIVE


@pytest.mark.parametrize("delta", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_with_penalty_it_is_never_above_a_tight_bounded_solver(delta, seed):
    d, y, _ = problem(seed)

    def split(z: np.ndarray) -> float:
        theta = z[:5] - z[5:]
        return float(np.mean((d.predict(theta) - y) ** 2) + delta * z.sum())

    ours = all_minima(d, y, starts=STARTS, l1=delta)[0]
    start = np.concatenate([np.maximum(ours.theta, 0) + 0.01, np.maximum(-ours.theta, 0) + 0.01])
    oracle = minimize(
        split, start, method="SLSQP", bounds=[(0, None)] * 10, options={"ftol": 1e-16, "maxiter": 2000}
    )
    assert ours.objective <= oracle.fun + 1e-9
    assert ours.kkt <= CERTIFIED_KKT


@pytest.mark.slow
@pytest.mark.ci
@given(seed=st.integers(0, 500), delta=st.sampled_from([0.0, 0.002, 0.02, 0.2]))
def test_certificate_is_the_kkt_residual(seed, delta):
    d, y, _ = problem(seed, n=25)
    found = fit_exp_sum(d, y, starts=STARTS[:4], l1=delta)
    for theta, kkt, certified in zip(found.theta, found.kkt, found.certified, strict=True):
        gradient = 2 * d.jacobian(theta).T @ (d.predict(theta) - y) / d.n
        free = np.abs(gradient + delta * np.sign(theta))
        residual = np.where(theta == 0, np.maximum(np.abs(gradient) - delta, 0), free).max()
        assert residual == pytest.approx(kkt, abs=1e-12)
        assert bool(certified) == (kkt <= CERTIFIED_KKT)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 500))
def test_row_order_does_not_matter(seed):
    d, y, _ = problem(seed % 7)
    order = np.random.default_rng(seed).permutation(d.n)
    straight = all_minima(d, y, starts=STARTS, l1=0.005)[0]
    shuffled = all_minima(d.rows(order), y[order], starts=STARTS, l1=0.005)[0]
    assert straight.objective == pytest.approx(shuffled.objective, abs=SAME_OBJECTIVE)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 500))
def test_repeating_a_row_equals_weighting_it(seed):
    d, y, _ = problem(2)
    times = np.random.default_rng(seed).integers(0, 4, size=d.n)
    times[:6] = np.maximum(times[:6], 1)
    rows = np.repeat(np.arange(d.n), times)
    weighted = all_minima(d, y, starts=STARTS, weights=times / times.sum(), l1=0.005)[0]
    repeated = all_minima(d.rows(rows), y[rows], starts=STARTS, l1=0.005)[0]
    assert weighted.objective == pytest.approx(repeated.objective, abs=SAME_OBJECTIVE)


@pytest.mark.slow
@pytest.mark.ci
def test_every_problem_of_a_batch_equals_its_own_run():
    d, y, _ = problem(1)
    rng = np.random.default_rng(0)
    weights = rng.multinomial(d.n, np.full(d.n, 1 / d.n), size=9) / d.n
    starts = np.tile(STARTS[:3], (9, 1))
    together = fit_exp_sum(d, y, starts=starts, weights=weights, l1=0.005, chunk=7)
    for i in range(27):
        alone = fit_exp_sum(d, y, starts=starts[i], weights=weights[i // 3], l1=0.005)
        assert together.objective[i] == pytest.approx(alone.objective[0], abs=1e-9)


def test_permuted_replicates_give_permuted_answers():
    d, y, _ = problem(1)
    weights = np.random.default_rng(5).multinomial(d.n, np.full(d.n, 1 / d.n), size=40) / d.n
    order = np.random.default_rng(6).permutation(40)
    straight = fit_exp_sum(d, y, starts=STARTS[1], weights=weights, l1=0.002)
    permuted = fit_exp_sum(d, y, starts=STARTS[1], weights=weights[order], l1=0.002)
    np.testing.assert_allclose(permuted.objective, straight.objective[order], atol=SAME_OBJECTIVE)


def test_more_starts_never_raise_the_objective():
    d, y, _ = problem(3)
    few = all_minima(d, y, starts=STARTS[:2], l1=0.01)[0]
    more = all_minima(d, y, starts=STARTS, l1=0.01)[0]
    assert more.objective <= few.objective + SAME_OBJECTIVE


def test_a_planted_second_minimum_is_listed():
    # y falls with either of two nearly equal columns; the penalty makes using one of them cheaper
    # than sharing, so there are two minima, and each start finds the nearer one.
    rng = np.random.default_rng(0)
    x = np.linspace(0, 3, 80)
    one, zero = np.ones(80), np.zeros(80)
    near = x + 0.05 * rng.normal(size=80)
    d = ExpSumDesign(
        terms=(np.column_stack([one, -x, zero, zero]), np.column_stack([zero, zero, one, -near]))
    )
    y = np.exp(1.2 - 0.4 * x) + 1.0 + 0.01 * rng.normal(size=80)
    starts = np.array([[1.2, 0.4, 0.0, 0.0], [0.0, 0.0, 1.2, 0.4], [0, 0, 0, 0]], float)
    minima = all_minima(d, y, starts=starts, l1=0.01)
    assert len(minima) == 2
    assert {bool(m.theta[1] > m.theta[3]) for m in minima} == {True, False}
    assert sum(m.share_of_starts for m in minima) == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.ci
def test_large_starts_end_certified_or_say_so():
    d, y, _ = problem(0)
    wild = np.random.default_rng(3).normal(size=(50, 5)) * 20
    found = fit_exp_sum(d, y, starts=wild, l1=0.01)
    assert not found.certified[found.clipped].any()
    assert np.isfinite(found.objective[found.certified]).all()


def test_log_link_huber_recovers_planted_parameters():
    rng = np.random.default_rng(0)
    n = 300
    log_n, log_d = rng.uniform(17, 25, n), rng.uniform(20, 28, n)
    one, zero = np.ones(n), np.zeros(n)
    d = ExpSumDesign(
        terms=(
            np.column_stack([one, zero, zero, -log_n, zero]),
            np.column_stack([zero, one, zero, zero, -log_d]),
            np.column_stack([zero, zero, one, zero, zero]),
        )
    )
    truth = np.array([6.0, 7.0, 0.5, 0.34, 0.35])
    y = d.predict(truth, link="log") + rng.laplace(0, 2e-4, n)
    starts = np.array([[5, 5, 0.5, 0.5, 0.5], [10, 10, 0, 1, 1], [8, 4, 0.3, 0.3, 0.6]], float)
    best = all_minima(d, y, starts=starts, weights=np.ones(n), loss=Huber(1e-3), link="log")[0]
    np.testing.assert_allclose(best.theta, truth, rtol=0.03)


def test_evaluate_moves_nothing():
    d, y, truth = problem(0)
    there = evaluate(d, y, truth, l1=0.01)
    np.testing.assert_array_equal(there.theta[0], truth)
    assert there.objective[0] == pytest.approx(
        np.mean((d.predict(truth) - y) ** 2) + 0.01 * np.abs(truth).sum(), rel=1e-13
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.full(60, np.nan)}, "weights holds NaN"),
        ({"weights": -np.ones(60)}, "negative"),
        ({"l1": -1.0}, "negative"),
        ({"weights": np.ones((7, 60))}, "weights has shape"),
        ({"starts": np.zeros((12, 4))}, "starts has shape"),
    ],
)
def test_bad_arrays_are_refused_with_their_name(change, message):
    d, y, _ = problem(0)
    with pytest.raises(SettingError, match=message):
        fit_exp_sum(d, y, **{"starts": STARTS[:12], **change})


def test_no_certified_start_is_an_error():
    d, _, _ = problem(0)
    unreachable = np.full(d.n, 1e8)  # from here the exponents stay at the clip, which is never certified
    with pytest.raises(NoFitError, match="none of 1 starts"):
        all_minima(d, unreachable, starts=np.full((1, 5), -30.0))


def test_a_robust_loss_far_from_every_row_still_descends():
    # A line in log space has no curvature of its own, and no residual lies inside the quadratic part.
    x = np.linspace(0.0, 5.0, 12)
    d = ExpSumDesign(terms=(np.column_stack([np.ones(12), -x]),))
    y = 1.0 - 0.3 * x + np.random.default_rng(0).normal(0.0, 0.05, 12)
    starts = np.random.default_rng(1).normal(0.0, 3.0, (8, 2))
    found = fit_exp_sum(d, y, starts=starts, weights=np.ones(12), loss=Huber(1e-3), link="log")
    assert found.certified.all()
    assert np.ptp(found.objective) < 1e-9
