"""Intervals from draws agree with SciPy's bootstrap and never hide a failed draw."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.stats.draws import (
    basic_interval,
    bca_interval,
    draw_interval,
    percentile_interval,
    studentised_interval,
)
from isoflop.stats.resample import Bootstrap, replicate_weights

RTOL = 1e-12
samples = st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=60)


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("statistic", [np.mean, np.var, scipy.stats.skew])
def test_intervals_equal_scipys_on_the_same_draws(method: str, level: float, statistic: object) -> None:
    data = np.random.default_rng(5).lognormal(size=25)
    oracle = scipy.stats.bootstrap(
        (data,),
        statistic,
        n_resamples=999,
        confidence_level=level,
        method=method,
        rng=np.random.default_rng(2),
    )
    point = float(statistic(data))  # type: ignore[operator]
    left_out = [float(statistic(np.delete(data, i))) for i in range(data.size)]  # type: ignore[operator]
    setting = Bootstrap(kind=method.lower(), level=level)  # type: ignore[arg-type]
    ours = draw_interval(setting, oracle.bootstrap_distribution, point=point, jackknife=left_out)
    np.testing.assert_allclose(
        [ours.low, ours.high], [oracle.confidence_interval.low, oracle.confidence_interval.high], rtol=RTOL
    )
    assert (ours.n_draws, ours.n_failed, ours.kind) == (999, 0, method.lower())


@given(draws=samples, scale=st.floats(0.01, 100), shift=st.floats(-100, 100), level=st.floats(0.1, 0.99))
def test_percentile_interval_moves_with_the_units(
    draws: list[float], scale: float, shift: float, level: float
) -> None:
    plain = percentile_interval(draws, level)
    moved = percentile_interval(scale * np.array(draws) + shift, level)
    expected = scale * np.array([plain.low, plain.high]) + shift
    np.testing.assert_allclose([moved.low, moved.high], expected, rtol=1e-9, atol=1e-7)
    mirrored = percentile_interval(-np.array(draws), level)
    np.testing.assert_allclose([mirrored.low, mirrored.high], [-plain.high, -plain.low], rtol=1e-9, atol=1e-9)


@given(draws=samples, inner=st.floats(0.1, 0.5), outer=st.floats(0.5, 0.99))
def test_a_higher_level_never_narrows_the_interval(draws: list[float], inner: float, outer: float) -> None:
    narrow, wide = percentile_interval(draws, inner), percentile_interval(draws, outer)
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


def test_bca_without_bias_or_skewness_is_the_percentile_interval() -> None:
    draws = np.linspace(-1, 1, 1001)
    bca, percentile = bca_interval(draws, 0.0, [-1.0, 0.0, 1.0]), percentile_interval(draws)
    np.testing.assert_allclose([bca.low, bca.high], [percentile.low, percentile.high], atol=1e-12)
    flat = bca_interval(draws, 0.0, [3.0, 3.0])
    np.testing.assert_allclose([flat.low, flat.high], [percentile.low, percentile.high], atol=1e-12)


@given(unit=st.floats(1e-140, 1e140))
def test_bca_does_not_depend_on_the_unit_even_if_it_is_tiny(unit: float) -> None:
    rng = np.random.default_rng(0)
    draws, left_out = rng.gamma(3.0, size=300), rng.gamma(3.0, size=20)
    plain, scaled = (
        bca_interval(draws, 2.5, left_out),
        bca_interval(unit * draws, unit * 2.5, unit * left_out),
    )
    np.testing.assert_allclose([scaled.low / unit, scaled.high / unit], [plain.low, plain.high], rtol=1e-9)


def test_studentised_interval_inverts_the_pivot() -> None:
    rng = np.random.default_rng(4)
    draws, errors = rng.normal(3, 1, 500), rng.uniform(0.5, 1.5, 500)
    found = studentised_interval(draws, errors, 3.1, 0.9, 0.9)
    pivots = (draws - 3.1) / errors
    assert found.low == pytest.approx(3.1 - 0.9 * np.quantile(pivots, 0.95), rel=1e-12)
    assert found.high == pytest.approx(3.1 - 0.9 * np.quantile(pivots, 0.05), rel=1e-12)


def test_studentised_interval_of_a_skewed_mean_covers_better_than_the_percentile_one() -> None:
    rng = np.random.default_rng(11)
    n, trials = 12, 400
    weights = replicate_weights(0, n, 0, 400)
    covered = {"studentised": 0, "percentile": 0}
    for _ in range(trials):
        data = rng.lognormal(size=n)
        draws = weights @ data
        errors = np.sqrt(np.maximum(weights @ data**2 - draws**2, 0) / n)
        usable = errors > 1e-9
        answers = {
            "studentised": studentised_interval(
                draws[usable], errors[usable], data.mean(), data.std() / np.sqrt(n), 0.9
            ),
            "percentile": percentile_interval(draws, 0.9),
        }
        for kind, found in answers.items():
            covered[kind] += found.low <= np.exp(0.5) <= found.high
    assert covered["percentile"] < 0.82 * trials
    assert covered["studentised"] > covered["percentile"] + 0.03 * trials


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_failed_draws_are_refused_or_counted(bad: float) -> None:
    draws = np.append(np.arange(9.0), bad)
    with pytest.raises(EvidenceError, match="1 of 10 draws are not finite"):
        percentile_interval(draws)
    counted = percentile_interval(draws, on_failed="count")
    clean = percentile_interval(draws[:-1])
    assert (counted.low, counted.high) == (clean.low, clean.high)
    assert (counted.n_draws, counted.n_failed) == (9, 1)


def test_a_replicate_without_a_standard_error_counts_as_failed() -> None:
    found = studentised_interval([1.0, 2.0, 3.0, 2.5], [1.0, 0.0, np.nan, 1.0], 2.0, 1.0, on_failed="count")
    assert (found.n_draws, found.n_failed) == (2, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: percentile_interval([1.0]), EvidenceError, "1 usable draws"),
        (lambda: percentile_interval([[1.0, 2.0]]), EvidenceError, "needs one dimension"),
        (lambda: percentile_interval([1.0, 2.0], 95), SettingError, "Did you mean 0.95"),
        (lambda: percentile_interval([1.0, 2.0], on_failed="drop"), SettingError, "on_failed"),
        (lambda: basic_interval([1.0, 2.0], np.nan), EvidenceError, "needs a finite number"),
        (lambda: bca_interval([1.0, 2.0], 0.0, [1.0, 2.0]), NotIdentifiedError, "one side of the point"),
        (lambda: bca_interval([1.0, 2.0], 1.5, [1.0, np.nan]), EvidenceError, "jackknife"),
        (lambda: studentised_interval([1.0, 2.0], [1.0], 1.0, 1.0), EvidenceError, "must be equal"),
        (lambda: studentised_interval([1.0, 2.0], [1.0, 1.0], 1.0, 0.0), EvidenceError, "must be > 0"),
        (lambda: draw_interval(Bootstrap(kind="bca"), [1.0, 2.0], point=1.5), SettingError, "jackknife"),
    ],
)
def test_what_cannot_be_used_is_refused(call: object, error: type[IsoflopError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]


def test_bca_refuses_an_acceleration_that_turns_the_interval_round() -> None:
    one_row_decides = np.append(np.zeros(400), -1.0)
    with pytest.raises(NotIdentifiedError, match="too strong"):
        bca_interval(np.linspace(-1, 60, 999), 55.0, one_row_decides, 1 - 1e-10)
