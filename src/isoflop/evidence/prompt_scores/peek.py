"""What a file begins with, for recognising its layout; nothing is refused here."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HEAD = 1 << 16
"""Bytes looked at."""


def header_of(path: Path) -> tuple[str, ...]:
    """Return the column names of a table; none where it has no header that can be read."""
    name = path.name.lower()
    if not path.is_file():
        return ()
    if name.endswith(".parquet"):
        import polars as pl

        try:
            return tuple(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError):
            return ()
    if _separator(path) is None:
        return tuple(first_record(path))
    return tuple(next(_lines(path), ()))


def first_row(path: Path) -> Mapping[str, str]:
    """Return the first row of a delimited text table by column name; empty where there is none."""
    if not path.is_file() or _separator(path) is None:
        return {}
    lines = _lines(path)
    header, row = next(lines, []), next(lines, [])
    return dict(zip(header, row, strict=False))


def first_record(path: Path) -> Mapping[str, Any]:
    """Return the first object of a JSON array or of JSON lines; empty where there is none."""
    if not path.is_file() or not path.name.lower().endswith((".json", ".jsonl", ".ndjson", ".jsonl.gz")):
        return {}
    text = _head(path).lstrip("\ufeff \t\r\n[")
    try:
        record = json.JSONDecoder().raw_decode(text)[0]
    except (json.JSONDecodeError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _separator(path: Path) -> str | None:
    return {".csv": ",", ".tsv": "\t"}.get(Path(path.name.lower().removesuffix(".gz")).suffix)


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the cells of each row of the head, as far as it can be read."""
    try:
        yield from csv.reader(io.StringIO(_head(path).lstrip("\ufeff")), delimiter=_separator(path) or ",")
    except csv.Error:
        return


def _head(path: Path) -> str:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            return file.read(HEAD).decode("utf-8", errors="replace")
    except (OSError, EOFError):
        return ""
