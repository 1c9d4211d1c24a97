"""Fits: planted truth, SciPy as oracle, intervals, and the published and converged numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Document
from isoflop.progress.estimate import find_minima, refit
from isoflop.progress.fit import fit
from isoflop.progress.model import LAWS, Model, model
from isoflop.progress.result import ProgressFit
from isoflop.progress.sample import Sample, select
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.stats.optimise import fit_exp_sum
from isoflop.stats.resample import Bootstrap, weights_from_choices

FEW = Starts(count=8)
LN2_MONTHS = 12 * float(np.log(2.0))


def clean(months: float | None, seed: int = 0) -> Sample:
    """Return a planted sample with little noise."""
    rate = 0.0 if months is None else LN2_MONTHS / months
    return select(planted_table(Planted(rate_per_year=rate, noise=0.01), seed=seed))


@pytest.mark.parametrize("months", [8.0, 24.0])
def test_planted_halving_time_is_recovered(months):
    fitted = fit(clean(months), penalty=L1(delta=0.0), starts=FEW)
    assert fitted.halving_time.value == pytest.approx(months, rel=0.1)


def test_planted_absence_of_progress_gives_a_rate_of_zero():
    fitted = fit(clean(None), penalty=L1(delta=0.0), starts=FEW)
    assert fitted.rate.value == pytest.approx(0.0, abs=0.05)


def test_interval_of_a_planted_rate_covers_it(planted):
    fitted = fit(planted, starts=FEW, ci=Bootstrap(reps=200, by="paper", level=0.99))
    assert fitted.rate.low < LN2_MONTHS / 8.0 < fitted.rate.high
    assert fitted.halving_time.low == pytest.approx(LN2_MONTHS / fitted.rate.high)


def chosen_model(sample: Sample, law: int) -> Model:
    return model(law, benchmarks=sample.benchmarks, normalisers=sample.normalisers)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("law", sorted(LAWS))
def test_without_penalty_no_law_is_above_scipy_least_squares(planted, law):
    fitted = fit(planted, law=law, penalty=L1(delta=0.0), starts=FEW)
    design = chosen_model(planted, law).design(planted.features)
    for start in (fitted.theta, np.full(design.p, 0.05)):
        oracle = least_squares(
            lambda theta, d=design: np.clip(d.predict(theta), None, 1e6) - planted.outcome,
            start, jac=design.jacobian, max_nfev=400,
        )  # fmt: skip
        assert fitted.objective <= 2 * oracle.cost / planted.n + 1e-10


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("law", sorted(LAWS))
def test_with_penalty_no_law_is_above_a_tight_slsqp(planted, law):
    """The reference works on the split form theta = u - v, which has no kink."""
    fitted = fit(planted, law=law, starts=FEW)
    design, p = chosen_model(planted, law).design(planted.features), len(fitted.theta)

    def objective(z: np.ndarray) -> float:
        residual = np.clip(design.predict(z[:p] - z[p:]), None, 1e6) - planted.outcome
        return float(np.mean(residual**2) + 0.0025 * z.sum())

    def gradient(z: np.ndarray) -> np.ndarray:
        theta = z[:p] - z[p:]
        smooth = 2 * design.jacobian(theta).T @ (design.predict(theta) - planted.outcome) / planted.n
        return np.concatenate([smooth, -smooth]) + 0.0025

    start = np.concatenate([np.maximum(fitted.theta, 0), np.maximum(-fitted.theta, 0)]) + 1e-3
    oracle = minimize(
        objective, start, jac=gradient, method="SLSQP", bounds=[(0, None)] * (2 * p),
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert fitted.objective <= oracle.fun + 1e-8


def test_every_listed_minimum_is_certified_and_distinct(planted):
    fitted = fit(planted)
    assert all(basin.kkt <= 1e-8 for basin in fitted.minima)
    objectives = [basin.objective for basin in fitted.minima]
    assert objectives == sorted(objectives)
    assert sum(basin.share_of_starts for basin in fitted.minima) == pytest.approx(1.0, abs=1e-9)


def test_unit_weights_give_the_point_fit(planted):
    chosen = chosen_model(planted, 7)
    design, l1 = chosen.design(planted.features), L1().strengths(chosen)
    minima = find_minima(design, planted.outcome, chosen, L1(), FEW)
    basins = np.array([m.theta for m in minima])
    found = refit(
        design, planted.outcome, np.full((1, planted.n), 1 / planted.n), starts=basins, basins=basins, l1=l1
    )
    assert found.objective[0] == pytest.approx(minima[0].objective, abs=1e-13)
    np.testing.assert_allclose(found.theta[0], minima[0].theta, atol=1e-7)
    assert found.basin[0] == 0


def test_draws_do_not_depend_on_how_many_are_asked_for(planted):
    few = fit(planted, starts=FEW, ci=Bootstrap(reps=20, by="paper", seed=3))
    more = fit(planted, starts=FEW, ci=Bootstrap(reps=40, by="paper", seed=3))
    np.testing.assert_allclose(more.draws.objective[:20], few.draws.objective, atol=1e-10)


def test_replicates_without_a_benchmark_pin_its_constants(planted):
    chosen = chosen_model(planted, 7)
    design = chosen.design(planted.features)
    weights = (planted.features.benchmark != 1).astype(float)
    found = fit_exp_sum(
        design,
        planted.outcome,
        starts=np.zeros(10),
        weights=weights / weights.sum(),
        l1=L1().strengths(chosen),
    )
    value = dict(zip(chosen.names, found.theta[0], strict=True))
    assert value["alpha_const_ptb"] == value["beta_const_ptb"] == 0.0


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("kind", ["percentile", "basic", "bca", "studentised"])
def test_every_interval_kind_brackets_its_draws_middle(planted, kind):
    fitted = fit(planted, law=1, starts=FEW, ci=Bootstrap(reps=60, by="paper", kind=kind, level=0.9))
    low, high = fitted.rate.low, fitted.rate.high
    assert low is not None
    assert high is None or low < high


def test_benchmarks_and_classes_have_their_own_findings(planted):
    ids = [f.id for f in fit(planted, law=10, starts=FEW).findings()]
    assert "progress.halving_time_months.ptb" in ids
    ids = [f.id for f in fit(planted, law=13, starts=FEW).findings()]
    assert "progress.rate_per_year.not_transformer" in ids
    assert len(set(ids)) == len(ids)


def test_findings_carry_what_is_needed_to_judge_them(planted):
    found = fit(planted, starts=FEW, ci=Bootstrap(reps=30, by="paper")).findings()
    document = Document(findings=found).to_dict()
    time = next(f for f in document["findings"] if f["id"] == "progress.halving_time_months")
    assert time["n"] == planted.n
    assert time["evidence"][0]["rows_used"] == planted.n
    assert time["details"]["minima"][0]["kkt"] <= 1e-8
    assert len(time["details"]["draws"]) == 30
    assert sum(time["details"]["basin_shares"]) == pytest.approx(1.0)
    assert any("30 draws" in c for c in time["cautions"])


def test_prediction_uses_stored_normalisers(planted):
    fitted = fit(planted, starts=FEW)
    row = planted.features
    one = fitted.predict(
        row.parameters[3], row.data[3], float(row.year[3]), benchmark=planted.benchmarks[row.benchmark[3]]
    )
    assert one[0] == pytest.approx(fitted.fitted()[3], rel=1e-12)


def test_unknown_benchmark_is_refused_with_the_closest(planted):
    with pytest.raises(EvidenceError, match="Did you mean 'PTB'"):
        fit(planted, starts=FEW).predict(1e9, 1e9, 2020.0, benchmark="ptbb")


def without(sample: Sample, keep: np.ndarray) -> Sample:
    return sample.rows(np.flatnonzero(keep))


@pytest.mark.parametrize(
    ("law", "change", "words"),
    [
        (7, lambda s: s.rows(np.arange(12)), "12 rows for 10 parameters, needs at least 15"),
        (13, lambda s: without(s, s.features.is_transformer), "only transformers, needs both classes"),
        (13, lambda s: without(s, ~s.features.is_transformer), "only systems that are not transformers"),
    ],
)
def test_samples_that_cannot_carry_a_law_are_refused(planted, law, change, words):
    with pytest.raises(EvidenceError, match=words):
        fit(change(planted), law=law)


def constant(sample: Sample, name: str) -> Sample:
    from dataclasses import replace

    values = getattr(sample.features, name)
    return replace(sample, features=replace(sample.features, **{name: np.full_like(values, values[0])}))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("year", "all rows are of 20"),
        ("parameters", "one value in parameter counts"),
        ("data", "one value in data sizes"),
    ],
)
def test_columns_that_do_not_vary_are_refused(planted, name, words):
    with pytest.raises(EvidenceError, match=words):
        fit(constant(planted, name))


def test_settings_out_of_range_are_refused(planted):
    with pytest.raises(SettingError, match=r"L1: delta=-1, must lie in \[0, inf\)"):
        L1(delta=-1)
    with pytest.raises(SettingError, match="by='lab', must be 'paper' or 'row'"):
        fit(planted, ci=Bootstrap(reps=10, by="lab"))
    with pytest.raises(SettingError, match="mask must be None"):
        fit(planted, penalty=L1(mask="slopes"), compat="paper")


def test_repr_fits_one_screen(planted):
    text = repr(fit(planted, starts=FEW))
    assert "halving time" in text
    assert len(text.splitlines()) < 30


# published and converged numbers


@pytest.fixture(scope="module")
def as_published(published) -> ProgressFit:
    return fit(published, compat="paper", ci=Bootstrap(reps=100))


@pytest.mark.public_data
def test_published_stop_is_reproduced(as_published, golden):
    want = golden["stopped"]
    assert as_published.objective == pytest.approx(want["objective"], abs=1e-7)
    for name, value in want["theta"].items():
        assert as_published.parameters[name].value == pytest.approx(value, abs=1e-4), name
    assert as_published.findings()[1].details["point"] == pytest.approx(want["halving_time_months"], abs=0.05)
    assert as_published.certificate > 1e-4


@pytest.mark.public_data
def test_published_bootstrap_is_reproduced(as_published, golden):
    low, middle, high = golden["bootstrap_months"]
    assert as_published.halving_time.value == pytest.approx(middle, abs=0.1)
    assert as_published.halving_time.low == pytest.approx(low, abs=0.3)
    assert as_published.halving_time.high == pytest.approx(high, abs=0.3)


@pytest.mark.public_data
def test_converged_minima_are_both_listed(published, golden):
    fitted = fit(published)
    want = golden["converged"]
    assert fitted.objective <= want["objectives"][0] + 1e-7
    assert [b.objective for b in fitted.minima] == pytest.approx(want["objectives"], abs=1e-6)
    assert fitted.basin_halving_times() == pytest.approx(want["months"], abs=0.05)
    assert any("two explanations fit almost equally" in c for c in fitted.cautions)


@pytest.mark.public_data
def test_every_converged_replicate_is_at_or_below_the_published_stop(published, as_published):
    from isoflop.progress.estimate import replicate_starts
    from isoflop.stats.resample import legacy_choices

    chosen = chosen_model(published, 7)
    design, l1 = chosen.design(published.features), L1().strengths(chosen)
    basins = np.array([m.theta for m in find_minima(design, published.outcome, chosen, L1(), Starts())])
    weights = weights_from_choices(legacy_choices(published.n, 100, 0), published.n)
    points = replicate_starts(
        design, published.outcome, weights, basins=basins, points=Starts().points(chosen), l1=l1
    )
    found = refit(design, published.outcome, weights, starts=points, basins=basins, l1=l1)
    assert found.failed == 0
    assert (found.objective <= as_published.draws.objective + 1e-12).all()


@pytest.mark.public_data
@pytest.mark.parametrize("delta", PENALTIES)
def test_fast_mode_at_weak_penalties_slow_mode_at_strong_ones(published, delta):
    months = fit(published, penalty=L1(delta=delta)).halving_time.value
    if delta in (0.01, 0.02):
        assert 15.5 < months < 17.0
    elif delta == 0:
        assert 9.0 < months < 11.0
    else:
        assert 5.0 < months < 7.0
