"""Each layout is read as it is written by its tool, what was dropped counted and what was chosen said."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError, MissingExtraError, SettingError
from isoflop.evidence import Table
from isoflop.evidence.prompt_scores import SCORE_IMPORTERS, read_prompt_scores
from isoflop.routing import join

from . import made_logs as made


def dropped(table: Table) -> dict[str, int]:
    return {step.rule: step.dropped for step in table.steps}


def scores_of(table: Table, model: str) -> dict[str, float]:
    rows = table.frame.filter(pl.col("model") == model)
    return dict(zip(rows["instance_id"], rows["score"], strict=True))


# ------------------------------------------------------------------- lm-evaluation-harness


def test_lm_eval_takes_the_first_filter_and_counts_the_others(tmp_path: Path) -> None:
    scores, prompts = read_prompt_scores(made.lm_eval_folder(tmp_path))
    assert scores.importer.startswith("lm_eval, recognised by its layout")
    assert "filter of sums strict-match" in scores.importer
    assert (scores.rows_read, scores.frame.height) == (32, 16)
    assert dropped(scores) == {"the chosen filter": 16}
    assert scores_of(scores, "org/alpha")["sums/1"] == 1.0
    assert scores_of(scores, "org/beta")["sums/1"] == 0.0
    assert prompts.frame["prompt"][0] == "Question: what is 0 + 1?\nAnswer:"
    joined = join(scores, prompts)
    assert (joined.datasets, joined.models, joined.n) == (("more_sums", "sums"), ("org/alpha", "org/beta"), 8)


def test_lm_eval_reads_another_filter_when_asked(tmp_path: Path) -> None:
    scores, _ = read_prompt_scores(made.lm_eval_folder(tmp_path), filter="flexible-extract")
    assert scores_of(scores, "org/alpha")["sums/1"] == 0.0
    with pytest.raises(EvidenceError, match="filter 'loose' is in no sample"):
        read_prompt_scores(tmp_path, filter="loose")


def test_lm_eval_prefers_correctness_and_says_so(tmp_path: Path) -> None:
    rows = [
        made.lm_eval_sample(at, 0.0, metrics=["acc_norm", "acc"], acc=1.0, acc_norm=0.0) for at in range(3)
    ]
    made.written(tmp_path / f"samples_arc_{made.DATE}.jsonl", rows)
    scores, _ = read_prompt_scores(tmp_path)
    assert scores.frame["score"].to_list() == [1.0] * 3
    assert "metric of arc acc" in scores.importer
    assert read_prompt_scores(tmp_path, metric="acc_norm")[0].frame["score"].sum() == 0
    with pytest.raises(EvidenceError, match="Did you mean acc_norm"):
        read_prompt_scores(tmp_path, metric="accnorm")


@pytest.mark.parametrize(
    "arguments",
    [
        [["What now?", " yes"], ["What now?", " no"]],
        {"gen_args_0": {"arg_0": ['[{"role": "user", "content": "What now?"}]'], "arg_1": {}}},
        {"gen_args_0": {"arg_0": "What now?", "arg_1": " yes"}, "gen_args_1": {"arg_0": "What now?"}},
    ],
    ids=["lists of older versions", "chat messages", "choices"],
)
def test_lm_eval_finds_the_prompt_in_every_form_of_arguments(tmp_path: Path, arguments: object) -> None:
    made.written(
        tmp_path / f"samples_t_{made.DATE}.jsonl", [made.lm_eval_sample(0, 1.0, arguments=arguments)]
    )
    assert read_prompt_scores(tmp_path)[1].frame["prompt"].to_list() == ["What now?"]


def test_lm_eval_takes_the_last_run_of_a_task_and_names_the_folder_as_model(tmp_path: Path) -> None:
    for day, score in (("01", 0.0), ("02", 1.0)):
        name = f"samples_t_2026-03-{day}T10-20-30.123456.jsonl"
        made.written(tmp_path / "org__alpha" / name, [made.lm_eval_sample(0, score)])
    scores, _ = read_prompt_scores(tmp_path)
    assert scores_of(scores, "org/alpha") == {"t/0": 1.0}
    assert "1 earlier runs" in scores.cautions[0]


def test_lm_eval_drops_samples_whose_metric_is_no_number(tmp_path: Path) -> None:
    rows = [made.lm_eval_sample(0, 1.0), made.lm_eval_sample(1, float("nan")), made.lm_eval_sample(2, 0.0)]
    path = made.written(tmp_path / f"samples_t_{made.DATE}.jsonl", rows)
    scores, _ = read_prompt_scores(path)
    assert dropped(scores) == {"the metric is a number": 1}
    assert "line 2: exact_match is nan" in scores.steps[0].rows[0]


def test_a_cut_line_is_refused_by_its_number(tmp_path: Path) -> None:
    path = made.written(
        tmp_path / f"samples_t_{made.DATE}.jsonl", [made.lm_eval_sample(0, 1.0), made.lm_eval_sample(1, 1.0)]
    )
    path.write_text(path.read_text()[:-30])
    with pytest.raises(EvidenceError, match=r"line 2 of samples_t_.* the file is probably cut off"):
        read_prompt_scores(tmp_path)
    packed = tmp_path / f"samples_t_{made.DATE}.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes() * 50)[:-20])
    path.unlink()
    with pytest.raises(EvidenceError, match=r"no whole gzip file|no whole JSON"):
        read_prompt_scores(packed)


# --------------------------------------------------------------------------------- Inspect


@pytest.mark.parametrize("form", ["json", "eval", "zstandard"])
def test_inspect_averages_epochs_and_drops_what_failed(tmp_path: Path, form: str) -> None:
    log = made.inspect_log("openai/alpha")
    if form == "json":
        path = made.written(tmp_path / "log.json", log)
    else:
        path = made.inspect_archive(tmp_path / "log.eval", log, zstandard=form == "zstandard")
    scores, prompts = read_prompt_scores(path)
    assert scores_of(scores, "openai/alpha") == {"capitals/0": 0.75, "capitals/1": 0.75, "capitals/2": 0.25}
    assert dropped(scores) == {
        "the sample ran without error": 1,
        "the sample was not declared invalid": 1,
        "the scorer gave a value": 1,
    }
    first = scores.frame.row(0, named=True)
    assert (first["n_samples"], first["tokens_in"], first["tokens_out"]) == (2.0, 10.0, 4.0)
    assert (scores.rows_read, first["latency_s"], first["metric"]) == (9, 1.5, "match")
    assert prompts.frame["prompt"][0] == "Capital of country 0?"


def test_inspect_reads_a_folder_of_logs(tmp_path: Path) -> None:
    for model, right in (("a/one", 1), ("b/two", 3)):
        for task in ("capitals", "rivers"):
            made.inspect_archive(
                tmp_path / f"{task}_{right}.eval", made.inspect_log(model, task, right=right)
            )
    joined = join(*read_prompt_scores(tmp_path))
    assert (joined.models, joined.datasets, joined.n) == (("a/one", "b/two"), ("capitals", "rivers"), 6)
    assert joined.extras["n_samples"].min() == 2.0


def test_inspect_counts_samples_of_a_retried_run_once(tmp_path: Path) -> None:
    log = made.inspect_log("a/one")
    log["samples"] = [sample | {"uuid": f"u{at}"} for at, sample in enumerate(log["samples"][:4])]
    made.written(tmp_path / "deeper" / "first.json", log)
    made.inspect_archive(tmp_path / "second.eval", log)
    scores, _ = read_prompt_scores(tmp_path)
    assert dropped(scores) == {"each sample once": 4}
    assert scores.frame["n_samples"].to_list() == [2.0, 2.0]


def test_a_log_whose_samples_all_failed_says_so(tmp_path: Path) -> None:
    log = made.inspect_log("a/one")
    log["samples"] = [sample | {"error": {"message": "x"}} for sample in log["samples"]]
    with pytest.raises(EvidenceError, match="9 against the rule that the sample ran without error"):
        read_prompt_scores(made.written(tmp_path / "log.json", log))


def test_inspect_asks_which_of_several_scorers(tmp_path: Path) -> None:
    log = made.inspect_log("a/one")
    for sample in log["samples"]:
        sample["scores"]["judge"] = {"value": {"style": 0.5, "facts": True}}
    path = made.written(tmp_path / "log.json", log)
    with pytest.raises(
        EvidenceError, match=r"3 scorers \(match, judge.style, judge.facts\).* --metric match"
    ):
        read_prompt_scores(path)
    assert read_prompt_scores(path, metric="judge.facts")[0].frame["score"].to_list() == [1.0] * 4


def test_inspect_puts_attached_texts_back(tmp_path: Path) -> None:
    log = made.inspect_log("a/one")
    log["samples"] = log["samples"][:2]
    for sample in log["samples"]:
        sample |= {"input": "attachment://ab12", "attachments": {"ab12": "A long text"}}
    _, prompts = read_prompt_scores(made.written(tmp_path / "log.json", log))
    assert prompts.frame["prompt"].to_list() == ["A long text"]


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_cut_archive_is_refused(tmp_path: Path, cut: float) -> None:
    path = made.inspect_archive(tmp_path / "log.eval", made.inspect_log("a/one"))
    data = path.read_bytes()
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(EvidenceError, match="no whole zip archive"):
        read_prompt_scores(path)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = made.inspect_archive(tmp_path / "log.eval", made.inspect_log("a/one"), zstandard=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(EvidenceError, match="no whole zip archive"):
        read_prompt_scores(path)


def test_an_archive_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    path = made.inspect_archive(tmp_path / "log.eval", made.inspect_log("a/one"))
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"PK\x01\x02") + 6] = 0xFF
    path.write_bytes(whole)
    with pytest.raises(EvidenceError, match="no whole zip archive"):
        read_prompt_scores(path)


@pytest.mark.parametrize(
    ("name", "value"), [("input", 5), ("input", [1]), ("scores", 5), ("model_usage", 5), ("scores", [1])]
)
def test_values_of_another_kind_are_refused(tmp_path: Path, name: str, value: object) -> None:
    log = made.inspect_log("a/one")
    log["samples"][0][name] = value
    with pytest.raises(EvidenceError, match="not laid out as inspect knows it"):
        read_prompt_scores(made.written(tmp_path / "log.json", log))


def test_half_a_character_pair_in_a_prompt_becomes_a_question_mark(tmp_path: Path) -> None:
    made.written(
        tmp_path / f"samples_t_{made.DATE}.jsonl",
        [made.lm_eval_sample(0, 1.0, arguments=[["Why \ud83d", {}]])],
    )
    assert read_prompt_scores(tmp_path)[1].frame["prompt"].to_list() == ["Why ?"]


def test_zstandard_without_its_reader_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made.inspect_archive(tmp_path / "log.eval", made.inspect_log("a/one"), zstandard=True)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"isoflop\[logs\]"):
        read_prompt_scores(path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.eval", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(EvidenceError, match=r"zip without header\.json"):
        read_prompt_scores(tmp_path / "x.eval")


# ------------------------------------------------------------------------------------ HELM


def test_helm_keeps_unperturbed_test_instances_and_averages_trials(tmp_path: Path) -> None:
    made.helm_run(tmp_path, "org/alpha")
    made.helm_run(tmp_path, "org/beta", right=0)
    scores, prompts = read_prompt_scores(tmp_path, metric="exact_match")
    name = "mmlu:subject=anatomy"
    assert scores_of(scores, "org/alpha") == {f"{name}/id0": 1.0, f"{name}/id1": 1.0, f"{name}/id2": 0.5}
    assert scores_of(scores, "org/beta")[f"{name}/id0"] == 0.5
    assert dropped(scores) == {
        "the instance is unperturbed": 2,
        "the metric is given on the test split": 4,
    }
    assert scores.frame["n_samples"].unique().to_list() == [2.0]
    assert scores.frame["tokens_in"].head(3).to_list() == [20.0, 21.0, 22.0]
    assert prompts.frame["prompt"].to_list()[0] == "Which bone is number 0?"
    assert join(scores, prompts).n == 3


def test_helm_asks_for_the_metric_and_names_those_there_are(tmp_path: Path) -> None:
    run = made.helm_run(tmp_path, "org/alpha")
    with pytest.raises(EvidenceError, match=r"needs one\. Name it: --metric exact_match"):
        read_prompt_scores(run)
    with pytest.raises(EvidenceError, match="Did you mean exact_match"):
        read_prompt_scores(run, metric="exact_matc")


@pytest.mark.parametrize("name", ["run_spec.json", "scenario_state.json"])
def test_helm_needs_all_three_files(tmp_path: Path, name: str) -> None:
    run = made.helm_run(tmp_path, "org/alpha")
    (run / name).unlink()
    with pytest.raises(EvidenceError, match=f"has no {name}"):
        read_prompt_scores(run, metric="exact_match")


def test_helm_refuses_two_runs_of_one_model_on_one_dataset(tmp_path: Path) -> None:
    made.helm_run(tmp_path / "v1", "org/alpha")
    made.helm_run(tmp_path / "v2", "org/alpha")
    with pytest.raises(EvidenceError, match="needs one run of each"):
        read_prompt_scores(tmp_path, metric="exact_match")


def test_helm_cut_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    run = made.helm_run(tmp_path, "org/alpha")
    path = run / "per_instance_stats.json"
    path.write_text(path.read_text()[:900])
    with pytest.raises(EvidenceError, match=r"no whole JSON: it breaks after \d+ items"):
        read_prompt_scores(run, metric="exact_match")


# ------------------------------------------------------------------------ published tables


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_routerbench_gives_scores_and_costs_and_joins_turns(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rb.{ending}"
    made.routerbench().write_csv(path) if ending == "csv" else made.routerbench().write_parquet(path)
    scores, prompts = read_prompt_scores(path)
    assert scores.importer.startswith("routerbench")
    assert scores.frame.filter(pl.col("model") == "large")["cost_usd"].to_list() == [0.01, 0.02, 0.01]
    assert prompts.frame["prompt"].to_list() == [
        "System words\n\nWhat is 1 + 1?",
        "What is 2 + 2?",
        "[not a list",
    ]
    joined = join(scores, prompts, lacking=0.5)
    assert joined.models == ("large", "small")
    assert joined.steps[0].rule == "a score is given"


def test_embedllm_takes_categories_as_datasets(tmp_path: Path) -> None:
    made.embedllm().write_csv(tmp_path / "train.csv")
    scores, prompts = read_prompt_scores(tmp_path / "train.csv")
    assert scores.importer.startswith("embedllm")
    joined = join(scores, prompts)
    assert (joined.datasets, len(joined.models), joined.n) == (("ethics", "law"), 3, 4)


def test_llmrouter_without_tasks_says_what_that_costs(tmp_path: Path) -> None:
    made.written(tmp_path / "train.json", made.llmrouter())
    made.written(tmp_path / "test.json", made.llmrouter()[:2])
    scores, prompts = read_prompt_scores(tmp_path)
    assert scores.importer.startswith("llmrouter")
    assert set(scores.frame["dataset"]) == {"train", "test"}
    assert "name no task" in scores.cautions[0]
    assert join(scores, prompts).n == 6


def test_llmrouter_takes_tasks_from_a_table_of_prompts(tmp_path: Path) -> None:
    path = made.written(tmp_path / "train.json", made.llmrouter())
    rows = [{"task_name": f"t{at % 2}", "query": f"Q: puzzle {at}?"} for at in range(3)]
    tasks = made.written(tmp_path / "queries.jsonl", rows)
    scores, _ = read_prompt_scores(path, prompts=tasks)
    assert set(scores.frame["dataset"]) == {"t0", "t1"}
    assert "1 of 4 questions have no task" in scores.cautions[0]


def test_routellm_reads_verdicts_beside_responses(tmp_path: Path) -> None:
    path = tmp_path / "gsm8k_responses.csv"
    path.write_text(
        'prompt,weak,strong,weak_response,strong_response\n"How many, all told?",True,False,"3\n4",5\n'
        "And now?,False,True,x,y\n"
    )
    scores, prompts = read_prompt_scores(path)
    assert scores.importer.startswith("routellm")
    assert scores_of(scores, "weak") == {"gsm8k/1": 1.0, "gsm8k/2": 0.0}
    assert prompts.frame["prompt"].to_list() == ["How many, all told?", "And now?"]
    path.write_text(path.read_text().replace("False,True,x", "Maybe,True,x"))
    with pytest.raises(EvidenceError, match=r"row 2, column 'weak'.*'Maybe', must be True or False"):
        read_prompt_scores(path)


def test_routellm_reads_a_folder_of_verdicts_without_responses(tmp_path: Path) -> None:
    for name in ("mmlu_law", "mmlu_art"):
        (tmp_path / f"{name}.csv").write_text(
            'prompt,weak,strong\n"Which?\nA. 1\nB. 2",True,False\nWho?,True,True\n'
        )
    joined = join(*read_prompt_scores(tmp_path))
    assert (joined.datasets, joined.n) == (("mmlu_art", "mmlu_law"), 4)
    (tmp_path / "mmlu_art.csv").write_text("prompt,weak,strong,note\nWhich?,True,False,x\n")
    with pytest.raises(EvidenceError, match=r"mmlu_art\.csv has other columns"):
        read_prompt_scores(tmp_path, importer="routellm")


# ------------------------------------------------------------------------------ recognition


def test_an_importer_that_was_asked_for_is_recorded_and_refuses_other_files(tmp_path: Path) -> None:
    made.plain().write_csv(tmp_path / "mine.csv")
    assert read_prompt_scores(tmp_path / "mine.csv", importer="table")[0].importer.startswith(
        "table, asked for"
    )
    for name in SCORE_IMPORTERS:
        if name == "table":
            continue
        with pytest.raises(EvidenceError, match=r"^load: .*\. "):
            read_prompt_scores(tmp_path / "mine.csv", importer=name)


def test_unknown_importers_layouts_and_options_are_refused(tmp_path: Path) -> None:
    made.plain().write_csv(tmp_path / "mine.csv")
    with pytest.raises(SettingError, match="Did you mean lm_eval"):
        read_prompt_scores(tmp_path / "mine.csv", importer="lm-evals")
    with pytest.raises(SettingError, match="--metric: means nothing to importer table"):
        read_prompt_scores(tmp_path / "mine.csv", metric="acc")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvidenceError, match="no known layout"):
        read_prompt_scores(tmp_path / "empty")
    with pytest.raises(EvidenceError, match="no file or folder"):
        read_prompt_scores(tmp_path / "absent")
