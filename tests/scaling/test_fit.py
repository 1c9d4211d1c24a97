"""A law fitted to runs: planted truth, the published refits, and what a fit refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop import evidence, scaling
from isoflop.errors import EvidenceError, NoFitError, NotIdentifiedError, SettingError
from isoflop.scaling.estimate import find, problem, refit
from isoflop.scaling.laws import LAWS
from isoflop.scaling.settings import PRESETS, reference_starts
from isoflop.scaling.simulate import CHINCHILLA, planted_runs
from isoflop.stats.resample import Bootstrap

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "chinchilla_refit.json").read_text())
LAW = LAWS["chinchilla"]
PUBLISHED_SE = {"A": 124.522, "B": 1293.284, "E": 0.02566, "alpha": 0.01540, "beta": 0.02060}
"""Stored output of the replication's 4,000 draws (Besiroglu et al. 2024)."""


@pytest.fixture(scope="module")
def noisy():
    return scaling.select(planted_runs(noise=0.005, seed=3))


@pytest.fixture(scope="module")
def points(public_data):
    return evidence.load(public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv")


def table(frame: pl.DataFrame):
    return evidence.load(frame, schema="scaling_runs", name="mine")


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=12, deadline=None)
@given(
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
    floor=st.floats(0.8, 2.5),
    seed=st.integers(0, 1000),
)
def test_planted_parameters_come_back_without_noise(alpha, beta, floor, seed):
    truth = {"A": 400.0, "B": 900.0, "E": floor, "alpha": alpha, "beta": beta}
    fitted = scaling.fit(scaling.select(planted_runs(truth, noise=0.0, seed=seed)))
    assert fitted.certificate.certified
    for name, value in truth.items():
        assert fitted.parameters[name].value == pytest.approx(value, rel=1e-5), name


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    "objective",
    [
        scaling.Huber(),
        scaling.Huber(delta="mad"),
        scaling.LAD(),
        scaling.StudentT(),
        scaling.Gaussian(),
        scaling.Gaussian(space="raw"),
    ],
    ids=lambda o: repr(o),
)
def test_every_objective_recovers_the_exponents_under_little_noise(noisy, objective):
    fitted = scaling.fit(noisy, objective=objective)
    assert fitted.certificate.certified
    assert fitted.parameters["alpha"].value == pytest.approx(CHINCHILLA["alpha"], abs=0.02)
    assert fitted.parameters["beta"].value == pytest.approx(CHINCHILLA["beta"], abs=0.02)


@pytest.mark.slow
@pytest.mark.ci
def test_robust_objectives_hardly_notice_outliers_and_least_squares_does():
    clean, spoilt = (scaling.select(planted_runs(noise=0.005, outliers=k, seed=5)) for k in (0, 6))

    def moved(objective):
        a, b = (scaling.fit(runs, objective=objective).parameters["alpha"].value for runs in (clean, spoilt))
        return abs(a - b)

    least_squares = moved(scaling.Gaussian())
    for objective in (scaling.Huber(), scaling.LAD(), scaling.StudentT()):
        assert moved(objective) < 0.25 * least_squares


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=5, deadline=None)
@given(scale=st.floats(1e-3, 1e6))
def test_exponents_ignore_the_units_of_tokens(scale):
    base = planted_runs(noise=0.01, seed=1)
    u = scaling.select(base).inputs(LAW.inputs)
    y = scaling.select(base).log_outcome
    plain, other = (
        find(problem(LAW, u + shift[:, None], y, objective=scaling.Huber())).best
        for shift in (np.zeros(2), np.array([0.0, np.log(scale)]))
    )
    assert other.objective == pytest.approx(plain.objective, rel=1e-9)
    assert other.theta[3:] == pytest.approx(plain.theta[3:], rel=1e-6)
    assert other.theta[1] == pytest.approx(plain.theta[1] + plain.theta[4] * np.log(scale), rel=1e-6)


def test_row_order_does_not_matter(noisy):
    shuffled = table(noisy.frame.drop("row").sample(fraction=1.0, shuffle=True, seed=0))
    a, b = scaling.fit(noisy), scaling.fit(scaling.select(shuffled))
    assert b.theta == pytest.approx(a.theta, rel=1e-7)


def test_weight_two_is_the_row_twice(noisy):
    u, y = noisy.inputs(LAW.inputs), noisy.log_outcome
    twice = np.concatenate([np.arange(noisy.n), [4, 7]])
    weights = np.ones(noisy.n)
    weights[[4, 7]] = 2.0
    a = find(problem(LAW, u, y, objective=scaling.Huber(), weights=weights)).best
    b = find(problem(LAW, u[:, twice], y[twice], objective=scaling.Huber())).best
    assert a.objective == pytest.approx(b.objective, rel=1e-9)
    assert a.theta == pytest.approx(b.theta, rel=1e-7)


