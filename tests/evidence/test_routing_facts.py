"""Shipped scores and prices of models: sourced, plausible, one name a model, as typed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from isoflop.evidence import load
from isoflop.evidence.benchmark_descriptions import BETWEEN_EXAMPLES
from validation import facts_models

SCORES = load("model_benchmarks").frame
PRICES = load("model_prices").frame
WORDS = load("benchmark_descriptions").frame


def test_the_caution_says_how_many_rows_are_read() -> None:
    assert load("model_benchmarks").cautions[0].startswith("1371 hand-picked facts (951 read in the source")
    assert load("model_prices").cautions[0].startswith("52 hand-picked facts (27 read in the source")


def test_scores_are_fractions_of_models_and_benchmarks_that_occur_once() -> None:
    assert SCORES["score"].is_between(0, 1).all()
    assert SCORES.select("model", "benchmark").is_unique().all()
    assert SCORES["is_instruct"].null_count() == 0
    assert SCORES["benchmark"].n_unique() == 18
    assert SCORES["params"].drop_nulls().is_between(1e8, 2e12).all()
    assert (SCORES["params_active"] <= SCORES["params"]).drop_nulls().all()


def test_a_name_means_one_model() -> None:
    facts = SCORES.group_by("model").agg(pl.col("is_instruct", "params", "family", "developer").n_unique())
    assert facts.select(pl.col("is_instruct", "params", "family", "developer").max()).row(0) == (1, 1, 1, 1)
    tuned = set(SCORES.filter(pl.col("model").str.ends_with("(instruct)"))["model"])
    assert {name.removesuffix(" (instruct)") for name in tuned} <= set(SCORES["model"])


def test_only_arc_was_asked_in_two_ways() -> None:
    asked = SCORES.filter(pl.col("protocol").is_not_null())
    assert set(asked["benchmark"]) == {"ARC-C"}
    assert dict(asked["protocol"].value_counts().iter_rows()) == {"letter": 31, "full_text": 48}
    # A choice of a letter is scored far higher than full texts by models of like size.
    means = dict(asked.group_by("protocol").agg(pl.col("score").mean()).iter_rows())
    assert means["letter"] > means["full_text"] + 0.2


def test_prices_are_of_models_in_the_table_where_they_can_be() -> None:
    assert PRICES["model"].is_unique().all()
    assert (PRICES["output_usd_per_mtok"] >= PRICES["input_usd_per_mtok"]).all()
    assert PRICES["output_usd_per_mtok"].is_between(0.01, 1000).all()
    assert len(set(PRICES["model"]) & set(SCORES["model"])) >= 18
    hosted = PRICES.filter(pl.col("notes").str.contains("hosting company"))
    assert set(hosted["model"]) == {"Llama 3.1 8B (instruct)", "Llama 3.1 70B (instruct)"}


def test_every_benchmark_is_described_with_examples() -> None:
    assert set(WORDS["benchmark"]) == set(SCORES["benchmark"])
    counts = [len(text.split(BETWEEN_EXAMPLES)) for text in WORDS["examples"]]
    assert min(counts) >= 3
    assert WORDS["description"].str.len_chars().is_between(120, 420).all()


def test_typed_rows_become_rows_of_one_name_a_model(tmp_path: Path) -> None:
    """The rules of names hold for rows as they are typed."""
    header = "model,developer,release_date,params_total,params_active,benchmark,score,metric,shots,variant,"
    rest = "source,locator,verified,seen_in,notes\n"
    body = (
        "A 7B,X,2024-05,7000000000,7000000000,MMLU,0.5,,5,base,OLMo 2,t,read,s,\n"
        "A 7B,X,2024-05,7000000000,7000000000,ARC-C,0.6,,5,instruct,OLMo 2,t,read,s,why\n"
    )
    (tmp_path / "model_benchmarks.csv").write_text(header + rest + body, encoding="utf-8")
    (tmp_path / "model_prices.csv").write_text(
        "model,developer,input_usd_per_mtok,output_usd_per_mtok,as_of_date,source,locator,verified,seen_in\n"
        "A 7B,X,1.00,2.50,2024,s,l,read,p\n",
        encoding="utf-8",
    )
    made = facts_models.make(tmp_path)
    base, tuned = made["model_benchmarks"].splitlines()[1:]
    assert base.startswith("A 7B,X,A,,7000000000,7000000000,MMLU,0.5,,5,,0,")
    assert tuned.startswith("A 7B (instruct),X,A,,7000000000,7000000000,ARC-C,0.6,,5,letter,1,")
    assert tuned.endswith("released 2024-05; why")
    assert made["model_prices"].splitlines()[1].startswith("A 7B (instruct),X,1,2.5,2024,")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Qwen2 57B-A14B", "Qwen2"),
        ("Mixtral 8x22B", "Mixtral"),
        ("Mistral 7B v0.3", "Mistral"),
        ("GPT-4 Turbo (2024-04-09)", "GPT-4 Turbo"),
        ("Claude 3.5 Sonnet (2024-10-22)", "Claude 3.5"),
    ],
)
def test_families_are_names_without_size_and_edition(name: str, family: str) -> None:
    assert facts_models.family(name) == family
