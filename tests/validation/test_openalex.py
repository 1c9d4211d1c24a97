"""Made-up OpenAlex works: what was planted is what any right reader finds, oddities included."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from isoflop.evidence.openalex import Model, Wanted, extract, plan
from isoflop.evidence.openalex.institutions import country_bit
from isoflop.evidence.openalex.narrow import TEAMS
from validation.openalex import Settings, Snapshot, make
from validation.openalex.draw import UNKNOWN
from validation.openalex.records import PAPERS, PHRASES

Line = tuple[Path, str, dict[str, Any]]
SETTINGS = Settings(works=1500, parts=5, moved=0.05, merged=0.02, odd=0.05, huge_bytes=200_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return one small snapshot in both formats."""
    pytest.importorskip("duckdb", reason="the Parquet copy is converted by DuckDB (extra openalex)")
    both = Settings(
        works=SETTINGS.works,
        parts=SETTINGS.parts,
        moved=SETTINGS.moved,
        merged=SETTINGS.merged,
        odd=SETTINGS.odd,
        huge_bytes=SETTINGS.huge_bytes,
        formats=("jsonl", "parquet"),
    )
    return make(tmp_path_factory.mktemp("openalex"), both)


@pytest.fixture(scope="module")
def lines(made: Snapshot) -> tuple[Line, ...]:
    """Return all lines of the snapshot, parsed by the standard library, in the order of files."""
    found = []
    for path in sorted(made.folder.glob("data/jsonl/works/*/*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found += [(path, line, json.loads(line)) for line in file]
    return tuple(found)


def newest_of(snapshot: Snapshot, lines: tuple[Line, ...]) -> dict[int, dict[str, Any]]:
    """Return the newest record of each work that was not merged away, by the plainest code there is."""
    newest = {int(record["id"].rpartition("W")[2]): record for _, _, record in lines}
    for path in snapshot.folder.glob("legacy-data/merged_ids/works/*.gz"):
        with gzip.open(path, "rt") as file:
            for row in csv.DictReader(file):
                newest.pop(int(row["id"][1:]), None)
    return newest


def plain_team(record: dict[str, Any]) -> str:
    kinds = {
        institution["type"]
        for author in record.get("authorships") or ()
        for institution in author["institutions"] or ()
    } - {None}
    sides = {"education": "academia", "company": "industry"}
    found = [sides[kind] for kind in sorted(kinds) if kind in sides]
    return ("collaboration" if len(found) == 2 else found[0]) if found else "other" if kinds else "unknown"


@pytest.mark.slow
@pytest.mark.ci
def test_the_planted_truth_is_what_plain_json_gives(made: Snapshot, lines: tuple[Line, ...]) -> None:
    records, planted = newest_of(made, lines), made.planted()
    assert sorted(records) == planted["work_id"].to_list()
    found: Counter[Any] = Counter()
    for number, team, year, subfield in planted.select("work_id", "team", "year", "subfield_id").iter_rows():
        record = records[number]
        topic = (record["primary_topic"] or {}).get("subfield") or {}
        assert (plain_team(record), record["publication_year"]) == (team, year)
        assert topic.get("id") == (subfield and f"https://openalex.org/subfields/{subfield}")
        found[team, year, subfield] += 1
    assert {(r["team"], r["year"], r["subfield_id"]): r["works"] for r in made.truth} == found
    assert json.loads((made.folder / "truth.json").read_text()) == list(made.truth)


@pytest.mark.slow
@pytest.mark.ci
def test_every_oddity_of_the_real_snapshot_occurs(lines: tuple[Line, ...]) -> None:
    texts = [line for _, line, _ in lines]
    records = [record for _, _, record in lines]
    ids = Counter(record["id"] for record in records)
    authors = [a for r in records for a in r.get("authorships") or ()]
    optional = (
        *("doi", "title", "publication_year", "language", "type", "primary_location", "open_access"),
        *("topics", "keywords", "concepts", "counts_by_year", "related_works", "cited_by_count"),
        *("cited_by_percentile_year", "primary_topic", "abstract_inverted_index", "updated_date"),
    )
    assert all(any(r[name] is None for r in records) for name in optional)
    assert any("authorships" not in r for r in records)
    assert any(r.get("authorships") == [] for r in records)
    assert any(r.get("authorships", 0) is None for r in records)
    assert any(a["institutions"] == [] for a in authors)
    assert any(a["institutions"] is None for a in authors)
    assert any("is_xpac" not in r for r in records)
    assert all(any(r.get(f"is_{name}") for r in records) for name in ("retracted", "paratext", "xpac"))
    assert max(ids.values()) > 1
    assert len({tuple(record) for record in records}) > 20
    assert any('": "https://openalex.org/W' in line for line in texts)
    assert any("\\u7814" in line for line in texts)
    assert any("研究" in line for line in texts)
    assert any('\\"type\\":\\"company\\"' in line for line in texts)
    assert max(map(len, texts)) > SETTINGS.huge_bytes / 2


@pytest.mark.slow
@pytest.mark.ci
def test_older_records_lie_in_earlier_files_and_differ(made: Snapshot, lines: tuple[Line, ...]) -> None:
    places: dict[str, list[tuple[str, str]]] = {}
    for path, _, record in lines:
        where = path.relative_to(made.folder / "data/jsonl/works").as_posix()
        places.setdefault(record["id"], []).append((where, plain_team(record)))
        stamp = record["updated_date"]
        assert stamp is None or stamp[:10] == path.parent.name.removeprefix("updated_date=")
    moved = [found for found in places.values() if len(found) > 1]
    assert len(moved) > 20
    assert any(len({team for _, team in found}) > 1 for found in moved)
    same_day = [f for f in moved if len({Path(where).parent for where, _ in f}) < len(f)]
    assert same_day


def test_sizes_and_unknown_share_are_as_asked(made: Snapshot, lines: tuple[Line, ...]) -> None:
    usual = [len(line.encode()) for _, line, _ in lines if len(line) < SETTINGS.huge_bytes / 2]
    packed = sum(p.stat().st_size for p in made.folder.glob("data/jsonl/works/*/*.gz"))
    assert len(usual) == made.records - 1
    assert 6_900 < np.mean(usual) < 8_200
    assert 4.5 < sum(usual) / packed < 7
    unknown = (made.planted()["team"] == "unknown").mean()
    assert unknown == pytest.approx(UNKNOWN, abs=0.05)  # four standard errors of 1,500 draws


@pytest.mark.slow
@pytest.mark.ci
def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> dict[str, bytes]:
        folder = tmp_path / name
        make(folder, Settings(works=200, parts=3, seed=seed))
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    first = written("one", 7)
    assert first == written("two", 7)
    assert first.keys() == written("three", 8).keys()
    assert first != written("three", 8)


def test_plan_reads_the_manifest(made: Snapshot) -> None:
    found = plan(made.folder, format="jsonl")
    assert found.records == made.records
    assert len(found.items) == SETTINGS.parts
    assert found.to_dict()["bytes"] == sum(
        p.stat().st_size for p in made.folder.glob("data/jsonl/works/*/*.gz")
    )


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("format", "reader"),
    [("jsonl", "typed"), ("jsonl", "scan"), ("jsonl", "duckdb"), ("parquet", "polars")],
)
def test_every_reader_finds_what_was_planted(
    made: Snapshot, tmp_path: Path, format: Any, reader: Any
) -> None:
    planted = made.planted()
    table = extract(made.folder, tmp_path / "narrow.parquet", format=format, reader=reader)
    found = pl.read_parquet(table.path)
    shared = [name for name in planted.columns if name in found.columns and name != "countries"]
    assert len(shared) == 18
    teams = found.with_columns(pl.Series("team", [TEAMS[code] for code in found["team"]]))
    wrong = [
        name for name in shared if teams[name].cast(planted[name].dtype).to_list() != planted[name].to_list()
    ]
    assert wrong == []
    bits = [reduce(int.__or__, map(country_bit, c.split(",")), 0) for c in planted["countries"]]
    assert found["countries"].to_list() == bits
    assert table.works + table.duplicates + table.merged == made.records


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_planted_phrases_and_cited_papers_are_found(made: Snapshot, tmp_path: Path, format: Any) -> None:
    names = [f"p{i}" for i in range(len(PHRASES))]
    wanted = Wanted(
        keywords=dict(zip(names, PHRASES, strict=True)),
        adoption=tuple(Model(name=n, work_ids=(paper,)) for n, paper in zip(names, PAPERS, strict=True)),
    )
    table = extract(made.folder, tmp_path / "narrow.parquet", wanted=wanted, format=format)
    found, planted = pl.read_parquet(table.path), made.planted()
    assert found["keywords"].to_list() == [0 if p is None else 1 << p for p in planted["phrase"]]
    assert found["adoption"].to_list() == [0 if p is None else 1 << p for p in planted["paper"]]