def test_the_published_grid_and_the_starts_read_off_the_data_agree(noisy):
    a, b = scaling.fit(noisy), scaling.fit(noisy, starts=reference_starts())
    assert b.certificate.tried == 4500
    assert b.certificate.share_at_best > 0.95
    assert b.certificate.objective == pytest.approx(a.certificate.objective, abs=1e-10)


@pytest.mark.slow
@pytest.mark.ci
def test_a_refit_is_at_or_below_scipys_objective(noisy):
    from scipy.optimize import minimize
    from scipy.special import huber, logsumexp

    n, d = noisy.inputs(LAW.inputs)
    y = noisy.log_outcome
    start = scaling.fit(noisy).theta
    weights = Bootstrap(reps=5, seed=2).weights(noisy.n) * noisy.n
    ours = refit(problem(LAW, np.array([n, d]), y, objective=scaling.Huber()), weights, start)
    assert ours.certified.all()
    for w, objective in zip(weights, ours.objective, strict=True):

        def value(t, w=w):
            parts = np.stack([t[0] - t[3] * n, t[1] - t[4] * d, np.full_like(y, t[2])])
            return float(w @ huber(1e-3, logsumexp(parts, axis=0) - y))

        theirs = minimize(
            value, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-13}
        )
        assert objective <= theirs.fun + 1e-10


@pytest.mark.public_data
def test_the_preset_meets_the_published_optimum_and_standard_errors(points):
    golden = GOLDEN["huber_1e-3"]
    setting = PRESETS["besiroglu2024"]
    fitted = scaling.fit(
        scaling.select(points, drop_highest=setting.drop_highest),
        objective=setting.objective,
        ci=Bootstrap(reps=4000),
        resample="published",
    )
    assert fitted.n == 240
    assert fitted.certificate.objective <= golden["objective"] + 1e-10
    for name, rel in {"A": 5e-4, "B": 1e-3, "E": 1e-4, "alpha": 1e-4, "beta": 1e-4}.items():
        assert fitted.parameters[name].value == pytest.approx(golden[name], rel=rel), name
        assert fitted.standard_errors[name] == pytest.approx(
            PUBLISHED_SE[name], rel=5e-3 if name in "AB" else 1e-2
        ), name


@pytest.mark.public_data
def test_the_other_preset_is_the_least_absolute_fit_behind_the_published_table(points):
    golden = GOLDEN["least_absolute"]
    fitted = scaling.fit(scaling.select(points, drop_highest=5), objective=scaling.LAD())
    assert fitted.certificate.objective == pytest.approx(golden["objective"], rel=1e-5)
    for name in LAW.names:
        # the recorded values have five or six digits
        assert fitted.parameters[name].value == pytest.approx(golden[name], rel=2e-5), name


@pytest.mark.public_data
def test_objective_at_hoffmanns_rounded_values_is_the_recorded_one(points):
    runs = scaling.select(points, drop_highest=5)
    one = problem(LAW, runs.inputs(LAW.inputs), runs.log_outcome, objective=scaling.Huber())
    there = LAW.working({"A": 406.4, "B": 410.7, "E": 1.69, "alpha": 0.34, "beta": 0.28})
    assert one.values(there[None])[0] == pytest.approx(0.004121, rel=1e-3)


def test_intervals_cover_and_joint_draws_are_kept(noisy):
    fitted = scaling.fit(noisy, ci=Bootstrap(reps=400, seed=1))
    alpha = fitted.parameters["alpha"]
    assert alpha.low < alpha.value < alpha.high
    assert fitted.draws.theta.shape == (400, 5)
    band = fitted.predict({"params": [1e8, 1e9], "tokens": [1e10, 1e11]})
    assert (band.low < band.value).all()
    assert (band.value < band.high).all()
    # ln A and alpha lean on each other: an interval from their joint draws is narrower than from each alone
    assert np.corrcoef(fitted.draws.theta[:, 0], fitted.draws.theta[:, 3])[0, 1] > 0.9


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("resample", ["pairs", "residual", "wild"])
def test_what_is_resampled_changes_the_interval_little_under_even_noise(noisy, resample):
    fitted = scaling.fit(noisy, objective=scaling.Gaussian(), ci=Bootstrap(reps=300), resample=resample)
    pairs = scaling.fit(noisy, objective=scaling.Gaussian(), ci=Bootstrap(reps=300))
    assert fitted.standard_errors["alpha"] == pytest.approx(pairs.standard_errors["alpha"], rel=0.4)


