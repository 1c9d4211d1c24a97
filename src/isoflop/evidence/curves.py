"""Schema ``learning_curves``: one row is one point of one curve, to be fitted or to be forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import Problem, raise_first, refuse
from isoflop.evidence.schema import Column, Rule, Schema

if TYPE_CHECKING:
    import polars as pl


def _learning_curves(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    kind, outcome = pl.col("outcome_kind"), pl.col("outcome")
    refuse(
        frame,
        (kind != "metric") & (outcome < 0.0),
        "outcome",
        where,
        "a loss or an error must be >= 0",
        "Correct the cell, or call its kind metric.",
    )
    raise_first(mixed(frame, "curve_id", "curve", ("x_unit", "outcome_kind")), where)
    todo = "De-duplicate, or name repeats as curves apart."
    raise_first(repeats(frame, "curve_id", "curve", todo=todo), where)
    return frame, _split_cautions(frame)


def mixed(frame: pl.DataFrame, group: str, what: str, columns: tuple[str, ...]) -> list[Problem]:
    """Return the groups that mix two values of a column that must be one."""
    import polars as pl

    values = frame.group_by(group, maintain_order=True).agg(
        pl.col("record").first(),
        *[pl.col(c).drop_nulls().unique(maintain_order=True).cast(pl.String) for c in columns],
    )
    return [
        Problem(
            rows=(row["record"],),
            column=column,
            came=f"{column} {' and '.join(repr(value) for value in row[column][:2])} mixed",
            need="needs one",
            todo=f"Split the {what} or convert.",
            group=f"{what} '{row[group]}'",
        )
        for row in values.iter_rows(named=True)
        for column in columns
        if len(row[column]) > 1
    ]


def repeats(
    frame: pl.DataFrame, group: str, what: str, *, todo: str, apart: tuple[str, ...] = ()
) -> list[Problem]:
    """Return the groups that have one x more than once; columns of `apart` tell repeats apart."""
    import polars as pl

    same = (
        frame.drop_nulls(("x", group))
        .group_by(group, "x", *apart, maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("record"))
        .filter(pl.col("rows") > 1)
    )
    return [
        Problem(
            rows=tuple(row["record"]),
            column="x",
            came=f"{row['rows']} rows at x={row['x']:.10g} (rows {', '.join(map(str, row['record'][:4]))})",
            need="needs one",
            todo=todo,
            group=f"{what} '{row[group]}'",
        )
        for row in same.iter_rows(named=True)
    ]


def _split_cautions(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return a caution where the part to forecast does not lie beyond the part to fit."""
    import polars as pl

    ends = frame.group_by("curve_id", maintain_order=True).agg(
        pl.col("x").filter(pl.col("is_fit")).max().alias("last"),
        pl.col("x").filter(~pl.col("is_fit")).min().alias("first"),
    )
    mixed = ends.filter(pl.col("first") <= pl.col("last"))["curve_id"].to_list()
    if not mixed:
        return ()
    return (
        f"{len(mixed)} curves (e.g. {mixed[0]}) have forecast points at or below their last fit point: "
        "scoring them is no forecast. Set is_fit = 1 up to a cut in x.",
    )


LEARNING_CURVES = Schema(
    name="learning_curves",
    columns=(
        Column(name="curve_id", dtype="text", required=True, filled=True, doc="Names the curve."),
        Column(name="domain", dtype="text", required=True, filled=True, doc="Language, image or another."),
        Column(name="task", dtype="text", required=True, filled=True, doc="What is learnt."),
        Column(name="model", dtype="text", required=True, filled=True, doc="Which model learns it."),
        Column(
            name="x",
            dtype="number",
            unit="x_unit",
            required=True,
            filled=True,
            rule=Rule(low=0.0, open_low=False),
            doc="Resource; 0 only for laws that allow it.",
        ),
        Column(name="x_unit", dtype="text", required=True, filled=True, doc="Unit of x, one for each curve."),
        Column(
            name="outcome",
            dtype="number",
            unit="by kind",
            required=True,
            filled=True,
            doc="Error-like outcome.",
        ),
        Column(
            name="outcome_kind",
            dtype="text",
            required=True,
            filled=True,
            choices=("loss", "error", "metric"),
            doc="Loss in nats, error rate, or another metric.",
        ),
        Column(
            name="is_fit",
            dtype="flag",
            required=True,
            filled=True,
            doc="1: known when the law is fitted; 0: to be forecast.",
        ),
        Column(name="source", dtype="text", doc="Citation of the source."),
    ),
    doc="One row is one point of one learning curve.",
    derive=_learning_curves,
)
