"""What `extract`, `status` and `plan` return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.findings import json_ready

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.openalex.ledger import Entry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extraction:
    """A narrow table and how each part of the snapshot fared.

    Parameters
    ----------
    path : Path
        The narrow table; it exists unless no part could be read.
    entries : tuple of Entry
        The ledger, one entry a part.
    read, unchanged : tuple of str
        Names of the parts read by this run, and of those it found done.
    works : int
        Rows of the table: works after de-duplication.
    duplicates : int
        Older records of works that occur several times.
    merged : int
        Records of works that were merged into others.
    bytes : int
        Size of the table.
    content : str
        Fingerprint of the parts behind the rows.
    settings : mapping
    """

    path: Path
    entries: tuple[Entry, ...]
    read: tuple[str, ...]
    unchanged: tuple[str, ...]
    works: int
    duplicates: int
    merged: int
    bytes: int
    content: str
    settings: Mapping[str, Any]

    @property
    def refused(self) -> tuple[Entry, ...]:
        """Return the parts that could not be read."""
        return tuple(entry for entry in self.entries if entry.state == "refused")

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return what limits the totals."""
        return part_cautions(self.entries)

    def frame(self) -> pl.DataFrame:
        """Return one row a part."""
        return parts_frame(self.entries, self.read)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            **summary_of(self.entries),
            "table": str(self.path),
            "parts_read": len(self.read),
            "parts_unchanged": len(self.unchanged),
            "works": self.works,
            "duplicates_dropped": self.duplicates,
            "merged_dropped": self.merged,
            "bytes": self.bytes,
            "bytes_per_work": self.bytes / self.works if self.works else None,
            "settings": json_ready(self.settings),
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a few lines."""
        size = f"{self.bytes / self.works:.1f} bytes each" if self.works else "empty"
        return (
            f"{self.path}: {self.works:,} works, {size}\n"
            f"{len(self.read):,} parts read, {len(self.unchanged):,} unchanged, {len(self.refused):,} "
            f"refused; {self.duplicates:,} older records and {self.merged:,} merged works dropped"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Status:
    """What the ledger of a narrow table says.

    Parameters
    ----------
    path : Path
        The narrow table.
    entries : tuple of Entry
    complete : bool
        Whether the table exists and holds exactly the parts that are done.
    """

    path: Path
    entries: tuple[Entry, ...]
    complete: bool

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return what limits totals of the table."""
        waiting = [entry for entry in self.entries if entry.state in ("pending", "running")]
        stale = (
            () if self.complete else ("the table does not hold all parts that were read; run extract again",)
        )
        more = (f"{len(waiting)} parts were not read yet; run extract again",) if waiting else ()
        return (*more, *stale, *part_cautions(self.entries))

    def frame(self) -> pl.DataFrame:
        """Return one row a part."""
        return parts_frame(self.entries)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            **summary_of(self.entries),
            "table": str(self.path),
            "complete": self.complete,
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return one line."""
        counts = summary_of(self.entries)
        return (
            f"{self.path}: {counts['parts']:,} parts, {counts['done']:,} done, {counts['refused']:,} "
            f"refused, {counts['waiting']:,} waiting; {counts['records']:,} records read"
        )


def part_cautions(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    """Return what missing parts mean for every total."""
    refused = [entry for entry in entries if entry.state == "refused"]
    if not refused:
        return ()
    named = ", ".join(entry.name for entry in refused[:3]) + (", …" if len(refused) > 3 else "")
    share = sum(entry.size for entry in refused) / max(sum(entry.size for entry in entries), 1)
    return (
        f"{len(refused)} of {len(entries)} parts could not be read ({named}; {share:.1%} of the bytes), so "
        "totals lack their works and may count older records in their place; download them again and run "
        "extract again",
    )


def summary_of(entries: tuple[Entry, ...]) -> dict[str, Any]:
    """Return counts of parts by state."""
    states = [entry.state for entry in entries]
    return {
        "parts": len(entries),
        "done": states.count("done"),
        "refused": states.count("refused"),
        "waiting": states.count("pending") + states.count("running"),
        "records": sum(entry.works or 0 for entry in entries),
        "bytes_of_parts": sum(entry.size for entry in entries),
    }


def parts_frame(entries: tuple[Entry, ...], read: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Return one row a part; with `read`, also whether this run read it."""
    import polars as pl

    schema = {
        "part": pl.String,
        "state": pl.String,
        "bytes": pl.Int64,
        "records": pl.Int64,
        "reason": pl.String,
    }
    rows = [(e.name, e.state, e.size, e.works, e.reason) for e in entries]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if read is None:
        return frame
    return frame.with_columns(read_now=pl.col("part").is_in(list(read)))
