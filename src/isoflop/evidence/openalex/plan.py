"""What to download of an OpenAlex snapshot, and how much that is, from its manifest or from a folder.

Manifests list an address, a length and a number of records for each file. Since 2026 one lists all
entities of a format; before, each entity had its own. Both are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.snapshot import SUFFIX, Format, Part, parts

if TYPE_CHECKING:
    import polars as pl

NARROW_BYTES: Final = 32
"""Bytes a work that a narrow table takes at most."""
_MANIFESTS: Final = (
    "manifest.json",
    "data/parquet/manifest.json",
    "data/jsonl/manifest.json",
    "parquet/manifest.json",
    "jsonl/manifest.json",
    "data/works/manifest",
    "legacy-data/works/manifest",
    "works/manifest",
    "manifest",
)
_ADDRESS: Final = ("url", "path", "key", "file", "name")
_LENGTH: Final = ("content_length", "bytes", "size", "size_bytes", "file_size")
_RECORDS: Final = ("record_count", "records", "rows", "num_records", "row_count")
_WORKS = re.compile(r"(?:^|/)works/(updated_date=(\d{4}-\d{2}-\d{2})/[^/]+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of works: its address, name below the folder of works, partition, size and records."""

    url: str
    name: str
    updated_date: str
    format: Format
    bytes: int
    records: int | None
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The files of works in a snapshot.

    Parameters
    ----------
    source : str
        The manifest or folder it comes from.
    items : tuple of Item
        Ordered by name.
    """

    source: str
    items: tuple[Item, ...]

    @property
    def missing(self) -> tuple[Item, ...]:
        """Return the files still to be downloaded."""
        return tuple(item for item in self.items if not item.present)

    @property
    def records(self) -> int | None:
        """Return the works listed, None where the source does not say."""
        counted = [item.records for item in self.items]
        return None if None in counted else sum(count or 0 for count in counted)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return what the plan cannot say."""
        unsized = sum(item.bytes == 0 for item in self.items)
        return (f"{unsized} files are listed without a size; the total lacks them",) if unsized else ()

    def commands(self) -> tuple[str, ...]:
        """Return shell lines that fetch what is missing, for addresses in the public bucket."""
        folders = {
            item.url.partition("/updated_date=")[0] for item in self.missing if item.url.startswith("s3:")
        }
        return tuple(
            f"aws s3 sync --no-sign-request {folder} SNAPSHOT/{folder.partition('//')[2].partition('/')[2]}"
            for folder in sorted(folders)
        )

    def frame(self) -> pl.DataFrame:
        """Return one row a file."""
        import polars as pl

        names = ("name", "updated_date", "format", "bytes", "records", "present", "url")
        kinds = (pl.String, pl.String, pl.String, pl.Int64, pl.Int64, pl.Boolean, pl.String)
        rows = [tuple(getattr(item, name) for name in names) for item in self.items]
        return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        records = self.records
        return {
            "source": self.source,
            "files": len(self.items),
            "bytes": sum(item.bytes for item in self.items),
            "records": records,
            "missing_files": len(self.missing),
            "missing_bytes": sum(item.bytes for item in self.missing),
            "newest_partition": max((item.updated_date for item in self.items), default=None),
            "narrow_bytes_at_most": None if records is None else records * NARROW_BYTES,
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a few lines."""
        facts = self.to_dict()
        works = "" if facts["records"] is None else f", {facts['records']:,} records"
        lines = [f"{self.source}: {facts['files']:,} files of works, {size(facts['bytes'])}{works}"]
        if facts["missing_files"] < facts["files"]:
            lines.append(
                f"still to download: {facts['missing_files']:,} files, {size(facts['missing_bytes'])}"
            )
        if facts["narrow_bytes_at_most"] is not None:
            lines.append(f"the narrow table will take at most {size(facts['narrow_bytes_at_most'])}")
        return "\n".join([*lines, *self.commands()])


def size(count: float) -> str:
    """Return bytes for people.

    Examples
    --------
    >>> size(330_000_000_000), size(512)
    ('330 GB', '512 B')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def plan(
    source: Path | str,
    *,
    format: Format | None = None,
    since: str | None = None,
    have: Path | str | None = None,
) -> Plan:
    """Return which files of works a snapshot has, and their size.

    Parameters
    ----------
    source : Path
        A manifest, or a folder with one; a folder without one is counted as it lies.
    format : {"jsonl", "parquet"}, optional
        Only this copy.
    since : str, optional
        Only partitions of this date (YYYY-MM-DD) and later: what a refresh needs.
    have : Path, optional
        Folder of a snapshot; files that lie there in the listed size are marked present.

    Raises
    ------
    EvidenceError
        There is no manifest and no part, or the manifest has another form.
    """
    source = Path(source)
    manifests = [source] if source.is_file() else [p for name in _MANIFESTS if (p := source / name).is_file()]
    items = [item for path in manifests for item in _listed(path)] if manifests else _lying(source, format)
    if have is not None:
        items = _marked(items, Path(have))
    chosen = {
        (item.format, item.name): item
        for item in items
        if format in (None, item.format) and (since is None or item.updated_date >= since)
    }
    if not chosen and since is None:
        raise EvidenceError(
            f"{source}: no file of works listed, needs addresses such as "
            "s3://openalex/data/parquet/works/updated_date=2026-06-24/part_0000.parquet. Check --format and "
            "the path."
        )
    return Plan(source=str(source), items=tuple(chosen[key] for key in sorted(chosen)))


def _listed(path: Path) -> Iterator[Item]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as reason:
        raise EvidenceError(
            f"{path}: {reason}, needs the JSON manifest of a snapshot. Download it again."
        ) from None
    for entry in _entries(content):
        url = str(next(entry[key] for key in _ADDRESS if isinstance(entry.get(key), str)))
        found = _WORKS.search(url)
        if found and Path(url).suffix in SUFFIX:
            facts = {**entry, **(entry["meta"] if isinstance(entry.get("meta"), dict) else {})}
            yield Item(
                url=url,
                name=found[1],
                updated_date=found[2],
                format=SUFFIX[Path(url).suffix],
                bytes=_count(facts, _LENGTH) or 0,
                records=_count(facts, _RECORDS),
                present=False,
            )


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that name a file, wherever the manifest nests them."""
    if isinstance(content, dict):
        if any(isinstance(content.get(key), str) and "updated_date=" in content[key] for key in _ADDRESS):
            yield content
            return
        content = list(content.values())
    if isinstance(content, list):
        for inner in content:
            yield from _entries(inner)


def _count(facts: dict[str, Any], names: tuple[str, ...]) -> int | None:
    return next((int(facts[name]) for name in names if isinstance(facts.get(name), (int, float))), None)


def _lying(source: Path, format: Format | None) -> list[Item]:
    return [
        Item(
            url=str(part.path),
            name=part.name,
            updated_date=part.updated_date.isoformat() if part.updated_date else "",
            format=part.format,
            bytes=part.size,
            records=None,
            present=True,
        )
        for part in parts(source, format=format)
    ]


def _marked(items: list[Item], have: Path) -> list[Item]:
    """Mark the files that lie in a folder in their listed size, or at all where none is listed."""
    formats: tuple[Format, ...] = ("jsonl", "parquet")
    lying = {(part.format, part.name): part.size for format in formats for part in _quietly(have, format)}
    marked = []
    for item in items:
        found = lying.get((item.format, item.name))
        present = found is not None and (item.bytes in (0, found))
        marked.append(replace(item, present=present))
    return marked


def _quietly(have: Path, format: Format) -> tuple[Part, ...]:
    """Return the parts of one format, none where the folder holds none of it yet."""
    try:
        return parts(have, format=format)
    except EvidenceError:
        return ()
