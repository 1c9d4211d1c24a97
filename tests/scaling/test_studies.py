"""One law a study: properties of the likelihood, planted exponents, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import binom, norm

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.pooling.logit_slope import log_likelihood as logit_log_likelihood
from isoflop.scaling.pooling.logit_slope import slope_grid
from isoflop.scaling.studies.alone import estimate_alone
from isoflop.scaling.studies.fit_studies import fit_studies
from isoflop.scaling.studies.levels import curve_sets, fit_levels
from isoflop.scaling.studies.likelihood import (
    Counts,
    Levels,
    alpha_grid,
    integrated_log_likelihood,
    log_likelihood,
)
from isoflop.scaling.studies.planted import Planted, plant
from isoflop.scaling.studies.sample import select_studies
from isoflop.scaling.studies.transfer import transfer

from .made_points import points, study

PROFILE_ATOL = 1e-6
"""Levels solve their score equation to 1e-10; a log-likelihood is flat there."""
LAPLACE_ATOL = 0.05
"""Laplace's approximation at thirty trials a point, against quadrature."""

GRID = alpha_grid(step=0.25)


@st.composite
def counts_of_one(draw: st.DrawFn) -> Counts:
    m = draw(st.integers(2, 6))
    trials = draw(st.lists(st.integers(5, 60), min_size=m, max_size=m))
    wrong = [draw(st.integers(0, n)) for n in trials]
    steps = draw(st.lists(st.floats(0.2, 3.0), min_size=m, max_size=m))
    return Counts(
        log_x=np.cumsum([steps], axis=1),
        errors=np.array([wrong], float),
        trials=np.array([trials], float),
    )


def by_hand(counts: Counts, alpha: float, level: float) -> float:
    """The binomial log-likelihood of ``level (x / anchor)^-alpha``, anchored where the error is larger."""
    u = counts.log_x[0]
    anchor = u[0] if alpha >= 0 else u[-1]
    error = level * np.exp(-alpha * (u - anchor))
    n, k = counts.trials[0], counts.errors[0]
    return float(
        binom.logpmf(k, n, error).sum()
        - binom.logpmf(k, n, np.full(len(k), 0.5)).sum()
        + n.sum() * np.log(0.5)
    )


