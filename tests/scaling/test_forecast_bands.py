"""Bands of forecasts: quantiles, growth with the horizon, and what they were checked on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.scaling.forecast.band import (
    LEAST_CHECKED,
    Factor,
    Scores,
    assumed_factor,
    band_factor,
    forecast_scores,
    grouped_quantile,
    origin_scores,
    scale,
)
from isoflop.scaling.forecast.curve import read_curves
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.laws_of_curve import fit_laws
from isoflop.scaling.forecast.settings import Stack
from tests.scaling.made_curves import LAST, family, rows, table

LAWS = ("power", "power_floor")
POINTS = np.linspace(0.05, 3.0, 30)


@given(st.lists(st.floats(0.0, 50.0), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_groups_of_one_give_the_order_statistic_of_split_conformal(scores, level):
    place = min(int(np.ceil(round((len(scores) + 1) * level, 9))), len(scores))
    found = grouped_quantile([np.array([s]) for s in scores], level)
    assert found == np.sort(scores)[place - 1]


@given(st.integers(1, 5), st.floats(0.1, 0.9))
def test_repeating_the_points_of_a_group_changes_nothing(times, level):
    groups = [np.array([1.0, 5.0]), np.array([2.0]), np.array([0.5, 0.7, 9.0])]
    again = [np.tile(groups[0], times), *groups[1:]]
    assert grouped_quantile(groups, level) == grouped_quantile(again, level)


@pytest.mark.parametrize(("level", "quantile"), [(0.8, 1.637744), (0.95, 3.182446), (0.99, 5.840909)])
def test_the_assumed_factor_is_the_tabled_quantile_of_student_t(level, quantile):
    assert assumed_factor(level) == pytest.approx(quantile, rel=1e-6)


def test_the_scale_grows_with_the_horizon_even_where_laws_agree():
    curve = read_curves(table(rows("power", n=30, noise=0.02)))[0]
    laws = fit_laws(curve, LAWS, Stack(), 20.0)
    alone = scale(laws, np.array([0.0, 1.0, 0.0]), POINTS)
    stacked = scale(laws, np.array([0.3, 0.4, 0.3]), POINTS)
    assert (np.diff(alone) > 0).all()
    assert (np.diff(stacked) > 0).all()
    assert (stacked > alone).all()


def test_a_straight_line_has_its_textbook_prediction_error():
    curve = read_curves(table(rows("power", n=30, noise=0.02)))[0]
    laws = fit_laws(curve, ("power",), Stack(), 20.0)
    u, noise = curve.u, curve.noise
    expected = noise * np.sqrt(1 + 1 / u.size + (POINTS - u.mean()) ** 2 / np.sum((u - u.mean()) ** 2))
    np.testing.assert_allclose(scale(laws, np.array([0.0, 1.0]), POINTS), expected, rtol=1e-9)


def test_a_higher_level_is_a_wider_band():
    narrow, wide = (forecast(family(6, n=10), laws=["power"], level=level) for level in (0.5, 0.9))
    for one, two in zip(narrow.curves, wide.curves, strict=True):
        a, b = one.predict(2 * LAST), two.predict(2 * LAST)
        assert a.value == b.value
        assert b.low <= a.low
        assert a.high <= b.high


def test_factors_are_joined_by_lines_between_thirds():
    factor = Factor(values=(3.0, 2.0, 1.0), basis="assumed", curves=0)
    np.testing.assert_allclose(
        factor.at(np.array([0.0, 1 / 6, 1 / 3, 1 / 2, 1.0, 4.0])), [3, 3, 2.5, 2, 1, 1]
    )


def test_scores_fall_into_thirds_and_beyond_the_horizon_into_the_last():
    scores = Scores(place=np.array([0.01, 0.4, 0.9, 1.0, 1.2]), value=np.arange(5.0))
    assert [scores.third(k).value.tolist() for k in range(3)] == [[0.0], [1.0], [2.0, 3.0, 4.0]]


def test_a_band_rests_on_other_datasets_then_on_origins_then_on_an_assumption():
    curves = [fit_laws(c, LAWS, Stack(), None) for c in read_curves(family(LEAST_CHECKED + 1))]
    weights = np.full(3, 1 / 3)
    ahead = [forecast_scores(c, weights) for c in curves]
    earlier = [origin_scores(c, weights) for c in curves]
    nothing = [Scores(place=np.empty(0), value=np.empty(0)) for _ in curves]
    bases = [
        band_factor(curves[0], curves, *given, 0.8).basis
        for given in ((ahead, earlier), (nothing, earlier), (nothing, nothing))
    ]
    assert bases == ["forecast_parts", "origins", "assumed"]
    same = [replace(c, curve=replace(c.curve, task="one")) for c in curves]
    assert band_factor(same[0], same, ahead, earlier, 0.8).basis == "origins"


def test_the_outcome_of_a_dataset_never_sets_its_own_band():
    frames = [rows("power", n=12, noise=0.01, seed=i, curve_id=f"c{i}", task=f"t{i}") for i in range(7)]
    moved = frames[0].with_columns(outcome=pl.when(pl.col("is_fit") == 0).then(5.0).otherwise("outcome"))
    one = forecast(table(*frames), laws=["power"])
    two = forecast(table(moved, *frames[1:]), laws=["power"])
    assert one.curves[0].factor == two.curves[0].factor
    assert one.curves[1].factor != two.curves[1].factor


@pytest.mark.slow
def test_bands_cover_at_their_level_on_exchangeable_curves():
    """Sixty curves, each calibrated by the others: the mean share covered has a standard error of 4 %."""
    found = forecast(family(60, noise=0.02))
    covered = np.mean([c.covered().mean() for c in found.curves])
    assert 0.72 <= covered <= 0.9
