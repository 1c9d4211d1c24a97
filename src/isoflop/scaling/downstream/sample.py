"""Which outcomes of which runs the two steps see: one row a checkpoint, one column a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.table import Step
from isoflop.scaling.model import Array

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

Mask = NDArray[np.bool_]

FLOP_NOT_SIZE = 1e15
"""No model has as many parameters, and no run of interest so little compute: a bound above is FLOP."""
TARGET = "target"
"""Families named so are what others predict; they are never fitted."""
ENOUGH_RUNS = 8
"""Fewer final runs of a group than this leave hardly anything to judge a law of five parameters by."""
_RUN = ("run_id", "source", "step")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Checkpoints with their scale, losses and accuracies.

    Parameters
    ----------
    table : Table
    tasks : tuple of str
    frame : polars.DataFrame
        One row a checkpoint: run_id, family, group, size (all parameters), params (those of the law), tokens,
        train_flop, is_final, is_target.
    accuracy, task_loss : arrays, shape (T, n)
        NaN where missing. Task losses are in bits per byte; all NaN where the table has none.
    val_loss : array, shape (n,)
    val_name : str or None
        The validation loss taken, in nats.
    chance, n_items : arrays, shape (T,)
        NaN where unknown.
    steps : tuple of Step
    cautions : tuple of str
    """

    table: Table
    tasks: tuple[str, ...]
    frame: pl.DataFrame
    accuracy: Array
    task_loss: Array
    val_loss: Array
    val_name: str | None
    chance: Array
    n_items: Array
    steps: tuple[Step, ...]
    cautions: tuple[str, ...]

    def column(self, name: str) -> Array:
        """Return a numeric column, shape (n,), NaN where missing."""
        import polars as pl

        return np.asarray(self.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy())

    def flags(self, name: str) -> Mask:
        """Return a flag of each checkpoint, shape (n,)."""
        return np.asarray(self.frame[name].to_numpy(), bool)

    @property
    def has_task_loss(self) -> bool:
        """Whether every task has a loss of its own."""
        return bool(np.isfinite(self.task_loss).any(axis=1).all())

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups that are fitted apart, in order."""
        return tuple(dict.fromkeys(self.frame["group"].to_list()))


def sample(
    table: Table,
    *,
    tasks: Sequence[str] | None = None,
    val_loss: str | None = None,
    fit_below: float | None = None,
    params: Literal["total", "no_embed"] | None = None,
    by: str | None = None,
) -> Sample:
    """Arrange a table of schema ``downstream_runs`` by checkpoint and task.

    Parameters
    ----------
    tasks : sequence of str, optional
        Default: every task that has accuracies.
    val_loss : str, optional
        The validation loss; default: the first with c4 in its name, else the first.
    fit_below : float, optional
        Runs with as many parameters or more, embeddings included (as many FLOP, if above 1e15), are
        targets.
    params : {"total", "no_embed"}, optional
        Default: without embeddings where every run has that count.
    by : str, optional
        Groups fitted apart; default: ``dataset`` where the runs name several.

    Raises
    ------
    EvidenceError
        No accuracies, no losses, or no runs left to fit.
    SettingError
        An unknown task, loss or column.
    """
    import polars as pl

    long = _labelled(table.frame)
    names = _tasks(long, tasks)
    group = _group(long, by)
    runs, dropped = _runs(long, group, params)
    cut = pl.lit(False)
    if fit_below is not None:
        column = "train_flop" if fit_below >= FLOP_NOT_SIZE else "size"
        cut = pl.col(column) >= fit_below
    runs = runs.with_columns(
        is_target=pl.col("family").fill_null("").str.starts_with(TARGET) | cut,
        is_final=pl.col("is_final").fill_null(True),
    )
    if runs.filter(~pl.col("is_target") & pl.col("is_final")).is_empty():
        raise EvidenceError(
            f"downstream: no final run of {table.name} lies below {fit_below or 0:g}, needs some to fit. "
            "Raise the bound."
        )
    wide = {kind: _wide(long, runs, kind) for kind in ("accuracy", "task_loss_bpb", "val_loss_nats")}
    val_name = _val_loss(wide["val_loss_nats"].columns, val_loss)
    blank = np.full(runs.height, np.nan)
    per_task = long.filter(pl.col("kind") == "accuracy").group_by("label").agg(
        pl.col("chance").first(), pl.col("n_items").first()
    )  # fmt: skip
    known = {row["label"]: row for row in per_task.iter_rows(named=True)}

    def outcomes(kind: str) -> Array:
        frame = wide[kind]
        return np.array([_values(frame, name) if name in frame.columns else blank for name in names])

    def fact(column: str) -> Array:
        return np.array([np.nan if known[n][column] is None else float(known[n][column]) for n in names])

    return Sample(
        table=table,
        tasks=names,
        frame=runs,
        accuracy=outcomes("accuracy"),
        task_loss=outcomes("task_loss_bpb"),
        val_loss=blank if val_name is None else _values(wide["val_loss_nats"], val_name),
        val_name=val_name,
        chance=fact("chance"),
        n_items=fact("n_items"),
        steps=(dropped,) if dropped.dropped else (),
        cautions=table.cautions,
    )


def _labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the task's label: its name, with the split where it has several."""
    import polars as pl

    several = pl.col("split").n_unique().over("task", "kind") > 1
    label = pl.when(several).then(pl.format("{} ({})", "task", pl.col("split").fill_null("–")))
    return frame.with_columns(label=label.otherwise(pl.col("task")), order=pl.int_range(pl.len()))


