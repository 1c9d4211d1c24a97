"""Speed of reading OpenAlex works, side by side with Python's json and with DuckDB's own readers.

Every procedure ends with works counted by team, year and subfield. Ours makes whole narrow rows on
the way. The works are made up: 7.4 kB of JSON each, gzip 5.9 to 1, 40 % without an institution.
"""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import Job, Reference

if TYPE_CHECKING:
    import polars as pl

WORKS = 20_000
DISTINCT = 2000
"""Works that differ in more than their id; they recur far outside the 32 kB that gzip looks back."""
NARROW_WORKS = 10_000_000
PLACES = 3000
KINDS = (
    ("education",) * 60
    + ("healthcare",) * 10
    + ("company",) * 8
    + ("facility", "government") * 8
    + ("other",) * 6
)
_COLUMNS = (
    "columns = {publication_year: 'BIGINT', primary_topic: 'STRUCT(subfield STRUCT(id VARCHAR))', "
    "authorships: 'STRUCT(institutions STRUCT(type VARCHAR)[])[]'}"
)
_TYPES = "flatten(list_transform(authorships, lambda a: a.institutions))"


class Maker:
    """Makes works of OpenAlex's shape, size and compressibility; the same for one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [26 - i for i in range(26)]
        self.words = [
            "".join(self.random.choices(letters, weights, k=self.random.randint(2, 11)))
            for _ in range(30_000)
        ]
        self.places = [self.place(i) for i in range(PLACES)]

    def some(self, count: int) -> list[str]:
        """Return words, few of them frequent."""
        return [self.words[min(int(self.random.paretovariate(0.3)), 29_999)] for _ in range(count)]

    def text(self, count: int) -> str:
        """Return words in a row."""
        return " ".join(self.some(count))

    def address(self, letter: str) -> str:
        """Return the address of an entity."""
        return f"https://openalex.org/{letter}{self.random.randint(10**9, 44 * 10**8)}"

    def place(self, number: int) -> dict[str, Any]:
        """Return an institution."""
        address = f"https://openalex.org/I{10**8 + number * 7919}"
        return {
            "id": address,
            "display_name": self.text(4).title(),
            "ror": f"https://ror.org/0{number:08x}",
            "country_code": self.random.choice(["US", "CN", "GB", "DE", "IN", "FR", "JP", "BR", "CA", "KR"]),
            "type": self.random.choice(KINDS),
            "lineage": [address],
        }

    def author(self, places: list[dict[str, Any]]) -> dict[str, Any]:
        """Return an authorship."""
        name = self.text(2).title()
        raw = [f"{place['display_name']}, {self.text(4)}" for place in places]
        return {
            "author_position": "middle",
            "author": {"id": self.address("A"), "display_name": name, "orcid": None},
            "institutions": places,
            "countries": [place["country_code"] for place in places],
            "is_corresponding": False,
            "raw_author_name": name,
            "raw_affiliation_strings": raw,
            "affiliations": [
                {"raw_affiliation_string": r, "institution_ids": [p["id"]]}
                for r, p in zip(raw, places, strict=True)
            ],
        }

    def topic(self) -> dict[str, Any]:
        """Return a topic with what stands above it."""
        base = "https://openalex.org"
        return {
            "id": f"{base}/T{self.random.randint(10_000, 14_500)}",
            "display_name": self.text(4),
            "score": round(self.random.random(), 4),
            "subfield": {
                "id": f"{base}/subfields/{self.random.randint(1100, 3600)}",
                "display_name": self.text(3),
            },
            "field": {
                "id": f"{base}/fields/{self.random.randint(11, 36)}",
                "display_name": "Computer Science",
            },
            "domain": {"id": f"{base}/domains/3", "display_name": "Physical Sciences"},
        }

    def work(self) -> dict[str, Any]:
        """Return a record of works with its keys in OpenAlex's order."""
        rng, address = self.random, self.address("W")
        bare = rng.random() < 0.4
        size = min(1 + int(rng.expovariate(0.45)), 40)
        people = [self.author([] if bare else [rng.choice(self.places)]) for _ in range(size)]
        topics = [self.topic() for _ in range(3)]
        index: dict[str, list[int]] = {}
        for position, word in enumerate(self.some(112)):
            index.setdefault(word, []).append(position)
        year, title = rng.randint(1990, 2025), self.text(11).capitalize()
        source = {
            "id": self.address("S"),
            "display_name": self.text(3),
            "issn_l": "1234-5678",
            "type": "journal",
        }
        return {
            "id": address,
            "doi": f"https://doi.org/10.1000/{rng.randint(1, 10**9)}",
            "title": title,
            "display_name": title,
            "publication_year": year,
            "publication_date": f"{year}-03-01",
            "ids": {"openalex": address},
            "language": "en",
            "primary_location": {"is_oa": False, "pdf_url": None, "source": source, "license": None},
            "type": "article",
            "type_crossref": "journal-article",
            "indexed_in": ["crossref"],
            "open_access": {"is_oa": False, "oa_status": "closed", "oa_url": None},
            "authorships": people,
            "institution_assertions": [],
            "countries_distinct_count": 1,
            "corresponding_author_ids": [],
            "fwci": 0.0,
            "cited_by_count": int(rng.paretovariate(0.8)) - 1,
            "cited_by_percentile_year": {"min": 60, "max": 70},
            "biblio": {"volume": "1", "issue": "2", "first_page": "3", "last_page": "4"},
            "is_retracted": False,
            "is_paratext": False,
            "is_xpac": False,
            "primary_topic": topics[0],
            "topics": topics,
            "keywords": [
                {"id": f"https://openalex.org/keywords/{w}", "display_name": w} for w in self.some(4)
            ],
            "concepts": [{"id": self.address("C"), "display_name": w, "level": 1} for w in self.some(6)],
            "referenced_works": [self.address("W") for _ in range(20)],
            "related_works": [self.address("W") for _ in range(14)],
            "abstract_inverted_index": index,
            "counts_by_year": [{"year": 2024, "cited_by_count": 1}],
            "updated_date": "2026-01-01T00:00:00",
            "created_date": "2016-06-24",
        }


