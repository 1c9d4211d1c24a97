"""The collection of IsoFLOP runs of six sources, with its publisher's outlier flags.

Flagged rows are dropped and listed with the flag's own reason. Two experiments are readings of one
figure of the Chinchilla paper, and two are readings of one Llama 3 experiment: they are not
independent, so each experiment is its own validation set here and a joint fit of them is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, kept_step, numeric

if TYPE_CHECKING:
    import polars as pl

SAME = (
    ("epochai_chinchilla", "ml_scalefit", "one figure of the Chinchilla paper"),
    ("llama_3__exp_loss", "llama_3__raw_loss", "one experiment of the Llama 3 report"),
)
"""Pairs of experiments, by the beginning of their name, that are two readings of the same thing."""


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    runs = pl.DataFrame(
        [
            pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
            *[
                raw[theirs].alias(ours)
                for ours, theirs in (("family", "experiment"), ("architecture", "model"))
            ],
            *[raw[name] for name in ("source", "dataset", "reason")],
            *[numeric(raw, name) for name in ("params", "tokens")],
            numeric(raw, "budget").alias("budget_flop"),
            numeric(raw, "loss").alias("loss_nats"),
            raw["outlier"].str.to_lowercase().is_in(("true", "1")).alias("flagged"),
        ]
    ).with_columns(
        run_id=pl.format("{} {}", "family", "record"), validation_set=pl.col("family"), is_final=pl.lit(True)
    )
    kept, step = kept_step(
        runs,
        ~pl.col("flagged"),
        "not flagged as an outlier by the publisher",
        lambda row: row["reason"],
        "family",
    )
    names = kept["family"].unique(maintain_order=True).to_list()
    said = tuple(
        f"{one} and {other} are two readings of {what}, not two sources: fit one of them."
        for one, other, what in SAME
        if all(any(name.startswith(start) for name in names) for start in (one, other))
    )
    return Imported(frame=kept.drop("flagged", "reason"), rows_read=raw.height, steps=(step,), cautions=said)


ISOFLOPS = Importer(
    name="isoflops",
    schema="scaling_runs",
    signature=frozenset(
        ("experiment", "condition", "budget", "tokens", "params", "loss", "outlier", "reason")
    ),
    convert=_convert,
    doc="Open-Athena collection of IsoFLOP runs: six sources, outliers flagged by the publisher.",
)
