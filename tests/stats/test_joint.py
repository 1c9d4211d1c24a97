"""Joint draws keep each input's distribution; variance shares add up and match known cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.joint import Joint, variance_shares

STEPS = (np.arange(200) + 0.5) / 200
NORMAL = ndtri(STEPS)
MONTE_CARLO = 0.04
"""Error allowed to a share of 8,192 draws: about 3.5/sqrt(draws)."""


@given(rho=st.floats(-0.9, 0.9), seed=st.integers(0, 99))
def test_a_copula_leaves_each_distribution_as_it_is(rho, seed):
    joint = Joint.of([NORMAL, np.exp(NORMAL)], [[1.0, rho], [rho, 1.0]])
    drawn = joint.draw(4000, seed)
    for column, quantiles in zip(drawn.T, joint.quantiles, strict=True):
        found = np.quantile(column, [0.1, 0.5, 0.9])
        assert np.allclose(found, np.quantile(quantiles, [0.1, 0.5, 0.9]), rtol=0.25, atol=0.12)
    ranks = np.corrcoef(drawn[:, 0], np.log(drawn[:, 1]))[0, 1]
    assert abs(ranks - rho) < 0.06


def test_a_constant_stays_constant():
    assert set(Joint.of([[3.0], NORMAL]).draw(50, 0)[:, 0]) == {3.0}


@given(a=st.floats(0.2, 3.0), b=st.floats(0.2, 3.0))
def test_shares_of_a_sum_are_those_of_the_variances(a, b):
    shares = variance_shares(lambda x: a * x[:, 0] - b * x[:, 1] + 5, Joint.of([NORMAL, NORMAL]))
    assert np.allclose(shares, np.array([a * a, b * b]) / (a * a + b * b), atol=MONTE_CARLO)
    assert shares.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.6])
def test_shares_of_correlated_normals_match_the_closed_form(rho):
    # Y = X1 + 2 X2: v(1) = (1 + 2 rho)^2, v(2) = (2 + rho)^2, v(12) = 5 + 4 rho (Owen & Prieur 2017).
    one, two, both = (1 + 2 * rho) ** 2, (2 + rho) ** 2, 5 + 4 * rho
    expected = np.array([one + both - two, two + both - one]) / (2 * both)
    joint = Joint.of([NORMAL, NORMAL], [[1.0, rho], [rho, 1.0]])
    found = variance_shares(lambda x: x[:, 0] + 2 * x[:, 1], joint, draws=40_000)
    assert np.allclose(found, expected, atol=MONTE_CARLO)


def test_an_interaction_is_split_and_an_idle_input_gets_nothing():
    shares = variance_shares(lambda x: x[:, 0] * x[:, 1], Joint.of([NORMAL, NORMAL, NORMAL]), draws=40_000)
    assert np.allclose(shares, [0.5, 0.5, 0.0], atol=MONTE_CARLO)


def test_a_function_that_does_not_vary_has_no_shares():
    assert variance_shares(lambda x: np.ones(len(x)), Joint.of([NORMAL, NORMAL])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "matrix",
    [[[1.0]], [[1.0, 0.5], [0.4, 1.0]], [[2.0, 0.0], [0.0, 1.0]], [[1.0, 1.5], [1.5, 1.0]]],
)
def test_impossible_correlations_are_refused(matrix):
    with pytest.raises(SettingError):
        Joint.of([NORMAL, NORMAL], matrix)


@pytest.mark.parametrize("quantiles", [[[]], [[1.0, float("nan")]]])
def test_inputs_without_values_are_refused(quantiles):
    with pytest.raises(EvidenceError):
        Joint.of(quantiles)
