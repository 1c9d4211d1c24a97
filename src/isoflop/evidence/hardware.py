"""Schemas `hardware` (price and speed of accelerators) and `savings` (compute at equal accuracy)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Schema, each, recalled
from isoflop.units import fractional_year

if TYPE_CHECKING:
    import polars as pl


def _hardware(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    import polars as pl

    per_dollar = pl.col("flop_per_s") / pl.col("price_usd")
    frame = frame.with_columns(
        year=each(fractional_year, frame, "release_date"),
        flop_per_s_per_usd=per_dollar,
        log10_flop_per_s_per_usd=per_dollar.log10(),
    )
    precisions = frame["precision"].n_unique()
    mixed = (
        f"{precisions} precisions: a trend over all of them mixes number formats. Compare rows within one.",
    )
    return frame, (*recalled(frame), *(mixed if precisions > 1 else ()))


def _savings(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    import polars as pl

    return frame.with_columns(
        year=each(fractional_year, frame, "publication_date"),
        log10_train_flop=pl.col("train_flop").log10(),
    ), ()


HARDWARE = Schema(
    name="hardware",
    columns=(
        Column(name="hardware", dtype="text", required=True, filled=True, doc="Accelerator."),
        Column(name="maker", dtype="text", doc="Manufacturer."),
        Column(name="release_date", dtype="date", required=True, doc="Release."),
        Column(
            name="price_usd",
            dtype="number",
            unit="USD",
            required=True,
            rule=POSITIVE,
            doc="Price, not adjusted.",
        ),
        Column(
            name="flop_per_s",
            dtype="number",
            unit="FLOP/s",
            required=True,
            rule=POSITIVE,
            doc="Peak speed without sparsity.",
        ),
        Column(name="precision", dtype="text", required=True, filled=True, doc="Number format of the speed."),
        *SOURCING,
    ),
    doc="One row is one accelerator at one precision.",
    key=("hardware", "precision"),
    derive=_hardware,
)

SAVINGS = Schema(
    name="savings",
    columns=(
        Column(name="target", dtype="text", required=True, filled=True, doc="Accuracy that is held fixed."),
        Column(name="system", dtype="text", required=True, filled=True, doc="Publication that reached it."),
        Column(name="publication_date", dtype="date", required=True, doc="First public version."),
        Column(
            name="train_flop",
            dtype="number",
            unit="FLOP",
            required=True,
            rule=POSITIVE,
            doc="Compute to the target.",
        ),
        Column(name="reduction_factor", dtype="number", unit="×", rule=POSITIVE, doc="Published saving."),
        Column(name="analysis", dtype="text", doc="Who counted."),
        Column(name="source_url", dtype="text", doc="Address of the publication."),
    ),
    doc="One row is the compute with which one system reached a fixed accuracy.",
    key=("target", "system"),
    derive=_savings,
)
