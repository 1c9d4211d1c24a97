"""Measures of concentration: what they must not depend on, and their known extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.stats.concentration import gini, herfindahl, lorenz, top_share, totals_by_holder
from isoflop.stats.resample import cluster_weights

RTOL = 1e-9
amounts = st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=30)


@given(amounts, st.floats(1e-6, 1e20))
def test_neither_unit_nor_order_matters(values: list[float], unit: float) -> None:
    x = np.array(values)
    mixed = unit * x[np.random.default_rng(x.size).permutation(x.size)]
    for measure in (herfindahl, gini, lambda v: top_share(v, 3)):
        assert float(measure(mixed)) == pytest.approx(float(measure(x)), rel=RTOL, abs=1e-12)


@given(amounts, st.integers(2, 4))
def test_cloning_every_holder_leaves_gini_and_divides_herfindahl(values: list[float], copies: int) -> None:
    x = np.array(values)
    assert float(gini(np.tile(x, copies))) == pytest.approx(float(gini(x)), rel=1e-7, abs=1e-9)
    assert float(herfindahl(np.tile(x, copies))) == pytest.approx(float(herfindahl(x)) / copies, rel=RTOL)


@given(amounts)
def test_gini_is_twice_the_area_above_the_lorenz_curve(values: list[float]) -> None:
    holders, held = lorenz(values)
    area = float(((held[1:] + held[:-1]) / 2 * np.diff(holders)).sum())
    assert float(gini(values)) == pytest.approx(1 - 2 * area, abs=1e-9)
    assert (held <= holders + 1e-12).all()


@given(amounts)
def test_gini_is_half_the_relative_mean_difference(values: list[float]) -> None:
    x = np.array(values)
    assert float(gini(x)) == pytest.approx(np.abs(x[:, None] - x).mean() / (2 * x.mean()), abs=1e-9)


@given(amounts)
def test_taking_from_a_poorer_holder_concentrates(values: list[float]) -> None:
    x = np.sort(np.array(values))
    moved = x.copy()
    moved[[0, -1]] += [-x[0] / 2, x[0] / 2]
    assert float(herfindahl(moved)) >= float(herfindahl(x)) - 1e-12
    assert float(gini(moved)) >= float(gini(x)) - 1e-12
    assert float(top_share(moved, 1)) >= float(top_share(x, 1)) - 1e-12


def test_extremes_are_known() -> None:
    assert float(herfindahl(np.ones(8))) == pytest.approx(1 / 8)
    assert float(gini(np.ones(8))) == pytest.approx(0.0, abs=1e-12)
    assert float(gini([0, 0, 0, 7], unbiased=True)) == pytest.approx(1.0)
    assert float(top_share([2, 1], 5)) == 1.0


def test_rows_of_replicates_give_what_each_alone_gives() -> None:
    rng = np.random.default_rng(0)
    rows, holders = rng.lognormal(size=40), rng.integers(0, 7, 40)
    weights = cluster_weights(rng.integers(0, 20, 40), 5, rng)
    totals = totals_by_holder(rows, holders, weights)
    for replicate, total in zip(weights, totals, strict=True):
        alone = totals_by_holder(rows * replicate, holders)
        np.testing.assert_allclose(total, alone, rtol=1e-12)
    np.testing.assert_allclose(gini(totals), [float(gini(t)) for t in totals], rtol=RTOL)
    np.testing.assert_allclose(top_share(totals, 2), [float(top_share(t, 2)) for t in totals], rtol=RTOL)
    np.testing.assert_allclose(lorenz(totals)[1][3], lorenz(totals[3])[1], rtol=RTOL)


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [0.0, 0.0]])
def test_negative_or_empty_amounts_are_refused(bad: list[float]) -> None:
    with pytest.raises(EvidenceError, match="positive sum"):
        herfindahl(bad)
