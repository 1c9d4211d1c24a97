"""Comparison of laws on unseen rows: nothing leaks, scores are what they say, the true law wins."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.evidence import load
from isoflop.present.image import specification
from isoflop.scaling.chapter.compare import compare_section
from isoflop.scaling.commands.compare import compare as compare_command
from isoflop.scaling.commands.compare import parse_scheme
from isoflop.scaling.commands.laws import laws as laws_command
from isoflop.scaling.compare.find import compare, information_criteria
from isoflop.scaling.compare.schemes import AsMarked, LeaveGroupOut, RollingOrigin, rolling
from isoflop.scaling.laws import LAWS
from isoflop.scaling.runs import select
from isoflop.scaling.settings import Gaussian, StudentT

FEW = ("chinchilla", "kaplan")
SIZES, RATIOS = np.array([1e7, 3e7, 1e8, 3e8, 1e9]), np.array([1.0, 4.0, 16.0, 64.0])
CHINCHILLA = {"A": 406.0, "B": 410.0, "E": 1.69, "alpha": 0.34, "beta": 0.28}


def runs_frame(noise: float = 0.003, seed: int = 0) -> pl.DataFrame:
    """Return a grid of runs that follow the Chinchilla law, with a family for each ratio."""
    params, ratio = (grid.ravel() for grid in np.meshgrid(SIZES, RATIOS, indexing="ij"))
    tokens = params * ratio
    law = LAWS["chinchilla"]
    log_loss = law.log_predict(law.working(CHINCHILLA), np.log([params, tokens]))[0]
    loss = np.exp(log_loss + np.random.default_rng(seed).normal(0, noise, len(params)))
    return pl.DataFrame(
        {
            "run_id": [f"r{i}" for i in range(len(params))],
            "source": "made",
            "family": [f"x{r:g}" for r in ratio],
            "params": params,
            "tokens": tokens,
            "loss_nats": loss,
        }
    )


def made_runs(frame: pl.DataFrame | None = None):
    return select(load(runs_frame() if frame is None else frame, schema="scaling_runs"))


def curves_frame(count: int = 6, seed: int = 0, noise: float = 0.003) -> pl.DataFrame:
    """Return curves that follow a power law with a floor; the upper half is marked as unseen."""
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e2, 1e5, 30)
    parts = []
    for i in range(count):
        y = (0.2 + 0.05 * i + 6 * x ** -(0.35 + 0.02 * i)) * np.exp(rng.normal(0, noise, len(x)))
        parts.append(pl.DataFrame({"curve_id": f"c{i}", "x": x, "outcome": y, "is_fit": x < 3e3}))
    return pl.concat(parts).with_columns(
        domain=pl.lit("made"),
        task=pl.lit("t"),
        model=pl.lit("m"),
        x_unit=pl.lit("tokens"),
        outcome_kind=pl.lit("loss"),
    )


def made_curves(frame: pl.DataFrame | None = None):
    return load(curves_frame() if frame is None else frame, schema="learning_curves")


@pytest.fixture(scope="module")
def of_runs():
    return compare(made_runs(), laws=FEW, objective=Gaussian(), reps=200)


@pytest.fixture(scope="module")
def of_curves():
    return compare(made_curves(), laws=("power_floor", "m3"), reps=200)


def test_the_true_law_of_runs_wins_and_the_baselines_are_always_there(of_runs):
    order = of_runs.frame()["law"].to_list()
    assert order[0] == "last_value"
    assert order[1] == "chinchilla"
    assert set(order) == {"last_value", "power", *FEW}
    assert of_runs.best.law == "chinchilla"
    assert of_runs.value(of_runs.best, "rmsle") < 0.02
    assert of_runs.difference("chinchilla", "last_value").high < 0


def test_the_true_law_of_curves_wins(of_curves):
    assert of_curves.best.law == "power_floor"
    assert of_curves.cv == AsMarked()
    assert len(of_curves.units) == of_curves.clusters == 6


def test_the_last_value_is_scored_by_hand(of_curves):
    frame = curves_frame()
    scores = []
    for _, curve in frame.group_by("curve_id", maintain_order=True):
        seen, unseen = curve.filter("is_fit"), curve.filter(~pl.col("is_fit"))
        error = np.log(seen["outcome"][-1]) - np.log(unseen["outcome"].to_numpy())
        scores.append(np.sqrt(np.mean(error**2)))
    row = of_curves.frame().row(0, named=True)
    assert row["rmsle"] == pytest.approx(np.mean(scores), rel=1e-12)
    assert row["to_last_value"] is None


def test_the_power_law_of_curves_is_the_line_that_numpy_fits(of_curves):
    scores = []
    for _, curve in curves_frame().group_by("curve_id", maintain_order=True):
        u, y, seen = (
            np.log(curve["x"].to_numpy()),
            np.log(curve["outcome"].to_numpy()),
            curve["is_fit"].to_numpy(),
        )
        predicted = np.polyval(np.polyfit(u[seen], y[seen], 1), u[~seen])
        scores.append(np.sqrt(np.mean((predicted - y[~seen]) ** 2)))
    row = of_curves.frame().filter(law="power").row(0, named=True)
    assert row["rmsle"] == pytest.approx(np.mean(scores), rel=1e-9)


@pytest.mark.slow
@pytest.mark.ci
def test_nothing_of_the_scored_rows_reaches_a_fit(of_curves, of_runs):
    """Moved unseen outcomes move every error by exactly as much, and no prediction."""
    shift = 0.37
    moved = curves_frame().with_columns(
        outcome=pl.when("is_fit").then("outcome").otherwise(pl.col("outcome") * np.exp(shift))
    )
    again = compare(made_curves(moved), laws=("power_floor", "m3"), reps=10)
    for before, after in zip(of_curves.scores, again.scores, strict=True):
        np.testing.assert_allclose(after.log_errors, before.log_errors - shift, atol=1e-12)
    one_cut = RollingOrigin(cuts=(0.6,))
    frame = runs_frame()
    flop = frame["params"].to_numpy() * frame["tokens"].to_numpy()
    [(_, scored)] = rolling(one_cut, np.log(flop))
    spoilt = frame.with_columns(loss_nats=pl.col("loss_nats") * np.exp(shift * scored))
    first, second = (
        compare(made_runs(f), laws=FEW, cv=one_cut, objective=Gaussian(), reps=10) for f in (frame, spoilt)
    )
    for before, after in zip(first.scores, second.scores, strict=True):
        np.testing.assert_allclose(after.log_errors, before.log_errors - shift, atol=1e-12)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=3)
@given(seed=st.integers(0, 99), unit=st.floats(1e-3, 1e3))
def test_row_order_and_units_do_not_matter(of_curves, seed, unit):
    frame = curves_frame()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed).with_columns(pl.col("x") * unit)
    again = compare(made_curves(shuffled), laws=("power_floor", "m3"), reps=10)
    for name in ("last_value", "power", "power_floor", "m3"):
        before, after = (next(s for s in c.scores if s.law == name) for c in (of_curves, again))
        assert again.value(after, "rmsle") == pytest.approx(of_curves.value(before, "rmsle"), rel=1e-5)


def test_cuts_are_shares_of_distinct_values_and_the_horizon_ends_the_scored_rows():
    u = np.log(np.repeat([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0], 2))
    (low, up), (low2, up2) = rolling(RollingOrigin(cuts=(0.5, 0.75), horizon=4), u)
    assert (low.sum(), up.sum(), low2.sum(), up2.sum()) == (8, 4, 12, 4)
    assert not (low & up).any()
    assert u[up].max() == pytest.approx(np.log(32.0))
    assert rolling(RollingOrigin(cuts=(0.1, 0.2)), u) == ()


def test_each_family_can_be_predicted_from_the_others():
    found = compare(made_runs(), laws=FEW, cv=LeaveGroupOut(by="family"), objective=Gaussian(), reps=50)
    assert set(found.units) == {"family x1", "family x4", "family x16", "family x64"}
    assert len(found.unit) == 20
    assert found.best.law == "chinchilla"
    # four families are too few to resample
    assert found.difference("chinchilla", "power").low is None
    assert any("too few to resample" in caution for caution in found.cautions)


def test_differences_are_paired_and_their_draws_are_seeded(of_runs):
    one, other = of_runs.difference("kaplan", "power"), of_runs.difference("power", "kaplan")
    assert one.value == pytest.approx(-other.value)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.low <= one.value <= one.high
    again = compare(made_runs(), laws=FEW, objective=Gaussian(), reps=200).difference("kaplan", "power")
    assert again == one
    elsewhere = compare(made_runs(), laws=FEW, objective=Gaussian(), reps=200, seed=1).difference(
        "kaplan", "power"
    )
    assert elsewhere.value == one.value
    assert elsewhere.low != one.low


def test_scores_rank_by_what_was_asked():
    found = compare(made_curves(), laws=("m3",), score="mean_abs_log_error", reps=20)
    errors = next(s for s in found.scores if s.law == "m3").log_errors
    by_curve = [np.mean(np.abs(errors[found.unit == i])) for i in range(6)]
    row = found.frame().filter(law="m3").row(0, named=True)
    assert row["mean_abs_log_error"] == pytest.approx(np.mean(by_curve))
    rest = found.frame()["mean_abs_log_error"].to_list()[1:]
    assert rest == sorted(rest)


@given(st.integers(0, 1000), st.sampled_from(["gaussian", "laplace"]))
def test_information_criteria_are_those_of_the_likelihood(seed, likelihood):
    r = np.random.default_rng(seed).normal(size=25)
    scale = np.sqrt(np.mean(r**2)) if likelihood == "gaussian" else np.mean(np.abs(r))
    density = stats.norm if likelihood == "gaussian" else stats.laplace
    minus_twice = -2 * density.logpdf(r, scale=scale).sum()
    aicc, bic = information_criteria(r, np.ones(25), 3, likelihood)
    assert bic == pytest.approx(minus_twice + 4 * np.log(25))
    assert aicc == pytest.approx(minus_twice + 8 + 2 * 4 * 5 / 20)


def test_bands_of_fitted_residuals_are_scored_on_unseen_rows(of_curves):
    one = next(s for s in of_curves.scores if s.law == "power_floor")
    row = of_curves.frame().filter(law="power_floor").row(0, named=True)
    inside = np.abs(one.log_errors) <= one.half_widths
    assert row["coverage"] == pytest.approx(inside.mean())
    penalty = np.where(inside, 0.0, np.abs(one.log_errors) - one.half_widths)
    assert row["interval_score"] == pytest.approx(np.mean(2 * one.half_widths + 10 * penalty))
    # noise of 0.3 %: the 80 % quantile of |residual| is about 1.28 times that
    assert one.half_widths.mean() == pytest.approx(1.28 * 0.003, rel=0.3)
    wrong = of_curves.frame().filter(law="power").row(0, named=True)
    assert wrong["coverage"] < row["coverage"]
    assert of_curves.frame()["coverage"][0] is None


def test_information_criteria_need_more_rows_than_parameters_and_an_inexact_fit():
    assert information_criteria(np.ones(4), np.ones(4), 3, "gaussian")[0] is None
    assert information_criteria(np.zeros(9), np.ones(9), 3, "gaussian") == (None, None)
    assert information_criteria(np.full(9, np.nan), np.ones(9), 3, "laplace") == (None, None)


def test_only_likelihood_objectives_have_information_criteria():
    found = compare(made_curves(curves_frame(2)), laws=(), objective=StudentT(), reps=10)
    assert found.likelihood is None
    assert found.frame()["aicc"].null_count() == found.frame().height
    huber = compare(made_runs(), laws=(), reps=10)
    assert huber.likelihood == "laplace"
    assert compare(made_runs(), laws=(), objective=Gaussian(), reps=10).likelihood == "gaussian"


def test_a_law_without_its_inputs_has_no_score_and_a_reason():
    found = compare(made_curves(curves_frame(2)), laws=("chinchilla", "m3"), reps=10)
    row = found.frame().filter(law="chinchilla").row(0, named=True)
    assert row["rmsle"] is None
    assert any("chinchilla has no score" in caution for caution in found.cautions)
    with pytest.raises(NotIdentifiedError, match="chinchilla has folds without a prediction"):
        found.difference("chinchilla", "m3")
    repeated = compare(made_runs(), laws=("data_constrained",), objective=Gaussian(), reps=10)
    assert any("unique_tokens" in caution for caution in repeated.cautions)


def test_rows_that_some_law_cannot_reach_are_left_out_for_all():
    frame = curves_frame(6).filter((pl.col("curve_id") != "c0") | (pl.col("x") > 2.2e3))
    found = compare(made_curves(frame), laws=("power_floor",), reps=10)
    assert "c0" not in found.units
    assert all(score.complete for score in found.scores)
    assert any("rows are not scored" in caution and "power_floor" in caution for caution in found.cautions)


@pytest.mark.slow
@pytest.mark.ci
def test_a_flat_curve_is_best_left_at_its_last_value():
    rng = np.random.default_rng(3)
    flat = curves_frame(8).with_columns(outcome=pl.lit(0.5) * np.exp(rng.normal(0, 0.2, 240)))
    steady = flat.with_columns(outcome=pl.when("is_fit").then("outcome").otherwise(0.5))
    last = steady.with_columns(
        outcome=pl.when(pl.col("x") == pl.col("x").filter("is_fit").max()).then(0.5).otherwise("outcome")
    )
    found = compare(made_curves(last), laws=("power_floor",), reps=50)
    assert found.best.law == "last_value"
    [finding] = found.findings()
    # the last value is exact here: a ratio to it has no value
    assert finding.status == "not_identified"
    assert finding.details["best"] == "power"
    assert any("No law predicts better than the last value" in caution for caution in found.cautions)
    assert "No law predicts" in compare_section(found).figures[0].title


def test_the_result_is_json_ready_and_says_what_was_done(of_runs):
    text = json.dumps(of_runs.to_dict(), allow_nan=False)
    assert "fitted below 50%" in text
    [finding] = of_runs.findings()
    assert finding.id == "scaling.compare_error_ratio"
    assert 0 < finding.estimate.value < 0.5
    assert finding.details["best"] == "chinchilla"
    json.dumps(finding.to_dict(), allow_nan=False)
    assert "last_value" in repr(of_runs)


@pytest.mark.slow
@pytest.mark.ci
def test_pictures_draw_their_frames(of_runs, of_curves):
    for found in (of_runs, of_curves):
        section = compare_section(found)
        for figure in section.figures:
            assert figure.frame.height
            assert specification(figure)
        differences = section.figures[0].frame
        assert differences["law"][0] == "last value"
        assert differences["difference"][0] == 0.0
        assert section.figures[1].frame.height == len(found.units) * len(found.scores)
    keyed = compare_section(of_runs, key="compare-own", where=" on our own runs")
    assert keyed.title.endswith("on our own runs")
    assert all(figure.id.startswith("compare-own") for figure in keyed.figures)


def test_a_section_without_intervals_says_why(of_curves):
    few = compare(made_curves(curves_frame(3)), laws=("m3",), reps=10)
    assert "too few to resample" in compare_section(few).figures[0].interval
    assert "95 %" in compare_section(of_curves).figures[0].interval


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare(made_runs(), laws=("chinchila",)), "Did you mean 'chinchilla'"),
        (lambda: compare(made_runs(), score="rmse"), "score='rmse'"),
        (lambda: compare(made_runs(), level=95), "Did you mean 0.95"),
        (lambda: compare(made_runs(), reps=0), "reps=0"),
        (lambda: compare(made_runs(), cv=AsMarked()), "AsMarked"),
        (lambda: compare(made_runs(), cv=LeaveGroupOut(by="famly")), "Did you mean 'family'"),
        (lambda: compare(made_curves(), cv=LeaveGroupOut()), "each curve is fitted alone"),
        (lambda: compare(made_runs(), cv=RollingOrigin(cuts=(0.01,))), "no cut of"),
        (lambda: compare(made_curves(), cv=RollingOrigin(cuts=(0.01,))), "no curve of"),
        (lambda: compare(load("language_evaluations")), "needs scaling_runs or learning_curves"),
        (lambda: compare(made_curves(curves_frame(1)[::15])), "no law of 7 can be scored on frame: fit: 1"),
        (
            lambda: compare(made_curves(curves_frame(1)[:15:6]), cv=RollingOrigin(cuts=(0.5, 0.9))),
            "no curve of",
        ),
        (lambda: RollingOrigin(cuts=(1.5,)), "must be shares in"),
        (lambda: RollingOrigin(horizon=1.0), "must be a multiple above 1"),
        (lambda: parse_scheme("loo", None, None), "--cv: 'loo'"),
        (lambda: parse_scheme("marked", "0.5", None), "which makes no cuts"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_cure(call, message):
    with pytest.raises((SettingError, EvidenceError), match=message):
        call()


def test_curves_with_outcomes_that_have_no_logarithm_are_refused():
    zero = curves_frame(2).with_columns(outcome=pl.col("outcome") - pl.col("outcome").min())
    with pytest.raises(EvidenceError, match=r"curve 'c\d': outcome has 1 value"):
        compare(made_curves(zero))
    unmarked = curves_frame(2).with_columns(is_fit=pl.lit(True))
    assert isinstance(compare(made_curves(unmarked), laws=("m3",), reps=10).cv, RollingOrigin)


@pytest.mark.slow
@pytest.mark.ci
def test_the_command_takes_runs_and_curves(tmp_path):
    runs, curves = tmp_path / "runs.csv", tmp_path / "curves.csv"
    runs_frame().write_csv(runs)
    curves_frame().write_csv(curves)
    invoke = CliRunner().invoke
    quick = ["--bootstrap", "50", "--objective", "gaussian"]
    for file, laws, unseen in ((runs, "chinchilla", "scored above"), (curves, "m3", "marked is_fit")):
        done = invoke(compare_command, [str(file), "--laws", laws, *quick], catch_exceptions=False)
        assert done.exit_code == 0
        assert unseen in done.stdout
        done = invoke(compare_command, [str(file), "--laws", laws, *quick, "--json"])
        tables = json.loads(done.stdout)["tables"]
        assert tables["comparison"][0]["law"] == "last_value"
        assert {row["law"] for row in tables["comparison"]} == {"last_value", "power", laws}
    picture = tmp_path / "p.json"
    done = invoke(
        compare_command,
        [
            str(runs),
            "--laws",
            "chinchilla",
            "--cv",
            "by:family",
            *quick,
            "--figure",
            str(picture),
        ],
        catch_exceptions=False,
    )
    assert (tmp_path / "p-compare-units.json").is_file()
    failed = invoke(compare_command, [str(runs), "--laws", "nonsense"])
    assert isinstance(failed.exception, IsoflopError)


def test_the_list_of_laws_is_printed_with_what_each_needs():
    invoke = CliRunner().invoke
    listed = invoke(laws_command, [], catch_exceptions=False).stdout
    assert all(name in listed for name in LAWS)
    tables = json.loads(invoke(laws_command, ["--json"], catch_exceptions=False).stdout)["tables"]
    assert [row["law"] for row in tables["laws"]] == list(LAWS)
    assert all(row["advice"] and row["source"] and row["formula"] for row in tables["laws"])
    assert len(tables["parameters"]) == sum(law.p for law in LAWS.values())
    one = invoke(laws_command, ["chinchilla"], catch_exceptions=False).stdout
    assert "2203.15556" in one
    assert "alpha" in one


def test_a_comparison_keeps_the_evidence_behind_it(of_runs):
    [provenance] = of_runs.provenance
    assert provenance.rows_used == 20
    assert replace(of_runs.scores[0], log_errors=np.array([np.nan])).complete is False


@pytest.mark.public_data
def test_on_the_published_points_joint_laws_beat_those_of_compute_alone(public_data):
    table = load(public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv", schema="scaling_runs")
    found = compare(
        select(table, drop_highest=5),
        laws=("chinchilla", "overtrain", "power_floor"),
        objective=Gaussian(),
        reps=200,
    )
    order = found.frame()["law"].to_list()
    assert {order[1], order[2]} == {"chinchilla", "overtrain"}
    assert found.difference("chinchilla", "last_value").high < -0.03
