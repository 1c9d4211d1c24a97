"""The compute-optimal frontier: closed form, other costs, the three approaches, and the published table."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from isoflop import evidence, scaling
from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.scaling.frontier.allocation import allocate, frontier_exponents
from isoflop.scaling.frontier.costs import Attention, Lifetime, SixND, measured
from isoflop.scaling.frontier.envelope import envelope
from isoflop.scaling.frontier.isoflop import parabolas, through_minima
from isoflop.scaling.laws import LAWS
from isoflop.scaling.simulate import CHINCHILLA, planted_runs
from isoflop.stats.resample import Bootstrap

LAW = LAWS["chinchilla"]
AROUND = (5.0, 40.0)
DROPS = {0: (6.8, 0.565), 1: (10.0, 0.544), 5: (17.9, 0.514), 10: (19.9, 0.509)}
"""Highest losses left out: tokens per parameter at 5.88e23 FLOP, and a (Besiroglu et al. 2024 points)."""
PATH = {
    0: (495.7, 12845.6, 1.8913, 0.3493, 0.4530),
    1: (463.7, 5466.3, 1.8550, 0.3454, 0.4122),
    5: (477.8, 2143.4, 1.8172, 0.3473, 0.3672),
    10: (466.9, 1782.9, 1.8070, 0.3461, 0.3582),
}


@pytest.fixture(scope="module")
def runs():
    return scaling.select(planted_runs(noise=0.003, seed=2))


@settings(max_examples=25, deadline=None)
@given(
    alpha=st.floats(0.15, 0.8),
    beta=st.floats(0.15, 0.8),
    a=st.floats(1.0, 8.0),
    b=st.floats(1.0, 9.0),
    budget=st.floats(17.0, 25.0),
)
def test_the_closed_form_is_the_numerical_minimum(alpha, beta, a, b, budget):
    theta = np.array([a, b, 0.5, alpha, beta])
    flop = 10.0**budget
    closed = allocate(LAW, theta, np.array([flop]), SixND(), around=AROUND)

    def loss(log_n):
        return float(LAW.log_predict(theta[None], np.array([[log_n], [np.log(flop / 6) - log_n]]))[0, 0])

    centre = float(np.log(closed.params[0, 0]))
    brute = minimize_scalar(loss, bracket=(centre - 3, centre + 1, centre + 4), tol=1e-12)
    assert loss(centre) <= brute.fun + 1e-12
    assert closed.params[0, 0] * closed.tokens[0, 0] * 6 == pytest.approx(flop, rel=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(18.0, 24.0))
def test_the_search_agrees_with_the_closed_form(budget):
    theta = LAW.working(CHINCHILLA)
    flop = np.array([10.0**budget])
    closed = allocate(LAW, theta, flop, SixND(), around=AROUND)
    # inference of no tokens is the same cost, without a closed form
    searched = allocate(LAW, theta, flop, Lifetime(inference_tokens=0.0), around=AROUND)
    assert searched.params[0, 0] == pytest.approx(closed.params[0, 0], rel=1e-4)


def test_exponents_are_the_slopes_of_the_optimum():
    theta = LAW.working(CHINCHILLA)
    found = allocate(LAW, theta, np.array([1e20, 1e22]), SixND(), around=AROUND)
    a, b = frontier_exponents(LAW, theta)
    assert np.diff(np.log(found.params[0]))[0] / np.log(100) == pytest.approx(a[0], rel=1e-9)
    assert np.diff(np.log(found.tokens[0]))[0] / np.log(100) == pytest.approx(b[0], rel=1e-9)
    assert a + b == pytest.approx(1.0)


def test_inference_asks_for_smaller_models_and_attention_for_larger_ones_per_flop(runs):
    fitted = scaling.fit(runs)
    plain, served = (
        scaling.frontier(fitted, cost=cost, at_flop=1e23)
        for cost in (SixND(), Lifetime(inference_tokens=1e13))
    )
    assert served.optimal_params.value < 0.7 * plain.optimal_params.value
    assert served.tokens_per_param.value > 2 * plain.tokens_per_param.value
    attended = scaling.frontier(fitted, cost=Attention(context=8192), at_flop=1e21)
    spent = attended.cost.flop(
        np.array(attended.optimal_params.value), np.array(attended.optimal_tokens.value)
    )
    assert spent == pytest.approx(1e21, rel=1e-9)


def test_a_measured_cost_equal_to_6nd_gives_the_same_optimum(runs):
    fitted = scaling.fit(runs)
    cost = measured(runs, "train_flop")
    assert (cost.p, cost.q, np.exp(cost.log_constant)) == pytest.approx((1.0, 1.0, 6.0), rel=1e-6)
    plain, other = (scaling.frontier(fitted, cost=c, at_flop=1e22) for c in (SixND(), cost))
    assert other.optimal_params.value == pytest.approx(plain.optimal_params.value, rel=1e-4)
    assert other.a == pytest.approx(plain.a, abs=1e-4)


def test_three_approaches_agree_on_even_grids_with_little_noise():
    runs = scaling.select(planted_runs(noise=0.0005, sizes=15, half_width=0.8, seed=4))
    a, _ = frontier_exponents(LAW, LAW.working(CHINCHILLA))
    for approach in ("parametric", "isoflop", "envelope"):
        found = scaling.frontier(runs, approach=approach)
        assert found.a == pytest.approx(a[0], abs=0.03), approach


@pytest.mark.parametrize(("alpha", "beta", "width"), [(0.5, 0.3, 0.7), (0.3, 0.45, 0.5), (0.34, 0.37, 0.7)])
def test_the_vertex_of_a_parabola_is_off_by_the_leading_order_formula(alpha, beta, width):
    truth = {"A": 400.0, "B": 800.0, "E": 1.7, "alpha": alpha, "beta": beta}
    theta = LAW.working(truth)
    budget = np.array([1e20])
    best = float(np.log(allocate(LAW, theta, budget, SixND(), around=AROUND).params[0, 0]))
    log_n = best + np.linspace(-width, width, 401)
    log_d = np.log(budget[0] / 6) - log_n
    loss = np.exp(LAW.log_predict(theta[None], np.array([log_n, log_d]))[0])
    (found,) = parabolas(np.full(401, budget[0]), log_n, log_d, loss)
    assert found.log_params - best == pytest.approx((alpha - beta) * width**2 / 10, rel=0.04, abs=2e-5)


def test_equal_widths_bias_the_intercept_only_and_drifting_ones_the_exponent():
    truth = {**CHINCHILLA, "alpha": 0.5, "beta": 0.3}
    even = scaling.frontier(scaling.fit(scaling.select(planted_runs(truth, noise=0.0))), at_flop=1e21)
    assert even.replay.bias == pytest.approx(0.0, abs=1e-3)
    theta = LAW.working(truth)
    budgets = np.geomspace(1e18, 1e22, 6)
    best = np.log(allocate(LAW, theta, budgets, SixND(), around=AROUND).params[0])
    log_n = np.concatenate(
        [b + np.linspace(-w, w, 9) for b, w in zip(best, np.linspace(0.5, 3.0, 6), strict=True)]
    )
    budget = np.repeat(budgets, 9)
    loss = np.exp(LAW.log_predict(theta[None], np.array([log_n, np.log(budget / 6) - log_n]))[0])
    drifting = through_minima(parabolas(budget, log_n, np.log(budget / 6) - log_n, loss))
    assert drifting.params[1] - frontier_exponents(LAW, theta)[0][0] > 0.02


def test_a_budget_without_a_minimum_inside_is_dropped_and_listed(runs):
    frame = runs.frame.drop("row").filter((pl.col("budget_flop") > 1e19) | (pl.col("params") < 1e8))
    few = evidence.load(frame, schema="scaling_runs", name="few")
    found = scaling.frontier(scaling.select(few), approach="isoflop", ci=Bootstrap(reps=50))
    gone = [row for row in found.parabola_rows() if row["dropped"]]
    assert gone
    assert all(row["params"] is None for row in gone)
    assert any("no minimum inside" in caution for caution in found.cautions)
    assert found.exponent_a.low < found.a < found.exponent_a.high


def test_envelope_takes_the_lowest_run_of_each_bin():
    flop = np.array([1.0, 1.05, 3.3, 3.5, 10.5, 11.0]) * 1e18
    loss = np.array([3.0, 2.9, 2.5, 2.7, 2.2, 2.1])
    assert envelope(flop, loss, per_decade=4).rows.tolist() == [1, 2, 5]
    with pytest.raises(EvidenceError, match="2 bins of compute"):
        envelope(flop[:4], loss[:4], per_decade=4)


@pytest.mark.public_data
@pytest.mark.parametrize("dropped", DROPS)
def test_the_headline_hinges_on_a_handful_of_points_as_published(public_data, dropped):
    points = evidence.load(public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv")
    fitted = scaling.fit(scaling.select(points, drop_highest=dropped))
    found = scaling.frontier(fitted, at_flop=5.88e23)
    ratio, a = DROPS[dropped]
    assert found.tokens_per_param.value == pytest.approx(ratio, rel=0.01)
    assert found.a == pytest.approx(a, abs=0.002)
    for name, value in zip(LAW.names, PATH[dropped], strict=True):
        assert fitted.parameters[name].value == pytest.approx(value, rel=0.02 if name == "B" else 0.005)
    assert found.extrapolation_decades == pytest.approx(np.log10(5.88e23 / 1.296e22), abs=0.01)
    assert any("decades beyond" in caution for caution in found.cautions)


@pytest.mark.public_data
def test_the_interval_of_a_is_the_published_one(public_data):
    points = evidence.load(public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv")
    fitted = scaling.fit(
        scaling.select(points, drop_highest=5), ci=Bootstrap(reps=4000), resample="published"
    )
    draws = scaling.frontier(fitted).draws["a"]
    assert draws.mean() == pytest.approx(0.517, abs=0.002)
    assert np.quantile(draws, [0.1, 0.9]) == pytest.approx([0.491, 0.543], abs=0.002)
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx([0.480, 0.556], abs=0.002)


def test_findings_carry_the_contracts_ids_and_details(runs):
    found = scaling.frontier(scaling.fit(runs, ci=Bootstrap(reps=80)), at_flop=1e23)
    by_id = {f.id: f for f in found.findings()}
    a = by_id["scaling.frontier_exponent_a"]
    assert a.estimate.unit == "1"
    assert set(a.details) >= {"objective", "parameters", "law", "draws"}
    assert set(a.details["parameters"]["A"]) >= {"value", "se"}
    ratio = by_id["scaling.optimal_tokens_per_param"]
    assert ratio.estimate.unit == "tokens"
    assert ratio.details["at_flop"] == 1e23
    assert ratio.details["extrapolation_decades"] == pytest.approx(np.log10(1e23 / 3e21))
    assert {f.id for f in scaling.frontier(runs, approach="envelope").findings()}.isdisjoint(by_id)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_law_without_an_optimum_says_so(runs):
    by_flop = scaling.fit(scaling.select(runs.table, x="train_flop"), law="power")
    with pytest.raises(SettingError, match="needs params and tokens"):
        scaling.frontier(by_flop)
    n, d = (runs.frame[name].to_numpy() for name in ("params", "tokens"))
    worse_when_larger = runs.frame.drop("row").with_columns(
        loss_nats=pl.Series(1.0 + 1e-3 * n**0.2 + 50 * d**-0.2)
    )
    rising = scaling.fit(
        scaling.select(evidence.load(worse_when_larger, schema="scaling_runs", name="rising"))
    )
    cost = Lifetime(inference_tokens=1e6)
    with pytest.raises(NotIdentifiedError, match="no optimum"):
        scaling.frontier(rising, cost=cost, at_flop=1e20)
    for call, words in (
        (lambda: scaling.frontier(runs, approach="isoflops"), "Did you mean 'isoflop'"),
        (lambda: scaling.frontier(runs, at_flop=-1.0), "must lie in"),
    ):
        with pytest.raises(SettingError, match=words):
            call()


def test_draws_without_an_optimum_are_left_out_of_every_interval_and_said(runs):
    from dataclasses import replace

    fitted = scaling.fit(runs, ci=Bootstrap(reps=60))
    theta = fitted.draws.theta.copy()
    theta[:9, 3] = -0.05
    spoilt = replace(fitted, draws=replace(fitted.draws, theta=theta))
    found = scaling.frontier(spoilt)
    none = ~np.isfinite(found.draws["log_params"][:, 0])
    assert none.sum() == 9
    assert np.array_equal(none, ~np.isfinite(found.draws["a"]))
    assert any("15% of the draws have no frontier" in caution for caution in found.cautions)
    assert any("not above 0 in 15%" in caution for caution in found.cautions)


def test_a_cost_in_another_unit_is_answered_in_that_unit(runs):
    priced = evidence.load(
        runs.frame.drop("row", "record").with_columns(cost=pl.col("train_flop") / 1e15),
        schema="scaling_runs",
        name="priced",
    )
    fitted = scaling.fit(scaling.select(priced))
    plain = scaling.frontier(fitted)
    dear = scaling.frontier(fitted, cost=measured(fitted.runs, "cost"))
    assert dear.at_flop == pytest.approx(plain.at_flop / 1e15)
    assert dear.optimal_params.value == pytest.approx(plain.optimal_params.value, rel=1e-3)
    assert dear.at_text.endswith("cost")
    with pytest.raises(SettingError, match="reads cost off the runs"):
        scaling.frontier(runs, approach="envelope", cost=SixND())


def test_an_optimum_outside_the_runs_is_doubted(runs):
    fitted = scaling.fit(runs)
    inside, outside = (scaling.frontier(fitted, at_flop=c) for c in (1e20, 1e25))
    assert not any("outside the sizes" in caution for caution in inside.cautions)
    assert any("outside the sizes" in caution for caution in outside.cautions)