def test_clusters_are_drawn_together(noisy):
    fitted = scaling.fit(noisy, ci=Bootstrap(reps=100, by="budget_flop"))
    assert fitted.parameters["alpha"].low is not None
    with pytest.raises(SettingError, match="by='family' is no filled column"):
        scaling.fit(noisy, ci=Bootstrap(reps=100, by="family"))
    with pytest.raises(SettingError, match="needs by='row'"):
        scaling.fit(noisy, ci=Bootstrap(reps=10, by="budget_flop"), resample="wild")


def test_inverting_a_prediction_gives_the_input_back(noisy):
    fitted = scaling.fit(noisy, ci=Bootstrap(reps=50))
    loss = float(fitted.predict({"params": [3e8], "tokens": [2e10]}).value[0])
    back = fitted.invert(loss, given={"tokens": 2e10})
    assert back.value == pytest.approx(3e8, rel=1e-6)
    assert back.low < back.value < back.high
    with pytest.raises(NotIdentifiedError, match="never reached"):
        fitted.invert(1.0, given={"tokens": 2e10})


def test_local_slope_is_that_of_the_prediction(noisy):
    fitted = scaling.fit(noisy)
    slope = fitted.local_slope({"params": 1e9, "tokens": 2e10})["tokens"].value
    losses = fitted.predict({"params": [1e9, 1e9], "tokens": [2e10 * 0.999, 2e10 * 1.001]}).value
    assert slope == pytest.approx(np.diff(np.log(losses))[0] / np.log(1.001 / 0.999), rel=1e-5)
    assert slope < 0


def test_a_law_of_one_resource_needs_its_column_and_gives_a_negative_exponent(noisy):
    with pytest.raises(SettingError, match="needs its column"):
        scaling.fit(noisy, law="power")
    by_flop = scaling.select(noisy.table, x="train_flop")
    fitted = scaling.fit(by_flop, law="power", objective=scaling.Gaussian())
    assert fitted.exponent.value == pytest.approx(-fitted.parameters["alpha"].value)
    slope = np.polyfit(np.log(by_flop.column("train_flop")), by_flop.log_outcome, 1)[0]
    assert fitted.exponent.value == pytest.approx(slope, rel=1e-8)


@pytest.mark.slow
@pytest.mark.ci
def test_delta_sensitivity_runs_from_nearly_squares_to_nearly_absolute(noisy):
    rows = noisy and scaling.fit(noisy).delta_sensitivity()
    assert [row["delta"] for row in rows] == [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-6]
    absolute = scaling.fit(noisy, objective=scaling.LAD())
    assert rows[-1]["alpha"] == pytest.approx(absolute.parameters["alpha"].value, rel=1e-3)


