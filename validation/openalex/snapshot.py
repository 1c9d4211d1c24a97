"""Write a made-up snapshot in OpenAlex's layout, with its manifest, merged ids and truth."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from validation.openalex.pieces import make_pieces
from validation.openalex.recipe import Recipe
from validation.openalex.records import Row, Writer, _day, huge

Layout = Literal["jsonl", "parquet"]
FIRST_ID = 2_000_000_000
BLOCK = 2000
"""Records that are joined before they are compressed."""
COLUMNS = {
    "id": "VARCHAR",
    "doi": "VARCHAR",
    "title": "VARCHAR",
    "display_name": "VARCHAR",
    "publication_year": "BIGINT",
    "publication_date": "VARCHAR",
    "language": "VARCHAR",
    "primary_location": "JSON",
    "type": "VARCHAR",
    "open_access": "JSON",
    "authorships": "STRUCT(author_position VARCHAR, author STRUCT(id VARCHAR, display_name VARCHAR, orcid VARCHAR), "
    'institutions STRUCT(id VARCHAR, display_name VARCHAR, ror VARCHAR, country_code VARCHAR, "type" VARCHAR, '
    "lineage VARCHAR[])[], countries VARCHAR[], is_corresponding BOOLEAN, raw_author_name VARCHAR, "
    "raw_affiliation_strings VARCHAR[])[]",
    "cited_by_count": "BIGINT",
    "cited_by_percentile_year": "STRUCT(min BIGINT, max BIGINT)",
    "is_retracted": "BOOLEAN",
    "is_paratext": "BOOLEAN",
    "is_xpac": "BOOLEAN",
    "primary_topic": "STRUCT(id VARCHAR, display_name VARCHAR, score DOUBLE, subfield STRUCT(id VARCHAR, display_name "
    "VARCHAR), field STRUCT(id VARCHAR, display_name VARCHAR), domain STRUCT(id VARCHAR, display_name "
    "VARCHAR))",
    "concepts": "JSON",
    "referenced_works": "VARCHAR[]",
    "related_works": "VARCHAR[]",
    "abstract_inverted_index": "VARCHAR",
    "updated_date": "VARCHAR",
}
"""Columns of the Parquet copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot on disk and what a right reader finds in it.

    Parameters
    ----------
    folder : Path
    rows : tuple of Row
        One a distinct work that was not merged away, as its newest record says; sorted by work.
    records : int
        Lines written, older records and merged works included.
    bytes, text_bytes : int
        Size on disk, and of the JSON before compression.
    """

    folder: Path
    rows: tuple[Row, ...]
    records: int
    bytes: int
    text_bytes: int

    def counts(self, *by: str) -> dict[tuple[Any, ...], int]:
        """Return works by group, retracted works, paratexts and the expansion set left out."""
        kept = (r for r in self.rows if not (r.is_retracted or r.is_paratext or r.is_xpac))
        return dict(Counter(tuple(getattr(row, name) for name in by) for row in kept))


def make(folder: Path, recipe: Recipe | None = None, *, layout: Layout = "jsonl") -> Snapshot:
    """Write a snapshot into `folder` and return its truth.

    Parameters
    ----------
    folder : Path
        Gets ``data/<layout>/works/updated_date=…``, ``data/<layout>/manifest.json`` and
        ``data/merged_ids/works``.
    recipe : Recipe, optional
    layout : {"jsonl", "parquet"}
        Gzip JSON lines, or Parquet with the same records.
    """
    recipe = recipe or Recipe()
    rng = np.random.default_rng(recipe.seed)
    writer = Writer(recipe, make_pieces(rng), rng)
    numbers = FIRST_ID + rng.permutation(recipe.works * 3)[: recipe.works]
    truth: dict[int, Row] = {}
    files, records, text_bytes = [], 0, 0
    waiting = np.zeros(0, np.int64)
    for part, fresh in enumerate(np.array_split(numbers, recipe.parts)):
        path = folder / "data" / "jsonl" / "works" / f"updated_date={_day(part)}" / "part_0000.gz"
        here = np.concatenate([fresh, waiting])
        moving = fresh[rng.random(fresh.size) < recipe.moved]
        lines = _remembered(_with_huge(writer.records(here, part), recipe, part), truth)
        count, size = _write(path, lines)
        files.append((path, count))
        records, text_bytes = records + count, text_bytes + size
        waiting = moving
    merged = numbers[: int(recipe.merged * recipe.works)]
    _write_merged(folder / "data" / "merged_ids" / "works" / "2026-06-01.csv.gz", merged, int(numbers[-1]))
    for number in merged.tolist():
        truth.pop(number, None)
    if layout == "parquet":
        files = [(_to_parquet(path, folder), count) for path, count in files]
    _write_manifest(folder / "data" / layout, files)
    return Snapshot(
        folder=folder,
        rows=tuple(truth[number] for number in sorted(truth)),
        records=records,
        bytes=sum(path.stat().st_size for path, _ in files),
        text_bytes=text_bytes,
    )


def _with_huge(pairs: Iterable[tuple[str, Row]], recipe: Recipe, part: int) -> Iterator[tuple[str, Row]]:
    for place, pair in enumerate(pairs):
        if recipe.huge and part == 0 and place == 1:
            yield huge(FIRST_ID - 1, part, recipe.huge)
        yield pair


def _remembered(pairs: Iterable[tuple[str, Row]], truth: dict[int, Row]) -> Iterator[str]:
    """Yield lines; keep the truth of each, later parts replacing earlier ones."""
    for line, row in pairs:
        truth[row.work_id] = row
        yield line


def _write(path: Path, lines: Iterable[str]) -> tuple[int, int]:
    """Write lines as one gzip member with nothing of the day in it; return how many and their bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = size = 0
    block: list[str] = []
    with path.open("wb") as raw, _gzip(raw) as file:
        for line in lines:
            block.append(line)
            count += 1
            if len(block) == BLOCK:
                size += file.write(("\n".join(block) + "\n").encode())
                block.clear()
        if block:
            size += file.write(("\n".join(block) + "\n").encode())
    return count, size


