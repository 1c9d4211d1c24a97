"""Read a run: its folder, a bundle, or a bare table of results. Targets that nobody has seen are welcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.evidence.portability import PORTABILITY_RESULTS, RESULTS_VERSION
from isoflop.portability.runs import Run

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

TABLES = ("results.parquet", "results.csv.gz", "results.csv")
KEY = PORTABILITY_RESULTS.key


def read_run(path: str | Path) -> Run:
    """Return the run at a path.

    Parameters
    ----------
    path : path
        A folder of ``isoflop portability run``, finished or not; a bundle; or a table in the columns of
        schema ``portability_results`` (csv, csv.gz, parquet, or JSON lines).

    Returns
    -------
    Run

    Raises
    ------
    EvidenceError
        There is no run, a newer version wrote it, a row breaks a rule, or one task has two results.

    Notes
    -----
    A folder whose table was not written yet is read from its journal; a torn last line is left out.
    """
    place = Path(path)
    if place.is_dir():
        return _folder(place)
    if not place.is_file():
        raise EvidenceError(
            f"read_run: nothing at {place}, needs a folder, bundle or table of results. Check the path."
        )
    if place.suffix == ".zip":
        from isoflop.portability.results.bundle import read_bundle

        return read_bundle(place)
    if place.suffix == ".jsonl":
        from isoflop.portability.engine.journal import read_lines

        return run_of(table_of(read_lines(place), place.stem))
    from isoflop.evidence import load

    return run_of(load(place, schema=PORTABILITY_RESULTS.name))


def run_of(table: Table, about: Sequence[Mapping[str, Any]] = ()) -> Run:
    """Return a table of results as a run, with what is known of each of its runs.

    Raises
    ------
    EvidenceError
        A newer version wrote the table, or one task has two results.
    """
    newest = table.frame["schema_version"].max()
    if isinstance(newest, (int, float)) and newest > RESULTS_VERSION:
        raise EvidenceError(
            f"read_run: {table.name} has version {newest:g} of the columns, this isoflop reads up to "
            f"{RESULTS_VERSION}. Update isoflop."
        )
    twice = repeated(table.frame)
    if twice.height:
        first = twice.row(0, named=True)
        raise EvidenceError(
            f"read_run: {twice.height} keys of {table.name} stand twice (first: run {first['run_id']}, task "
            f"{first['task_id']}, repeat {first['repeat']:g}), needs one result each. Drop the copies, or "
            "merge the files one by one."
        )
    known = {str(one["run_id"]): one for one in about}
    return Run(
        table=replace(table, kind="measured"),
        about={
            name: {key: value for key, value in one.items() if key != "certificate"}
            for name, one in known.items()
        },
        certificate={name: one["certificate"] for name, one in known.items() if one.get("certificate")},
    )


def table_of(rows: Sequence[Mapping[str, Any]], name: str) -> Table:
    """Return rows as a validated table; keys that the schema does not know are left out.

    Raises
    ------
    EvidenceError
        There is no row, or a row breaks a rule.
    """
    import polars as pl

    from isoflop.evidence import load

    if not rows:
        raise EvidenceError(f"read_run: {name} holds no result, needs at least one. Let the run go on.")
    names = [one for one in PORTABILITY_RESULTS.names if any(one in row for row in rows)]
    plain = [{one: row.get(one) for one in names} for row in rows]
    frame = pl.DataFrame(plain, infer_schema_length=None, strict=False)
    return load(frame, schema=PORTABILITY_RESULTS.name, name=name)


def repeated(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the keys that stand more than once."""
    import polars as pl

    return frame.group_by(KEY).len().filter(pl.col("len") > 1).sort(KEY)


def _folder(folder: Path) -> Run:
    from isoflop.evidence import load
    from isoflop.portability.engine.journal import ABOUT, JOURNAL, read_lines

    about = _about(folder / ABOUT) if (folder / ABOUT).is_file() else None
    rows = read_lines(folder / JOURNAL)
    if rows:
        table = table_of(rows, folder.name)
        return run_of(replace(table, source=str(folder)), [about] if about else [])
    here = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if here is None:
        raise EvidenceError(
            f"read_run: {folder} holds neither {JOURNAL} nor {TABLES[0]}, needs one of them. "
            "Name the folder given as --out."
        )
    known = [about] if about else []
    if about and "runs" in about:
        known = list(about["runs"])
    return run_of(load(here, schema=PORTABILITY_RESULTS.name, name=folder.name), known)


def _about(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EvidenceError(
            f"read_run: {path.name} of {path.parent} is no JSON ({error}). Restore the file."
        ) from error
    if not isinstance(found, dict) or not ("run_id" in found or "runs" in found):
        raise EvidenceError(
            f"read_run: {path.name} of {path.parent} names no run, needs run_id. Restore the file."
        )
    return found
