"""The files of a made-up snapshot: parts in partitions, manifests, ids merged away, and the truth."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import numpy as np

from validation.openalex.draw import LANGUAGES, TEAMS, TYPES, Drawn, Ints, domain_of, draw, field_of, ids
from validation.openalex.institutions import Authors
from validation.openalex.parquet import write_parquet
from validation.openalex.records import Pieces, huge, lines
from validation.openalex.settings import Settings

if TYPE_CHECKING:
    import polars as pl

FIRST_DAY: Final = dt.date(2026, 1, 5)
FILES_A_DAY: Final = 2
BLOCK: Final = 2000
"""Works written at a time."""
_ADDRESS: Final = "s3://openalex/data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A made-up snapshot on disk.

    Parameters
    ----------
    folder : Path
    records : int
        Lines in all files, older and merged ones included.
    truth : tuple of dict
        Works of each team, year and subfield after de-duplication, whatever their flags.
    """

    folder: Path
    records: int
    truth: tuple[dict[str, Any], ...]

    def planted(self) -> pl.DataFrame:
        """Return one row a surviving work, with what was drawn for it, in the order of ids."""
        import polars as pl

        return pl.read_parquet(self.folder / "planted.parquet")


def make(folder: Path, settings: Settings = Settings()) -> Snapshot:  # noqa: B008 - frozen
    """Write a snapshot of made-up works; the same settings give the same bytes.

    Parameters
    ----------
    folder : Path
        Gets ``data/jsonl``, ``data/parquet``, ``legacy-data/merged_ids``, ``truth.json`` and
        ``planted.parquet``.
    settings : Settings
    """
    import polars as pl

    shared = np.random.default_rng([settings.seed, 0])
    pieces = Pieces(int(np.clip(settings.works // 20, 30, 800)), shared)
    blocks = np.array_split(np.arange(settings.works), settings.parts)
    older = _older(blocks, settings, shared)
    merged = np.flatnonzero(shared.random(settings.works) < settings.merged)
    _write_merged(folder, merged)
    frames, listed = [], []
    for number, works in enumerate(blocks):
        name = part_name(number)
        path = folder / "data/jsonl/works" / f"{name}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([settings.seed, 1, number])
        with path.open("wb") as file, _gzip(file) as raw:
            frames.append(_write_part(raw, works, older[number], number, pieces, settings, rng))
        listed.append((name, works.size + older[number].size))
    if "parquet" in settings.formats:
        for name, _ in listed:
            wide = folder / "data/parquet/works" / f"{name}.parquet"
            write_parquet(folder / "data/jsonl/works" / f"{name}.gz", wide)
    for format, suffix in (("jsonl", "gz"), ("parquet", "parquet")):
        if format in settings.formats:
            _write_manifest(folder, format, suffix, listed)
        else:
            for name, _ in listed:
                (folder / "data" / format / "works" / f"{name}.{suffix}").unlink(missing_ok=True)
    planted = pl.concat(frames).filter(~pl.col("work_id").is_in(ids(merged).tolist())).sort("work_id")
    planted.write_parquet(folder / "planted.parquet", compression="zstd")
    truth = counts(planted)
    (folder / "truth.json").write_text(json.dumps(truth, indent=0) + "\n")
    return Snapshot(folder=folder, records=sum(n for _, n in listed), truth=tuple(truth))


def part_name(number: int) -> str:
    """Return partition and file of a part; names sort in the order of numbers.

    Examples
    --------
    >>> part_name(3)
    'updated_date=2026-01-06/part_0001'
    """
    day = FIRST_DAY + dt.timedelta(days=number // FILES_A_DAY)
    return f"updated_date={day}/part_{number % FILES_A_DAY:04d}"


def counts(planted: pl.DataFrame) -> list[dict[str, Any]]:
    """Return works by team, year and subfield."""
    found = Counter(planted.select("team", "year", "subfield_id").iter_rows())
    order = sorted(
        found, key=lambda key: tuple(-1 if k is None else TEAMS.index(k) if k in TEAMS else k for k in key)
    )
    return [{"team": t, "year": y, "subfield_id": s, "works": found[t, y, s]} for t, y, s in order]


def _older(blocks: Sequence[Ints], settings: Settings, rng: np.random.Generator) -> list[Ints]:
    """Return for each part the works of later parts that have an older record in it."""
    found: list[list[int]] = [[] for _ in blocks]
    for number, works in enumerate(blocks[1:], 1):
        for work in rng.choice(works, round(settings.moved * works.size)).tolist():
            found[int(rng.integers(number))].append(work)
    return [np.array(sorted(set(some)), np.int64) for some in found]


def _write_part(
    raw: IO[bytes],
    works: Ints,
    older: Ints,
    number: int,
    pieces: Pieces,
    settings: Settings,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Write a part, older records among the others; return what was planted in it to stay."""
    import polars as pl

    day = part_name(number)[len("updated_date=") :].partition("/")[0]
    order = rng.permutation(np.concatenate([works, older]))
    frames = []
    for start in range(0, order.size, BLOCK):
        some = order[start : start + BLOCK]
        drawn = draw(some, rng)
        texts, given = lines(drawn, pieces, day, settings.odd, rng)
        if settings.huge_bytes and number == 0 and start == 0:
            texts[0] = huge(texts[0], settings.huge_bytes)
        raw.write(("\n".join(texts) + "\n").encode())
        frames.append(planted_frame(drawn, given).filter(~pl.Series(np.isin(some, older))))
    return pl.concat(frames)


def planted_frame(drawn: Drawn, given: Sequence[Authors]) -> pl.DataFrame:
    """Return what was drawn in the words and numbers of the narrow table."""
    import polars as pl

    def numbers(values: Any) -> pl.Series:
        found = pl.Series(np.asarray(values, np.int64))
        return found.set(found < 0, None)

    def words(values: Ints, names: Sequence[str]) -> list[str | None]:
        return [None if v < 0 else names[v] for v in values.tolist()]

    names = ("authorships", "education", "company", "public", "other", "unresolved")
    listed = np.array([one.counts for one in given], np.int64).reshape(-1, len(names))
    return pl.DataFrame(
        {
            "work_id": drawn.work_id,
            "team": [TEAMS[t] for t in drawn.team.tolist()],
            "year": numbers(drawn.year),
            "type": words(drawn.type, TYPES),
            "language": words(drawn.language, LANGUAGES),
            "topic_id": numbers(drawn.topic),
            "subfield_id": numbers(drawn.subfield),
            "field_id": numbers(field_of(drawn.subfield)),
            "domain_id": numbers(domain_of(drawn.subfield)),
            "flags": drawn.flags,
            "cited_by_count": numbers(drawn.cited),
            "cited_percentile": numbers(drawn.percentile),
            "phrase": numbers(drawn.phrase),
            "paper": numbers(drawn.paper),
            **{f"n_{name}": listed[:, i] for i, name in enumerate(names)},
            "countries": [",".join(sorted(one.countries)) for one in given],
        },
        schema_overrides={"type": pl.String, "language": pl.String},
    )


def _gzip(file: IO[bytes]) -> IO[bytes]:
    """Return a compressor that writes no time of day; the quick one where it is installed."""
    try:
        from isal.igzip import IGzipFile
    except ImportError:
        return cast("IO[bytes]", gzip.GzipFile("", "wb", 1, file, 0))
    quick: Any = IGzipFile
    return cast("IO[bytes]", quick("", "wb", 2, file, 0))


def _write_merged(folder: Path, merged: Ints) -> None:
    path = folder / "legacy-data/merged_ids/works/2026-01-04.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"2026-01-04,W{number},W{2_000_000_001}\n" for number in ids(merged).tolist())
    with gzip.GzipFile(path, "wb", mtime=0) as raw:
        raw.write(f"merge_date,id,merge_into_id\n{rows}".encode())


def _write_manifest(folder: Path, format: str, suffix: str, listed: Sequence[tuple[str, int]]) -> None:
    def entries() -> Iterator[dict[str, Any]]:
        for name, records in listed:
            below = f"{format}/works/{name}.{suffix}"
            size = (folder / "data" / below).stat().st_size
            yield {"url": f"{_ADDRESS}/{below}", "content_length": size, "record_count": records}

    manifest = {"format": format, "entities": {"works": {"files": list(entries())}}}
    (folder / "data" / format / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
