"""Public learning curves: language and image tasks with a part to fit and a part to forecast, and
two double-descent curves, which no monotone law can follow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, kept_step, numeric

if TYPE_CHECKING:
    import polars as pl

KINDS = {"NMT": "loss", "LM": "loss", "BB": "error", "IC": "error"}
"""Translation and language modelling report losses; BIG-bench and image tasks one minus a score."""
FEW = 2
"""Domains whose curves have this many forecast points or fewer are no basis for tuning."""


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    task = pl.col("task").str.replace_all(r"[()']", "").str.replace_all(", ", " ")
    rows = (
        pl.DataFrame(
            [
                pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
                *[raw[theirs].alias(theirs.lower()) for theirs in ("Domain", "Task", "Model")],
                numeric(raw, "Seen Examples").alias("x"),
                numeric(raw, "Loss").alias("outcome"),
                (numeric(raw, "Training") == 1).alias("is_fit"),
            ]
        )
        .with_columns(task=task)
        .with_columns(
            curve_id=pl.when(pl.col("task").n_unique().over("domain") > 1)
            .then(pl.format("{}/{}/{}", "domain", "task", "model"))
            .otherwise(pl.format("{}/{}", "domain", "model")),
            x_unit=pl.lit("examples"),
            outcome_kind=pl.col("domain").replace_strict(KINDS, default="metric"),
            source=pl.lit("Alabdulmohsin et al. (2022), arXiv:2209.06640"),
        )
    )
    content = pl.struct("curve_id", "x", "outcome", "is_fit")
    once, step = kept_step(
        rows.with_columns(first=content.is_first_distinct()),
        pl.col("first"),
        "no exact duplicate",
        lambda row: f"x={row['x']:.10g} is there already",
        "curve_id",
    )
    return Imported(frame=once.drop("first"), rows_read=raw.height, steps=(step,), cautions=_thin(once))


def _thin(rows: pl.DataFrame) -> tuple[str, ...]:
    """Return a caution for each domain with next to nothing to forecast."""
    import polars as pl

    counts = (
        rows.group_by("domain", "curve_id", maintain_order=True)
        .agg(pl.col("is_fit").not_().sum().alias("ahead"))
        .group_by("domain", maintain_order=True)
        .agg(pl.len().alias("curves"), pl.col("ahead").sum(), pl.col("ahead").max().alias("most"))
        .filter(pl.col("most") <= FEW)
    )
    return tuple(
        f"the forecasts of {domain} rest on {ahead} points in {curves} curves: too few to choose between "
        "laws. Curves with more points ahead cure it."
        for domain, curves, ahead, _ in counts.iter_rows()
    )


def _double_descent(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    by_samples = "size" in raw.columns
    frame = pl.DataFrame([numeric(raw, "n").alias("x"), numeric(raw, "test_loss").alias("outcome")])
    name = (
        pl.format("samples, width {}", raw["size"].cast(pl.Float64).cast(pl.Int64))
        if by_samples
        else pl.lit("width")
    )
    return Imported(
        frame=frame.with_columns(
            curve_id=pl.concat_str(pl.lit("double descent/"), name),
            domain=pl.lit("double descent"),
            task=pl.lit("translation"),
            model=pl.lit("transformer"),
            x_unit=pl.lit("samples" if by_samples else "model width"),
            outcome_kind=pl.lit("loss"),
            is_fit=pl.lit(True),
            source=pl.lit("nlp curves in DongWooLee-Eli/nslpfn"),
        ),
        rows_read=raw.height,
        cautions=("the loss does not fall throughout: a monotone law cannot follow it.",),
    )


LEARNING_CURVES = Importer(
    name="learning_curves",
    schema="learning_curves",
    signature=frozenset(("Domain", "Task", "Model", "Seen Examples", "Loss", "Training")),
    convert=_convert,
    doc="Learning curves of Alabdulmohsin et al. (2022): language and image tasks, split in fit and "
    "forecast.",
    shared_header=True,
)
DOUBLE_DESCENT = Importer(
    name="double_descent",
    schema="learning_curves",
    signature=frozenset(("n", "test_error", "test_loss", "train_error", "train_loss")),
    convert=_double_descent,
    doc="Two double-descent curves of translation models: test loss by width, or by samples.",
)
