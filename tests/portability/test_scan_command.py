"""``isoflop portability scan`` and ``usage`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from isoflop.errors import EvidenceError
from isoflop.portability.commands.scan import scan, usage


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "a.py").write_text("import torch\nx = torch.ones(2).cuda()\n")
    return folder


@pytest.fixture(autouse=True)
def no_shipped_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isoflop.portability.commands.scan.run_of", lambda _path: None)


@pytest.mark.parametrize(("fail_on", "status"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_the_exit_says_whether_something_is_grave_enough(code: Path, fail_on: str, status: int) -> None:
    assert CliRunner().invoke(scan, [str(code), "--fail-on", fail_on]).exit_code == status


def test_json_text_sarif_and_page_come_from_one_scan(code: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out.sarif", tmp_path / "out.html"
    done = CliRunner().invoke(scan, [str(code), "--json", "--sarif", str(out), "--html", str(page)])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [row["function"] for row in document["tables"]["calls"]] == ["torch.ones", "torch.Tensor.cuda"]
    assert [row["rule"] for row in document["tables"]["blockers"]] == ["ISO106"]
    assert document["tables"]["files"][0]["calls"] == 2
    results = json.loads(out.read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["ISO106"]
    assert page.read_text().startswith("<!doctype html>")
    text = CliRunner().invoke(scan, [str(code)]).stdout
    assert "a.py:2:5" in text
    assert "x.to(device)" in text or ".to(device)" in text


def test_where_nothing_stands_in_the_way_there_is_no_picture(code: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(scan, [str(code), "--figure", str(tmp_path / "a.svg")])
    assert done.exit_code == 0
    assert "no picture to draw" in done.stderr


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(scan, [str(tmp_path / "nowhere")])
    assert isinstance(done.exception, EvidenceError)


def test_usage_prints_functions_most_called_first(code: Path) -> None:
    (code / "b.py").write_text("import torch, jax.numpy as jnp\ntorch.ones(3)\njnp.sin(1.0)\n")
    done = CliRunner().invoke(usage, [str(code), "--json", "--framework", "torch"])
    rows = json.loads(done.stdout)["tables"]["functions"]
    assert [(row["function"], row["calls"]) for row in rows] == [("torch.ones", 2), ("torch.Tensor.cuda", 1)]
    assert "torch.ones" in CliRunner().invoke(usage, [str(code)]).stdout
