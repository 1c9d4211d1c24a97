"""Shares of large systems: golden counts of three snapshots, bounds, periods and refusals."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.shares import shares_section
from isoflop.divide.large import LARGE, RELATIVE, TopK
from isoflop.divide.model import FIRST, LAST, Period, TeamRule
from isoflop.divide.sample import Sample, select
from isoflop.divide.shares.count import count_large, inside_periods, of_teams
from isoflop.divide.shares.find import shares
from isoflop.divide.shares.result import LargeShares
from isoflop.errors import EvidenceError, IsoflopError, SettingError
from isoflop.evidence import load

from .made_models import day, table

GOLDEN: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "divide_shares.json").read_text()
)["snapshots"]
FILES = {
    "2023-12": "epoch_models_2023-12-20.csv",
    "2025-02": "epoch_notable_ai_models_2025-02.csv",
    "2025-04": "epoch_all_ai_models_2025-04.csv",
}
SHOWN = 0.0006
"""Printed digits: half of the last one, and a little for rounding twice."""
LABELS = ["Academia", "Industry", "Industry,Academia", "Government", ""]


@functools.cache
def snapshot(folder: Path, name: str) -> Any:
    return load(folder / "divide" / FILES[name])


@functools.cache
def golden_shares(folder: Path, name: str) -> LargeShares:
    return shares(snapshot(folder, name), large=RELATIVE)


def made(seed: int, n: int = 60) -> Sample:
    rng = np.random.default_rng(seed)
    rows = [
        {
            "date": day(2012 + 11 * i / n),
            "train_flop": 10 ** rng.normal(20, 1),
            "team_label": rng.choice(LABELS, p=[0.3, 0.3, 0.2, 0.1, 0.1]),
            "organisations": f"lab {rng.integers(9)}",
        }
        for i in range(n)
    ]
    return select(table(rows))


def test_the_golden_table_holds_every_cell() -> None:
    cells = {
        "academia_2012-14", "academia_2020-22", "unknown_bounds_2020-22", "fisher_p", "trend_z",
        "industry_years", "industry_2022", "academia_2020-22_by_definition", "decile_n", "decile_ratios",
    }  # fmt: skip
    assert set(GOLDEN) == set(FILES)
    assert all(cells <= set(GOLDEN[name]) for name in FILES)
    assert all(
        set(GOLDEN[name][key]) == {"top_quantile", "top_k", "above_trend", "above_trend_q75"}
        for name in FILES
        for key in ("industry_2022", "academia_2020-22_by_definition")
    )


@pytest.mark.public_data
@pytest.mark.parametrize("name", FILES)
def test_academic_shares_and_their_bounds_agree_with_the_golden_table(public_data: Path, name: str) -> None:
    found, want = golden_shares(public_data, name), GOLDEN[name]
    for period in (FIRST, LAST):
        cell = found.cell("academia", period)
        k, n, low, high = want[f"academia_{period}"]
        assert (cell.k, cell.n) == (k, n)
        assert (cell.low, cell.high) == pytest.approx((low, high), abs=SHOWN)
    u, least, most = want["unknown_bounds_2020-22"]
    assert cell.unknown == u
    assert (cell.bound_low, cell.bound_high) == pytest.approx((least, most), abs=SHOWN)


@pytest.mark.public_data
@pytest.mark.parametrize("name", FILES)
def test_change_and_trend_agree_with_the_golden_table(public_data: Path, name: str) -> None:
    found, want = golden_shares(public_data, name), GOLDEN[name]
    change = found.change("academia")
    assert change is not None
    # The golden p has two digits: the last of 1.4e-7 alone is worth 4 %.
    assert float(f"{change.p_fisher:.1e}") == pytest.approx(want["fisher_p"], rel=0.02)
    assert found.trend("academia").z == pytest.approx(want["trend_z"], abs=0.006)


@pytest.mark.public_data
@pytest.mark.parametrize("name", FILES)
def test_industry_shares_of_single_years_agree_with_the_golden_table(public_data: Path, name: str) -> None:
    found, want = golden_shares(public_data, name), GOLDEN[name]
    for year, counts in want["industry_years"].items():
        cell = found.cell("industry", Period(first=int(year), last=int(year)))
        assert [cell.k, cell.n] == counts
    for large, counts in want["industry_2022"].items():
        cell = found.cell("industry", Period(first=2022, last=2022), large)
        assert [cell.k, cell.n] == counts


@pytest.mark.public_data
@pytest.mark.parametrize("name", FILES)
def test_academic_shares_by_definition_agree_with_the_golden_table(public_data: Path, name: str) -> None:
    found = golden_shares(public_data, name)
    for large, counts in GOLDEN[name]["academia_2020-22_by_definition"].items():
        cell = found.cell("academia", LAST, large)
        assert [cell.k, cell.n] == counts


@pytest.mark.public_data
def test_attribution_by_sponsor_agrees_with_the_golden_table(public_data: Path) -> None:
    found = shares(snapshot(public_data, "2023-12"), rule=TeamRule(attribution="sponsor"))
    want = GOLDEN["2023-12"]["sponsor"]
    cells = [found.cell("academia", period) for period in (FIRST, LAST)]
    assert [cells[0].k, cells[0].n] == want["academia_2012-14"]
    assert [cells[1].k, cells[1].n] == want["academia_2020-22"]
    assert cells[1].unknown == want["missing_2020-22"]


@pytest.mark.public_data
@pytest.mark.parametrize("name", ["2023-12", "2025-04"])
def test_public_research_as_academia_agrees_with_the_golden_table(public_data: Path, name: str) -> None:
    found = shares(snapshot(public_data, name), rule=TeamRule(public_research="academia"))
    cell = found.cell("academia", LAST)
    assert [cell.k, cell.n] == GOLDEN[name]["public_as_academia_2020-22"]


@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_shares_sum_to_one_and_lie_in_their_bounds(seed: int) -> None:
    found = shares(made(seed), large=(TopK(3),), periods=(Period(first=2012, last=2016), LAST))
    for large in found.texts:
        for period in found.periods:
            cells = [found.cell(team, period, large) for team in found.teams]
            assert math.isclose(sum(c.share or 0 for c in cells), 1)
            for c in cells:
                assert c.bound_low is not None
                assert c.bound_high is not None
                assert c.share is not None
                assert c.bound_low <= c.share <= c.bound_high


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_every_way_to_code_the_unknown_lies_within_the_bounds(seed: int) -> None:
    sample = made(seed)
    period = Period(first=2012, last=2022)
    rng = np.random.default_rng(seed)
    for large in (LARGE["known"], LARGE["top_k"], LARGE["above_trend"]):
        cell = shares(sample, large=large, periods=(period,)).cell("academia", period, large.name)
        coded = np.where(
            sample.team == "unknown", rng.choice(["academia", "industry"], sample.n), sample.team
        )
        mask = large.mask(sample.t, sample.year, sample.log10_flop)
        share = float((coded[mask] == "academia").mean())
        assert cell.bound_low is not None
        assert cell.bound_high is not None
        assert cell.bound_low - 1e-12 <= share <= cell.bound_high + 1e-12


@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_counts_by_weights_are_counts_of_repeated_rows(seed: int) -> None:
    sample = made(seed)
    periods, teams = (Period(first=2012, last=2016), LAST), ("academia", "industry")
    weights = np.random.default_rng(seed).integers(0, 3, (2, sample.n))
    inside, team = inside_periods(sample.year, periods), of_teams(sample.team, teams)
    large = TopK(3).mask(sample.t, sample.year, sample.log10_flop)
    k, n = count_large(large, inside, team, weights)
    for r, row in enumerate(weights):
        again = np.repeat(np.arange(sample.n), row)
        k_again, n_again = count_large(large[again], inside[again], team[again])
        assert (k[r] == k_again).all()
        assert (n[r] == n_again).all()


def test_dropping_the_unknown_gives_no_bounds() -> None:
    rows = table([{"team_label": "Academia"}, {"team_label": ""}, {"team_label": "Industry"}])
    period = Period(first=2020, last=2020)
    assert shares(rows, periods=(period,)).cell("academia", period).bound_high == pytest.approx(2 / 3)
    dropped = shares(rows, periods=(period,), rule=TeamRule(unknown="drop"))
    assert dropped.cell("academia", period).bound_high is None


def test_one_organisation_with_many_systems_widens_the_interval() -> None:
    rows = [{"team_label": "Academia", "organisations": "one lab"}] * 20
    rows += [{"team_label": "Industry", "organisations": f"firm {i}"} for i in range(20)]
    period = Period(first=2020, last=2020)
    cell = shares(table(rows), periods=(period,)).cell("academia", period)
    assert cell.low is not None
    assert cell.organisation_low is not None
    assert cell.organisation_low < cell.low


def test_without_the_published_periods_the_ends_of_the_table_are_compared() -> None:
    years = (2014, 2015, 2016, 2018, 2020)
    rows = [{"date": f"{year}-06-01", "team_label": "Academia"} for year in years for _ in range(6)]
    found = shares(table(rows))
    assert [str(p) for p in found.periods] == ["2014-16", "2018-20"]
    assert all(f.details["periods"] == ["2014-16", "2018-20"] for f in found.findings() if "k" in f.details)


def test_a_definition_that_no_system_of_a_period_meets_is_not_identified() -> None:
    found = shares(made(1), large=LARGE["above_1e25"], periods=(FIRST, LAST))
    finding = next(f for f in found.findings() if f.id == "divide.academia_share_last.above_1e25")
    assert finding.status == "not_identified"
    assert "at least 1e+25 FLOP" in finding.details["reason"]


def test_headline_ids_rest_on_known_compute_whatever_else_is_asked() -> None:
    plain, more = shares(made(2)), shares(made(2), large=tuple(LARGE.values()))
    one = {f.id: f.estimate.value for f in plain.findings()}
    every = {f.id: f.estimate.value for f in more.findings()}
    assert {"divide.academia_share_first", "divide.academia_share_last"} <= set(one)
    assert one.items() <= every.items()
    assert "divide.academia_share_last.top_quantile" in every


def test_what_cannot_be_compared_is_refused() -> None:
    rows = table([{"team_label": "Academia"}] * 12)
    with pytest.raises(EvidenceError, match=r"needs two separate spans.*Name periods"):
        shares(rows)
    with pytest.raises(EvidenceError, match=r"no system of known team and compute in 2012-14.*2020 to 2020"):
        shares(rows, periods=(FIRST,))
    with pytest.raises(EvidenceError, match="none of 2 rows has a known team"):
        shares(table([{"team_label": ""}] * 2), periods=(LAST,))
    with pytest.raises(SettingError, match="already has"):
        shares(made(3), rule=TeamRule())


def test_the_embedded_table_compares_the_published_periods_with_its_caution() -> None:
    found = shares(load("notable_systems"))
    assert found.periods == (FIRST, LAST)
    assert any("hand" in caution for caution in found.cautions)
    assert found.to_dict()["shares"][0]["large"] == "known"


def test_a_table_given_twice_has_the_same_shares_and_a_narrower_wilson_interval() -> None:
    rows = [
        {"team_label": label, "organisations": f"lab {i}", "train_flop": 1e20 * (i + 1)}
        for i, label in enumerate(["Academia", "Industry", "Industry", "Academia", "Industry,Academia"])
    ]
    period = Period(first=2020, last=2020)
    once, twice = (
        shares(table(rows * copies), periods=(period,)).cell("academia", period) for copies in (1, 2)
    )
    assert once.share == twice.share
    assert (once.organisation_low, once.organisation_high) == (
        twice.organisation_low,
        twice.organisation_high,
    )
    assert once.low is not None
    assert twice.low is not None
    assert twice.low > once.low


def test_a_table_of_one_sector_has_shares_but_no_trend() -> None:
    rows = [
        {"date": f"{year}-03-01", "team_label": "Industry"}
        for year in (2012, 2013, 2020, 2021)
        for _ in range(6)
    ]
    found = shares(table(rows))
    assert found.cell("industry", LAST).share == 1
    trend = next(f for f in found.findings() if f.id == "divide.academia_share_trend_z")
    assert trend.status == "not_identified"
    assert "all or none" in trend.details["reason"]


def test_the_section_says_the_shares_and_draws_them() -> None:
    found = shares(made(4, 120), large=tuple(LARGE.values()))
    section = shares_section(found)
    said = " ".join(block for block in section.blocks() if isinstance(block, str))
    cell = found.cell("academia", LAST)
    assert f"{cell.k} of {cell.n}" in said
    assert "[S]" in said
    assert "[D]" in said
    assert [f.id for f in section.figures] == ["shares-periods", "shares-definitions", "shares-years"]
    for figure in section.figures:
        assert figure.chart().to_dict()


def run(*words: str) -> Any:
    from click.testing import CliRunner

    from isoflop.divide.commands.concentration import concentration
    from isoflop.divide.commands.deciles import deciles
    from isoflop.divide.commands.openness import openness
    from isoflop.divide.commands.shares import shares as shares_command

    verbs = {
        "shares": shares_command, "deciles": deciles, "openness": openness, "concentration": concentration
    }  # fmt: skip
    result = CliRunner().invoke(verbs[words[0]], ["--evidence", "embedded", *words[1:]])
    if result.exception is not None:
        raise result.exception
    return result


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("words", "tables", "finding"),
    [
        (
            ("shares", "--large", "all"),
            {"shares", "by_year", "changes", "coverage"},
            "academia_share_last.top_k",
        ),
        (("shares", "--period", "2014-2016", "--period", "2020"), {"shares"}, "share.academia.2014-16"),
        (("deciles", "--groups", "5"), {"deciles", "fields"}, "decile_correlation.academia"),
        (("openness",), {"groups", "opened", "bases", "built", "by_year"}, "industry_base_share"),
        (("concentration", "--by", "country"), {"concentration", "holders"}, "top5_compute_share.country"),
    ],
)
def test_commands_print_one_document(words: tuple[str, ...], tables: set[str], finding: str) -> None:
    printed = json.loads(run(*words, "--json").stdout)
    assert tables | {"waterfall", "evidence"} <= set(printed["tables"])
    assert f"divide.{finding}" in {one["id"] for one in printed["findings"]}


@pytest.mark.parametrize("verb", ["shares", "deciles", "openness", "concentration"])
def test_commands_print_a_page_with_cautions(verb: str) -> None:
    said = run(verb).stdout
    assert "Cautions" in said
    assert "hand-picked" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("shares", "--large", "topk"), "Did you mean 'top_k'"),
        (("shares", "--period", "soon"), "must be a year or two"),
        (("shares", "--period", "1991"), "no system of known team and compute in 1991"),
        (("shares", "--level", "95"), "Did you mean 0.95"),
        (("deciles", "--period", "2030"), "needs 20 for 10 groups"),
        (("concentration", "--top", "0"), "top=0"),
        (("openness", "--dictionary", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_commands_refuse_with_a_message(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(IsoflopError, match=message):
        run(*words)


def test_openness_counts_all_systems_unless_a_filter_is_named() -> None:
    every, noted = (
        json.loads(run("openness", *words, "--json").stdout)["tables"]["waterfall"][-1]["kept"]
        for words in ((), ("--filter", "notable_not_deployed"))
    )
    assert every > noted
