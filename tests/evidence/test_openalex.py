"""From parts of OpenAlex works to the narrow table: rules of a row, and every way of reading it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.openalex.institutions import COUNTRIES, TYPES, inherited, read_overrides
from isoflop.evidence.openalex.narrow import FLAGS, NARROW, TEAMS, concat
from isoflop.evidence.openalex.readers import READERS, ReaderName, reader_for
from isoflop.evidence.openalex.texts import abstract_text
from isoflop.evidence.openalex.wanted import Model, Wanted

Record = dict[str, Any]
Read = Callable[..., pl.DataFrame]
PARQUET = "polars"
ALL = [*READERS["jsonl"], PARQUET]


def institution(kind: str | None, number: int = 1, country: str | None = "US") -> Record:
    """Return an institution as it stands in a work."""
    address = f"https://openalex.org/I{number}"
    return {
        "id": address,
        "display_name": "Somewhere",
        "ror": None,
        "country_code": country,
        "type": kind,
        "lineage": [address],
    }


def author(*institutions: Record) -> Record:
    """Return an authorship in OpenAlex's order of keys."""
    return {
        "author_position": "middle",
        "author": {"id": "https://openalex.org/A1", "display_name": "B", "orcid": None},
        "institutions": list(institutions),
        "countries": [i["country_code"] for i in institutions],
        "is_corresponding": False,
        "raw_author_name": "B",
        "raw_affiliation_strings": ['the "type":"education" of B'],
        "affiliations": [],
    }


