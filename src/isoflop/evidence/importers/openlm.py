"""The over-training testbed of Gadre et al. (2024): losses on eight texts and 46 accuracies of 100 runs.

Two readings of one file: `openlm` gives every outcome in long form (schema downstream_runs), and
`openlm_losses`, chosen where scaling runs are asked for, the loss on the C4 validation text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, melted, renamed

if TYPE_CHECKING:
    import polars as pl

_RUN = {
    "run_id": "name",
    "dataset": "dataset",
    "architecture": "model",
    "params": "params",
    "params_no_embed": "params_no_embed",
    "tokens": "tokens",
    "lr": "lr",
}
_C4 = "loss_c4_val"


def _runs(raw: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return renamed(raw, _RUN).with_columns(
        record=pl.int_range(1, pl.len() + 1),
        source=pl.lit("mlfoundations/scaling"),
        family=pl.col("dataset"),
        is_final=pl.lit(True),
    )


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    losses = {
        name: (name.removeprefix("loss_"), "val_loss_nats")
        for name in raw.columns
        if name.startswith("loss_")
    }
    scores = {
        name: (name.removeprefix("acc_"), "accuracy") for name in raw.columns if name.startswith("acc_")
    }
    return Imported(frame=melted(_runs(raw), raw, losses | scores), rows_read=raw.height)


def _losses(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    frame = _runs(raw).with_columns(raw[_C4].alias("loss_nats"), validation_set=pl.lit("c4_val"))
    return Imported(frame=frame, rows_read=raw.height)


_SIGNATURE = frozenset((*_RUN.values(), "chinchilla_multiplier", _C4, "loss_openlm"))
OPENLM = Importer(
    name="openlm",
    schema="downstream_runs",
    signature=_SIGNATURE,
    convert=_convert,
    doc="OpenLM over-training testbed (Gadre et al. 2024): 8 validation losses and 46 accuracies of 100 "
    "runs.",
)
OPENLM_LOSSES = Importer(
    name="openlm_losses",
    schema="scaling_runs",
    signature=_SIGNATURE,
    convert=_losses,
    doc="OpenLM over-training testbed: the C4 validation loss of 100 runs.",
)
