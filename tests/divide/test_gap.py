"""The gap: golden readings of three snapshots, planted truth, symmetries, oracles, refusals."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.gap import gap_section
from isoflop.divide.commands.coverage import coverage as coverage_command
from isoflop.divide.commands.gap import gap as gap_command
from isoflop.divide.commands.gap import power as power_command
from isoflop.divide.commands.growth import influence as influence_command
from isoflop.divide.gap.find import gap
from isoflop.divide.gap.medians import median_gaps, weighted_median
from isoflop.divide.gap.model import COVS, fit_gap, gap_design, gap_draws
from isoflop.divide.gap.result import ComputeGap
from isoflop.divide.growth.settings import ComputeNoise
from isoflop.divide.model import Period
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
GAP, DRAWN, P = 0.01, 0.03, 0.03
"""Half a printed digit with slack; ends of draws; p printed to two or three digits."""


@functools.cache
def golden_gap(folder: Path, name: str) -> ComputeGap:
    return gap(load(folder / "divide" / FILES[name]))


def quick(models: Any, **settings: Any) -> ComputeGap:
    return gap(models, noise=ComputeNoise(reps=199), **settings)


@pytest.mark.public_data
@pytest.mark.parametrize("name", list(FILES))
def test_every_golden_gap_is_met(public_data, name):
    found, golden = golden_gap(public_data, name), GOLDEN[name]
    for year, value in golden["gap"].items():
        assert found.lead.at(int(year)).value == pytest.approx(value, abs=GAP)
    half = 1.959964 * golden["gap_2022_se"]
    assert (found.gap.high - found.gap.low) / 2 == pytest.approx(half, abs=2 * GAP)
    assert found.widening.value == pytest.approx(golden["widening"], abs=0.001)
    assert found.fits["hc1"].p_widening == pytest.approx(golden["p_hc1"], rel=P)
    if "p_cluster" in golden:
        assert found.fits["cluster"].p_widening == pytest.approx(golden["p_cluster"], rel=P)
    for one in found.quantiles:
        assert one.gap.value == pytest.approx(golden["gap_2022_quantiles"][f"{one.q:g}"], abs=DRAWN)
        assert one.certificate <= 1e-8
    if "gap_2022_monte_carlo" in golden:
        alone = found.noise.alone
        assert (alone.low, alone.high) == pytest.approx(golden["gap_2022_monte_carlo"], abs=DRAWN)
    every = select(load(public_data / "divide" / FILES[name]), filter="none").of_team("academia", "industry")
    fit = fit_gap(every.t, every.log10_flop, every.team == "industry")
    assert fit.widening().value == pytest.approx(golden["all_rows_widening"], abs=0.001)
    assert fit.p_widening == pytest.approx(golden["all_rows_p_hc1"], rel=P)


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.sampled_from(list(COVS)))
def test_swapping_the_sectors_flips_the_sign_of_gap_and_change(seed, cov):
    drawn = PlantedTrends(n_academia=30, n_industry=30).draw(np.random.default_rng(seed))
    plain = fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov=cov, codes=drawn.codes)
    swapped = fit_gap(drawn.t, drawn.log10_flop, ~drawn.industry, cov=cov, codes=drawn.codes)
    for one, other in ((plain.at(2022), swapped.at(2022)), (plain.widening(), swapped.widening())):
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert plain.p_widening == pytest.approx(swapped.p_widening)


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.floats(-4, 4), st.integers(0, 10_000))
def test_unit_of_compute_and_order_of_rows_move_nothing(seed, shift, order_seed):
    drawn = PlantedTrends(n_academia=25, n_industry=25).draw(np.random.default_rng(seed))
    order = np.random.default_rng(order_seed).permutation(50)
    for cov in COVS:
        plain = fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov=cov, codes=drawn.codes).at(2022)
        moved = fit_gap(
            drawn.t[order],
            drawn.log10_flop[order] + shift,
            drawn.industry[order],
            cov=cov,
            codes=drawn.codes[order],
        ).at(2022)
        assert (moved.value, moved.low, moved.high) == pytest.approx((plain.value, plain.low, plain.high))


@settings(max_examples=6)
@given(st.integers(0, 10_000))
def test_a_table_given_twice_narrows_least_squares_and_hardly_the_clustered_interval(seed):
    drawn = PlantedTrends(n_academia=40, n_industry=40).draw(np.random.default_rng(seed))
    t, y, industry, codes = (np.tile(a, 2) for a in (drawn.t, drawn.log10_flop, drawn.industry, drawn.codes))
    width = {}
    for cov in ("ols", "cluster"):
        once = fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov=cov, codes=drawn.codes).at(2022)
        twice = fit_gap(t, y, industry, cov=cov, codes=codes).at(2022)
        assert twice.value == pytest.approx(once.value)
        width[cov] = (twice.high - twice.low) / (once.high - once.low)
    assert width["ols"] == pytest.approx(0.7, abs=0.02)
    # Only the factor (n-1)/(n-4) differs.
    assert width["cluster"] == pytest.approx(1.0, abs=0.02)


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_two_lines_in_a_batch_are_the_regression(seed):
    rng = np.random.default_rng(seed)
    drawn = PlantedTrends(n_academia=20, n_industry=30).draw(rng)
    weights = rng.integers(0, 3, (3, 50)).astype(float)
    at, change = gap_draws(drawn.t, drawn.log10_flop, drawn.industry, (2015, 2022), weights=weights)
    for row, gaps, d in zip(weights, at, change, strict=True):
        rows = np.repeat(np.arange(50), row.astype(int))
        fit = fit_gap(drawn.t[rows], drawn.log10_flop[rows], drawn.industry[rows])
        assert [fit.at(y).value for y in (2015, 2022)] == pytest.approx(list(gaps))
        assert fit.widening().value == pytest.approx(d)


def test_a_planted_gap_and_its_change_are_found():
    truth = PlantedTrends(n_academia=600, n_industry=600, system_sd=0.5)
    found = quick(planted_table(truth, seed=3))
    assert found.gap.value == pytest.approx(truth.gap(2022), abs=0.1)
    assert found.widening.value == pytest.approx(truth.widening, abs=0.02)
    assert found.quantiles[0].gap.value == pytest.approx(truth.gap(2022), abs=0.15)
    for one in found.medians:
        middle = (one.period.first + one.period.last) // 2
        assert one.gap.value == pytest.approx(truth.gap(middle), abs=0.6)


@pytest.mark.slow
def test_intervals_cover_planted_truth_where_they_claim_to_and_least_squares_fails():
    from validation.divide_coverage import WORLDS, coverage

    uneven = coverage(WORLDS["independent, uneven"], 400)
    joint = coverage(WORLDS["organisations"], 400)
    # Three binomial standard errors of 400 draws about .95 are .033.
    for held in ("growth hc1", "gap hc1", "change hc1"):
        assert abs(uneven[held] - 0.95) < 0.033
    for held in ("gap cluster", "change cluster"):
        assert abs(joint[held] - 0.95) < 0.033
    # Percentiles over draws of some hundred organisations fall a little short.
    assert joint["growth cluster"] > 0.89
    assert np.mean([uneven[f"{what} ols"] for what in ("growth", "gap", "change")]) < 0.93
    assert joint["growth ols"] < 0.87


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_a_weighted_median_is_the_lower_median_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=9), rng.integers(0, 4, (5, 9)).astype(float)
    weights[:, 0] += 1
    expected = [
        np.quantile(np.repeat(values, row.astype(int)), 0.5, method="inverted_cdf") for row in weights
    ]
    assert weighted_median(values, weights).tolist() == expected


def test_medians_of_a_period_need_both_sectors_and_five_systems_for_an_interval():
    industry = np.array([True] * 6 + [False] * 6 + [True])
    year = np.array([2013] * 12 + [2016])
    y = np.r_[np.full(6, 3.0), np.full(6, 1.0), 9.0]
    weights = np.random.default_rng(0).integers(0, 3, (50, 13)).astype(float)
    periods = [Period(first=2012, last=2014), Period(first=2015, last=2017)]
    full, empty = median_gaps(year, y, industry, periods, weights)
    assert (full.gap.value, full.gap.low, full.gap.high) == (2.0, 2.0, 2.0)
    assert empty.gap.value is None
    assert empty.gap.level is None


def test_the_headline_year_is_2022_or_the_last_complete_one():
    late = quick(planted_table(PlantedTrends()))
    early = quick(planted_table(PlantedTrends(last=2019.5)))
    named = quick(planted_table(PlantedTrends()), at_year=2030)
    assert late.at_year == 2022
    assert early.at_year == 2018
    assert early.findings()[0].details["mode"] == "the last complete year of the table"
    assert any("extrapolated" in caution for caution in named.cautions)
    assert not any("extrapolated" in caution for caution in late.cautions)


def test_unknown_teams_are_left_out_and_counted_on_either_side():
    found = quick(planted_table(PlantedTrends(unknown_share=0.3), seed=2))
    assert set(found.unknown_as) == {"academia", "industry"}
    assert found.n == int(found.sample.known.sum())
    assert any("of unknown team are left out" in caution for caution in found.cautions)
    assert quick(planted_table(PlantedTrends())).unknown_as == {}


def test_collaborations_joined_to_industry_are_a_reading_of_their_own():
    rows = [
        {
            "date": day(2012 + (i % 20) / 2),
            "train_flop": 10.0 ** (18 + (i % 20) / 4 + (i % 3)),
            "team_label": ("Academia", "Industry", "Industry,Academia")[i % 3],
            "organisations": f"lab {i}",
        }
        for i in range(60)
    ]
    found = quick(table(rows))
    assert found.joined is not None
    assert found.joined.n == 60
    assert found.n == 40
    ids = {f.id: f for f in found.findings()}
    assert ids["divide.gap_oom.collaboration_as_industry"].n == 60
    assert quick(planted_table(PlantedTrends())).joined is None


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", [gap_command, power_command, coverage_command, influence_command])
def test_every_command_prints_one_document_and_a_page(verb):
    said = CliRunner().invoke(verb, ["notable_systems", "--json"], catch_exceptions=False)
    document = json.loads(said.stdout)
    assert document["findings"]
    assert {"waterfall", "evidence"} <= set(document["tables"])
    page = CliRunner().invoke(verb, ["notable_systems"], catch_exceptions=False)
    assert "sample of notable systems" in page.stdout


def test_findings_carry_draws_baselines_and_every_p():
    found = quick(planted_table(PlantedTrends()))
    headline = found.findings()[0]
    assert headline.id == "divide.gap_oom"
    assert np.mean(headline.details["draws"]) == pytest.approx(found.gap.value)
    assert set(headline.details["baselines"]) == {
        "difference_of_means_without_time",
        "difference_of_medians",
    }
    widening = next(f for f in found.findings() if f.id == "divide.gap_widening_oom_per_year")
    assert set(widening.details["p_by_covariance"]) == set(COVS)
    assert json.dumps(found.to_dict(), allow_nan=False)
    ids = [f.id for f in found.findings()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([{"date": day(2012 + i), "team_label": "Academia"} for i in range(6)], EvidenceError, "industry"),
        (
            [{"date": day(2012 + i), "team_label": "Academia"} for i in range(6)]
            + [{"team_label": "Industry"}] * 3,
            NoFitError,
            "gap, industry: 1 distinct date",
        ),
    ],
)
def test_one_sector_only_or_on_one_date_is_refused(rows, error, message):
    with pytest.raises(error, match=message):
        quick(table(rows))


def test_settings_out_of_range_are_refused():
    systems = planted_table(PlantedTrends(n_academia=20, n_industry=20))
    with pytest.raises(SettingError, match="Did you mean 'cluster'"):
        quick(systems, cov="clusters")
    with pytest.raises(SettingError, match="year 22"):
        quick(systems, years=[22])
    with pytest.raises(SettingError, match="compat"):
        quick(systems, compat="paper", filter="none")
    said = CliRunner().invoke(gap_command, ["notable_systems", "--cov", "hc2"])
    assert isinstance(said.exception, SettingError)


@pytest.mark.slow
def test_all_covariances_are_those_of_statsmodels():
    models = pytest.importorskip("statsmodels.regression.linear_model")
    drawn = PlantedTrends(organisation_sd=0.7).draw(np.random.default_rng(4))
    plain = models.OLS(drawn.log10_flop, gap_design(drawn.t, drawn.industry)).fit()
    oracles = {
        "ols": plain,
        "hc1": plain.get_robustcov_results("HC1", use_t=False),
        "cluster": plain.get_robustcov_results("cluster", groups=drawn.codes, use_t=False),
    }
    for cov, oracle in oracles.items():
        fit = fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov=cov, codes=drawn.codes)
        np.testing.assert_allclose(fit.covariance, oracle.cov_params(), rtol=1e-7, atol=1e-12)
        assert fit.p_widening == pytest.approx(oracle.pvalues[3], rel=1e-6)


def test_the_section_marks_its_own_definition_and_every_picture_draws():
    section = gap_section(quick(planted_table(PlantedTrends(unknown_share=0.1))))
    assert any("[V]" in paragraph and "[D]" in paragraph for paragraph in section.prose)
    for figure in section.figures:
        assert figure.chart().to_dict()["$schema"]
    assert list(section.blocks())
