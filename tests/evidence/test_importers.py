"""Importers: recognition by header, waterfalls, and the traps of the public files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence import IMPORTERS, load
from isoflop.evidence.importers.benchmark_scores import EXTERNAL, RUNS

SHEET = {
    "System": "S",
    "Reference": "P",
    "Publication date": "2020/01/02",
    "Parameters": "1e6",
    "Dataset Size": "1e8",
    "Training Compute": "",
    "Epoch": "UNK",
    "uncertain": "0",
    "Include?": "1.0",
    "Outlier?": "0",
    "Zero-shot?": "0.5",
    "Uses Cache": "1",
    "Architecture": "Transformer",
    "Vocabulary": "?",
    "Inferred_compute (6ND)": "#VALUE!",
    "Perplexity (WT103)": "",
    "Perplexity (WT2)": "",
    "Perplexity (PTB)": "",
}


def sheet(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "sheet.csv"
    pl.DataFrame([SHEET | row for row in rows]).write_csv(path)
    return path


def test_a_wide_sheet_is_melted_by_benchmark_in_sheet_order(tmp_path: Path) -> None:
    table = load(
        sheet(
            tmp_path,
            {"System": "a", "Perplexity (PTB)": "60", "Perplexity (WT103)": "30"},
            {"System": "b", "Perplexity (WT2)": "50"},
            {"System": "c"},
            {"System": "d", "Perplexity (PTB)": "70", "Perplexity (WT2)": "45"},
            {"System": "e", "Perplexity (WT103)": "25"},
        )
    )
    shown = table.frame.select("system", "benchmark", "perplexity", "perplexity_first", "record").rows()
    assert shown == [
        ("a", "WT103", 30.0, 30.0, 1),
        ("e", "WT103", 25.0, 25.0, 5),
        ("b", "WT2", 50.0, 50.0, 2),
        ("d", "WT2", 45.0, 45.0, 4),
        ("a", "PTB", 60.0, 30.0, 1),
        ("d", "PTB", 70.0, 45.0, 4),
        ("c", None, None, None, 3),
    ]


def test_marks_of_the_public_sheet_mean_unknown(tmp_path: Path) -> None:
    row = load(sheet(tmp_path, {"Perplexity (WT2)": "50"})).frame.row(0, named=True)
    assert row["epochs"] is None
    assert row["vocabulary_size"] is None
    assert row["zero_shot"] == 0.5
    assert row["uses_cache"] is True
    assert row["is_transformer"] is True
    assert row["train_flop"] == pytest.approx(6e14)


def test_every_dropped_record_is_listed_with_its_rule(tmp_path: Path) -> None:
    table = load(
        sheet(
            tmp_path,
            {"System": "kept", "Perplexity (WT2)": "50"},
            {"System": "undated", "Publication date": "2020"},
            {"System": "no size", "Parameters": "UNK"},
            {"System": "no data", "Dataset Size": ""},
            {"System": "zero", "Dataset Size": "0"},
        )
    )
    assert [(step.kept, step.dropped) for step in table.steps] == [(4, 1), (2, 2), (1, 1)]
    assert [row for step in table.steps for row in step.rows] == [
        "row 2 (undated): publication date 2020",
        "row 3 (no size): parameters unknown",
        "row 4 (no data): data size unknown",
        "row 5 (zero): parameters 1e+06, data size 0",
    ]
    assert table.rows_read == 5
    assert table.provenance(1).rows_dropped == 4


def test_hybrid_architectures_are_no_transformers(tmp_path: Path) -> None:
    table = load(sheet(tmp_path, {"Architecture": "Transformer/RNN"}, {"System": "T"}))
    assert table.frame["is_transformer"].to_list() == [False, True]


def test_extra_and_reordered_columns_do_not_hide_a_layout(tmp_path: Path) -> None:
    path = sheet(tmp_path, {"Perplexity (WT2)": "50"})
    plain = load(path)
    pl.read_csv(path, infer_schema=False).with_row_index("Unnamed: 0").select(pl.all().reverse()).write_csv(
        path
    )
    assert load(path).fingerprint == plain.fingerprint


def test_an_impossible_perplexity_in_a_public_sheet_is_refused_with_its_record(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"row 2, column 'perplexity' of sheet\.csv: 0\.5"):
        load(sheet(tmp_path, {"Perplexity (WT2)": "50"}, {"Perplexity (WT2)": "0.5"}))


def test_a_layout_of_another_schema_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        EvidenceError, match="recognised as lm_evaluations with schema evaluations, needs schema scores"
    ):
        load(sheet(tmp_path, {}), schema="scores")


def stitching(folder: Path) -> Path:
    folder.mkdir()
    (folder / RUNS).write_text(
        "\ufeffid,task,model,Best score (across scorers),Status\n"
        "1,GPQA diamond,m1,0.850,Success\n"
        "2,FrontierMath-2025-02-28-Public,m1,0.5,Success\n"
        "3,FrontierMath-2025-02-28-Private,m1,0.1,Success\n",
        encoding="utf-8",
    )
    (folder / "external_benchmark_boolq.csv").write_text(
        "id,Name,Score,Model version,Shots,Notes,Source\n"
        'r1,,75.0%,m1,0,"two\nlines",Report A\n'
        "r2,,77.5%,m1,5,,Report B\n"
        "r3,unnamed,60.0%,,5,,Report B\n"
        "r4,,,m2,5,,Report B\n"
        "r5,,0.0%,m2,0,,Report C\n",
        encoding="utf-8",
    )
    (folder / "external_benchmark_livebench.csv").write_text(
        "id,Model version,Global average,Source\nr1,m2,82.5,Board\n", encoding="utf-8"
    )
    (folder / "external_benchmark_unheard_of.csv").write_text(
        "id,Model version,Score\nr1,m2,1\n", encoding="utf-8"
    )
    (folder / "model_versions.csv").write_text(
        "id,Model,Version release date,Notes\n"
        'm1,Model One,2024-05-13,"a note\nover lines, with commas"\n'
        "m2,Model Two,,\n",
        encoding="utf-8",
    )
    (folder / "distilled_models.csv").write_text("model,distilled\nm2,TRUE\nm1,FALSE\n", encoding="utf-8")
    return folder


def test_scores_of_a_stitching_folder_become_fractions_with_dates_and_flags(tmp_path: Path) -> None:
    table = load(stitching(tmp_path / "stitching"))
    rows = table.frame.select(
        "model", "benchmark", "score", "n_scores", "lowest_score", "shots", "is_distilled", "model_name"
    ).rows()
    assert rows == [
        ("m1", "BoolQ", 0.775, 2.0, 0.75, "5", False, "Model One"),
        ("m1", "FrontierMath-2025-02-28-Private", 0.1, 1.0, 0.1, None, False, "Model One"),
        ("m1", "GPQA diamond", 0.85, 1.0, 0.85, None, False, "Model One"),
        ("m2", "BoolQ", 0.0, 1.0, 0.0, "0", True, "Model Two"),
        ("m2", "LiveBench", 0.825, 1.0, 0.825, None, True, "Model Two"),
    ]
    assert [str(d) for d in table.frame["release_date"]] == ["2024-05-13"] * 3 + ["None"] * 2
    assert [step.dropped for step in table.steps] == [1, 1, 1, 1]
    assert table.steps[0].rows == ("row 3 (external_benchmark_boolq.csv): no model version",)
    assert table.steps[3].rows == ("row 1 (external_benchmark_boolq.csv): m1 on BoolQ: 0.75, highest 0.775",)
    text = " ".join(table.cautions)
    assert "external_benchmark_unheard_of.csv: the score column of this benchmark is not known" in text
    assert "1 models have no release date" in text
    assert "1 scores are exactly 0 or 1" in text
    assert "1 models are distilled" in text


def test_an_external_file_without_its_score_column_is_refused(tmp_path: Path) -> None:
    folder = stitching(tmp_path / "stitching")
    (folder / "external_benchmark_mmlu.csv").write_text(
        "id,Model version,Accuracy\nr1,m1,50%\n", encoding="utf-8"
    )
    with pytest.raises(EvidenceError, match=r"column 'EM' not in external_benchmark_mmlu\.csv"):
        load(folder)


def test_a_benchmark_under_two_names_is_a_caution() -> None:
    rows = [
        {"model": f"m{i}", "benchmark": name, "score": score}
        for i in range(12)
        for name, score in (("BoolQ", i / 20), ("Aggregate", i / 20), ("Other", i / 30))
    ]
    cautions = load(pl.DataFrame(rows)).cautions
    assert any("Aggregate and BoolQ carry the same score for 12 of 12 shared models" in c for c in cautions)
    assert not any("Other" in c for c in cautions)


def test_signatures_tell_layouts_apart_or_the_schema_does() -> None:
    for one in IMPORTERS.values():
        if one.folder_only:
            continue
        others = [other for other in IMPORTERS.values() if other is not one and other.schema == one.schema]
        assert not any(other.recognises(sorted(one.signature)) for other in others)
        assert one.recognises(sorted(one.signature))


def test_efficiency_rows_are_in_flop(tmp_path: Path) -> None:
    path = tmp_path / "sota.csv"
    path.write_text(
        "Metric,Publication Date,Publication,Compute (teraflops-s/days),Reduction Factor\n"
        "X,6/1/2012,Y,3.1,1\n",
        encoding="utf-8",
    )
    row = load(path).frame.row(0, named=True)
    assert row["train_flop"] == pytest.approx(3.1 * 1e12 * 86_400)
    assert str(row["publication_date"]) == "2012-06-01"


@pytest.mark.public_data
def test_the_published_cleaning_counts_are_reached(public_data: Path) -> None:
    table = load(public_data / "progress" / "lm_evaluations.csv")
    assert (table.rows_read, [step.kept for step in table.steps]) == (408, [408, 373, 369])
    rows = table.frame.filter("is_included")
    assert rows["record"].n_unique() == 284
    rows = rows.filter(pl.col("is_outlier").not_() | pl.col("is_outlier").is_null())
    assert rows["record"].n_unique() == 275
    rows = rows.drop_nulls("perplexity")
    assert rows["record"].n_unique() == 275
    assert dict(rows["benchmark"].value_counts().rows()) == {"WT103": 109, "WT2": 77, "PTB": 95}
    rows = rows.filter(pl.col("is_uncertain").not_())
    assert rows.height == 267
    gone = ["GPT3-6.7B + muP", *(f"LLaMA-{n}B (LoRA finetuned)" for n in (65, 13, 7))]
    for column, counts in (
        ("perplexity_first", {"WT103": 103, "PTB": 80, "WT2": 48}),
        ("perplexity", {"WT103": 104, "PTB": 79, "WT2": 48}),
    ):
        cluster = rows.sort("paper", column, maintain_order=True).filter(~pl.col("system").is_in(gone))
        assert (cluster.height, cluster["paper"].n_unique()) == (261, 144)
        head = cluster.group_by("paper", maintain_order=True).head(3)
        assert (head.height, head["paper"].n_unique()) == (231, 144)
        assert dict(head["benchmark"].value_counts().rows()) == counts
        if column == "perplexity_first":
            assert head["is_transformer"].sum() == 104
            assert head["flop_is_derived"].not_().sum() == 46
            assert (head["epochs"].count(), cluster["epochs"].count()) == (155, 184)
            assert head["vocabulary_size"].count() == 185
            assert head["zero_shot"].value_counts().sort("zero_shot")["count"].to_list() == [197, 10, 24]
            assert head["uses_cache"].sum() == 9
            assert (head["parameters"].min(), head["train_tokens"].min()) == (2.0e6, 8.88e5)
            assert (round(head["year"].min(), 4), round(head["year"].max(), 3)) == (2012.4877, 2023.389)


@pytest.mark.public_data
def test_the_public_tables_are_recognised_as_they_are(public_data: Path) -> None:
    progress = public_data / "progress"
    index = load(progress / "eci").frame
    assert index.height == 498
    assert (index["capability_index"].count(), index["train_flop"].count()) == (282, 212)
    assert index.drop_nulls(["capability_index", "train_flop"]).height == 142
    assert index["release_date"].null_count() == 27
    assert load(progress / "eci" / "eci_benchmark_difficulties_and_slopes.csv").frame.height == 37
    assert load(progress / "eci" / "eci_scaling.csv").frame["b"].to_list() == pytest.approx(
        [22.049960379185745]
    )
    assert load(progress / "ai_and_efficiency_sota.csv").frame.height == 12


@pytest.mark.public_data
def test_the_stitching_folder_is_read_in_full(public_data: Path) -> None:
    table = load(public_data / "progress" / "benchmark_stitching")
    assert table.kind == "pulled"
    assert {entry.benchmark for entry in EXTERNAL.values()} <= set(table.frame["benchmark"])
    assert table.frame.select("model", "benchmark").is_duplicated().sum() == 0
    assert table.frame["score"].is_between(0, 1).all()
    kept = [step.kept for step in table.steps]
    assert kept[-1] == table.frame.height
    assert table.rows_read == kept[0] + table.steps[0].dropped
    assert all(len(step.rows) == step.dropped for step in table.steps)
    runs = table.frame.filter(pl.col("source") == "Epoch AI runs")
    assert runs.height == 541 - 58 - 26 - 2  # public samples; two models were run twice