def _tasks(long: pl.DataFrame, wanted: Sequence[str] | None) -> tuple[str, ...]:
    import polars as pl

    scored = long.filter(pl.col("kind") == "accuracy")
    labels = scored["label"].unique(maintain_order=True).sort().to_list()
    if not labels:
        raise EvidenceError(
            "downstream: no row of kind accuracy, needs accuracies of tasks. Add them, or fit the losses "
            "with scaling.fit."
        )
    if wanted is None:
        return tuple(labels)
    by_task = scored.select("task", "label").unique()
    found: dict[str, None] = {}
    for name in wanted:
        hits = [name] if name in labels else sorted(by_task.filter(pl.col("task") == name)["label"])
        if not hits:
            near = closest(name, [*labels, *by_task["task"]])
            hint = f"Did you mean {near!r}?" if near else f"Use {labels[0]!r}, say."
            raise SettingError(f"downstream: task {name!r} has no accuracies in this table. {hint}")
        found |= dict.fromkeys(hits)
    return tuple(found)


def _group(long: pl.DataFrame, by: str | None) -> pl.Expr:
    import polars as pl

    if by is None:
        fitted = long.filter(~pl.col("family").fill_null("").str.starts_with(TARGET))
        several = fitted["dataset"].drop_nulls().n_unique() > 1
        return pl.col("dataset").fill_null("") if several else pl.lit("all")
    if by not in long.columns or long[by].null_count() == long.height:
        near = closest(by, long.columns)
        hint = f"Did you mean {near!r}?" if near else "Use 'dataset'."
        raise SettingError(f"downstream: by={by!r} is no filled column of this table. {hint}")
    return pl.col(by).cast(pl.String).fill_null("")


def _runs(
    long: pl.DataFrame, group: pl.Expr, params: Literal["total", "no_embed"] | None
) -> tuple[pl.DataFrame, Step]:
    """Return one row a checkpoint, those without scale listed as dropped."""
    import polars as pl

    if params is None:
        params = "no_embed" if long["params_no_embed"].null_count() == 0 else "total"
    count = "params_no_embed" if params == "no_embed" else "params"
    runs = long.unique(_RUN, keep="first", maintain_order=True).select(
        *_RUN,
        "family",
        group.alias("group"),
        pl.col("params").alias("size"),
        pl.col(count).alias("params"),
        "tokens",
        "train_flop",
        "is_final",
    )
    whole = pl.col("params").is_not_null() & pl.col("tokens").is_not_null()
    gone = runs.filter(~whole)
    rows = tuple(f"{row['run_id']}: no tokens or parameters" for row in gone.iter_rows(named=True))
    kept = runs.filter(whole)
    return kept, Step(
        rule="parameters and tokens given", unit="rows", kept=kept.height, dropped=len(rows), rows=rows
    )


def _wide(long: pl.DataFrame, runs: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return one row a checkpoint, in the order of `runs`, and one column a label."""
    import polars as pl

    part = long.filter(pl.col("kind") == kind)
    if part.is_empty():
        return pl.DataFrame()
    wide = part.pivot(on="label", index=list(_RUN), values="value", aggregate_function="first")
    joined = runs.select(_RUN).join(wide, on=list(_RUN), how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(_RUN)


def _values(frame: pl.DataFrame, name: str) -> Array:
    return np.asarray(frame[name].fill_null(np.nan).to_numpy(), float)


def _val_loss(names: Sequence[str], wanted: str | None) -> str | None:
    if wanted is None:
        return next((name for name in names if "c4" in name.lower()), names[0] if names else None)
    if wanted not in names:
        near = closest(wanted, names)
        hint = f"Did you mean {near!r}?" if near else f"Use {names[0]!r}." if names else "It has none."
        raise SettingError(f"downstream: no validation loss {wanted!r} in this table. {hint}")
    return wanted
