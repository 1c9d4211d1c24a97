"""Meta-analysis by its properties, by brute force, and at its edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.stats.checks import FloatArray
from isoflop.stats.meta import (
    component_intervals,
    egger,
    equal_cluster_weights,
    excess_share,
    funnel,
    leave_out,
    pet_peese,
    pool,
    pool_clustered,
    q_profile,
    robust,
    selection_model,
    trim_and_fill,
)
from isoflop.stats.meta.components import ComponentModel
from isoflop.stats.meta.effects import read_effects

RTOL = 1e-7
"""Different orders of summation, and Newton steps that stop at 1e-12 of a variance."""
METHODS = ("FE", "DL", "PM", "HE", "SJ", "ML", "REML")

seeds = st.integers(0, 2**32 - 1)
methods = st.sampled_from(METHODS)


def planted(
    seed: int, k: int = 12, *, tau: float = 0.3, between: float = 0.0, clusters: int = 4
) -> tuple[FloatArray, FloatArray, Any]:
    rng = np.random.default_rng(seed)
    codes = np.arange(k) % clusters
    v = rng.uniform(0.01, 0.2, k)
    y = 0.4 + between * rng.normal(size=clusters)[codes] + rng.normal(size=k) * np.sqrt(v + tau**2)
    return y, v, codes


@settings(max_examples=25)
@given(seed=seeds, method=methods, scale=st.sampled_from([1e-6, 0.03, 40.0, 1e5]))
def test_a_change_of_unit_scales_everything(seed: int, method: Any, scale: float) -> None:
    y, v, _ = planted(seed)
    one, other = pool(y, v, tau2=method), pool(scale * y, scale**2 * v, tau2=method)
    np.testing.assert_allclose(other.coefficients, scale * one.coefficients, rtol=RTOL)
    np.testing.assert_allclose([other.low, other.high], np.multiply(scale, [one.low, one.high]), rtol=1e-6)
    np.testing.assert_allclose(other.tau2, scale**2 * one.tau2, rtol=1e-6, atol=1e-12 * scale**2)
    np.testing.assert_allclose([other.i2, other.h2], [one.i2, one.h2], rtol=1e-6, atol=1e-10)


@settings(max_examples=25)
@given(seed=seeds, method=methods, shift=st.floats(-1e3, 1e3))
def test_a_shift_of_the_effects_shifts_the_mean_only(seed: int, method: Any, shift: float) -> None:
    y, v, _ = planted(seed)
    one, other = pool(y, v, tau2=method), pool(y + shift, v, tau2=method)
    np.testing.assert_allclose(other.coefficients, one.coefficients + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-6)
    np.testing.assert_allclose(other.tau2, one.tau2, rtol=1e-6, atol=1e-10)


@settings(max_examples=20)
@given(seed=seeds)
def test_the_order_of_studies_and_the_names_of_clusters_do_not_matter(seed: int) -> None:
    y, v, codes = planted(seed, between=0.3)
    x = np.random.default_rng(seed).normal(size=y.size)
    order = np.random.default_rng(seed + 1).permutation(y.size)
    renamed = np.array(["d", "a", "c", "b"])[codes]
    one = pool_clustered(y, v, codes, moderators=x)
    other = pool_clustered(y[order], v[order], renamed[order], moderators=x[order])
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=RTOL, atol=1e-9)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(other.weights, one.weights[order], rtol=1e-6, atol=1e-12)
    a, b = robust(one), robust(other)
    np.testing.assert_allclose(b.covariance, a.covariance, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(b.df, a.df, rtol=1e-6)


@settings(max_examples=25)
@given(seed=seeds, method=st.sampled_from(["DL", "PM", "HE", "REML", "ML"]))
def test_without_heterogeneity_random_effects_are_fixed_effects(seed: int, method: Any) -> None:
    _, v, _ = planted(seed)
    y = 0.4 + 0.1 * np.sqrt(v) * np.where(np.arange(v.size) % 2, 1.0, -1.0)
    fixed, mixed = pool(y, v, tau2="FE"), pool(y, v, tau2=method, test="z")
    assert mixed.tau2 == 0.0
    np.testing.assert_allclose(mixed.coefficients, fixed.coefficients, rtol=1e-12)
    np.testing.assert_allclose(mixed.covariance, fixed.covariance, rtol=1e-12)
    assert mixed.i2 == fixed.i2 == 0.0


@settings(max_examples=20)
@given(seed=seeds, method=st.sampled_from(["REML", "ML"]))
def test_three_levels_with_one_study_a_cluster_are_two_levels(seed: int, method: Any) -> None:
    y, v, _ = planted(seed)
    two = pool(y, v, tau2=method, test="t")
    three = pool_clustered(y, v, np.arange(y.size), method=method)
    np.testing.assert_allclose(three.coefficients, two.coefficients, rtol=1e-12)
    np.testing.assert_allclose([three.low, three.high], [two.low, two.high], rtol=1e-12)
    assert three.tau2 == two.tau2
    assert any("one number" in caution for caution in three.cautions)


@settings(max_examples=15)
@given(seed=seeds)
def test_every_study_twice_halves_the_fixed_effect_variance(seed: int) -> None:
    y, v, codes = planted(seed, between=0.4)
    one, twice = pool(y, v, tau2="FE"), pool(np.tile(y, 2), np.tile(v, 2), tau2="FE")
    np.testing.assert_allclose(twice.coefficients, one.coefficients, rtol=1e-12)
    np.testing.assert_allclose(2 * twice.covariance, one.covariance, rtol=1e-12)
    np.testing.assert_allclose(twice.heterogeneity.statistic, 2 * one.heterogeneity.statistic, rtol=1e-9)
    # Copies inside a cluster carry nothing new for CR0 on an unweighted mean.
    flat = {"tau2": "FE", "test": "z"}
    a = robust(pool(y, v, weights=np.ones(y.size), **flat), codes, kind="CR0")
    b = robust(
        pool(np.tile(y, 2), np.tile(v, 2), weights=np.ones(2 * y.size), **flat), np.tile(codes, 2), kind="CR0"
    )
    np.testing.assert_allclose(b.covariance, a.covariance, rtol=1e-9)


@settings(max_examples=15)
@given(seed=seeds, method=methods)
def test_equal_variances_make_the_plain_mean(seed: int, method: Any) -> None:
    y, _, _ = planted(seed)
    fit = pool(y, np.full(y.size, 0.05), tau2=method)
    assert fit.coefficients[0] == pytest.approx(y.mean(), rel=1e-12)
    np.testing.assert_allclose(fit.weights, 1 / y.size, rtol=1e-12)
    if fit.test == "knha":
        low, high = scipy.stats.ttest_1samp(y, 0.0).confidence_interval(0.95)
        np.testing.assert_allclose([fit.low[0], fit.high[0]], [low, high], rtol=1e-9)


@settings(max_examples=15)
@given(seed=seeds)
def test_linear_maps_of_moderators_change_no_prediction(seed: int) -> None:
    y, v, codes = planted(seed, between=0.2)
    x = np.random.default_rng(seed).normal(size=(y.size, 2))
    mapped = x @ np.array([[2.0, 0.3], [-1.0, 0.5]]) + np.array([2000.0, -7.0])
    one = pool_clustered(y, v, codes, moderators=x)
    other = pool_clustered(y, v, codes, moderators=mapped)
    np.testing.assert_allclose(other.fitted, one.fitted, rtol=1e-6, atol=1e-8)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(other.moderators.statistic, one.moderators.statistic, rtol=1e-5)


def negative_log_likelihood(y: FloatArray, v: FloatArray, codes: Any, x: FloatArray, reml: bool) -> Any:
    same = (codes[:, None] == codes).astype(float)

    def value(variances: FloatArray) -> float:
        covariance = np.diag(v + variances[0]) + variances[1] * same
        inverse = np.linalg.inv(covariance)
        gram = x.T @ inverse @ x
        rest = y - x @ np.linalg.solve(gram, x.T @ inverse @ y)
        total = np.linalg.slogdet(covariance)[1] + rest @ inverse @ rest
        rows = y.size
        if reml:
            total += np.linalg.slogdet(gram)[1] - np.linalg.slogdet(x.T @ x)[1]
            rows -= x.shape[1]
        return 0.5 * float(total + rows * math.log(2 * math.pi))

    return value


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_no_pair_of_variances_is_likelier_than_the_fit(seed: int, reml: bool) -> None:
    y, v, codes = planted(
        seed, k=20, between=(0.0, 0.5)[seed % 2], tau=(0.4, 0.05)[seed // 2 % 2], clusters=5
    )
    x = np.column_stack([np.ones(20), np.random.default_rng(seed).normal(size=20)])
    fit = pool_clustered(y, v, codes, moderators=x[:, 1], method="REML" if reml else "ML")
    value = negative_log_likelihood(y, v, codes, x, reml)
    assert value(np.array([fit.study_variance, fit.cluster_variance])) == pytest.approx(
        -fit.log_likelihood, abs=1e-9
    )
    for start in ([0.3, 0.01], [0.01, 0.3]):
        found = scipy.optimize.minimize(value, start, bounds=[(0, None), (0, None)], method="L-BFGS-B")
        assert -fit.log_likelihood <= found.fun + 1e-9


@pytest.mark.parametrize("likelihood", ["ML", "REML"])
def test_score_and_information_are_derivatives_of_the_likelihood(likelihood: Any) -> None:
    y, v, codes = planted(3, k=20, between=0.3, clusters=5)
    x = np.random.default_rng(0).normal(size=(20, 2)) + 2000
    model = ComponentModel(read_effects("test", y, v, moderators=x, codes=codes))
    point = model.at(0.06, 0.09, likelihood)
    step = 1e-5

    def slope(function: Any, i: int) -> Any:
        up, down = (np.array([0.06, 0.09]) + sign * step * np.eye(2)[i] for sign in (1, -1))
        return (function(*up) - function(*down)) / (2 * step)

    for i in range(2):
        by_value = slope(lambda s, c: model.at(s, c, likelihood).log_likelihood, i)
        assert point.score[i] == pytest.approx(by_value, rel=1e-6, abs=1e-6)
        by_score = slope(lambda s, c: model.at(s, c, likelihood).score, i)
        np.testing.assert_allclose(-point.observed[i], by_score, rtol=1e-6, atol=1e-5)
    batched = model.log_likelihood(np.array([0.06, 0.0]), np.array([0.09, 0.0]), likelihood)
    assert batched[0] == pytest.approx(point.log_likelihood, rel=1e-12)
    assert batched[1] == pytest.approx(model.at(0.0, 0.0, likelihood).log_likelihood, rel=1e-12)


def test_planted_variances_are_recovered() -> None:
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(400), 5)
    v = rng.uniform(0.01, 0.05, codes.size)
    x = rng.normal(size=codes.size)
    y = 0.3 - 0.2 * x + rng.normal(0, 0.3, 400)[codes] + rng.normal(size=codes.size) * np.sqrt(v + 0.2**2)
    fit = pool_clustered(y, v, codes, moderators=x)
    assert fit.cluster_variance == pytest.approx(0.09, rel=0.15)
    assert fit.study_variance == pytest.approx(0.04, rel=0.15)
    np.testing.assert_allclose(fit.coefficients, [0.3, -0.2], atol=0.05)
    assert fit.i2_cluster == pytest.approx(fit.cluster_variance / (fit.tau2 + fit.typical_variance))


def test_intervals_of_variances_end_where_the_likelihood_ratio_says() -> None:
    y, v, codes = planted(2, k=24, between=0.5, clusters=6)
    fit = pool_clustered(y, v, codes)
    found = component_intervals(fit, 0.9)
    model = ComponentModel(fit.effects)
    drop = scipy.stats.chi2.ppf(0.9, 1) / 2
    assert fit.log_likelihood is not None
    for end in (found.cluster.low, found.cluster.high):
        if end:
            there = model.maximise("REML", has_cluster=True, cluster=end)
            assert there.log_likelihood == pytest.approx(fit.log_likelihood - drop, abs=1e-7)
    assert found.cluster.contains(fit.cluster_variance)
    assert found.study.contains(fit.study_variance)


@settings(max_examples=20)
@given(seed=seeds, level=st.floats(0.5, 0.99))
def test_q_at_the_ends_of_its_interval_is_the_quantile(seed: int, level: float) -> None:
    y, v, _ = planted(seed, tau=0.6)
    fit = pool(y, v)
    found = q_profile(fit, level)
    model = ComponentModel(fit.effects)
    for tau2, share in ((found.tau2_low, (1 + level) / 2), (found.tau2_high, (1 - level) / 2)):
        if tau2 > 0:
            assert scipy.stats.chi2.cdf(model.at(tau2, 0.0).quadratic, 11) == pytest.approx(share, abs=1e-9)


@settings(max_examples=15)
@given(seed=seeds)
def test_cr2_is_unbiased_where_the_working_covariance_is_true(seed: int) -> None:
    y, v, codes = planted(seed, between=0.3)
    x = np.random.default_rng(seed).normal(size=y.size)
    fit = pool_clustered(y, v, codes, moderators=x)
    same = codes[:, None] == codes
    working = np.diag(v + fit.study_variance) + fit.cluster_variance * same
    design, inverse = fit.effects.design, np.linalg.inv(working)
    rest = np.eye(y.size) - design @ np.linalg.solve(design.T @ inverse @ design, design.T @ inverse)
    found = robust(fit)
    adjusted = found.pieces
    expected = np.zeros((2, 2))
    for rows, sides in zip(adjusted.rows, adjusted.adjusted, strict=True):
        block = (rest @ working @ rest.T)[np.ix_(rows, rows)]
        expected += adjusted.bread @ sides.T @ block @ sides @ adjusted.bread
    np.testing.assert_allclose(expected, fit.covariance, rtol=1e-6, atol=1e-12)
    assert np.all(found.df < 4)
    assert found.contrast([1.0, 0.0]).low == pytest.approx(found.low[0], rel=1e-9)


def test_satterthwaite_with_singletons_and_equal_variances_is_k_minus_one() -> None:
    y, _, _ = planted(0)
    fit = pool(y, np.full(12, 0.05))
    found = robust(fit, np.arange(12))
    assert found.df[0] == pytest.approx(11, rel=1e-9)
    assert found.standard_errors[0] == pytest.approx(scipy.stats.sem(y), rel=1e-9)


def test_prediction_intervals_hold_the_mean_and_say_their_degrees() -> None:
    y, v, codes = planted(1, between=0.3)
    fit = pool(y, v)
    riley, plain = fit.prediction(), fit.prediction(kind="plain")
    assert (riley.df, plain.df) == (10, 11)
    half = scipy.stats.t.ppf(0.975, 10) * math.sqrt(fit.tau2 + fit.covariance[0, 0])
    assert riley.prediction_high - riley.value == pytest.approx(half, rel=1e-12)
    assert riley.prediction_low < plain.prediction_low < plain.low
    assert pool_clustered(y, v, codes).prediction().df == 2
    wider = fit.prediction(level=0.99)
    assert wider.prediction_low < riley.prediction_low


def test_equal_cluster_weights_make_the_mean_of_cluster_means() -> None:
    y, v, _ = planted(4)
    codes = np.array([0] * 7 + [1] * 3 + [2] * 2)
    fit = pool(y, v, weights=equal_cluster_weights(codes))
    assert fit.coefficients[0] == pytest.approx(np.mean([y[codes == c].mean() for c in range(3)]), rel=1e-12)
    np.testing.assert_allclose(np.bincount(codes, fit.weights), 1 / 3, rtol=1e-12)


@settings(max_examples=15)
@given(flags=st.lists(st.booleans(), min_size=1, max_size=9), seed=seeds)
def test_the_share_test_counts_every_outcome(flags: list[bool], seed: int) -> None:
    chances = np.random.default_rng(seed).uniform(size=len(flags))
    outcomes = np.array(np.meshgrid(*[[0, 1]] * len(flags), indexing="ij")).reshape(len(flags), -1).T
    weight = np.prod(np.where(outcomes == 1, chances, 1 - chances), axis=1)
    found = excess_share(flags, chances)
    assert found.p_value == pytest.approx(weight[outcomes.sum(axis=1) >= sum(flags)].sum(), abs=1e-12)
    assert found.ratio == pytest.approx(sum(flags) / chances.sum())


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=4)
@given(seed=seeds)
def test_selection_model_is_a_maximum_and_mirrors(seed: int) -> None:
    y, v, _ = planted(seed, k=25, tau=0.2)
    try:
        one = selection_model(y, v)
    except NotIdentifiedError:
        assume(False)
    other = selection_model(-y, v, alternative="less")
    np.testing.assert_allclose(other.coefficients, -one.coefficients, rtol=1e-6, atol=1e-8)
    assert other.delta[1] == pytest.approx(one.delta[1], rel=1e-5)
    assert one.log_likelihood >= (one.unadjusted.log_likelihood or 0.0) - 1e-9

    def height(theta: FloatArray) -> float:
        total = v + theta[1] ** 2
        cut = scipy.stats.norm.cdf((1.959963984540054 * np.sqrt(v) - theta[0]) / np.sqrt(total))
        seen = 1 - cut + math.exp(theta[2]) * cut
        picked = theta[2] * (y <= 1.959963984540054 * np.sqrt(v))
        return -float(np.sum(picked + scipy.stats.norm.logpdf(y, theta[0], np.sqrt(total)) - np.log(seen)))

    start = [float(one.coefficients[0]), math.sqrt(one.tau2), math.log(one.delta[1])]
    assert height(np.array(start)) == pytest.approx(-one.log_likelihood, rel=1e-9)
    assert (
        scipy.optimize.minimize(height, [0.4, 0.2, 0.0], method="Nelder-Mead").fun
        >= -one.log_likelihood - 1e-7
    )


def test_trim_and_fill_makes_its_funnel_symmetric() -> None:
    v = np.array([0.01, 0.02, 0.02, 0.1, 0.1, 0.1, 0.2])
    y = np.array([0.2, 0.17, 0.23, 0.6, 0.7, 0.75, 0.9])
    found = trim_and_fill(y, v)
    assert found.side == "left"
    assert found.missing == found.filled_y.size > 0
    assert np.all(found.filled_y < found.unadjusted.coefficients[0])
    mirrored = trim_and_fill(-y, v)
    assert mirrored.side == "right"
    np.testing.assert_allclose(np.sort(-mirrored.filled_y), np.sort(found.filled_y), rtol=1e-9)


def test_pet_peese_takes_peese_only_for_an_effect() -> None:
    v = np.geomspace(0.001, 0.3, 12)
    wiggle = 0.2 * np.sqrt(v) * np.where(np.arange(12) % 2, 1, -1)
    effect, none = pet_peese(0.8 + v + wiggle, v), pet_peese(2 * np.sqrt(v) + wiggle, v)
    assert (effect.chosen, none.chosen) == ("peese", "pet")
    assert effect.value == pytest.approx(0.8, abs=0.05)
    assert none.value == pytest.approx(0.0, abs=0.05)


def test_the_funnel_is_centred_on_the_fit() -> None:
    y, v, _ = planted(0)
    fit = pool(y, v)
    found = funnel(fit, points=11)
    np.testing.assert_allclose(found.y, y, rtol=1e-12)
    assert found.centre == pytest.approx(fit.coefficients[0])
    assert found.grid_low[0] == found.grid_high[0] == found.centre
    assert found.grid_se[-1] == pytest.approx(math.sqrt(v.max()))


def test_leaving_out_clusters_is_fitting_without_them() -> None:
    y, v, codes = planted(6, between=0.3)
    fit = pool_clustered(y, v, codes)
    found = leave_out(fit, codes)
    assert found.labels == ("0", "1", "2", "3")
    for c in range(4):
        rest = codes != c
        alone = pool_clustered(y[rest], v[rest], codes[rest])
        assert found.coefficients[c, 0] == pytest.approx(alone.coefficients[0], rel=1e-12)
        assert found.low[c, 0] == pytest.approx(alone.low[0], rel=1e-12)
    assert found.reasons == ("",) * 4


def test_a_subset_without_a_fit_says_why() -> None:
    found = leave_out(pool([0.1, 0.2], [0.1, 0.1]))
    assert all("needs at least 2" in reason for reason in found.reasons)
    assert np.isnan(found.coefficients).all()


REFUSED: dict[str, tuple[Any, type[IsoflopError], str]] = {
    "no rows": (lambda: pool([], []), EvidenceError, "y is empty"),
    "one study": (
        lambda: pool([0.1], [0.1]),
        EvidenceError,
        "1 studies for 1 coefficient(s), needs at least 2",
    ),
    "zero variance": (
        lambda: pool([0.1, 0.2, 0.3], [0.1, 0.0, 0.1]),
        EvidenceError,
        "v has 1 value(s) <= 0 (rows 1)",
    ),
    "negative variance": (lambda: pool([0.1, 0.2], [-0.1, 0.1]), EvidenceError, "rows 0"),
    "NaN": (lambda: pool([0.1, math.nan], [0.1, 0.1]), EvidenceError, "not finite (first at 1)"),
    "text": (lambda: pool(["a", "b"], [0.1, 0.1]), EvidenceError, "y is not numeric"),
    "lengths": (lambda: pool([0.1, 0.2], [0.1]), EvidenceError, "y 2, v 1"),
    "method": (lambda: pool([0.1, 0.2], [0.1, 0.1], tau2="reml"), SettingError, "Did you mean 'REML'?"),
    "test": (lambda: pool([0.1, 0.2], [0.1, 0.1], test="q"), SettingError, "test='q'"),
    "level": (lambda: pool([0.1, 0.2], [0.1, 0.1], level=95), SettingError, "Did you mean 0.95?"),
    "weights": (
        lambda: pool([0.1, 0.2], [0.1, 0.1], weights=[1, 0]),
        EvidenceError,
        "weights has 1 value(s) <= 0",
    ),
    "dependent moderators": (
        lambda: pool([0.1, 0.2, 0.4], [0.1] * 3, moderators=[2.0, 2.0, 2.0]),
        NotIdentifiedError,
        "intercept, moderator 1 are linearly dependent",
    ),
    "too many moderators": (
        lambda: pool([0.1, 0.2], [0.1] * 2, moderators=np.eye(2)),
        EvidenceError,
        "2 studies for 3 coefficients",
    ),
    "names": (lambda: pool([0.1, 0.2], [0.1] * 2, names=["a"]), SettingError, "1 names and no moderators"),
    "one cluster": (
        lambda: pool_clustered(np.arange(24.0), np.ones(24), ["a"] * 24),
        NotIdentifiedError,
        "24 studies, 1 cluster",
    ),
    "one cluster, robust": (
        lambda: robust(pool(np.arange(24.0), np.ones(24)), ["a"] * 24),
        NotIdentifiedError,
        "24 studies, 1 cluster",
    ),
    "no clusters, robust": (lambda: robust(pool([0.1, 0.2], [0.1] * 2)), EvidenceError, "no cluster labels"),
    "clusters parted": (
        lambda: robust(pool_clustered([0.1, 0.2, 0.5], [0.1] * 3, [0, 0, 1]), [0, 1, 1]),
        EvidenceError,
        "lies in several of these clusters",
    ),
    "missing label": (
        lambda: pool_clustered([0.1, 0.2], [0.1] * 2, ["a", None]),
        EvidenceError,
        "1 row(s) without a cluster label",
    ),
    "prediction of two": (
        lambda: pool([0.1, 0.2], [0.1] * 2).prediction(),
        NotIdentifiedError,
        "needs at least 3",
    ),
    "variances of singletons": (
        lambda: component_intervals(pool_clustered([0.1, 0.2, 0.5], [0.1] * 3, [0, 1, 2])),
        NotIdentifiedError,
        "one effect in every cluster",
    ),
    "equal errors, Egger": (lambda: egger([0.1, 0.2, 0.5], [0.1] * 3), EvidenceError, "different variances"),
    "empty interval of p-values": (
        lambda: selection_model([0.1, 0.2, 0.1, 0.3], [0.1] * 4),
        NotIdentifiedError,
        "p-value in (0, 0.025)",
    ),
    "steps": (lambda: selection_model([1.0, 0.2], [0.1] * 2, steps=(0.5, 0.1)), SettingError, "must rise"),
    "few studies, selection": (
        lambda: selection_model([1.0, 0.2, 0.3], [0.1] * 3),
        EvidenceError,
        "3 studies for 3 parameters, needs at least 4",
    ),
    "flags": (lambda: excess_share([2, 0], [0.5, 0.5]), EvidenceError, "other than 0 and 1"),
    "chances": (lambda: excess_share([1, 0], [50, 50]), EvidenceError, "must lie in [0, 1]"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_answered_is_refused(name: str) -> None:
    call, error, words = REFUSED[name]
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


def test_one_study_has_its_own_interval_under_a_fixed_effect() -> None:
    fit = pool([0.3], [0.04], tau2="FE")
    assert fit.standard_errors[0] == pytest.approx(0.2)
    assert (fit.heterogeneity.df, fit.heterogeneity.p_value, fit.i2, fit.h2) == (0, 1.0, 0.0, 1.0)


def test_two_studies_pool_with_a_caution() -> None:
    fit = pool([0.1, 0.9], [0.01, 0.04])
    assert fit.df == 1
    assert np.isfinite([fit.low, fit.high]).all()
    assert any("2 studies hardly determine" in caution for caution in fit.cautions)


def test_equal_effects_pool_to_themselves_with_a_caution() -> None:
    fit = pool([0.5] * 6, [0.1, 0.2, 0.1, 0.3, 0.2, 0.1])
    assert fit.coefficients[0] == pytest.approx(0.5, rel=1e-12)
    assert fit.tau2 == 0.0
    assert any("narrowed" in caution for caution in fit.cautions)
    safe = pool([0.5] * 6, [0.1, 0.2, 0.1, 0.3, 0.2, 0.1], test="adhoc")
    assert safe.standard_errors[0] > 0.1
    assert q_profile(fit).is_empty


@pytest.mark.parametrize("method", METHODS)
def test_huge_heterogeneity_leaves_the_plain_mean(method: Any) -> None:
    y, v, _ = planted(0)
    fit = pool(1e4 * y, 1e-6 * v, tau2=method)
    assert np.isfinite(fit.standard_errors).all()
    if method != "FE":
        assert fit.i2 == pytest.approx(1.0, abs=1e-9)
        assert fit.coefficients[0] == pytest.approx(1e4 * y.mean(), rel=1e-6)


def test_very_different_variances_are_a_caution() -> None:
    fit = pool([0.1, 0.2, 0.5], [1e-9, 0.5, 0.7], tau2="FE")
    assert any("differ by a factor" in caution for caution in fit.cautions)
