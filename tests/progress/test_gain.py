"""Gain curves: the constant-rate identity, SciPy as oracle, missing gains with reasons, bands."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.gains.ablations import ABLATION_GAINS, ablation_rows
from isoflop.progress.gains.gain import gain
from isoflop.progress.gains.gain_curve import band
from isoflop.progress.gains.recipe import EXISTS, NO_OPTIMUM, UNREACHABLE
from isoflop.progress.model import LAWS, Features, Options
from tests.progress.by_hand import hand_fit

CONSTANT = [n for n in LAWS if LAWS[n].rates_are_constant]
TIMED = [n for n in LAWS if LAWS[n].has_time]
GRID = np.logspace(18, 26, 9)
# Exponents of about 1e2 over rates near 1 lose three of sixteen digits.
LOG_ATOL = 1e-11
CONSTRAINTS = (
    {"constraint": "compute_optimal"},
    {"constraint": "fixed_ratio", "ratio": 20.0},
    {"constraint": "fixed_data", "data": 1e9},
)


@pytest.mark.parametrize("law", CONSTANT)
@pytest.mark.parametrize("benchmark", ["WT103", "PTB"])
def test_constant_rates_give_the_same_optimal_gain_at_every_compute(planted, law, benchmark):
    fitted = hand_fit(planted, law)
    curve = gain(fitted, from_year=2013.0, to_year=2021.5, train_flop=GRID, benchmark=benchmark)
    expected = 8.5 * fitted.rate_for(benchmark=benchmark).value
    np.testing.assert_allclose(curve.log_gain, expected, atol=LOG_ATOL)
    assert curve.is_scale_free


@given(
    st.floats(0.01, 0.3), st.floats(0.01, 0.3), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-15, 15)
)
def test_optimal_gain_of_law_7_is_exp_of_rate_times_years(planted, an, bd, ay, by, years):
    fitted = hand_fit(planted, alpha_param=an, beta_data=bd, alpha_year=ay, beta_year=by)
    curve = gain(fitted, from_year=2018.0, to_year=2018.0 + years, train_flop=GRID)
    np.testing.assert_allclose(curve.log_gain, (ay / an + by / bd) * years, atol=1e-9)


@pytest.mark.parametrize("law", TIMED)
@pytest.mark.parametrize("how", CONSTRAINTS)
def test_gain_from_a_year_to_itself_is_one(planted, law, how):
    curve = gain(hand_fit(planted, law), from_year=2020.0, to_year=2020.0, train_flop=GRID, **how)
    np.testing.assert_allclose(curve.gain, 1.0, atol=1e-10)


@pytest.mark.parametrize("law", [14, 15])
def test_laws_with_moving_exponents_depend_on_scale(planted, law):
    curve = gain(hand_fit(planted, law), from_year=2013.0, to_year=2023.0, train_flop=GRID)
    assert not curve.is_scale_free
    assert (np.diff(curve.gain) > 0).all()
    assert not any("scale-dependence" in c for c in curve.cautions)


@pytest.mark.parametrize("how", CONSTRAINTS[1:])
def test_constraints_make_even_law_7_depend_on_scale(planted, how):
    curve = gain(hand_fit(planted), from_year=2018.0, to_year=2020.0, train_flop=GRID, **how)
    kept = curve.gain[curve.codes == EXISTS]
    assert not curve.is_scale_free
    assert np.ptp(np.log(kept)) > 0.01


def loss(fitted, log_n, log_d, year, is_transformer=True) -> float:
    rows = Features.of(parameters=np.exp(log_n), data=np.exp(log_d), year=year, is_transformer=is_transformer)
    return float(fitted.model.design(rows).predict(fitted.theta)[0])


def best_loss(fitted, size, year, how, is_transformer=True) -> float:
    """Return the least loss at N·D = e^size under a constraint, by search."""
    if how["constraint"] == "fixed_ratio":
        half = 0.5 * np.log(how["ratio"])
        return loss(fitted, size / 2 - half, size / 2 + half, year, is_transformer)
    if how["constraint"] == "fixed_data":
        return loss(fitted, size - np.log(how["data"]), np.log(how["data"]), year, is_transformer)
    found = minimize_scalar(
        lambda u: loss(fitted, u, size - u, year, is_transformer),
        bounds=(-60.0, 160.0),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.fun)


@pytest.mark.parametrize("law", [7, 13, 14, 15, 20])
@pytest.mark.parametrize("how", CONSTRAINTS)
def test_gain_agrees_with_search_and_exact_zero_finding(planted, law, how):
    fitted = hand_fit(planted, law)
    curve = gain(fitted, from_year=2018.0, to_year=2019.0, train_flop=1e20, **how)
    size = np.log(1e20 / 6)
    target = best_loss(fitted, size, 2019.0, how)
    exact = brentq(lambda s: best_loss(fitted, s, 2018.0, how) - target, size - 30, size + 60, xtol=1e-13)
    # a searched optimum is exact to rounding in loss; the curve's slope of about 0.05 divides that
    assert curve.log_gain[0] == pytest.approx(exact - size, abs=1e-9)


@pytest.mark.parametrize("how", CONSTRAINTS)
def test_needed_compute_reaches_the_loss_to_the_last_digits(planted, how):
    fitted = hand_fit(planted, reps=40)
    curve = gain(fitted, from_year=2018.0, to_year=2020.0, train_flop=GRID, **how)
    for k, theta in enumerate(fitted.draws.theta[:10]):
        one = replace(fitted, minima=(replace(fitted.minima[0], theta=theta),))
        for i in (0, 8):
            if np.isfinite(curve.draws[k, i]):
                size = np.log(GRID[i] / 6)
                residual = best_loss(one, size + curve.draws[k, i], 2018.0, how) - best_loss(
                    one, size, 2020.0, how
                )
                assert abs(residual) <= 1e-10


def test_gains_chain_along_the_path_of_equivalent_compute(planted):
    fitted = hand_fit(planted, 15)
    late = gain(fitted, from_year=2018.0, to_year=2022.0, train_flop=GRID)
    early = gain(fitted, from_year=2013.0, to_year=2018.0, train_flop=GRID * late.gain)
    whole = gain(fitted, from_year=2013.0, to_year=2022.0, train_flop=GRID)
    np.testing.assert_allclose(early.log_gain + late.log_gain, whole.log_gain, atol=LOG_ATOL)


@pytest.mark.parametrize("how", CONSTRAINTS)
def test_a_floor_and_a_vocabulary_term_cancel(planted, how):
    bare, floor = hand_fit(planted), hand_fit(planted, options=Options(floor="benchmark"))
    for other in (floor, hand_fit(planted, 19)):
        a, b = (gain(f, from_year=2018.0, to_year=2019.0, train_flop=GRID, **how) for f in (bare, other))
        np.testing.assert_allclose(a.log_gain, b.log_gain, atol=LOG_ATOL)


@pytest.mark.parametrize("law", [13, 17])
def test_classes_are_compared_at_one_date_and_depend_on_scale(planted, law):
    fitted = hand_fit(planted, law)
    curve = gain(fitted, from_year=2020.0, to_year=2020.0, train_flop=GRID, classes=("other", "transformer"))
    back = gain(
        fitted,
        from_year=2020.0,
        to_year=2020.0,
        train_flop=GRID * curve.gain,
        classes=("transformer", "other"),
    )
    assert (np.diff(curve.log_gain) > 0).all()
    np.testing.assert_allclose(back.log_gain, -curve.log_gain, atol=LOG_ATOL)
    assert "transformers" in curve.question


def test_unreachable_losses_are_missing_with_their_reason_and_never_bounds(planted):
    fitted = hand_fit(planted, reps=60)
    curve = gain(fitted, from_year=2013.0, to_year=2022.0, train_flop=GRID, constraint="fixed_data", data=1e9)
    at = len(GRID) - 1
    limit = loss(fitted, 300.0, np.log(1e9), 2013.0)  # infinite parameters
    assert best_loss(fitted, np.log(GRID[at] / 6), 2022.0, CONSTRAINTS[2]) < limit
    assert curve.codes[at] == UNREACHABLE
    estimate = curve.estimate(at)
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    row = curve.frame().filter(minimum=1).row(at, named=True)
    assert (row["gain"], row["low"], row["high"]) == (None, None, None)
    assert "cannot reach" in row["reason"]
    assert any("points are missing" in c for c in curve.cautions)
    finding = next(f for f in curve.findings() if f.id == "progress.gain.flop_1e26")
    assert finding.status == "not_identified"
    assert "cannot reach" in finding.details["missing"]


def test_unreachable_draws_open_the_band_above(planted):
    fitted = hand_fit(planted, reps=60)
    curve = gain(fitted, from_year=2013.0, to_year=2018.0, train_flop=1e24, constraint="fixed_data", data=1e9)
    assert 0 < curve.missing_draws[0] < 0.5
    estimate = curve.estimate(0)
    assert estimate.value is not None
    assert estimate.low is not None
    assert (estimate.high, estimate.interval) == (None, "open_above")


@pytest.mark.parametrize("how", CONSTRAINTS)
def test_a_negative_exponent_gives_no_gain(planted, how):
    fitted = hand_fit(planted, 15, alpha_param=-0.2)
    curve = gain(fitted, from_year=2018.0, to_year=2020.0, train_flop=GRID, **how)
    assert set(curve.codes) == {NO_OPTIMUM}
    assert np.isnan(curve.gain).all()


def test_an_exponent_of_zero_still_has_a_gain_at_a_fixed_ratio(planted):
    fitted = hand_fit(planted, beta_data=0.0)
    how = CONSTRAINTS[1]
    curve = gain(fitted, from_year=2019.0, to_year=2019.05, train_flop=1e18, **how)
    size = np.log(1e18 / 6)
    target = best_loss(fitted, size, 2019.05, how)
    exact = brentq(lambda s: best_loss(fitted, s, 2019.0, how) - target, size, size + 100, xtol=1e-13)
    assert curve.log_gain[0] == pytest.approx(exact - size, abs=1e-9)
    far = gain(fitted, from_year=2012.0, to_year=2023.0, train_flop=1e26, **how)
    assert far.codes[0] == UNREACHABLE


def test_an_unbounded_rate_is_no_number_but_counts_among_draws(planted):
    fitted = hand_fit(planted, reps=50)
    theta = fitted.draws.theta.copy()
    theta[::2, fitted.model.index("beta_data")] = 0.0
    fitted = replace(fitted, draws=replace(fitted.draws, theta=theta))
    curve = gain(fitted, from_year=2013.0, to_year=2020.0, train_flop=1e22)
    assert curve.estimate(0).high is None
    assert curve.estimate(0).interval == "open_above"
    pinned = gain(hand_fit(planted, beta_data=0.0), from_year=2013.0, to_year=2020.0, train_flop=1e22)
    assert np.isnan(pinned.gain[0])
    assert pinned.estimate(0).value is None


def test_band_is_the_interval_of_the_rate_times_the_years(planted):
    fitted = hand_fit(planted, reps=101)
    curve = gain(fitted, from_year=2013.0, to_year=2023.0, train_flop=GRID)
    rate = fitted.rate
    np.testing.assert_allclose(curve.low, 10 * rate.low, rtol=1e-9)
    np.testing.assert_allclose(curve.high, 10 * rate.high, rtol=1e-9)


def test_each_basin_has_its_own_curve_and_band(planted):
    fitted = hand_fit(planted, reps=90)
    curve = gain(fitted, from_year=2013.0, to_year=2023.0, train_flop=GRID)
    first, second = curve.basins
    assert second.share_of_draws == pytest.approx(1 / 3)
    np.testing.assert_allclose(second.log_gain, first.log_gain / 2, rtol=1e-9)
    mine = 10 * fitted.rate_draws[fitted.draws.basin == 1]
    np.testing.assert_allclose(second.low, np.quantile(mine, 0.05), rtol=1e-9)
    frame = curve.frame()
    assert frame["minimum"].to_list() == [1] * len(GRID) + [2] * len(GRID)
    assert frame.filter(minimum=2)["gain"][0] == pytest.approx(float(np.exp(second.log_gain[0])))


def test_failed_draws_are_left_out_and_counted(planted):
    fitted = hand_fit(planted, reps=50)
    theta = fitted.draws.theta.copy()
    theta[:5] = np.nan
    broken = replace(fitted, draws=replace(fitted.draws, theta=theta))
    curve = gain(broken, from_year=2013.0, to_year=2023.0, train_flop=GRID)
    assert curve.missing_draws == pytest.approx(0.1)
    np.testing.assert_allclose(curve.low, np.quantile(10 * fitted.rate_draws[5:], 0.05), rtol=1e-9)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.floats(0.5, 0.99))
def test_band_without_failures_is_the_quantile(values, level):
    draws = np.array(values)[:, None]
    low, high = band(draws, level)
    tails = [(1 - level) / 2, (1 + level) / 2]
    np.testing.assert_allclose([low[0], high[0]], np.quantile(draws[:, 0], tails), atol=1e-12)


def test_band_says_nothing_from_fewer_than_two_draws():
    low, high = band(np.array([[1.0, np.nan], [np.nan, np.nan]]), 0.9)
    assert np.isnan([low, high]).all()


def test_region_beyond_the_data_is_marked_in_decades(planted):
    compute = 6 * planted.features.parameters * planted.features.data
    grid = [compute.min() / 100, compute.min(), compute.max(), compute.max() * 1000]
    curve = gain(hand_fit(planted), from_year=2013.0, to_year=2023.0, train_flop=grid)
    np.testing.assert_allclose(curve.decades_beyond, [2, 0, 0, 3], atol=1e-9)
    assert any("3.0 decades" in c for c in curve.cautions)
    findings = curve.findings()
    assert findings[0].details["at_flop"] == pytest.approx(compute.max())
    assert findings[0].id == "progress.gain"
    assert len(findings) == 3


def test_years_beyond_the_sample_are_a_caution(planted):
    curve = gain(hand_fit(planted), from_year=2005.0, to_year=2020.0, train_flop=1e20)
    assert any("2005 lies outside" in c for c in curve.cautions)


def test_law_7_says_that_it_cannot_speak_about_scale(planted):
    curve = gain(hand_fit(planted), from_year=2013.0, to_year=2020.0)
    assert curve.cautions[0].startswith("law 7 cannot say anything about scale-dependence")


def test_curve_is_a_result_that_fits_a_document(planted):
    curve = gain(hand_fit(planted, reps=30), from_year=2013.0, to_year=2020.0)
    document = Document(findings=curve.findings())
    assert json.loads(document.to_json())["findings"][0]["unit"] == "×"
    json.dumps(curve.to_dict(), allow_nan=False)
    assert "caution" in curve.summary()
    assert len(curve.findings()[0].details["draws"]) == 30
    assert len(curve.findings()[0].details["by_basin"]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_flop": 0.0}, "train_flop"),
        ({"train_flop": [1e20, float("nan")]}, "train_flop"),
        ({"train_flop": []}, "train_flop"),
        ({"from_year": 20.0}, "from_year=20.0, must lie in"),
        ({"to_year": float("nan")}, "to_year=nan"),
        ({"constraint": "free"}, "must be one of compute_optimal"),
        ({"constraint": "fixed_ratio"}, "ratio=None, constraint 'fixed_ratio' needs"),
        ({"constraint": "fixed_data", "data": -1.0}, "data=-1.0"),
        ({"ratio": 20.0}, "does not use it"),
        ({"classes": ("transformer", "rnn")}, "needs two of"),
    ],
)
def test_impossible_settings_are_refused(planted, change, message):
    with pytest.raises(SettingError, match=message):
        gain(hand_fit(planted), **{"from_year": 2013.0, "to_year": 2020.0, **change})


@pytest.mark.parametrize("law", [16, 17])
def test_laws_without_time_have_no_gain_over_years(planted, law):
    with pytest.raises(NotIdentifiedError, match="no time term"):
        gain(hand_fit(planted, law), from_year=2013.0, to_year=2020.0)


def test_laws_without_classes_cannot_compare_them(planted):
    with pytest.raises(NotIdentifiedError, match="does not tell transformers"):
        gain(hand_fit(planted), from_year=2020.0, to_year=2020.0, classes=("other", "transformer"))


def test_published_ablations_stand_beside_the_gain_that_a_fit_implies(planted):
    assert [(r.gain, r.relation) for r in ABLATION_GAINS] == [
        (10.0, "below"),
        (10.0, "below"),
        (6930.0, "about"),
        (22000.0, "about"),
    ]
    fitted = hand_fit(planted, reps=20)
    *published, ours = ablation_rows(fitted)
    assert all(row["source"].startswith("published: ") and "2511.21622" in row["source"] for row in published)
    assert ours["gain"] == pytest.approx(np.exp(11 * fitted.rate.value))
    assert ours["low"] == pytest.approx(np.exp(11 * fitted.rate.low))


@settings(max_examples=5)
@given(st.integers(0, 100))
def test_curve_does_not_depend_on_the_other_points_of_the_grid(planted, seed):
    fitted = hand_fit(planted, 15, reps=10, seed=seed)
    how = CONSTRAINTS[1]
    whole = gain(fitted, from_year=2015.0, to_year=2020.0, train_flop=GRID, **how)
    alone = gain(fitted, from_year=2015.0, to_year=2020.0, train_flop=GRID[3], **how)
    assert alone.log_gain[0] == pytest.approx(whole.log_gain[3], abs=1e-12)
    assert alone.high[0] == pytest.approx(whole.high[3], abs=1e-12)


def test_verbs_win_over_submodules_of_the_same_name():
    import importlib

    from isoflop import progress

    for verb in ("fit", "match"):
        importlib.import_module(f"isoflop.progress.{verb}")
        assert callable(getattr(progress, verb))
        assert getattr(progress, verb) is getattr(progress, verb)
