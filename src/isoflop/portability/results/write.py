"""Write a run as a table that anything can read."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import SettingError
from isoflop.evidence.portability import PORTABILITY_RESULTS
from isoflop.findings import json_ready, write_atomically

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.runs import Run

FORMATS = (".parquet", ".csv.gz", ".csv")


def write_results(run: Run, path: str | Path) -> Path:
    """Write the results of a run, whole or not at all.

    Parameters
    ----------
    run : Run
    path : path
        A file that ends in .parquet, .csv.gz or .csv; anything else is a folder, which gets
        ``results.parquet`` and ``run.json``.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    SettingError
        The folder holds a run already.
    """
    place = Path(path)
    if place.name.endswith(FORMATS):
        write_atomically(place, table_bytes(run.frame(), place.name))
        return place
    if (place / "run.json").exists():
        raise SettingError(f"write_results: {place} holds a run already. Choose another folder.")
    table = place / "results.parquet"
    write_atomically(table, table_bytes(run.frame(), table.name))
    write_atomically(place / "run.json", json.dumps({"runs": about_rows(run)}, indent=1) + "\n")
    return table


def about_rows(run: Run) -> list[dict[str, Any]]:
    """Return what is known of each run, certificates included, in the order of their ids."""
    names = sorted({*run.about, *run.certificate})
    return [
        json_ready({**run.about.get(name, {}), "run_id": name, "certificate": run.certificate.get(name)})
        for name in names
    ]


def table_bytes(frame: pl.DataFrame, name: str) -> bytes:
    """Return a frame in the format that a name ends in; the same rows give the same bytes of csv."""
    chosen = frame.select(PORTABILITY_RESULTS.names)
    if name.endswith(".parquet"):
        buffer = io.BytesIO()
        chosen.write_parquet(buffer, compression="zstd")
        return buffer.getvalue()
    text = chosen.write_csv().encode()
    # A time in the header would make equal tables differ.
    return gzip.compress(text, mtime=0) if name.endswith(".gz") else text
