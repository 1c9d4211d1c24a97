"""The exchangeable likelihood equals its dense form, and the sandwich its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError
from isoflop.stats.clustered import exchangeable_nll, sandwich

GRADIENT_RTOL = 1e-6
"""Central differences with step 1e-5 are good to about 1e-9 of the values involved."""
seeds = st.integers(0, 10_000)
labels = st.lists(st.sampled_from("abcde"), min_size=1, max_size=20)


@given(codes=labels, seed=seeds, log_sigma=st.floats(-3, 3), logit_rho=st.floats(-8, 8))
def test_likelihood_equals_the_dense_normal_density(
    codes: list[str], seed: int, log_sigma: float, logit_rho: float
) -> None:
    errors = np.random.default_rng(seed).normal(size=len(codes))
    names = np.array(codes)
    rho = expit(logit_rho)
    correlation = np.where(names[:, None] == names, rho, 0.0)
    np.fill_diagonal(correlation, 1.0)
    dense = -scipy.stats.multivariate_normal.logpdf(
        errors, cov=math.exp(2 * log_sigma) * correlation
    ) - 0.5 * len(codes) * math.log(2 * math.pi)
    assert exchangeable_nll(errors, codes, log_sigma, logit_rho).value == pytest.approx(
        dense, rel=1e-6, abs=1e-8
    )


@given(codes=labels, seed=seeds, log_sigma=st.floats(-2, 2), logit_rho=st.floats(-6, 6))
def test_gradient_equals_central_differences(
    codes: list[str], seed: int, log_sigma: float, logit_rho: float
) -> None:
    errors = np.random.default_rng(seed).normal(size=len(codes))
    found = exchangeable_nll(errors, codes, log_sigma, logit_rho)
    gradient = np.concatenate([[found.by_log_sigma, found.by_logit_rho], found.by_residuals])
    step = 1e-5

    def value(at: np.ndarray) -> float:
        return exchangeable_nll(at[2:], codes, float(at[0]), float(at[1])).value

    here = np.concatenate([[log_sigma, logit_rho], errors])
    differences = [(value(here + step * u) - value(here - step * u)) / (2 * step) for u in np.eye(here.size)]
    scale = max(1.0, np.abs(gradient).max(), abs(found.value))
    np.testing.assert_allclose(gradient, differences, rtol=GRADIENT_RTOL, atol=GRADIENT_RTOL * scale)


@given(codes=labels, seed=seeds)
def test_without_correlation_it_is_the_independent_likelihood(codes: list[str], seed: int) -> None:
    errors = np.random.default_rng(seed).normal(size=len(codes))
    found = exchangeable_nll(errors, codes, 0.3, -60.0)
    assert found.value == pytest.approx(0.3 * len(codes) + errors @ errors * math.exp(-0.6) / 2, rel=1e-12)
    assert found.by_logit_rho == pytest.approx(0, abs=1e-12)


def test_it_stays_finite_as_correlation_nears_one() -> None:
    equal = exchangeable_nll([1.5, 1.5, 1.5], ["a"] * 3, 0.0, 40.0)
    assert equal.value == pytest.approx(-40 + 0.5 * math.log(3) + 0.5 * 1.5**2, rel=1e-12)
    assert np.isfinite(equal.by_residuals).all()


def test_maximum_likelihood_recovers_a_planted_correlation() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(600), 3)
    errors = 0.2 * (
        math.sqrt(0.3) * rng.normal(size=600)[codes] + math.sqrt(0.7) * rng.normal(size=codes.size)
    )

    def objective(at: np.ndarray) -> tuple[float, np.ndarray]:
        found = exchangeable_nll(errors, codes, float(at[0]), float(at[1]))
        return found.value, np.array([found.by_log_sigma, found.by_logit_rho])

    best = minimize(objective, [0.0, 0.0], jac=True)
    # Standard errors are about .004 for sigma and .026 for rho.
    assert math.exp(best.x[0]) == pytest.approx(0.2, abs=0.012)
    assert expit(best.x[1]) == pytest.approx(0.3, abs=0.08)


@given(seed=seeds, clustered=st.booleans(), size=st.floats(1e-3, 1e3))
def test_sandwich_equals_its_definition(seed: int, clustered: bool, size: float) -> None:
    rng = np.random.default_rng(seed)
    jacobian, psi, weights = rng.normal(size=(25, 3)), rng.normal(size=25), rng.uniform(0, 2, 25)
    root = rng.normal(size=(3, 3))
    hessian = root @ root.T + np.eye(3)
    codes = rng.integers(0, 6, 25) if clustered else None
    groups = np.arange(25) if codes is None else codes
    meat = np.zeros((3, 3))
    for group in np.unique(groups):
        score = (weights * psi)[groups == group] @ jacobian[groups == group]
        meat += np.outer(score, score)
    count = len(np.unique(groups))
    expected = np.linalg.inv(hessian) @ meat @ np.linalg.inv(hessian) * count / (count - 1)
    found = sandwich(jacobian, psi, hessian=size * hessian, weights=size * weights, codes=codes)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-10)


def test_copied_rows_within_clusters_leave_the_sandwich_unchanged() -> None:
    rng = np.random.default_rng(1)
    jacobian, errors = rng.normal(size=(20, 2)), rng.normal(size=20)
    single = sandwich(jacobian, errors)
    copied = sandwich(np.tile(jacobian, (3, 1)), np.tile(errors, 3), codes=np.tile(np.arange(20), 3))
    np.testing.assert_allclose(copied, single, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sandwich(np.ones((4, 2)), np.ones(4)), NotIdentifiedError, "not positive definite"),
        (
            lambda: sandwich(np.eye(4)[:, :2] * [1, 0], np.ones(4)),
            NotIdentifiedError,
            "not positive definite",
        ),
        (lambda: sandwich(np.ones((4, 1)), np.ones(3)), EvidenceError, "must be equal"),
        (lambda: sandwich(np.ones((4, 1)), np.ones(4), codes=["a"] * 4), EvidenceError, "needs at least 2"),
        (lambda: sandwich(np.ones((4, 1)), np.ones(4), hessian=np.eye(2)), EvidenceError, "for 1 parameters"),
        (lambda: exchangeable_nll([1.0], ["a", "b"], 0.0, 0.0), EvidenceError, "must be equal"),
        (lambda: exchangeable_nll([np.inf], ["a"], 0.0, 0.0), EvidenceError, "not finite"),
        (lambda: exchangeable_nll([1.0, 2.0], [1, None], 0.0, 0.0), EvidenceError, "without a cluster label"),
    ],
)
def test_what_cannot_be_used_is_refused(call: object, error: type[IsoflopError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]
