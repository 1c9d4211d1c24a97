"""What every verb on systems owes its reader: rows that add up, steady numbers, words on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from isoflop import divide
from isoflop.divide.audit.headlines import Counted, measure
from isoflop.divide.gap.model import fit_gap
from isoflop.divide.growth.settings import ComputeNoise
from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Finding
from tests.divide.made_models import day, table

QUIET = ComputeNoise(reps=99)
VERBS: dict[str, Callable[[Any], Any]] = {
    "growth": lambda rows: divide.growth(rows, noise=QUIET),
    "gap": lambda rows: divide.gap(rows, noise=QUIET),
    "shares": lambda rows: divide.shares(rows, large=tuple(divide.LARGE.values())),
    "coverage": divide.coverage,
    "influence": divide.influence,
    "power": divide.power,
    "deciles": lambda rows: divide.deciles(rows, groups=3),
    "concentration": divide.concentration,
    "afford": lambda rows: divide.affordability(rows, budgets=(1e6,), reps=99),
}
LABELS = ("Academia", "Industry", "Industry,Academia", None)
CODE = re.compile(r"\b[a-z0-9]+_[a-z0-9_]+\b|\bhc1\b|\bols\b")


def made(n: int = 120) -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    years = np.linspace(2011, 2023.9, n)
    return [
        {
            "date": day(float(year)),
            "train_flop": None if i % 11 == 5 else float(f"{10 ** (17 + 0.5 * (year - 2011) + e):.6g}"),
            "team_label": LABELS[i % 4],
            "organisations": f"organisation {(7 * i) % 41}",
        }
        for i, (year, e) in enumerate(zip(years, rng.normal(size=n), strict=True))
    ]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return {name: verb(table(made(), name="made up")) for name, verb in VERBS.items()}


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", VERBS)
def test_rows_used_and_dropped_add_up_to_the_rows_of_the_table(results: dict[str, Any], name: str) -> None:
    for one in results[name].findings():
        own = [e for e in one.evidence if e.name == "made up"]
        assert own, one.id
        assert {e.rows_used + e.rows_dropped for e in own} == {120}, one.id


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", VERBS)
def test_a_value_lies_in_its_interval_and_a_missing_one_says_why(results: dict[str, Any], name: str) -> None:
    found: Sequence[Finding] = results[name].findings()
    assert len({one.id for one in found}) == len(found)
    for one in found:
        json.dumps(one.to_dict(), allow_nan=False)
        low, value, high = one.estimate.low, one.estimate.value, one.estimate.high
        if value is None:
            assert one.status != "ok", one.id
            assert one.details["reason"], one.id
        elif low is not None and high is not None:
            assert low - 1e-12 <= value <= high + 1e-12, one.id


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", ["growth", "gap", "shares", "deciles"])
def test_the_unit_of_compute_and_the_order_of_rows_move_no_headline(
    results: dict[str, Any], name: str
) -> None:
    turned = [
        row | {"train_flop": None if row["train_flop"] is None else 1e3 * row["train_flop"]}
        for row in reversed(made())
    ]
    again = {one.id: one for one in VERBS[name](table(turned, name="made up")).findings()}
    for one in results[name].findings():
        # An absolute bound is the one definition that the unit must move.
        if "above_1e25" in one.id or one.estimate.value is None:
            continue
        assert again[one.id].estimate.value == pytest.approx(one.estimate.value, abs=1e-8), one.id


def test_a_change_of_shares_rests_on_the_rows_of_its_two_periods(results: dict[str, Any]) -> None:
    found = {one.id: one for one in results["shares"].findings()}
    change = found["divide.academia_share_change"]
    ends = [found[f"divide.academia_share_{end}"].n for end in ("first", "last")]
    assert change.n == sum(n for n in ends if n is not None) < found["divide.academia_share_trend_z"].n


@pytest.mark.parametrize("name", ["growth", "gap"])
def test_tables_and_pictures_on_the_page_show_words_not_codes(results: dict[str, Any], name: str) -> None:
    chapter = import_module(f"isoflop.divide.chapter.{name}")
    section = getattr(chapter, f"{name}_section")(results[name])
    cells = [
        str(row.get(column.name, ""))
        for one in section.tables
        for row in one.rows
        for column in one.columns
        if column.format == "text"
    ]
    drawn = [str(value) for one in section.figures for value in one.frame.select("^method|interval$").rows()]
    text = [part for part in section.prose if not part.startswith("{figure:")]
    assert not [said for said in (*cells, *drawn, *text) if CODE.search(said)]


def test_one_organisation_leaves_nothing_to_draw_and_the_method_says_so() -> None:
    rows = [row | {"organisations": "Acme"} for row in made()]
    for one in divide.concentration(table(rows)).findings():
        assert one.seed is None
        assert one.method.count("no interval") == 1


def test_equal_holders_lie_in_their_interval_though_draws_concentrate_them() -> None:
    rows = [row | {"train_flop": 1e20, "organisations": f"organisation {i}"} for i, row in enumerate(made())]
    last = divide.concentration(table(rows)).spreads[-1]
    for one in (last.gini, last.herfindahl, last.top_share):
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
    assert last.gini.value == pytest.approx(0, abs=1e-12)
    assert last.gini.value >= 0


def test_a_lower_bound_that_is_a_slip_does_not_widen_what_a_budget_buys() -> None:
    plain = [row | {"confidence": "Confident"} for row in made()]
    slipped = [row | {"train_flop_low": 5.4, "train_flop_high": row["train_flop"]} for row in plain]
    ends = [
        [(cell.low, cell.high) for cell in VERBS["afford"](table(rows)).cells] for rows in (plain, slipped)
    ]
    assert ends[0] == ends[1]


def test_the_audit_reads_the_gap_as_the_gap_does() -> None:
    rng = np.random.default_rng(3)
    t = rng.uniform(2011, 2024, 80)
    team = np.where(rng.random(80) < 0.4, "academia", "industry")
    y = 18 + 0.5 * (t - 2011) + (team == "industry") + rng.normal(size=80)
    found = measure(Counted(t=t, year=t.astype(np.int64), log10_flop=y, team=team), "gap_oom", 0.95)
    direct = fit_gap(t, y, team == "industry").at(2022)
    assert (found.value, found.low, found.high) == pytest.approx((direct.value, direct.low, direct.high))


def test_names_of_organisations_are_not_read_where_the_sponsor_decides() -> None:
    with pytest.raises(SettingError, match="leaves aside"):
        divide.TeamRule(attribution="sponsor", resolve_names=True)


def test_two_academic_dates_are_no_trend_whose_influence_could_be_told() -> None:
    rows = [row | {"team_label": "Academia" if i in (8, 60) else "Industry"} for i, row in enumerate(made())]
    told = {one.headline for one in divide.influence(table(rows)).removals}
    assert {"doubling_time_months_all", "doubling_time_months.industry"} <= told
    assert not told & {"doubling_time_months.academia", "gap_oom", "gap_widening_oom_per_year"}


def test_where_two_organisations_made_everything_together_no_removal_leaves_a_headline() -> None:
    rows = [row | {"organisations": "Acme; Birch", "team_label": "Industry"} for row in made()]
    assert divide.influence(table(rows)).removals == ()


def test_a_gap_by_organisation_is_refused_where_there_is_one() -> None:
    rows = table([row | {"organisations": "Acme"} for row in made()])
    with pytest.raises(EvidenceError, match="one organisation"):
        divide.gap(rows, cov="cluster", noise=QUIET)
    assert divide.gap(rows, noise=QUIET).lead.cov == "hc1"
