"""RouterBench's wide table: one row a prompt, a score and a cost column for each model."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.one_table import one_table, require
from isoflop.evidence.prompt_scores.peek import header_of

if TYPE_CHECKING:
    pass

COST = "|total_cost"
_NEEDS = frozenset(("sample_id", "prompt", "eval_name"))


def _is_routerbench(path: Path) -> bool:
    header = header_of(path)
    return set(header) >= _NEEDS and any(name.endswith(COST) for name in header)


def _routerbench(paths: Sequence[Path], asked: Asked) -> Found:
    import polars as pl

    raw = one_table(paths, "RouterBench")
    require(raw, _NEEDS, paths[0].name, "RouterBench")
    models = [name.removesuffix(COST) for name in raw.columns if name.endswith(COST)]
    absent = [name for name in models if name not in raw.columns]
    if not models or absent:
        raise EvidenceError(
            f"load: {paths[0].name} has no column {absent[0] if absent else '<model>' + COST!r}, needs the "
            f"score of each model beside its cost ({COST}). Is it RouterBench's wide table?"
        )
    source = asked.source or "routerbench"
    identity = {"dataset": "eval_name", "instance_id": "sample_id"}
    parts = [
        raw.select(
            *(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in identity.items()),
            pl.lit(name).alias("model"),
            pl.col(name).alias("score"),
            pl.col(name + COST).alias("cost_usd"),
        )
        for name in models
    ]
    texts = raw.select(*(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in identity.items()))
    return Found(
        scores=pl.concat(parts, how="vertical_relaxed").with_columns(source=pl.lit(source)),
        prompts=texts.with_columns(
            source=pl.lit(source),
            prompt=pl.Series([_turns(text) for text in raw["prompt"].to_list()], dtype=pl.String),
        ),
        rows_read=raw.height,
        prompts_read=raw.height,
        choice=f"{len(models)} models by their column {COST}",
    )


def _turns(prompt: Any) -> str | None:
    """Return a prompt; where it was written as a Python list of turns, the turns."""
    if isinstance(prompt, str) and prompt.startswith("[") and prompt.endswith("]"):
        try:
            prompt = ast.literal_eval(prompt)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return str(prompt)
    return "\n\n".join(map(str, prompt)) if isinstance(prompt, list) else prompt


ROUTERBENCH = ScoreImporter(
    name="routerbench",
    doc="RouterBench's wide table as csv or Parquet: a score and a cost column for each model.",
    recognises=_is_routerbench,
    read=_routerbench,
    needs=f"columns sample_id, prompt, eval_name, <model> and <model>{COST}",
)
