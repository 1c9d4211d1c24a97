"""Read rows out of the files that results come in: csv, tsv, parquet, JSON and JSON lines.

A file that is cut off is refused with the line at which it ends, never read up to there.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.evidence.read import read_file

if TYPE_CHECKING:
    import polars as pl

TABLES = (".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")
LINES = (".jsonl", ".jsonl.gz", ".ndjson")
PICKLES = (".pkl", ".pickle", ".pt", ".bin", ".joblib")
ENDINGS = (*TABLES, *LINES, ".json")


def read_rows(path: Path) -> pl.DataFrame:
    """Return the rows of a table in a csv, tsv, parquet, JSON or JSON-lines file.

    Raises
    ------
    EvidenceError
        The file is absent, cut off, not UTF-8, of another format, or a pickle, which runs code when opened.
    """
    import polars as pl

    name = path.name.lower()
    if name.endswith(PICKLES):
        raise EvidenceError(
            f"load: {path.name} is a pickle, which runs code when it is opened, so it stays closed; needs a "
            "table. Save it as Parquet or CSV, e.g. frame.to_parquet('scores.parquet')."
        )
    if name.endswith(LINES):
        rows = [row for _, row in json_lines(path)]
    elif name.endswith(".json"):
        rows = read_json(path)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise EvidenceError(
                f"load: {path.name} holds no list of JSON objects, needs one object a row. Name an importer "
                "that knows the layout: isoflop routing import --help lists them."
            )
    elif name.endswith(TABLES):
        frame = read_file(path)
        if frame.height == 0:
            raise EvidenceError(_empty(path))
        return frame
    else:
        raise EvidenceError(
            f"load: {path.name}, needs one of {', '.join(ENDINGS)}. Save it as Parquet or CSV."
        )
    if not rows:
        raise EvidenceError(_empty(path))
    try:
        return pl.DataFrame(rows, infer_schema_length=None, strict=False)
    except pl.exceptions.PolarsError as error:
        raise EvidenceError(
            f"load: {path.name} is no table ({error}). Give every row the same keys."
        ) from error


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number, from 1, and its object; blank lines are passed over.

    Raises
    ------
    EvidenceError
        A line is no JSON object; the last one is probably cut off.
    """
    with _opened(path) as file:
        number = 0
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, number, path.name)
        except UnicodeDecodeError as error:
            raise EvidenceError(
                f"load: {path.name} is not UTF-8 after line {number} ({error.reason}). Save it as UTF-8."
            ) from error
        except (EOFError, gzip.BadGzipFile) as error:
            raise EvidenceError(
                f"load: {path.name} is no whole gzip file after line {number} ({error}). Fetch it again."
            ) from error


def read_json(path: Path) -> Any:
    """Return the one JSON value that a file holds.

    Raises
    ------
    EvidenceError
        The file is absent, not UTF-8, or its JSON is broken; the message names line and column.
    """
    try:
        return parse_json(path.read_bytes(), path.name)
    except OSError as error:
        raise EvidenceError(f"load: {path} cannot be read ({error.strerror}). Check the path.") from error


def parse_json(data: bytes, where: str) -> Any:
    """Return the JSON value of some bytes; `where` names them in messages."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise EvidenceError(f"load: {where} is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise EvidenceError(
            f"load: {where} is no whole JSON: line {error.lineno}, column {error.colno}, {error.msg}. "
            "Is the file cut off? Fetch or write it again."
        ) from error
    except RecursionError:
        raise EvidenceError(f"load: {where} is nested too deeply to be read. Is it the right file?") from None


def _empty(path: Path) -> str:
    return f"load: {path.name} has no rows, needs at least one. Is it the right file?"


def _opened(path: Path) -> Any:
    try:
        if path.name.lower().endswith(".gz"):
            return gzip.open(path, "rt", encoding="utf-8-sig")
        return path.open(encoding="utf-8-sig")
    except OSError as error:
        raise EvidenceError(f"load: {path} cannot be read ({error.strerror}). Check the path.") from error


def _object(line: str, number: int, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        cut = "" if line.endswith("\n") else " The line has no end: the file is probably cut off."
        raise EvidenceError(
            f"load: line {number} of {where} is no whole JSON ({error}).{cut} Remove the line or write the "
            "file again."
        ) from error
    if not isinstance(row, dict):
        raise EvidenceError(
            f"load: line {number} of {where} is {type(row).__name__}, needs a JSON object. Is it the right "
            "file?"
        )
    return row
