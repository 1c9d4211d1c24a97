"""Meta-analysis agrees with metafor and clubSandwich; numbers in tests/golden/meta_metafor.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isoflop.stats.meta import (
    MetaFit,
    component_intervals,
    cumulative,
    egger,
    excess_significance,
    leave_out,
    pool,
    pool_clustered,
    q_profile,
    robust,
    selection_model,
    trim_and_fill,
)

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "meta_metafor.json").read_text(encoding="utf-8")
)
DATA = GOLDEN["data"]
SETS = ("bcg", "schools", "three", "alike", "unequal")
METHODS = ("FE", "DL", "PM", "HE", "SJ", "ML", "REML")
TESTS = ("z", "knha", "adhoc")

TIGHT = {"rtol": 1e-8, "atol": 1e-10}
"""Both sides solve the same equations to rounding; the bar is 1e-6."""
THREE_LEVEL = {"rtol": 1e-6, "atol": 1e-8}
"""The oracle's optimiser sees differences of the likelihood only; the bar is 1e-5."""
SELECTION = {"rtol": 1e-5, "atol": 1e-7}
"""As above: the oracle's log L lies below ours, by up to 1e-11."""


def same(found: Any, expected: Any, tolerance: dict[str, float] = TIGHT) -> None:
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), **tolerance)


def fit_of(name: str, **settings: Any) -> MetaFit:
    return pool(DATA[name]["y"], DATA[name]["v"], **settings)


def check_fit(fit: MetaFit, golden: dict[str, Any]) -> None:
    same(fit.coefficients, golden["b"])
    same(fit.standard_errors, golden["se"])
    same(fit.low, golden["low"])
    same(fit.high, golden["high"])
    same(fit.statistics, golden["statistic"])
    same(fit.p_values, golden["p"])
    same(fit.tau2, golden["tau2"])
    same([fit.i2, fit.h2], [golden["i2"], golden["h2"]])
    same(fit.heterogeneity.statistic, golden["q"])
    same(fit.heterogeneity.p_value, golden["q_p"])
    if fit.tau2_se is not None:
        same(fit.tau2_se, golden["tau2_se"])


def schools(what: str, **settings: Any) -> MetaFit:
    d = DATA["schools"]
    years = d["year"] if what == "year" else None
    return pool_clustered(d["y"], d["v"], d["district"], moderators=years, **settings)


def test_the_whole_grid_is_there() -> None:
    assert set(GOLDEN["grid"]) == set(SETS)
    for methods in (*GOLDEN["grid"].values(), GOLDEN["regression"]):
        assert {(m, t) for m in methods for t in methods[m]} == {(m, t) for m in METHODS for t in TESTS}
    assert set(GOLDEN["three_level"]) == {"REML", "ML"}
    assert len(GOLDEN["robustness"]) == 5
    assert "metafor 3.8" in GOLDEN["tool"]
    assert len(DATA["bcg"]["y"]) == 13
    assert len(DATA["schools"]["y"]) == 56


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SETS)
def test_two_levels_agree(name: str, method: str, test: str) -> None:
    golden = GOLDEN["grid"][name][method][test]
    fit = fit_of(name, tau2=method, test=test)
    check_fit(fit, golden)
    if fit.log_likelihood is not None:
        same(fit.log_likelihood, golden["log_likelihood"])
    if method != "FE":
        found = fit.prediction(kind="plain")
        same([found.prediction_low, found.prediction_high], [golden["plain"][k] for k in ("low", "high")])


def test_the_sanity_values_of_the_bcg_trials_come_out() -> None:
    fit = fit_of("bcg", test="z")
    assert round(float(fit.coefficients[0]), 4) == -0.7145
    assert round(float(fit.standard_errors[0]), 4) == 0.1798
    assert round(fit.tau2, 4) == 0.3132
    assert round(100 * fit.i2, 1) == 92.2
    assert round(fit.heterogeneity.statistic, 2) == 152.23


@pytest.mark.parametrize("name", SETS)
def test_rileys_prediction_interval_agrees(name: str) -> None:
    found = fit_of(name, test="z").prediction(kind="riley")
    golden = GOLDEN["riley"][name]
    same([found.prediction_low, found.prediction_high], [golden["low"], golden["high"]])


@pytest.mark.parametrize("name", SETS)
def test_q_profile_intervals_agree(name: str) -> None:
    found, golden = q_profile(fit_of(name)), GOLDEN["q_profile"][name]
    same([found.tau2_low, found.tau2_high], golden["tau2"])
    same([found.i2_low, found.i2_high, found.h2_low, found.h2_high], golden["i2"] + golden["h2"])
    assert found.is_empty == (name == "alike")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("method", METHODS)
