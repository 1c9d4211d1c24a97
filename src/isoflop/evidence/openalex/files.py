"""Parquet files that appear whole or not at all, also when the power fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

ROW_GROUP = 1 << 17
"""Rows of a group of the finished table: engines read groups side by side and skip by their ranges."""
PART_ROW_GROUP = 1 << 14
"""Rows of a group of a part: small, because de-duplication reads one range of ids from every part."""


def write_part(frame: pl.DataFrame, path: Path) -> None:
    """Write narrow rows to a temporary file and put it on the disk; `settle` gives it its name.

    Raises
    ------
    SourceError
        The disk is full, or the folder cannot be written.
    """
    try:
        frame.write_parquet(path, compression="zstd", statistics=True, row_group_size=PART_ROW_GROUP)
    except OSError as reason:
        raise cannot_write(path, reason) from None


def settle(temporary: Path, final: Path) -> None:
    """Give a temporary file its final name, both on the disk.

    Raises
    ------
    SourceError
        The disk is full, or the folder cannot be written.
    """
    try:
        _sync(temporary)
        temporary.replace(final)
        if os.name == "posix":
            _sync(final.parent)
    except OSError as reason:
        raise cannot_write(final, reason) from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cannot_write(path: Path, reason: OSError) -> SourceError:
    """Return the error for a file that could not be written."""
    return SourceError(
        f"{path}: {reason.strerror or reason}, needs room and the right to write there. Make room and run "
        "again: parts that are done stay done."
    )
