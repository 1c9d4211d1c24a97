"""``isoflop report`` from the command line, on an invented chapter."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from isoflop.cli import main
from isoflop.report import workers

ON_FACTS = ("--evidence", "embedded", "--only", "progress")
"""One instrument, so that the invented chapter occurs once."""


@pytest.fixture
def instrument(made_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put the invented chapter in the place of every instrument; return what it was called with."""
    called: dict[str, Any] = {}

    def make(library: Any, **settings: Any) -> Any:
        called.update(settings, folder=library.folder)
        if called.get("interrupt"):
            raise KeyboardInterrupt
        return made_up.chapter()

    monkeypatch.setattr(workers, "resolve", lambda _target: make)
    return called


def test_report_writes_both_files_and_prints_the_answer(
    instrument: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert (
        main(
            [
                "report",
                "--out",
                str(out),
                "--evidence",
                "embedded",
                "--only",
                "progress",
                "--seed",
                "5",
                "--quick",
            ]
        )
        == 0
    )
    assert sorted(p.name for p in out.iterdir()) == ["findings.json", "index.html"]
    assert (instrument["seed"], instrument["quick"], instrument["folder"]) == (5, True, None)
    printed, said = capsys.readouterr()
    assert "halves about every 8.4 months" in " ".join(printed.split())
    assert "index.html" in said
    command = "isoflop report --evidence embedded --only progress --quick --seed 5"
    assert command in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.ci
def test_json_on_stdout_is_the_file(
    instrument: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["report", "--out", str(tmp_path), "--evidence", "embedded", "--only", "progress", "--json"])
        == 0
    )
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "findings.json").read_text(encoding="utf-8")
    assert json.loads(printed)["findings"]


def test_an_interrupted_report_leaves_nothing(
    instrument: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instrument["interrupt"] = True
    assert main(["report", "--out", str(tmp_path / "report"), *ON_FACTS]) == 130
    assert capsys.readouterr().err.endswith("interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_evidence_folder_is_refused(
    instrument: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "nowhere"
    assert main(["report", "--out", str(tmp_path / "report"), "--evidence", str(where)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "report").exists()