def test_meta_regression_agrees(method: str, test: str) -> None:
    d, golden = DATA["bcg"], GOLDEN["regression"][method][test]
    moderators = np.column_stack([d["latitude"], d["year"]])
    fit = fit_of("bcg", moderators=moderators, names=("latitude", "year"), tau2=method, test=test)
    check_fit(fit, golden)
    same([fit.moderators.statistic, fit.moderators.p_value], [golden["qm"], golden["qm_p"]])
    if method == "FE":
        assert fit.r2 is None
    else:
        same(fit.r2, golden["r2"])
        found = fit.prediction([1, 40, 1960], kind="plain")
        same([found.prediction_low, found.prediction_high], [golden["plain"][k] for k in ("low", "high")])


def test_q_profile_of_a_meta_regression_agrees() -> None:
    d, golden = DATA["bcg"], GOLDEN["q_profile_regression"]
    found = q_profile(fit_of("bcg", moderators=np.column_stack([d["latitude"], d["year"]])))
    same([found.tau2_low, found.tau2_high, found.i2_low, found.i2_high], golden["tau2"] + golden["i2"])


@pytest.mark.parametrize("test", ["z", "knha"])
def test_own_weights_agree(test: str) -> None:
    d, golden = DATA["bcg"], GOLDEN["own_weights"][test]
    fit = fit_of("bcg", moderators=d["latitude"], test=test, weights=np.sqrt(np.arange(1, 14)))
    same([fit.coefficients, fit.standard_errors, fit.low], [golden["b"], golden["se"], golden["low"]])


@pytest.mark.parametrize("what", ["intercept", "year"])
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_three_levels_agree(method: str, what: str) -> None:
    golden = GOLDEN["three_level"][method][what]
    fit = schools(what, method=method, test="z")
    found = [fit.coefficients, fit.standard_errors, fit.low, fit.high, fit.p_values]
    same(
        np.concatenate(found),
        np.concatenate([np.ravel(golden[k]) for k in ("b", "se", "low", "high", "p")]),
        THREE_LEVEL,
    )
    same([fit.cluster_variance, fit.study_variance], [golden["cluster"], golden["study"]], THREE_LEVEL)
    same(fit.log_likelihood, golden["log_likelihood"])
    same(fit.heterogeneity.statistic, golden["q"])
    intervals = component_intervals(fit)
    same([intervals.cluster.low, intervals.cluster.high], golden["cluster_interval"], THREE_LEVEL)
    same([intervals.study.low, intervals.study.high], golden["study_interval"], THREE_LEVEL)
    if what == "intercept":
        plain = fit.prediction(kind="plain")
        expected = [golden["plain"]["low"], golden["plain"]["high"]]
        same([plain.prediction_low, plain.prediction_high], expected, THREE_LEVEL)


def test_three_levels_with_student_t_and_with_own_weights_agree() -> None:
    golden, fit = GOLDEN["three_level_t"], schools("intercept")
    assert fit.df == 10
    same([fit.low, fit.high, fit.p_values], [golden["low"], golden["high"], golden["p"]], THREE_LEVEL)
    district = DATA["schools"]["district"]
    weights = [1 / district.count(label) for label in district]
    golden, fit = GOLDEN["own_weights_three"], schools("year", weights=weights)
    same([fit.coefficients, fit.standard_errors], [golden["b"], golden["se"]], THREE_LEVEL)


def robust_case(name: str) -> tuple[MetaFit, Any]:
    d, b = DATA["schools"], DATA["bcg"]
    if name.startswith("three_level"):
        return schools(name.removeprefix("three_level_")), None
    if name == "bcg_latitude":
        return fit_of("bcg", moderators=b["latitude"], tau2="DL"), b["allocation"]
    weights = np.sqrt(1 + np.arange(1, 57)) if name == "own_weights" else None
    return fit_of("schools", moderators=d["year"], weights=weights), d["district"]


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1p", "CR2"])
@pytest.mark.parametrize("name", sorted(GOLDEN["robustness"]))
def test_cluster_robust_covariances_agree(name: str, kind: str) -> None:
    fit, codes = robust_case(name)
    golden = GOLDEN["robustness"][name][kind]
    found = robust(fit, codes, kind=kind)
    same(found.covariance, golden["covariance"], THREE_LEVEL)
    same(found.standard_errors, golden["se"], THREE_LEVEL)
    if kind == "CR2":
        same(found.df, golden["df"], THREE_LEVEL)
        same(found.p_values, golden["p"], THREE_LEVEL)


def test_metafors_own_robust_interval_agrees() -> None:
    golden, found = GOLDEN["metafor_robust"], robust(schools("intercept"), kind="CR1p")
    same(
        [found.standard_errors[0], found.low[0], found.high[0]],
        [golden[k] for k in ("se", "low", "high")],
        THREE_LEVEL,
    )