BAD = {
    "ratio": (
        lambda f: f.with_columns(tokens=20.0 * pl.col("params"), train_flop=None),
        EvidenceError,
        "D/N",
    ),
    "constant loss": (lambda f: f.with_columns(loss_nats=2.0), EvidenceError, "needs a spread"),
    "few": (lambda f: f.head(4), EvidenceError, "distinct|needs"),
    "two sets": (
        lambda f: f.with_columns(
            dataset=pl.when(pl.col("params") > 1e9).then(pl.lit("c4")).otherwise(pl.lit("pile"))
        ),
        EvidenceError,
        "cannot be pooled",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_runs_that_cannot_be_fitted_are_refused_with_a_cure(case):
    spoil, error, words = BAD[case]
    frame = planted_runs(noise=0.01).frame.drop("record", strict=False)
    keep = ["run_id", "source", "params", "tokens", "train_flop", "budget_flop", "loss_nats", "dataset"]
    frame = spoil(frame.select(name for name in keep if name in frame.columns))
    with pytest.raises(error, match=words):
        scaling.fit(scaling.select(table(frame)))


def test_settings_out_of_range_are_refused(noisy):
    for call, words in (
        (lambda: scaling.fit(noisy, law="chinchila"), "Did you mean 'chinchilla'"),
        (lambda: scaling.Huber(delta=-1.0), "must lie in"),
        (lambda: scaling.StudentT(df=0), "must lie in"),
        (lambda: scaling.Gaussian(space="log10"), "must be 'log' or 'raw'"),
        (lambda: scaling.select(noisy.table, drop_highest=-1), "at least 0"),
        (lambda: scaling.select(noisy.table, drop_highest=10_000), "must leave some"),
        (lambda: scaling.select(noisy.table, params="all"), "total"),
        (lambda: scaling.select(noisy.table, where={"familly": "x"}), "no column"),
        (lambda: scaling.select(noisy.table, where={"source": "nobody"}), "no row has"),
        (lambda: scaling.fit(noisy, weights=np.ones(3)), "needs 81 finite numbers"),
        (lambda: scaling.fit(noisy, ci=Bootstrap(reps=5), resample="jackknife"), "must be one of"),
    ):
        with pytest.raises(SettingError, match=words):
            call()


def test_dropping_the_highest_losses_lists_them(noisy):
    kept = scaling.select(noisy.table, drop_highest=5)
    assert kept.n == noisy.n - 5
    assert kept.steps[-1].dropped == 5
    assert kept.log_outcome.max() < np.sort(noisy.log_outcome)[-5]


def test_an_uncertified_end_is_returned_only_on_request(noisy, monkeypatch):
    from isoflop.scaling import estimate

    solve = estimate.Problem.solve

    def stopped_early(self, starts, weights=None, **rest):
        return solve(self, starts, weights, **{**rest, "max_iterations": 1})

    monkeypatch.setattr(estimate.Problem, "solve", stopped_early)
    with pytest.raises(NoFitError):
        scaling.fit(noisy)
    fitted = scaling.fit(noisy, status="return")
    assert not fitted.certificate.certified
    assert any("not certified" in caution for caution in fitted.cautions)


def test_a_floor_pushed_to_zero_is_said_to_lie_at_its_bound():
    truth = {**CHINCHILLA, "E": 1e-9, "A": 40.0, "B": 60.0, "alpha": 0.1, "beta": 0.1}
    fitted = scaling.fit(scaling.select(planted_runs(truth, noise=0.003, seed=0)))
    assert fitted.certificate.at_bounds == ("E",)


def test_the_json_form_has_no_gaps(noisy):
    fitted = scaling.fit(noisy, ci=Bootstrap(reps=60))
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    assert json.loads(text)["parameters"][0]["parameter"] == "A"
    assert fitted.frame().height == 5
    assert "chinchilla" in fitted.summary()


def test_a_fit_remembers_what_was_resampled(noisy):
    drawn = Bootstrap(reps=20, seed=7)
    wild = scaling.fit(noisy, ci=drawn, resample="wild")
    assert "signs of residuals" in wild.method
    assert wild.seed == 7
    published = scaling.fit(noisy, ci=drawn, resample="published")
    assert published.seed == 42
    assert {f.seed for f in scaling.frontier(published).findings()} == {42}
    assert "as the publication drew them" in published.method


def test_intervals_are_of_the_kind_that_was_asked_for(noisy):
    percentile, basic = (
        scaling.fit(noisy, ci=Bootstrap(reps=60, kind=kind)).parameters["alpha"]
        for kind in ("percentile", "basic")
    )
    assert basic.low == pytest.approx(2 * basic.value - percentile.high)
    with pytest.raises(SettingError, match="must be 'percentile' or 'basic'"):
        scaling.fit(noisy, ci=Bootstrap(reps=60, kind="bca"))


def test_standard_errors_of_losses_weigh_rows_when_asked(noisy):
    frame = noisy.frame.drop("row").with_columns(
        loss_se=pl.Series([0.001, 0.1] * noisy.n).head(noisy.n) * pl.col("loss_nats")
    )
    runs = scaling.select(table(frame))
    by_error = scaling.fit(runs, weights="loss_se")
    precise = scaling.select(table(frame.gather_every(2)))
    assert by_error.parameters["alpha"].value == pytest.approx(
        scaling.fit(precise).parameters["alpha"].value, rel=5e-3
    )
    assert "weighed by loss_se" in by_error.method
    with pytest.raises(SettingError, match="must be 'repeats', 'loss_se'"):
        scaling.fit(runs, weights="se")


def test_a_loss_that_rises_with_an_input_is_doubted(noisy):
    frame = noisy.frame.drop("row").with_columns(
        loss_nats=1.0 + pl.col("loss_nats") / 10 + pl.col("params") * 1e-10
    )
    fitted = scaling.fit(scaling.select(table(frame)))
    assert fitted.parameters["alpha"].value < 0
    assert any("against expectation" in caution for caution in fitted.cautions)


def test_a_bent_law_is_told_by_its_slope_at_the_end(noisy):
    runs = scaling.select(noisy.table, x="train_flop")
    bent = scaling.fit(runs, law="bnsl_1", objective=scaling.Gaussian(), status="return")
    assert bent.exponent_name is None
    end = float(runs.column("train_flop").max())
    assert bent.exponent.value == pytest.approx(bent.local_slope({"x": end})["x"].value)


def test_an_outcome_above_every_prediction_is_passed_by_every_amount(noisy):
    fitted = scaling.fit(noisy)
    with pytest.raises(NotIdentifiedError, match="passed by every amount"):
        fitted.invert(1e9, given={"tokens": 2e10})
