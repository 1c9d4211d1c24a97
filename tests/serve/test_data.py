"""Files that are sent: stored under a safe name, taken for a table, named by hand, checked row by row."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import SCHEMAS
from isoflop.serve.tables import read, schema_of
from isoflop.serve.uploads import LONGEST_NAME, RECORD, Uploads, safe_name

ROWS = [(f"r{n}", 10 ** (7 + n % 4), 10 ** (9 + n // 4), 3 - n / 10) for n in range(12)]


def table(header: str, rows=ROWS) -> bytes:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]).encode()


@given(name=st.text(max_size=300))
def test_a_safe_name_is_plain_short_and_stays_in_its_folder(name):
    safe = safe_name(name)
    assert 0 < len(safe) <= LONGEST_NAME
    assert not set(safe) & set("/\\\0 '\"$;&|<>*?")
    assert safe[0] not in ".-"
    assert safe != RECORD
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", ["runs.csv", "Läufe-2.tsv.gz", "scores.parquet"])
def test_a_plain_name_is_kept(name):
    assert safe_name(name) == name


def test_an_upload_is_read_back_and_one_with_a_broken_record_is_left_out(tmp_path):
    uploads = Uploads(tmp_path)
    first = uploads.add("../runs.csv", io.BytesIO(b"a\n1\n"))
    assert first.path.read_bytes() == b"a\n1\n"
    assert first.path.parent.parent == tmp_path
    described = uploads.describe(first, schema="scaling_runs", mapping={"params": "N"})
    assert Uploads(tmp_path).all() == (described,)
    (first.folder / RECORD).write_text('{"name": 3}')
    assert uploads.all() == ()
    assert uploads.get("../../etc") is None


def test_a_header_in_the_project_s_columns_tells_the_table(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(table("run_id,params,tokens,loss_nats"))
    reading = read(path)
    assert reading.schema is SCHEMAS["scaling_runs"]
    assert reading.table.frame.height == reading.height == len(ROWS)
    assert reading.missing == ()


def test_columns_of_other_names_are_missing_until_they_are_named(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(table("label,N,D,y"))
    assert read(path).schema is None
    reading = read(path, schema="scaling_runs")
    assert [one.column.name for one in reading.missing] == ["params", "tokens", "loss_nats"]
    assert reading.table is None
    named = read(
        path, schema="scaling_runs", mapping={"params": "N", "tokens": "D", "loss_nats": "y", "seed": "gone"}
    )
    assert named.table is not None
    assert named.missing == ()
    assert {one.column.name: one.theirs for one in named.asked if one.theirs} == {
        "params": "N",
        "tokens": "D",
        "loss_nats": "y",
    }


def test_every_bad_cell_is_listed_with_its_row(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(
        table(
            "run_id,params,tokens,loss_nats", [("a", 1e9, 1e9, 2), ("b", "many", 1e9, 2), ("c", 1e9, -1, 2)]
        )
    )
    reading = read(path)
    assert reading.table is None
    assert {(one.rows, one.column) for one in reading.problems} == {((2,), "params"), ((3,), "tokens")}


@pytest.mark.parametrize("name", sorted({"evaluations", "models", "study_points", "works", "scores"}))
def test_a_header_of_exactly_the_needed_columns_is_that_table(name):
    schema = SCHEMAS[name]
    needed = [column.name for column in schema.columns if column.required] + [
        group[0] for group in schema.one_of
    ]
    assert schema_of(needed) in (name, "")


def test_what_is_no_table_is_said_to_be_none(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvidenceError, match="UTF-8"):
        read(path)
