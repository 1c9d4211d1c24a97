"""Affordability: planted markets with known answers, monotone laws, refusals, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.afford.assumptions import Assumptions, around
from isoflop.divide.afford.draws import compute_sd, draw
from isoflop.divide.afford.find import affordability
from isoflop.divide.afford.market import SECONDS_PER_HOUR, market
from isoflop.divide.chapter.afford import afford_section
from isoflop.divide.commands.afford import afford
from isoflop.divide.figures import afford as pictures
from isoflop.divide.large import Known, TopK
from isoflop.divide.model import Period
from isoflop.divide.sample import select
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.evidence.table import Table

from .made_models import table

H100 = "NVIDIA H100 SXM5 80GB"
H100_FLOP_PER_S = 989.4e12
SURE = Assumptions(utilisation=0.4, utilisation_range=(0.4, 0.4))


def quotes(*rows: tuple[str, str, float]) -> Table:
    """Return a price table from (chip, day, dollars an hour)."""
    columns = ("hardware", "date", "price_usd_per_chip_hour")
    cells = {name: [str(row[place]) for row in rows] for place, name in enumerate(columns)}
    return load(pl.DataFrame(cells), schema="chip_prices", name="prices")


def systems(*flops: float, day: str = "2024-06-15", **more: Any) -> Table:
    """Return systems of one day, known to a factor of three."""
    rows = [{"train_flop": flop, "date": day, "confidence": "Confident"} | more for flop in flops]
    return table(rows)


def dollars(flop: float, usd_per_hour: float, utilisation: float) -> float:
    """Return the cost by the definition, written anew."""
    return flop / (H100_FLOP_PER_S * utilisation) / 3600.0 * usd_per_hour


@pytest.mark.slow
@pytest.mark.ci
@given(flop=st.floats(1e18, 1e26), price=st.floats(0.1, 20.0), used=st.floats(0.1, 1.0))
def test_the_cost_is_chip_hours_times_the_price_of_the_day(flop: float, price: float, used: float) -> None:
    given_ = Assumptions(utilisation=used, utilisation_range=(used, used))
    found = affordability(
        systems(flop), quotes((H100, "2024-01-01", price)), assumptions=given_, large=Known(), reps=2
    )
    assert found.systems[0].cost_usd == pytest.approx(dollars(flop, price, used))
    assert found.systems[0].chip_hours * price == pytest.approx(found.systems[0].cost_usd)


def test_the_cheapest_chip_for_its_speed_is_taken_not_the_cheapest_chip() -> None:
    prices = quotes((H100, "2024-01-01", 3.0), ("NVIDIA P100", "2024-01-01", 0.5))
    found = affordability(systems(1e22), prices, assumptions=SURE, large=Known(), reps=2)
    assert found.systems[0].hardware == H100


@pytest.mark.parametrize("name", ["NVIDIA A100", "NVIDIA A100 PCIe", "NVIDIA A100 SXM4 80 GB"])
def test_names_of_one_chip_share_a_speed_and_their_quotes(name: str) -> None:
    prices = quotes((name, "2024-01-01", 1.0), ("NVIDIA A100 SXM4 40 GB", "2024-02-01", 3.0))
    found = affordability(systems(1e22), prices, assumptions=SURE, large=Known(), reps=2)
    assert (found.systems[0].hardware, found.systems[0].usd_per_chip_hour) == ("NVIDIA A100 SXM4 40 GB", 2.0)


def test_a_rented_half_of_a_board_has_half_its_speed() -> None:
    hardware = load("hardware_facts")
    shop = market(quotes(("NVIDIA Tesla K80", "2017-02-01", 0.9)), hardware, SURE)
    assert shop.price(2017.5).flop_per_s == pytest.approx(shop.speed("NVIDIA Tesla K80") / 2)


def test_gaming_cards_and_chips_of_unknown_speed_are_left_out_and_named() -> None:
    prices = quotes(
        ("NVIDIA GeForce RTX 4090", "2024-01-01", 0.1),
        ("Abacus 9", "2024-01-01", 0.1),
        (H100, "2024-01-01", 3),
    )
    found = affordability(systems(1e22), prices, assumptions=SURE, large=Known(), reps=2)
    assert found.systems[0].hardware == H100
    assert found.left_out == ("Abacus 9", "NVIDIA GeForce RTX 4090")
    open_to_games = Assumptions(utilisation=0.4, utilisation_range=(0.4, 0.4), consumer_cards=True)
    other = affordability(systems(1e22), prices, assumptions=open_to_games, large=Known(), reps=2)
    assert other.systems[0].hardware == "NVIDIA GeForce RTX 4090"


def test_prices_after_the_system_never_count() -> None:
    prices = quotes((H100, "2024-01-01", 4.0), (H100, "2024-07-01", 1.0))
    before, after = (
        affordability(systems(1e22, day=day), prices, assumptions=SURE, large=Known(), reps=2).systems[0]
        for day in ("2024-06-15", "2024-07-15")
    )
    assert (before.usd_per_chip_hour, after.usd_per_chip_hour) == (4.0, 2.5)


def test_old_quotes_stand_in_and_are_called_stale() -> None:
    prices = quotes((H100, "2023-01-01", 4.0))
    found = affordability(systems(1e22, 1e23), prices, assumptions=SURE, large=Known(), reps=2)
    assert all(one.is_stale for one in found.systems)
    assert any("2 large systems have no quote" in caution for caution in found.cautions)


def test_before_the_first_rent_a_bought_chip_stands_in() -> None:
    found = affordability(
        systems(1e17, day="2012-09-30"), quotes((H100, "2024-01-01", 4.0)), assumptions=SURE, large=Known()
    )
    one = found.systems[0]
    assert one.basis == "purchase"
    assert one.hardware in {"Radeon HD 7970", "ATI Radeon HD 5870", "NVIDIA GeForce GTX 680"}
    assert any("older than the first quoted rent" in caution for caution in found.cautions)


def test_bought_chips_cost_their_price_over_their_life_and_are_no_gaming_cards() -> None:
    bought = Assumptions(utilisation=0.4, utilisation_range=(0.4, 0.4), basis="purchase", life_years=2.0)
    found = affordability(systems(1e22, day="2023-06-15"), assumptions=bought, large=Known(), reps=2)
    one = found.systems[0]
    price = dict(load("hardware_facts").frame.select("hardware", "price_usd").iter_rows())
    assert one.basis == "purchase"
    assert "GeForce" not in one.hardware
    assert one.usd_per_chip_hour == pytest.approx(2.0 * price[one.hardware] / (2.0 * 8766.0))
    assert {s.basis for s in found.sensitivity} == {"rental", "purchase"}
    assert not any("older than the first quoted rent" in caution for caution in found.cautions)


def test_shares_count_what_is_within_the_budget_edge_included() -> None:
    edge = dollars(1e23, 2.0, 0.4)
    prices = quotes((H100, "2024-01-01", 2.0))
    found = affordability(
        systems(1e22, 1e23, 1e24, 1e25), prices, budgets=(edge * 1.0000001,), assumptions=SURE, large=Known()
    )
    cell = found.headline(found.purses[0])
    assert (cell.k, cell.n, cell.share) == (2, 4, 0.5)
    assert 0 <= cell.sampling_low < 0.5 < cell.sampling_high <= 1


@pytest.mark.slow
@pytest.mark.ci
@given(
    flops=st.lists(st.floats(1e20, 1e26), min_size=2, max_size=12),
    budget=st.floats(1e3, 1e8),
    more=st.floats(1.0, 100.0),
)
def test_more_money_better_use_and_lower_prices_never_reach_less(
    flops: list[float], budget: float, more: float
) -> None:
    found = affordability(
        systems(*flops),
        quotes((H100, "2024-01-01", 2.0)),
        budgets=(budget, budget * more),
        assumptions=SURE,
        large=Known(),
        reps=9,
    )
    small, big = found.purses[0], found.purses[-1]
    assert found.headline(small).k <= found.headline(big).k
    assert (found.headline(small).draws <= found.headline(big).draws).all()
    by = {(s.purse, s.utilisation, s.price_factor): s.k for s in found.sensitivity if s.basis == "rental"}
    assert by[small, 0.2, 1.0] <= by[small, 0.4, 1.0] <= by[small, 0.5, 1.0]
    assert by[small, 0.4, 2.0] <= by[small, 0.4, 1.0] <= by[small, 0.4, 0.5]


def test_row_order_does_not_move_the_shares() -> None:
    flops = [1e21, 3e22, 4e23, 5e24, 2e22]
    one, other = (
        affordability(systems(*order), quotes((H100, "2024-01-01", 2.0)), assumptions=SURE, large=Known())
        for order in (flops, flops[::-1])
    )
    assert [c.k for c in one.cells] == [c.k for c in other.cells]


def test_a_machine_reaches_what_its_chip_hours_at_speed_give() -> None:
    row = load("compute_facilities").frame.row(by_predicate=pl.col("facility") == "ABCI 3.0", named=True)
    speed = 989.5e12
    reach = row["accelerators"] * 8766.0 * SECONDS_PER_HOUR * speed * 0.4 * 0.1
    given_ = Assumptions(utilisation=0.4, utilisation_range=(0.4, 0.4), facility_share=0.1)
    found = affordability(
        systems(reach * 0.99, reach * 1.01, day="2025-02-15"),
        budgets=(),
        facilities=("abci 3.0",),
        assumptions=given_,
        large=Known(),
    )
    assert [one.name for one in found.purses] == ["ABCI 3.0"]
    assert (found.headline(found.purses[0]).k, found.purses[0].id) == (1, "abci_3_0")


def test_a_smaller_part_of_a_machine_never_reaches_more() -> None:
    found = affordability(
        load("notable_systems"), budgets=(), facilities=("Vista", "Leonardo"), large=Known(), reps=9
    )
    for purse in found.purses:
        by = {(s.utilisation, s.part): s.k for s in found.sensitivity if s.purse == purse}
        assert by[0.35, 1.0] == found.headline(purse).k
        assert by[0.35, 0.05] <= by[0.35, 0.2] <= by[0.35, 1.0]
        assert by[0.2, 0.05] <= by[0.5, 0.05]


def test_years_before_a_machine_stood_are_marked() -> None:
    rows = [{"train_flop": 1e22, "date": day} for day in ("2019-06-15", "2024-06-15")]
    found = affordability(table(rows), facilities=("Leonardo",), budgets=(), large=Known(), reps=9)
    assert [(str(c.period), c.is_before) for c in found.by_year(found.purses[0])] == [
        ("2019", True),
        ("2024", False),
    ]


def test_every_machine_of_the_table_has_a_known_speed() -> None:
    names = load("compute_facilities").frame["facility"].to_list()
    found = affordability(systems(1e22), facilities=names, budgets=(), large=Known(), reps=2)
    assert all(purse.peak_flop > 1e24 for purse in found.purses)


def test_the_interval_covers_what_is_doubtful_and_closes_without_doubt() -> None:
    flops = np.logspace(21, 26, 40)
    rows = [{"train_flop": f, "date": "2024-06-15", "confidence": "Confident"} for f in flops]
    prices = quotes((H100, "2024-01-01", 2.0))
    loose = affordability(table(rows), prices, budgets=(1e6,), large=Known())
    cell = loose.headline(loose.purses[0])
    assert cell.share is not None
    assert cell.low < cell.share < cell.high
    sure = [row | {"train_flop_low": row["train_flop"] * 0.9999999,
                   "train_flop_high": row["train_flop"] * 1.0000001} for row in rows]  # fmt: skip
    exact = affordability(table(sure), prices, budgets=(1e6,), assumptions=SURE, large=Known())
    shut = exact.headline(exact.purses[0])
    assert (shut.low, shut.high) == pytest.approx((shut.share, shut.share))


def test_draws_have_the_spread_of_the_words() -> None:
    frame = systems(*[1e22] * 3).frame
    drawn = draw(Assumptions(), compute_sd(frame), reps=4000, seed=1)
    assert 10 ** np.quantile(drawn.error, 0.95) == pytest.approx(3.0, rel=0.1)
    assert drawn.utilisation.min() >= 0.2
    assert drawn.utilisation.max() <= 0.5
    assert np.array_equal(draw(Assumptions(), compute_sd(frame), reps=4, seed=1).error,
                          draw(Assumptions(), compute_sd(frame), reps=4, seed=1).error)  # fmt: skip


def test_listed_costs_far_from_ours_are_told() -> None:
    rows = [
        {"train_flop": 1e23, "date": "2024-06-15", "cost_usd": dollars(1e23, 2.0, 0.4) / 5} for _ in range(12)
    ]
    found = affordability(
        table(rows), quotes((H100, "2024-01-01", 2.0)), assumptions=SURE, large=Known(), reps=9
    )
    assert found.cost_check == (12, pytest.approx(5.0))
    assert any("5.00× as high" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budgets": (0.0,)}, "must be > 0"),
        ({"budgets": (float("nan"),)}, "must be > 0"),
        ({"budgets": ()}, "no budget and no facility"),
        ({"facilities": ("Leonardi",)}, "Did you mean 'Leonardo'"),
        ({"level": 95.0}, "must lie in \\(0, 1\\)"),
        ({"reps": 0}, "at least 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        affordability(systems(1e22), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"utilisation": 35.0}, "Use 0.35"),
        ({"utilisation_range": (0.4, 0.5)}, "must contain"),
        ({"commitment": "forever"}, "one of on_demand"),
        ({"basis": "theft"}, "one of rental"),
        ({"window_years": 0.0}, "must be > 0"),
        ({"facility_share": 0.0}, "must lie in"),
    ],
)
def test_impossible_assumptions_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Assumptions(**settings)


@given(st.floats(0.01, 1.0))
def test_the_range_of_a_stated_utilisation_contains_it(used: float) -> None:
    assert Assumptions(utilisation=used, utilisation_range=around(used)).utilisation == used


def test_evidence_that_cannot_answer_is_refused() -> None:
    with pytest.raises(EvidenceError, match="needs chip_prices"):
        affordability(systems(1e22), systems(1e22))
    with pytest.raises(EvidenceError, match="no large system in 1999"):
        affordability(systems(1e22), large=Known(), period=Period(first=1999, last=1999))
    with pytest.raises(EvidenceError, match="no system since the first price"):
        affordability(select(systems(1e10, day="1999-01-15"), since=None), large=Known())
    with pytest.raises(EvidenceError, match=r"no rent \(on demand\).*terms there: on_demand"):
        affordability(systems(1e22), quotes(("Abacus 9", "2024-01-01", 1.0)))
    with pytest.raises(EvidenceError, match="choose another term"):
        affordability(systems(1e22), assumptions=Assumptions(commitment="3_year"))


def test_the_result_says_the_same_everywhere() -> None:
    found = affordability(
        load("notable_systems"), facilities=("Leonardo",), budgets=(1e6, 2.5e7), large=TopK(10), reps=99
    )
    ids = [finding.id for finding in found.findings()]
    assert ids == [f"divide.affordable_share.{name}" for name in ("1e6", "2_5e7", "leonardo")]
    headline = {row["purse"]: row["share"] for row in found.rows() if row["is_headline"]}
    assert [finding.estimate.value for finding in found.findings()] == list(headline.values())
    assert found.frame().height == len(found.rows())
    shown = json.dumps(found.to_dict(), allow_nan=False)
    assert "hand-picked" in shown
    assert all(f.details["definitions"].keys() >= {"known", "top_k"} for f in found.findings())


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_draws_its_frames_and_marks_what_is_ours() -> None:
    found = affordability(load("notable_systems"), facilities=("Leonardo",), reps=99)
    section = afford_section(found)
    assert len(list(section.blocks())) > 5
    text = " ".join(section.prose)
    assert "[V]" in text
    assert "[D]" in text
    for figure in section.figures:
        assert figure.chart().to_dict()["$schema"]
        assert figure.frame.height > 0
    frame = pictures.costs_data(found)
    assert frame.height == len(found.systems)


@pytest.mark.slow
@pytest.mark.ci
def test_a_machine_alone_has_a_section_without_budgets() -> None:
    found = affordability(load("notable_systems"), budgets=(), facilities=("Vista",), reps=9)
    section = afford_section(found)
    assert [figure.id for figure in section.figures] == ["afford-costs"]
    assert section.figures[0].chart().to_dict()["layer"]


def run(*words: str) -> Any:
    return CliRunner().invoke(afford, ["notable_systems", *words])


def test_the_command_prints_one_document() -> None:
    result = run("--budget", "1e6", "--budget", "10M", "--facility", "Leonardo", "--json")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert {row["purse"] for row in shown["tables"]["affordability"]} == {"1e6", "1e7", "Leonardo"}
    first = shown["tables"]["affordability"][0]
    assert first.keys() >= {"k", "n", "share", "low", "high", "period"}
    assert shown["findings"][0]["id"] == "divide.affordable_share.1e6"
    assert len(shown["tables"]["systems"]) > 100


def test_the_command_prints_a_page() -> None:
    result = run("--budget", "1e7", "--large", "known")
    assert result.exit_code == 0, result.output
    assert "Share within reach by year" in result.stdout


@pytest.mark.slow
@pytest.mark.public_data
def test_the_public_price_table_agrees_with_the_shipped_quotes(public_data: Path) -> None:
    models = load(public_data / "divide" / "epoch_all_ai_models_2025-04.csv")
    prices = load(public_data / "divide" / "epoch_hardware_prices_2025-08.csv")
    ours, theirs = (affordability(models, table_, budgets=(1e6, 1e7), reps=99) for table_ in (None, prices))
    for mine, other in zip(ours.purses, theirs.purses, strict=True):
        assert abs(ours.headline(mine).k - theirs.headline(other).k) <= 2
