"""Diagnostics: the influence formula against refits, conditioning by hand, planted outliers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.rates import rate, term_rates
from isoflop.progress.robustness.diagnostics import diagnose, influence_by_formula
from isoflop.progress.settings import L1, Starts
from isoflop.stats.optimise import fit_exp_sum
from isoflop.stats.resample import Bootstrap, jackknife_weights

FEW = Starts(count=6)


@pytest.fixture(scope="module")
def fitted(planted):
    return fit(planted, starts=FEW, ci=Bootstrap(reps=200, by="paper"))


@pytest.fixture(scope="module")
def found(fitted):
    return diagnose(fitted)


def test_formula_is_the_derivative_of_the_refitted_rate(fitted):
    sample, step = fitted.sample, 1e-4
    out = jackknife_weights(sample.n)[:6]
    equal = np.full(sample.n, 1 / sample.n)
    weights = (1 - step) * equal + step * out
    ends = fit_exp_sum(
        fitted.model.design(sample.features),
        sample.outcome,
        starts=np.tile(fitted.theta, (6, 1)),
        weights=weights,
        l1=fitted.penalty.strengths(fitted.model),
    )
    moved = (rate(fitted.model, ends.theta) - rate(fitted.model, fitted.theta)) / step
    assert influence_by_formula(fitted, out) == pytest.approx(moved, rel=1e-2, abs=1e-5)


def test_equal_weights_move_nothing(fitted):
    n = fitted.sample.n
    assert influence_by_formula(fitted, np.full((1, n), 1 / n)) == pytest.approx([0.0], abs=1e-12)


def test_ten_largest_rows_and_papers_are_refitted_exactly(found, fitted):
    for frame, units in ((found.rows, fitted.sample.n), (found.papers, fitted.sample.papers)):
        assert frame.height == units
        assert frame["exact_rate"].null_count() >= units - 10
        assert frame["exact_rate"].head(10).null_count() == 0
        assert frame["rate_change"].abs().is_sorted(descending=True)


def test_exact_refit_equals_a_fit_without_the_paper(found, fitted):
    label = found.papers["label"][0]
    rest = fitted.sample.rows(np.array([p != label for p in fitted.sample.frame["paper"]]))
    alone = fit(rest, penalty=fitted.penalty, starts=FEW)
    assert found.papers["exact_rate"][0] == pytest.approx(alone.rate.value, rel=1e-6)


def test_formula_and_refit_agree_where_no_basin_changes(found):
    top = found.papers.head(10)
    point = found.fit.rate.value
    same = top["exact_rate_same_basin"].to_numpy() - point
    assert np.sign(same).tolist() == np.sign(top["rate_change"].to_numpy()).tolist()
    assert np.abs(same - top["rate_change"].to_numpy()).max() < 0.5 * np.abs(same).max()


def test_an_outlier_is_the_most_influential_row(planted):
    bad = planted.outcome.copy()
    bad[7] += 3.0
    fitted = fit(replace(planted, outcome=bad), starts=FEW)
    top = diagnose(fitted).residuals
    assert int(np.abs(top["residual"].to_numpy()).argmax()) == 7
    names = diagnose(fitted).rows["label"].head(3).to_list()
    assert any(n.startswith(planted.frame["system"][7] + " on") for n in names)


def test_condition_number_is_that_of_the_scaled_cross_products(found, fitted):
    free = fitted.theta != 0
    jacobian = fitted.model.design(fitted.sample.features).jacobian(fitted.theta)[:, free]
    products = jacobian.T @ jacobian
    size = np.sqrt(np.diag(products))
    assert found.condition == pytest.approx(np.linalg.cond(products / np.outer(size, size)), rel=1e-6)
    assert found.condition_raw == pytest.approx(np.linalg.cond(products), rel=1e-6)


def test_correlations_come_from_draws_or_from_the_sandwich(found, fitted):
    assert found.correlation_source == "draws"
    j = fitted.model.index("beta_data")
    expected = np.corrcoef(fitted.draws.theta[:, j], fitted.rate_draws)[0, 1]
    assert found.correlations["beta_data"] == pytest.approx(expected)
    plain = diagnose(replace(fitted, draws=None, ci=None))
    assert plain.correlation_source == "sandwich"
    known = [r for r in plain.correlations.values() if r is not None]
    assert known
    assert all(-1 - 1e-9 <= r <= 1 + 1e-9 for r in known)


def test_neutral_progress_is_not_rejected(found, fitted):
    # the planted rates of parameters and data are equal
    assert found.neutrality.low < 0 < found.neutrality.high
    terms = term_rates(fitted.model, fitted.theta)
    assert found.neutrality.value == pytest.approx(terms[0] - terms[1])


def test_neutrality_without_draws_has_no_interval_and_says_so(planted):
    bare = diagnose(fit(planted, starts=FEW))
    assert bare.neutrality.low is None
    assert any("neutrality has no interval" in c for c in bare.cautions)


def test_tokens_per_parameter_grow_as_least_squares_say(found, fitted):
    features = fitted.sample.features
    slope = np.polyfit(features.year, np.log(features.data / features.parameters), 1)[0]
    assert found.tokens_per_parameter.value == pytest.approx(slope)
    assert found.tokens().height == fitted.sample.n


def test_result_is_a_document_without_nan(found):
    Document(findings=found.findings()).to_json()
    json.dumps(found.to_dict(), allow_nan=False)
    assert set(found.by_group()["by"]) == {"benchmark", "is_transformer", "period"}
    assert "by formula" in found.summary()
    assert found.frame().height == found.rows.height + found.papers.height


def test_fits_that_cannot_be_diagnosed_are_refused(planted, fitted):
    with pytest.raises(NotIdentifiedError, match="law 16"):
        diagnose(fit(planted, law=16, starts=FEW))
    with pytest.raises(SettingError, match="did not stop at a minimum"):
        diagnose(fit(planted, compat="paper"))
    with pytest.raises(SettingError, match="refits=0"):
        diagnose(fitted, refits=0)


@pytest.mark.public_data
def test_no_single_paper_of_the_published_sheet_moves_the_rate_by_a_quarter(published):
    fitted = fit(published, penalty=L1(delta=0.0025))
    found = diagnose(fitted)
    assert found.papers.height == 144
    moved = found.papers["exact_rate"].drop_nulls().to_numpy() / fitted.rate.value - 1
    assert len(moved) == 10
    assert np.abs(moved).max() < 0.25
