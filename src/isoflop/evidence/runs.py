"""Schemas of training runs: `scaling_runs` (one loss a run) and `downstream_runs` (one task a row).

Two quantities may be absent and are then derived, flagged and said: training compute as 6·N·D, and
tokens as FLOP/(6·N). Whichever it is, compute, parameters and tokens are then exactly dependent, so
no fit may take all three as regressors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import POSITIVE, Column, Rule, Schema, each
from isoflop.units import tokens_from_flop, train_flop

if TYPE_CHECKING:
    import polars as pl

SMALLEST = 1_000.0
"""Parameters or tokens below this are hardly a language model: the column may be in millions or billions."""
FLOP_APART = 1.5
"""Ratio of stated training FLOP to 6·N·D beyond which the two speak of different things."""
_PARAMS = Rule(low=0.0, high=1e18, hint="Write a count such as 7e9, not billions.")
_TOKENS = Rule(low=0.0, high=1e20, hint="Write a count such as 1.4e12, not trillions.")
_FLOP = Rule(low=0.0, high=1e35, hint="Write FLOP such as 5.88e23, not petaFLOP/s-days.")
_LOSS = Rule(low=0.0, high=1e3, hint="Write the cross-entropy in nats per token, above 0.")
_SHARE = Rule(low=0.0, high=1.0, open_low=False, open_high=False, hint="Divide by 100?")

_RUN = (
    Column(name="run_id", dtype="text", aliases=("run", "name"), doc="Names the run; default: its row."),
    Column(name="source", dtype="text", doc="Who trained it; default: the name of the table."),
    Column(name="family", dtype="text", doc="Architecture family or experiment, for fits by family."),
    Column(name="dataset", dtype="text", doc="Training data."),
    Column(name="architecture", dtype="text", doc="Architecture of the run."),
    Column(
        name="params",
        dtype="number",
        unit="1",
        required=True,
        filled=True,
        rule=_PARAMS,
        aliases=("parameters", "n_params", "num_params", "model_size"),
        doc="Parameters N.",
    ),
    Column(
        name="params_no_embed",
        dtype="number",
        unit="1",
        rule=_PARAMS,
        aliases=("non_embedding_parameters",),
        doc="Parameters without embeddings.",
    ),
    Column(
        name="tokens",
        dtype="number",
        unit="tokens",
        rule=_TOKENS,
        aliases=("train_tokens", "n_tokens", "training_tokens"),
        doc="Training tokens seen, D: repeated ones count each time.",
    ),
    Column(name="unique_tokens", dtype="number", unit="tokens", rule=_TOKENS, doc="Distinct tokens."),
    Column(
        name="train_flop",
        dtype="number",
        unit="FLOP",
        rule=_FLOP,
        aliases=("training_flop", "train_flops", "training_flops"),
        doc="Training compute C; 6·N·D where empty.",
    ),
    Column(
        name="budget_flop",
        dtype="number",
        unit="FLOP",
        rule=_FLOP,
        aliases=("budget",),
        doc="Nominal budget that groups runs of one isoFLOP curve.",
    ),
    Column(name="lr", dtype="number", unit="1", rule=POSITIVE, aliases=("peak_lr",), doc="Peak rate."),
    Column(name="batch_tokens", dtype="number", unit="tokens", rule=POSITIVE, doc="Tokens in a batch."),
    Column(
        name="n_repeats",
        dtype="number",
        unit="1",
        rule=Rule(low=1.0, open_low=False),
        doc="Runs that the row is the mean of.",
    ),
    Column(
        name="n_tried",
        dtype="number",
        unit="1",
        rule=Rule(low=1.0, open_low=False),
        doc="Runs that the row is the best of: a minimum of noise, lower the more were tried.",
    ),
    Column(name="is_final", dtype="flag", doc="Last checkpoint of its schedule."),
    Column(name="date", dtype="date", doc="Day of the run."),
)
_NOTES = (
    Column(name="locator", dtype="text", doc="Table, figure or file in the source."),
    Column(
        name="verified",
        dtype="text",
        choices=("read", "secondary", "recalled", "measured"),
        doc="How it was checked.",
    ),
    Column(name="seen_in", dtype="text", doc="Text in which the figure was seen."),
    Column(name="notes", dtype="text", doc="Remarks."),
)


def _scaling_runs(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    refuse(
        frame,
        pl.col("tokens").is_null() & pl.col("train_flop").is_null(),
        "tokens",
        where,
        "cannot be empty where train_flop is empty too",
        "Give one of the two.",
    )
    frame, cautions = _compute(_named(frame, where))
    return frame, (*cautions, *_implausible(frame), *_conventions(frame))


def _downstream_runs(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    kind, value = pl.col("kind"), pl.col("value")
    refuse(
        frame,
        (kind == "accuracy") & ~value.is_between(0.0, 1.0),
        "value",
        where,
        "an accuracy must lie in [0, 1]",
        _SHARE.hint,
    )
    refuse(
        frame,
        (kind != "accuracy") & (value <= 0.0),
        "value",
        where,
        "a loss must be > 0",
        "Correct the cell, or its kind.",
    )
    frame, cautions = _compute(_named(frame, where))
    if runs := frame.filter(pl.col("tokens").is_null())["run_id"].n_unique():
        cautions = (
            *cautions,
            f"{runs} runs have neither tokens nor training FLOP: no law in scale can use them. Add tokens "
            "to cure it.",
        )
    return frame, (*cautions, *_implausible(frame))


def _named(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(
        run_id=pl.col("run_id").fill_null(pl.format("row {}", "record")),
        source=pl.col("source").fill_null(where),
    )


def _compute(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the frame with tokens and compute filled from each other, and what was derived."""
    import polars as pl

    missing = pl.col("tokens").is_null() & pl.col("train_flop").is_not_null()
    by_flop = each(tokens_from_flop, frame, "train_flop", "params")
    frame = frame.with_columns(
        tokens=pl.col("tokens").fill_null(by_flop),
        tokens_is_derived=missing,
        flop_is_derived=pl.col("train_flop").is_null() & pl.col("tokens").is_not_null(),
    )
    six_nd = each(train_flop, frame, "params", "tokens")
    frame = frame.with_columns(train_flop=pl.col("train_flop").fill_null(six_nd)).with_columns(
        tokens_per_param=pl.col("tokens") / pl.col("params")
    )
    said = []
    if count := int(frame["tokens_is_derived"].sum()):
        said.append(
            f"tokens of {count} rows are FLOP/(6 params), so compute, parameters and tokens are exactly "
            "dependent: no fit may use all three, and an error in one is in the others. Token counts as "
            "trained cure it."
        )
    if count := int(frame["flop_is_derived"].sum()):
        said.append(
            f"training FLOP of {count} rows are 6 × parameters × tokens, without attention: derived, not "
            "measured. Give train_flop to cure it."
        )
    apart = (pl.col("train_flop") / six_nd).log().abs() > pl.lit(FLOP_APART).log()
    if count := frame.filter(apart & ~pl.col("flop_is_derived")).height:
        said.append(
            f"{count} rows state training FLOP more than {FLOP_APART:g} times off 6 × params × tokens: "
            "other parameters are counted (embeddings, experts), or a unit is wrong. Check them, or drop "
            "train_flop."
        )
    return frame, tuple(said)


