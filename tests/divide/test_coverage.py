"""Known and missing compute: golden counts, and the shift of missing values against brute force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.coverage import coverage_section
from isoflop.divide.coverage.find import coverage
from isoflop.divide.coverage.result import tipping_text
from isoflop.divide.coverage.tilt import PATTERNS, doubling_months, tilts
from isoflop.divide.gap.model import fit_gap
from isoflop.divide.model import TeamRule
from isoflop.divide.sample import select
from isoflop.divide.shares.find import shares
from isoflop.divide.simulate import PlantedTrends, planted_table
from isoflop.errors import SettingError
from isoflop.evidence import load

from .made_models import day, table

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "divide_growth.json").read_text())["snapshots"]


def made(seed: int, missing: float = 0.3) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    drawn = PlantedTrends(n_academia=30, n_industry=40).draw(rng)
    y = np.where(rng.uniform(size=70) < missing, np.nan, drawn.log10_flop)
    return drawn.t, y, np.where(drawn.industry, "industry", "academia")


@pytest.mark.public_data
def test_every_golden_count_of_known_compute_is_met(public_data):
    found = coverage(load(public_data / "divide" / "epoch_all_ai_models_2025-04.csv"))
    counted = {(c.team, str(c.period)): [c.with_compute, c.n] for c in found.cells}
    golden = GOLDEN["2025-04"]["with_compute"]
    assert golden
    for team, years in golden.items():
        for year, cell in years.items():
            assert counted[team, year] == cell
    assert any("industry 2024 11 of 27" in caution for caution in found.cautions)


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.sampled_from(PATTERNS))
def test_a_shift_moves_the_gap_as_filling_in_by_hand_does(seed, delta, pattern):
    t, y, team = made(seed)
    industry, missing = team == "industry", np.isnan(y)
    found = {(one.headline, one.pattern): one for one in tilts(t, y, team, 2022)}
    filled = y.copy()
    for side in (industry, ~industry):
        line = np.polyfit(t[side & ~missing] - 2018, y[side & ~missing], 1)
        moved = delta if pattern == "both" or (pattern == "industry") == side[industry].any() else 0.0
        filled[side & missing] = np.polyval(line, t[side & missing] - 2018) + moved
    by_hand = fit_gap(t, filled, industry)
    assert found["gap", pattern].at(delta) == pytest.approx(by_hand.at(2022).value, abs=1e-8)
    assert found["widening", pattern].at(delta) == pytest.approx(by_hand.widening().value, abs=1e-8)
    assert found["growth", pattern].at(delta) == pytest.approx(np.polyfit(t - 2018, filled, 1)[0], abs=1e-8)


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_at_the_tipping_point_the_headline_is_0_and_on_the_line_the_gap_stays(seed):
    t, y, team = made(seed)
    for one in tilts(t, y, team, 2022):
        if one.tips_at is not None:
            assert one.at(one.tips_at) == pytest.approx(0, abs=1e-7)
        if one.headline != "growth":
            assert one.at_zero == pytest.approx(one.observed, abs=1e-8)


def test_without_missing_compute_nothing_tips():
    t, y, team = made(0, missing=0.0)
    for one in tilts(t, y, team, 2022):
        assert one.per_oom == pytest.approx(0, abs=1e-12)
        assert one.tips_at is None
        assert one.n_missing == 0
        if one.headline == "gap":
            assert "none" in tipping_text(one, 2022)
    assert doubling_months(-0.1) is None
    assert doubling_months(0.30103) == pytest.approx(12, rel=1e-4)


def test_a_sample_with_compute_alone_is_chosen_again_with_the_others():
    rows = [
        {
            "date": day(2012 + i / 2),
            "train_flop": None if i % 3 == 0 else 10.0 ** (18 + i / 5),
            "team_label": ("Academia", "Industry")[i % 2],
            "organisations": f"lab {i}",
        }
        for i in range(24)
    ]
    systems = table(rows)
    whole, again = coverage(systems), coverage(select(systems))
    assert whole.rows() == again.rows()
    assert whole.total("academia").n == 12
    assert whole.total("academia").with_compute == 8
    with pytest.raises(SettingError, match="already has"):
        coverage(select(systems), rule=TeamRule())


def test_a_sector_without_a_line_leaves_counts_and_says_why_nothing_is_shifted():
    rows = [{"date": day(2012 + i), "team_label": "Academia"} for i in range(6)]
    found = coverage(table(rows))
    assert found.tilts == ()
    assert any("cannot be shifted" in caution for caution in found.cautions)
    assert "cannot be said" in " ".join(coverage_section(found).prose)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=4)
@given(st.integers(0, 1000))
def test_planted_unknown_teams_leave_the_true_share_inside_the_bounds(seed):
    truth = PlantedTrends(unknown_share=0.3)
    blank, coded = planted_table(truth, seed=seed), planted_table(PlantedTrends(), seed=seed)
    some, all_known = shares(blank), shares(coded)
    for period in all_known.periods:
        cell, true = some.cell("academia", period), all_known.cell("academia", period).share
        assert cell.unknown > 0
        assert cell.bound_low <= true <= cell.bound_high


def test_the_section_draws_and_the_document_has_no_nan():
    rows = [
        {
            "date": day(2012 + i / 4),
            "train_flop": None if i % 4 == 0 else 10.0 ** (18 + i / 9 + i % 2),
            "team_label": ("Academia", "Industry")[i % 2],
            "organisations": f"lab {i % 11}",
        }
        for i in range(48)
    ]
    found = coverage(table(rows))
    section = coverage_section(found)
    assert list(section.blocks())
    for figure in section.figures:
        assert figure.chart().to_dict()["$schema"]
    assert json.dumps(found.to_dict(), allow_nan=False)
    ids = [f.id for f in found.findings()]
    assert len(ids) == len(set(ids))
    assert "divide.missing_tilt_oom.gap.both" in ids
