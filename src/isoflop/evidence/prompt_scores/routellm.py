"""RouteLLM's responses: a verdict and a response of each model, one file a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import read_rows
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.peek import header_of

if TYPE_CHECKING:
    import polars as pl

_RESPONSE = "_response"


def _is_routellm(path: Path) -> bool:
    header = header_of(path)
    return "prompt" in header and len(_answered(header)) >= 2


def _answered(header: Sequence[str]) -> list[str]:
    return [name for name in header if name + _RESPONSE in header]


def _routellm(paths: Sequence[Path], asked: Asked) -> Found:
    """Read responses of several models to a benchmark: a verdict and a response for each model."""
    import polars as pl

    source = asked.source or "routellm"
    scores, prompts, read = [], [], 0
    for path in paths:
        raw = read_rows(path)
        models = _answered(raw.columns)
        if "prompt" not in raw.columns or len(models) < 2:
            raise EvidenceError(
                f"load: {path.name} has no prompt and two models with a column <model>{_RESPONSE}, which "
                "RouteLLM's responses have. Name another importer."
            )
        dataset = path.name.split(".")[0].removesuffix("_responses")
        read += raw.height
        base = raw.with_row_index("at", offset=1).select(
            pl.lit(source).alias("source"),
            pl.lit(dataset).alias("dataset"),
            (pl.lit(f"{dataset}/") + pl.col("at").cast(pl.String)).alias("instance_id"),
            "prompt",
            *(_verdict(raw, name, path.name).alias(name) for name in models),
        )
        prompts.append(base.select("source", "dataset", "instance_id", "prompt"))
        index = ["source", "dataset", "instance_id"]
        scores.append(base.unpivot(on=models, index=index, variable_name="model", value_name="score"))
    return Found(scores=pl.concat(scores), prompts=pl.concat(prompts), rows_read=read, prompts_read=read)


def _verdict(raw: pl.DataFrame, name: str, where: str) -> pl.Series:
    """Return True and False as 1 and 0; numbers stay."""
    import polars as pl

    text = raw[name].cast(pl.String).str.strip_chars().str.to_lowercase()
    known = text.replace({"true": "1", "false": "0"}).cast(pl.Float64, strict=False)
    bad = (text.is_not_null() & known.is_null()).arg_true()
    if bad.len():
        row = int(bad[0])
        raise EvidenceError(
            f"load: row {row + 1}, column {name!r} of {where}: {raw[name][row]!r}, must be True or False. "
            "Is it another table?"
        )
    return known


ROUTELLM = ScoreImporter(
    name="routellm",
    doc="RouteLLM's responses: prompt, a verdict and a response for each model, a file for each benchmark.",
    recognises=_is_routellm,
    read=_routellm,
    needs=f"columns prompt, <model> and <model>{_RESPONSE}",
)
