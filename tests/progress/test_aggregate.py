"""Pooling: the pieces by hand, weights, and the published pool beside ours."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.rates import numeric_doubling_years
from isoflop.progress.robustness.aggregate import PAPER_PAIRS, aggregate, weighted_quantiles
from isoflop.progress.settings import L1, Starts
from isoflop.stats.resample import Bootstrap

FEW = Starts(count=4)
DRAWS = Bootstrap(reps=40, by="paper")
PAIRS = ((7, 0.0025), (10, 0.005), (12, 0.005))


@pytest.fixture(scope="module")
def pooled(planted):
    return aggregate(planted, PAIRS, ci=DRAWS, starts=FEW)


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40),
    p=st.floats(0.0, 1.0),
)
def test_equal_weights_give_numpys_quantiles(values, p):
    found = weighted_quantiles(np.array(values), np.full(len(values), 0.3), (p,))
    assert found[0] == pytest.approx(float(np.quantile(values, p)), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=20), st.integers(0, 2))
def test_weight_on_one_value_draws_the_median_to_it(values, at):
    weights = np.full(len(values), 1e-9)
    weights[at] = 1.0
    (middle,) = weighted_quantiles(np.array(values), weights, (0.5,))
    below = sorted(v for v in values if v <= values[at])
    above = sorted(v for v in values if v >= values[at])
    assert below[max(0, len(below) - 2)] - 1e-6 <= middle <= above[min(1, len(above) - 1)] + 1e-6


@pytest.mark.slow
@pytest.mark.ci
def test_a_pool_of_one_pair_is_that_pairs_draws(planted):
    one = aggregate(planted, [(7, 0.0025)], ci=DRAWS, starts=FEW)
    fitted = fit(planted, penalty=L1(delta=0.0025), starts=FEW, ci=DRAWS)
    months = 12 * numeric_doubling_years(fitted.model, fitted.draws.theta)
    rates = 12 * np.log(2) / months[np.isfinite(months)]
    assert one.rate.value == pytest.approx(np.median(rates), rel=1e-9)
    assert [one.rate.low, one.rate.high] == pytest.approx(np.quantile(rates, [0.025, 0.975]), rel=1e-9)


@pytest.mark.slow
@pytest.mark.ci
def test_laws_by_benchmark_bring_one_column_a_benchmark(pooled):
    widths = {pair.law: pair.months.shape[1] for pair in pooled.pairs}
    assert widths == {7: 1, 10: 3, 12: 1}
    assert pooled.frame().height == 5
    assert pooled.frame()["weight"].sum() == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.ci
def test_pool_holds_the_planted_halving_time(pooled):
    assert pooled.rate.low < 12 * np.log(2) / 8 < pooled.rate.high
    assert pooled.halving_time.low == pytest.approx(12 * np.log(2) / pooled.rate.high)


@pytest.mark.slow
@pytest.mark.ci
def test_stacking_weights_lie_on_the_simplex(planted):
    found = aggregate(planted, PAIRS, weights="stacking", ci=DRAWS, starts=FEW)
    weights = np.array([pair.weight for pair in found.pairs])
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0)
    assert any("stacking keeps" in c for c in found.cautions)


def test_published_figures_stand_beside_ours(pooled):
    rate, time = pooled.findings()
    assert time.id == "progress.halving_time_months.aggregate"
    assert time.details["published"] == {"value": 7.92, "low": 1.42, "high": 17.06}
    assert len(rate.details["draws"]) > 10
    Document(findings=pooled.findings()).to_json()
    json.dumps(pooled.to_dict(), allow_nan=False)
    assert "published" in pooled.summary()


def test_published_procedure_pools_draws_as_they_come(planted):
    found = aggregate(planted, [(7, 0.0025), (10, 0.005)], ci=Bootstrap(reps=3, by="row"), compat="paper")
    months = np.concatenate([pair.months.ravel() for pair in found.pairs])
    months = months[np.isfinite(months)]
    assert found.halving_time.value == pytest.approx(np.median(months), rel=1e-9)
    assert found.findings()[0].id.endswith("aggregate.as_published")


def test_the_ten_pairs_are_the_published_ones():
    assert len(PAPER_PAIRS) == len(set(PAPER_PAIRS)) == 10
    assert 19 not in {law for law, _ in PAPER_PAIRS}


def test_bad_settings_are_refused(planted):
    with pytest.raises(SettingError, match="weights"):
        aggregate(planted, PAIRS, weights="best")
    with pytest.raises(SettingError, match="no pairs"):
        aggregate(planted, [])
    with pytest.raises(NotIdentifiedError, match="law 16"):
        aggregate(planted, [(16, 0.0)], ci=DRAWS, starts=FEW)


@pytest.mark.slow
@pytest.mark.public_data
def test_converged_pool_of_the_published_sheet_is_wide(published):
    found = aggregate(published, ci=Bootstrap(reps=50, by="paper"), starts=FEW)
    assert 7 < found.halving_time.value < 12
    assert found.halving_time.low < 3
    assert found.halving_time.high > 15
