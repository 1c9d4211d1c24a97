"""Small tables about robotics typed from public text: published aggregates, exponents and a few points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric, renamed

if TYPE_CHECKING:
    import polars as pl

_ROBOTICS = "robotics"


def _summary(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    names = {
        name: name for name in ("table", "group", "resource", "statistic", "value", "n_papers", "source")
    }
    names |= {"low": "ci_low", "high": "ci_high", "n_studies": "n_scaling_studies", "notes": "note"}
    return Imported(frame=renamed(raw, names).with_columns(verified=pl.lit("read")), rows_read=raw.height)


def _exponents(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    """Turn slopes (negative where error falls) into the positive rates of the schema."""
    import polars as pl

    names = {name: name for name in ("domain", "study", "year", "resource", "metric", "n_curves", "source")}
    low, high = numeric(raw, "exponent_low"), numeric(raw, "exponent_high")
    frame = renamed(raw, names).with_columns(
        (-numeric(raw, "exponent")).alias("exponent"),
        (-high).alias("low"),
        (-low).alias("high"),
        raw["verified"].replace({"yes": "read"}).alias("verified"),
        form=pl.when((raw["domain"] == _ROBOTICS) & (numeric(raw, "n_curves") > 6)).then(pl.lit("pooled")),
    )
    return Imported(frame=frame, rows_read=raw.height)


_SENTENCE = {
    "fraction_of_130k_episodes": "fraction",
    "environment_object_pairs": "training_environment_object_pairs",
}


def _points(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    classes = {"VLA": "RFM:VLA", "VLM": "RFM:VLM", "PVR": "RFM:PVR", "LLM": "LLM"}
    names = {name: name for name in ("resource", "x", "familiarity", "n_trials", "verified")}
    frame = renamed(raw, names | {"paper_id": "arxiv", "title": "paper", "task": "setting", "notes": "note"})
    return Imported(
        frame=frame.with_columns(
            study_id=pl.concat_str(raw["study"], pl.lit(", "), raw["setting"]),
            model_class=raw["model_type"].replace_strict(classes, default="other"),
            x_unit=raw["unit"].replace(_SENTENCE),
            metric=pl.lit("success_rate"),
            y=raw["success_pct"],
            y_unit=pl.lit("percent"),
            higher_is_better=pl.lit("1"),
            source_locator=raw["study"],
            extraction=pl.lit("text"),
        ),
        rows_read=raw.height,
        cautions=("one point a study: examples of the format, no curve can be fitted to them.",),
    )


STUDY_SUMMARIES = Importer(
    name="study_summaries",
    schema="study_summaries",
    signature=frozenset(
        ("group", "statistic", "value", "ci_low", "ci_high", "n_scaling_studies", "n_papers")
    ),
    convert=_summary,
    doc="Published aggregates of Sartor and Thompson: means, medians, counts by group.",
)
ROBOTICS_EXPONENTS = Importer(
    name="robotics_exponents",
    schema="published_exponents",
    signature=frozenset(("domain", "study", "exponent", "exponent_low", "exponent_high", "n_curves")),
    convert=_exponents,
    doc="Published exponents of language and robotics, as slopes (negative where error falls).",
)
ROBOTICS_POINTS = Importer(
    name="robotics_points",
    schema="study_points",
    signature=frozenset(("paper", "arxiv", "study", "setting", "model_type", "unit", "success_pct")),
    convert=_points,
    doc="A few success rates of robotics papers: examples of the format.",
)
