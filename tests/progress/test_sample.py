"""Row rules: the published counts on the public sheet, and each rule on planted rows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from isoflop import evidence
from isoflop.errors import EvidenceError, SettingError
from isoflop.progress.sample import PAPER_RULES, Rules, select


def frame(**columns: list) -> pl.DataFrame:
    """Return a small valid table with some columns replaced."""
    n = len(next(iter(columns.values()))) if columns else 6
    base = {
        "system": [f"s{i}" for i in range(n)],
        "paper": [f"p{i // 4}" for i in range(n)],
        "benchmark": ["WT103", "PTB"] * (n // 2) + ["WT103"] * (n % 2),
        "publication_date": [dt.date(2015 + i, 5, 1) for i in range(n)],
        "perplexity": [100.0 - 3 * i for i in range(n)],
        "parameters": [1e6 * (i + 1) for i in range(n)],
        "train_tokens": [1e8 / (i + 1) for i in range(n)],
    }
    return pl.DataFrame(base | columns)


def table(**columns: list) -> evidence.Table:
    return evidence.load(frame(**columns), name="rows")


@pytest.mark.public_data
def test_published_waterfall(published, golden):
    want = golden["rows"]
    kept = {step.rule: step.kept for step in published.steps}
    assert [*kept.values()] == [
        want["read"], want["numeric"], want["positive"], want["included"], want["not_outlier"],
        want["not_outlier"], want["melted"], want["certain"], want["certain"], want["cluster"], want["head"],
    ]  # fmt: skip
    assert published.n == want["head"]
    assert published.papers == want["papers"]
    counts = np.bincount(published.features.benchmark)
    assert dict(zip(published.benchmarks, counts.tolist(), strict=True)) == want["first"]
    assert int(published.features.is_transformer.sum()) == want["transformers"]
    assert int((~published.frame["flop_is_derived"]).sum()) == want["flop_given"]
    assert published.features.year.min() == pytest.approx(2012.4877, abs=5e-5)
    assert published.features.year.max() == pytest.approx(2023.3890, abs=5e-5)
    assert published.normalisers.parameters == 2.0e6
    assert published.normalisers.data == 8.88e5


@pytest.mark.public_data
def test_four_rows_carry_another_benchmarks_perplexity(published, golden):
    wrong = published.frame.filter((pl.col("perplexity") - pl.col("perplexity_first")).abs() > 1e-9)
    found = {
        (r["system"], r["benchmark"]): (r["perplexity_first"], r["perplexity"]) for r in wrong.to_dicts()
    }
    want = {(s, b): (first, own) for s, b, first, own in golden["borrowed"]}
    assert found.keys() == want.keys()
    for key, values in want.items():
        assert found[key] == pytest.approx(values, abs=0.006)
    assert any("4 rows carry the perplexity of another benchmark" in c for c in published.cautions)


@pytest.mark.public_data
def test_own_perplexity_swaps_one_row(sheet, published, golden):
    own = select(sheet)
    counts = dict(zip(own.benchmarks, np.bincount(own.features.benchmark).tolist(), strict=True))
    assert own.n == golden["rows"]["head"]
    assert counts == golden["rows"]["own"]
    keys = [set(s.frame.select("system", "benchmark").rows()) for s in (own, published)]
    assert keys[0] - keys[1] == {("GPT-2 (762M)", "WT103")}
    assert keys[1] - keys[0] == {("GPT-2 (1542M)", "PTB")}


@pytest.mark.public_data
def test_without_the_paper_limit_it_is_the_cluster_sample(sheet, golden):
    cluster = select(sheet, rules=Rules(perplexity="first", top_per_paper=None))
    assert cluster.n == golden["rows"]["cluster"]
    assert int(cluster.frame["epochs"].is_not_null().sum()) == 184


def test_lowest_rows_of_each_paper_are_kept():
    sample = select(table(perplexity=[50.0, 60.0, 40.0, 55.0, 70.0, 80.0]), rules=Rules(top_per_paper=2))
    assert sample.frame["system"].to_list() == ["s2", "s0", "s4", "s5"]


def test_ties_keep_the_order_of_the_table():
    sample = select(table(perplexity=[50.0] * 6), rules=Rules(top_per_paper=2))
    assert sample.frame["system"].to_list() == ["s0", "s1", "s4", "s5"]


def test_every_dropped_row_is_named_with_its_rule():
    sample = select(table(is_outlier=[0, 1, 0, 0, 0, 0]))
    step = next(s for s in sample.steps if s.rule == "not an outlier")
    assert step.dropped == 1
    assert step.rows == ("row 2 (s1): fails 'not an outlier'",)


@pytest.mark.parametrize(
    ("rules", "columns", "left"),
    [
        (Rules(zero_shot="drop"), {"zero_shot": [0.0, 0.5, 1.0, 0.0, 0.0, 0.0]}, 4),
        (Rules(cache="drop"), {"uses_cache": [1, 0, 0, 0, 0, 1]}, 4),
        (Rules(level="word"), {"level": ["word", "token", "unstated", None, "word", "word"]}, 4),
        (Rules(adaptation="drop"), {"adaptation": ["none", "cache", None, "none", "none", "none"]}, 5),
        (Rules(peer_reviewed=True), {"peer_reviewed": [1, 1, 0, 0, 1, 1]}, 4),
        (Rules(since=2017.0), {}, 4),
        (Rules(need=("vocabulary",)), {"vocabulary_size": [10.0, None, None, 10.0, 10.0, 10.0]}, 4),
        (Rules(need=("epochs",)), {"epochs": [1.0, None, 2.0, 3.0, 4.0, 5.0]}, 5),
        (Rules(need=("epochs",), impute_epochs=True), {"epochs": [1.0, None, 2.0, 3.0, 4.0, 5.0]}, 6),
    ],
)
def test_optional_rules_drop_what_they_say(rules, columns, left):
    from dataclasses import replace

    assert select(table(**columns), rules=replace(rules, top_per_paper=None)).n == left


def test_missing_inclusion_means_kept():
    assert select(table(is_included=[None, 1, 1, 1, 0, None])).n == 4


def test_first_benchmark_of_another_list_is_the_base():
    sample = select(table(benchmark=["Pile", "C4", "Pile", "C4", "C4", "Pile"]))
    assert sample.benchmarks[0] in ("Pile", "C4")
    assert sample.benchmarks == tuple(dict.fromkeys(sample.frame["benchmark"]))


def test_rows_keep_the_normalisers_of_the_whole(planted):
    part = planted.rows(np.arange(10))
    assert part.n == 10
    assert part.normalisers == planted.normalisers
    assert part.clusters.max() + 1 == len(set(part.frame["paper"]))


def test_mixed_tasks_are_refused():
    mixed = table(
        perplexity=[50.0, 40.0, 30.0, None, None, None],
        top1_error=[None, None, None, 0.2, 0.3, 0.25],
        train_images=[None, None, None, 1e6, 1e6, 2e6],
        train_tokens=[1e8, 1e8, 2e8, None, None, None],
    )
    with pytest.raises(EvidenceError, match="mixes the tasks image_classification and language"):
        select(mixed)
    assert select(mixed, task="image_classification").n == 3


@pytest.mark.parametrize("outcome", ["identity", "log", "logit"])
def test_image_outcome_is_transformed(outcome):
    errors = np.array([0.2, 0.3, 0.25, 0.4, 0.1, 0.15])
    images = table(
        perplexity=[None] * 6, top1_error=errors.tolist(), train_tokens=[None] * 6, train_images=[1e6] * 6
    )
    sample = select(images, rules=Rules(outcome=outcome, top_per_paper=None))
    want = {"identity": errors, "log": np.log(errors), "logit": np.log(errors / (1 - errors))}[outcome]
    np.testing.assert_allclose(np.sort(sample.outcome), np.sort(want))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "only 6 rows of 2 papers"),
        ({}, "holds 4 of 6 rows"),
        ({"zero_shot": [1, 1, 0, 0, 0, 0]}, "2 rows are zero-shot"),
        ({"uses_cache": [0, 0, 1, 0, 0, 0]}, "1 rows adapt to the test text"),
        ({"publication_date": [dt.date(2015, 1 + i, 1) for i in range(6)]}, "dates span 0.4 years"),
        ({}, "publication year and ln parameters correlate"),
        ({}, "is 6·N·D, not stated"),
        ({}, "benchmark PTB has 3 rows"),
    ],
)
def test_doubtful_samples_are_cautioned(columns, words):
    sample = select(table(**columns), rules=Rules(top_per_paper=None))
    assert any(words in caution for caution in sample.cautions)


def test_nothing_left_is_an_error():
    with pytest.raises(EvidenceError, match="no row of rows passes every rule"):
        select(table(is_outlier=[1] * 6))


def test_another_schema_is_refused():
    with pytest.raises(EvidenceError, match="is a table of hardware, needs evaluations"):
        select(evidence.load("hardware_facts"))


def test_rules_refuse_zero_rows_a_paper():
    with pytest.raises(SettingError, match="top_per_paper=0"):
        Rules(top_per_paper=0)


def test_paper_rules_differ_from_ours_in_the_perplexity_only():
    from dataclasses import asdict

    ours, paper = asdict(Rules()), asdict(PAPER_RULES)
    assert {k for k in ours if ours[k] != paper[k]} == {"perplexity"}
