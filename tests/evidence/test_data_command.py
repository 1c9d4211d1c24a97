"""``isoflop data``: what it prints, and what a script can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from isoflop.cli import root
from isoflop.errors import SettingError, SourceError
from isoflop.evidence.sources import Source

from .conftest import CONTENT, Server


def run(*words: str) -> Result:
    return CliRunner().invoke(root, ["data", *words])


def tables(*words: str) -> dict[str, list[dict[str, object]]]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["tables"]


def test_list_shows_every_registered_file_with_licence_and_state(cache: Path) -> None:
    rows = tables("list")["sources"]
    assert len(rows) == 18
    assert all(row["state"] == "absent" and row["licence"] and row["citation"] for row in rows)
    assert {row["instrument"] for row in tables("list", "--instrument", "progress")["sources"]} == {
        "progress"
    }
    assert "language_evaluations" in run("list").stdout


def test_pull_prints_place_licence_and_citation(
    server: Server, registered: Source, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOFLOP_MIRROR", server.base)
    done = run("pull", "toy-file")
    assert done.exit_code == 0
    assert "toy-file: stored at" in done.stdout
    assert "licence CC BY 4.0; cite Someone (2024), Something" in done.stdout
    assert done.stderr == ""
    row = tables("pull", "--all")["pulled"][0]
    assert (row["downloaded"], row["file"]) == (False, str(cache / "progress" / "toy.csv"))
    assert tables("check")["files"] == [{"name": "toy-file", "state": "verified"}]
    assert tables("where")["where"][0]["kind"] == "pulled"


def test_a_failed_pull_is_an_error_of_ours(
    server: Server, registered: Source, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOFLOP_MIRROR", server.base)
    server.mode = "404"
    assert isinstance(run("pull", "--instrument", "progress").exception, SourceError)
    assert isinstance(run("pull").exception, SettingError)
    assert isinstance(run("pull", "--instrument", "progres").exception, SettingError)
    assert isinstance(run("list", "--instrument", "none").exception, SettingError)


def test_import_and_check_verify_the_file(registered: Source, cache: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(CONTENT)
    assert "stored at" in run("import", "toy-file", str(mine)).stdout
    stored = cache / "progress" / "toy.csv"
    stored.write_bytes(b"altered")
    done = run("check")
    assert "toy-file: changed" in done.stdout
    assert isinstance(done.exception, SourceError)
    assert "isoflop data pull toy-file" in str(done.exception)


def test_where_names_the_place_and_the_cache(cache: Path, tmp_path: Path) -> None:
    row = tables("where")["where"][0]
    assert (row["folder"], row["kind"], row["cache"]) == (None, "embedded", str(cache))
    assert tables("where", "--evidence", str(tmp_path))["where"][0]["folder"] == str(tmp_path)
    assert "facts shipped with isoflop" in run("where").stdout
