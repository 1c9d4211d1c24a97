"""The OLMo model ladder: losses, bits per byte and accuracies of 30 small runs and of 7B and 13B targets.

Each run file ends with three rows; the last one of a ladder run is its final checkpoint
(`is_final`). `family` tells ``ladder`` from ``target_7B`` and ``target_13B``, which are what a
ladder predicts and are never fitted. A run named rerun is a repeat of another. Parameters are
counted without embeddings throughout.

Tokens of the target files follow from their step, because the files do not state them: 7B has
4,194,304 tokens a step (928,646 steps are 3,896 billion tokens in the publisher's checkpoint names)
and 13B 8,388,608 (596,057 steps for the 5 trillion tokens of its model card). The variants with
another learning rate stay without tokens.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, kept_step, melted, numeric

if TYPE_CHECKING:
    import polars as pl

PARAMS = {
    "190M": 190_354_176,
    "370M": 371_262_464,
    "760M": 758_220_288,
    "1B": 1_279_395_840,
    "3B": 3_169_537_280,
    "peteish7": 6_887_575_552,
    "peteish13": 13_202_396_160,
}
TOKENS_PER_STEP = {"peteish7": 4_194_304, "peteish13": 8_388_608}
TARGETS = {"peteish7": "target_7B", "peteish13": "target_13B"}
FINAL = ("peteish7_eval_anneal", "peteish13_eval_final")
"""The target files that end where training ended; the others are segments on the way."""
_C4 = "c4_en_loss"
_TOKENS = "throughput/total_tokens"
_TASK = re.compile(r"^(?P<task>.+?)_(?P<split>val|test)_(?P<form>.+)$")
_KINDS = {"downstream_bpb": "task_loss_bpb", "downstream": "accuracy"}


def _runs(raw: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    size = pl.col("run_id").str.extract(r"^(peteish\d+|[^-]+)")
    variant = pl.col("run_id").str.contains("medlr")
    last = (pl.col("run_id") != pl.col("run_id").shift(-1)).fill_null(True)
    by_step = pl.col("step") * size.replace_strict(TOKENS_PER_STEP, default=None, return_dtype=pl.Float64)
    return (
        pl.DataFrame([raw["run"].alias("run_id"), numeric(raw, "_step").alias("step")])
        .with_columns(numeric(raw, _TOKENS).alias("tokens"))
        .with_columns(
            record=pl.int_range(1, pl.len() + 1),
            source=pl.lit("allenai/OLMo-ladder"),
            family=size.replace_strict(TARGETS, default="ladder"),
            params=size.replace_strict(PARAMS, default=None, return_dtype=pl.Float64),
            tokens=pl.coalesce("tokens", pl.when(~variant).then(by_step)),
            is_final=last & (pl.col("run_id").is_in(FINAL) | ~size.is_in(list(TARGETS))),
        )
        .with_columns(params_no_embed=pl.col("params"), architecture=size)
    )


def _named(column: str) -> tuple[str, str] | tuple[str, str, str] | None:
    """Return task, kind and split of a column of outcomes."""
    if "/" not in column:
        return (column.removesuffix("_loss"), "val_loss_nats") if column.endswith("_loss") else None
    folder, name = column.split("/", 1)
    found = _TASK.match(name)
    return (found["task"], _KINDS[folder], found["split"]) if found and folder in _KINDS else None


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    outcomes = {column: named for column in raw.columns if (named := _named(column)) is not None}
    return Imported(frame=melted(_runs(raw), raw, outcomes), rows_read=raw.height, cautions=_CONVENTION)


def _losses(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    runs = _runs(raw).with_columns(raw[_C4].alias("loss_nats"), validation_set=pl.lit("c4_en"))
    final, last = kept_step(
        runs, pl.col("is_final"), "final checkpoint", lambda row: f"step {row['step']:g}", "run_id"
    )
    ladder, small = kept_step(
        final,
        pl.col("family") == "ladder",
        "a ladder run, not a target",
        lambda row: row["family"],
        "run_id",
    )
    return Imported(frame=ladder, rows_read=raw.height, steps=(last, small), cautions=_CONVENTION)


_CONVENTION = (
    "params are counted without embeddings, so compute 6ND leaves the output layer out: compare only with "
    "laws under the same convention.",
)
_SIGNATURE = frozenset(("run", "_step", _C4, _TOKENS))
OLMO_LADDER = Importer(
    name="olmo_ladder",
    schema="downstream_runs",
    signature=_SIGNATURE,
    convert=_convert,
    doc="OLMo model ladder (Bhagia et al. 2024): losses, bits per byte and accuracies, 190M to 13B.",
)
OLMO_LADDER_LOSSES = Importer(
    name="olmo_ladder_losses",
    schema="scaling_runs",
    signature=_SIGNATURE,
    convert=_losses,
    doc="OLMo model ladder: the C4 loss at the end of each of the 30 ladder runs.",
)
