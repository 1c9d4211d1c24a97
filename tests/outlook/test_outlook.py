"""Planted truth: known inputs give the formulas' values, and their uncertainty comes through."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from isoflop.errors import SettingError
from isoflop.findings import Document, Estimate, Finding
from isoflop.outlook import Assumptions, outlook
from isoflop.outlook.inputs import Input, input_of
from isoflop.outlook.model import DOUBLING, GAIN, GAP, RATE, SLOWDOWN

SCORES = ndtri((np.arange(200) + 0.5) / 200)
UNITS = {RATE: "ln/yr", DOUBLING: "months", GAP: "orders of magnitude", SLOWDOWN: "×", GAIN: "×"}
MONTE_CARLO = 0.04
"""Relative error allowed to a quantile of 8,192 draws."""


def finding(name: str, value: float | None, *, sd: float = 0.0, log: bool = False, **details: Any) -> Finding:
    if sd and value is not None:
        drawn = value * np.exp(sd * SCORES) if log else value + sd * SCORES
        details["draws"] = [float(v) for v in drawn]
    return Finding(
        id=name,
        instrument=name.partition(".")[0],
        label=name,
        estimate=Estimate(value=value, unit=UNITS[name]),
        method="planted",
        n=1,
        details=details,
    )


def exact(**values: float) -> list[Finding]:
    names = {"rate": RATE, "doubling": DOUBLING, "gap": GAP, "slowdown": SLOWDOWN, "gain": GAIN}
    return [finding(names[key], value) for key, value in values.items()]


@given(
    rate=st.floats(0.1, 3),
    doubling=st.floats(2, 40),
    gap=st.floats(0.1, 4),
    slowdown=st.floats(1.1, 100),
    gain=st.floats(1.1, 10),
)
def test_exact_inputs_give_the_formulas_values(rate, doubling, gap, slowdown, gain):
    found = outlook(exact(rate=rate, doubling=doubling, gap=gap, slowdown=slowdown, gain=gain))
    growth = 12 * math.log(2) / doubling
    expected = {
        "outlook.effective_growth_per_year": growth + rate,
        "outlook.academic_lag_years": gap * math.log(10) / (growth + rate),
        "outlook.academic_lag_years.no_diffusion": gap * math.log(10) / growth,
        "outlook.portability_tax_months": 12 * math.log(slowdown) / rate,
        "outlook.routing_gain_months": 12 * math.log(gain) / rate,
    }
    for name, value in expected.items():
        estimate = found[name].estimate
        assert estimate.value == pytest.approx(value)
        assert estimate.low == pytest.approx(value)


def test_diffusion_leads_from_one_lag_to_the_other():
    inputs = exact(rate=1.0, doubling=6.0, gap=2.0)
    none = outlook(inputs, assumptions=Assumptions(diffusion=0.0))
    name = "outlook.academic_lag_years"
    assert none[name].estimate.value == pytest.approx(none[f"{name}.no_diffusion"].estimate.value)
    assert outlook(inputs)[name].estimate.value < none[name].estimate.value


def test_uncertainty_comes_through_in_closed_form():
    # The tax is 12 ln(s)/G: with G exact and ln s normal, the interval is that of ln s, scaled.
    found = outlook([finding(RATE, 1.2), finding(SLOWDOWN, 10.0, sd=0.3, log=True)])
    tax = found["outlook.portability_tax_months"].estimate
    for bound, score in ((tax.low, -1.96), (tax.high, 1.96)):
        assert bound == pytest.approx(12 * (math.log(10) + 0.3 * score) / 1.2, rel=MONTE_CARLO)


def test_the_input_that_varies_carries_the_variance():
    found = outlook(
        [finding(RATE, 1.0), finding(DOUBLING, 6.0), finding(GAP, 2.0, sd=0.2)],
    )
    shares = found["outlook.academic_lag_years"].shares
    assert shares[GAP] == pytest.approx(1.0, abs=0.02)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_correlation_moves_the_interval_and_not_the_point():
    inputs = [finding(RATE, 1.0, sd=0.2), finding(DOUBLING, 8.0, sd=1.0), finding(GAP, 2.0)]
    name = "outlook.effective_growth_per_year"
    widths = []
    for rho in (-0.8, 0.0, 0.8):
        found = outlook(inputs, assumptions=Assumptions(correlation={(RATE, DOUBLING): rho}))[name].estimate
        assert found.value == pytest.approx(1.0 + 12 * math.log(2) / 8)
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2]


def test_growth_that_may_be_nil_leaves_the_time_open():
    inputs = [finding(RATE, 0.3, sd=0.3), finding(SLOWDOWN, 5.0)]
    answer = outlook(inputs)["outlook.portability_tax_months"]
    assert (answer.estimate.interval, answer.estimate.high) == ("open_above", None)
    assert 0.1 < answer.open_share < 0.25
    assert answer.shares[RATE] > 0.99


def test_what_is_missing_or_not_identified_is_named():
    unknown = finding(GAIN, None, reason="the router is above the hull")
    found = outlook([finding(RATE, 1.0), unknown])
    assert "above the hull" in found["outlook.routing_gain_months"].reason
    assert SLOWDOWN in found["outlook.portability_tax_months"].reason
    told = {one.id: one for one in found.findings()}
    assert told["outlook.routing_gain_months"].status == "not_identified"
    Document(findings=found.findings()).to_json()


@given(value=st.floats(0.5, 5), down=st.floats(0.05, 0.4), up=st.floats(0.05, 3.0))
def test_an_interval_becomes_draws_with_that_interval(value, down, up):
    low, high = value * (1 - down), value * (1 + up)
    estimate = Estimate(value=value, low=low, high=high, level=0.95, unit="×")
    made = input_of(Finding(id="a.b", instrument="a", label="", estimate=estimate, method="", n=None))
    assert isinstance(made, Input)
    assert np.quantile(made.quantiles, [0.025, 0.5, 0.975]) == pytest.approx([low, value, high], rel=0.03)


def test_a_value_without_an_interval_is_exact_and_says_so():
    made = input_of(finding(RATE, 1.0))
    assert isinstance(made, Input)
    assert made.quantiles.tolist() == [1.0]
    assert "taken as exact" in made.cautions[0]


@pytest.mark.parametrize("settings", [{"diffusion": 1.5}, {"correlation": {(RATE, GAP): 1.0}}])
def test_settings_outside_their_range_are_refused(settings):
    with pytest.raises(SettingError):
        Assumptions(**settings)


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.8])
def test_shares_of_two_lognormal_inputs_are_those_of_the_closed_form(weight):
    # No diffusion: ln lag = ln gap + ln doubling + constant. With normal logarithms the answer's rank given
    # one input has variance arcsin(rho/2)/(2 pi), rho that input's share of the variance of the sum.
    inputs = [
        finding(GAP, 2.0, sd=0.3 * math.sqrt(weight), log=True),
        finding(DOUBLING, 6.0, sd=0.3 * math.sqrt(1 - weight), log=True),
    ]
    found = outlook(inputs, assumptions=Assumptions(draws=20_000))["outlook.academic_lag_years.no_diffusion"]
    first = {GAP: weight, DOUBLING: 1 - weight}
    alone = {name: 6 / math.pi * math.asin(rho / 2) for name, rho in first.items()}
    shared = (1 - sum(alone.values())) / 2
    for name, share in found.shares.items():
        assert share == pytest.approx(alone[name] + shared, abs=0.02)


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.6])
def test_the_interval_of_lognormal_inputs_is_that_of_the_closed_form_under_correlation(rho):
    inputs = [finding(GAP, 2.0, sd=0.2, log=True), finding(DOUBLING, 6.0, sd=0.1, log=True)]
    chosen = Assumptions(correlation={(GAP, DOUBLING): rho}, draws=20_000)
    found = outlook(inputs, assumptions=chosen)["outlook.academic_lag_years.no_diffusion"].estimate
    spread = math.sqrt(0.2**2 + 0.1**2 + 2 * rho * 0.2 * 0.1)
    for bound, score in ((found.low, -1.96), (found.high, 1.96)):
        assert bound == pytest.approx(found.value * math.exp(score * spread), rel=0.02)


@given(st.floats(0.2, 3), st.floats(1.05, 5))
def test_a_wider_gap_is_a_longer_lag_and_more_diffusion_a_shorter_one(gap, wider):
    def lag(of, diffusion):
        inputs = exact(rate=1.0, doubling=6.0, gap=of)
        return outlook(inputs, assumptions=Assumptions(diffusion=diffusion, draws=100))[
            "outlook.academic_lag_years"
        ].estimate.value

    assert lag(gap * wider, 1.0) == pytest.approx(wider * lag(gap, 1.0))
    assert lag(gap, 0.2) > lag(gap, 0.7) > lag(gap, 1.0)
