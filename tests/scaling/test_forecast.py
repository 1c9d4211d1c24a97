"""Forecasts: each law's own curve, weights, invariances, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.forecast.curve import MAX_ROWS, condense, local_noise, read_curves
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.laws_of_curve import fit_laws
from isoflop.scaling.forecast.refit import ROWS_AT_ORIGIN, cuts_of, row_weights
from isoflop.scaling.forecast.scores import law_scores, rmsle
from isoflop.scaling.forecast.settings import DEFAULT_LAWS, LAST_VALUE, STACK, Stack
from isoflop.scaling.forecast.weights import stack_weights, to_last_value, usual_errors
from tests.scaling.made_curves import LAST, TRUTH, family, outcome, rows, table

FEW_LAWS = ("power", "power_floor", "m3")
RTOL_UNITS = 1e-4
"""Iterations stop at a fixed count, from starts that differ in rounding."""
PLANTED_RMSLE = 2e-3
"""Weak priors pull a floor by about the squared noise; the least noise assumed is 1e-4."""


# ------------------------------------------------------------------------------ planted truth


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("law", sorted(set(TRUTH) - {"log_linear"}))
def test_a_law_forecasts_its_own_curve_and_the_stack_beats_the_last_value(law):
    found = forecast(table(rows(law)), laws=sorted({law, *FEW_LAWS})).curves[0].errors()
    assert found[law] < PLANTED_RMSLE
    assert found[STACK] < 0.3 * found[LAST_VALUE]


def test_a_law_outside_the_default_stack_can_be_asked_for():
    found = forecast(table(rows("log_linear")), laws=["log_linear", "power"])
    assert found.names == (LAST_VALUE, "log_linear", "power")
    assert found.curves[0].errors()["log_linear"] < PLANTED_RMSLE


def test_the_whole_stack_beats_the_last_value_by_far():
    found = forecast(table(rows("power_floor", noise=0.005))).curves[0].errors()
    assert set(found) == {LAST_VALUE, *DEFAULT_LAWS, STACK}
    assert found[STACK] < 0.3 * found[LAST_VALUE]


def test_a_flat_curve_is_forecast_flat():
    flat = rows("power").with_columns(outcome=pl.lit(0.4))
    made = forecast(table(flat), laws=FEW_LAWS).prediction("power", [2 * LAST, 10 * LAST])
    np.testing.assert_allclose(made.value, 0.4, rtol=1e-3)


# ------------------------------------------------------------------------------ weights


@settings(max_examples=6)
@given(
    law=st.sampled_from(sorted(TRUTH)),
    n=st.integers(4, 30),
    noise=st.floats(0.0, 0.1),
    horizon=st.floats(1.05, 30.0),
    seed=st.integers(0, 99),
)
def test_weights_are_shares_and_bands_hold_their_forecast(law, n, noise, horizon, seed):
    found = forecast(
        table(rows(law, n=n, noise=noise, horizon=horizon, ahead=2, seed=seed)), laws=FEW_LAWS
    ).curves[0]
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.laws.names[0] == LAST_VALUE
    made = found.predict(LAST * np.array([1.01, horizon]))
    assert ((made.low < made.value) & (made.value < made.high)).all()


def test_a_law_that_fails_beyond_earlier_cuts_loses_its_weight():
    found = forecast(table(rows("power_floor", n=60, noise=0.002)), laws=FEW_LAWS).curves[0]
    weight = dict(zip(found.laws.names, found.weights, strict=True))
    assert weight["power_floor"] > 5 * weight["power"]
    assert weight["power_floor"] > 5 * weight[LAST_VALUE]


def test_weights_are_alike_where_there_is_nothing_to_learn_from():
    curve = read_curves(table(rows("power", n=30)))[0]
    laws = fit_laws(curve, FEW_LAWS, Stack(origins=0), None)
    np.testing.assert_allclose(stack_weights(laws, Stack(origins=0), {}), 0.25, atol=0.02)


def test_where_laws_of_a_short_curve_disagree_the_last_value_gains():
    laws = fit_laws(read_curves(table(rows("power_floor", n=9)))[0], FEW_LAWS, Stack(), 30.0)
    alike = np.full(4, 0.25)
    gained = [
        to_last_value(replace(laws, curve=replace(laws.curve, rows=n)), alike, Stack())[0]
        for n in (6, 9, 15, 30, 100)
    ]
    assert (np.diff(gained) <= 0).all()
    assert gained[1] > 0.4
    assert gained[-1] == pytest.approx(0.25, abs=0.01)


def test_where_laws_of_a_short_curve_agree_they_keep_their_weight():
    laws = fit_laws(read_curves(table(rows("power", n=9)))[0], FEW_LAWS, Stack(), None)
    assert to_last_value(laws, np.full(4, 0.25), Stack())[0] == pytest.approx(0.25, abs=0.01)


def test_other_datasets_set_the_start_of_weights_and_one_dataset_never_its_own():
    curves = [fit_laws(c, FEW_LAWS, Stack(), None) for c in read_curves(family(5))]
    usual = usual_errors(curves)
    assert all(set(known) == {LAST_VALUE, *FEW_LAWS} for known in usual)
    same = [replace(c, curve=replace(c.curve, task="one")) for c in curves]
    assert all(known == {} for known in usual_errors(same))


def test_what_comes_never_enters_the_forecast():
    before = rows("power_floor", noise=0.01)
    after = before.with_columns(outcome=pl.when(pl.col("is_fit") == 1).then("outcome").otherwise(9.0))
    one, two = (forecast(table(frame), laws=FEW_LAWS).prediction("power_floor", 2 * LAST)
                for frame in (before, after))  # fmt: skip
    assert (one.value, one.low, one.high) == (two.value, two.low, two.high)


# ------------------------------------------------------------------------------ invariances


@pytest.mark.parametrize("seed", [0, 1])
def test_row_order_does_not_matter(seed):
    frame = rows("power_floor", noise=0.01)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    one, two = (forecast(table(f), laws=FEW_LAWS).prediction("power_floor", 2 * LAST)
                for f in (frame, shuffled))  # fmt: skip
    assert (one.value, one.high) == (two.value, two.high)


@pytest.mark.parametrize(("x_factor", "y_factor"), [(1e9, 1.0), (1.0, 40.0)])
def test_units_of_x_and_y_only_rescale(x_factor, y_factor):
    frame = rows("power_floor", noise=0.01)
    scaled = frame.with_columns(x=pl.col("x") * x_factor, outcome=pl.col("outcome") * y_factor)
    one = forecast(table(frame), laws=FEW_LAWS).prediction("power_floor", 3 * LAST)
    two = forecast(table(scaled), laws=FEW_LAWS).prediction("power_floor", 3 * LAST * x_factor)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(two, name), y_factor * getattr(one, name), rtol=RTOL_UNITS)


def test_curves_of_a_table_do_not_move_each_other_beyond_weights_and_bands():
    together = forecast(table(rows("m3"), rows("power")), laws=FEW_LAWS)
    alone = forecast(table(rows("power")), laws=FEW_LAWS)
    both = [c.of("power").laws.predict(np.array([0.5])) for c in (together, alone)]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-12)


# ------------------------------------------------------------------------------ parts


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=25)
@given(n=st.integers(4, 80), horizon=st.floats(1.0, 1e3), origins=st.integers(0, 9), seed=st.integers(0, 99))
def test_every_origin_leaves_enough_rows_and_has_rows_beyond_it(n, horizon, origins, seed):
    curve = read_curves(table(rows("power", n=n)))[0]
    curve = replace(
        curve, u=np.sort(-np.random.default_rng(seed).exponential(2.0, n)) * (np.arange(n) < n - 1)
    )
    cuts = cuts_of(curve, horizon, origins)
    assert len(cuts.u) <= origins + 1
    assert (np.diff(cuts.u) < 0).all()
    for at in cuts.u[1:]:
        assert (curve.u <= at + 1e-9).sum() >= ROWS_AT_ORIGIN
        assert ((curve.u > at + 1e-9) & (curve.u <= at + cuts.log_ratio + 1e-9)).any()


def test_rows_are_discounted_only_where_enough_remain():
    u = np.linspace(-6.0, 0.0, 200)
    many = row_weights(u, np.ones(200), 0.0, 20.0)
    few = row_weights(u[::20], np.ones(10), 0.0, 20.0)
    assert many[-1] > 100 * many[0]
    np.testing.assert_allclose(few, 1.0)
    assert many.sum() == pytest.approx(200.0)


@pytest.mark.parametrize("noise", [0.003, 0.03])
def test_local_noise_measures_noise_and_not_the_bend(noise):
    u = np.linspace(-7.0, 0.0, 600)
    bent = np.log(0.2 + 0.8 / (1 + np.exp(2.0 * (u + 3.0))))
    noisy = bent + noise * np.random.default_rng(1).standard_normal(600)
    assert local_noise(u, noisy) == pytest.approx(noise, rel=0.15)


def test_long_curves_are_averaged_without_losing_rows():
    u = np.linspace(-5.0, 0.0, 5000)
    bins, mean, counts = condense(u, 2.0 * u)
    assert len(bins) <= MAX_ROWS
    assert counts.sum() == 5000
    np.testing.assert_allclose(mean, 2.0 * bins)
    assert (
        forecast(table(rows("power_floor", n=3000)), laws=FEW_LAWS).curves[0].errors()["power_floor"] < 0.002
    )


def test_scores_put_the_last_value_first_and_pair_differences_by_curve():
    errors = np.array([[0.1, 0.05], [0.2, 0.05], [0.3, 0.05], [0.4, np.nan]])
    last, law = law_scores(["last_value", "m4"], errors, seed=0)
    assert last.rmsle.value == pytest.approx(0.25)
    assert (last.difference.low, last.difference.high) == (0.0, 0.0)
    assert law.curves == 3
    assert law.difference.value == pytest.approx(-0.15)
    assert law.difference.low < -0.15 < law.difference.high
    assert rmsle(np.log([1.0, 2.0]), np.log([1.0, 4.0])) == pytest.approx(np.log(2.0) / np.sqrt(2.0))


# ------------------------------------------------------------------------------ results


@pytest.fixture(scope="module")
def scored():
    return forecast(family(5), laws=FEW_LAWS)


def test_tables_and_findings_of_scored_curves(scored):
    tables = scored.tables()
    assert [row["law"] for row in tables["rmsle_by_law"]] == [LAST_VALUE, *FEW_LAWS, STACK]
    assert len(tables["curves"]) == 5
    assert all(row["observed"] is not None for row in tables["forecasts"])
    score, covered = scored.findings()
    assert (score.id, covered.id) == ("scaling.forecast_rmsle", "scaling.forecast_coverage")
    assert score.estimate.low < score.estimate.value < score.estimate.high
    assert score.details["by_law"][STACK] == score.estimate.value
    assert 0.0 <= covered.estimate.value <= 1.0
    json.dumps([f.to_dict() for f in scored.findings()] + [scored.to_dict()], allow_nan=False)
    assert STACK in scored.summary()


def test_the_frame_holds_every_point_once(scored):
    frame = scored.frame()
    assert frame.height == sum(c.curve.u.size + c.curve.u_ahead.size for c in scored.curves)
    assert frame.filter(part="fit")["value"].null_count() == frame.filter(part="fit").height
    assert frame.filter(part="ahead").drop_nulls().height == frame.filter(part="ahead").height


def test_one_curve_is_forecast_where_asked_and_says_what_limits_it():
    found = forecast(table(rows("power_floor", ahead=0, n=20)), laws=FEW_LAWS, at=[3 * LAST, 50 * LAST])
    score, answer = found.findings()
    assert score.status == "not_identified"
    assert (answer.id, answer.estimate.level) == ("scaling.forecast", 0.8)
    assert answer.details["ratio"] == pytest.approx(50.0)
    assert answer.estimate.value == pytest.approx(outcome("power_floor", np.array([50 * LAST]))[0], rel=0.3)
    assert [row["in_support"] for row in found.tables()["forecasts"]] == [True, False]
    assert any("more than a decade" in caution for caution in found.cautions)
    assert any("nothing here was scored" in caution for caution in found.cautions)


def test_short_and_rising_curves_carry_cautions():
    rising = rows("power", n=30).with_columns(
        outcome=pl.when(pl.col("x") > 3000).then(pl.col("outcome") * 1.5).otherwise("outcome")
    )
    found = forecast(table(rising, rows("m3", n=5)), laws=[*FEW_LAWS, "m4"])
    said = " ".join(found.cautions)
    assert "rises again" in said
    assert "fewer than 12 fit points" in said
    assert "so that m4 are left out" in said


def test_a_cut_moves_the_end_of_the_fit_part():
    found = forecast(table(rows("power_floor", ahead=0)), laws=FEW_LAWS, cut=0.1)
    assert found.curves[0].laws.horizon == pytest.approx(10.0, rel=0.2)
    assert found.scored


def test_progress_is_reported_to_the_end():
    seen = []
    forecast(family(3), laws=["power"], progress=lambda label, share: seen.append((label, share)))
    assert seen[-1] == ("forecasts", 1.0)


# ------------------------------------------------------------------------------ refusals


def change(**columns) -> pl.DataFrame:
    return rows("power", n=8).with_columns(**columns)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (change(x=pl.when(pl.col("x") < 11).then(0.0).otherwise("x")), r"x has 1 values <= 0"),
        (change(outcome=pl.lit(0.0)), r"outcome has 14 values <= 0"),
        (rows("power", n=2), r"2 distinct x to fit, needs 3"),
        (
            change(is_fit=pl.when(pl.col("x") < 11).then(0).otherwise("is_fit")),
            r"at or below the last fit point",
        ),
    ],
)
def test_curves_without_logarithms_or_without_a_future_are_refused(frame, message):
    with pytest.raises(EvidenceError, match=message):
        forecast(table(frame))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"level": 95}, "Did you mean 0.95"),
        ({"cut": 30}, "Did you mean 0.3"),
        ({"cut": 0.0}, r"must lie in \(0, 1\)"),
        ({"at": [1.0]}, "beyond the last fit point"),
        ({"at": [float("nan")]}, "beyond the last fit point"),
        ({"laws": ["powr_floor"]}, "Did you mean 'power_floor'"),
        ({"laws": ["chinchilla"]}, "a curve has one resource"),
    ],
)
def test_settings_out_of_range_are_refused(given, message):
    with pytest.raises(SettingError, match=message):
        forecast(table(rows("power", n=8)), **given)


@pytest.mark.parametrize(
    "given",
    [{"floor": 0.0}, {"prior_origins": -1.0}, {"effective_rows": 0.5}, {"origins": -1}, {"few_rows": 1}],
)
def test_a_stack_out_of_range_is_refused(given):
    with pytest.raises(SettingError, match=f"Stack: {next(iter(given))}="):
        Stack(**given)


def test_an_unknown_curve_is_named_with_the_closest():
    found = forecast(table(rows("power", n=8)), laws=["power"])
    with pytest.raises(SettingError, match="Did you mean 'power'"):
        found.of("powr")
    with pytest.raises(SettingError, match="must lie in"):
        found.prediction("power", -1.0)


def test_another_table_is_refused():
    from isoflop.evidence import load

    with pytest.raises(EvidenceError, match="needs learning_curves"):
        forecast(load("language_evaluations"))


def test_the_default_laws_are_registered_laws_of_one_resource():
    from isoflop.scaling.laws import LAWS

    assert all(LAWS[name].inputs == ("x",) for name in DEFAULT_LAWS)
