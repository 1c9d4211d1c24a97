"""Join narrow parts: each work once, its newest record, in the order of ids, in constant memory.

The parts are sorted by id, so one range of ids after the other is read from all of them, sorted and
thinned. The range is chosen for its number of rows; memory does not grow with the number of parts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from isoflop.evidence.openalex.files import ROW_GROUP, cannot_write, settle
from isoflop.evidence.openalex.narrow import METADATA, concat

if TYPE_CHECKING:
    import polars as pl

ROWS = 500_000
"""Rows of a range: joining two million works then peaked at 0.4 GB, at a million rows at 0.6 GB."""
_FINE = 18
"""Ranges end at multiples of 2^18 ids: fine enough, since so many ids hold at most as many works."""

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Rows of the finished table, and how many records were dropped to reach them."""

    works: int
    duplicates: int
    merged: int


def assemble(
    parts: Sequence[Path],
    out: Path,
    *,
    merged: Ids,
    metadata: Mapping[str, Any],
    rows: int = ROWS,
    tell: Callable[[float], None] = lambda _fraction: None,
) -> Joined:
    """Write the finished table.

    Of several records of a work the newest counts; among those of one day, that of the later part, and
    of the later line within a part.

    Parameters
    ----------
    parts : sequence of Path
        Narrow parts in the order of their names.
    out : Path
    merged : array of int
        Works merged into others, sorted: dropped.
    metadata : mapping
        What the file is to say of itself.
    rows : int
        Rows aimed at in one range.
    tell : callable
        Takes the fraction done.

    Raises
    ------
    SourceError
        The disk is full, or the folder cannot be written.
    """
    import polars as pl

    total = kept = removed = 0
    ranges = list(id_ranges(parts, rows))
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        pieces = [Path(folder) / f"{i:06d}.parquet" for i in range(max(len(ranges), 1))]
        try:
            concat([]).write_parquet(pieces[0])
            for piece, (low, high) in zip(pieces, ranges, strict=False):
                frame = _range(parts, low, high)
                total += frame.height
                alive = frame.filter(~pl.Series(np.isin(frame["work_id"].to_numpy(), merged)))
                removed += frame.height - alive.height
                newest = newest_of_each(alive)
                kept += newest.height
                newest.write_parquet(piece, compression="lz4")
                tell(0.9 * (int(piece.stem) + 1) / len(pieces))
            temporary = Path(folder) / "table.parquet"
            facts = {**metadata, "works": kept, "duplicates": total - removed - kept, "merged": removed}
            pl.scan_parquet(pieces).sink_parquet(
                temporary,
                compression="zstd",
                compression_level=9,
                statistics=True,
                row_group_size=ROW_GROUP,
                maintain_order=True,
                metadata={METADATA: json.dumps(facts, sort_keys=True)},
            )
        except OSError as reason:
            raise cannot_write(out, reason) from None
        settle(temporary, out)
    tell(1.0)
    return Joined(works=kept, duplicates=total - removed - kept, merged=removed)


def id_ranges(parts: Sequence[Path], rows: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids, both ends included, that hold about `rows` records each."""
    import polars as pl

    counts: dict[int, int] = {}
    for part in parts:
        ids = pl.read_parquet(part, columns=["work_id"])["work_id"].to_numpy() >> _FINE
        for piece, count in zip(*np.unique(ids, return_counts=True), strict=True):
            counts[int(piece)] = counts.get(int(piece), 0) + int(count)
    low, held, last = None, 0, 0
    for piece in sorted(counts):
        if low is not None and held + counts[piece] > rows:
            yield low << _FINE, ((last + 1) << _FINE) - 1
            low, held = None, 0
        low = piece if low is None else low
        held, last = held + counts[piece], piece
    if low is not None:
        yield low << _FINE, ((last + 1) << _FINE) - 1


def _range(parts: Sequence[Path], low: int, high: int) -> pl.DataFrame:
    import polars as pl

    return pl.scan_parquet(list(parts)).filter(pl.col("work_id").is_between(low, high)).collect()


def newest_of_each(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the last record of each work by date, in the order of ids; a missing date is the oldest."""
    import polars as pl

    ordered = frame.sort("work_id", "updated_date", nulls_last=False, maintain_order=True)
    last = pl.col("work_id") != pl.col("work_id").shift(-1)
    return ordered.filter(last.fill_null(value=True))
