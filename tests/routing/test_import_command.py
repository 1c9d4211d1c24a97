"""``isoflop routing import`` and what the other verbs take as results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

from isoflop.errors import EvidenceError, IsoflopError, SettingError, SourceError
from isoflop.present.console import WIDTH
from isoflop.routing.commands.import_ import import_
from isoflop.routing.commands.options import ScoredChoice, scored_options
from tests.evidence.prompt_scores import made_logs as made


def run(command: click.Command, *words: object) -> Result:
    """Run a command; refusals are raised as they are, for the program's root turns them into exit code 2."""
    done = CliRunner().invoke(command, [str(word) for word in words])
    if isinstance(done.exception, IsoflopError):
        raise done.exception
    return done


def document(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@click.command()
@scored_options
def chosen(scored: ScoredChoice) -> None:
    """Print what was read."""
    joined = scored.read()
    catalogue = scored.catalogue()
    print(json.dumps([joined.n, joined.models, catalogue.name if catalogue else None]))


def test_logs_become_two_tables_that_read_back_the_same(tmp_path: Path) -> None:
    logs, out = made.lm_eval_folder(tmp_path / "logs"), tmp_path / "out"
    done = document(run(import_, logs, "--out", out, "--json"))
    written = done["tables"]["imported"]
    assert [(row["rows"], row["datasets"], row["models"]) for row in written] == [(16, 2, 2), (8, 2, None)]
    assert done["tables"]["waterfall"][0]["dropped"] == 16
    assert done["tables"]["evidence"][0]["recognised"].startswith("lm_eval, recognised by its layout")
    assert sorted(path.name for path in out.iterdir()) == ["prompts.parquet", "scores.parquet"]
    again = run(chosen, out)
    assert json.loads(again.stdout) == [8, ["org/alpha", "org/beta"], None]
    assert "read; table, recognised by its layout" in again.stderr.replace("\n", " ")


def test_the_page_says_what_was_read_dropped_and_doubtful(tmp_path: Path) -> None:
    made.written(tmp_path / "train.json", made.llmrouter())
    out = run(import_, tmp_path / "train.json", "--out", tmp_path / "out").stdout
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "4 records read; llmrouter" in out
    assert "name no task" in out


def test_several_folders_are_read_together_and_settings_reach_the_importer(tmp_path: Path) -> None:
    for model in ("org/alpha", "org/beta"):
        made.helm_run(tmp_path / model.replace("/", "_"), model)
    words = (tmp_path / "org_alpha", tmp_path / "org_beta", "--importer", "helm", "--metric", "exact_match")
    done = document(run(import_, *words, "--source", "mine", "--out", tmp_path / "out", "--json"))
    assert done["tables"]["imported"][0]["models"] == 2
    assert pl.read_parquet(tmp_path / "out" / "scores.parquet")["source"].unique().to_list() == ["mine"]


def test_tables_that_are_there_are_replaced_only_when_asked(tmp_path: Path) -> None:
    made.plain().write_csv(tmp_path / "mine.csv")
    words = (tmp_path / "mine.csv", "--out", tmp_path / "out")
    run(import_, *words)
    with pytest.raises(SettingError, match=r"scores\.parquet exists"):
        run(import_, *words)
    assert run(import_, *words, "--overwrite").exit_code == 0


def test_a_refusal_leaves_no_table_behind(tmp_path: Path) -> None:
    made.plain().with_columns(score=pl.lit(50.0)).write_csv(tmp_path / "mine.csv")
    with pytest.raises(EvidenceError, match=r"Divide by 100\?"):
        run(import_, tmp_path / "mine.csv", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "taken").write_text("a file")
    made.plain().write_csv(tmp_path / "mine.csv")
    done = run(import_, tmp_path / "mine.csv", "--out", tmp_path / "taken")
    assert done.exit_code == 2


# ---------------------------------------------------------------------- options of every verb


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with results of three models of known size."""
    folder = tmp_path / "results"
    folder.mkdir()
    made.plain(models=3).write_csv(folder / "scores.csv")
    made.written(folder / "models.json", {"m0": {"size": "1B"}, "m1": {"size": "7B"}, "m2": {"size": "70B"}})
    return folder


def test_models_are_kept_by_name_and_by_size(results: Path, tmp_path: Path) -> None:
    assert json.loads(run(chosen, results).stdout) == [8, ["m0", "m1", "m2"], "models"]
    assert json.loads(run(chosen, results, "--models", "m2, m0").stdout)[1] == ["m0", "m2"]
    small = run(chosen, results / "scores.csv", "--max-params", "8e9")
    assert json.loads(small.stdout)[1] == ["m0", "m1"]
    assert "2 of 3 models kept" in small.stderr
    sizes = tmp_path / "sizes.csv"
    sizes.write_text("model,params\nm1,1e9\nm2,2e9\n")
    part = run(chosen, results, "--max-params", "8e9", "--prices", sizes)
    assert json.loads(part.stdout)[1:] == [["m1", "m2"], "sizes"]
    assert "size unknown in sizes: m0" in part.stderr


def test_choices_of_models_that_leave_too_little_are_refused(results: Path) -> None:
    with pytest.raises(EvidenceError, match="'m9' has no scores here; there are m0, m1, m2"):
        run(chosen, results, "--models", "m0,m9")
    with pytest.raises(EvidenceError, match="1 of 3 models have at most"):
        run(chosen, results, "--max-params", "2e9")
    (results / "models.json").unlink()
    with pytest.raises(SettingError, match="sizes of the models are unknown"):
        run(chosen, results, "--max-params", "2e9")


def test_columns_are_mapped_and_importers_named(results: Path) -> None:
    renamed = pl.read_csv(results / "scores.csv").rename({"score": "acc", "dataset": "bench"})
    renamed.write_csv(results / "scores.csv")
    words = ("--map", "score=acc", "--map", "dataset=bench")
    assert json.loads(run(chosen, results / "scores.csv", *words).stdout)[0] == 8
    with pytest.raises(SettingError, match="Did you mean"):
        run(chosen, results, "--importer", "tabel")


def test_public_collections_are_found_in_an_evidence_folder(results: Path, tmp_path: Path) -> None:
    results.rename(tmp_path / "routing")
    for words in (("routing", "--evidence", tmp_path), ("--evidence", tmp_path)):
        assert json.loads(run(chosen, *words).stdout) == [8, ["m0", "m1", "m2"], "models"]
    with pytest.raises(SourceError, match="isoflop data pull llmrouter-train"):
        run(chosen, "llmrouter", "--evidence", tmp_path)
    with pytest.raises(SourceError, match=r"holds no routing/scores"):
        run(chosen, "--evidence", tmp_path / "routing")
    with pytest.raises(SourceError, match="closest known collection is 'llmrouter'"):
        run(chosen, "llmrouters", "--evidence", tmp_path)
    with pytest.raises(EvidenceError, match="no file or folder"):
        run(chosen, tmp_path / "absent.csv")


def test_options_for_a_file_are_refused_without_one() -> None:
    with pytest.raises(SettingError, match="--map: no FILE"):
        run(chosen, "--map", "score=acc")
