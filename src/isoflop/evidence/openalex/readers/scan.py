"""JSON lines by searching bytes for a dozen keys, in whole blocks, without parsing a record.

Each record must show the expected keys, each where it belongs; one that does not goes to the full
parser. Every thousandth is parsed as well, and one difference stops the part.

What makes a search sound: inside a JSON text a quotation mark is escaped, so the bytes of a key with
its quotation marks and colon occur only where that key stands.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.institutions import COUNTRIES, TYPES, UNRESOLVED, country_bit
from isoflop.evidence.openalex.narrow import FLAGS, Batch, empty, narrow
from isoflop.evidence.openalex.readers import typed
from isoflop.evidence.openalex.readers.decode import (
    Mask,
    Positions,
    dates,
    matches,
    numbers,
    pairs,
    window,
    words,
)
from isoflop.evidence.openalex.readers.gunzip import blocks
from isoflop.evidence.openalex.readers.interface import Tell
from isoflop.evidence.openalex.readers.layout import Layout, layout_of
from isoflop.evidence.openalex.readers.pieces import Pieces
from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

CHECKED: Final = 1000
"""One record in so many is parsed as well."""
BLOCK: Final = 1 << 24
"""Bytes of a block: some two thousand records share the cost of each step."""

_START: Final = '{"id":"https://openalex.org/W'
_YEAR: Final = '"publication_year":'
_LANGUAGE: Final = '"language":'
_TYPE: Final = '"type":"'
_COUNTRY: Final = '"country_code":"'
_INSTITUTIONS: Final = '"institutions":['
_CITED: Final = '"cited_by_count":'
_PERCENTILE: Final = '"cited_by_percentile_year":'
_PERCENTILE_MIN: Final = '{"min":'
_TOPIC: Final = '"primary_topic":'
_TOPIC_ID: Final = '{"id":"https://openalex.org/T'
_TOPICS: Final = '"topics":'
_ABOVE: Final = tuple(
    f'"{name}":{{"id":"https://openalex.org/{name}s/' for name in ("subfield", "field", "domain")
)
_ABOVE_IDS: Final = ("subfield_id", "field_id", "domain_id")
_IN_HEAD: Final = ("year", "language", "type_end")
_LONGEST_TYPE: Final = 32
_KIND: Final = re.compile(rb"[a-z-]+")
_NOWHERE: Final = -1
_BOOLEANS: Final = np.frombuffer(b"tfn", np.uint8)
_UPDATED: Final = b'"updated_date":"'
_FLAG_KEYS: Final = tuple((f'"is_{name}":', FLAGS[name]) for name in ("retracted", "paratext", "xpac"))
_BEHIND: Final = (_CITED, _PERCENTILE, _TOPIC, *_ABOVE, _TOPICS, *(key for key, _ in _FLAG_KEYS))
_COUNTRY_TABLE: Final = np.full(1 << 16, 0, np.int64)
"""Bit of each pair of letters; a pair of capitals without a bit of its own has that of all others."""
for _first in range(ord("A"), ord("Z") + 1):
    _COUNTRY_TABLE[_first * 256 + ord("A") : _first * 256 + ord("Z") + 1] = 1 << len(COUNTRIES)
for _code in COUNTRIES:
    _COUNTRY_TABLE[ord(_code[0]) * 256 + ord(_code[1])] = country_bit(_code)


def read(path: Path, wanted: Wanted, tell: Tell) -> Iterator[pl.DataFrame]:
    """Yield the narrow rows of a gzip part of JSON lines.

    Raises
    ------
    EvidenceError
        The part is truncated or corrupt, a record is no work, or a search and the parser differ.
    """
    layout: Layout | None = None
    checks: list[_Check] = []
    before = 0
    for block in blocks(path, tell, size=BLOCK):
        layout = layout or layout_of(bytes(block[: BLOCK >> 2]))
        lines = _Lines.of(block, layout)
        yield _rows(lines, layout, path, before, wanted, checks)
        before += lines.starts.size
        if len(checks) >= CHECKED:
            _compare(checks, path, wanted)
            checks.clear()
    _compare(checks, path, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A record to be parsed as well: its number in the part, its line, its row by search."""

    number: int
    line: bytes
    row: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lines:
    """Records of a block: where each starts and ends, its authorships do, and its date stands, or -1."""

    data: npt.NDArray[np.uint8]
    starts: Positions
    ends: Positions
    authors: Positions
    after: Positions
    updated: Positions

    @classmethod
    def of(cls, block: memoryview, layout: Layout | None) -> _Lines:
        """Find the lines of a block; blank ones are no records."""
        buffer: Any = block.obj
        find, total = buffer.find, len(block)
        begin, end = b'"authorships":[', f'],"{layout.after_authorships if layout else ""}":'.encode()
        found: list[int] = []
        start = 0
        while start < total:
            stop = find(b"\n", start, total)
            stop = total if stop < 0 else stop
            if stop > start:
                first = find(begin, start, stop) if layout else -1
                last = find(end, first + len(begin), stop) if first >= 0 else -1
                updated = buffer.rfind(_UPDATED, last, stop) if last >= 0 else -1
                found += (start, stop, first, last, updated)
            start = stop + 1
        table = np.array(found, np.int64).reshape(-1, 5).T
        return cls(
            data=np.frombuffer(block, np.uint8),
            starts=table[0],
            ends=table[1],
            authors=table[2],
            after=table[3],
            updated=table[4],
        )

    def line(self, i: int) -> bytes:
        """Return a record."""
        return self.data[self.starts[i] : self.ends[i]].tobytes()


