"""Epoch AI's capability index: models, benchmark difficulties and the scale of the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, renamed

if TYPE_CHECKING:
    import polars as pl

_MODELS = {
    "model": "Model version",
    "model_name": "Model name",
    "capability_index": "ECI Score",
    "release_date": "Release date",
    "train_flop": "Training compute (FLOP)",
    "confidence": "Confidence",
    "organization": "Organization",
    "country": "Country",
    "accessibility": "Model accessibility",
}
_BENCHMARKS = {
    "benchmark": "benchmark_name",
    "difficulty": "edi",
    "slope": "estimated_slope_scaled",
    "release_date": "benchmark_release_date",
    "is_anchor": "is_anchor",
}


def _models(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    return Imported(frame=renamed(raw, _MODELS), rows_read=raw.height)


def _benchmarks(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    return Imported(frame=renamed(raw, _BENCHMARKS), rows_read=raw.height)


def _scale(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    return Imported(frame=raw, rows_read=raw.height)


CAPABILITIES = Importer(
    name="capabilities",
    schema="capabilities",
    signature=frozenset(("Model version", "ECI Score", "Release date", "Training compute (FLOP)")),
    convert=_models,
    doc="Epoch Capabilities Index: index, release date and training compute of model versions.",
    folder_file="epoch_capabilities_index.csv",
)
BENCHMARK_DIFFICULTIES = Importer(
    name="benchmark_difficulties",
    schema="benchmarks",
    signature=frozenset(_BENCHMARKS.values()),
    convert=_benchmarks,
    doc="Epoch Capabilities Index: difficulty and slope of each benchmark.",
)
INDEX_SCALE = Importer(
    name="index_scale",
    schema="index_scale",
    signature=frozenset(("a", "b", "scaling_anchor1", "scaling_anchor2")),
    convert=_scale,
    doc="Epoch Capabilities Index: the two constants and the two anchors of the scale.",
)
