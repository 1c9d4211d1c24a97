"""Final checkpoints of 12M to 2B models trained over several learning rates.

The learning rate is a setting to be tuned, not a result, so of each (parameters, tokens) the run
with the lowest loss stays. That is a minimum of noise: `n_tried` records over how many rates, and a
sweep of more rates looks better by that alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.evidence.importers.interface import Imported, Importer, kept_step, numeric

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = {
    "params": "N",
    "params_no_embed": "N_no_emb",
    "tokens": "D",
    "train_flop": "C_6ND",
    "lr": "peak_lr",
    "loss_nats": "C4 Eval Loss",
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    runs = pl.DataFrame(
        [
            pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
            *[numeric(raw, theirs).alias(ours) for ours, theirs in _NUMBERS.items()],
            raw["model"].alias("architecture"),
        ]
    )
    runs = runs.with_columns(
        repeated=pl.Series(raw.select(pl.struct(pl.all()).is_first_distinct()).to_series()).not_()
    )
    once, full = kept_step(
        runs, ~pl.col("repeated"), "no full duplicate", lambda _: "equal in every column", "architecture"
    )
    rates, one_rate = _lowest(once, ("params", "tokens", "lr"), "one run for each learning rate")
    rates = rates.with_columns(n_tried=pl.len().over("params", "tokens").cast(pl.Float64))
    best, one_run = _lowest(rates, ("params", "tokens"), "lowest loss over learning rates")
    frame = best.drop("repeated").with_columns(
        run_id=pl.format("{} row {}", "architecture", "record"),
        source=pl.lit("hadasah/scaling_laws"),
        dataset=pl.lit("FineWeb, C4"),
        validation_set=pl.lit("C4"),
        is_final=pl.lit(True),
    )
    return Imported(frame=frame, rows_read=raw.height, steps=(full, one_rate, one_run))


def _lowest(runs: pl.DataFrame, by: tuple[str, ...], rule: str) -> tuple[pl.DataFrame, Any]:
    import polars as pl

    least = pl.col("loss_nats").min().over(*by)
    first = pl.col("record").filter(pl.col("loss_nats") == pl.col("loss_nats").min()).first().over(*by)
    marked = runs.with_columns(least=least, first=first)
    kept, step = kept_step(
        marked,
        pl.col("record") == pl.col("first"),
        rule,
        lambda row: f"loss {row['loss_nats']:.4f}, lowest {row['least']:.4f} in row {row['first']}",
        "architecture",
    )
    return kept.drop("least", "first"), step


MISFITTING = Importer(
    name="misfitting",
    schema="scaling_runs",
    signature=frozenset((*_NUMBERS.values(), "model", "sweep")),
    convert=_convert,
    doc="Final checkpoints of hadasah/scaling_laws: 11 sizes, several learning rates, C4 loss.",
)
