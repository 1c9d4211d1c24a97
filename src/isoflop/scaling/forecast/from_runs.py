"""Learning curves made of runs: loss against tokens at one size, for evidence that holds no curves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.table import fingerprint_of
from isoflop.present import formats
from isoflop.scaling.forecast.curve import MIN_ROWS

if TYPE_CHECKING:
    from isoflop.evidence import Table

CUT = 0.25
"""Share of the largest x that is fitted: a factor four is left to forecast."""
FEWEST = MIN_ROWS + 1
"""Distinct amounts of data that a size needs: three to fit and one to forecast."""


def curves_of_runs(runs: Table) -> Table:
    """Return one curve of loss against tokens for each dataset and size of a ``scaling_runs`` table.

    Losses on several validation sets or tokenizers are curves of their own; repeats of a size and amount
    of data are averaged, and checkpoints within a schedule left out. All points are marked to be fitted: cut
    them with ``forecast(…, cut=0.25)``.

    Raises
    ------
    EvidenceError
        Another schema, or no size was trained on four amounts of data.
    """
    import polars as pl

    if runs.schema != "scaling_runs":
        raise EvidenceError(
            f"curves_of_runs: {runs.name} holds {runs.schema}, needs scaling_runs. Give a table of runs."
        )
    present = runs.frame.columns
    final = runs.frame.filter(pl.col("is_final").fill_null(True)) if "is_final" in present else runs.frame
    texts = [name for name in ("dataset", "validation_set", "tokenizer") if name in present]
    curves = (
        final.group_by(*texts, "params", "tokens", maintain_order=True)
        .agg(outcome=pl.col("loss_nats").mean())
        .filter(pl.len().over(*texts, "params") >= FEWEST)
    )
    if not curves.height:
        raise EvidenceError(
            f"curves_of_runs: no size in {runs.name} has {FEWEST} amounts of data, needs one. Give runs of "
            "one size at several tokens."
        )
    # a column that is the same throughout a dataset adds nothing to the name of a curve
    telling = [
        n for n in texts if n == "dataset" or curves.n_unique((*texts[:1], n)) > curves.n_unique(texts[:1])
    ]
    task = pl.concat_str(telling, separator=", ", ignore_nulls=True) if telling else pl.lit(runs.name)
    size = pl.col("params").map_elements(formats.number, return_dtype=pl.String)
    curves = curves.with_columns(task=task, size=size)
    frame = curves.select(
        curve_id=pl.format("{}/{} parameters", "task", "size"),
        domain=pl.lit("language"),
        task="task",
        model=pl.format("{} parameters", "size"),
        x="tokens",
        x_unit=pl.lit("tokens"),
        outcome="outcome",
        outcome_kind=pl.lit("loss"),
        is_fit=pl.lit(True),
    )
    return replace(
        runs,
        schema="learning_curves",
        frame=frame,
        fingerprint=fingerprint_of("learning_curves", frame),
    )
