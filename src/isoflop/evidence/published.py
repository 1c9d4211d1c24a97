"""Schemas of what others published: `study_summaries` (aggregates) and `published_exponents`.

Signs: ``exponent`` is as printed, positive where the loss or error falls (L ∝ x^−exponent) or where
the optimum or the metric grows; ``slope`` is d ln outcome / d ln x, negative where error falls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import SOURCING, Column, Rule, Schema

if TYPE_CHECKING:
    import polars as pl

FALLING = ("power_law", "power_law_plus_constant", "joint", "pooled")
"""Forms in which the outcome falls as the resource grows."""
_COUNT = Rule(low=0.0, open_low=False)


def _ordered(frame: pl.DataFrame, where: str) -> None:
    import polars as pl

    refuse(
        frame,
        pl.col("low") > pl.col("high"),
        "low",
        where,
        "must not exceed high",
        "Swap the two bounds.",
    )


def _study_summaries(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    _ordered(frame, where)
    return frame, (
        "published aggregates: they stand beside an estimate and are never pooled with study points.",
    )


def _published_exponents(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    _ordered(frame, where)
    metric, form = pl.col("metric").str.to_lowercase(), pl.col("form")
    kind = (
        pl.when(form == "allocation")
        .then(pl.lit("allocation"))
        .when(form == "growth")
        .then(pl.lit("growth"))
        .when(metric.str.contains("entropy|loss|perplexity"))
        .then(pl.lit("cross_entropy"))
        .when(metric.str.contains("error|fail"))
        .then(pl.lit("error_rate"))
        .otherwise(pl.lit("other"))
    )
    falls = form.fill_null("power_law").is_in(FALLING)
    frame = frame.with_columns(
        outcome_kind=kind, slope=pl.when(falls).then(-pl.col("exponent")).otherwise(pl.col("exponent"))
    )
    said = []
    outside = frame.filter(~pl.col("exponent").is_between(pl.col("low"), pl.col("high"))).height
    if outside:
        said.append(
            f"{outside} printed values lie outside their own printed interval: rounding, or an interval of "
            "another quantity. See the notes of the rows."
        )
    unread = frame.filter(pl.col("verified") != "read").height
    if unread:
        said.append(
            f"{unread} of {frame.height} exponents were seen in another text than the source. Look them up."
        )
    if frame["form"].n_unique() > 1:
        said.append(
            "exponents of different forms (law with and without a floor, allocation) are different "
            "quantities: compare within one form and one outcome_kind."
        )
    return frame, tuple(said)


STUDY_SUMMARIES = Schema(
    name="study_summaries",
    columns=(
        Column(name="table", dtype="text", doc="Part of the paper."),
        Column(name="group", dtype="text", required=True, filled=True, doc="Group of studies."),
        Column(name="resource", dtype="text", required=True, filled=True, doc="Resource, or all."),
        Column(name="statistic", dtype="text", required=True, filled=True, doc="What value is."),
        Column(name="value", dtype="number", unit="by statistic", required=True, filled=True, doc="Value."),
        Column(name="low", dtype="number", unit="by statistic", aliases=("ci_low",), doc="Lower bound."),
        Column(name="high", dtype="number", unit="by statistic", aliases=("ci_high",), doc="Upper bound."),
        Column(
            name="n_studies",
            dtype="number",
            unit="1",
            rule=_COUNT,
            aliases=("n_scaling_studies",),
            doc="Studies behind it.",
        ),
        Column(name="n_papers", dtype="number", unit="1", rule=_COUNT, doc="Papers behind it."),
        Column(
            name="verified",
            dtype="text",
            choices=("read", "yes", "partly", "secondary", "no", "recalled"),
            doc="How it was checked.",
        ),
        Column(name="source", dtype="text", required=True, filled=True, doc="Citation of the source."),
        Column(name="notes", dtype="text", aliases=("note",), doc="Remarks."),
    ),
    doc="One row is one published aggregate over studies.",
    derive=_study_summaries,
)

PUBLISHED_EXPONENTS = Schema(
    name="published_exponents",
    columns=(
        Column(name="domain", dtype="text", required=True, filled=True, doc="Language, vision or another."),
        Column(name="study", dtype="text", required=True, filled=True, doc="Paper and part of it."),
        Column(name="year", dtype="number", unit="year", doc="Year of the paper."),
        Column(name="resource", dtype="text", required=True, filled=True, doc="What grows."),
        Column(name="metric", dtype="text", required=True, filled=True, doc="Outcome."),
        Column(
            name="exponent",
            dtype="number",
            unit="1",
            required=True,
            doc="As printed: positive where error falls or the optimum grows; empty where only a range is "
            "printed.",
        ),
        Column(name="low", dtype="number", unit="1", doc="Lower bound, as printed."),
        Column(name="high", dtype="number", unit="1", doc="Upper bound, as printed."),
        Column(name="n_curves", dtype="number", unit="1", rule=_COUNT, doc="Curves behind it."),
        Column(
            name="form",
            dtype="text",
            choices=(*FALLING, "allocation", "growth"),
            doc="Formula of the exponent: never pool across forms.",
        ),
        *[column for column in SOURCING if column.name != "verified"],
        Column(
            name="verified",
            dtype="text",
            choices=("read", "secondary", "recalled", "measured"),
            doc="How it was checked; measured: fitted anew on public data.",
        ),
    ),
    doc="One row is one published exponent.",
    derive=_published_exponents,
)
