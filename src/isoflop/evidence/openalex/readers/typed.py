"""JSON lines through a typed parser that builds only the declared fields and checks their types.

The parser (msgspec) skips what is not declared at the speed of a scan. It accepts any order of keys
and any spacing, and refuses a value of another type with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError, MissingExtraError
from isoflop.evidence.openalex.institutions import COUNTRY_BITS, TYPES, class_of, country_bit
from isoflop.evidence.openalex.narrow import FLAGS, Batch, from_texts, narrow
from isoflop.evidence.openalex.readers.gunzip import blocks
from isoflop.evidence.openalex.readers.interface import Tell
from isoflop.evidence.openalex.texts import Finder, no_texts
from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

ROWS = 4096
"""Works of a batch: parsed they take some 15 MB."""


@cache
def shapes(texts: bool) -> Any:
    """Return the parser of a record, with or without its texts.

    Raises
    ------
    MissingExtraError
        msgspec is not installed.
    """
    try:
        import msgspec
    except ImportError:
        raise MissingExtraError(
            "reader typed: msgspec is not installed, needs the extra openalex. Run pip install "
            "isoflop[openalex]."
        ) from None

    def struct(name: str, **fields: Any) -> Any:
        return msgspec.defstruct(name, [(key, kind | None, None) for key, kind in fields.items()], gc=False)

    def listed(kind: Any) -> Any:
        return list.__class_getitem__(kind)

    institution = struct("Institution", id=str, type=str, country_code=str)
    authorship = struct("Authorship", institutions=listed(institution))
    entity = struct("Entity", id=str)
    topic = struct("Topic", id=str, subfield=entity, field=entity, domain=entity)
    percentile = struct("Percentile", min=float)
    more = {
        "title": str,
        "abstract_inverted_index": dict[str, list[int] | None],
        "referenced_works": list[str],
    }
    work = struct(
        "Work",
        id=str,
        updated_date=str,
        publication_year=int,
        type=str,
        language=str,
        is_retracted=bool,
        is_paratext=bool,
        is_xpac=bool,
        cited_by_count=int,
        cited_by_percentile_year=percentile,
        primary_topic=topic,
        authorships=listed(authorship),
        **(more if texts else {}),
    )
    return msgspec.json.Decoder(work)


def read(path: Path, wanted: Wanted, tell: Tell) -> Iterator[pl.DataFrame]:
    """Yield the narrow rows of a gzip part of JSON lines."""
    decoder = shapes(wanted.reads_texts or wanted.reads_references)
    works: list[Any] = []
    lines_before = 0
    for block in blocks(path, tell):
        found = decode(decoder, block, path, lines_before)
        lines_before += len(found)
        works += found
        if len(works) >= ROWS:
            yield narrow(batch(works, wanted))
            works = []
    if works:
        yield narrow(batch(works, wanted))


def decode(decoder: Any, block: memoryview, path: Path, lines_before: int) -> list[Any]:
    """Return the records of a block.

    Raises
    ------
    EvidenceError
        A line is not a record of `works`; the message names the line.
    """
    import msgspec

    try:
        return list(decoder.decode_lines(block))
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    for number, line in enumerate(bytes(block).split(b"\n"), lines_before + 1):
        if line.strip():
            decode_line(decoder, line, path, number)
    raise EvidenceError(f"{path.name}: cannot be read as JSON lines. Download the part again.")


def decode_line(decoder: Any, line: bytes, path: Path, number: int) -> Any:
    """Return the record of a line.

    Raises
    ------
    EvidenceError
        It is no record of `works`.
    """
    import msgspec

    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise EvidenceError(
            f"{path.name}: line {number}: {reason}, needs a work as JSON. Download the part again."
        ) from None


def batch(works: list[Any], wanted: Wanted) -> Batch:
    """Return parsed records as a batch."""
    authors = [work.authorships or () for work in works]
    institutions = [author.institutions or () for listed in authors for author in listed]
    flat = [institution for listed in institutions for institution in listed]
    if wanted.overrides:
        known = wanted.overrides
        classes = [known[i.id] if i.id in known else class_of(i.type) for i in flat]
    else:
        kinds: dict[str | None, int] = {None: class_of(None)} | dict(TYPES)
        classes = [kinds[i.type] if i.type in kinds else class_of(i.type) for i in flat]
    bits = COUNTRY_BITS
    return Batch(
        scalars=_scalars(works, wanted),
        authorships=np.fromiter(map(len, authors), np.int64, len(authors)),
        institutions=np.fromiter(map(len, institutions), np.int64, len(institutions)),
        classes=np.array(classes, np.int8),
        countries=np.array(
            [bits[c] if (c := i.country_code) in bits else country_bit(c) for i in flat], np.int64
        ),
    )


def _scalars(works: list[Any], wanted: Wanted) -> pl.DataFrame:
    import polars as pl

    topics = [work.primary_topic for work in works]
    percentiles = [work.cited_by_percentile_year for work in works]
    bits = [
        (work.is_retracted or 0) * FLAGS["retracted"]
        + (work.is_paratext or 0) * FLAGS["paratext"]
        + (work.is_xpac or 0) * FLAGS["xpac"]
        for work in works
    ]
    columns: dict[str, tuple[Any, Any]] = {
        "work_id": (pl.String, [work.id for work in works]),
        "updated_date": (pl.String, [work.updated_date for work in works]),
        "year": (pl.Int64, [work.publication_year for work in works]),
        "type": (pl.String, [work.type for work in works]),
        "language": (pl.String, [work.language for work in works]),
        "topic_id": (pl.String, [topic and topic.id for topic in topics]),
        "subfield_id": (pl.String, [topic and topic.subfield and topic.subfield.id for topic in topics]),
        "field_id": (pl.String, [topic and topic.field and topic.field.id for topic in topics]),
        "domain_id": (pl.String, [topic and topic.domain and topic.domain.id for topic in topics]),
        "cited_by_count": (pl.Int64, [work.cited_by_count for work in works]),
        "cited_percentile": (pl.Float64, [None if p is None else p.min for p in percentiles]),
        "flags": (pl.Int64, bits),
    }
    frame = from_texts(pl.DataFrame([pl.Series(name, v, dtype=kind) for name, (kind, v) in columns.items()]))
    return with_texts(frame, works, wanted)


def with_texts(frame: pl.DataFrame, works: list[Any], wanted: Wanted) -> pl.DataFrame:
    """Add the bits of topics and models, 0 where they were not asked for."""
    import polars as pl

    if not (wanted.reads_texts or wanted.reads_references):
        return no_texts(frame)
    found = Finder(wanted).columns(
        [work.title for work in works],
        [work.abstract_inverted_index if wanted.reads_texts else None for work in works],
        [work.referenced_works for work in works],
    )
    return frame.with_columns(
        pl.col("flags") + pl.Series(found["has_abstract"]) * FLAGS["abstract"],
        pl.Series("keywords", found["keywords"]),
        pl.Series("adoption", found["adoption"]),
    )
