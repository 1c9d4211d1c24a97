"""Plain tables of scores, long or wide, with the prompts inside or in a file of their own.

A long table has one row for each model and prompt; a wide one has a row for each prompt and a column of
scores for each model, which must be named, for nothing tells a score from any other number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError, closest
from isoflop.evidence.prompt_scores.files import ENDINGS, LINES, TABLES, read_rows
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.schemas import MODEL_SCORES_BY_PROMPT, PROMPTS
from isoflop.evidence.validate import fold

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.schema import Schema

_FIRST = (*TABLES, *LINES, ".json")
_IDENTITY = ("source", "dataset", "instance_id")


def beside(folder: Path, stem: str) -> Path | None:
    """Return the file of this stem in a folder, Parquet before text before JSON."""
    return next((path for end in _FIRST if (path := folder / f"{stem}{end}").is_file()), None)


def column_of(header: Sequence[str], schema: Schema, name: str, mapping: Mapping[str, str]) -> str | None:
    """Return the name in `header` that stands for a canonical column, or None."""
    if name in mapping:
        return mapping[name]
    folded = {fold(theirs): theirs for theirs in header}
    column = schema[name]
    return next((folded[fold(s)] for s in (name, *column.aliases) if fold(s) in folded), None)


def _recognises(path: Path) -> bool:
    if path.is_dir():
        return beside(path, "scores") is not None
    return path.name.lower().endswith(ENDINGS)


def _read(paths: Sequence[Path], asked: Asked) -> Found:
    import polars as pl

    files = [_scores_file(path) for path in paths]
    parts = [read_rows(file) for file in files]
    raw = pl.concat(parts, how="diagonal_relaxed") if len(parts) > 1 else parts[0]
    wide = f"; wide: {len(asked.models)} columns of scores" if asked.models else ""
    inside = column_of(raw.columns, PROMPTS, "prompt", asked.columns)
    texts_at = asked.prompts or (beside(files[0].parent, "prompts") if inside is None else None)
    where = files[0].name
    if texts_at is not None:
        texts = read_rows(_scores_file(texts_at, "prompts"))
        scores = _long(raw, asked, where) if asked.models else raw
        return Found(
            scores=scores,
            prompts=texts,
            rows_read=raw.height,
            prompts_read=texts.height,
            choice=f"prompts from {texts_at.name}{wide}",
        )
    if inside is None or inside not in raw.columns:
        near = closest("prompt", raw.columns)
        raise EvidenceError(
            f"load: no prompts: {where} has no column 'prompt'"
            + (f" (closest is '{near}')" if near else "")
            + " and no prompts file lies beside it. Name the file (--prompts FILE, in Python "
            "prompts=), or map the column: --map prompt=NAME"
        )
    texts, several = _texts(raw, asked)
    cautions = (
        (
            f"{several} prompts come with more than one text; the first was taken. Give each text its own "
            "instance_id.",
        )
        if several
        else ()
    )
    return Found(
        scores=_long(raw, asked, where) if asked.models else raw.drop(inside),
        prompts=texts,
        rows_read=raw.height,
        prompts_read=raw.height,
        cautions=cautions,
        choice=f"prompts in column {inside}{wide}",
    )


def _texts(raw: pl.DataFrame, asked: Asked) -> tuple[pl.DataFrame, int]:
    """Return the first text of each prompt, and how many prompts have several."""
    import polars as pl

    names = {
        name: theirs
        for name in (*_IDENTITY, "prompt", "group")
        if (theirs := column_of(raw.columns, PROMPTS, name, asked.columns)) in raw.columns
    }
    key = [names[name] for name in _IDENTITY if name in names]
    counted = raw.group_by(key, maintain_order=True).agg(
        pl.col(names["prompt"]).drop_nulls().first(),
        pl.col(names["prompt"]).drop_nulls().n_unique().alias("__texts"),
        *(pl.col(names[name]).first() for name in ("group",) if name in names),
    )
    return counted.drop("__texts"), int((counted["__texts"] > 1).sum())


def _long(raw: pl.DataFrame, asked: Asked, where: str) -> pl.DataFrame:
    """Return a wide table with one row for each prompt and model."""
    absent = [name for name in asked.models if name not in raw.columns]
    if absent:
        near = closest(absent[0], raw.columns)
        raise EvidenceError(
            f"load: column of scores {absent[0]!r} is not in {where}"
            + (f"; closest is '{near}'." if near else f", which has {', '.join(raw.columns)}.")
            + " Check the names of the models."
        )
    names = {name: column_of(raw.columns, MODEL_SCORES_BY_PROMPT, name, asked.columns) for name in _IDENTITY}
    index = [theirs for theirs in names.values() if theirs is not None and theirs not in asked.models]
    return raw.unpivot(on=list(asked.models), index=index, variable_name="model", value_name="score")


def _scores_file(path: Path, stem: str = "scores") -> Path:
    if not path.is_dir():
        return path
    found = beside(path, stem)
    if found is None:
        raise EvidenceError(
            f"load: folder {path} has no {stem}.parquet (or {stem}.csv, .jsonl), which a plain folder needs. "
            "Name the file, or the importer of its layout."
        )
    return found


TABLE = ScoreImporter(
    name="table",
    doc="A csv, tsv, Parquet or JSON table, long or wide, or a folder with scores.* and prompts.*.",
    recognises=_recognises,
    read=_read,
    needs="columns dataset, instance_id, model, score and prompt, or a prompts file beside it",
    takes=frozenset(("--prompts", "--map", "--models")),
)
