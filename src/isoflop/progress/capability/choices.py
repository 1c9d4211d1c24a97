"""The capability multiple under every defensible choice, beside the one that was made."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from isoflop.errors import EvidenceError, SettingError
from isoflop.progress.capability.trend import trend
from isoflop.progress.capability.trend_result import Slope

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

HALF = dt.date(2024, 7, 1)
"""Splits the public index into an earlier and a later part of like size."""


def choices(capabilities: Table) -> pl.DataFrame:
    """Return the yearly multiple by k and by rows used.

    Parameters
    ----------
    capabilities : Table
        Schema ``capabilities``.

    Returns
    -------
    polars.DataFrame
        One row per combination that the evidence allows: slope, over (``all models`` or
        ``frontier``), rows, multiple_per_year, halving_time_months, n. No intervals: `trend` gives those.

    Raises
    ------
    EvidenceError
        As `trend` on all rows.
    """
    import polars as pl

    trend(capabilities, ci=None)
    rows = []
    for name, frame in _subsets(capabilities.frame).items():
        part = replace(capabilities, frame=frame)
        for slope in get_args(Slope):
            try:
                found = trend(part, slope=slope, ci=None)
            except (EvidenceError, SettingError):
                # A subset may be too small, or hold no family: that choice is not open.
                continue
            rows += [
                {
                    "slope": slope,
                    "over": "frontier" if m.method == "frontier" else "all models",
                    "rows": name,
                    "multiple_per_year": m.multiple.value,
                    "halving_time_months": m.halving_time.value,
                    "n": m.n,
                }
                for m in found.methods
                if m.method in (slope, "frontier")
            ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _subsets(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    import polars as pl

    subsets = {"all": frame}
    if "confidence" in frame.columns and frame["confidence"].drop_nulls().n_unique() > 1:
        subsets["compute marked confident"] = frame.filter(pl.col("confidence") == "Confident")
    if "model_name" in frame.columns and frame["model_name"].null_count() < frame.height:
        subsets["every version counts"] = frame.with_columns(pl.lit(None, pl.String()).alias("model_name"))
    subsets[f"released before {HALF:%B %Y}"] = frame.filter(pl.col("release_date") < HALF)
    subsets[f"released since {HALF:%B %Y}"] = frame.filter(pl.col("release_date") >= HALF)
    return subsets