def test_the_joint_test_by_hotelling_agrees() -> None:
    d, golden = DATA["schools"], GOLDEN["joint_wald"]
    years = sorted(set(d["year"]))[1:]
    dummies = np.array([[float(year == other) for other in years] for year in d["year"]])
    names = tuple(str(year) for year in years)
    fit = pool_clustered(d["y"], d["v"], d["district"], moderators=dummies, names=names)
    found = robust(fit).joint_test(names)
    same(
        [found.statistic, found.df, found.df_residual, found.p_value],
        [golden[k] for k in ("statistic", "df", "df_residual", "p")],
        THREE_LEVEL,
    )


@pytest.mark.parametrize("predictor", ["sei", "vi"])
@pytest.mark.parametrize("model", ["lm", "rma"])
@pytest.mark.parametrize("name", ["bcg", "smoke", "unequal"])
def test_regressions_for_asymmetry_agree(name: str, model: str, predictor: str) -> None:
    golden = GOLDEN["egger"][name][model][predictor]
    found = egger(
        DATA[name]["y"], DATA[name]["v"], model=model, predictor={"sei": "se", "vi": "variance"}[predictor]
    )
    same(
        [found.slope, found.slope_se, found.statistic, found.p_value],
        [golden[k] for k in ("slope", "slope_se", "statistic", "p")],
    )
    same(
        [found.limit, found.limit_low, found.limit_high],
        [golden[k] for k in ("limit", "limit_low", "limit_high")],
    )


@pytest.mark.parametrize("side", ["auto", "left", "right"])
@pytest.mark.parametrize("estimator", ["L0", "R0"])
@pytest.mark.parametrize("name", ["bcg", "smoke", "unequal"])
def test_trim_and_fill_agrees(name: str, estimator: str, side: str) -> None:
    golden = GOLDEN["trim_and_fill"][name][estimator][side]
    found = trim_and_fill(DATA[name]["y"], DATA[name]["v"], estimator=estimator, side=side, test="z")
    assert (found.missing, found.side) == (golden["missing"], golden["side"])
    same(found.missing_se, golden["missing_se"])
    same(np.sort(found.filled_y), golden["filled"])
    same(
        [*found.fit.coefficients, *found.fit.standard_errors, found.fit.tau2],
        [golden[k] for k in ("b", "se", "tau2")],
    )


@pytest.mark.parametrize("name", sorted(GOLDEN["selection"]))
def test_selection_models_agree(name: str) -> None:
    data, golden = DATA[name.split("_")[0]], GOLDEN["selection"][name]
    found = selection_model(
        data["y"],
        data["v"],
        moderators=data["latitude"] if name == "bcg_latitude" else None,
        steps=(0.025, 0.5) if name == "smoke_two_steps" else (0.025,),
        alternative="greater" if name.startswith("smoke") else "less",
    )
    same(found.coefficients, golden["b"], SELECTION)
    same(found.standard_errors, golden["se"], SELECTION)
    same([found.tau2, found.tau2_se], [golden["tau2"], golden["tau2_se"]], SELECTION)
    same(found.delta, golden["delta"], SELECTION)
    same(found.delta_se[1:], golden["delta_se"][1:], SELECTION)
    same([found.lr_statistic, found.lr_p], [golden["lr"], golden["lr_p"]], SELECTION)
    assert golden["log_likelihood"] - 1e-12 <= found.log_likelihood <= golden["log_likelihood"] + 1e-10


@pytest.mark.parametrize("alternative", ["two.sided", "greater"])
@pytest.mark.parametrize("name", ["bcg", "smoke", "unequal"])
def test_excess_significance_agrees(name: str, alternative: str) -> None:
    golden = GOLDEN["excess"][name][alternative]
    found = excess_significance(DATA[name]["y"], DATA[name]["v"], alternative=alternative.replace(".", "-"))
    same([found.observed, found.expected], [golden["observed"], golden["expected"]])
    if golden["p"] is not None:
        same(found.p_value, golden["p"])


def test_leaving_one_out_and_adding_up_agree() -> None:
    golden, found = GOLDEN["leave_one_out"], leave_out(fit_of("bcg"))
    assert found.labels == tuple(str(i) for i in range(13))
    same([found.coefficients[:, 0], found.low[:, 0], found.tau2], [golden[k] for k in ("b", "low", "tau2")])
    # Two trials of 1968 enter together here, one after the other there.
    golden, found = GOLDEN["cumulative"], cumulative(fit_of("bcg", test="z"), DATA["bcg"]["year"])
    steps = found.n_studies - 1
    assert steps.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert found.reasons[0].startswith("pool: 1 studies")
    same(found.coefficients[1:, 0], np.array(golden["b"])[steps[1:]])
    same(found.tau2[1:], np.array(golden["tau2"])[steps[1:]])