@cache
def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="isoflop-bench-")


@cache
def json_part() -> Path:
    """Return a gzip part of JSON lines."""
    path, maker = Path(folder().name) / "part_0000.gz", Maker(0)
    works = [json.dumps(maker.work(), separators=(",", ":"), ensure_ascii=False) for _ in range(DISTINCT)]
    start = '{"id":"https://openalex.org/W'
    with gzip.open(path, "wb", compresslevel=6) as file:
        for number in range(WORKS):
            _, comma, rest = works[number % DISTINCT].partition(",")
            file.write(f'{start}{10**9 + 97 * number}"{comma}{rest}\n'.encode())
    return path


@cache
def parquet_part() -> Path:
    """Return the same works as wide Parquet, every nested field in it, as DuckDB writes them."""
    import duckdb

    path = Path(folder().name) / "part_0000.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_json('{json_part()}', format = 'newline_delimited', "
            f"map_inference_threshold = 50)) TO '{path}' (FORMAT parquet, COMPRESSION snappy)"
        )
    return path


def counted(frame: pl.DataFrame) -> int:
    """Return the number of groups, after counting the works of each team, year and subfield."""
    return frame.group_by("team", "year", "subfield_id").len().height


def ours(reader: str, part: Any) -> int:
    """Read a part into narrow rows and count them."""
    from isoflop.evidence.openalex.narrow import concat
    from isoflop.evidence.openalex.readers import reader_for
    from isoflop.evidence.openalex.wanted import Wanted

    path = part()
    read = reader_for(reader, "parquet" if path.suffix == ".parquet" else "jsonl", Wanted())  # type: ignore[arg-type]
    return counted(concat(list(read(path, Wanted(), lambda _done: None))))


def python_json(pieces: Sequence[int]) -> int:
    """Count with gzip and json of the standard library, as a script would."""
    groups: Counter[tuple[bool, bool, Any, Any]] = Counter()
    for _ in pieces:
        with gzip.open(json_part()) as lines:
            for line in lines:
                work = json.loads(line)
                kinds = {i["type"] for a in work["authorships"] for i in a["institutions"]}
                topic = work["primary_topic"]
                subfield = topic["subfield"]["id"] if topic else None
                groups["education" in kinds, "company" in kinds, work["publication_year"], subfield] += 1
    return len(groups)


