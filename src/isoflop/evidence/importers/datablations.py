"""Runs with repeated data of Muennighoff et al. (2023), as typed from the authors' fitting notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, renamed

if TYPE_CHECKING:
    import polars as pl

HIGH_LOSS = 5.0
"""Nats per token above which a run of these sizes has not converged, or has overfitted."""
_NAMES = {
    "run_id": "run_id",
    "source": "source",
    "architecture": "model_family",
    "dataset": "corpus",
    "params": "params",
    "tokens": "tokens",
    "unique_tokens": "unique_tokens",
    "train_flop": "train_flop",
    "loss_nats": "loss_nats",
    "seed": "seed",
    "locator": "locator",
    "verified": "verified",
    "seen_in": "seen_in",
    "notes": "notes",
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    frame = renamed(raw, _NAMES).with_columns(family=pl.lit("datablations"), is_final=pl.lit(True))
    loss, seen, distinct = (
        frame[c].cast(pl.Float64, strict=False) for c in ("loss_nats", "tokens", "unique_tokens")
    )
    high, repeated = int((loss > HIGH_LOSS).sum()), int((seen > distinct).sum())
    return Imported(
        frame=frame,
        rows_read=raw.height,
        cautions=(
            f"{repeated} of {raw.height} runs repeat their data: a law in parameters and tokens alone does "
            "not describe them. Use data_constrained, or keep runs with tokens = unique_tokens.",
            f"{high} runs end above {HIGH_LOSS:g} nats, diverged or overfitted: they decide any fit that "
            "keeps them. Look at influence, or leave them out by a stated rule.",
        ),
    )


DATABLATIONS = Importer(
    name="datablations",
    schema="scaling_runs",
    signature=frozenset(("model_family", "unique_tokens", "epochs", "loss_kind", "corpus")),
    convert=_convert,
    doc="Runs with repeated data (Muennighoff et al. 2023): tokens seen, distinct tokens and loss.",
)
