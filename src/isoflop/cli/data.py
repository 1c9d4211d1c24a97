"""``isoflop data``: list, pull, import and check public tables, and say where evidence lies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError, SourceError
from isoflop.present.options import Verb, VerbGroup, json_option

if TYPE_CHECKING:
    from isoflop.evidence.sources import Source
    from isoflop.present.chapter import Progress

_HEADS = {"name": "name", "instrument": "for", "size": "size", "licence": "licence", "state": "state"}


@click.group(cls=VerbGroup)
def data() -> None:
    """List, pull, check and import public tables."""


@data.command("list", cls=Verb)
@click.option("--instrument", metavar="NAME", help="Only the files of one instrument.")
@json_option
def list_(instrument: str | None, as_json: bool) -> None:
    """List the registered public files and the tables that ship."""
    from isoflop.evidence import EMBEDDED
    from isoflop.evidence.pull import check
    from isoflop.findings import Document
    from isoflop.present.console import emit, grid

    entries = _of(instrument)
    states = check([entry.name for entry in entries])
    rows = [{**_row(entry), "state": states[entry.name]} for entry in entries]
    shipped = [{"name": table.name, "schema": table.schema, "doc": table.doc} for table in EMBEDDED.values()]

    def text() -> str:
        shown = [{head: str(row[head]) for head in _HEADS if head in row} | _size(row) for row in rows]
        facts = "\n".join(f"  {table['name']}: {table['doc']}" for table in shipped)
        return f"{grid(_HEADS, shown, right=('size',))}\n\nShipped facts\n{facts}"

    emit(Document(tables={"sources": rows, "shipped": shipped}), as_json=as_json, text=text)


@data.command(cls=Verb)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Pull every registered file.")
@click.option("--instrument", metavar="NAME", help="Pull every file of one instrument.")
@json_option
def pull(names: tuple[str, ...], everything: bool, instrument: str | None, as_json: bool) -> None:
    """Download public files, verify and store them; print licence and citation.

    Files that are there already are verified and left alone. An interrupted download goes on
    where it stopped.
    """
    from isoflop.evidence import sources
    from isoflop.evidence.pull import pull as fetch
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars, say, wrap

    entries = [sources.source(name) for name in names]
    if everything or instrument:
        entries += [entry for entry in _of(instrument) if entry not in entries]
    if not entries:
        raise SettingError(
            "data pull: no file named, needs NAME, --instrument or --all. See isoflop data list."
        )
    rows, failed = [], []
    with progress_bars() as bars:
        for entry in entries:
            try:
                done = fetch(entry.name, progress=partial(_report, bars, entry.name))
            except SourceError as error:
                failed.append(str(error))
                continue
            rows.append(
                {
                    **_row(entry),
                    "file": str(done.path),
                    "downloaded": done.downloaded,
                    "resumed_from": done.resumed_from,
                }
            )

    def text() -> str:
        return "\n".join(
            f"{row['name']}: {'stored' if row['downloaded'] else 'already verified'} at {row['file']}\n"
            + wrap(f"licence {row['licence']}; cite {row['citation']}", indent="  ")
            for row in rows
        )

    if rows or not failed:
        emit(Document(tables={"pulled": rows}), as_json=as_json, text=text)
    for message in failed[:-1]:
        say(message)
    if failed:
        raise SourceError(failed[-1])


@data.command("import", cls=Verb)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def import_(name: str, file: Path, as_json: bool) -> None:
    """Store FILE, fetched by other means, as the registered file NAME after verifying it."""
    from isoflop.evidence.pull import import_file
    from isoflop.findings import Document
    from isoflop.present.console import emit, wrap

    done = import_file(file, name)
    row = {**_row(done.source), "file": str(done.path)}
    emit(
        Document(tables={"imported": [row]}),
        as_json=as_json,
        text=f"{row['name']}: stored at {row['file']}\n"
        + wrap(f"licence {row['licence']}; cite {row['citation']}", indent="  "),
    )


@data.command(cls=Verb)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Verify the stored files again, by size and digest."""
    from isoflop.evidence.pull import check as verify
    from isoflop.findings import Document
    from isoflop.present.console import emit

    states = verify(names or None)
    rows = [{"name": name, "state": state} for name, state in states.items()]
    bad = [name for name, state in states.items() if state == "changed"]

    def text() -> str:
        stored = [f"{name}: {state}" for name, state in states.items() if names or state != "absent"]
        return "\n".join(stored) or "nothing is stored; fetch files with isoflop data pull NAME"

    emit(Document(tables={"files": rows}), as_json=as_json, text=text)
    if bad:
        raise SourceError(
            f"data check: {', '.join(bad)} differ from the registered digest. Fetch again: "
            f"isoflop data pull {' '.join(bad)}"
        )


@data.command(cls=Verb)
@click.option("--evidence", metavar="DIR|embedded", help="The place to describe; default: as every command.")
@json_option
def where(evidence: str | None, as_json: bool) -> None:
    """Say where evidence is taken from, and where pulled files are stored."""
    from isoflop.evidence import locate
    from isoflop.evidence.pull import cache_folder
    from isoflop.findings import Document
    from isoflop.present.console import emit

    library = locate(evidence)
    row = {
        "folder": str(library.folder) if library.folder else None,
        "kind": library.kind,
        "chosen_by": library.chosen_by,
        "cache": str(cache_folder()),
        "tables": list(library.available()),
    }
    lines = {"evidence": library.describe(), "cache": row["cache"], "tables": ", ".join(library.available())}
    text = "\n".join(f"{name:<10}{value}" for name, value in lines.items())
    emit(Document(tables={"where": [row]}), as_json=as_json, text=text)


def _of(instrument: str | None) -> list[Source]:
    from isoflop.evidence.sources import sources

    known = dict.fromkeys(entry.instrument for entry in sources().values())
    if instrument is not None and instrument not in known:
        raise SettingError(f"data: --instrument {instrument!r}, needs one of {', '.join(known)}.")
    return [entry for entry in sources().values() if instrument in (None, entry.instrument)]


def _report(bars: Progress, name: str, size: int, whole: int) -> None:
    bars(name, size / whole)


def _row(entry: Source) -> dict[str, object]:
    return {
        "name": entry.name,
        "instrument": entry.instrument,
        "bytes": entry.bytes,
        "licence": entry.licence,
        "citation": entry.citation,
        "address": entry.address(),
        "sha256": entry.sha256,
        "place": entry.local,
    }


def _size(row: dict[str, object]) -> dict[str, str]:
    size = int(str(row["bytes"]))
    small = f"{size} B" if size < 1000 else f"{size / 1e3:.0f} kB"
    return {"size": small if size < 1e6 else f"{size / 1e6:.1f} MB"}