def plain_duckdb(source: str) -> int:
    """Count with DuckDB alone, on one thread."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.execute(
            "SELECT publication_year, primary_topic.subfield.id AS subfield, "
            f"len(list_filter({_TYPES}, lambda i: i.type = 'education')) > 0 AS academic, "
            f"len(list_filter({_TYPES}, lambda i: i.type = 'company')) > 0 AS industrial, count(*) "
            f"FROM {source} GROUP BY ALL"
        ).fetchall()
    return len(rows)


def duckdb_json(_pieces: Sequence[int]) -> int:
    """Count from JSON with DuckDB's reader, the columns declared."""
    return plain_duckdb(
        f"read_json('{json_part()}', format = 'newline_delimited', {_COLUMNS}, maximum_object_size = "
        "67108864)"
    )


def duckdb_parquet(_pieces: Sequence[int]) -> int:
    """Count from wide Parquet with DuckDB."""
    return plain_duckdb(f"'{parquet_part()}'")


@cache
def narrow_table() -> Path:
    """Return a narrow table of ten million works in 260 subfields, about as many as OpenAlex has."""
    import polars as pl

    from isoflop.evidence.openalex.narrow import METADATA, NARROW

    rng, n = np.random.default_rng(0), NARROW_WORKS
    subfields = rng.choice([100 * field + i for field in range(11, 37) for i in range(2, 12)], n)
    numbers: dict[str, Any] = {
        "work_id": np.arange(n) * 400 + 10**9,
        "year": rng.integers(1990, 2026, n),
        "subfield_id": subfields,
        "field_id": subfields // 100,
        "team": rng.choice(5, n, p=[0.4, 0.4, 0.05, 0.1, 0.05]),
        "cited_by_count": rng.geometric(0.1, n),
    }
    frame = pl.DataFrame(numbers).with_columns(
        pl.lit(0).alias(name) if kind.startswith("Int") else pl.lit(None).alias(name)
        for name, kind in NARROW.items()
        if name not in numbers
    )
    path = Path(folder().name) / "narrow.parquet"
    facts = {
        "extractor": 1,
        "settings": {"keywords": [], "adoption": []},
        "works": n,
        "parts": 1,
        "refused": [],
        "cautions": [],
        "content": ["", ""],
    }
    frame.select(pl.col(n).cast(getattr(pl, kind)) for n, kind in NARROW.items()).write_parquet(
        path, compression="zstd", row_group_size=1 << 17, metadata={METADATA: json.dumps(facts)}
    )
    return path


def narrow_query(by: Sequence[str] = ("team", "year")) -> int:
    """Count the works of the narrow table."""
    from isoflop.evidence.openalex.query import query

    return query(narrow_table(), by=by, threads=1).works


JOBS = (
    *(
        Job(
            name=f"openalex-json-{reader}-against-{against}",
            ours=partial(ours, reader, json_part),
            reference=Reference(run=reference),
            bar_ratio=bar,
            note=f"{WORKS:,} works of gzip JSON to counts by team, year and subfield; reference: {named}",
        )
        for reader in ("typed", "scan")
        for against, reference, bar, named in (
            ("python", python_json, 8.0, "gzip and json of the standard library"),
            ("duckdb", duckdb_json, 2.0, "DuckDB's JSON reader, columns declared, one thread"),
        )
    ),
    Job(
        name="openalex-parquet-against-python",
        ours=partial(ours, "polars", parquet_part),
        reference=Reference(run=python_json),
        bar_ratio=20.0,
        note=f"{WORKS:,} works of wide Parquet to the same counts; reference: gzip and json",
    ),
    Job(
        name="openalex-parquet-against-duckdb",
        ours=partial(ours, "polars", parquet_part),
        reference=Reference(run=duckdb_parquet),
        bar_ratio=0.9,
        note="the same from wide Parquet; reference: DuckDB alone, one thread",
    ),
    Job(
        name="openalex-narrow-query",
        ours=narrow_query,
        bar_cpu_s=NARROW_WORKS / 10e6,
        note=f"{NARROW_WORKS:,} works counted by team and year: ten million a CPU second",
    ),
    Job(
        name="openalex-narrow-query-subfield",
        ours=partial(narrow_query, ("team", "year", "subfield")),
        bar_cpu_s=NARROW_WORKS / 10e6,
        note=f"{NARROW_WORKS:,} works counted by team, year and subfield, 46,800 groups",
    ),
)
