"""Schema ``chip_prices``: one row is one price of one accelerator on one day.

A price is either rent, in US dollars for an hour of one chip, or the price at which the chip is bought.
Prices are as quoted, not adjusted for inflation; a term of one or three years is a discount for a promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import broken, raise_first
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Schema, recalled
from isoflop.units import calendar_year

if TYPE_CHECKING:
    import polars as pl

COMMITMENTS = ("on_demand", "1_year", "3_year", "none")
"""``none`` belongs to a purchase: nothing is rented."""
PRICE_TYPES = ("rental", "purchase")


def _chip_prices(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    rent, bought = pl.col("price_usd_per_chip_hour"), pl.col("purchase_price_usd")
    problems = broken(
        frame,
        rent.is_null() & bought.is_null(),
        "price_usd_per_chip_hour",
        "needs a price by the hour or a purchase price",
        "Fill one of the two, or drop the row.",
    )
    problems += broken(
        frame,
        rent.is_not_null() & bought.is_not_null(),
        "purchase_price_usd",
        "must be empty beside a price by the hour",
        "Write rent and purchase as two rows.",
    )
    raise_first(problems, where)
    kind = pl.when(rent.is_not_null()).then(pl.lit("rental")).otherwise(pl.lit("purchase"))
    frame = frame.with_columns(
        price_type=pl.col("price_type").fill_null(kind),
        commitment=pl.col("commitment").fill_null(
            pl.when(rent.is_not_null()).then(pl.lit("on_demand")).otherwise(pl.lit("none"))
        ),
        year=pl.Series([None if d is None else calendar_year(d) for d in frame["date"]], dtype=pl.Float64),
    )
    undated = int(frame["date"].null_count())
    said = (f"{undated} prices have no date and are never used. Add it to cure that.",) if undated else ()
    return frame, (*recalled(frame), *said)


CHIP_PRICES = Schema(
    name="chip_prices",
    columns=(
        Column(name="hardware", dtype="text", required=True, filled=True, doc="Accelerator."),
        Column(name="date", dtype="date", required=True, doc="Day of the quote."),
        Column(
            name="price_usd_per_chip_hour",
            dtype="number",
            unit="USD/h",
            required=True,
            rule=POSITIVE,
            doc="Rent of one chip for an hour, as quoted.",
        ),
        Column(
            name="purchase_price_usd",
            dtype="number",
            unit="USD",
            rule=POSITIVE,
            doc="Price of one chip, as quoted.",
        ),
        Column(name="price_type", dtype="text", choices=PRICE_TYPES, doc="Rent or purchase."),
        Column(name="commitment", dtype="text", choices=COMMITMENTS, doc="Term promised; on_demand: none."),
        Column(name="provider", dtype="text", doc="Who asks the price."),
        Column(name="region", dtype="text", doc="Where the chip stands."),
        Column(
            name="chips", dtype="number", unit="1", rule=POSITIVE, doc="Chips in the machine that is quoted."
        ),
        *SOURCING,
    ),
    doc="One row is one price of one accelerator on one day.",
    derive=_chip_prices,
)