def _gzip(raw: IO[bytes]) -> Any:
    try:
        from isal.igzip import IGzipFile
    except ImportError:
        return gzip.GzipFile("", "wb", 1, raw, 0)
    return IGzipFile("", "wb", 2, raw, 0)


def _write_merged(path: Path, merged: np.ndarray, into: int) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("merge_date", "id", "merge_into_id"))
    table.writerows(("2026-06-01", f"W{number}", f"W{into}") for number in merged.tolist())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 6, mtime=0))


def _to_parquet(path: Path, folder: Path) -> Path:
    """Turn a part into Parquet beside the JSON copy, which goes."""
    import duckdb

    wide = folder / "data" / "parquet" / "works" / path.parent.name / "part_0000.parquet"
    wide.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect(config={"threads": 1, "preserve_insertion_order": True}) as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_json('{path}', format='newline_delimited', hive_partitioning=false, "
            f"maximum_object_size=100000000, columns={{{columns}}})) TO '{wide}' (FORMAT parquet, "
            "COMPRESSION snappy)"
        )
    path.unlink()
    path.parent.rmdir()
    return wide


def _write_manifest(folder: Path, files: Iterable[tuple[Path, int]]) -> None:
    entries = [
        {
            "url": f"s3://openalex/{path.relative_to(folder.parents[1]).as_posix()}",
            "meta": {"content_length": path.stat().st_size, "record_count": count},
        }
        for path, count in files
    ]
    total = {
        "content_length": sum(e["meta"]["content_length"] for e in entries),  # type: ignore[index]
        "record_count": sum(e["meta"]["record_count"] for e in entries),  # type: ignore[index]
    }
    (folder / "works" / "manifest.json").write_text(json.dumps({"entries": entries, "meta": total}, indent=1))


def write_truth(snapshot: Snapshot, path: Path) -> None:
    """Write the truth as JSON lines, one work a line."""
    path.write_text("".join(json.dumps(asdict(row)) + "\n" for row in snapshot.rows))
