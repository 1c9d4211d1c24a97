"""EmbedLLM's long table: one row for each prompt and model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.one_table import one_table, require
from isoflop.evidence.prompt_scores.peek import header_of

if TYPE_CHECKING:
    pass

_NEEDS = frozenset(("prompt_id", "prompt", "category", "label", "model_name"))


def _is_embedllm(path: Path) -> bool:
    return set(header_of(path)) >= _NEEDS


def _embedllm(paths: Sequence[Path], asked: Asked) -> Found:
    import polars as pl

    raw = one_table(paths, "EmbedLLM")
    require(raw, _NEEDS, paths[0].name, "EmbedLLM")
    source = asked.source or "embedllm"
    long = raw.select(
        pl.lit(source).alias("source"),
        pl.col("category").cast(pl.String).alias("dataset"),
        pl.col("prompt_id").cast(pl.String).alias("instance_id"),
        pl.col("model_name").cast(pl.String).alias("model"),
        pl.col("label").alias("score"),
        pl.col("prompt"),
    )
    return Found(
        scores=long.drop("prompt"),
        prompts=long.select("source", "dataset", "instance_id", "prompt").unique(maintain_order=True),
        rows_read=raw.height,
        prompts_read=raw.height,
        choice="datasets by category",
    )


EMBEDLLM = ScoreImporter(
    name="embedllm",
    doc="EmbedLLM's long table: prompt_id, prompt, category, model_name, label.",
    recognises=_is_embedllm,
    read=_embedllm,
    needs="columns prompt_id, prompt, category, model_name and label",
)
