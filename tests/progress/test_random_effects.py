"""Random effects: SciPy on the bare likelihood, planted correlation, resampling by paper and by row."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.robustness.random_effects import CERTIFIED_GRADIENT, random_effects
from isoflop.progress.sample import OWN_RULES, select
from isoflop.progress.settings import L1, Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.stats.resample import Bootstrap

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FEW = Starts(count=4)


@pytest.fixture(scope="module")
def found(planted):
    return random_effects(planted, starts=FEW)


def dense_nll(design, y, codes, z):
    """Return -log L by dense matrices."""
    p = design.p
    same = (codes[:, None] == codes[None, :]).astype(float)
    rho, sigma = 1 / (1 + np.exp(-z[p + 1])), np.exp(z[p])
    covariance = sigma**2 * (rho * same + (1 - rho) * np.eye(len(y)))
    residual = y - design.predict(z[:p])
    sign, log_det = np.linalg.slogdet(covariance)
    assert sign > 0
    return 0.5 * log_det + 0.5 * residual @ np.linalg.solve(covariance, residual)


def test_maximum_is_one_of_the_dense_likelihood(found):
    sample, best = found.sample, found.best
    design = found.model.design(sample.features)
    z = np.append(best.theta, [np.log(best.sigma), np.log(best.rho / (1 - best.rho))])

    def objective(point):
        return dense_nll(design, sample.outcome, sample.clusters, point)

    assert objective(z) == pytest.approx(best.nll, abs=1e-8)
    slope = approx_fprime(z, objective, 1e-6)
    assert np.abs(slope[-2:]).max() / sample.n < 1e-3
    ended = minimize(objective, z, method="Nelder-Mead", options={"maxiter": 400, "xatol": 1e-10})
    assert ended.fun >= best.nll - 1e-5


def test_best_maximum_is_certified(found):
    assert found.best.gradient <= CERTIFIED_GRADIENT


def test_all_rows_of_each_paper_are_used(planted):
    one = select(planted.table, rules=OWN_RULES)
    assert random_effects(one, starts=FEW).sample.rules.top_per_paper is None


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_planted_correlation_is_recovered(rho):
    sample = select(planted_table(Planted(paper_correlation=rho, noise=0.1), seed=5))
    fitted = random_effects(sample, starts=FEW)
    assert fitted.best.rho == pytest.approx(rho, abs=0.15)
    assert fitted.best.sigma == pytest.approx(0.1, rel=0.2)


def test_without_correlation_the_rate_is_that_of_least_squares():
    sample = select(planted_table(Planted(paper_correlation=0.0, noise=0.05), seed=2))
    plain = fit(sample, penalty=L1(delta=0.0), starts=FEW)
    assert random_effects(sample, starts=FEW).rate.value == pytest.approx(plain.rate.value, rel=0.15)


def test_interval_by_paper_holds_the_planted_rate(planted):
    fitted = random_effects(planted, starts=FEW, ci=Bootstrap(reps=60, by="paper", level=0.99))
    assert fitted.rate.low < 12 * np.log(2) / 8 < fitted.rate.high
    assert fitted.halving_time.level == 0.99
    Document(findings=fitted.findings()).to_json()


def test_published_form_resamples_rows_and_says_so(planted):
    fitted = random_effects(planted, starts=FEW, ci=Bootstrap(reps=8, by="row"), compat="paper")
    assert any("rows resampled" in c for c in fitted.cautions)
    assert "row resamples" in fitted.method
    again = random_effects(planted, starts=FEW, ci=Bootstrap(reps=8, by="row"), compat="paper")
    assert np.array_equal(fitted.draws, again.draws, equal_nan=True)


def test_result_is_json_and_names_what_is_missing(found):
    json.dumps(found.to_dict(), allow_nan=False)
    assert any("no interval" in c for c in found.cautions)
    assert {f.id for f in found.findings()} == {
        "progress.rate_per_year.random_effects",
        "progress.halving_time_months.random_effects",
        "progress.paper_correlation",
    }
    assert "rho" in found.summary()


def test_laws_without_time_and_other_intervals_are_refused(planted):
    with pytest.raises(NotIdentifiedError, match="law 16"):
        random_effects(planted, law=16, starts=FEW)
    with pytest.raises(SettingError, match="percentile"):
        random_effects(planted, ci=Bootstrap(reps=5, by="paper", kind="bca"))


@pytest.mark.public_data
def test_published_sheet_has_261_rows_and_correlated_papers(published):
    fitted = random_effects(published)
    assert fitted.sample.n == 261
    assert 0.2 < fitted.best.rho < 0.6