@given(counts_of_one())
def test_profile_is_the_largest_binomial_likelihood_at_each_exponent(counts):
    curve, level = log_likelihood(counts, GRID)
    for i in (0, 8, 9, 20):
        best = minimize_scalar(
            lambda p, a=GRID[i]: -by_hand(counts, a, p),
            bounds=(1e-9, 1 - 1e-9),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert curve[0, i] >= -best.fun - 1e-5
        if counts.errors.sum() > 0:
            assert curve[0, i] == pytest.approx(by_hand(counts, GRID[i], level[0, i]), abs=1e-5)


@given(counts_of_one(), st.floats(0.01, 1e4))
def test_exponent_ignores_units_of_x(counts, unit):
    moved = Counts(log_x=counts.log_x + np.log(unit), errors=counts.errors, trials=counts.trials)
    one, two = (log_likelihood(c, GRID)[0] for c in (counts, moved))
    np.testing.assert_allclose(one, two, atol=PROFILE_ATOL, rtol=1e-9)


@given(counts_of_one(), st.integers(1, 4), st.floats(0.0, 0.9))
def test_padding_says_nothing(counts, more, ratio):
    wide = [np.pad(one, ((0, 0), (0, more))) for one in (counts.log_x, counts.errors, counts.trials)]
    padded = Counts(log_x=wide[0], errors=wide[1], trials=wide[2])
    one, two = (log_likelihood(c, GRID, floor_ratio=ratio)[0] for c in (counts, padded))
    np.testing.assert_allclose(one, two, atol=PROFILE_ATOL, rtol=1e-9)


@given(counts_of_one())
def test_a_rising_error_is_the_mirror_of_a_falling_one(counts):
    mirrored = Counts(
        log_x=-counts.log_x[:, ::-1], errors=counts.errors[:, ::-1], trials=counts.trials[:, ::-1]
    )
    inside = alpha_grid(-2.0, 2.0, 0.25)
    one, two = log_likelihood(counts, inside)[0], log_likelihood(mirrored, inside)[0]
    np.testing.assert_allclose(one, two[:, ::-1], atol=PROFILE_ATOL, rtol=1e-9)


def test_a_study_without_errors_is_flat_and_one_of_failures_only_peaks_at_zero():
    trials = np.full((1, 3), 50.0)
    log_x = np.log([[1.0, 10.0, 100.0]])
    silent, _ = log_likelihood(Counts(log_x=log_x, errors=np.zeros((1, 3)), trials=trials), GRID)
    failing, _ = log_likelihood(Counts(log_x=log_x, errors=trials, trials=trials), GRID)
    assert np.ptp(silent) < 1e-6
    assert GRID[failing[0].argmax()] == 0.0


@settings(max_examples=12)
@given(st.floats(-1.0, 2.0), st.floats(0.4, 1.5), st.floats(0.0, 0.8), st.integers(0, 10_000))
def test_integrated_likelihood_agrees_with_quadrature_over_levels(mean, sd, ratio, seed):
    made = Planted(alpha=0.3, studies=2, papers=2, points=3, trials=30)
    counts, _, _ = plant(made, seed=seed)
    grid = np.array([0.0, 0.2, 0.5, 1.0])
    curve, _, _ = integrated_log_likelihood(counts, grid, Levels(mean=mean, sd=sd), floor_ratio=ratio)
    logits = np.linspace(mean - 8 * sd, mean + 8 * sd, 2001)
    weight = norm.pdf(logits, mean, sd) * (logits[1] - logits[0])
    u = counts.log_x
    for s in range(2):
        exact = []
        for alpha in grid:
            shape = ratio + (1 - ratio) * np.exp(-alpha * (u[s] - u[s, -1]))
            error = expit(logits)[:, None] * shape / shape[0]
            exact.append(np.log(weight @ np.exp(binom.logpmf(counts.errors[s], 30, error).sum(axis=1))))
        difference = curve[s] - np.array(exact)
        assert np.ptp(difference) < LAPLACE_ATOL


def test_levels_of_planted_studies_come_back():
    counts, _, _ = plant(Planted(alpha=0.25, studies=300, papers=300, trials=100), seed=1)
    found = fit_levels(counts, np.ones(300))
    truth = np.random.default_rng(0).uniform(0.4, 0.85, 100_000)
    logits = np.log(truth / (1 - truth))
    assert found.mean == pytest.approx(logits.mean(), abs=0.12)
    assert found.sd == pytest.approx(logits.std(), abs=0.12)


@pytest.mark.slow
@pytest.mark.ci
def test_a_shared_floor_is_found_where_it_is_planted_and_only_there():
    ratios = []
    for floor in (0.0, 0.1):
        made = Planted(alpha=0.4, studies=40, papers=8, points=5, trials=400, floor=floor, tenfolds=1.5)
        counts, papers, _ = plant(made, seed=3)
        ratios.append(sum((s.ratio or 0.0) * s.weight for s in curve_sets(counts, papers, "shared")))
    assert ratios[0] < 0.15
    assert ratios[1] > 0.3


def test_weights_of_shared_floors_sum_to_one():
    counts, papers, _ = plant(Planted(alpha=0.2, studies=20, papers=5), seed=0)
    assert sum(s.weight for s in curve_sets(counts, papers, "shared")) == pytest.approx(1.0)


def test_below_four_points_the_floor_is_held_at_zero():
    counts, papers, _ = plant(Planted(alpha=0.2, studies=10, papers=5, points=3), seed=0)
    free, none = (curve_sets(counts, papers, floor)[0] for floor in ("free", "none"))
    np.testing.assert_allclose(free.curves, none.curves, atol=1e-9)


@pytest.mark.parametrize("alpha", [-0.3, 0.0, 0.3, 1.2])
def test_own_estimate_and_interval_agree_with_the_likelihood(alpha):
    x = np.array([1.0, 3.0, 10.0, 30.0, 100.0])
    base = 0.7 if alpha >= 0 else 0.7 * 100.0**alpha
    error = base * x**-alpha
    counts = Counts(log_x=np.log(x)[None], errors=2000.0 * error[None], trials=np.full((1, 5), 2000.0))
    found = estimate_alone(counts)
    assert found.alpha[0] == pytest.approx(alpha, abs=2e-3)
    drop = log_likelihood(counts, np.array([found.alpha[0], found.low[0], found.high[0]]))[0][0]
    np.testing.assert_allclose(drop[0] - drop[1:], 1.92, atol=0.02)
    information = (2000.0 * error / (1 - error)).sum()
    centre = (2000.0 * error / (1 - error) * np.log(x)).sum() / information
    by_formula = ((2000.0 * error / (1 - error)) * (np.log(x) - centre) ** 2).sum() ** -0.5
    assert found.se[0] == pytest.approx(by_formula, rel=0.05)


def test_logit_slope_profile_peaks_at_the_planted_slope_and_mirrors_success_and_error():
    x = np.log([[1.0, 10.0, 100.0, 1000.0]])
    wrong = 400.0 * expit(-(-1.0 + 0.8 * np.arange(4)))[None]
    counts = Counts(log_x=x, errors=wrong, trials=np.full((1, 4), 400.0))
    other = Counts(log_x=x, errors=400.0 - wrong, trials=counts.trials)
    grid = slope_grid()
    curve = logit_log_likelihood(counts, grid)[0]
    assert grid[curve.argmax()] == pytest.approx(0.8, abs=0.021)
    narrow = np.linspace(-3.0, 3.0, 31)
    mirrored = logit_log_likelihood(other, narrow)[0][::-1]
    np.testing.assert_allclose(logit_log_likelihood(counts, narrow)[0], mirrored, atol=1e-6)


# ------------------------------------------------------------------------------- selection


def test_selection_lists_what_it_leaves_out():
    table = points(
        study("kept", [0.1, 0.4, 0.6]),
        study("zero", [0.1, 0.2, 0.3], x=[0.0, 1.0, 10.0]),
        study("mean", [0.1, 0.2, 0.3], is_aggregate=True),
        study("short", [0.2]),
        study("loss", [3.0, 2.0, 1.5], metric="loss", y_unit="nats", higher_is_better=False),
    )
    sample = select_studies(table)
    assert sample.facts["study"].to_list() == ["paper-1/kept", "paper-1/zero"]
    assert [rows for _, rows, _ in sample.dropped] == [3, 3, 1, 1]
    assert sample.provenance[0].rows_used == 5


def test_rates_of_either_direction_become_errors():
    up = study("up", [0.2, 0.5, 0.7])
    down = study("down", [80.0, 50.0, 30.0], y_unit="percent", metric="failure_rate", higher_is_better=False)
    sample = select_studies(points(up, down))
    for i in range(2):
        np.testing.assert_allclose(sample.percent(i)[1], [80.0, 50.0, 30.0])


def test_spread_over_seeds_beyond_the_binomial_one_takes_trials_away():
    def table(se):
        return points(study("s", [0.2, 0.5, 0.7], trials=100, y_se=se, n_seeds=3))

    calm, wild = (select_studies(table(se)).counts.trials for se in (0.01, 0.10))
    np.testing.assert_allclose(calm, 100.0)
    assert (wild < 30).all()


def test_a_standard_error_without_trials_gives_the_trials_that_have_it():
    sample = select_studies(points(study("s", [0.5, 0.5, 0.5], trials=None, y_se=0.05)))
    np.testing.assert_allclose(sample.counts.trials, 100.0)


def test_repeats_that_differ_more_than_chance_count_for_fewer_trials():
    rows = [
        row | {"repeat": name}
        for name, success in (("a", [0.1, 0.3, 0.5]), ("b", [0.5, 0.7, 0.9]))
        for row in study("s", success, trials=100)
    ]
    sample = select_studies(points(rows))
    assert sample.counts.given.sum() == 6
    assert sample.counts.trials.max() < 30


def test_unknown_trials_take_the_declared_number_and_say_so():
    table = points(study("s", [0.2, 0.5, 0.7], trials=None))
    sample = select_studies(table, default_trials=20)
    np.testing.assert_allclose(sample.counts.trials, 20.0)
    assert any("20 a point are assumed" in note for note in sample.notes)


@pytest.mark.parametrize(
    ("keyword", "value", "says"),
    [
        ("method", "hierarchic", "Did you mean hierarchical"),
        ("floor", "share", "Did you mean shared"),
        ("default_trials", 0, "at least 1"),
    ],
)
def test_unknown_settings_are_refused(keyword, value, says):
    table = points(study("s", [0.2, 0.5, 0.7]))
    with pytest.raises(SettingError, match=says):
        fit_studies(table, **{keyword: value})


def test_a_table_without_a_usable_study_is_refused():
    with pytest.raises(EvidenceError, match="no study"):
        fit_studies(points(study("short", [0.2])))


def test_studies_whose_error_rises_stay_in_and_are_told():
    fits = fit_studies(points(study("up", [0.2, 0.5, 0.8]), study("down", [0.8, 0.5, 0.2], paper="paper-2")))
    assert fits.alone.alpha[1] < 0 < fits.alone.alpha[0]
    assert any("rises with the resource in 1 of 2" in said for said in fits.cautions)
    assert "NaN" not in json.dumps(fits.to_dict(), allow_nan=False)
    assert fits.frame().height == 2


# -------------------------------------------------------------------------------- transfer


def test_transfer_finds_the_planted_ratio():
    x = [1.0, 10.0, 100.0, 1000.0]
    scratch = [1 - 0.9 * v**-0.4 for v in x]
    ahead = [1 - 0.9 * (5.0 * v) ** -0.4 for v in x]
    one, two = (
        select_studies(points(study(name, success, trials=4000, x=x)))
        for name, success in (("scratch", scratch), ("pretrained", ahead))
    )
    found = transfer(one, two)
    assert found.ratio.value == pytest.approx(5.0, rel=0.06)
    assert found.ratio.low < 5.0 < found.ratio.high
    assert found.equal_slopes_p > 0.05
    back = transfer(two, one).ratio
    assert back.value == pytest.approx(0.2, rel=0.06)
    assert found.findings()[0].id == "scaling.transfer_ratio"


def test_transfer_says_where_slopes_differ_and_where_nothing_moves():
    x = [1.0, 10.0, 100.0, 1000.0]
    steep, shallow, still = (
        select_studies(points(study("s", [1 - 0.9 * v**-a for v in x], trials=2000, x=x)))
        for a in (0.6, 0.1, 0.0)
    )
    assert any("do not share an exponent" in said for said in transfer(shallow, steep).cautions)
    assert transfer(still, still).ratio.value is None


def test_transfer_refuses_unlike_studies():
    one = select_studies(points(study("a", [0.2, 0.5, 0.7])))
    other = select_studies(points(study("b", [0.2, 0.5, 0.7], x_unit="episodes")))
    both = select_studies(points(study("a", [0.2, 0.5, 0.7]), study("b", [0.2, 0.5, 0.7])))
    with pytest.raises(EvidenceError, match="x_unit"):
        transfer(one, other)
    with pytest.raises(EvidenceError, match="2 studies, needs 1"):
        transfer(one, both)
