"""Schema ``model_scores``: one row is one model on one benchmark, with what the model cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema

if TYPE_CHECKING:
    import polars as pl

_FRACTION = Rule(low=0.0, high=1.0, open_low=False, open_high=False, hint="Divide by 100?")
_CHANCE = Rule(low=0.0, high=1.0, open_low=False, hint="Divide by 100?")


def _model_scores(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    repeated = pl.len().over("model", "benchmark") > 1
    differ = pl.col("score").n_unique().over("model", "benchmark") > 1
    refuse(
        frame,
        repeated & differ,
        "score",
        where,
        "the model has another score on this benchmark",
        "Keep one, or name the variants apart.",
    )
    known = frame.unique("model", maintain_order=True)
    said = []
    if count := known.filter(pl.col("train_flop").is_null()).height:
        said.append(
            f"{count} of {known.height} models have no training FLOP: they shape the components of "
            "capability but no statement about compute. Add train_flop to cure it."
        )
    if frame["n_items"].null_count() == frame.height:
        said.append(
            "n_items is not given, so scores near chance cannot be told from chance. Add the number of items."
        )
    return frame, tuple(said)


MODEL_SCORES = Schema(
    name="model_scores",
    columns=(
        Column(name="model", dtype="text", required=True, filled=True, doc="Model."),
        Column(name="family", dtype="text", required=True, doc="Models trained on one recipe."),
        Column(name="developer", dtype="text", doc="Who made the model."),
        Column(name="params", dtype="number", unit="1", rule=POSITIVE, doc="Parameters."),
        Column(name="params_active", dtype="number", unit="1", rule=POSITIVE, doc="Parameters used a token."),
        Column(name="tokens", dtype="number", unit="tokens", rule=POSITIVE, doc="Training tokens."),
        Column(name="train_flop", dtype="number", unit="FLOP", rule=POSITIVE, doc="Training compute."),
        Column(name="benchmark", dtype="text", required=True, filled=True, doc="Benchmark."),
        Column(
            name="score",
            dtype="number",
            unit="1",
            required=True,
            filled=True,
            rule=_FRACTION,
            doc="Share of the best possible result.",
        ),
        Column(name="chance", dtype="number", unit="1", rule=_CHANCE, doc="Score of guessing."),
        Column(name="n_items", dtype="number", unit="1", rule=POSITIVE, doc="Items of the benchmark."),
        Column(name="metric", dtype="text", doc="What was counted, as printed; empty where not printed."),
        Column(name="shots", dtype="text", doc="Worked examples in the prompt, as printed."),
        Column(
            name="protocol",
            dtype="text",
            doc="Way of asking that splits a benchmark's scores in two: letter or full_text for ARC-C.",
        ),
        Column(name="is_instruct", dtype="flag", doc="Tuned to follow instructions."),
        Column(name="date", dtype="date", doc="Release."),
        *SOURCING,
    ),
    doc="One row is one model on one benchmark, with parameters, tokens and compute of the model.",
    key=("model", "benchmark"),
    derive=_model_scores,
)
