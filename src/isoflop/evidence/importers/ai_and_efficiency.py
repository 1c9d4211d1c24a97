"""The twelve rows of AI and Efficiency: compute to reach AlexNet's accuracy and like targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric, renamed
from isoflop.units import flop_from_teraflop_days

if TYPE_CHECKING:
    import polars as pl

_COMPUTE = "Compute (teraflops-s/days)"
_NAMES = {
    "target": "Metric",
    "system": "Publication",
    "reduction_factor": "Reduction Factor",
    "analysis": "Analysis",
    "source_url": "Publication link",
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    flop = [None if v is None else flop_from_teraflop_days(v) for v in numeric(raw, _COMPUTE)]
    frame = renamed(raw, _NAMES).with_columns(
        pl.Series("train_flop", flop, dtype=pl.Float64),
        publication_date=raw["Publication Date"].str.to_date("%m/%d/%Y", strict=False),
    )
    return Imported(frame=frame, rows_read=raw.height)


AI_AND_EFFICIENCY = Importer(
    name="ai_and_efficiency",
    schema="savings",
    signature=frozenset(("Metric", "Publication Date", _COMPUTE, "Reduction Factor")),
    convert=_convert,
    doc="AI and Efficiency (2020): compute needed for a fixed accuracy, by publication.",
)
