"""``isoflop portability shares``, ``slowdown`` and ``sample``: what they print and refuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from isoflop.errors import IsoflopError
from isoflop.portability.commands import reading
from isoflop.portability.commands.sample import sample
from isoflop.portability.commands.shares import shares
from isoflop.portability.commands.slowdown import slowdown
from isoflop.portability.runs import Run
from isoflop.portability.simulate import PlantedRun
from isoflop.present.console import WIDTH

COUNTS = "framework,name,count\n" + "".join(f"made,made.f{i:04d},{(i + 1) ** 2}\n" for i in range(14))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let every verb read one made-up run."""
    run, _ = PlantedRun(functions=12, complete=0.3, fallback=0.1).draw(np.random.default_rng(0))
    monkeypatch.setattr(reading, "run_of", lambda _path: run)
    return run


def call(command: click.Command, *arguments: str) -> Result:
    """Run a command in this process; errors are raised as the root command sees them."""
    result = CliRunner().invoke(command, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(command: click.Command, *arguments: str) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    found: dict[str, Any] = json.loads(call(command, *arguments, "--json").stdout)
    return found


def test_shares_gives_findings_and_tables(made: Run) -> None:
    told = document(shares)
    assert set(told["tables"]) == {"shares", "functions", "reasons"}
    assert len(told["tables"]["functions"]) == made.frame()["function"].n_unique()
    assert told["findings"][0]["id"] == "portability.failure_share.made.other"
    assert {row["policy"] for row in told["tables"]["shares"]} == {"strict", "fallback"}


def test_shares_of_calls_come_from_counts_or_from_a_sample(made: Run, tmp_path: Path) -> None:
    assert made.frame().height > 0
    counts, drawn = tmp_path / "counts.csv", tmp_path / "drawn.json"
    counts.write_text(COUNTS)
    by_calls = document(shares, "--usage", str(counts))["tables"]["shares"][0]
    assert by_calls["calls_worst"] >= by_calls["calls_share"] >= by_calls["calls_best"]
    told = document(sample, str(counts), "--design", "pps:8", "--out", str(drawn))
    assert len(told["tables"]["drawn"]) == 8
    by_design = document(shares, "--sample", str(drawn))["tables"]["shares"][0]
    assert by_design["design_share"] is not None


def test_slowdown_gives_functions_and_every_way_of_counting(made: Run) -> None:
    told = document(slowdown, "--source", "made:plain", "--target", "made:other", "--reps", "50")
    passed = made.frame().filter(made.frame()["status"] == "ok")["function"].n_unique()
    assert len(told["tables"]["functions"]) == passed
    assert {row["counting"] for row in told["tables"]["grid"]} >= {"all", "kernel_bound"}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("command", "arguments"),
    [(shares, ()), (slowdown, ("--source", "made:plain", "--target", "made:other", "--reps", "50"))],
)
def test_text_fits_the_terminal(command: click.Command, arguments: tuple[str, ...]) -> None:
    text = call(command, *arguments).stdout
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "Cautions" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("function,calls\na,1\na,2\n", "row 2 .* has 'a' again"),
        ("function,calls\na,many\n", "needs a number of calls"),
        ("operator,calls\na,1\n", "needs 'function'"),
        ("function,calls\na,-1\n", "a count is finite and >= 0"),
        ("", "is empty"),
    ],
)
def test_counts_that_make_no_sense_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text(text)
    with pytest.raises(IsoflopError, match=message):
        call(sample, str(tmp_path / "counts.csv"), "--design", "census")


@pytest.mark.usefixtures("made")
def test_samples_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    for arguments, message in (
        (("--sample", str(tmp_path / "none.json")), "no file"),
        (("--sample", str(tmp_path / "bad.json")), "is no JSON"),
        (("--sample", "a", "--usage", "b"), "Drop one of them"),
    ):
        with pytest.raises(IsoflopError, match=message):
            call(shares, *arguments)


def test_help_imports_no_heavy_library() -> None:
    import subprocess

    code = (
        "import sys\n"
        "from isoflop.portability.commands import sample, shares, slowdown\n"
        "heavy = {'numpy', 'scipy', 'polars', 'altair'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
