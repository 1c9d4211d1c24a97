"""Jets: the derivatives they carry are those of the values they carry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.stats.jets import (
    TINY,
    constants,
    exp,
    expansion,
    first_order,
    log,
    logaddexp,
    positive_part,
    seeds,
    softplus,
)

H = 1e-5
ROUND_OFF = 2e-5
"""Second differences with this step err by 1e-10 by truncation and 1e-5 by rounding of values near ten."""

FORMULAS = {
    "sum": lambda x, y: 2.0 - x + y * 3.0,
    "product": lambda x, y: x * y * x,
    "square": lambda x, y: x * x - y,
    "exp": lambda x, y: exp(x * y),
    "log": lambda x, y: log(3.0 + x * x + y),
    "softplus": lambda x, y: softplus(x - 2.0 * y),
    "logaddexp": lambda x, y: logaddexp(x * y, x - y),
    "nested": lambda x, y: logaddexp(x, exp(y) * softplus(x + y)) * exp(-y),
}
unit = st.floats(-1.0, 1.0)


@pytest.mark.parametrize("name", sorted(FORMULAS))
@given(x=unit, y=unit)
def test_first_and_second_derivatives_are_those_of_the_value(name, x, y):
    formula = FORMULAS[name]

    def value(dx: float, dy: float) -> float:
        return float(np.squeeze(formula(*constants(np.array([[x + dx], [y + dy]]))).value))

    jet = formula(*seeds(np.array([[x], [y]])))
    first = [float(np.squeeze(jet.first.get(i, np.zeros(1)))) for i in (0, 1)]
    second = {ij: float(np.squeeze(jet.second.get(ij, np.zeros(1)))) for ij in ((0, 0), (0, 1), (1, 1))}
    gradient = [(value(H, 0) - value(-H, 0)) / (2 * H), (value(0, H) - value(0, -H)) / (2 * H)]
    assert first == pytest.approx(gradient, abs=1e-8, rel=1e-8)
    middle = value(0, 0)
    assert second[0, 0] == pytest.approx((value(H, 0) - 2 * middle + value(-H, 0)) / H**2, abs=ROUND_OFF)
    assert second[1, 1] == pytest.approx((value(0, H) - 2 * middle + value(0, -H)) / H**2, abs=ROUND_OFF)
    cross = (value(H, H) - value(H, -H) - value(-H, H) + value(-H, -H)) / (4 * H**2)
    assert second[0, 1] == pytest.approx(cross, abs=ROUND_OFF)


@given(st.floats(-800, 800), st.floats(-800, 800))
def test_logaddexp_is_numpys(x, y):
    a, b = constants(np.array([[x], [y]]))
    assert logaddexp(a, b).value[0] == pytest.approx(np.logaddexp(x, y), rel=1e-14, abs=1e-14)


def test_first_order_jets_keep_no_second_derivatives():
    x, y = first_order(seeds(np.array([[0.3], [0.7]])))
    assert (x * exp(y)).second is None
    assert set((x * exp(y)).first) == {0, 1}


def test_logarithms_of_nothing_are_finite_and_flat():
    jet = log(seeds(np.array([[-1.0, 0.0, 2.0]]))[0])
    assert jet.value.tolist() == pytest.approx([np.log(TINY), np.log(TINY), np.log(2.0)])
    assert jet.first[0].tolist() == [0.0, 0.0, 0.5]


def test_positive_part_is_flat_below_zero():
    jet = positive_part(seeds(np.array([[-1.0, 0.0, 2.0]]))[0] * 3.0)
    assert jet.value.tolist() == [0.0, 0.0, 6.0]
    assert jet.first[0].tolist() == [0.0, 0.0, 3.0]


def test_constants_on_the_left_are_left_to_the_jet():
    x = seeds(np.array([[0.5]]))[0]
    u = np.array([1.0, 2.0])
    assert (u * x).first[0].tolist() == [1.0, 2.0]
    assert (u - x).value.tolist() == [0.5, 1.5]
    assert (1.0 - x).first[0] == -1.0


def test_expansions_broadcast_and_contract():
    a, b = seeds(np.array([[[1.0], [2.0]], [[0.5], [0.1]]]))
    u = np.array([0.0, 1.0, 2.0])
    found = expansion(a * exp(b * u), 3, (2, 3))
    assert found.jacobian.shape == (2, 3, 3)
    assert not found.jacobian[:, 2].any()
    weights = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    curved = found.contract(weights)
    e = np.exp(np.array([[0.5], [0.1]]) * u)
    assert curved[:, 0, 1] == pytest.approx(np.sum(weights * u * e, axis=1))
    assert curved[:, 1, 1] == pytest.approx(np.sum(weights * [[1], [2]] * u**2 * e, axis=1))
    assert curved[:, 0, 1].tolist() == curved[:, 1, 0].tolist()
    assert not curved[:, 2].any()
