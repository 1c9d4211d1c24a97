"""RouteLLM's responses: a verdict of each model, for some with its response, a file a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import read_rows
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.peek import first_row

if TYPE_CHECKING:
    import polars as pl

_RESPONSE = "_response"


def _is_routellm(path: Path) -> bool:
    files = _files(path)
    return bool(files) and all(len(_models(first_row(file))) >= 2 for file in files)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.csv")) if path.is_dir() else [path]


def _models(row: Mapping[str, object]) -> list[str]:
    """Return the models of a table by its first row: columns with a verdict, if nothing else is there."""
    verdicts = [name for name, cell in row.items() if str(cell).strip().lower() in ("true", "false")]
    others = set(row) - set(verdicts) - {name + _RESPONSE for name in verdicts}
    return verdicts if others == {"prompt"} else []


def _routellm(paths: Sequence[Path], asked: Asked) -> Found:
    import polars as pl

    source = asked.source or "routellm"
    scores, prompts, read = [], [], 0
    for path in (file for given in paths for file in _files(given)):
        raw = read_rows(path)
        models = _models(raw.row(0, named=True))
        if len(models) < 2:
            raise EvidenceError(
                f"load: {path.name} has other columns than prompt and, for two models or more, <model> with "
                f"True or False and <model>{_RESPONSE}: no table of RouteLLM's. Name another importer."
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
