"""Read files and frames of any library into one raw frame, before anything is understood."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, MissingExtraError

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

SEPARATORS = {".csv": ",", ".tsv": "\t"}
NEWLINE = "\n"
SIGNS = (",", ";", "\t", "|")
SUFFIXES = (*SEPARATORS, ".csv.gz", ".tsv.gz", ".parquet")


def read_file(path: Path) -> pl.DataFrame:
    """Return the cells of a csv, tsv (plain or gzipped) or parquet file.

    Text formats give text columns: nothing is guessed from the first rows.

    Raises
    ------
    EvidenceError
        The file is absent, empty, of another format, not UTF-8, ragged, holds a NUL byte, or its header
        repeats or omits a name.
    """
    import polars as pl

    if not path.is_file():
        raise EvidenceError(
            f"load: no file {path}. Check the path, or list known tables with isoflop data list."
        )
    name = path.name.lower()
    if name.endswith(".parquet"):
        try:
            return pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise EvidenceError(
                f"load: {path.name} is no readable parquet file ({error}). Write it anew."
            ) from error
    separator = SEPARATORS.get(Path(name.removesuffix(".gz")).suffix)
    if separator is None:
        raise EvidenceError(f"load: {path.name}, needs one of {', '.join(SUFFIXES)}. Save the table as CSV.")
    return read_text(_bytes(path), separator, path.name)


def read_text(data: bytes, separator: str, where: str) -> pl.DataFrame:
    """Return the text cells of delimited data; quoted fields may hold line breaks."""
    import polars as pl

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceError(f"load: {where} is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    if (at := text.find("\0")) >= 0:
        raise EvidenceError(
            f"load: line {1 + text.count(NEWLINE, 0, at)} of {where} holds a NUL byte, needs plain text. "
            "Save the table anew as UTF-8, or remove the byte."
        )
    if not text.strip():
        raise EvidenceError(
            f"load: {where} is empty, needs a header and at least one row. Is it the right file?"
        )
    text = text.lstrip("\r\n")
    header = next(csv.reader(io.StringIO(text), delimiter=separator))
    check_header(header, where)
    other = next((sign for sign in SIGNS if sign != separator and sign in header[0]), None)
    if len(header) == 1 and other is not None:
        raise EvidenceError(
            f"load: {where} has one column, named {header[0]!r}, needs columns separated by {separator!r}. "
            f"The separator seems to be {other!r}: save the table with {separator!r}."
        )
    _refuse_ragged(text, separator, len(header), where)
    try:
        return pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)
    except pl.exceptions.NoDataError:
        return pl.DataFrame({name: [] for name in header}, schema=dict.fromkeys(header, pl.String))
    except pl.exceptions.PolarsError as error:
        raise EvidenceError(
            f"load: {where} is not readable as a table ({error}). Check quotes and separators."
        ) from error


def check_header(header: list[str], where: str) -> None:
    """Refuse a header with a repeated or an empty name."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise EvidenceError(
            f"load: column {twice[0]!r} occurs {header.count(twice[0])} times in the header of {where}, "
            "needs distinct names. Rename or remove one."
        )


def from_frame(frame: Any, where: str) -> pl.DataFrame:
    """Return a Polars frame from a pandas, Polars, Arrow or other frame that Narwhals knows."""
    import narwhals as nw
    import polars as pl

    if isinstance(frame, pl.DataFrame):
        # in pieces (concatenated, filtered): Polars 2.1 panics on some expressions over text columns
        return frame.rechunk()
    if isinstance(frame, pl.LazyFrame):
        return frame.collect().rechunk()
    columns = getattr(frame, "columns", None)
    if columns is not None and not callable(columns) and all(isinstance(c, str) for c in columns):
        check_header(list(columns), where)
    try:
        known = nw.from_native(frame, eager_only=True)
    except (TypeError, ValueError) as error:
        raise EvidenceError(
            f"load: {type(frame).__name__}, needs a path, the name of an embedded table or a data frame "
            "(pandas, Polars, Arrow). Convert it first."
        ) from error
    except ImportError as error:
        raise MissingExtraError(
            f"load: reading {type(frame).__name__} needs {error.name}. Install it."
        ) from error
    return pl.DataFrame([_series(name, known[name]) for name in known.columns])


def _series(name: str, column: nw.Series[Any]) -> pl.Series:
    """Return one column; every library's own mark for a missing value becomes null."""
    import polars as pl

    pairs = zip(column.to_list(), column.is_null().to_list(), strict=True)
    values = [None if missing else value for value, missing in pairs]
    try:
        return pl.Series(name, values)
    except (TypeError, pl.exceptions.PolarsError):
        # Object columns may mix numbers and text: as text each cell is judged by its column's rule.
        return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            return gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise EvidenceError(
                f"load: {path.name} is no whole gzip file ({error}). Fetch it again."
            ) from error
    return data


def _refuse_ragged(text: str, separator: str, width: int, where: str) -> None:
    """Refuse the first row with too many or too few cells; a cut-off file ends in one."""
    number = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator)):
            if row and len(row) != width:
                hint = "Quote cells that hold the separator." if len(row) > width else "Is the file cut off?"
                raise EvidenceError(
                    f"load: {where}, row {number}: {len(row)} cells, needs {width} as in the header. {hint}"
                )
    except csv.Error as error:
        raise EvidenceError(
            f"load: {where}, after row {number}: {error}. Is a quotation mark left open?"
        ) from error
