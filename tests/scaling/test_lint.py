"""The linter lists every problem at once, and agrees with the door."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import SCHEMAS, load
from isoflop.scaling.commands.lint import lint as command
from isoflop.scaling.extraction.lint import EXAMPLE, lint, template


def example(**cells: Any) -> dict[str, str]:
    row = next(csv.DictReader(io.StringIO(template())))
    return row | {"paper_id": "p"} | {name: str(cell) for name, cell in cells.items()}


def frame(*rows: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows))


GOOD = [example(x=x, y=y) for x, y in ((10, 20), (100, 50), (1000, 80))]


def test_a_good_table_has_nothing_to_say() -> None:
    report = lint(frame(*GOOD))
    assert (report.errors, report.warnings, report.studies, report.papers) == (0, 0, 1, 1)
    assert report.frame().height == 0


def test_the_template_is_a_valid_table_once_its_examples_are_renamed(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(template(), encoding="utf-8")
    report = lint(path)
    assert [remark.text for remark in report.remarks] == ["rows of the template are left in"]
    assert report.remarks[0].rows == (1, 2, 3)
    path.write_text(template().replace(EXAMPLE, "2401.00001"), encoding="utf-8")
    assert (lint(path).errors, lint(path).warnings) == (0, 0)
    assert load(path).schema == "study_points"
    assert template().split("\n")[0].split(",") == list(SCHEMAS["study_points"].names)


def test_every_problem_is_listed_with_row_column_and_cure() -> None:
    report = lint(
        frame(
            example(x="ten"),
            example(x=20, y=120),
            example(x=30, model_class="VLA"),
            example(x=40, x_unit="frames"),
            example(x=50),
            example(x=50, y=25),
            example(x=60, n_trials=0),
            example(x=70, higher_is_better=0),
        )
    )
    found = {(remark.column, remark.rows) for remark in report.remarks if remark.severity == "error"}
    assert found == {
        ("x", (1,)),
        ("y", (2,)),
        ("model_class", (3,)),
        ("x_unit", (1,)),
        ("x", (5, 6)),
        ("n_trials", (7,)),
        ("higher_is_better", (1,)),
        ("metric", (8,)),
    }
    assert all(remark.todo.endswith((".", "?", "'")) for remark in report.remarks)


def test_what_only_weakens_an_answer_is_a_warning() -> None:
    rows = [
        example(x=10, y=50, n_trials="", verfied="read"),
        example(x=20, y=45, n_trials="", verfied="read"),
        example(x=30, y=40, n_trials="", verfied="read"),
        example(study_id="two points", x=10, y=33, verified="no", verfied=""),
    ]
    report = lint(frame(*rows))
    assert report.errors == 0
    texts = " | ".join(remark.text for remark in report.remarks)
    for part in (
        "no column of study_points: not read",
        "x spans less than a factor of 10",
        "no number of trials",
        "success is lower at the largest x",
        "1 scale, a curve needs 3",
        "success times n_trials is no whole number",
        "not verified",
    ):
        assert part in texts


BREAKAGES = {
    "x": ("", "-1", "many"),
    "y": ("", "101", "-1"),
    "y_unit": ("", "per cent", "fraction"),
    "n_trials": ("0", "2.5"),
    "resource": ("", "time"),
    "higher_is_better": ("", "0"),
    "metric": ("", "error_rate"),
    "n_success": ("70", "1"),
}


@pytest.mark.slow
@pytest.mark.ci
@given(
    st.sampled_from([(column, cell) for column, cells in BREAKAGES.items() for cell in cells]),
    st.integers(0, 2),
)
def test_the_linter_finds_an_error_exactly_where_the_door_refuses(break_: tuple[str, str], row: int) -> None:
    rows = [dict(one) for one in GOOD]
    rows[row][break_[0]] = break_[1]
    assert lint(frame(*rows)).errors >= 1
    with pytest.raises(EvidenceError):
        load(frame(*rows), schema="study_points")


def test_studies_alike_share_one_line() -> None:
    rows = [example(study_id=name, x=x, y=x, n_trials="") for name in "abc" for x in (10, 30, 90)]
    texts = {remark.text: remark for remark in lint(frame(*rows)).remarks}
    assert texts["no number of trials"].group == "study 'p/a' and 2 more"
    assert texts["no number of trials"].rows == tuple(range(1, 10))


@pytest.mark.slow
@pytest.mark.ci
def test_the_shipped_points_load_without_errors() -> None:
    report = lint(load("study_points").frame, name="shipped")
    assert report.errors == 0
    assert report.studies >= 549
    assert report.warnings < 20


def test_a_table_without_a_required_column_is_refused_by_name() -> None:
    with pytest.raises(EvidenceError, match="column 'x_unit' not in frame; closest is 'unit'"):
        lint(frame(*GOOD).rename({"x_unit": "unit"}))
    assert lint(frame(*GOOD).rename({"x_unit": "unit"}), columns={"x_unit": "unit"}).errors == 0


def test_the_command_exits_with_2_on_errors_only(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    frame(*GOOD).write_csv(path)
    done = CliRunner().invoke(command, [str(path)])
    assert (done.exit_code, "it loads" in done.output) == (0, True)
    frame(example(y=120), example(study_id="t")).write_csv(path)
    done = CliRunner().invoke(command, [str(path)])
    assert done.exit_code == 2
    assert "row 1, y: 120, with y_unit 'percent' must lie in [0, 100]." in done.output
    done = CliRunner().invoke(command, [str(path), "--json"])
    tables = json.loads(done.stdout)["tables"]
    assert tables["lint"][0]["errors"] == 1
    assert tables["remarks"][0]["rows"] == "1"
    assert done.exit_code == 2


def test_the_command_prints_the_template_or_asks_for_a_file() -> None:
    assert CliRunner().invoke(command, ["--template"]).output == template()
    assert isinstance(CliRunner().invoke(command, []).exception, SettingError)
