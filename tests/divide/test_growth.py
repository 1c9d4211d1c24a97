"""Growth: golden doubling times of three snapshots, kinds of interval, noise, refusals, the command."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.growth import growth_section
from isoflop.divide.commands.growth import growth as command
from isoflop.divide.gap.find import gap
from isoflop.divide.growth.find import growth
from isoflop.divide.growth.noise import noise_sd, noisy_log10_flop
from isoflop.divide.growth.result import ComputeGrowth
from isoflop.divide.growth.settings import HC1, INTERVALS, OLS, Cluster, ComputeNoise, Pairs, interval_kind
from isoflop.divide.growth.slope import LOG10_2, doubling_time, fit_slope
from isoflop.divide.growth.steadiness import bend, forecasts
from isoflop.divide.model import TeamRule
from isoflop.divide.sample import select
from isoflop.divide.simulate import PlantedTrends, planted_table
from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.evidence import load

from .made_models import day, table

GOLDEN: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "divide_growth.json").read_text()
)["snapshots"]
FILES = {
    "2023-12": "epoch_models_2023-12-20.csv",
    "2025-02": "epoch_notable_ai_models_2025-02.csv",
    "2025-04": "epoch_all_ai_models_2025-04.csv",
}
MONTHS, DRAWN_MONTHS = 0.05, 0.1
"""Half a printed digit and the slack of another edition of numpy; ends of draws move with the seed."""
FEW_REPS = 199


@functools.cache
def golden_growth(folder: Path, name: str) -> ComputeGrowth:
    return growth(load(folder / "divide" / FILES[name]), ci=OLS(), beside=tuple(INTERVALS.values()))


def quick(models: Any, **settings: Any) -> ComputeGrowth:
    return growth(models, noise=ComputeNoise(reps=FEW_REPS), **settings)


def line_table(oom_per_year: float, team: str = "Academia", n: int = 12) -> Any:
    rows = [
        {
            "date": day(2012 + i),
            "train_flop": f"{10 ** (18 + oom_per_year * i):.12e}",
            "team_label": team,
            "organisations": f"lab {i}",
        }
        for i in range(n)
    ]
    return table(rows)


@pytest.mark.public_data
@pytest.mark.parametrize("name", list(FILES))
def test_every_golden_doubling_time_is_met(public_data, name):
    found, golden = golden_growth(public_data, name), GOLDEN[name]
    lines = {line.team: line for line in (*found.lines, found.with_unknown)}
    assert set(golden["doubling"]) <= set(lines)
    for team, (value, low, high, n) in golden["doubling"].items():
        months = lines[team].doubling_months
        assert lines[team].n == n
        assert (months.value, months.low, months.high) == pytest.approx((value, low, high), abs=MONTHS)
    kinds = {slope.kind: slope for slope in found.all.intervals}
    for kind, slack in (("hc1", MONTHS), ("pairs", DRAWN_MONTHS), ("cluster", DRAWN_MONTHS)):
        if f"all_{kind}" in golden:
            months = kinds[kind].doubling_months()
            assert (months.low, months.high) == pytest.approx(golden[f"all_{kind}"][:2], abs=slack)
    if "all_cluster" in golden:
        assert kinds["cluster"].n_clusters == golden["all_cluster"][2]
    if "all_monte_carlo" in golden:
        months = found.noise.alone.doubling_months()
        assert (months.low, months.high) == pytest.approx(golden["all_monte_carlo"], abs=DRAWN_MONTHS)


@pytest.mark.public_data
def test_the_command_prints_the_headlines_of_a_snapshot(public_data):
    path = public_data / "divide" / FILES["2023-12"]
    said = CliRunner().invoke(command, [str(path), "--json"], catch_exceptions=False)
    found = {f["id"]: f for f in json.loads(said.stdout)["findings"]}
    headline = found["divide.doubling_time_months_all"]
    assert headline["value"] == pytest.approx(5.96, abs=MONTHS)
    assert headline["unit"] == "months"
    assert len(headline["details"]["draws"]) == 200
    assert found["divide.gap_oom"]["value"] == pytest.approx(2.02, abs=0.01)
    assert found["divide.doubling_time_months.academia"]["n"] == 38


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_the_unit_of_compute_moves_no_slope(seed, shift):
    drawn = PlantedTrends().draw(np.random.default_rng(seed))
    for kind in (OLS(), HC1(), Cluster(reps=49)):
        plain = fit_slope(drawn.t, drawn.log10_flop, kind, drawn.codes)
        moved = fit_slope(drawn.t, drawn.log10_flop + shift, kind, drawn.codes)
        assert (moved.value, moved.low, moved.high) == pytest.approx((plain.value, plain.low, plain.high))


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_moves_no_exact_interval(seed):
    rng = np.random.default_rng(seed)
    drawn, order = PlantedTrends(n_academia=20, n_industry=20).draw(rng), rng.permutation(40)
    for kind in (OLS(), HC1()):
        plain = fit_slope(drawn.t, drawn.log10_flop, kind, drawn.codes)
        mixed = fit_slope(drawn.t[order], drawn.log10_flop[order], kind, drawn.codes[order])
        assert (mixed.value, mixed.low, mixed.high) == pytest.approx((plain.value, plain.low, plain.high))


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_a_table_given_twice_narrows_least_squares_and_leaves_draws_of_organisations(seed):
    drawn = PlantedTrends(n_academia=30, n_industry=30).draw(np.random.default_rng(seed))
    t, y, codes = (np.tile(a, 2) for a in (drawn.t, drawn.log10_flop, drawn.codes))
    for kind, ratio in ((OLS(), 0.71), (Cluster(reps=99), 1.0)):
        once, twice = fit_slope(drawn.t, drawn.log10_flop, kind, drawn.codes), fit_slope(t, y, kind, codes)
        assert twice.value == pytest.approx(once.value)
        assert (twice.high - twice.low) / (once.high - once.low) == pytest.approx(ratio, abs=0.02)


@given(st.floats(0.01, 5), st.floats(0, 5), st.floats(0, 5))
def test_a_doubling_time_lies_within_its_interval_and_opens_where_the_slope_may_be_0(value, below, above):
    found = doubling_time(value, value - below, value + above, level=0.95)
    assert found.value is not None
    assert found.low is not None
    assert found.low <= found.value * (1 + 1e-12)
    if value - below > 0:
        assert found.high is not None
        assert found.high >= found.value * (1 - 1e-12)
    else:
        assert found.high is None
        assert found.interval == "open_above"


def test_a_planted_slope_is_found_and_teams_are_kept_apart():
    truth = PlantedTrends(
        n_academia=400, n_industry=400, academia_oom_per_year=0.3, industry_oom_per_year=0.7, system_sd=0.3
    )
    found = quick(planted_table(truth, seed=1), ci=HC1())
    for team, oom in (("academia", 0.3), ("industry", 0.7)):
        assert found.team(team).slope.oom_per_year().value == pytest.approx(oom, abs=0.02)
        assert found.team(team).doubling_months.value == pytest.approx(12 * LOG10_2 / oom, rel=0.05)
    assert found.team("industry").slope.per_year().value == pytest.approx(10**0.7, rel=0.05)


def test_compute_that_falls_has_no_doubling_time_and_is_named_a_halving():
    found = quick(line_table(-0.5), ci=OLS())
    finding = found.findings()[0]
    assert finding.status == "not_identified"
    assert finding.estimate.value is None
    assert finding.details["halving_months"] == pytest.approx(12 * LOG10_2 / 0.5, rel=1e-3)
    assert "does not rise" in finding.details["reason"]


def test_compute_that_stands_still_has_no_doubling_time_and_no_change_of_the_gap():
    rows = [
        {"date": day(2012 + i / 2), "train_flop": 1e20, "team_label": ("Academia", "Industry")[i % 2]}
        for i in range(24)
    ]
    found = quick(table(rows), ci=OLS())
    assert found.all.doubling_months.value is None or found.all.doubling_months.value > 1e6
    apart = gap(table(rows), noise=ComputeNoise(reps=49))
    assert apart.gap.value == pytest.approx(0, abs=1e-9)
    assert 0 <= apart.lead.p_widening <= 1


def test_every_kind_of_interval_carries_draws_whose_middle_is_the_point():
    systems = planted_table(PlantedTrends())
    for kind in (OLS(), HC1(), Pairs(reps=FEW_REPS), Cluster(reps=FEW_REPS)):
        headline = quick(systems, ci=kind, by="none").findings()[0]
        assert len(headline.details["draws"]) > 100
        assert np.median(headline.details["draws"]) == pytest.approx(headline.estimate.value, rel=0.05)
        assert (headline.seed is None) == (not kind.drawn)


def test_unknown_teams_stay_out_of_the_line_of_all_and_have_their_own():
    truth = PlantedTrends(unknown_share=0.3)
    found = quick(planted_table(truth))
    assert found.n < found.sample.n == found.with_unknown.n
    ids = [f.id for f in found.findings()]
    assert "divide.doubling_time_months_all.incl_unknown" in ids
    assert len(ids) == len(set(ids))
    assert any("no known team" in caution for caution in found.cautions)


def test_few_organisations_give_way_to_hc1_with_a_caution():
    few = quick(planted_table(PlantedTrends(organisations=5)))
    assert few.all.slope.kind == "hc1"
    assert any("fewer than 20" in caution for caution in few.cautions)
    assert quick(planted_table(PlantedTrends())).all.slope.kind == "cluster"


def test_a_team_with_two_dates_has_no_trend_and_says_why():
    rows = [
        {"date": day(2012 + i), "train_flop": 10.0 ** (18 + i), "team_label": "Academia"} for i in range(9)
    ] + [{"date": day(2015 + i), "train_flop": 1e20, "team_label": "Industry"} for i in range(2)]
    found = quick(table(rows))
    industry = next(f for f in found.findings() if f.id == "divide.doubling_time_months.industry")
    assert industry.status == "not_identified"
    assert "2 distinct dates" in industry.details["reason"]
    assert "no trend" in found.summary()


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([{"team_label": "Academia"}] * 4, NoFitError, "1 distinct date, a trend needs"),
        ([{"date": day(2012 + i)} for i in range(4)], EvidenceError, "known team"),
    ],
)
def test_tables_without_a_trend_are_refused(rows, error, message):
    with pytest.raises(error, match=message):
        quick(table(rows))


def test_settings_out_of_range_are_refused():
    systems = planted_table(PlantedTrends())
    with pytest.raises(SettingError, match="level=95"):
        quick(systems, level=95)
    with pytest.raises(SettingError, match="Did you mean 'cluster'"):
        interval_kind("clusters")
    with pytest.raises(SettingError, match="shared=2"):
        ComputeNoise(shared=2)
    with pytest.raises(SettingError, match="unsure=1"):
        ComputeNoise(unsure=1)
    with pytest.raises(SettingError, match="compat"):
        quick(systems, compat="paper", ci=HC1())
    with pytest.raises(SettingError, match="compat"):
        quick(systems, compat="paper", rule=TeamRule(strict=True))


def test_the_papers_settings_lead_with_least_squares_and_say_what_is_not_known():
    found = quick(planted_table(PlantedTrends()), compat="paper")
    assert found.all.slope.kind == "ols"
    assert any("nearest to what is known of the paper" in caution for caution in found.cautions)


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_more_replicates_begin_with_the_same_draws(seed):
    sample = select(planted_table(PlantedTrends(n_academia=9, n_industry=9)))
    few = noisy_log10_flop(sample, ComputeNoise(reps=70, seed=seed))
    many = noisy_log10_flop(sample, ComputeNoise(reps=130, seed=seed))
    np.testing.assert_array_equal(few, many[:70])


def test_noise_follows_the_word_of_confidence_and_bounds_replace_it():
    rows = [
        {"date": day(2014 + i), "train_flop": 1e20, "confidence": word, "team_label": "Academia"}
        for i, word in enumerate(("Confident", "Likely", "Speculative", "Unknown", None))
    ]
    rows.append(rows[0] | {"train_flop_low": 1e19, "train_flop_high": 1e20})
    rows.append(rows[0] | {"train_flop_low": 5.423, "train_flop_high": 1e21})
    sample = select(table(rows))
    words = [0.290, 0.608, 0.898, 0.898, 0.898]
    np.testing.assert_allclose(noise_sd(sample, ComputeNoise())[:5], words, atol=5e-4)
    drawn = noisy_log10_flop(sample, ComputeNoise(reps=4000))
    np.testing.assert_allclose(drawn[:, :5].std(axis=0), words, rtol=0.05)
    assert drawn[:, 5].min() >= 19
    assert drawn[:, 5].max() <= 20
    assert drawn[:, 5].mean() == pytest.approx(19.5, abs=0.03)
    # A lower bound of a few operations is a slip; the word stands.
    assert drawn[:, 6].std() == pytest.approx(0.290, rel=0.05)
    split = noisy_log10_flop(sample, ComputeNoise(reps=4000, bounds="split_normal"))
    assert np.quantile(split[:, 5], 0.05) == pytest.approx(19, abs=0.1)
    assert split[:, 5].max() == pytest.approx(20)


def test_noise_shared_by_an_organisation_moves_its_systems_together():
    rows = [
        {"date": day(2014 + i), "organisations": f"lab {i // 2}", "team_label": "Academia"} for i in range(4)
    ]
    drawn = noisy_log10_flop(select(table(rows)), ComputeNoise(reps=4000, shared=0.8))
    correlation = np.corrcoef(drawn.T)
    assert correlation[0, 1] == pytest.approx(0.8, abs=0.03)
    assert correlation[0, 2] == pytest.approx(0.0, abs=0.06)


def test_a_bend_is_seen_and_a_straight_line_has_none():
    t = np.arange(2012, 2024, 0.2)
    rng = np.random.default_rng(0)
    noise = 0.3 * rng.standard_normal(t.size)
    bent, straight = bend(t, 0.05 * (t - 2012) ** 2 + noise), bend(t, 0.6 * t + noise)
    assert bent is not None
    assert straight is not None
    assert bent.bent
    assert bent.oom_per_year2 == pytest.approx(0.1, abs=0.02)
    assert bent.first_months is not None
    assert bent.last_months is not None
    assert bent.first_months > bent.last_months
    assert straight.p > 0.001
    assert bend(t[:5], t[:5]) is None


def test_the_trend_foretells_growth_that_simpler_rules_miss():
    t = np.arange(2012, 2024, 0.1)
    found = {one.rule: one for one in forecasts(t, 0.6 * t)}
    assert found["trend"].rmse_oom == pytest.approx(0, abs=1e-9)
    assert found["last year's mean"].bias_oom == pytest.approx(0.6 * 2.0, abs=0.05)
    assert found["trend"].split == 2021
    assert forecasts(t[:15], t[:15]) == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_least_squares_and_hc1_are_those_of_statsmodels(seed):
    models = pytest.importorskip("statsmodels.regression.linear_model")
    drawn = PlantedTrends(organisation_sd=0.5).draw(np.random.default_rng(seed))
    design = np.column_stack([np.ones(drawn.t.size), drawn.t - 2018])
    plain = models.OLS(drawn.log10_flop / LOG10_2, design).fit()
    robust = plain.get_robustcov_results("HC1", use_t=True)
    for kind, oracle in ((OLS(), plain), (HC1(), robust)):
        found = fit_slope(drawn.t, drawn.log10_flop, kind, drawn.codes)
        ends = np.asarray(oracle.conf_int())[1]
        assert (found.value, found.low, found.high) == pytest.approx((oracle.params[1], *ends), rel=1e-8)


def test_the_section_names_marks_and_every_picture_draws():
    found = quick(planted_table(PlantedTrends(unknown_share=0.1)), beside=(HC1(), OLS(), Pairs(reps=99)))
    section = growth_section(found)
    assert any("[S]" in paragraph and "[D]" in paragraph for paragraph in section.prose)
    assert len(list(section.blocks())) >= 6
    for figure in section.figures:
        assert figure.chart().to_dict()["$schema"]
    assert found.frame().height == len(found.rows())
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert all(math.isfinite(row["rmse_oom"]) for row in found.forecast_rows())