def work(number: int, *authors: Record, **changes: Any) -> Record:
    """Return a record of works."""
    topic = {
        "id": "https://openalex.org/T10123",
        "display_name": "Topic",
        "score": 0.9,
        "subfield": {"id": "https://openalex.org/subfields/1702", "display_name": "AI"},
        "field": {"id": "https://openalex.org/fields/17", "display_name": "CS"},
        "domain": {"id": "https://openalex.org/domains/3", "display_name": "Physical"},
    }
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": None,
        "title": 'Überblick: deep "type":"company" 学習\n\\',
        "publication_year": 2021,
        "publication_date": "2021-03-04",
        "language": "en",
        "primary_location": {"source": {"id": "https://openalex.org/S1", "type": "journal"}},
        "type": "article",
        "authorships": list(authors),
        "institution_assertions": [institution("company", 9, "FR")],
        "cited_by_count": 12,
        "cited_by_percentile_year": {"min": 88, "max": 90},
        "is_retracted": False,
        "is_paratext": False,
        "is_xpac": False,
        "primary_topic": topic,
        "topics": [topic],
        "concepts": [],
        "referenced_works": ["https://openalex.org/W77", "https://openalex.org/W78"],
        "related_works": [],
        "abstract_inverted_index": {"type": [0], "Foundation": [1], "models": [2]},
        "counts_by_year": [{"year": 2022, "cited_by_count": 3}],
        "updated_date": "2026-01-02T03:04:05.678",
        **changes,
    }


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what writes records as a part and reads it back."""

    def write_and_read(
        records: Iterable[Record | str], reader: ReaderName, wanted: Wanted | None = None
    ) -> pl.DataFrame:
        wanted = wanted or Wanted()
        path = tmp_path / "part_0000.gz"
        write_lines(path, records)
        if reader == PARQUET:
            path = to_parquet(path)
        frames = list(reader_for(reader, _format(reader), wanted)(path, wanted, lambda _: None))
        return concat(frames)

    return write_and_read


def _format(reader: str) -> Any:
    return "parquet" if reader == PARQUET else "jsonl"


def write_lines(path: Path, records: Iterable[Record | str]) -> None:
    """Write records, or lines as given, as gzip JSON lines."""
    lines = (
        r if isinstance(r, str) else json.dumps(r, separators=(",", ":"), ensure_ascii=False) for r in records
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode(), 1, mtime=0))


def to_parquet(path: Path) -> Path:
    """Turn a part into the Parquet that a columnar copy of it would be."""
    wide = path.with_suffix(".parquet")
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines() if line.strip()]
    keys = dict.fromkeys(key for line in lines for key in line)
    institutions = pl.List(pl.Struct(dict.fromkeys(("id", "type", "country_code"), pl.String)))
    entity = pl.Struct({"id": pl.String})
    kinds: dict[str, Any] = {
        "authorships": pl.List(pl.Struct({"author_position": pl.String, "institutions": institutions})),
        "primary_topic": pl.Struct({"id": pl.String, "subfield": entity, "field": entity, "domain": entity}),
        "cited_by_percentile_year": pl.Struct({"min": pl.Int64, "max": pl.Int64}),
        "abstract_inverted_index": pl.String,
        "referenced_works": pl.List(pl.String),
        **dict.fromkeys(("id", "title", "type", "language", "updated_date"), pl.String),
        **dict.fromkeys(("publication_year", "cited_by_count"), pl.Int64),
        **dict.fromkeys(("is_retracted", "is_paratext", "is_xpac"), pl.Boolean),
    }
    columns = {}
    for key in keys:
        if key in kinds:
            values = [line.get(key) for line in lines]
            if key == "abstract_inverted_index":
                values = [None if v is None else json.dumps(v) for v in values]
            columns[key] = pl.Series(key, values, dtype=kinds[key])
    pl.DataFrame(columns).write_parquet(wide, row_group_size=3)
    return wide


UNIVERSITY, FIRM = institution("education"), institution("company", 2, "XK")
HOSPITAL, GUILD, UNTYPED = (
    institution("healthcare", 3, "GB"),
    institution("guild", 4),
    institution(None, 5, None),
)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("reader", ALL)
@pytest.mark.parametrize(
    ("authors", "team", "counts"),
    [
        ((), "unknown", (0, 0, 0, 0, 0, 0)),
        ((author(), author()), "unknown", (2, 0, 0, 0, 0, 2)),
        ((author(UNTYPED),), "unknown", (1, 0, 0, 0, 0, 1)),
        ((author(UNIVERSITY), author()), "academia", (2, 1, 0, 0, 0, 1)),
        ((author(UNIVERSITY, UNIVERSITY), author(UNIVERSITY)), "academia", (2, 2, 0, 0, 0, 0)),
        ((author(FIRM), author(HOSPITAL)), "industry", (2, 0, 1, 1, 0, 0)),
        ((author(), author(UNIVERSITY, FIRM)), "collaboration", (2, 1, 1, 0, 0, 1)),
        ((author(HOSPITAL, UNTYPED),), "other", (1, 0, 0, 1, 0, 0)),
        ((author(GUILD),), "other", (1, 0, 0, 0, 1, 0)),
    ],
)
def test_a_team_follows_from_the_types_of_its_authors_institutions(
    read: Read, reader: ReaderName, authors: tuple[Record, ...], team: str, counts: tuple[int, ...]
) -> None:
    row = read([work(1, *authors)], reader).row(0, named=True)
    names = ("n_authorships", "n_education", "n_company", "n_public", "n_other", "n_unresolved")
    assert TEAMS[row["team"]] == team
    assert tuple(row[name] for name in names) == counts


@pytest.mark.parametrize("reader", ALL)
def test_a_row_holds_the_numbers_of_its_record(read: Read, reader: ReaderName) -> None:
    record = work(4401234567, author(FIRM, UNIVERSITY), author(HOSPITAL), is_retracted=True, is_xpac=True)
    frame = read([record], reader)
    assert dict(zip(frame.columns, map(str, frame.dtypes), strict=True)) == dict(NARROW)
    row = frame.row(0, named=True)
    bits = 1 << COUNTRIES.index("US") | 1 << COUNTRIES.index("GB") | 1 << 62
    assert row | {"updated_date": str(row["updated_date"])} == {
        "work_id": 4401234567,
        "updated_date": "2026-01-02",
        "year": 2021,
        "type": "article",
        "language": "en",
        "topic_id": 10123,
        "subfield_id": 1702,
        "field_id": 17,
        "domain_id": 3,
        "team": TEAMS.index("collaboration"),
        "n_authorships": 2,
        "n_education": 1,
        "n_company": 1,
        "n_public": 1,
        "n_other": 0,
        "n_unresolved": 0,
        "countries": bits,
        "cited_by_count": 12,
        "cited_percentile": 88,
        "flags": FLAGS["retracted"] + FLAGS["xpac"],
        "keywords": 0,
        "adoption": 0,
    }


NULLS = dict.fromkeys(
    [
        *(
            "publication_year",
            "language",
            "type",
            "authorships",
            "cited_by_count",
            "cited_by_percentile_year",
        ),
        *("is_retracted", "is_paratext", "is_xpac", "primary_topic", "title", "abstract_inverted_index"),
        *("updated_date", "referenced_works", "topics", "counts_by_year"),
    ]
)


@pytest.mark.parametrize("reader", ALL)
def test_null_in_every_optional_field_is_missing_and_the_team_unknown(read: Read, reader: ReaderName) -> None:
    hollow = work(2, {**author(), "institutions": None}, primary_topic={"id": None, "subfield": None})
    bare = {"id": "https://openalex.org/W3", "publication_year": None, "type": None, "authorships": None}
    frame = read([work(1, **NULLS), hollow, bare, work(4)], reader)
    assert frame["team"].to_list() == [0, 0, 0, 0]
    assert frame["n_authorships"].to_list() == [0, 1, 0, 0]
    assert frame["n_unresolved"].to_list() == [0, 1, 0, 0]
    first = frame.row(0, named=True)
    assert all(first[name] is None for name in ("year", "type", "language", "topic_id", "cited_by_count"))
    assert first["flags"] == first["countries"] == 0


def made_mixture() -> list[Record | str]:
    """Return records in every shape that JSON allows, and the traps of the snapshot."""
    plain = [
        work(
            10 + i, *(author(*([UNIVERSITY, FIRM, HOSPITAL, GUILD, UNTYPED][: j % 6])) for j in range(i % 4))
        )
        for i in range(12)
    ]
    spaced = json.dumps(work(40, author(FIRM)), indent=None)
    escaped = json.dumps(work(41, author(UNIVERSITY), title="学習 \u2028"), ensure_ascii=True)
    reordered = json.dumps(dict(sorted(work(42, author(FIRM), author(UNIVERSITY)).items(), reverse=True)))
    turned = json.dumps(work(43, dict(reversed(author(FIRM).items()))), separators=(",", ":"))
    slashed = json.dumps(work(44, author(FIRM)), separators=(",", ":")).replace("/", "\\/")
    huge = work(45, *(author(UNIVERSITY) for _ in range(3000)), title="x" * 2_000_000)
    return [
        *plain,
        spaced,
        escaped,
        reordered,
        turned,
        slashed,
        huge,
        work(46, **NULLS),
        work(47, author(FIRM)),
    ]


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("reader", [name for name in ALL if name != "typed"])
def test_every_reader_gives_the_same_rows(read: Read, reader: ReaderName) -> None:
    mixture = made_mixture()
    assert read(mixture, reader).equals(read(mixture, "typed"))


@pytest.mark.parametrize("reader", [name for name in ALL if name != "scan"])
def test_topics_models_and_abstracts_are_found_on_demand(read: Read, reader: ReaderName) -> None:
    wanted = Wanted(
        keywords={"none": "quantum", "foundation_model": r"foundation models?\b", "deep": "deep"},
        adoption=(
            Model(name="cited", work_ids=(78,)),
            Model(name="named", pattern=r"Foundation"),
            Model(name="no"),
        ),
    )
    frame = read([work(1), work(2, **NULLS)], reader, wanted)
    assert frame["keywords"].to_list() == [0b110, 0]
    assert frame["adoption"].to_list() == [0b011, 0]
    assert frame["flags"].to_list() == [FLAGS["abstract"], 0]


@pytest.mark.parametrize("reader", [name for name in ALL if name != "scan"])
def test_an_override_wins_over_the_type_of_the_source(read: Read, reader: ReaderName, tmp_path: Path) -> None:
    table = tmp_path / "overrides.csv"
    table.write_text("id,type,reason\nI2,education,a school\nhttps://openalex.org/I5,company,a firm\n")
    frame = read(
        [work(1, author(FIRM)), work(2, author(UNTYPED))], reader, Wanted(overrides=read_overrides(table))
    )
    assert [TEAMS[code] for code in frame["team"]] == ["academia", "industry"]


def test_a_lab_below_a_company_counts_as_one(tmp_path: Path) -> None:
    firm, lab = institution("company", 1), institution("facility", 2) | {"lineage": []}
    lab["lineage"] = [lab["id"], firm["id"]]
    school = institution("education", 3) | {"lineage": [firm["id"]]}
    write_lines(tmp_path / "updated_date=2026-01-01" / "part_0000.gz", [firm, lab, school])
    assert inherited(tmp_path) == {lab["id"]: TYPES["company"]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id\nI1\n", "needs id and type"),
        ("id,type\nI1,educatoin\n", "Did you mean education"),
        ("id,type\nI1,education\nI1,company\n", "given twice"),
    ],
)
def test_a_table_of_overrides_with_a_fault_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    table = tmp_path / "overrides.csv"
    table.write_text(content)
    with pytest.raises(EvidenceError, match=problem):
        read_overrides(table)


def test_more_names_than_bits_and_broken_patterns_are_refused() -> None:
    with pytest.raises(SettingError, match="at most 62"):
        Wanted(keywords={f"k{i}": "x" for i in range(63)})
    with pytest.raises(SettingError, match="no regular expression"):
        Wanted(adoption=(Model(name="m", pattern="(", work_ids=()),))


def test_an_abstract_is_put_back_in_order_from_any_form() -> None:
    index = {"of": [1, 3], "a": [0], "b": [2]}
    rows = [{"key": key, "value": value} for key, value in index.items()]
    assert {abstract_text(form) for form in (index, json.dumps(index), rows)} == {"a of b of"}
