"""``isoflop portability merge`` and ``bundle``: results of many computers as one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Word

if TYPE_CHECKING:
    from isoflop.portability.runs import Run
    from isoflop.present.chapter import Column


@click.command(cls=Verb, short_help="Join runs of several computers or sessions.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--on-conflict",
    type=Word(("refuse", "keep_both")),
    default="refuse",
    show_default=True,
    help="One task of one run with two results: refuse, or keep the second under a marked run id.",
)
@click.option("--out", metavar="PATH", help="Write a table (.parquet, .csv.gz, .csv) or a folder.")
@json_option
def merge(runs: tuple[str, ...], on_conflict: str, out: str | None, as_json: bool) -> None:
    """Join results: a union on run, task and repeat; what several hold stands once.

    RUN is a folder, bundle or table of results. The order of runs does not matter.
    """
    from isoflop.findings import Document
    from isoflop.portability.results import conflicts, read_run, write_results
    from isoflop.portability.results import merge as join
    from isoflop.present.console import emit, say

    read = [read_run(path) for path in runs]
    found = join(*read, on_conflict=on_conflict)  # type: ignore[arg-type]
    if out is not None:
        say(f"wrote {write_results(found, out)}")
    tables = {
        "runs": run_rows(found),
        "conflicts": conflicts(*read).to_dicts() if on_conflict == "keep_both" else [],
    }
    emit(Document(tables=tables), as_json=as_json, text=lambda: _text(found, tables))


@click.command(cls=Verb, short_help="Pack a run into one file that tells nothing of the computer.")
@click.argument("run", metavar="RUN")
@click.argument("out", metavar="OUT.zip")
@json_option
def bundle(run: str, out: str, as_json: bool) -> None:
    """Pack results with a manifest of digests: no path, host or user name, no environment, no tensors.

    RUN is a folder or table of results. Reading refuses a bundle that was altered.
    """
    from isoflop.findings import Document
    from isoflop.portability.results import bundle as pack
    from isoflop.portability.results import read_run
    from isoflop.present.console import emit

    found = read_run(run)
    place = pack(found, out)
    tables = {"runs": run_rows(found), "bundle": [{"path": str(place), "bytes": place.stat().st_size}]}
    emit(Document(tables=tables), as_json=as_json, text=lambda: f"wrote {place}\n\n{_text(found, tables)}")


def run_rows(found: Run) -> list[dict[str, Any]]:
    """Return one row a run and target: its results, functions and computers."""
    import polars as pl

    return (
        found.frame()
        .group_by("run_id", "framework", "target")
        .agg(
            pl.len().alias("results"),
            pl.col("function").n_unique().alias("functions"),
            pl.col("host_hash").n_unique().alias("computers"),
        )
        .sort("run_id", "framework", "target")
        .to_dicts()
    )


def _text(found: Run, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.pages import cautions_text, page

    lead = page(
        f"{found.frame().height} results of {found.frame()['run_id'].n_unique()} runs",
        (),
        (),
        ("Runs", _columns(), tables["runs"]),
        ("Tasks with more than one result", _conflict_columns(), tables.get("conflicts", [])),
    )
    return "\n\n".join(part for part in (lead, cautions_text(found.cautions)) if part)


def _columns() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="run_id", label="run"),
        Column(name="target", label="target"),
        Column(name="results", label="results", format="count"),
        Column(name="functions", label="functions", format="count"),
        Column(name="computers", label="computers", format="count"),
    )


def _conflict_columns() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="run_id", label="run"),
        Column(name="task_id", label="task"),
        Column(name="function", label="function"),
        Column(name="target", label="target"),
        Column(name="status", label="status"),
        Column(name="median_s", label="seconds", format="number"),
    )
