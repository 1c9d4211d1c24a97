"""Naive baselines: planted hardware growth is found, ratios carry both uncertainties."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence import load
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.progress.baselines import MOORE_RATE, baselines
from isoflop.progress.fit import fit
from isoflop.progress.sample import select
from isoflop.progress.settings import Starts
from isoflop.stats.resample import Bootstrap
from isoflop.units import fractional_year

CARDS = Bootstrap(reps=200)


@pytest.fixture(scope="module")
def fitted():
    return fit(
        select(load("language_evaluations")), starts=Starts(count=4), ci=Bootstrap(reps=60, by="paper")
    )


def hardware(growth, *, noise=0.0, n=30, precision="FP32", seed=0):
    rng = np.random.default_rng(seed)
    days = [dt.date(2008, 1, 1) + dt.timedelta(days=200 * i) for i in range(n)]
    year = np.array([fractional_year(d) for d in days])
    frame = pl.DataFrame(
        {
            "hardware": [f"card {i}" for i in range(n)],
            "maker": ["A" if i % 2 else "B" for i in range(n)],
            "year": year,
            "price_usd": 500.0,
            "precision": precision,
            "flop_per_s_per_usd": np.exp(20 + growth * (year - 2008) + noise * rng.standard_normal(n)),
            "verified": "secondary",
        }
    )
    return Table(
        name="cards",
        schema="hardware",
        frame=frame,
        source="planted",
        kind="own",
        fingerprint=fingerprint_of("hardware", frame),
        rows_read=n,
    )


def test_planted_growth_is_found_exactly(fitted):
    found = baselines(fitted, hardware(0.3), ci=CARDS)
    for trend in (found.frontier, found.all_cards):
        assert trend.rate.value == pytest.approx(0.3)
        assert trend.rate.low == pytest.approx(0.3)
        assert trend.n == 30


def test_moores_rate_doubles_in_two_years():
    assert math.exp(2 * MOORE_RATE) == pytest.approx(2.0)


def test_noisy_growth_lies_in_its_interval_and_records_are_fewer(fitted):
    found = baselines(fitted, hardware(0.3, noise=0.4, n=60), ci=CARDS)
    for trend in (found.frontier, found.all_cards):
        assert trend.rate.low < trend.rate.value < trend.rate.high
    assert found.all_cards.rate.low < 0.3 < found.all_cards.rate.high
    assert found.frontier.n < found.all_cards.n
    assert found.cards.filter("is_record")["flop_per_s_per_usd"].is_sorted()


def test_slope_equals_regression_of_the_record_cards(fitted):
    found = baselines(fitted, hardware(0.3, noise=0.4, n=60), ci=CARDS)
    records = found.cards.filter("is_record")
    oracle = np.polyfit(records["year"].to_numpy(), np.log(records["flop_per_s_per_usd"].to_numpy()), 1)
    assert found.frontier.rate.value == pytest.approx(oracle[0])
    assert found.frontier.at(2020.0) == pytest.approx(math.exp(np.polyval(oracle, 2020.0)))


def test_bootstrap_and_hc3_agree_roughly_on_all_cards(fitted):
    found = baselines(fitted, hardware(0.3, noise=0.4, n=200), ci=Bootstrap(reps=1000))
    low, high = found.all_cards.hc3
    assert found.all_cards.rate.low == pytest.approx(low, abs=0.3 * (high - low))
    assert found.all_cards.rate.high == pytest.approx(high, abs=0.3 * (high - low))


def test_ratios_divide_the_rate_by_its_baselines(fitted):
    found = baselines(fitted, hardware(0.3), ci=CARDS)
    assert found.ratio_to_moore().value == pytest.approx(fitted.rate.value / MOORE_RATE)
    assert found.ratio_to_hardware().value == pytest.approx(fitted.rate.value / 0.3)
    # Without noise only the rate is uncertain, so its interval is carried over.
    assert found.ratio_to_hardware().low == pytest.approx(fitted.rate.low / 0.3, rel=1e-6)


def test_uncertain_hardware_widens_the_ratio(fitted):
    exact = baselines(fitted, hardware(0.3), ci=CARDS).ratio_to_hardware()
    noisy_table = hardware(0.3, noise=0.3, n=25, seed=3)
    noisy = baselines(fitted, noisy_table, ci=CARDS)
    scaled = noisy.ratio_to_hardware()
    assert scaled.high / scaled.low > exact.high / exact.low


def test_a_fit_without_draws_gives_ratios_without_intervals(fitted):
    bare = replace(fitted, draws=None, ci=None)
    found = baselines(bare, hardware(0.3), ci=CARDS)
    assert found.ratio_to_hardware().low is None
    assert found.ratio_to_moore().level is None


def test_findings_have_the_ids_of_the_contract_and_name_both_tables(fitted):
    findings = {f.id: f for f in baselines(fitted, load("hardware_facts"), ci=CARDS).findings()}
    assert set(findings) == {
        "progress.ratio_to_moore",
        "progress.ratio_to_hardware",
        "progress.hardware_rate_per_year",
        "progress.hardware_doubling_months",
        "progress.hardware_rate_per_year.all_cards",
    }
    ratio = findings["progress.ratio_to_hardware"]
    assert [p.name for p in ratio.evidence] == ["language_evaluations", "hardware_facts"]
    rate, months = findings["progress.hardware_rate_per_year"], findings["progress.hardware_doubling_months"]
    assert months.estimate.value == pytest.approx(12 * math.log(2) / rate.estimate.value)
    assert any("hand-picked" in c for c in rate.cautions)
    assert rate.details["makers"] >= 2


def test_shipped_cards_are_compared_within_one_number_format(fitted):
    table = load("hardware_facts")
    found = baselines(fitted, table, ci=CARDS)
    assert found.all_cards.n == table.frame.filter(pl.col("precision") == "FP32").height < table.frame.height


def test_other_tables_and_too_few_cards_are_refused(fitted):
    with pytest.raises(EvidenceError, match="needs hardware"):
        baselines(fitted, load("language_evaluations"))
    with pytest.raises(EvidenceError, match="at least 5 records"):
        baselines(fitted, hardware(0.3, n=4))
    with pytest.raises(EvidenceError, match="0 cards at FP32"):
        baselines(fitted, hardware(0.3, precision="BF16"))
