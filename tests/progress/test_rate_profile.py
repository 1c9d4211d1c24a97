"""Profile of G: passes through the certified minima, SciPy as oracle off them, both basins visible."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.rates import rate, term_rates
from isoflop.progress.settings import L1, Profile, Starts
from isoflop.progress.uncertainty.constrained_rate import minimise_at_rate
from isoflop.progress.uncertainty.rate_curve import columns_of
from isoflop.progress.uncertainty.rate_profile import profile_rate

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FEW = Starts(count=8)
SHORT = Profile(low=-1.0, high=4.0, points=41)


@pytest.fixture(scope="module")
def profiled(planted):
    return profile_rate(planted, starts=FEW, setting=SHORT)


def test_curve_passes_through_the_best_minimum(profiled):
    fitted = profiled.fit
    assert profiled.curve.best_objective == pytest.approx(fitted.objective, abs=1e-7)
    assert profiled.rate.value == pytest.approx(float(rate(fitted.model, fitted.theta)), abs=1e-3)


def test_every_dip_is_a_certified_minimum(profiled):
    objectives = np.array([b.objective for b in profiled.fit.minima])
    for row in profiled.minima():
        assert np.abs(objectives - row["objective"]).min() < 1e-7


def test_parameters_on_the_curve_have_its_rates(profiled):
    rates = rate(profiled.fit.model, profiled.theta)
    known = np.isfinite(rates)
    assert known.mean() > 0.9
    assert rates[known] == pytest.approx(profiled.curve.values[known], abs=1e-6)


def test_curve_is_never_below_the_best_and_is_what_its_parameters_cost(profiled):
    fitted = profiled.fit
    design = fitted.model.design(fitted.sample.features)
    cost = ((design.predict(profiled.theta) - fitted.sample.outcome) ** 2).mean(axis=1)
    cost += np.abs(profiled.theta) @ fitted.penalty.strengths(fitted.model)
    assert cost == pytest.approx(profiled.curve.objective, rel=1e-12)
    assert (profiled.curve.objective >= fitted.objective - 1e-9).all()


@pytest.mark.parametrize("delta", [0.0, 0.0025])
@pytest.mark.parametrize("g", [0.3, 2.0])
def test_scipy_under_the_constraint_finds_nothing_lower(planted, delta, g):
    fitted = fit(planted, penalty=L1(delta=delta), starts=FEW)
    found = profile_rate(fitted, setting=SHORT)
    at = int(np.abs(found.curve.values - g).argmin())
    columns, design = columns_of(fitted.model), fitted.model.design(planted.features)
    target = float(found.curve.values[at])

    def objective(theta):
        residual = np.clip(design.predict(theta), None, 1e3) - planted.outcome
        return float((residual**2).mean() + delta * np.abs(theta).sum())

    def constraint(theta):
        an, bd = theta[columns.first_size], theta[columns.second_size]
        return theta[columns.first_year] * bd + theta[columns.second_year] * an - target * an * bd

    start = found.theta[at] + np.random.default_rng(0).normal(0, 1e-3, design.p)
    ended = minimize(
        objective,
        start,
        method="SLSQP",
        constraints={"type": "eq", "fun": lambda t: 100 * constraint(t)},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    an, bd = ended.x[columns.first_size], ended.x[columns.second_size]
    feasible = abs(constraint(ended.x)) < 1e-9 and min(abs(an), abs(bd)) > 1e-3
    assert feasible
    assert found.curve.objective[at] <= ended.fun + 1e-6


def test_interval_covers_the_planted_rate(profiled):
    assert profiled.rate.low < 12 * np.log(2) / 8 < profiled.rate.high
    assert len(profiled.pieces) >= 1
    assert all(p.value is not None for p in profiled.pieces)


def test_rows_give_a_set_of_their_own_width(profiled):
    by_row = profile_rate(profiled.fit, setting=Profile(low=-1.0, high=4.0, points=41, by="row"))
    assert by_row.widening == 1.0
    assert profiled.widening != 1.0
    assert any("too narrow" in c for c in by_row.cautions)


def test_solutions_meet_their_first_order_conditions(profiled):
    assert profiled.certified > 0.9


def test_a_start_at_a_minimum_stays_there(planted):
    fitted = fit(planted, starts=FEW)
    u, v = term_rates(fitted.model, fitted.theta)
    found = minimise_at_rate(
        fitted.model.design(planted.features),
        planted.outcome,
        columns_of(fitted.model),
        rates=np.array([u + v]),
        theta=fitted.theta[None],
        first_rate=np.array([u]),
        l1=fitted.penalty.strengths(fitted.model),
    )
    assert found.objective[0] == pytest.approx(fitted.objective, abs=1e-12)
    assert found.residual[0] < 1e-6


def test_result_is_a_document_without_nan(profiled):
    Document(findings=profiled.findings()).to_json()
    json.dumps(profiled.to_dict(), allow_nan=False)
    assert profiled.frame()["in_set"].any()
    assert "dip at" in profiled.summary()


@pytest.mark.parametrize("law", [2, 12, 13, 15, 18, 22])
def test_laws_without_one_rate_in_each_term_are_refused(planted, law):
    with pytest.raises(NotIdentifiedError, match=f"law {law}"):
        profile_rate(planted, law=law, starts=FEW)


def test_range_without_a_minimum_is_refused(profiled):
    with pytest.raises(SettingError, match="Widen the range"):
        profile_rate(profiled.fit, setting=Profile(low=5.0, high=6.0))


@pytest.mark.parametrize(
    "wrong", [{"level": 95}, {"by": "lab"}, {"low": 2.0, "high": 1.0}, {"points": 3}, {"low": np.nan}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match="Profile"):
        Profile(**wrong)


@pytest.mark.slow
@pytest.mark.public_data
def test_published_sheet_shows_both_basins(published):
    found = profile_rate(published)
    rows = found.minima()
    assert [row["halving_time_months"] for row in rows] == pytest.approx([6.08, 16.03], abs=0.05)
    objectives = [b.objective for b in found.fit.minima]
    assert [row["objective"] for row in rows] == pytest.approx(objectives, abs=1e-7)


@pytest.mark.public_data
def test_published_sheet_has_two_pieces_at_a_larger_penalty(published):
    found = profile_rate(published, penalty=L1(delta=0.01))
    assert len(found.pieces) == 2
    assert found.pieces[0].high < found.pieces[1].low
    assert any("2 pieces" in c for c in found.cautions)


def test_a_fit_takes_the_profile_as_its_interval(planted, profiled):
    fitted = fit(planted, starts=FEW, ci=SHORT)
    assert fitted.rate.value == pytest.approx(profiled.fit.rate.value)
    assert [fitted.rate.low, fitted.rate.high] == pytest.approx(
        [profiled.rate.low, profiled.rate.high], abs=1e-6
    )
    assert fitted.halving_time.low == pytest.approx(12 * np.log(2) / fitted.rate.high)
    assert "profile of the rate" in fitted.method
    assert set(fitted.profile.doubts) <= set(fitted.cautions)
    Document(findings=fitted.findings()).to_json()


def test_a_fit_refuses_a_profile_where_there_is_none(planted):
    with pytest.raises(NotIdentifiedError, match="law 12"):
        fit(planted, law=12, ci=SHORT)
    with pytest.raises(SettingError, match="compat='paper'"):
        fit(planted, ci=SHORT, compat="paper")
