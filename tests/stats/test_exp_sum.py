"""The model family: derivatives against complex steps, and the forms the engine relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.stats.exp_sum import ExpSumDesign, Huber, SmoothAbsolute, Squared
from isoflop.stats.optimise import gradient_and_hessian

COMPLEX_STEP = 1e-30
JACOBIAN_RTOL = 1e-10
"""A complex step has no cancellation, so only rounding is left."""
HESSIAN_RTOL = 2e-6
"""Central differences of an exact gradient, step 1e-6."""


def design(seed: int, *, terms: int = 2, linear: bool = False, n: int = 15, p: int = 5) -> ExpSumDesign:
    """Return random matrices in which the terms share one parameter."""
    rng = np.random.default_rng(seed)
    blocks = []
    for k in range(terms):
        x = rng.normal(size=(n, p))
        x[:, k::3] = 0.0
        blocks.append(x)
    return ExpSumDesign(terms=tuple(blocks), linear=rng.normal(size=(n, p)) if linear else None)


def complex_predict(d: ExpSumDesign, theta: np.ndarray, link: str) -> np.ndarray:
    total = sum(np.exp(x @ theta) for x in d.terms)
    total = np.log(total) if link == "log" else total
    return total if d.linear is None else total + d.linear @ theta


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("linear", [False, True])
@given(seed=st.integers(0, 1000), terms=st.integers(1, 3))
def test_jacobian_equals_complex_steps(link, linear, seed, terms):
    d = design(seed, terms=terms, linear=linear)
    theta = np.random.default_rng(seed + 1).normal(size=d.p) * 0.5
    expected = np.empty((d.n, d.p))
    for j in range(d.p):
        step = theta.astype(complex)
        step[j] += 1j * COMPLEX_STEP
        expected[:, j] = complex_predict(d, step, link).imag / COMPLEX_STEP
    np.testing.assert_allclose(d.jacobian(theta, link=link), expected, rtol=JACOBIAN_RTOL, atol=1e-12)


@pytest.mark.parametrize("loss", [Squared(), Huber(0.3), SmoothAbsolute(0.2)])
@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("terms", [1, 2, 3])
def test_gradient_and_hessian_equal_differences(loss, link, linear, terms):
    d = design(3, terms=terms, linear=linear)
    rng = np.random.default_rng(4)
    theta, weights = rng.normal(size=d.p) * 0.4, rng.random(d.n)
    y = d.predict(theta, link=link) + rng.normal(size=d.n)

    def objective(point: np.ndarray) -> float:
        return float(weights @ loss.value(d.predict(point, link=link) - y))

    def gradient(point: np.ndarray) -> np.ndarray:
        return gradient_and_hessian(d, y, point, weights=weights, loss=loss, link=link)[0]

    found, hessian = gradient_and_hessian(d, y, theta, weights=weights, loss=loss, link=link)
    h = 1e-6
    unit = np.eye(d.p) * h
    numeric = np.array([(objective(theta + e) - objective(theta - e)) / (2 * h) for e in unit])
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-7)
    second = np.array([(gradient(theta + e) - gradient(theta - e)) / (2 * h) for e in unit])
    np.testing.assert_allclose(hessian, second, rtol=HESSIAN_RTOL, atol=1e-5)


def test_predict_broadcasts_over_parameter_vectors():
    d = design(5)
    thetas = np.random.default_rng(6).normal(size=(4, d.p)) * 0.3
    stacked = d.predict(thetas)
    assert stacked.shape == (4, d.n)
    np.testing.assert_array_equal(stacked[2], d.predict(thetas[2]))


def test_added_columns_act_outside_the_exponentials():
    d = design(7)
    floor = d.with_columns(linear=np.ones((d.n, 1)))
    theta = np.random.default_rng(8).normal(size=d.p) * 0.3
    np.testing.assert_allclose(floor.predict(np.append(theta, 1.5)), d.predict(theta) + 1.5)


@given(r=st.floats(-5, 5), delta=st.floats(1e-3, 2))
def test_huber_is_squared_inside_and_linear_outside(r, delta):
    value = float(Huber(delta).value(np.array([r]))[0])
    expected = r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_huber_refuses_a_width_of_zero():
    with pytest.raises(SettingError, match="Huber: delta=0"):
        Huber(0)
