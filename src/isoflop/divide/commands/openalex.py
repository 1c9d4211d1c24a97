"""``isoflop divide plan``, ``extract`` and ``status``: from an OpenAlex snapshot to a narrow table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.evidence.openalex.plan import Plan
    from isoflop.evidence.openalex.result import Extraction, Status
    from isoflop.findings import Finding

READERS = ["auto", "typed", "scan", "duckdb", "polars"]
LINEAGE = ["own", "parent"]
SHOWN = 20
"""Rows of a list of parts on a terminal; the JSON has them all."""

_format_option = click.option(
    "--format",
    "layout",
    type=Word(["jsonl", "parquet"]),
    help="Which copy of the works; default: Parquet where there is one.",
)


@click.command(cls=Verb, short_help="What of an OpenAlex snapshot is to be downloaded?")
@click.argument("source", metavar="MANIFEST|DIR")
@_format_option
@click.option("--since", metavar="DATE", help="Only partitions of this date and later: what a refresh needs.")
@click.option("--have", metavar="DIR", help="Snapshot folder; files that lie there whole are left out.")
@json_option
def plan(source: str, layout: str | None, since: str | None, have: str | None, as_json: bool) -> None:
    """List the files of works that a manifest names, or that lie in a folder, and their size.

    Nothing is downloaded: the page of OpenAlex's snapshot says how, and the lines printed do it.
    """
    from isoflop.errors import SettingError
    from isoflop.evidence.openalex.plan import plan as plan_snapshot
    from isoflop.present.console import emit

    if since is not None:
        since = _iso_date(since)
    if not Path(source).exists():
        raise SettingError(
            f"plan: {source}, no such file or folder. Name the manifest.json of a snapshot, or its folder."
        )
    found = plan_snapshot(source, format=layout, since=since, have=have)  # type: ignore[arg-type]
    rows = found.frame().to_dicts()
    emit(_plan_document(found, rows), as_json=as_json, text=lambda: _plan_text(found))


def _iso_date(text: str) -> str:
    import datetime as dt

    from isoflop.errors import SettingError

    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise SettingError(f"--since: {text!r}, needs a date as YYYY-MM-DD. Write 2026-06-24, say.") from None


def _plan_document(found: Plan, rows: list[dict[str, Any]]) -> Any:
    from isoflop.findings import Document

    return Document(tables={"plan": [found.to_dict()], "parts": rows})


def _plan_text(found: Plan) -> str:
    from isoflop.present.pages import cautions_text

    return "\n\n".join(part for part in (found.summary(), cautions_text(found.cautions)) if part)


@click.command(
    cls=Verb,
    short_help="Read an OpenAlex snapshot into a narrow Parquet table.",
    headings={
        "What is kept": ("keywords", "adoption", "overrides", "lineage", "institutions"),
        "How it is read": ("layout", "reader", "workers", "restart"),
    },
)
@click.argument("source", metavar="DIR")
@click.option("--out", required=True, metavar="FILE", help="The table; OUT.parts beside it keeps the ledger.")
@click.option(
    "--keywords",
    metavar="embedded|FILE",
    help="Topics looked for in titles and abstracts: CSV of name, pattern.",
)
@click.option(
    "--adoption",
    metavar="embedded|FILE",
    help="Models looked for: CSV of name, pattern and work_ids (papers cited, separated by ';').",
)
@click.option(
    "--overrides", metavar="FILE", help="CSV of id, type: institutions that OpenAlex types wrongly."
)
@click.option(
    "--lineage",
    type=Word(LINEAGE),
    default="own",
    show_default=True,
    help="With 'parent' a lab counts as a company where an institution above it is one.",
)
@click.option("--institutions", metavar="DIR", help="The snapshot's institutions, for --lineage parent.")
@_format_option
@click.option(
    "--reader",
    type=Word(READERS),
    default="auto",
    show_default=True,
    help="How parts are read; scan searches bytes instead of parsing, and checks itself as it goes.",
)
@click.option("--workers", type=Number(int, 2), default=1, show_default=True, help="Processes side by side.")
@click.option("--restart", is_flag=True, help="Forget what was read before.")
@json_option
@click.pass_context
def extract(
    context: click.Context,
    source: str,
    out: str,
    keywords: str | None,
    adoption: str | None,
    overrides: str | None,
    lineage: str,
    institutions: str | None,
    layout: str | None,
    reader: str,
    workers: int,
    restart: bool,
    as_json: bool,
) -> None:
    """Read the works of the snapshot in DIR, part by part, each work once, a few bytes each.

    Killed and run again it goes on where it stood; parts already read and unchanged are not read again.
    A part that cannot be read is named, the others go on, and the exit code is 2.
    """
    from isoflop.evidence.openalex import extract as extract_snapshot
    from isoflop.evidence.openalex.choose import wanted_from
    from isoflop.present.console import emit, progress_bars

    wanted = wanted_from(
        keywords=keywords,
        adoption=adoption,
        overrides=overrides,
        institutions=institutions,
        parents=lineage == "parent",
    )
    with progress_bars() as tell:
        found = extract_snapshot(
            source,
            out,
            wanted=wanted,
            reader=reader,  # type: ignore[arg-type]
            format=layout,  # type: ignore[arg-type]
            workers=workers,
            restart=restart,
            progress=tell,
        )
    emit(_extract_document(found), as_json=as_json, text=lambda: _extract_text(found))
    if found.refused:
        context.exit(2)


def _extract_document(found: Extraction) -> Any:
    from isoflop.findings import Document

    return Document(
        findings=(_unknown_share(found),),
        tables={"extraction": [found.to_dict()], "parts": found.frame().to_dicts()},
    )


def _unknown_share(found: Extraction) -> Finding:
    """Return the share of works without a known team, to be said with every share."""
    import polars as pl

    from isoflop.findings import Estimate, Finding, Provenance

    teams = pl.scan_parquet(found.path).select((pl.col("team") == 0).mean()).collect().item()
    provenance = Provenance(
        name=found.path.name,
        source="OpenAlex snapshot (CC0)",
        kind="own",
        rows_used=found.works,
        rows_dropped=found.duplicates + found.merged,
        fingerprint=found.content,
    )
    return Finding(
        id="divide.works_unknown_share",
        instrument="divide",
        label="works whose team is unknown",
        estimate=Estimate(value=teams, unit="1"),
        method="no author of the work has an institution of known type in OpenAlex; a count of all works",
        n=found.works,
        evidence=(provenance,),
        cautions=found.cautions,
    )


def _extract_text(found: Extraction) -> str:
    from isoflop.present.pages import page

    refused = [{"part": entry.name, "reason": entry.reason} for entry in found.refused]
    return page(
        found.summary(), [_unknown_share(found)], [], ("Refused", _columns("part", "reason"), refused)
    )


def _columns(*names: str) -> tuple[Any, ...]:
    from isoflop.present.chapter import Column

    return tuple(
        Column(name=n, label=n, format="count") if n in ("records", "bytes") else Column(name=n, label=n)
        for n in names
    )


@click.command(cls=Verb, short_help="What was read of a snapshot, and what was not?")
@click.argument("table", metavar="FILE")
@json_option
def status(table: str, as_json: bool) -> None:
    """Say what the ledger beside FILE, the table given to extract, holds of each part.

    It may be asked while extract is running.
    """
    from isoflop.evidence.openalex import status as status_of
    from isoflop.findings import Document
    from isoflop.present.console import emit

    found = status_of(table)
    rows = found.frame().to_dicts()
    document = Document(tables={"status": [found.to_dict()], "parts": rows})
    emit(document, as_json=as_json, text=lambda: _status_text(found, rows))


def _status_text(found: Status, rows: list[dict[str, Any]]) -> str:
    from isoflop.present.pages import cautions_text, page

    noted = [row for row in rows if row["state"] != "done"] or rows
    columns = _columns("part", "state", "records", "reason")
    title = (
        "Parts" if len(noted) <= SHOWN else f"Parts (the first {SHOWN} of {len(noted):,}; all with --json)"
    )
    text = page(found.summary(), [], [], (title, columns, noted[:SHOWN]))
    return "\n\n".join(part for part in (text, cautions_text(found.cautions)) if part)
