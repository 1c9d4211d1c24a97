"""`load`: what it accepts, what it refuses, and how it says so."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import SCHEMAS, load

HEADER = "system,paper,benchmark,publication_date,perplexity,parameters,train_tokens"
GOOD = "A,Paper A,WT103,2019-02-14,20.5,1e9,1e11"


def write(folder: Path, *lines: str, name: str = "runs.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def with_cell(column: str, text: str) -> str:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {column: text}
    return ",".join(cells.values())


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (
            "perplexity",
            "0.9",
            "row 2, column 'perplexity' of runs.csv: 0.9, must be >= 1. A perplexity below 1",
        ),
        ("perplexity", "0", "row 2, column 'perplexity'"),
        ("perplexity", "-3", "row 2, column 'perplexity'"),
        ("parameters", "0", "row 2, column 'parameters' of runs.csv: 0, must be > 0"),
        ("train_tokens", "0", "row 2, column 'train_tokens' of runs.csv: 0, must be > 0"),
        ("train_tokens", "-1e9", "row 2, column 'train_tokens'"),
        ("parameters", "inf", "row 2, column 'parameters' of runs.csv: inf, must be finite"),
        ("parameters", "UNK", "row 2, column 'parameters' of runs.csv: 'UNK' is no number"),
        (
            "parameters",
            "#VALUE!",
            "'#VALUE!' is no number. Write a plain number such as 1.5e9, or leave the cell",
        ),
        ("parameters", "NAN", "'NAN' is no number"),
        ("train_tokens", "?", "row 2, column 'train_tokens' of runs.csv: '?' is no number"),
        (
            "publication_date",
            "2023/13/01",
            "row 2, column 'publication_date' of runs.csv: '2023/13/01' is no date",
        ),
        ("publication_date", "2023-02-30", "'2023-02-30' is no date. Write it as YYYY-MM-DD"),
        ("publication_date", "12/08/16", "'12/08/16' is no date. Write it as YYYY-MM-DD"),
        ("paper", "", "row 2, column 'paper' of runs.csv: empty, must not be empty"),
        ("paper", "   ", "row 2, column 'paper' of runs.csv: empty, must not be empty"),
        ("system", "", "row 2, column 'system' of runs.csv: empty, must not be empty"),
    ],
)
def test_a_bad_cell_is_refused_with_its_row_and_column(
    tmp_path: Path, column: str, text: str, expected: str
) -> None:
    path = write(tmp_path, HEADER, GOOD, with_cell(column, text))
    with pytest.raises(EvidenceError) as caught:
        load(path)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("load: ")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("column", "blank"),
    [
        *itertools.product(
            ["publication_date", "perplexity", "parameters", "train_tokens"], ["", " ", "NA", "NaN"]
        ),
        ("benchmark", ""),
    ],
)
def test_an_empty_cell_is_missing_and_keeps_the_row(tmp_path: Path, column: str, blank: str) -> None:
    table = load(write(tmp_path, HEADER, GOOD, with_cell(column, blank)))
    assert table.frame.height == 2
    assert table.frame[column].null_count() == 1


def test_several_bad_cells_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *[with_cell("parameters", "UNK")] * 3)
    with pytest.raises(EvidenceError, match=r"row 1, .*\(2 more rows likewise\.\)"):
        load(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("52.3", "52.3, must lie in (0, 1). Divide by 100?"),
        ("1", "1, must lie in (0, 1)"),
        ("23.7%", "'23.7%' is no number. Write it as 0.237."),
    ],
)
def test_percentages_are_refused_with_a_hint(tmp_path: Path, text: str, expected: str) -> None:
    path = write(
        tmp_path,
        "system,paper,benchmark,publication_date,top1_error,parameters,train_images",
        f"A,P,ImageNet,2015-12-10,{text},25e6,1281167",
    )
    with pytest.raises(EvidenceError) as caught:
        load(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "runs.csv is empty"),
        ("\n\n", "runs.csv is empty"),
        (f"{HEADER}\n", "runs.csv has no data rows"),
        (f"{HEADER},perplexity\n{GOOD},3\n", "column 'perplexity' occurs 2 times in the header of runs.csv"),
        (f"{HEADER}\n{GOOD},extra\n", "row 1: 8 cells, needs 7 as in the header"),
        (f"{HEADER}\n{GOOD}\nB,P\n", "row 2: 2 cells, needs 7 as in the header. Is the file cut off"),
        (f'{HEADER}\n"{"x" * 200_000}', "Is a quotation mark left open"),
        (f"{HEADER}\n{GOOD}\n".replace(",", ";"), "The separator seems to be ';'"),
        (f"{HEADER},Perplexity\n{GOOD},3\n", "both read as 'perplexity'"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("runs.csv", b"\xff\xfe\x00a", "not UTF-8"),
        ("runs.csv.gz", b"no gzip", "no whole gzip file"),
        ("runs.parquet", b"no parquet", "no readable parquet file"),
        ("runs.xlsx", b"", "needs one of .csv, .tsv"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EvidenceError, match=expected):
        load(tmp_path / name)


def test_a_missing_column_proposes_the_closest_and_the_map_that_cures_it(tmp_path: Path) -> None:
    header = HEADER.replace("train_tokens", "tokens")
    path = write(tmp_path, header, GOOD)
    with pytest.raises(EvidenceError) as caught:
        load(path)
    message = str(caught.value)
    assert "column 'train_tokens' (or train_images) not in runs.csv; closest is 'tokens'" in message
    assert "--map train_tokens=tokens" in message
    mapped = load(path, columns={"train_tokens": "tokens"})
    assert mapped.frame["train_tokens"].to_list() == [1e11]
    assert "train_tokens=tokens" in mapped.importer


def test_every_missing_column_is_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "system,paper", "A,P")
    with pytest.raises(
        EvidenceError, match=r"also missing: publication_date, parameters, perplexity, train_tokens"
    ):
        load(path)


def test_a_map_to_an_absent_or_unknown_column_proposes_the_closest(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GOOD)
    with pytest.raises(EvidenceError, match=r"column 'papr' not in runs\.csv; closest is 'paper'"):
        load(path, columns={"paper": "papr"})
    with pytest.raises(
        EvidenceError, match=r"'train_token' is no column of schema evaluations; closest is 'train_tokens'"
    ):
        load(path, columns={"train_token": "train_tokens"})


def test_unknown_settings_and_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GOOD)
    with pytest.raises(SettingError, match="Did you mean evaluations"):
        load(path, schema="evaluation")
    with pytest.raises(SettingError, match="Did you mean lm_evaluations"):
        load(path, importer="lm_evaluation")
    with pytest.raises(EvidenceError, match="which importer lm_evaluations needs\\."):
        load(path, importer="lm_evaluations")
    with pytest.raises(EvidenceError, match="no file"):
        load(tmp_path / "absent.csv")
    with pytest.raises(EvidenceError, match=r"no shipped table .* closest is 'language_evaluations'"):
        load("language_evaluation")
    with pytest.raises(EvidenceError, match="It is a public table: name its file"):
        load("lm-evaluations")
    with pytest.raises(EvidenceError, match="no known layout"):
        load(tmp_path)
    (tmp_path / "epoch_capabilities_index.csv").write_text("Model\n")
    with pytest.raises(EvidenceError, match="recognised as capabilities with schema capabilities, needs"):
        load(tmp_path, schema="evaluations")
    with pytest.raises(EvidenceError, match="needs a path, the name of an embedded table or a data frame"):
        load(3)
    with pytest.raises(EvidenceError, match="a shipped table with schema hardware, needs schema evaluations"):
        load("hardware_facts", schema="evaluations")


@pytest.mark.parametrize(
    "written", ["2019-02-14", "2019/02/14", "2019-02-14 00:00:00", "2019-02-14T12:30:00Z"]
)
def test_dates_are_read_in_their_usual_forms(tmp_path: Path, written: str) -> None:
    table = load(write(tmp_path, HEADER, with_cell("publication_date", written)))
    assert table.frame["publication_date"].to_list() == [dt.date(2019, 2, 14)]


def test_header_case_spaces_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    plain = load(write(tmp_path, HEADER, GOOD))
    header = "\ufeff" + HEADER.replace("publication_date", "Publication Date").replace(
        "train_tokens", "Train-Tokens"
    )
    other = load(write(tmp_path, header, GOOD, name="other.csv"))
    assert other.fingerprint == plain.fingerprint


def test_one_table_has_one_fingerprint_in_every_format_and_library(tmp_path: Path) -> None:
    path = write(
        tmp_path, HEADER, GOOD, with_cell("perplexity", ""), 'B,"Paper\nB",PTB,2012/01/01,55,2e6,9.29e5'
    )
    frame = pl.read_csv(path, try_parse_dates=False)
    (tmp_path / "runs.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    frame.write_parquet(tmp_path / "runs.parquet")
    frame.write_csv(tmp_path / "runs.tsv", separator="\t")
    sources = [
        path,
        str(path),
        tmp_path / "runs.csv.gz",
        tmp_path / "runs.parquet",
        tmp_path / "runs.tsv",
        frame,
        frame.lazy(),
        frame.to_arrow(),
        pd.read_csv(path),
        frame.with_columns(pl.col("publication_date").str.replace_all("/", "-").str.to_date()),
    ]
    tables = [load(source) for source in sources]
    assert len({table.fingerprint for table in tables}) == 1
    assert all(table.frame.equals(tables[0].frame) for table in tables)


def test_a_canonical_table_survives_a_round_trip(tmp_path: Path) -> None:
    first = load("language_evaluations")
    first.frame.write_csv(tmp_path / "again.csv")
    again = load(tmp_path / "again.csv")
    assert again.schema == "evaluations"
    # Derived FLOP are stated numbers the second time, so only that flag and the row ids may differ.
    kept = [c for c in first.frame.columns if c not in ("flop_is_derived", "row_id")]
    assert again.frame.select(kept).equals(first.frame.select(kept))


def test_the_schema_is_found_by_its_required_columns() -> None:
    scores = pl.DataFrame({"model": ["a", "b"], "benchmark": ["x", "x"], "score": [0.2, 0.9]})
    assert load(scores).schema == "scores"
    assert load(scores, schema="scores").frame["score"].to_list() == [0.2, 0.9]
    with pytest.raises(EvidenceError, match="Divide by 100"):
        load(scores.with_columns(score=pl.col("score") * 100))


def test_a_frame_that_mixes_text_and_numbers_is_judged_cell_by_cell() -> None:
    frame = pd.read_csv(pd.io.common.StringIO(f"{HEADER}\n{GOOD}\n{GOOD}"))
    frame["parameters"] = frame["parameters"].astype(object)
    frame.loc[1, "parameters"] = "?"
    with pytest.raises(EvidenceError, match=r"row 2, column 'parameters' of mine: '\?' is no number"):
        load(frame, name="mine")


def test_missing_values_of_pandas_are_missing() -> None:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    frame = pd.DataFrame([cells, cells | {"system": "B"}]).astype(
        {"perplexity": float, "parameters": float, "train_tokens": float}
    )
    frame["publication_date"] = pd.to_datetime(frame["publication_date"])
    frame["is_included"] = pd.array([True, None], dtype="boolean")
    frame["vocabulary_size"] = pd.array([10_000, None], dtype="Int64")
    frame.loc[1, ["perplexity", "publication_date"]] = [float("nan"), pd.NaT]
    read = load(frame).frame
    assert read["perplexity"].to_list() == [20.5, None]
    assert read["publication_date"].to_list() == [dt.date(2019, 2, 14), None]
    assert read["vocabulary_size"].to_list() == [10_000.0, None]
    assert read["is_included"].to_list() == [True, True]


def test_a_duplicate_header_in_a_frame_is_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["system", "system"])
    with pytest.raises(EvidenceError, match="column 'system' occurs 2 times"):
        load(frame)


@pytest.mark.slow
@pytest.mark.ci
@given(st.permutations(HEADER.split(",")), st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_column_order_does_not_matter(order: list[str], sizes: list[int]) -> None:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    frame = pl.DataFrame([cells | {"system": f"S{n}{i}"} for i, n in enumerate(sizes)])
    assert load(frame.select(order)).fingerprint == load(frame).fingerprint


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 5), st.sampled_from(["system", "perplexity", "parameters", "paper"]))
def test_any_changed_cell_changes_the_fingerprint(row: int, column: str) -> None:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    rows = [cells | {"system": f"S{i}"} for i in range(6)]
    changed = [dict(r) for r in rows]
    changed[row][column] = "7" if column in ("perplexity", "parameters") else "changed"
    assert load(pl.DataFrame(rows)).fingerprint != load(pl.DataFrame(changed)).fingerprint


def test_provenance_counts_rows_of_steps_and_of_the_frame() -> None:
    table = load("language_evaluations")
    provenance = table.provenance(rows_used=200)
    assert (provenance.rows_used, provenance.rows_dropped) == (200, 39)
    assert provenance.kind == "embedded"
    assert provenance.to_dict()["fingerprint"] == table.fingerprint


def test_repr_fits_one_screen() -> None:
    lines = repr(load("language_evaluations")).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 180


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_schema_documents_its_columns_once(schema) -> None:
    assert len(set(schema.names)) == len(schema.names)
    assert all(column.doc.endswith((".", "%.")) for column in schema.columns)
    assert {name for group in schema.one_of for name in group} <= set(schema.names)
    assert set(schema.key) <= set(schema.names)
