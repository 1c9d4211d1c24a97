"""Schemas of routing: what each model scored on each prompt, the prompts, and what the models cost.

A missing score is never zero: it has no row, or an empty cell that is dropped and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema

if TYPE_CHECKING:
    import polars as pl

_SCORE = Rule(low=0.0, high=1.0, open_low=False, open_high=False, hint="Divide by 100?")
_PRICE = Rule(low=0.0, open_low=False, hint="A price is USD per million tokens.")
_LOG = Rule(low=-1e6, high=0.0, open_high=False, hint="A mean log-probability is in nats and at most 0.")
KEY = ("source", "dataset", "instance_id", "model")


def _scores(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    repeated = pl.col("n_samples").is_null() & (pl.col("score").n_unique().over(KEY) > 1)
    refuse(
        frame,
        repeated,
        "score",
        where,
        "another row gives this model another score on this prompt",
        "Average them and give n_samples.",
    )
    return frame, ()


def _as_it_is(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return frame, ()


MODEL_SCORES_BY_PROMPT = Schema(
    name="model_scores_by_prompt",
    columns=(
        Column(name="source", dtype="text", doc="Collection that the prompts come from."),
        Column(
            name="dataset",
            dtype="text",
            required=True,
            filled=True,
            aliases=("task", "benchmark", "eval_name"),
            doc="Benchmark; one task of the router.",
        ),
        Column(
            name="instance_id",
            dtype="text",
            required=True,
            filled=True,
            aliases=("sample_id", "prompt_id"),
            doc="Prompt within its source.",
        ),
        Column(
            name="model",
            dtype="text",
            required=True,
            filled=True,
            aliases=("model_name", "model_id"),
            doc="Model that answered.",
        ),
        Column(
            name="score", dtype="number", unit="1", required=True, rule=_SCORE, doc="Score of the answer."
        ),
        Column(name="correct", dtype="flag", doc="Right or wrong; derived from the score where not given."),
        Column(name="split", dtype="text", doc="Split of the origin."),
        Column(name="cost_usd", dtype="number", unit="USD", rule=_PRICE, doc="Price of the call."),
        Column(name="tokens_in", dtype="number", unit="tokens", rule=_PRICE, doc="Tokens of the prompt."),
        Column(name="tokens_out", dtype="number", unit="tokens", rule=_PRICE, doc="Tokens of the answer."),
        Column(name="latency_s", dtype="number", unit="s", rule=_PRICE, doc="Time of the call."),
        Column(
            name="log_likelihood",
            dtype="number",
            unit="nats",
            rule=_LOG,
            doc="Mean log-probability of a generated token.",
        ),
        Column(name="n_samples", dtype="number", unit="1", rule=POSITIVE, doc="Generations averaged."),
        Column(name="metric", dtype="text", doc="How the answer was scored."),
        Column(
            name="reference_is_model",
            dtype="flag",
            doc="The score is a judge's preference against a reference model, which stands at one half.",
        ),
    ),
    doc="One row is one model's answer to one prompt of one benchmark.",
    key=KEY,
    derive=_scores,
)

PROMPTS = Schema(
    name="prompts",
    columns=(
        Column(name="source", dtype="text", doc="Collection that the prompt comes from."),
        Column(
            name="dataset",
            dtype="text",
            required=True,
            filled=True,
            aliases=("task", "benchmark", "eval_name"),
            doc="Benchmark.",
        ),
        Column(
            name="instance_id",
            dtype="text",
            required=True,
            filled=True,
            aliases=("sample_id", "prompt_id"),
            doc="Prompt within its source.",
        ),
        Column(
            name="prompt", dtype="text", required=True, aliases=("text", "query"), doc="Text of the input."
        ),
        Column(name="group", dtype="text", doc="Prompts that are nearly the same share a group."),
    ),
    doc="One row is one prompt.",
    key=("source", "instance_id"),
    derive=_as_it_is,
)

MODEL_CATALOGUE = Schema(
    name="model_catalogue",
    columns=(
        Column(name="model", dtype="text", required=True, filled=True, doc="Model."),
        Column(name="developer", dtype="text", doc="Who made it."),
        Column(name="params", dtype="number", unit="1", rule=POSITIVE, doc="Parameters."),
        Column(name="params_active", dtype="number", unit="1", rule=POSITIVE, doc="Parameters used a token."),
        Column(
            name="input_usd_per_mtok",
            dtype="number",
            unit="USD",
            rule=_PRICE,
            aliases=("input_price",),
            doc="Price of a million input tokens.",
        ),
        Column(
            name="output_usd_per_mtok",
            dtype="number",
            unit="USD",
            rule=_PRICE,
            aliases=("output_price",),
            doc="Price of a million output tokens.",
        ),
        Column(name="context_tokens", dtype="number", unit="tokens", rule=POSITIVE, doc="Longest input."),
        Column(name="supports", dtype="text", doc="tools, vision, json; joined by ';'."),
        Column(name="released", dtype="date", doc="Release."),
        Column(name="licence", dtype="text", doc="Licence of the weights."),
        Column(name="as_of_date", dtype="text", doc="Day, month or year of the price, as printed."),
        *SOURCING,
    ),
    doc="One row is one model with its size and list price.",
    one_of=(("params", "input_usd_per_mtok"),),
    key=("model",),
    derive=_as_it_is,
)

TASK_LABELS = Schema(
    name="task_labels",
    columns=(
        Column(name="instance_id", dtype="text", required=True, filled=True, doc="Prompt of the task."),
        Column(name="model", dtype="text", required=True, filled=True, doc="Model that answered."),
        Column(
            name="score",
            dtype="number",
            unit="1",
            required=True,
            filled=True,
            rule=_SCORE,
            doc="Score of the answer.",
        ),
    ),
    doc="One row is one model's answer to one labelled prompt of a new task.",
    key=("instance_id", "model"),
    derive=_as_it_is,
)
