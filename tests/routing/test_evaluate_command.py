"""``isoflop routing evaluate``: what it prints, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from isoflop.cli import main

from .made_scores import tables

TASKS, PROMPTS, MODELS = 6, 24, 3
WORDS = ("sum", "river", "verb", "chess", "protein", "tax")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with made-up results; tasks differ by their words."""
    rng = np.random.default_rng(0)
    dataset = np.repeat(np.arange(TASKS), PROMPTS)
    accuracy = rng.random((TASKS, MODELS))
    score = (rng.random((dataset.size, MODELS)) < accuracy[dataset]).astype(float)
    texts = [f"{WORDS[d]} {WORDS[(d + 1) % TASKS]} question {i}" for i, d in enumerate(dataset)]
    place = tmp_path_factory.mktemp("made")
    for table, name in zip(tables(score, dataset, texts), ("scores", "prompts"), strict=True):
        frame = table.frame.select([c for c in table.frame.columns if table.frame[c].null_count() == 0])
        frame.write_parquet(place / f"{name}.parquet")
    names = [f"m{m:02d}" for m in range(MODELS)]
    pl.DataFrame({"model": names, "params": [1e9, 7e9, 7e10]}).write_csv(place / "models.csv")
    return place


Said = pytest.CaptureFixture[str]


def run(*arguments: str) -> int:
    """Return the exit code of a run."""
    return main(["routing", "evaluate", *arguments, "--encoder", "hashed"])


def ran(said: Said, *arguments: str) -> Any:
    """Return the document that a run prints."""
    assert run(*arguments, "--json") == 0, said.readouterr().err
    return json.loads(said.readouterr().out)


def test_document_holds_scores_gains_and_tables(capsys: Said, folder: Path) -> None:
    document = ran(capsys, str(folder), "--reps", "200", "--labels", "0,2")
    findings = {finding["id"]: finding for finding in document["findings"]}
    for name in ("selector", "best_on_average", "s1", "s2", "s3", "s3_true_p", "neighbour_mix", "random"):
        found = findings[f"routing.{name}_score"]
        assert found["low"] <= found["value"] <= found["high"]
        assert found["n"] == TASKS
    assert findings["routing.selector_gain"]["details"]["compat"] is None
    assert {row["n"] for row in document["tables"]["label_curve"]} == {0, 2}
    assert len(document["tables"]["datasets"]) == TASKS
    average = next(row for row in document["tables"]["methods"] if row["method"] == "best_on_average")
    assert 1e9 <= average["mean_params"] <= 7e10


def test_splits_and_compat_are_named_in_every_finding(capsys: Said, folder: Path) -> None:
    for arguments, key, value in (
        (("--split", "random"), "split", "random"),
        (("--compat", "paper"), "compat", "paper"),
    ):
        document = ran(capsys, str(folder), "--reps", "50", *arguments)
        assert {finding["details"][key] for finding in document["findings"]} == {value}


@pytest.mark.slow
@pytest.mark.ci
def test_two_models_have_a_curve_on_request(capsys: Said, folder: Path) -> None:
    document = ran(capsys, str(folder), "--max-params", "1e10", "--reps", "50", "--metric", "apgr")
    ids = {finding["id"] for finding in document["findings"]}
    assert {"routing.apgr", "routing.cpt_50", "routing.selector_score"} <= ids


def test_a_person_reads_the_table_and_its_cautions(capsys: Said, folder: Path) -> None:
    assert run(str(folder), "--reps", "50") == 0
    text = capsys.readouterr().out
    assert "Ways of choosing" in text
    assert "best on average" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--split", "origin"), "split 'origin'"),
        (("--labels", "2,x"), "--labels: 'x'"),
        (("--split", "random", "--labels", "2"), "labels with split='random'"),
        (("--max-params", "1e6"), "0 of 3 models"),
        (("--level", "95"), "Did you mean 0.95?"),
        (("--reps", "0"), "reps=0, must be a whole number >= 1"),
    ],
)
def test_bad_input_is_refused_without_a_traceback(
    capsys: Said, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert run(str(folder), *arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_are_drawn(capsys: Said, folder: Path, tmp_path: Path) -> None:
    ran(capsys, str(folder), "--reps", "50", "--figure", str(tmp_path / "figure.svg"))
    assert len(list(tmp_path.iterdir())) >= 7
