"""Importers of the public scaling tables: counts, cleaning in order, and their traps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isoflop.evidence import Table, load, locate
from isoflop.evidence.location import PUBLIC_TABLES

SCALING = [name for name, place in PUBLIC_TABLES.items() if place.startswith("scaling/")]
COUNTS: dict[str, tuple[str, int, tuple[int, ...], int]] = {
    "chinchilla_points": ("scaling_runs", 245, (), 245),
    "isoflops": ("scaling_runs", 947, (750,), 750),
    "misfitting": ("scaling_runs", 261, (260, 240, 81), 81),
    "openlm": ("downstream_runs", 100, (), 100 * (8 + 46)),
    "olmo_ladder": ("downstream_runs", 121, (), 121 * (11 + 20 + 20)),
    "datablations": ("scaling_runs", 294, (), 294),
    # The file has 1,399 data rows; a count of line breaks gives 1,398.
    "learning_curves_language": ("learning_curves", 1399, (712,), 712),
    "learning_curves_image": ("learning_curves", 11958, (11958,), 11958),
    "double_descent_width": ("learning_curves", 64, (), 64),
    "double_descent_samples": ("learning_curves", 59, (), 59),
    "obsscaling": ("model_scores", 148, (9298,), 11487),
    "obsscaling_benchmarks": ("model_scores", 148, (), 1144),
    "obsscaling_sub_10b": ("model_scores", 92, (), 730),
    "obsscaling_emergent": ("model_scores", 84, (), 1279),
    "obsscaling_leaderboard": ("model_scores", 72, (), 1000),
    "obsscaling_post_training": ("model_scores", 96, (9298,), 10044),
    "obsscaling_agent": ("model_scores", 27, (396,), 615),
    "obsscaling_instruct": ("model_scores", 27, (), 219),
    "sloth": ("model_scores", 188, (), 14409),
    "study_summaries": ("study_summaries", 22, (), 22),
    "robotics_exponents": ("published_exponents", 14, (), 14),
    "robotics_points": ("study_points", 3, (), 3),
}
"""Schema, data rows read, rows kept after each step, canonical rows."""


def test_every_public_scaling_table_is_counted() -> None:
    assert list(COUNTS) == SCALING


@pytest.mark.public_data
@pytest.mark.parametrize("name", COUNTS)
def test_public_tables_are_recognised_as_they_are_and_keep_the_stated_rows(
    name: str, public_data: Path
) -> None:
    table = locate(public_data).table(name)
    found = (table.schema, table.rows_read, tuple(step.kept for step in table.steps), table.frame.height)
    assert found == COUNTS[name]
    for step in table.steps:
        assert len(step.rows) == step.dropped or step.unit == "rows"
    assert all(caution[-1] == "." for caution in table.cautions)


def public(public_data: Path, name: str, schema: str | None = None) -> Table:
    return locate(public_data).table(name, schema=schema)


@pytest.mark.public_data
def test_chinchilla_points_say_that_tokens_are_derived(public_data: Path) -> None:
    table = public(public_data, "chinchilla_points")
    assert table.kind == "pulled"
    assert any("exactly dependent" in caution for caution in table.cautions)
    frame = table.frame
    np.testing.assert_allclose(frame["train_flop"], 6 * frame["params"] * frame["tokens"], rtol=1e-12)
    kept = frame.filter(pl.col("loss_nats") < frame["loss_nats"].top_k(5).min())
    assert kept.height == 240
    assert kept["tokens_per_param"].min() == pytest.approx(0.46, abs=0.01)
    assert kept["tokens_per_param"].max() == pytest.approx(341, abs=1)


@pytest.mark.public_data
def test_isoflop_outliers_are_dropped_with_their_reasons(public_data: Path) -> None:
    table = public(public_data, "isoflops")
    reasons = pl.Series([row.rsplit(": ", 1)[1] for row in table.steps[0].rows]).value_counts()
    assert dict(reasons.rows()) == {
        "off_center": 53,
        "too_few_points": 50,
        "weak_curvature": 35,
        "spline_outlier": 28,
        "near_duplicate_params": 18,
        "too_few_post_qc": 7,
        "exact_duplicate": 6,
    }
    sizes = dict(table.frame["family"].value_counts().rows())
    assert sorted(sizes.values()) == [79, 80, 80, 85, 89, 106, 115, 116]
    assert sum("are two readings of one" in caution for caution in table.cautions) == 2
    assert table.frame["validation_set"].n_unique() == 8


@pytest.mark.public_data
def test_the_best_of_several_learning_rates_records_how_many_were_tried(public_data: Path) -> None:
    frame = public(public_data, "misfitting").frame
    assert frame["architecture"].n_unique() == 11
    assert frame["params"].min() == 57_234_240
    assert frame["params"].max() == pytest.approx(1.18e9, rel=0.01)
    assert frame["tokens_per_param"].min() == pytest.approx(1.4, abs=0.05)
    assert frame["tokens_per_param"].max() == pytest.approx(218, abs=1)
    assert int(frame["n_tried"].sum()) == 240
    assert frame["n_repeats"].null_count() == frame.height


@pytest.mark.public_data
def test_the_over_training_testbed_reads_as_outcomes_or_as_losses(public_data: Path) -> None:
    frame = public(public_data, "openlm").frame
    kinds = frame.group_by("kind").agg(pl.col("task").n_unique()).sort("kind")
    assert kinds.rows() == [("accuracy", 46), ("val_loss_nats", 8)]
    runs = frame.unique("run_id")
    assert dict(runs["dataset"].value_counts().rows()) == {"c4_original": 33, "rpj": 33, "rw_original": 34}
    multiplier = runs["tokens"] / (20 * runs["params"])
    assert (multiplier.log(2.0) - multiplier.log(2.0).round()).abs().max() < 0.01
    assert sorted({round(n / 1e6, 1) for n in runs["params"]}) == [10.6, 78.9, 153.7, 411.6, 1439.8]
    losses = public(public_data, "openlm", "scaling_runs").frame
    assert (losses.height, set(losses["validation_set"])) == (100, {"c4_val"})


@pytest.mark.public_data
def test_ladder_runs_are_told_from_targets_and_reruns(public_data: Path) -> None:
    frame = public(public_data, "olmo_ladder").frame.filter(pl.col("task") == "c4_en")
    final = frame.filter("is_final")
    ladder = final.filter(pl.col("family") == "ladder")
    assert (ladder.height, ladder["run_id"].str.contains("rerun").sum()) == (30, 5)
    size = ladder["run_id"].str.extract(r"-([\d.]+)xC").cast(pl.Float64)
    assert (ladder["tokens"] / (20 * size * ladder["params"]) - 1).abs().max() < 0.003
    targets = final.filter(pl.col("family") != "ladder").sort("params")
    assert targets["run_id"].to_list() == ["peteish7_eval_anneal", "peteish13_eval_final"]
    assert targets["tokens"].to_list() == pytest.approx([3.945e12, 5.0e12], rel=1e-3)
    by_step = frame.filter(pl.col("run_id") == "peteish7_eval_full")["tokens"].max()
    assert by_step == pytest.approx(920_000 / 928_646 * 3.896e12, rel=1e-3)
    losses = public(public_data, "olmo_ladder", "scaling_runs")
    assert (losses.frame.height, [step.kept for step in losses.steps]) == (30, [32, 30])


@pytest.mark.public_data
def test_ladder_tasks_have_kind_and_split(public_data: Path) -> None:
    frame = public(public_data, "olmo_ladder").frame
    outcomes = frame.select("task", "kind", "split").unique()
    kinds = dict(outcomes["kind"].value_counts().rows())
    assert kinds == {"val_loss_nats": 11, "task_loss_bpb": 20, "accuracy": 20}
    tasks = outcomes.filter(pl.col("kind") == "accuracy")
    assert {"mmlu_stem", "hellaswag", "boolq", "winogrande"} <= set(tasks["task"])
    assert set(tasks["split"]) == {"val", "test"}


@pytest.mark.public_data
def test_language_curves_come_once(public_data: Path) -> None:
    frame = public(public_data, "learning_curves_language").frame
    curves = frame.group_by("domain", "curve_id").agg(pl.len(), pl.col("is_fit").sum().alias("fit"))
    assert dict(curves["domain"].value_counts().rows()) == {"NMT": 5, "LM": 5, "BB": 10}
    assert frame.filter(pl.col("domain") == "LM").height == 916 // 4
    assert curves.filter(pl.col("curve_id") == "LM/1.68e+07")["len"].item() == 119
    spans = {
        domain: (part["fit"].min(), part["fit"].max(), (part["len"] - part["fit"]).max())
        for (domain,), part in curves.group_by("domain")
    }
    assert spans == {"NMT": (9, 10, 1), "LM": (11, 59, 60), "BB": (19, 19, 24)}


@pytest.mark.public_data
def test_image_curves_are_whole(public_data: Path) -> None:
    frame = public(public_data, "learning_curves_image").frame
    sizes = frame["curve_id"].value_counts()["count"]
    assert (sizes.len(), sizes.min(), sizes.max()) == (36, 79, 780)
    assert set(frame["outcome_kind"]) == {"error"}
    assert dict(frame["is_fit"].value_counts().rows()) == {True: 2241, False: 9717}


@pytest.mark.public_data
def test_models_keep_size_and_compute_beside_their_scores(public_data: Path) -> None:
    base = public(public_data, "obsscaling_benchmarks")
    models = base.frame.unique("model")
    assert (models.height, models["family"].n_unique()) == (148, 47)
    assert models["train_flop"].null_count() == 25 + 1  # one model states 627 trillion tokens
    known = models.drop_nulls("train_flop")
    ratio = known["train_flop"] / (6 * known["params"] * known["tokens"])
    assert ratio.is_between(0.999, 1.001).all()
    emergent = public(public_data, "obsscaling_emergent").frame
    tasks = emergent.filter(pl.col("benchmark").str.contains("_2_"))
    assert (tasks["model"].n_unique(), tasks["benchmark"].n_unique()) == (84, 8)
    assert {"MMLU", "HellaSwag"} <= set(emergent["benchmark"])
    agent = public(public_data, "obsscaling_agent").frame
    assert agent["is_instruct"].all()
    assert "ABench-OA" not in set(agent["benchmark"])
    together = public(public_data, "obsscaling").frame
    assert set(emergent["benchmark"]) <= set(together["benchmark"])
    assert not together["benchmark"].str.ends_with(",norm").any()


@pytest.mark.public_data
def test_sloth_knows_chance_and_tuned_models(public_data: Path) -> None:
    frame = public(public_data, "sloth").frame
    models = frame.unique("model")
    assert models["family"].n_unique() == 35
    assert dict(models["is_instruct"].value_counts().rows()) == {False: 120, True: 68}
    assert models["train_flop"].null_count() == 13
    chance = dict(frame.unique("benchmark").select("benchmark", "chance").rows())
    assert chance["GSM8K"] == 0.0
    assert 0.2 < chance["MMLU"] < 0.26
    assert chance["HumanEval"] is None


@pytest.mark.public_data
def test_robotics_summaries_keep_the_published_medians(public_data: Path) -> None:
    frame = public(public_data, "study_summaries").frame
    medians = frame.filter(pl.col("statistic") == "median_exponent")
    assert dict(medians.select("resource", "value").rows()) == {
        "data": -0.217,
        "model_size": -0.172,
        "compute": -0.105,
    }
    exponents = public(public_data, "robotics_exponents").frame
    row = exponents.row(
        by_predicate=(pl.col("study") == "Sartor and Thompson") & (pl.col("resource") == "data"), named=True
    )
    assert (row["exponent"], row["low"], row["high"], row["slope"]) == (0.276, 0.236, 0.317, -0.276)
    assert (row["form"], row["outcome_kind"]) == ("pooled", "error_rate")


def curves(folder: Path, text: str) -> Path:
    path = folder / "curves.csv"
    path.write_text("Domain,Task,Model,Seen Examples,Loss,Training\n" + text, encoding="utf-8")
    return path


def test_exact_duplicates_of_a_curve_are_dropped_and_listed(tmp_path: Path) -> None:
    rows = "LM,val_loss,1.68e+07,{},{},{}\n"
    text = (
        rows.format("524288.0", 0.99, 1) * 4 + rows.format("1048576.0", 0.95, 1) + rows.format("2e6", 0.9, 0)
    )
    table = load(curves(tmp_path, text))
    assert (table.steps[0].kept, table.steps[0].dropped) == (3, 3)
    assert table.steps[0].rows[0] == "row 2 (LM/1.68e+07): x=524288 is there already"
    assert table.frame["is_fit"].to_list() == [True, True, False]


def test_a_domain_with_next_to_nothing_ahead_is_a_caution(tmp_path: Path) -> None:
    text = "".join(f"NMT,log_perplexity,m,{x}.0,{1 / x},{int(x < 4)}\n" for x in (1, 2, 3, 4))
    assert any(
        "forecasts of NMT rest on 1 points" in caution for caution in load(curves(tmp_path, text)).cautions
    )


def test_scores_without_the_file_of_sizes_say_so(tmp_path: Path) -> None:
    path = tmp_path / "emergent.csv"
    path.write_text(
        "Model,arithmetic_3ds_2_acc,word_unscrambling_2_exact_match,ipa_transliterate_2_bleu\na,0.5,0.1,50\nb,,0.2,\n",
        encoding="utf-8",
    )
    table = load(path)
    assert table.frame["score"].to_list() == [0.5, 0.1, 0.2, 0.5]
    assert table.frame["family"].null_count() == 4
    assert any(
        "base_llm_benchmark_eval.csv, which does not lie beside" in caution for caution in table.cautions
    )


def test_an_impossible_number_of_tokens_is_taken_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    path.write_text(
        "Model,Model Family,Model Size (B),Pretraining Data Size (T),FLOPs (1E21),MMLU,XWinograd\n"
        "a,A,3,627,11286,0.3,0.6\nb,B,7,2,84,0.4,0.7\n",
        encoding="utf-8",
    )
    table = load(path)
    known = {row["model"]: row["train_flop"] for row in table.frame.iter_rows(named=True)}
    assert known == {"a": None, "b": 8.4e22}
    assert any("a is printed with 627 trillion tokens" in caution for caution in table.cautions)


def test_a_file_of_two_readings_is_read_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "testbed.csv"
    path.write_text(
        "name,dataset,model,params,params_no_embed,tokens,chinchilla_multiplier,lr,loss_openlm,loss_c4_val,acc_boolq\n"
        "r1,c4,m,1e7,8e6,2e8,1,0.003,4.2,3.5,0.5\n",
        encoding="utf-8",
    )
    assert load(path).frame.select("task", "kind", "value").rows() == [
        ("openlm", "val_loss_nats", 4.2),
        ("c4_val", "val_loss_nats", 3.5),
        ("boolq", "accuracy", 0.5),
    ]
    runs = load(path, schema="scaling_runs")
    assert (runs.schema, runs.importer) == ("scaling_runs", "openlm_losses, recognised by its header")
    assert runs.frame["loss_nats"].to_list() == [3.5]
    assert load(path, importer="openlm_losses").frame.height == 1
