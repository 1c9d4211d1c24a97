"""Counts of a narrow table: DuckDB and Spark run one set of expressions and find what was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, MissingExtraError, SettingError
from isoflop.evidence.openalex import Model, Wanted, extract
from isoflop.evidence.openalex.institutions import COUNTRIES
from isoflop.evidence.openalex.query import BY, SETS, Where, query
from validation.openalex import Settings, make
from validation.openalex.records import PAPERS, PHRASES

pytest.importorskip("ibis", reason="queries need the extra openalex")
pytest.importorskip("duckdb", reason="queries need the extra openalex")

TOPICS = tuple(f"phrase_{i}" for i in range(len(PHRASES)))
MODELS = tuple(f"paper_{i}" for i in range(len(PAPERS)))
COLUMN = {"domain": "domain_id", "field": "field_id", "subfield": "subfield_id", "topic": "topic_id"}
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a narrow table and what was planted in it."""
    found = tmp_path_factory.mktemp("narrow")
    made = make(found / "snapshot", Settings(works=600, parts=2, seed=5))
    wanted = Wanted(
        keywords=dict(zip(TOPICS, PHRASES, strict=True)),
        adoption=tuple(Model(name=n, work_ids=(p,)) for n, p in zip(MODELS, PAPERS, strict=True)),
    )
    extract(made.folder, found / "narrow.parquet", wanted=wanted)
    made.planted().write_parquet(found / "planted.parquet")
    return found


@pytest.fixture(scope="module")
def table(folder: Path) -> Path:
    """Return the narrow table."""
    return folder / "narrow.parquet"


@pytest.fixture(scope="module")
def planted(folder: Path) -> pl.DataFrame:
    """Return what was planted, one row a work."""
    return pl.read_parquet(folder / "planted.parquet")


def countries_of(row: Row) -> set[str]:
    return {c if c in COUNTRIES else "elsewhere" for c in row["countries"].split(",") if c}


def groups_of(row: Row, name: str) -> list[Any]:
    """Return the groups that a planted work stands in."""
    if name == "country":
        return sorted(countries_of(row))
    if name == "keyword":
        return [] if row["phrase"] is None else [TOPICS[row["phrase"]]]
    if name == "adoption":
        return [] if row["paper"] is None else [MODELS[row["paper"]]]
    return [row[COLUMN.get(name, name)]]


def counts(row: Row, where: Where) -> bool:
    """Return whether a planted work counts, by the plainest reading of the settings."""
    bits = {"retracted": 1, "paratext": 2, "xpac": 4}
    lists = {"types": "type", "languages": "language", "domains": "domain_id", "fields": "field_id"}
    sets = {"countries": "country", "keywords": "keyword", "adoption": "adoption"}
    year = row["year"]
    return (
        not any(row["flags"] & bit for name, bit in bits.items() if name not in where.keep)
        and (where.since is None or (year is not None and year >= where.since))
        and (where.until is None or (year is not None and year <= where.until))
        and all(row[column] in getattr(where, name) for name, column in lists.items() if getattr(where, name))
        and all(
            set(groups_of(row, kind)) & set(getattr(where, name))
            for name, kind in sets.items()
            if getattr(where, name)
        )
    )


def plainly(
    rows: list[dict[str, Any]], by: tuple[str, ...], where: Where
) -> tuple[Counter[Any], Counter[Any]]:
    """Count planted works and their citations group by group, one work at a time."""
    works, cited = Counter[Any](), Counter[Any]()
    for row in rows:
        if counts(row, where):
            keys: list[tuple[Any, ...]] = [()]
            for name in by:
                keys = [(*key, one) for key in keys for one in groups_of(row, name)]
            for key in keys:
                works[key] += 1
                cited[key] += row["cited_by_count"] or 0
    return works, cited


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple))


groupings = st.lists(st.sampled_from(BY), min_size=1, max_size=3, unique=True).map(tuple)
choices = st.builds(
    Where,
    since=st.sampled_from([None, 2012]),
    until=st.sampled_from([None, 2020]),
    types=some(("article", "preprint", "no such type")),
    domains=some((1, 2, 3)),
    fields=some((17, 22)),
    languages=some(("en", "zh")),
    countries=some(("US", "CN", "elsewhere")),
    keywords=some(TOPICS),
    adoption=some(MODELS),
    keep=some(("retracted", "paratext", "xpac")),
)


@given(by=groupings, where=choices)
def test_every_grouping_and_choice_gives_the_planted_counts(
    table: Path, planted: pl.DataFrame, by: tuple[str, ...], where: Where
) -> None:
    found = query(table, by=by, where=where, threads=1)
    rows = planted.to_dicts()
    works, cited = plainly(rows, by, where)
    assert {tuple(r[name] for name in by): r["works"] for r in found.rows} == works
    assert {tuple(r[name] for name in by): r["cited_by"] for r in found.rows} == dict(cited)
    assert found.works == sum(counts(row, where) for row in rows)
    assert found.read == planted.height


