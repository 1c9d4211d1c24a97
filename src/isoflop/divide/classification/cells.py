"""Read a column of affiliations, and if wanted one of e-mail domains, from any file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, closest

if TYPE_CHECKING:
    import polars as pl

LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
GUESSES = ("affiliation", "affiliations", "aff", "organisation", "organisations", "organization")
"""Names of a column of affiliations that are taken without being named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What was read.

    Parameters
    ----------
    name, column : str
        File and column.
    texts : tuple of str
        Affiliations of each row; blank where there are none.
    domains : tuple of str
        E-mail domains of each row.
    """

    name: str
    column: str
    texts: tuple[str, ...]
    domains: tuple[str, ...]


def read_cells(path: Path | str, column: str | None = None, domain_column: str | None = None) -> Cells:
    """Return the cells of a csv, tsv, JSON lines (plain or gzipped) or Parquet file.

    A cell may hold a list; its entries are joined by ";".

    Raises
    ------
    EvidenceError
        The file cannot be read, has no row, or has no such column.
    """
    path = Path(path)
    raw = _raw(path)
    if raw.height == 0:
        raise EvidenceError(
            f"classify: {path.name} has no data rows, needs at least one. Is it the right file?"
        )
    column = _column(raw.columns, column, path.name)
    texts = _texts(raw[column])
    if domain_column is None:
        domains = [""] * raw.height
    else:
        domains = _texts(raw[_column(raw.columns, domain_column, path.name)])
    return Cells(name=path.name, column=column, texts=tuple(texts), domains=tuple(domains))


def columns_of(path: Path | str) -> list[str]:
    """Return the names of the columns of a file."""
    return list(_raw(Path(path)).columns)


def _raw(path: Path) -> pl.DataFrame:
    from isoflop.evidence.read import read_file

    return _read_lines(path) if path.name.lower().endswith(LINES) else read_file(path)


def _read_lines(path: Path) -> pl.DataFrame:
    import polars as pl

    if not path.is_file():
        raise EvidenceError(f"classify: no file {path}. Check the path.")
    try:
        data = path.read_bytes()
        plain = gzip.decompress(data) if path.name.lower().endswith(".gz") else data
        return pl.read_ndjson(io.BytesIO(plain), infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError, EOFError) as error:
        raise EvidenceError(f"classify: {path.name} is not JSON lines ({error}). Write it anew.") from error


def _column(columns: Sequence[str], wanted: str | None, where: str) -> str:
    if wanted is None:
        lower = {name.lower(): name for name in columns}
        found = next((lower[guess] for guess in GUESSES if guess in lower), None)
        if found is None:
            raise EvidenceError(
                f"classify: {where} has no column named {', '.join(GUESSES[:3])}, needs one of affiliations. "
                f"Name it with --column; there are {', '.join(columns[:8])}."
            )
        return found
    if wanted not in columns:
        near = closest(wanted, columns)
        hint = f"closest is {near!r}" if near else f"there are {', '.join(columns[:8])}"
        raise EvidenceError(f"classify: column {wanted!r} not in {where}; {hint}. Name one that is there.")
    return wanted


def _texts(cells: pl.Series) -> list[str]:
    return [_text(cell) for cell in cells.to_list()]


def _text(cell: Any) -> str:
    if isinstance(cell, (list, tuple)):
        return ";".join(str(one) for one in cell if one is not None)
    return "" if cell is None else str(cell)