def _rows(
    lines: _Lines, layout: Layout | None, path: Path, before: int, wanted: Wanted, checks: list[_Check]
) -> pl.DataFrame:
    """Return the rows of a block: those of the search, and those of the parser where it found a key amiss."""
    import polars as pl

    shaped = np.flatnonzero(lines.updated >= 0)
    found, sound = _search(lines, shaped, layout) if layout and shaped.size else (None, shaped[:0])
    left = np.setdiff1d(np.arange(lines.starts.size), sound, assume_unique=True)
    parsed = _parse([(before + int(i), lines.line(i)) for i in left], path, wanted)
    if found is None:
        return parsed
    for row in np.flatnonzero((sound + before) % CHECKED == 0):
        i = int(sound[row])
        checks.append(_Check(number=before + i, line=lines.line(i), row=found.row(int(row), named=True)))
    if not left.size:
        return found
    return pl.concat([found, parsed])[np.argsort(np.concatenate([sound, left]))]


def _parse(records: list[tuple[int, bytes]], path: Path, wanted: Wanted) -> pl.DataFrame:
    """Return the rows of records, given with their numbers, by the full parser."""
    if not records:
        return empty()
    decoder = typed.shapes(texts=False)
    works = [typed.decode_line(decoder, line, path, number + 1) for number, line in records]
    return narrow(typed.batch(works, wanted))


def _compare(checks: list[_Check], path: Path, wanted: Wanted) -> None:
    """Refuse the part if the search and the parser differ on a record."""
    parsed = _parse([(check.number, check.line) for check in checks], path, wanted)
    for check, full in zip(checks, parsed.iter_rows(named=True), strict=True):
        differing = [name for name in full if check.row[name] != full[name]]
        if differing:
            name = differing[0]
            raise EvidenceError(
                f"{path.name}: line {check.number + 1}: {name} is {check.row[name]!r} by search and "
                f"{full[name]!r} by the parser, needs the same. Read this snapshot with --reader typed."
            )


def _search(lines: _Lines, shaped: Positions, layout: Layout) -> tuple[pl.DataFrame | None, Positions]:
    """Return the rows of the records whose keys are all in place, and which records those are."""
    import polars as pl

    starts, authors, after = lines.starts[shaped], lines.authors[shaped], lines.after[shaped]
    cuts = np.column_stack([starts, authors, after, lines.ends[shaped]]).ravel()
    pieces = Pieces(lines.data, np.append(cuts, cuts[-1]))
    try:
        column = pieces.column()
    except pl.exceptions.PolarsError:
        return None, shaped[:0]
    head, names, rest, _ = (column.gather_every(4, i) for i in range(4))
    seen = _find(head, names, rest, layout)
    scalars, good = _scalars(lines, shaped, seen, after)
    people, sound = _people(lines.data, seen, authors, good & _same_length(seen))
    rows = narrow(Batch(scalars=scalars.filter(pl.Series(sound)), **people))
    return rows, shaped[sound]


def _find(head: pl.Series, names: pl.Series, rest: pl.Series, layout: Layout) -> pl.DataFrame:
    """Return where each key stands in its piece, null where it does not."""
    import polars as pl

    frame = pl.DataFrame({"head": head, "names": names, "rest": rest})
    before, people, behind = pl.col("head").str, pl.col("names").str, pl.col("rest").str
    single = {"year": before.find(_YEAR, literal=True), "language": before.find(_LANGUAGE, literal=True)}
    single["type_end"] = before.find(f'","{layout.after_type}":', literal=True)
    single |= {key: behind.find(key, literal=True) for key in _BEHIND}
    return frame.select(
        before.starts_with(_START).alias("starts"),
        people.find_many([_INSTITUTIONS]).alias("opened"),
        people.find_many([f'"{layout.after_institutions}":']).alias("closed"),
        people.find_many([_TYPE]).alias("types"),
        people.find_many([_COUNTRY]).alias("countries"),
        *(found.cast(pl.Int64).fill_null(_NOWHERE).alias(key) for key, found in single.items()),
    )