def test_groups_of_a_partition_add_up_to_the_works_counted(table: Path) -> None:
    for by in (("team",), ("team", "year"), ("type", "language", "subfield")):
        found = query(table, by=by, threads=1)
        assert sum(row["works"] for row in found.rows) == found.works
        assert found.works + found.provenance[0].rows_dropped == found.read


def test_rows_come_in_order_with_missing_names_last(table: Path) -> None:
    rows = query(table, by=("year", "team"), threads=1).rows
    years = [row["year"] for row in rows]
    known = [year for year in years if year is not None]
    assert known == sorted(known)
    assert years[len(known) :] == [None] * (len(years) - len(known))
    assert None in years
    first = [row["team"] for row in rows if row["year"] == known[-1]]
    assert first == [t for t in ("unknown", "academia", "industry", "collaboration", "other") if t in first]


def test_flags_are_left_out_unless_kept(table: Path, planted: pl.DataFrame) -> None:
    every = query(table, by=("team",), where=Where(keep=("retracted", "paratext", "xpac")), threads=1)
    assert every.works == planted.height
    assert query(table, by=("team",), threads=1).works == planted.filter(pl.col("flags") == 0).height


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"by": ()}, "at least one of"),
        ({"by": ("teams",)}, "Did you mean 'team'"),
        ({"by": ("team", "team")}, "needs each once"),
        ({"engine": "dask"}, "must be one of duckdb, spark"),
        ({"where": Where(countries=("UK",))}, "'UK' has no bit"),
        ({"where": Where(keywords=("phrase_9",))}, "Did you mean"),
    ],
)
def test_wrong_settings_are_refused_with_what_to_do(table: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        query(table, **asked)


def test_impossible_choices_are_refused() -> None:
    with pytest.raises(SettingError, match="since <= until"):
        Where(since=2020, until=2010)
    with pytest.raises(SettingError, match="must be one of retracted"):
        Where(keep=("abstract",))


def test_bits_that_were_not_extracted_cannot_be_asked_for(folder: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.parquet"
    extract(folder / "snapshot", plain)
    for kind in SETS[1:]:
        with pytest.raises(SettingError, match="Extract it again"):
            query(plain, by=(kind,))


def test_a_file_that_is_no_narrow_table_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(other)
    text = tmp_path / "text.parquet"
    text.write_text("year,team\n")
    for path in (other, text, tmp_path / "none.parquet"):
        with pytest.raises(EvidenceError, match="narrow table"):
            query(path)


def test_a_damaged_table_is_refused_with_what_to_do(table: Path, tmp_path: Path) -> None:
    content = bytearray(table.read_bytes())
    content[16 : len(content) // 2] = bytes(byte ^ 0x5A for byte in content[16 : len(content) // 2])
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(content)
    with pytest.raises(EvidenceError, match=r"DuckDB stopped .* Extract it again"):
        query(damaged)


def test_a_frame_has_the_same_columns_with_and_without_rows(table: Path) -> None:
    some = query(table, by=BY[:8], threads=1).frame()
    none = query(table, by=BY[:8], where=Where(since=2100), threads=1).frame()
    assert some.schema == none.schema
    assert some.height > 0
    assert none.height == 0
    assert some["works"].sum() == query(table, by=("team",), threads=1).works


def test_spark_without_java_says_what_to_install(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", reason="needs the extra spark")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingExtraError, match="Java 17"):
        query(table, engine="spark")


@pytest.fixture
def java() -> None:
    """Skip where Spark cannot run."""
    import shutil

    pytest.importorskip("pyspark", reason="needs the extra spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java 17 runtime (Debian: default-jre-headless)")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PySpark leaves a pipe open where Java does not start
def test_a_java_that_does_not_start_says_what_to_check(
    java: None, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingExtraError, match="Check JAVA_HOME"):
        query(table, engine="spark")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_spark_session_that_runs_already_is_left_running(java: None, table: Path) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        found = query(table, by=("team",), engine="spark")
        assert found.rows == query(table, by=("team",), threads=1).rows
        assert session.range(3).count() == 3
    finally:
        session.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "where"),
    [
        (("team", "year"), Where()),
        (("team", "field", "subfield"), Where(since=2012, until=2022, types=("article",))),
        (("team", "country"), Where(domains=(3,), keep=("xpac",))),
        (("country", "keyword"), Where(keep=("retracted", "paratext", "xpac"))),
        (("team", "adoption"), Where(countries=("US", "CN"))),
        (("topic", "type", "language"), Where(keywords=TOPICS[:2])),
    ],
)
def test_spark_gives_the_same_table_as_duckdb(
    java: None, table: Path, by: tuple[str, ...], where: Where
) -> None:
    one = query(table, by=by, where=where, threads=1)
    other = query(table, by=by, where=where, engine="spark", threads=1)
    assert other.rows == one.rows
    assert (other.works, other.read, other.fingerprint) == (one.works, one.read, one.fingerprint)
    assert one.rows
