"""Readers of one part of `works`, behind one interface: the rows are the same, the pace is not.

``typed`` parses every record; ``scan`` searches bytes and checks itself (opt in); ``duckdb`` is that
engine's own JSON reader. Parquet parts go through ``polars``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, Literal, cast

from isoflop.errors import SettingError
from isoflop.evidence.openalex.readers.interface import Reader
from isoflop.evidence.openalex.snapshot import Format
from isoflop.evidence.openalex.wanted import Wanted

ReaderName = Literal["auto", "typed", "scan", "duckdb", "polars"]

READERS: Final[dict[Format, tuple[ReaderName, ...]]] = {
    "jsonl": ("typed", "scan", "duckdb"),
    "parquet": ("polars",),
}
"""Readers of each format; the first is what ``auto`` takes."""
_MODULES: Final = {"typed": "typed", "scan": "scan", "duckdb": "duckdb_json", "polars": "parquet"}


def reader_for(name: ReaderName, format: Format, wanted: Wanted) -> Reader:
    """Return the reader of this name for a format.

    Raises
    ------
    SettingError
        It cannot read the format, or not what is wanted.
    """
    choices = READERS[format]
    if name == "auto":
        name = choices[0]
    if name not in choices:
        raise SettingError(
            f"--reader: {name} cannot read {format}, must be one of {', '.join(('auto', *choices))}. Use "
            "auto."
        )
    if name == "scan" and not wanted.plain:
        raise SettingError(
            "--reader: scan sees neither ids of institutions nor texts, so overrides, parents, topics and "
            "models are beyond it. Use typed."
        )
    return cast(Reader, import_module(f"isoflop.evidence.openalex.readers.{_MODULES[name]}").read)
