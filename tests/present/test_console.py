"""The terminal: results on stdout, talk on stderr, at most 100 columns."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Claim, Document, Estimate, Finding
from isoflop.present import console
from isoflop.present.chapter import Column

LONG = "a long method that goes on, " * 8
FINDING = Finding(
    id="a.b",
    instrument="a",
    label="Time in which the compute needed halves",
    estimate=Estimate(value=8.44, low=4.5, high=14.27, level=0.95, unit="months"),
    method="m",
    n=231,
    cautions=("Two **minima** fit. " + LONG, "Short."),
)
CLAIM = Claim(
    id="a.c",
    paper="p",
    text="It halves",
    verdict="holds_with_caution",
    finding_ids=("a.b",),
    rule="r",
    why=LONG,
)


def test_json_goes_to_stdout_alone_and_text_is_not_even_made(capsys: pytest.CaptureFixture[str]) -> None:
    def text() -> str:
        raise AssertionError("text was made")

    console.say("working")
    console.emit(Document(findings=(FINDING,)), as_json=True, text=text)
    out, err = capsys.readouterr()
    assert json.loads(out)["findings"][0]["id"] == "a.b"
    assert err == "working\n"


def test_text_ends_with_one_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit(Document(), as_json=False, text="answer\n\n")
    console.emit(Document(), as_json=False, text=lambda: "answer")
    assert capsys.readouterr().out == "answer\nanswer\n"


def test_findings_show_answer_cautions_and_claims_within_the_width() -> None:
    text = console.findings_text([FINDING], [CLAIM])
    assert max(map(len, text.splitlines())) <= console.WIDTH
    assert "8.4 months (4.5 to 14.3, 95 %)" in text
    assert "231" in text
    assert "  ! Two minima fit." in text
    assert "  ! Short." in text
    assert "It halves: holds, with caution" in " ".join(text.split())
    assert console.findings_text([]) == ""


cells = st.text(alphabet=st.sampled_from("abc def-"), max_size=150)


@given(st.lists(st.tuples(cells, cells, cells), max_size=5))
def test_a_grid_fits_the_width_and_loses_no_word(rows: list[tuple[str, str, str]]) -> None:
    names = ("one", "two", "three")
    text = console.grid(
        {n: n for n in names}, [dict(zip(names, row, strict=True)) for row in rows], right=("two",)
    )
    assert max(map(len, text.splitlines())) <= console.WIDTH
    shown = sorted("".join(text.split()).replace("-", ""))
    wanted = sorted(
        "".join(names) + "".join("".join(c.split()).replace("-", "") for row in rows for c in row)
    )
    assert shown == wanted


def test_a_table_names_its_units() -> None:
    columns = (
        Column(name="a", label="Law"),
        Column(name="m", label="Halving", unit="months", format="months"),
    )
    lines = console.table_text(columns, [{"a": "L7", "m": 8.44}, {"a": "L8"}]).splitlines()
    assert lines[0] == "Law  Halving (months)"
    assert lines[2].split() == ["L7", "8.4"]
    assert lines[3].split() == ["L8", "–"]


def test_a_pipe_sees_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("fit", 10) as done:
        done(5)
    assert capsys.readouterr().err == ""


def test_a_terminal_sees_the_label(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress_bars() as report:
        report("fit [not markup]", 0.5)
        report("fit [not markup]", 2.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert "fit [not markup]" in err
