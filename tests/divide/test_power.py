"""How many systems show a widening: the formula against simulated tables."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.gap.model import fit_gap
from isoflop.divide.power.find import power, systems_per_year
from isoflop.divide.simulate import PlantedTrends, planted_table
from isoflop.errors import EvidenceError, SettingError

from .made_models import day, table


@given(st.floats(0.01, 1), st.integers(2, 20), st.floats(0.1, 9), st.floats(1, 4))
def test_half_the_difference_needs_four_times_the_systems_and_twice_the_years_an_eighth(d, years, v, reach):
    whole = systems_per_year(d, years, v, reach)
    assert systems_per_year(d / 2, years, v, reach) == pytest.approx(4 * whole)
    assert systems_per_year(d, 2 * years, v, reach) == pytest.approx(whole / 8)


def test_with_the_systems_it_asks_for_the_change_is_seen_as_often_as_promised():
    sd, years, difference = 1.2, 10, 0.2
    need = systems_per_year(difference, years, 2 * sd**2, 1.959964 + 0.841621)
    n = math.ceil(need * years)
    truth = PlantedTrends(
        first=2012,
        last=2012 + years,
        active_years=1e-3,
        organisations=4000,
        n_academia=n,
        n_industry=n,
        academia_oom_per_year=0.5,
        industry_oom_per_year=0.5 + difference,
        system_sd=sd,
    )
    seen = 0
    for seed in range(200):
        drawn = truth.draw(np.random.default_rng(seed))
        seen += fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov="ols").p_widening < 0.05
    # Four binomial standard errors of 200 draws about .8 are .11.
    assert seen / 200 == pytest.approx(0.8, abs=0.11)


def test_dependence_within_organisations_raises_the_need_and_never_lowers_it():
    alone = power(planted_table(PlantedTrends(), seed=2))
    joint = power(planted_table(PlantedTrends(organisation_sd=1.5, organisations=30), seed=2))
    assert alone.inflation >= 1
    assert joint.inflation > alone.inflation
    assert joint.detectable > alone.detectable


def test_ids_are_unique_and_the_document_whole():
    found = power(planted_table(PlantedTrends()), differences=[0.1, 0.105, 0.2], years=[5, 10])
    ids = [f.id for f in found.findings()]
    assert len(ids) == len(set(ids)) == 7
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert found.frame().height == 6


def test_bad_settings_and_one_sector_are_refused():
    systems = planted_table(PlantedTrends())
    with pytest.raises(SettingError, match="difference 0"):
        power(systems, differences=[0.0])
    with pytest.raises(SettingError, match="1 years"):
        power(systems, years=[1])
    with pytest.raises(SettingError, match="level=80"):
        power(systems, power=80)
    rows = [{"date": day(2012 + i), "team_label": "Industry"} for i in range(5)]
    with pytest.raises(EvidenceError, match="no system of academia"):
        power(table(rows))
