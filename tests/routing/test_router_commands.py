"""The verbs on a router: one document or one line each, and clear refusals."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from isoflop.cli import main
from isoflop.evidence import load
from isoflop.routing import load_router

PROMPTS = ("What is 12 plus 30?", "Spell the word backwards: lamp", "What is the opposite of hot?")


@dataclass
class Said:
    exit_code: int
    stdout: str
    stderr: str


def run(*arguments: str | Path, stdin: str = "") -> Said:
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.stdin", given)
        code = main(["routing", *map(str, arguments)])
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("router") / "router.npz"
    made = run("fit", "--encoder", "hashed", "--traffic", "same_tasks", "--out", path)
    assert made.exit_code == 0, made.stderr
    return path


@pytest.fixture
def task(tmp_path: Path) -> Path:
    path = tmp_path / "task.txt"
    path.write_text("\n".join(PROMPTS))
    return path


def test_fit_prints_one_document_with_the_models() -> None:
    found = run("fit", "--encoder", "hashed", "--json")
    document = json.loads(found.stdout)
    assert [f["id"] for f in document["findings"]] == ["routing.prompt_router_gain"]
    assert len(document["tables"]["models"]) == 8
    assert document["findings"][0]["low"] <= document["findings"][0]["value"]


def test_route_answers_each_line_and_keeps_its_fields(router: Path) -> None:
    lines = [json.dumps({"id": 7, "prompt": PROMPTS[0]}), PROMPTS[1], ""]
    found = run("route", "--router", router, stdin="\n".join(lines))
    one, two = (json.loads(line) for line in found.stdout.splitlines())
    assert one["id"] == 7
    assert one["model"] in load_router(router).models
    assert two["reason"] in ("local", "best_on_average", "abstained")


@pytest.mark.parametrize(
    ("line", "words"),
    [("{broken", "line 2 is no JSON"), ('{"question": "x"}', "line 2 has no text field prompt")],
)
def test_a_bad_line_ends_it_by_number_and_keeps_what_was_said(router: Path, line: str, words: str) -> None:
    found = run("route", "--router", router, stdin=f"{PROMPTS[0]}\n{line}\n")
    assert found.exit_code == 2
    assert len(found.stdout.splitlines()) == 1
    assert words in found.stderr


def test_bytes_that_are_no_text_are_refused(router: Path, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("caf\xe9\n".encode("latin-1"))
    found = run("route", "--router", router, path)
    assert found.exit_code == 2
    assert "not UTF-8" in found.stderr


def test_explain_shows_neighbours_and_scores(router: Path) -> None:
    document = json.loads(run("explain", "--router", router, PROMPTS[0], "--json").stdout)
    assert len(document["tables"]["scores"]) == 8
    assert document["tables"]["neighbours"][0]["similarity"] <= 1
    assert "Nearest scored prompts" in run("explain", "--router", router, PROMPTS[0]).stdout


def test_a_policy_without_prices_is_refused(router: Path) -> None:
    found = run("explain", "--router", router, PROMPTS[0], "--policy", "at_least=0.9")
    assert found.exit_code == 2
    assert "no price is known" in found.stderr
    assert "Did you mean quality" in run("explain", "--router", router, "x", "--policy", "qualty").stderr


def test_a_model_is_added_from_its_anchors(router: Path, tmp_path: Path) -> None:
    listed = json.loads(run("add-model", "--router", router, "new", "--anchors", "30", "--json").stdout)
    asked = listed["tables"]["anchors"]
    assert len(asked) == 30
    scores, out = tmp_path / "new.csv", tmp_path / "more.npz"
    pl.DataFrame({"instance_id": [row["instance_id"] for row in asked], "score": [1.0] * 30}).write_csv(
        scores
    )
    made = run("add-model", "--router", router, "new", scores, "--out", out, "--json")
    assert made.exit_code == 0, made.stderr
    assert "new" in load_router(out).models


@pytest.mark.parametrize("arguments", [("--anchors", "3"), (), ("--anchors", "30", "scores.csv")])
def test_add_model_says_what_it_needs(router: Path, arguments: tuple[str, ...]) -> None:
    found = run("add-model", "--router", router, "new", *arguments)
    assert found.exit_code == 2
    assert "needs" in found.stderr or "takes no SCORES" in found.stderr


def test_choose_ranks_every_model_and_says_why(task: Path) -> None:
    document = json.loads(run("choose", "--task", task, "--encoder", "hashed", "--json").stdout)
    rows = document["tables"]["models"]
    assert sorted(row["model"] for row in rows) == sorted(load("measured_models").frame["model"].to_list())
    assert document["findings"][0]["details"]["choice"] == rows[0]["model"]
    assert sum(row["p_best"] for row in rows) == pytest.approx(1)


def test_labels_narrow_the_ranking_and_the_next_are_proposed(task: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    pl.DataFrame({"prompt": [1, 2], "model": ["calculator"] * 2, "score": [1.0, 0.0]}).write_csv(labels)
    asked = ("label", "--task", task, "--encoder", "hashed", "--labels", labels, "--next", "2", "--json")
    document = json.loads(run(*asked).stdout)
    labelled = next(row for row in document["tables"]["models"] if row["model"] == "calculator")
    assert labelled["labels"] == 2
    assert [row["prompt"] for row in document["tables"]["next_prompts"]]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"prompt": [9], "model": ["calculator"], "score": [1.0]}, "prompt 9"),
        ({"prompt": [1], "model": ["nobody"], "score": [1.0]}, "model 'nobody'"),
        ({"prompt": [1], "model": ["calculator"], "score": [73.0]}, "Divide by 100"),
        ({"prompt": [1, 1], "model": ["calculator"] * 2, "score": [1.0, 1.0]}, "again"),
        ({"row": [1], "model": ["calculator"], "score": [1.0]}, "column 'prompt'"),
    ],
)
def test_bad_labels_are_refused(
    task: Path, tmp_path: Path, cells: dict[str, list[object]], words: str
) -> None:
    labels = tmp_path / "labels.csv"
    pl.DataFrame(cells).write_csv(labels)
    found = run("label", "--task", task, "--encoder", "hashed", "--labels", labels)
    assert found.exit_code == 2
    assert words in found.stderr


def test_bench_prints_milliseconds_of_each_part(router: Path) -> None:
    document = json.loads(run("bench", "--router", router, "--runs", "5", "--json").stdout)
    assert [row["part"] for row in document["tables"]["decision_ms"]] == ["encode", "scan", "decide"]
    assert document["tables"]["process"][0]["scored_prompts"] == 540
