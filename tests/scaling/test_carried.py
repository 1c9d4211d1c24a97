"""A finding of the frontier answers for budgets by itself: parameters, units, cost and range come back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isoflop import scaling
from isoflop.errors import SettingError
from isoflop.scaling.frontier.allocation import allocate, has_frontier
from isoflop.scaling.frontier.costs import Attention, Lifetime, Measured, SixND, cost_of, cost_settings
from isoflop.scaling.laws import LAWS
from isoflop.scaling.simulate import planted_runs
from isoflop.stats.resample import Bootstrap

SIX_DIGITS = 1e-4
"""Six digits of an exponent move ln of a power of D by 3e-5 at most."""
COSTS = (
    SixND(),
    Attention(context=4096.0, ratio=64.0),
    Lifetime(inference_tokens=1e12),
    Measured(column="seconds", log_constant=-3.0, p=0.9, q=1.1),
)


def headline(found):
    text = json.dumps(found.findings()[0].to_dict(), allow_nan=False)
    return json.loads(text)["details"]


@pytest.fixture(scope="module")
def fitted():
    return scaling.fit(scaling.select(planted_runs(noise=0.003, seed=2)), ci=Bootstrap(reps=450))


def test_the_draws_of_a_finding_give_the_frontiers_own_interval(fitted):
    found = scaling.frontier(fitted, at_flop=1e22)
    details = headline(found)
    law = LAWS[details["law"]]
    drawn = details["parameter_draws"]
    assert set(drawn) == set(law.names)
    assert {len(values) for values in drawn.values()} == {200}
    theta = np.column_stack([q.to_working(np.array(drawn[q.name])) for q in law.parameters])
    there = allocate(law, theta, np.array([1e22]), cost_of(details["cost_settings"]), around=(5.0, 40.0))
    again = np.quantile(there.params[:, 0], [0.05, 0.5, 0.95])
    whole = np.exp(np.quantile(found.draws["log_params"][:, 0], [0.05, 0.5, 0.95]))
    # 200 of 450 draws: a quantile moves by a fraction of the spread.
    assert np.log(again) == pytest.approx(np.log(whole), abs=0.35 * np.std(found.draws["log_params"][:, 0]))


def test_kept_draws_are_whole_replicates_in_rising_order_of_the_exponent(fitted):
    details = headline(scaling.frontier(fitted))
    drawn = {name: np.array(values) for name, values in details["parameter_draws"].items()}
    exponent = drawn["beta"] / (drawn["alpha"] + drawn["beta"])
    assert (np.diff(exponent) > -SIX_DIGITS).all()
    every = fitted.law.report(fitted.draws.finite)
    apart = [np.abs(every[name] - drawn[name][:, None]) / drawn[name][:, None] for name in drawn]
    assert np.max(apart, axis=0).min(axis=1).max() < SIX_DIGITS


def test_units_and_the_range_of_the_data_are_said(fitted):
    details = headline(scaling.frontier(fitted))
    flop = fitted.runs.column("train_flop")
    assert details["data_flop"] == pytest.approx([flop.min(), flop.max()])
    assert details["data_params"][1] == pytest.approx(fitted.runs.column("params").max())
    assert (details["loss_unit"], details["cost_unit"]) == ("nats", "FLOP")


def test_without_draws_none_are_carried(fitted):
    assert headline(scaling.frontier(scaling.fit(fitted.runs)))["parameter_draws"] == {}


@pytest.mark.parametrize("law", ["overtrain", "coupled"])
def test_every_law_with_a_frontier_carries_its_parameters(fitted, law):
    details = headline(scaling.frontier(scaling.fit(fitted.runs, law=law, ci=Bootstrap(reps=20))))
    assert set(details["parameter_draws"]) == set(LAWS[law].names)


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: type(cost).__name__)
def test_a_cost_model_comes_back_from_plain_data(cost):
    assert cost_of(json.loads(json.dumps(cost_settings(cost)))) == cost


@pytest.mark.parametrize("settings", [{"kind": "hours"}, {"kind": "6nd", "context": 3.0}, {}])
def test_settings_of_no_cost_model_are_refused(settings):
    with pytest.raises(SettingError, match="cost_of"):
        cost_of(settings)


def test_a_law_that_needs_more_than_sizes_has_no_frontier():
    assert [name for name, law in LAWS.items() if has_frontier(law)] == [
        "chinchilla",
        "kaplan",
        "coupled",
        "data_constrained",
        "overtrain",
    ]


def test_draws_may_have_budgets_of_their_own(fitted):
    law, cost = fitted.law, Lifetime(inference_tokens=0.0)
    theta = fitted.draws.theta[:3]
    budgets = np.array([[1e20], [1e21], [1e22]])
    each = allocate(law, theta, budgets, cost, around=(5.0, 40.0)).params[:, 0]
    for row in range(3):
        alone = allocate(law, theta[row], budgets[row], cost, around=(5.0, 40.0)).params[0, 0]
        assert each[row] == pytest.approx(alone, rel=1e-9)
