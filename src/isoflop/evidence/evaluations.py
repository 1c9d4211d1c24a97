"""Schema ``evaluations``: one row is one system on one benchmark.

Outcomes are derived once, here: the loss in nats per token of a perplexity or of bits per
byte, the fractional year, log10 of every positive quantity, 6·N·D where a language row does
not state its training FLOP (flagged), and the cluster number of its paper.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema, each, recalled
from isoflop.units import (
    fractional_year,
    nats_from_bits_per_byte,
    nats_from_perplexity,
    perplexity_from_nats,
    train_flop,
)

if TYPE_CHECKING:
    import polars as pl

FIRST = ("WT103", "WT2", "PTB")
"""Order in which the published analysis takes one perplexity for all rows of a system."""
AGREE = 1e-6
"""Relative gap up to which two stated outcomes of a row count as the same number rounded."""
_PERPLEXITY = Rule(
    low=1.0,
    open_low=False,
    hint="A perplexity below 1 is impossible. If it is a loss in nats, map it: --map loss_nats=NAME.",
)
_FRACTION = Rule(low=0.0, high=1.0, hint="Divide by 100?")
_SHARE = Rule(low=0.0, high=1.0, open_low=False, open_high=False, hint="Write 0, 0.5 or 1.")

_COLUMNS = (
    Column(name="system", dtype="text", required=True, filled=True, doc="Name of the system."),
    Column(
        name="paper",
        dtype="text",
        required=True,
        filled=True,
        aliases=("reference",),
        doc="The title is the cluster: rows of one paper are not independent.",
    ),
    Column(name="benchmark", dtype="text", required=True, doc="Benchmark of the outcome."),
    Column(
        name="publication_date",
        dtype="date",
        required=True,
        aliases=("date",),
        doc="First public version.",
    ),
    Column(
        name="task",
        dtype="text",
        choices=("language", "image_classification"),
        doc="Decides outcome and data unit; guessed from the outcome column where empty.",
    ),
    Column(name="perplexity", dtype="number", unit="1", rule=_PERPLEXITY, doc="Per token."),
    Column(name="loss_nats", dtype="number", unit="nats per token", rule=POSITIVE, doc="Cross-entropy."),
    Column(name="bits_per_byte", dtype="number", unit="bits", rule=POSITIVE, doc="Needs bytes_per_token."),
    Column(name="bytes_per_token", dtype="number", unit="bytes", rule=POSITIVE, doc="Mean token length."),
    Column(name="top1_error", dtype="number", unit="1", rule=_FRACTION, doc="Image tasks: 1 - accuracy."),
    Column(name="parameters", dtype="number", unit="1", required=True, rule=POSITIVE, doc="Count."),
    Column(
        name="train_tokens",
        dtype="number",
        unit="tokens",
        rule=POSITIVE,
        doc="Unique tokens, not times epochs.",
    ),
    Column(
        name="train_images",
        dtype="number",
        unit="images",
        rule=POSITIVE,
        doc="Unique images, not times epochs.",
    ),
    Column(name="epochs", dtype="number", unit="1", rule=POSITIVE, doc="Passes over the data."),
    Column(name="train_flop", dtype="number", unit="FLOP", rule=POSITIVE, doc="Training compute."),
    Column(
        name="vocabulary_size",
        dtype="number",
        unit="1",
        rule=Rule(low=1.0),
        doc="Entries of the vocabulary.",
    ),
    Column(name="architecture", dtype="text", doc="Class of architecture."),
    Column(name="is_transformer", dtype="flag", doc="Exact label Transformer only; hybrids are not."),
    Column(name="zero_shot", dtype="number", unit="1", rule=_SHARE, doc="1: not trained on the benchmark."),
    Column(name="uses_cache", dtype="flag", doc="A cache of the test text was used."),
    Column(name="is_uncertain", dtype="flag", doc="Parameters, data or outcome in doubt."),
    Column(name="is_included", dtype="flag", doc="Missing means kept."),
    Column(name="is_outlier", dtype="flag", doc="Set aside by the compilers of the table."),
    Column(name="peer_reviewed", dtype="flag", doc="Published after review."),
    Column(
        name="citations",
        dtype="number",
        unit="1",
        rule=Rule(low=0.0, open_low=False),
        doc="Citations when compiled.",
    ),
    Column(
        name="perplexity_first",
        dtype="number",
        unit="1",
        rule=_PERPLEXITY,
        doc="The system's value on WT103, else WT2, else PTB: the published rule.",
    ),
    Column(name="level", dtype="text", choices=("word", "token", "unstated"), doc="Unit of the perplexity."),
    Column(name="adaptation", dtype="text", doc="Test-time adaptation, or none."),
    Column(name="base_model", dtype="text", doc="Model it builds on."),
    Column(name="organization", dtype="text", doc="Organisations of the authors."),
    Column(name="organization_type", dtype="text", doc="Sector of the organisations."),
    Column(name="tokenizer", dtype="text", doc="Tokeniser."),
    Column(name="comments", dtype="text", doc="Free text."),
    Column(name="source_url", dtype="text", doc="Address of the source."),
    *SOURCING,
)
_LOGGED = ("parameters", "train_tokens", "train_images", "train_flop", "vocabulary_size")


def _derive(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    frame = _outcomes(frame, where)
    language = pl.col("task") == "language"
    six_nd = each(train_flop, frame, "parameters", "train_tokens")
    can_derive = language & pl.col("train_flop").is_null() & six_nd.is_not_null()
    frame = frame.with_columns(
        train_flop=pl.when(can_derive).then(six_nd).otherwise(pl.col("train_flop")),
        flop_is_derived=can_derive,
        year=each(fractional_year, frame, "publication_date"),
        is_included=pl.col("is_included").fill_null(True),
        perplexity_first=pl.coalesce("perplexity_first", _first_perplexity()),
        cluster=(pl.col("paper").rank("dense").cast(pl.Int64) - 1),
    )
    first_seen = frame["cluster"].unique(maintain_order=True).to_list()
    number = {old: new for new, old in enumerate(first_seen)}
    rows = frame.select(sorted(set(frame.columns) - {"record", "cluster"})).rows()
    frame = frame.with_columns(
        pl.col("cluster").replace_strict(number, return_dtype=pl.Int64),
        *[pl.col(name).log10().alias(f"log10_{name}") for name in _LOGGED],
        pl.Series("row_id", [hashlib.sha256(repr(row).encode()).hexdigest()[:12] for row in rows]),
    )
    return frame, _cautions(frame)


def _first_perplexity() -> pl.Expr:
    """Return each system's perplexity on the first of WT103, WT2, PTB that it reports."""
    import polars as pl

    system = ("system", "paper")
    own = [pl.when(pl.col("benchmark") == name).then(pl.col("perplexity")) for name in FIRST]
    return pl.coalesce(*[value.drop_nulls().first().over(system) for value in own])


