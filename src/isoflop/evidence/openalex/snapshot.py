"""The files of a snapshot on disk: its parts of `works`, and the ids merged away.

Layouts: ``data/jsonl/works`` and ``data/parquet/works`` (since 2026), ``data/works`` and
``legacy-data/works`` (before); in each ``updated_date=YYYY-MM-DD/part_0000.gz`` or ``.parquet``.
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from isoflop.errors import EvidenceError

Format = Literal["jsonl", "parquet"]

SUFFIX: Final[dict[str, Format]] = {".gz": "jsonl", ".parquet": "parquet"}
_WORKS: Final = (
    "data/parquet/works",
    "data/jsonl/works",
    "data/works",
    "legacy-data/works",
    "parquet/works",
    "jsonl/works",
    "works",
    "",
)
"""Where the parts lie below the folder that the user names; the first with a part is taken, so of two
complete copies the quicker one."""
_PARTITION = re.compile(r"updated_date=(\d{4}-\d{2}-\d{2})")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of works.

    Parameters
    ----------
    path : Path
    name : str
        Its path below the folder of works, with forward slashes: what a ledger knows it by.
    format : {"jsonl", "parquet"}
    size : int
        Bytes.
    mtime_ns : int
    updated_date : datetime.date or None
        Of its partition.
    """

    path: Path
    name: str
    format: Format
    size: int
    mtime_ns: int
    updated_date: dt.date | None


def parts(source: Path, *, format: Format | None = None) -> tuple[Part, ...]:
    """Return the parts of `works` below a folder, ordered by name.

    Parameters
    ----------
    source : Path
        The snapshot's folder, or any folder down to that of works.
    format : {"jsonl", "parquet"}, optional
        Which copy to read where there are two; default: Parquet, the quicker one.

    Raises
    ------
    EvidenceError
        There is no such folder, or no part in it.
    """
    if not source.is_dir():
        raise EvidenceError(
            f"{source}: no such folder, needs that of an OpenAlex snapshot. `isoflop divide plan` says what "
            "to download."
        )
    for below in _WORKS:
        folder = source / below if below else source
        found = [path for path in _files(folder) if format in (None, SUFFIX[path.suffix])]
        kinds = {SUFFIX[path.suffix] for path in found}
        if len(kinds) > 1:
            raise EvidenceError(
                f"{folder}: parts as .gz and as .parquet, needs one copy of the works. Choose with --format."
            )
        if found:
            return tuple(sorted((_part(path, folder) for path in found), key=lambda part: part.name))
    wanted = f".{'gz' if format == 'jsonl' else format}" if format else ".gz or .parquet"
    raise EvidenceError(
        f"{source}: no {wanted} part of works, needs e.g. "
        "data/jsonl/works/updated_date=2026-06-24/part_0000.gz. `isoflop divide plan` says what to download."
    )


def _files(folder: Path) -> Iterator[Path]:
    """Yield parts in partitions, or lying flat in the folder itself."""
    if folder.is_dir():
        for inside in (folder, *sorted(folder.glob("updated_date=*"))):
            if inside.is_dir():
                yield from (p for p in inside.iterdir() if _is_part(p))


def _is_part(path: Path) -> bool:
    return path.suffix in SUFFIX and not path.name.endswith(".csv.gz") and path.is_file()


def _part(path: Path, folder: Path) -> Part:
    stat = path.stat()
    dated = _PARTITION.search(path.parent.name)
    return Part(
        path=path,
        name=path.relative_to(folder).as_posix(),
        format=SUFFIX[path.suffix],
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        updated_date=dt.date.fromisoformat(dated[1]) if dated else None,
    )


def digest(path: Path) -> str:
    """Return the checksum of a file's bytes, which tells a changed part from one merely copied.

    CRC-32: it guards against change, not against forgery, and costs a tenth of a microsecond a work.
    """
    try:
        from isal.isal_zlib import crc32
    except ImportError:
        crc32 = zlib.crc32
    found = 0
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            found = crc32(view[:count], found)
    return f"{found:08x}"


def merged_ids(source: Path) -> npt.NDArray[np.int64]:
    """Return the numbers of the works that were merged into others, sorted.

    They lie in ``merged_ids/works/*.csv.gz`` with a column ``id``; a snapshot without that folder has
    removed such works itself.

    Raises
    ------
    EvidenceError
        A list cannot be read.
    """
    found: set[int] = set()
    for root in (source, *source.parents[:3]):
        for below in ("merged_ids/works", "data/merged_ids/works", "legacy-data/merged_ids/works"):
            for path in sorted((root / below).glob("*.csv*")):
                found |= _merged(path)
        if found:
            break
    return np.array(sorted(found), np.int64)


def _merged(path: Path) -> set[int]:
    import csv

    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            return {int(row["id"].rpartition("/")[2].removeprefix("W")) for row in csv.DictReader(file)}
    except (OSError, EOFError, KeyError, ValueError, AttributeError) as reason:
        raise EvidenceError(
            f"{path}: {type(reason).__name__} {reason}, needs a CSV with a column id such as W2741809807. "
            "Download it again."
        ) from None
