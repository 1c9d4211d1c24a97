"""Prices of accelerators: the schema, the public table, the shipped quotes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence import load
from isoflop.evidence.importers import IMPORTERS

HEADER = (
    "Price source",
    "Price date",
    "Hardware model",
    "Vendor",
    "Location",
    "Price per chip-hour (on-demand)",
    "Price per chip-hour (1-year CUD)",
    "Price per chip-hour (3-year CUD)",
    "Price (hardware purchase)",
    "Number of GPUs",
)


def sheet(*rows: tuple[str, ...]) -> pl.DataFrame:
    """Return rows in the public layout; an empty text is an empty cell."""
    cells = {name: [row[place] or None for row in rows] for place, name in enumerate(HEADER)}
    return pl.DataFrame(cells, schema=dict.fromkeys(HEADER, pl.String))


def test_each_term_of_a_quote_becomes_a_row_of_its_own() -> None:
    table = load(
        sheet(
            ("page", "2024-01-02", "Chip", "Cloud", "Here", "3.00", "2.00", "1.00", "", "8"),
            ("page", "2024-01-03", "Chip", "", "", "", "", "", "9000", "1"),
        )
    )
    rows = table.frame.select("record", "commitment", "price_type", "price_usd_per_chip_hour").rows()
    assert rows == [
        (1, "on_demand", "rental", 3.0),
        (1, "1_year", "rental", 2.0),
        (1, "3_year", "rental", 1.0),
        (2, "none", "purchase", None),
    ]
    assert table.frame["purchase_price_usd"].to_list() == [None, None, None, 9000.0]
    assert table.importer.startswith("hardware_prices")


def test_a_quote_without_a_price_is_dropped_and_listed() -> None:
    table = load(
        sheet(
            ("page", "2024-01-02", "Chip", "", "", "", "", "", "", ""),
            ("page", "2024-01-03", "Chip", "", "", "1.5", "", "", "", ""),
            ("page", "2024-01-03", "Chip", "", "", "0", "", "", "", ""),
        )
    )
    assert table.frame.height == 1
    assert table.steps[0].rows == ("row 1: no chip or no price", "row 3: no chip or no price")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"price_usd_per_chip_hour": "-1"}, "> 0"),
        ({"price_usd_per_chip_hour": ""}, "needs a price by the hour or a purchase price"),
        ({"purchase_price_usd": "100"}, "must be empty beside"),
        ({"date": "2024-13-01"}, "date"),
        ({"commitment": "forever"}, "on_demand"),
    ],
)
def test_impossible_prices_are_refused(cells: dict[str, str], message: str) -> None:
    row = {"hardware": "Chip", "date": "2024-01-02", "price_usd_per_chip_hour": "1", "purchase_price_usd": ""}
    made = pl.DataFrame({name: [text or None] for name, text in (row | cells).items()}).cast(pl.String)
    with pytest.raises(EvidenceError, match=message):
        load(made, schema="chip_prices")


def test_plain_columns_are_read_as_rents_on_demand() -> None:
    made = pl.DataFrame({"hardware": ["Chip"], "date": ["2024-01-02"], "price_usd_per_chip_hour": ["2"]})
    frame = load(made, schema="chip_prices").frame
    assert frame.select("price_type", "commitment").row(0) == ("rental", "on_demand")


def test_shipped_quotes_are_rents_with_their_page_and_a_known_chip() -> None:
    frame = load("chip_prices").frame
    assert frame["year"].min() < 2018  # type: ignore[operator]
    assert frame["price_usd_per_chip_hour"].is_between(0.3, 15).all()
    assert frame["source"].str.starts_with("https://").all()
    from isoflop.divide.afford.market import SAME_CHIP

    speeds = set(load("hardware_facts").frame["hardware"])
    assert {SAME_CHIP.get(name, name) for name in frame["hardware"]} <= speeds


@pytest.mark.public_data
def test_the_public_table_has_its_published_counts(public_data: Path) -> None:
    table = load(public_data / "divide" / "epoch_hardware_prices_2025-08.csv")
    counts = dict(table.frame.group_by("commitment").len().iter_rows())
    assert counts == {"on_demand": 465, "none": 122, "1_year": 107, "3_year": 110}
    assert (table.rows_read, table.frame["hardware"].n_unique(), table.kind) == (591, 82, "pulled")


@pytest.mark.public_data
def test_every_shipped_quote_stands_in_the_public_table(public_data: Path) -> None:
    theirs = load(public_data / "divide" / "epoch_hardware_prices_2025-08.csv").frame
    key = ["hardware", "date", "price_usd_per_chip_hour", "provider"]
    lost = load("chip_prices").frame.join(
        theirs.filter(pl.col("commitment") == "on_demand"), on=key, how="anti"
    )
    assert lost.select(key).rows() == []


def test_the_reader_is_registered() -> None:
    assert IMPORTERS["hardware_prices"].schema == "chip_prices"
