"""Sandwich: the shared formula as oracle, resampling as a second one, and replicates done one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.progress.fit import fit
from isoflop.progress.model import model
from isoflop.progress.rates import rate
from isoflop.progress.settings import L1, Starts
from isoflop.progress.uncertainty.sandwich import (
    parameter_covariance,
    rate_gradient,
    rate_standard_error,
    rate_standard_errors,
)
from isoflop.stats.clustered import sandwich
from isoflop.stats.optimise import gradient_and_hessian
from isoflop.stats.resample import Bootstrap

FEW = Starts(count=6)


@pytest.fixture(scope="module")
def plain(planted):
    return fit(planted, penalty=L1(delta=0.0), starts=FEW)


@pytest.fixture(scope="module")
def drawn(planted):
    return fit(planted, starts=FEW, ci=Bootstrap(reps=400, by="paper"))


@pytest.mark.parametrize("by", ["paper", "row"])
def test_without_penalty_the_covariance_is_the_shared_formula(plain, by):
    sample, theta = plain.sample, plain.theta
    design = plain.model.design(sample.features)
    _, hessian = gradient_and_hessian(design, sample.outcome, theta)
    expected = sandwich(
        design.jacobian(theta),
        2 * (design.predict(theta) - sample.outcome),
        hessian=hessian,
        weights=np.full(sample.n, 1 / sample.n),
        codes=sample.clusters if by == "paper" else None,
    )
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((parameter_covariance(plain, by=by) - expected) / scale).max() < 1e-6
    slope = rate_gradient(plain.model, theta)[0]
    assert rate_standard_error(plain, by=by) == pytest.approx(np.sqrt(slope @ expected @ slope), rel=1e-6)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("law", [1, 4, 7, 11, 12, 13, 18, 21, 22])
@given(seed=st.integers(0, 10**6))
def test_slope_of_the_rate_agrees_with_differences(planted, law, seed):
    chosen = model(law, benchmarks=planted.benchmarks, normalisers=planted.normalisers)
    rng = np.random.default_rng(seed)
    theta = np.where(
        [("param" in n or "data" in n or "compute" in n) for n in chosen.names],
        rng.uniform(0.05, 0.15, len(chosen.names)),
        rng.normal(0, 0.02, len(chosen.names)),
    )
    slopes = rate_gradient(chosen, theta)[0]
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-6
        numeric = (rate(chosen, theta + step) - rate(chosen, theta - step)) / 2e-6
        if np.isfinite(numeric):
            assert slopes[j] == pytest.approx(float(numeric), rel=2e-3, abs=1e-4)


def test_law_with_a_numeric_rate_has_a_standard_error(planted):
    fitted = fit(planted, law=15, starts=FEW)
    assert 0 < rate_standard_error(fitted) < 10


@pytest.mark.slow
@pytest.mark.ci
def test_pinned_parameters_have_no_variance(drawn):
    pinned = drawn.theta == 0
    assert pinned.any()
    covariance = parameter_covariance(drawn)
    assert not covariance[pinned].any()
    assert not covariance[:, pinned].any()
    assert (np.diag(covariance)[~pinned] > 0).all()


def equal_weights(setting, n, codes, *, first, last):
    return np.full((last - first, n), 1 / n)


@pytest.mark.slow
@pytest.mark.ci
def test_unit_weights_give_the_same_standard_error_in_the_batch(drawn):
    ones = replace(drawn, draws=replace(drawn.draws, theta=np.tile(drawn.theta, (2, 1))))
    equal = Bootstrap(reps=2, by="paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bootstrap, "weights", equal_weights)
        se, each = rate_standard_errors(replace(ones, ci=equal))
    assert each == pytest.approx([se, se], rel=1e-12)


def test_replicates_agree_with_the_formula_on_duplicated_papers(drawn):
    _, ses = rate_standard_errors(drawn)
    sample, design = drawn.sample, drawn.model.design(drawn.sample.features)
    weights = drawn.ci.weights(sample.n, sample.clusters, first=3, last=4)[0]
    per_paper = np.array([weights[sample.clusters == c][0] for c in range(sample.papers)])
    counts = np.rint(per_paper * sample.papers / per_paper.sum()).astype(int)
    rows, codes, opened = [], [], 0
    for paper, count in enumerate(counts):
        for _ in range(count):
            members = np.flatnonzero(sample.clusters == paper)
            rows.append(members)
            codes.append(np.full(len(members), opened))
            opened += 1
    rows, codes = np.concatenate(rows), np.concatenate(codes)
    theta = drawn.draws.theta[3]
    free = theta != 0
    again = design.rows(rows)
    y = sample.outcome[rows]
    _, hessian = gradient_and_hessian(again, y, theta)
    residual = again.predict(theta) - y
    covariance = sandwich(
        again.jacobian(theta)[:, free],
        2 * residual,
        hessian=hessian[np.ix_(free, free)],
        weights=np.full(len(rows), 1 / len(rows)),
        codes=codes,
    )
    slope = rate_gradient(drawn.model, theta)[0][free]
    # the shared formula leaves the penalty out of the scores, ours centres them: 1 % at this penalty
    assert ses[3] == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=0.02)


@pytest.mark.slow
@pytest.mark.ci
def test_standard_error_is_near_the_spread_of_draws_in_a_well_determined_case():
    from isoflop.progress.sample import select
    from isoflop.progress.simulate import Planted, planted_table

    fitted = fit(
        select(planted_table(Planted(noise=0.02), seed=3)),
        penalty=L1(delta=0.0),
        starts=FEW,
        ci=Bootstrap(reps=400, by="paper"),
    )
    assert rate_standard_error(fitted) == pytest.approx(float(fitted.rate_draws.std()), rel=0.25)


def test_studentised_interval_of_a_fit_uses_these_errors(planted):
    fitted = fit(planted, starts=FEW, ci=Bootstrap(reps=200, by="paper", kind="studentised"))
    assert fitted.rate.low < fitted.rate.value < fitted.rate.high


def test_draws_without_a_standard_error_are_counted_in_a_caution(drawn):
    _, ses = rate_standard_errors(drawn)
    ses = np.where(np.arange(len(ses)) < 3, np.nan, ses)
    fitted = replace(
        drawn,
        ci=replace(drawn.ci, kind="studentised"),
        standard_errors=(rate_standard_error(drawn), ses),
    )
    assert np.isfinite([fitted.rate.low, fitted.rate.high]).all()
    assert any(c.startswith("3 draws have no standard error") for c in fitted.cautions)


def test_fit_without_draws_and_unknown_basin_are_refused(plain):
    with pytest.raises(EvidenceError, match="without draws"):
        rate_standard_errors(plain)
    with pytest.raises(EvidenceError, match="basin 9"):
        rate_standard_error(plain, basin=9)


def test_law_without_time_is_refused(planted):
    with pytest.raises(NotIdentifiedError, match="law 16"):
        rate_standard_error(fit(planted, law=16, starts=FEW))
