"""Leave one organisation out: against selecting the rows by hand, and residuals by year."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from isoflop.divide.chapter.influence import influence_section
from isoflop.divide.gap.model import fit_gap
from isoflop.divide.growth.settings import OLS
from isoflop.divide.growth.slope import fit_slope
from isoflop.divide.influence.find import influence
from isoflop.divide.model import LAST
from isoflop.divide.sample import select
from isoflop.divide.simulate import PlantedTrends, planted_table
from isoflop.errors import EvidenceError
from isoflop.evidence import load

from .made_models import day, table

COLUMNS = ["model", "date", "train_flop", "team_label", "organisations", "notability"]


def made(**extra: Any) -> Any:
    rng = np.random.default_rng(5)
    rows = [
        {
            "date": day(2012 + i / 8),
            "train_flop": 10 ** rng.normal(18 + i / 20 + i % 2, 1),
            "team_label": ("Academia", "Industry")[i % 2],
            "organisations": f"lab {i % 7}" + ("; lab 0" if i % 5 == 0 else ""),
        }
        | extra
        for i in range(90)
    ]
    return table(rows)


def test_each_removal_is_what_the_rows_without_that_organisation_give():
    systems = made()
    found, sample = influence(systems), select(systems)
    names = [set((cell or "").split("; ")) for cell in sample.frame["organisations"]]
    for headline in ("doubling_time_months_all", "gap_oom", "academia_share_last"):
        one = found.removal(headline)
        without = {}
        for name in sorted(set.union(*names)):
            kept = sample.of([name not in named for named in names])
            industry = kept.team == "industry"
            if headline == "doubling_time_months_all":
                without[name] = 12 / fit_slope(kept.t, kept.log10_flop, OLS(), kept.clusters).value
            elif headline == "gap_oom":
                without[name] = fit_gap(kept.t, kept.log10_flop, industry).at(2022).value
            else:
                inside = (kept.year >= LAST.first) & (kept.year <= LAST.last)
                without[name] = (inside & ~industry).sum() / inside.sum()
        assert one.low == pytest.approx(min(without.values()))
        assert one.high == pytest.approx(max(without.values()))
        assert one.without == pytest.approx(without[one.organisation])
        most = max(without.values(), key=lambda value: abs(value - one.value))
        assert abs(one.without - one.value) == pytest.approx(abs(most - one.value))


def test_joint_systems_go_with_each_of_their_organisations():
    found = influence(made())
    rank = {row["organisation"]: row["systems"] for row in found.rows()}
    # lab 0 has every seventh system, and is named beside others in every fifth.
    assert rank["lab 0"] == len({i for i in range(90) if i % 7 == 0 or i % 5 == 0})


def test_the_order_of_rows_does_not_matter():
    systems = made()
    mixed = load(systems.frame.select(COLUMNS).reverse(), schema="models", name="mixed")
    plain, turned = influence(systems).rows(), influence(mixed).rows()
    assert [row["organisation"] for row in plain] == [row["organisation"] for row in turned]
    assert [row["without"] for row in plain] == pytest.approx([row["without"] for row in turned])


def test_a_wave_around_the_line_shows_in_the_yearly_means():
    rows = [
        {
            "date": day(2010 + i / 10),
            "train_flop": f"{10 ** (20 + 0.5 * i / 10 + np.sin(i / 20)):.6e}",
            "team_label": ("Academia", "Industry")[i % 2],
            "organisations": f"lab {i % 9}",
        }
        for i in range(140)
    ]
    waved = influence(table(rows))
    noise = influence(planted_table(PlantedTrends(), seed=1))
    assert all(one.autocorrelation > one.chance for one in waved.leftovers)
    assert any("follow each other" in caution for caution in waved.cautions)
    assert all(abs(one.autocorrelation) < 0.8 for one in noise.leftovers)
    for sector in ("academia", "industry"):
        rest = [one for one in waved.residuals if one.team == sector]
        assert sum(one.n * one.mean_oom for one in rest) == pytest.approx(0, abs=1e-8)


def test_a_headline_without_value_is_left_out_and_lost_removals_are_counted():
    only = influence(made(team_label="Academia"))
    with pytest.raises(KeyError):
        only.removal("gap_oom")
    assert only.removal("academia_share_last").value == 1.0
    rows = [
        {"date": day(2012 + i), "organisations": "a" if i < 3 else "b", "team_label": "Academia"}
        for i in range(7)
    ]
    lost = influence(table(rows)).removal("academia_share_first")
    assert lost.lost == 1
    assert (lost.low, lost.high) == (1.0, 1.0)


def test_one_organisation_is_refused():
    rows = [{"date": day(2012 + i), "organisations": "a", "team_label": "Academia"} for i in range(5)]
    with pytest.raises(EvidenceError, match="1 organisation named"):
        influence(table(rows))


def test_section_and_document_are_whole():
    found = influence(made())
    assert list(influence_section(found).blocks())
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert all(f.id.startswith("divide.leave_one_out.") for f in found.findings())
    assert "no interval" in found.findings()[0].method
