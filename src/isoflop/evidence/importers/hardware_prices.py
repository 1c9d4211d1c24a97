"""Epoch AI's prices of machine-learning hardware: one quote a row, each of its terms becomes a row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

ATTRIBUTION = "Epoch AI, hardware prices, CC BY 4.0, https://epoch.ai/data"
TERMS = {
    "Price per chip-hour (on-demand)": "on_demand",
    "Price per chip-hour (1-year CUD)": "1_year",
    "Price per chip-hour (3-year CUD)": "3_year",
}
PURCHASE = "Price (hardware purchase)"
_TEXT = {
    "hardware": "Hardware model",
    "provider": "Vendor",
    "region": "Location",
    "source": "Price source",
    "notes": "Notes",
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - one file says all
    import polars as pl

    shared = pl.DataFrame(
        [
            pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
            raw["Price date"].str.strip_chars().str.to_date("%Y-%m-%d", strict=False).alias("date"),
            *(raw[theirs].str.strip_chars().alias(ours) for ours, theirs in _TEXT.items() if theirs in raw),
        ]
    )
    if "Number of GPUs" in raw.columns:
        shared = shared.with_columns(numeric(raw, "Number of GPUs").alias("chips"))
    parts = [
        shared.with_columns(
            _positive(raw, column).alias("price_usd_per_chip_hour"),
            purchase_price_usd=pl.lit(None, pl.Float64),
            commitment=pl.lit(term),
        ).drop_nulls("price_usd_per_chip_hour")
        for column, term in TERMS.items()
    ]
    parts.append(
        shared.with_columns(
            _positive(raw, PURCHASE).alias("purchase_price_usd"),
            price_usd_per_chip_hour=pl.lit(None, pl.Float64),
            commitment=pl.lit("none"),
        )
        .drop_nulls("purchase_price_usd")
        .select(parts[0].columns)
    )
    frame = pl.concat(parts).filter(pl.col("hardware").is_not_null()).sort("record", maintain_order=True)
    kept = set(frame["record"].to_list())
    lost = [record for record in shared["record"] if record not in kept]
    step = Step(
        rule="quote has a chip and a price",
        unit="records",
        kept=raw.height - len(lost),
        dropped=len(lost),
        rows=tuple(f"row {record}: no chip or no price" for record in lost),
    )
    return Imported(
        frame=frame,
        rows_read=raw.height,
        steps=(step,) if lost else (),
        cautions=(f"The table is {ATTRIBUTION}: name Epoch AI wherever it is shown.",),
    )


def _positive(raw: pl.DataFrame, column: str) -> pl.Series:
    """Return a column of prices, missing where it is empty or not above zero."""
    import polars as pl

    if column not in raw.columns:
        return pl.Series([None] * raw.height, dtype=pl.Float64)
    cells = numeric(raw, column)
    return cells.zip_with((cells > 0).fill_null(False), pl.Series([None], dtype=pl.Float64))


HARDWARE_PRICES = Importer(
    name="hardware_prices",
    schema="chip_prices",
    signature=frozenset({"Price source", "Price date", "Hardware model", "Price per chip-hour (on-demand)"}),
    convert=_convert,
    doc="Epoch AI's prices of machine-learning hardware, rented and bought.",
)