def _implausible(frame: pl.DataFrame) -> tuple[str, ...]:
    import polars as pl

    small = {name: frame.filter(pl.col(name) < SMALLEST).height for name in ("params", "tokens")}
    return tuple(
        f"{count} rows have {name} below {SMALLEST:g}: if they are millions or billions, every absolute "
        "answer is off. Write counts such as 7e9."
        for name, count in small.items()
        if count
    )


def _conventions(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return cautions about embeddings, and about losses that are no one quantity."""
    said = []
    if frame["params_no_embed"].null_count() == frame.height:
        said.append(
            "it is not known whether params count embeddings, which moves exponents at small sizes. "
            "A column params_no_embed cures it."
        )
    return tuple(said)


SCALING_RUNS = Schema(
    name="scaling_runs",
    columns=(
        *_RUN,
        Column(
            name="loss_nats",
            dtype="number",
            unit="nats per token",
            required=True,
            filled=True,
            rule=_LOSS,
            aliases=("loss", "val_loss", "validation_loss", "eval_loss"),
            doc="Held-out cross-entropy.",
        ),
        Column(
            name="loss_se", dtype="number", unit="nats per token", rule=POSITIVE, doc="Its standard error."
        ),
        Column(
            name="cost",
            dtype="number",
            unit="of your choice",
            rule=POSITIVE,
            doc="What the run cost, all rows in one unit: dollars, GPU hours. For --cost column:cost.",
        ),
        Column(name="tokenizer", dtype="text", doc="Tokeniser: losses of several are never pooled."),
        Column(name="validation_set", dtype="text", doc="Held-out text: losses on several are never pooled."),
        Column(
            name="entropy_rate_nats",
            dtype="number",
            unit="nats per token",
            rule=POSITIVE,
            doc="Known entropy of the source: the planted floor of generated text.",
        ),
        Column(name="seed", dtype="text", doc="Seed of the run; rows that differ only in it are repeats."),
        *_NOTES,
    ),
    doc="One row is one training run (or one checkpoint) with its held-out loss.",
    one_of=(("tokens", "train_flop"),),
    key=("run_id", "source", "validation_set"),
    derive=_scaling_runs,
)

DOWNSTREAM_RUNS = Schema(
    name="downstream_runs",
    columns=(
        *_RUN,
        Column(name="task", dtype="text", required=True, filled=True, doc="Task, or validation set."),
        Column(
            name="kind",
            dtype="text",
            required=True,
            filled=True,
            choices=("task_loss_bpb", "val_loss_nats", "accuracy"),
            doc="What value is: bits per byte of the right answer, nats per token, or a share.",
        ),
        Column(
            name="value",
            dtype="number",
            unit="by kind",
            required=True,
            filled=True,
            doc="Outcome of the run.",
        ),
        Column(name="split", dtype="text", doc="Part of the task, e.g. val or test."),
        Column(name="step", dtype="number", unit="1", rule=Rule(low=0.0, open_low=False), doc="Step."),
        Column(name="chance", dtype="number", unit="1", rule=_SHARE, doc="Score of guessing."),
        Column(name="n_items", dtype="number", unit="1", rule=POSITIVE, doc="Items of the task."),
    ),
    doc="One row is one outcome (task loss, validation loss or accuracy) of one run.",
    one_of=(("tokens", "train_flop"),),
    key=("run_id", "source", "task", "kind", "split", "step"),
    derive=_downstream_runs,
)