def _same_length(seen: pl.DataFrame) -> Mask:
    """Return which records have the key after institutions once for each list of them."""
    import polars as pl

    return seen.select(pl.col("opened").list.len() == pl.col("closed").list.len()).to_series().to_numpy()


def _people(
    data: npt.NDArray[np.uint8], seen: pl.DataFrame, authors: Positions, good: Mask
) -> tuple[dict[str, Any], Mask]:
    """Return the institutions of the good records, laid flat, and which records those are in the end.

    Each type and each country found stands for an institution of its own: teams and countries are
    unions over an author, so that which of them belong together does not matter.
    """
    import polars as pl

    kept = seen.filter(pl.Series(good))
    base = authors[good]
    opened, record = _places(kept["opened"], base)
    closed, _ = _places(kept["closed"], base)
    types, of_types = _places(kept["types"], base)
    countries, of_countries = _places(kept["countries"], base)
    classes, known = words(data, types + len(_TYPE), dict(TYPES))
    bits, listed = pairs(data, countries + len(_COUNTRY), _COUNTRY_TABLE)
    sound = np.ones(base.size, bool)
    sound[record[closed < opened]] = False
    inside = [
        _author(opened, closed, record, at, owner)
        for at, owner in ((types, of_types), (countries, of_countries))
    ]
    for author, owner, fine in zip(inside, (of_types, of_countries), (known, listed), strict=True):
        sound[owner[(author < 0) | ~fine]] = False
    per_author = np.bincount(record, minlength=base.size)
    author = np.concatenate(inside)
    keep = np.flatnonzero(np.concatenate([sound[of_types], sound[of_countries]]))
    keep = keep[np.argsort(author[keep], kind="stable")]
    counted = np.bincount(author[keep], minlength=opened.size)[sound[record]]
    people = {
        "authorships": per_author[sound],
        "institutions": counted,
        "classes": np.concatenate([classes, np.full(bits.size, UNRESOLVED)])[keep],
        "countries": np.concatenate([np.zeros(classes.size, np.int64), bits])[keep],
    }
    final = good.copy()
    final[good] = sound
    return people, final


def _places(found: pl.Series, base: Positions) -> tuple[Positions, Positions]:
    """Return places in the buffer, one after the other, and the record each belongs to."""
    counts = found.list.len().to_numpy().astype(np.int64)
    record = np.repeat(np.arange(base.size), counts)
    flat = found.explode(empty_as_null=False, keep_nulls=False).to_numpy().astype(np.int64)
    return flat + base[record], record


def _author(
    opened: Positions, closed: Positions, record: Positions, at: Positions, owner: Positions
) -> Positions:
    """Return the author in whose list of institutions each place lies, -1 if in none."""
    author = np.searchsorted(opened, at, side="right") - 1
    valid = author >= 0
    valid[valid] &= (at[valid] < closed[author[valid]]) & (record[author[valid]] == owner[valid])
    return np.where(valid, author, -1)


