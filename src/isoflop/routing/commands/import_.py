"""``isoflop routing import``: logs and tables of other tools become one pair of tables."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import Verb, json_option, parse_mapping

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

FILES = ("scores.parquet", "prompts.parquet")


@click.command(
    "import",
    cls=Verb,
    headings={"Layout": ("importer", "prompts", "mapping", "models", "metric", "filter_name", "source")},
    short_help="Turn logs of evaluation tools, or a table, into scores.parquet and prompts.parquet.",
)
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the two tables.",
)
@click.option("--overwrite", is_flag=True, help="Replace tables that are there already.")
@click.option(
    "--importer",
    metavar="NAME",
    help="Layout of PATH: lm_eval, inspect, helm, routerbench, embedllm, llmrouter, routellm or table.  "
    "[default: recognised]",
)
@click.option(
    "--prompts",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Texts of the prompts (table), or the task of each text (llmrouter).",
)
@click.option(
    "--map",
    "mapping",
    metavar="COLUMN=THEIRS",
    multiple=True,
    help="A column of a plain table under another name, e.g. score=acc. May be repeated.",
)
@click.option("--models", metavar="A,B", help="Columns of scores of a wide plain table, one a model.")
@click.option("--metric", metavar="NAME", help="Metric or scorer to take where logs hold several.")
@click.option("--filter", "filter_name", metavar="NAME", help="Reading of the answer (lm_eval).")
@click.option("--source", metavar="NAME", help="Name of the collection.  [default: the importer's]")
@json_option
def import_(
    paths: tuple[Path, ...],
    out: Path,
    overwrite: bool,
    importer: str | None,
    prompts: Path | None,
    mapping: tuple[str, ...],
    models: str | None,
    metric: str | None,
    filter_name: str | None,
    source: str | None,
    as_json: bool,
) -> None:
    """Read results of models on prompts and write them as scores.parquet and prompts.parquet.

    PATH is a log folder, a log file or a table; several are read together.
    """
    from isoflop.evidence.prompt_scores import read_prompt_scores
    from isoflop.findings import Document
    from isoflop.present.console import emit

    there = [name for name in FILES if (out / name).exists()]
    if there and not overwrite:
        raise SettingError(
            f"--out: {out / there[0]} exists, needs a free place. Name another, or --overwrite."
        )
    scores, texts = read_prompt_scores(
        paths,
        importer=importer,
        prompts=prompts,
        columns=parse_mapping(mapping) or None,
        models=[name.strip() for name in (models or "").split(",") if name.strip()],
        metric=metric,
        filter=filter_name,
        source=source,
    )
    _write(out, scores, texts)
    tables = _tables(out, scores, texts)
    emit(Document(tables=tables), as_json=as_json, text=partial(_text, tables, scores, texts))


def _write(out: Path, scores: Table, texts: Table) -> None:
    """Write both tables or none: the bytes of both are ready before the first is put in place."""
    from isoflop.findings import write_atomically

    contents = [_bytes(table.frame) for table in (scores, texts)]
    try:
        for name, data in zip(FILES, contents, strict=True):
            write_atomically(out / name, data)
    except OSError as error:
        raise SettingError(f"--out: cannot write {out} ({error.strerror}). Name another folder.") from error


def _bytes(frame: pl.DataFrame) -> bytes:
    """Return the columns that hold anything as Parquet."""
    kept = [name for name in frame.columns if name != "record" and frame[name].null_count() < frame.height]
    held = io.BytesIO()
    frame.select(kept).write_parquet(held)
    return held.getvalue()


def _tables(out: Path, scores: Table, texts: Table) -> dict[str, list[dict[str, Any]]]:
    from isoflop.present.evidence import evidence_rows

    written = [
        {
            "file": str(out / name),
            "rows": table.frame.height,
            "datasets": table.frame["dataset"].n_unique(),
            "models": table.frame["model"].n_unique() if table is scores else None,
        }
        for name, table in zip(FILES, (scores, texts), strict=True)
    ]
    return {
        "imported": written,
        "waterfall": [
            {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped, "rows": list(s.rows)}
            for s in (*scores.steps, *texts.steps)
        ],
        "evidence": evidence_rows(scores, texts),
        "cautions": [{"caution": text} for text in (*scores.cautions, *texts.cautions)],
    }


def _text(tables: dict[str, list[dict[str, Any]]], scores: Table, texts: Table) -> str:
    from isoflop.present.chapter import Column
    from isoflop.present.pages import WATERFALL, cautions_text, page

    columns = (
        Column(name="file", label="written"),
        Column(name="rows", label="rows", format="count"),
        Column(name="datasets", label="datasets", format="count"),
        Column(name="models", label="models", format="count"),
    )
    body = page(
        f"{scores.rows_read} records read; {scores.importer}.",
        (),
        (),
        ("Tables", columns, tables["imported"]),
        ("Rows", WATERFALL, tables["waterfall"]),
    )
    doubts = cautions_text((*scores.cautions, *texts.cautions))
    return f"{body}\n\n{doubts}" if doubts else body