def _outcomes(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the frame with task, loss_nats and perplexity filled from the one stated outcome."""
    import polars as pl

    stated = {name: pl.col(name).is_not_null() for name in ("perplexity", "loss_nats", "bits_per_byte")}
    language = pl.any_horizontal(*stated.values())
    image = pl.col("top1_error").is_not_null()
    by_data = pl.when(pl.col("train_images").is_not_null() & pl.col("train_tokens").is_null())
    guess = (
        pl.when(language)
        .then(pl.lit("language"))
        .when(image)
        .then(pl.lit("image_classification"))
        .otherwise(by_data.then(pl.lit("image_classification")).otherwise(pl.lit("language")))
    )
    frame = frame.with_columns(task=pl.col("task").fill_null(guess))
    refuse(
        frame,
        image & (pl.col("task") == "language"),
        "top1_error",
        where,
        "must be empty where task is language",
        "Give one outcome a row: split the row, or correct its task.",
    )
    for name in stated:
        refuse(
            frame,
            stated[name] & (pl.col("task") == "image_classification"),
            name,
            where,
            "must be empty where task is image_classification",
            "Give one outcome a row: split the row, or correct its task.",
        )
    refuse(
        frame,
        stated["bits_per_byte"] & pl.col("bytes_per_token").is_null(),
        "bits_per_byte",
        where,
        "cannot be turned into nats per token without bytes_per_token",
        "Add the mean number of bytes in a token of that tokeniser.",
    )
    losses = [
        each(nats_from_perplexity, frame, "perplexity"),
        frame["loss_nats"],
        each(nats_from_bits_per_byte, frame, "bits_per_byte", "bytes_per_token"),
    ]
    largest, smallest = pl.max_horizontal(losses), pl.min_horizontal(losses)
    refuse(
        frame,
        largest - smallest > AGREE * largest,
        "loss_nats",
        where,
        "disagrees with the other outcome of the row",
        "Give exactly one of perplexity, loss_nats and bits_per_byte.",
    )
    frame = frame.with_columns(loss_nats=pl.coalesce(losses[1], losses[0], losses[2]))
    return frame.with_columns(
        perplexity=pl.coalesce("perplexity", each(perplexity_from_nats, frame, "loss_nats"))
    )


def _cautions(frame: pl.DataFrame) -> tuple[str, ...]:
    import polars as pl

    said = [*recalled(frame)]
    unstated = frame.filter(pl.col("level").is_in(["token", "unstated"])).height
    if unstated:
        said.append(
            f"{unstated} rows are not word-level perplexities (token-level, or the level is not stated): "
            "for strict comparisons keep level = word."
        )
    return tuple(said)


EVALUATIONS = Schema(
    name="evaluations",
    columns=_COLUMNS,
    doc="One row is one system on one benchmark.",
    one_of=(
        ("perplexity", "loss_nats", "bits_per_byte", "top1_error"),
        ("train_tokens", "train_images"),
    ),
    key=("system", "benchmark", "paper"),
    derive=_derive,
)
