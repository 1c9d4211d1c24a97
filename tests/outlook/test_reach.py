"""Planted laws: what a budget buys, what a target takes and when it is reached, against brute force."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.findings import Document, Estimate
from isoflop.outlook import Assumptions, Budget, Target, reach
from isoflop.outlook.model import DOUBLING, EXPONENT, RATE

from .planted_findings import DATA_FLOP, LAW, frontier, given, growing

GRID = 200_001
"""Sizes on the brute-force grid: a step of 1e-4 in ln N."""
A, B, E, ALPHA, BETA = LAW.values()
GAMMA = ALPHA * BETA / (ALPHA + BETA)


def brute_force(flop: float) -> tuple[float, float]:
    """Return the best size and the least loss of a budget by looking at every size of a grid."""
    params = np.geomspace(1e4, 1e13, GRID)
    loss = E + A * params**-ALPHA + B * (flop / (6 * params)) ** -BETA
    best = int(np.argmin(loss))
    return float(params[best]), float(loss[best])


def flop(amount: float) -> Budget:
    return Budget(amount=amount)


@settings(max_examples=15, deadline=None)
@each(st.floats(17.5, 25.5))
def test_a_budget_buys_what_brute_force_finds(power):
    found = reach([frontier()], budget=flop(10.0**power))
    params, loss = brute_force(10.0**power)
    assert found["outlook.reach_params"].estimate.value == pytest.approx(params, rel=2e-4)
    assert found["outlook.reach_loss"].estimate.value == pytest.approx(loss, rel=1e-9)
    tokens = found["outlook.reach_tokens"].estimate.value
    assert 6 * found["outlook.reach_params"].estimate.value * tokens == pytest.approx(10.0**power)
    assert found["outlook.reach_tokens_per_param"].estimate.value == pytest.approx(
        tokens / found["outlook.reach_params"].estimate.value
    )


@settings(max_examples=15, deadline=None)
@each(st.sampled_from(["loss", "params", "tokens", "flop"]), st.floats(18.5, 24.5))
def test_the_compute_of_a_target_reaches_it(kind, power):
    there = reach([frontier()], budget=flop(10.0**power))
    amount = 10.0**power if kind == "flop" else there[f"outlook.reach_{kind}"].estimate.value
    found = reach([frontier(), *growing()], budget=flop(1e18), target=Target(kind=kind, amount=amount))
    assert found["outlook.target_flop"].estimate.value == pytest.approx(10.0**power, rel=1e-6)


@each(rate=st.floats(0.2, 3), doubling=st.floats(3, 40), start=st.floats(19, 23), times=st.floats(1.5, 50))
def test_years_are_the_logarithm_of_the_distance_over_the_growth(rate, doubling, start, times):
    inputs = [frontier(), *growing(rate, doubling)]
    found = reach(inputs, budget=flop(10.0**start), target=Target(kind="flop", amount=times * 10.0**start))
    g = 12 * math.log(2) / doubling
    assert found["outlook.years_to_target"].estimate.value == pytest.approx(math.log(times) / (g + rate))
    physical = found["outlook.years_to_target.physical"].estimate
    assert physical.value == pytest.approx(math.log(times) / g)


def test_a_loss_is_reached_when_effective_compute_has_grown_to_it():
    # In closed form the reducible loss falls as C^-gamma: half of it takes 2^(1/gamma) times the compute.
    start = 1e22
    loss = brute_force(start)[1]
    target = Target(kind="loss", amount=(loss + E) / 2)
    found = reach([frontier(), *growing(1.0, 6.0)], budget=flop(start), target=target)
    years = math.log(2) / GAMMA / (12 * math.log(2) / 6 + 1.0)
    assert found["outlook.years_to_target"].estimate.value == pytest.approx(years, rel=1e-6)


def test_the_band_is_that_of_the_drawn_laws_one_by_one():
    law = frontier(spread=0.05)
    found = reach([law], budget=flop(1e22))["outlook.reach_loss"]
    rows = zip(*law.details["parameter_draws"].values(), strict=True)
    size = np.geomspace(1e7, 1e12, 20_001)
    each_loss = np.sort(
        [(e + a * size**-alpha + b * (1e22 / (6 * size)) ** -beta).min() for a, b, e, alpha, beta in rows]
    )
    assert found.draws == pytest.approx(each_loss.tolist(), rel=1e-6)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(
        (each_loss[4], each_loss[195]), rel=1e-6
    )


def test_the_law_and_the_growth_share_the_uncertainty_of_the_years():
    target = Target(kind="loss", amount=2.05)
    rates = [given(RATE, 1.0, draws=np.linspace(0.9, 1.1, 200)), given(DOUBLING, 6.0)]
    narrow = reach([frontier(), *rates], budget=flop(1e22), target=target)["outlook.years_to_target"]
    wide = reach([frontier(spread=0.05), *rates], budget=flop(1e22), target=target)["outlook.years_to_target"]
    assert narrow.shares[RATE] == pytest.approx(1.0, abs=0.02)
    assert wide.shares[EXPONENT] > 0.9
    assert sum(wide.shares.values()) == pytest.approx(1.0)


def test_what_is_reached_already_takes_no_time():
    found = reach([frontier(), *growing()], budget=flop(1e22), target=Target(kind="flop", amount=1e20))
    assert found["outlook.years_to_target"].estimate.value == 0.0
    told = {one.id: one for one in found.findings()}
    assert told["outlook.years_to_target"].details["already_reached"]
    assert "reached already" in found.summary()


def test_a_loss_below_the_floor_is_never_reached_and_says_in_which_share_of_draws():
    found = reach(
        [frontier(spread=0.02), *growing()], budget=flop(1e22), target=Target(kind="loss", amount=LAW["E"])
    )
    answer = found["outlook.years_to_target"]
    below = np.mean(np.array(frontier(spread=0.02).details["parameter_draws"]["E"]) >= LAW["E"])
    assert answer.estimate.value is None
    assert "irreducible, 1.80 nats" in answer.reason
    assert f"{100 * below:.0f} % of its draws" in answer.reason


def test_a_loss_near_the_floor_leaves_the_compute_open_above():
    law = frontier(spread=0.03)
    found = reach(
        [law, *growing()],
        budget=flop(1e22),
        target=Target(kind="loss", amount=1.90),
        assumptions=Assumptions(most_decades=30),
    )
    needed = found["outlook.target_flop"]
    assert (needed.estimate.interval, needed.estimate.high) == ("open_above", None)
    assert 0 < needed.open_share < 0.5


@pytest.mark.parametrize("amount", [1e12, 1e27])
def test_a_budget_far_from_the_runs_on_either_side_is_not_answered_for(amount):
    found = reach([frontier()], budget=flop(amount))
    assert all(answer.estimate.value is None for answer in found.answers)
    assert "decades beyond the runs" in found["outlook.reach_loss"].reason
    Document(findings=found.findings()).to_json()


def test_the_limit_is_an_option_and_a_shorter_distance_a_caution():
    far = reach([frontier()], budget=flop(1e27), assumptions=Assumptions(most_decades=6))
    assert far["outlook.reach_loss"].estimate.value is not None
    assert any("5.0 decades beyond" in caution for caution in far.cautions)
    assert not reach([frontier()], budget=flop(DATA_FLOP[1])).cautions


def test_money_buys_compute_at_the_price_given():
    priced = Assumptions(usd_per_flop=2e-18)
    found = reach([frontier()], budget=Budget.parse("2e3USD"), assumptions=priced)
    assert found.flop == pytest.approx(1e21)
    with pytest.raises(SettingError, match="without a price of compute"):
        reach([frontier()], budget=Budget.parse("2e3USD"))


def test_a_law_without_draws_has_no_interval_and_says_so():
    found = reach([frontier(draws=0)], budget=flop(1e21))
    assert found["outlook.reach_loss"].estimate.low is None
    assert any("without draws" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"law": "power"}, "has no frontier"),
        ({"cost_unit": "seconds"}, "counts cost in seconds"),
        ({"cost_settings": {"kind": "hours"}}, "no usable law"),
        ({"parameter_draws": {"A": [1.0]}}, "different numbers of draws"),
    ],
)
def test_a_finding_that_carries_no_usable_law_says_why(changed, words):
    found = reach([frontier(**changed)], budget=flop(1e21))
    assert words in found["outlook.reach_loss"].reason


def test_without_the_laws_finding_sizes_are_missing_and_years_to_flop_are_not():
    found = reach(growing(), budget=flop(1e24), target=Target(kind="flop", amount=1e26))
    assert "scaling has not been run" in found["outlook.reach_loss"].reason
    assert found["outlook.years_to_target"].estimate.value > 0
    old = frontier()
    old = replace(old, details={k: v for k, v in old.details.items() if k != "parameter_draws"})
    assert "earlier version" in reach([old], budget=flop(1e21))["outlook.reach_loss"].reason


def test_the_curve_passes_through_the_answers_and_ends_where_the_law_is_believed():
    found = reach([frontier(spread=0.02)], budget=flop(1e24))
    rows = found.curve_rows()
    assert rows[-1]["budget_flop"] == pytest.approx(1e24)
    assert rows[-1]["loss"] == pytest.approx(found["outlook.reach_loss"].estimate.value)
    assert all(row["loss_low"] <= row["loss"] <= row["loss_high"] for row in rows)
    assert np.diff([row["loss"] for row in rows]).max() < 0
    assert [row["extrapolated"] for row in rows] == [
        row["budget_flop"] > DATA_FLOP[1] * 1.001 for row in rows
    ]
    far = reach([frontier()], budget=flop(1e30)).curve_rows()
    assert far[-1]["budget_flop"] == pytest.approx(1e26)


def test_several_budgets_of_a_document_are_told_apart():
    first, other = (reach([frontier()], budget=flop(c)) for c in (1e22, 1e23))
    document = Document(findings=(*first.findings(), *other.findings(qualifier="10x")))
    assert "outlook.reach_loss.10x" in [one.id for one in document.findings]


@pytest.mark.parametrize(
    "text", ["$2M", "2M", "1e24 tokens", "-1", "0", "nan", "inf", "", "1e24 FLOP USD", "2e6EUR"]
)
def test_a_budget_in_other_words_is_refused(text):
    with pytest.raises(SettingError, match="budget"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["loss", "loss=", "=2", "los=2.1", "loss=-1", "params=1e12B", "loss=2.1=3"])
def test_a_target_in_other_words_is_refused(text):
    with pytest.raises(SettingError, match="target"):
        Target.parse(text)


def test_a_halving_time_stands_for_the_rate():
    halving = replace(
        given("progress.halving_time_months", 12 * math.log(2)),
        estimate=Estimate(value=12 * math.log(2), unit="months"),
    )
    found = reach(
        [halving, given(DOUBLING, 12 * math.log(2))],
        budget=flop(1e20),
        target=Target(kind="flop", amount=math.e**2 * 1e20),
        assumptions=Assumptions(rate="progress.halving_time_months"),
    )
    assert found["outlook.years_to_target"].estimate.value == pytest.approx(1.0)