def _scalars(
    lines: _Lines, shaped: Positions, seen: pl.DataFrame, after: Positions
) -> tuple[pl.DataFrame, Mask]:
    """Return the standing columns, and which records have each of them in place."""
    import polars as pl

    data, starts = lines.data, lines.starts[shaped]
    keys = (*_IN_HEAD, *_BEHIND)
    found = dict(zip(keys, seen.select(keys).to_numpy().T, strict=True))
    present = {key: at != _NOWHERE for key, at in found.items()}
    place = {key: np.maximum(at, 0) + (starts if key in _IN_HEAD else after) for key, at in found.items()}
    cited, percentile = place[_CITED] + len(_CITED), place[_PERCENTILE] + len(_PERCENTILE)
    topic, year = place[_TOPIC] + len(_TOPIC), place["year"] + len(_YEAR)
    no_percentile, no_topic = matches(data, percentile, "null"), matches(data, topic, "null")
    ats = (
        starts + len(_START),
        year,
        cited,
        percentile + len(_PERCENTILE_MIN),
        topic + len(_TOPIC_ID),
        *(place[key] + len(key) for key in _ABOVE),
    )
    values, proper = (part.reshape(len(ats), -1) for part in numbers(data, np.concatenate(ats)))
    absent = np.zeros_like(proper)
    absent[1], absent[2] = matches(data, year, "null"), matches(data, cited, "null")
    absent[3], absent[4:] = no_percentile, no_topic
    order = [_TOPIC, *_ABOVE, _TOPICS]
    rising = np.logical_and.reduce([present[b] & (found[a] < found[b]) for a, b in pairwise(order)])
    topical = rising & matches(data, topic, _TOPIC_ID)
    updated, dated = dates(data, lines.updated[shaped] + len(_UPDATED))
    spoken = place["language"] + len(_LANGUAGE)
    languages, has_language = _languages(data, spoken)
    silent = matches(data, spoken, "null")
    kinds, has_type = _kinds(data, place["type_end"])
    flags, flagged = _flags(data, place, present)
    good = (
        seen["starts"].to_numpy()
        & np.logical_and.reduce([present[key] for key in (*_IN_HEAD, _CITED, _PERCENTILE, _TOPIC)])
        & (proper | absent).all(axis=0)
        & (no_topic | topical)
        & (no_percentile | matches(data, percentile, _PERCENTILE_MIN))
        & (has_language | silent)
        & has_type
        & dated
        & flagged
    )
    names = ("work_id", "year", "cited_by_count", "cited_percentile", "topic_id", *_ABOVE_IDS)
    frame = pl.DataFrame(
        {
            "updated_date": updated,
            "type": kinds,
            "language": languages,
            "no language": silent,
            "flags": flags,
            **dict(zip(names, values, strict=True)),
            **{f"no {name}": gone for name, gone in zip(names, absent, strict=True)},
        }
    )
    zero = pl.lit(0, pl.Int64)
    return frame.select(
        *(pl.when(~pl.col(f"no {name}")).then(name).alias(name) for name in names),
        pl.when(~pl.col("no language")).then("language").alias("language"),
        *("updated_date", "type", "flags"),
        *(zero.alias("keywords"), zero.alias("adoption")),
    ), good


def _languages(data: npt.NDArray[np.uint8], at: Positions) -> tuple[pl.Series, Mask]:
    """Return codes of two letters, and where one stands, in quotation marks."""
    seen = window(data, at, 4)
    letters = seen[:, 1:3].astype(np.int64) - ord("a")
    code = letters @ (26, 1)
    fine = ((letters >= 0) & (letters < 26)).all(axis=1) & (seen[:, [0, 3]] == ord('"')).all(axis=1)
    return _two_letters().gather(np.where(fine, code, 0)), fine


@cache
def _two_letters() -> pl.Series:
    """Return every code of two letters, in order."""
    import polars as pl

    return pl.Series([a + b for a in string.ascii_lowercase for b in string.ascii_lowercase])


def _kinds(data: npt.NDArray[np.uint8], ends: Positions) -> tuple[pl.Series, Mask]:
    """Return the work's own type, which ends at these places with the key that follows it.

    There are a score of types: they are told apart by the bytes before their end, and one of each read.
    """
    import polars as pl

    seen = window(data, np.maximum(ends - _LONGEST_TYPE, 0), _LONGEST_TYPE)
    seen[ends < _LONGEST_TYPE] = 0
    key = seen[:, -8:].copy().view(np.uint64)[:, 0]
    _, first, code = np.unique(key, return_index=True, return_inverse=True)
    names = []
    same = np.zeros(ends.size, bool)
    for i, example in enumerate(first):
        name = seen[example].tobytes().rpartition(_TYPE.encode())[2]
        alike = np.flatnonzero(code == i)
        text = np.frombuffer(_TYPE.encode() + name, np.uint8)
        known = _KIND.fullmatch(name) is not None and text.size <= _LONGEST_TYPE
        names.append(name.decode() if known else None)
        if known:
            same[alike] = (seen[alike, -text.size :] == text).all(axis=1)
    return pl.Series(names, dtype=pl.String).gather(code), same


def _flags(
    data: npt.NDArray[np.uint8], place: dict[str, Positions], present: dict[str, Mask]
) -> tuple[Positions, Mask]:
    """Return the flags as bits, and where each that is named is true, false or null."""
    size = place[_CITED].size
    bits, fine = np.zeros(size, np.int64), np.ones(size, bool)
    for key, bit in _FLAG_KEYS:
        first = window(data, place[key] + len(key), 1)[:, 0]
        bits |= np.where(present[key] & (first == ord("t")), bit, 0)
        fine &= ~present[key] | np.isin(first, _BOOLEANS)
    return bits, fine
