"""Results are cleaned in the stated order, nothing is lost silently, and names or order do not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import Table, load, read_prompt_scores
from isoflop.routing import join
from isoflop.routing.chapter.evidence import dataset_rows, evidence_section
from isoflop.routing.data_checks import data_checks
from isoflop.routing.sample import ScoredPrompts, near_duplicates
from tests.routing.made_scores import made, planted


def tables(rows: list[dict[str, object]], texts: list[dict[str, object]]) -> tuple[Table, Table]:
    return (
        load(pl.DataFrame(rows, infer_schema_length=None), schema="model_scores_by_prompt", name="s"),
        load(pl.DataFrame(texts, infer_schema_length=None), schema="prompts", name="p"),
    )


def complete(
    n: int = 3, models: int = 2, **more: object
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    rows: list[dict[str, object]] = [
        {"dataset": "d", "instance_id": str(at), "model": f"m{m}", "score": float((at + m) % 2)} | more
        for at in range(n)
        for m in range(models)
    ]
    return rows, [{"dataset": "d", "instance_id": str(at), "prompt": f"text {at}"} for at in range(n)]


def dropped(scored: ScoredPrompts) -> dict[str, int]:
    return {step.rule: step.dropped for step in scored.steps}


def test_each_rule_drops_what_it_should_and_names_it() -> None:
    rows, texts = complete(40)
    rows[0]["score"] = None
    texts[1]["prompt"] = "  "
    rows.append(dict(rows[9]))
    rows.append({"dataset": "d", "instance_id": "999", "model": "m0", "score": 1.0})
    texts.append({"dataset": "e", "instance_id": "1", "prompt": "nobody answered"})
    scored = join(*tables(rows, texts))
    assert dropped(scored) == {
        "a score is given": 1,
        "the prompt has a text": 1,
        "each answer once": 1,
        "the prompt of a score is known": 3,
        "the prompt has a score": 1,
    }
    assert scored.steps[0].rows == ("row 1 (m0)",)
    assert scored.steps[-1].rows == ("e: 1 rows",)
    assert scored.n == 39
    assert np.isnan(scored.score[0, 0])
    assert sum(row["dropped"] for row in scored.waterfall()) == 7


def test_a_missing_score_is_never_zero() -> None:
    rows, texts = complete(100)
    gone = [row for row in rows if not (row["model"] == "m1" and int(str(row["instance_id"])) < 3)]
    scored = join(*tables(gone, texts))
    assert np.isnan(scored.score).sum() == np.isnan(scored.correct).sum() == 3
    assert scored.accuracy[0, 1] == pytest.approx(np.mean([(at + 1) % 2 for at in range(3, 100)]))


def test_a_model_that_lacks_much_of_a_dataset_has_no_score_there_and_stays() -> None:
    dataset = np.repeat([0, 1], 40)
    score = np.random.default_rng(0).random((80, 3))
    score[:4, 1] = np.nan
    score[40:42, 2] = np.nan
    scored = made(score, dataset)
    assert np.isnan(scored.accuracy).tolist() == [[False, True, False], [False, False, False]]
    assert scored.steps[-1].rows == ("m01 on d00: 36 of 40 prompts",)
    assert any("mean scores are missing" in caution for caution in scored.cautions)
    assert np.isnan(scored.score[:40, 1]).all()


def test_models_and_prompts_without_any_score_left_are_taken_out() -> None:
    score = np.random.default_rng(0).random((60, 3))
    score[np.arange(60), np.arange(60) % 2] = np.nan
    scored = made(score, np.repeat([0, 1], 30))
    assert scored.models == ("m02",)
    assert scored.steps[-1].rows == ("m00", "m01")
    score[:, 2] = np.where(np.arange(60) % 3 == 0, score[:, 2], np.nan)
    with pytest.raises(EvidenceError, match="no model has scores on 95 %"):
        made(score, np.repeat([0, 1], 30))


def test_correct_is_strict_where_a_judge_compares_with_a_reference() -> None:
    rows, texts = complete(2)
    for row in rows:
        row["score"] = 0.5
    assert join(*tables(rows, texts)).correct.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    for row in rows:
        row["reference_is_model"] = True
    judged = join(*tables(rows, texts))
    assert judged.correct.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert any("judge's preference" in caution for caution in judged.cautions)
    for row in rows:
        row["correct"] = 1
    assert join(*tables(rows, texts)).correct.min() == 1.0


def test_repeated_answers_with_counts_are_averaged_by_count() -> None:
    rows, texts = complete(2, n_samples=1.0)
    rows.append(rows[0] | {"score": 1.0, "n_samples": 3.0})
    scored = join(*tables(rows, texts))
    assert scored.score[0, 0] == 0.75
    assert scored.extras["n_samples"][0, 0] == 4.0


def test_one_identifier_with_two_texts_is_refused() -> None:
    rows, texts = complete(2)
    with pytest.raises(EvidenceError, match=r"1 prompts have several texts, e\.g\. '0' of 'd'"):
        join(*tables(rows, [*texts, texts[0] | {"prompt": "another"}]))
    assert join(*tables(rows, [*texts, texts[0]])).n == 2


def test_prompts_that_name_other_datasets_are_refused_with_both_names() -> None:
    rows, texts = complete(2)
    with pytest.raises(EvidenceError, match=r"scores name e\.g\. d/0, prompts D/0"):
        join(*tables(rows, [text | {"dataset": "D"} for text in texts]))


def test_prompts_without_any_text_are_refused() -> None:
    rows, texts = complete(2)
    with pytest.raises(EvidenceError, match="no prompt has a text"):
        join(*tables(rows, [text | {"prompt": ""} for text in texts]))


def test_several_sources_need_a_name_and_a_wrong_one_gets_the_closest() -> None:
    rows, texts = complete(2)
    both = [row | {"source": name} for row in rows for name in ("gold", "iron")]
    texts = [text | {"source": name} for text in texts for name in ("gold", "iron")]
    with pytest.raises(EvidenceError, match="--source gold"):
        join(*tables(both, texts))
    with pytest.raises(EvidenceError, match="Did you mean iron"):
        join(*tables(both, texts), source="irn")
    assert join(*tables(both, texts), source="iron").n == 2


def test_given_groups_and_equal_texts_both_hold_prompts_together() -> None:
    rows, texts = complete(4)
    for text, group in zip(texts, ("g", None, "g", None), strict=True):
        text["group"] = group
    texts[3]["prompt"] = " TEXT　1"
    assert join(*tables(rows, texts)).group.tolist() == [0, 1, 0, 1]


def test_vectors_add_near_duplicates() -> None:
    scored = made(np.ones((4, 2)), np.array([0, 0, 1, 1]))
    vectors = np.eye(4, dtype=np.float32)
    vectors[3] = vectors[0]
    assert near_duplicates(scored, vectors).group.tolist() == [0, 1, 2, 0]
    with pytest.raises(EvidenceError, match=r"vectors \(3, 4\) but 4 prompts"):
        near_duplicates(scored, vectors[:3])


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, texts = complete(8, 3)
    rows = [row for row in rows if rng.random() < 0.97] or rows
    turned = [rows[at] for at in rng.permutation(len(rows))]
    one, other = join(*tables(rows, texts), lacking=1.0), join(*tables(turned, texts), lacking=1.0)
    assert one.instance_ids == other.instance_ids
    np.testing.assert_array_equal(one.score, other.score)
    np.testing.assert_array_equal(one.correct, other.correct)


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_every_score_lands_in_its_own_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.random((12, 4))
    scored = made(score, np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(scored.score, score)
    np.testing.assert_array_equal(scored.correct, (score >= 0.5).astype(float))


def test_unused_levels_of_categorical_columns_do_no_harm() -> None:
    rows, texts = complete(3)
    levels = pl.Enum(["m0", "m1", "never", "used"])
    frame = pl.DataFrame(rows).with_columns(
        pl.col("model").cast(levels), pl.col("dataset").cast(pl.Categorical)
    )
    scored = join(load(frame, schema="model_scores_by_prompt", name="s"), tables(rows, texts)[1])
    assert scored.models == ("m0", "m1")


# ----------------------------------------------------------------------------------- checks


def found(scored: ScoredPrompts, name: str) -> tuple[int, tuple[str, ...]]:
    check = next(check for check in data_checks(scored) if check.id == name)
    return check.found, check.where


def test_nothing_doubtful_is_found_in_clean_results() -> None:
    accuracy = np.random.default_rng(0).uniform(0.3, 0.8, (10, 4))
    loud = [check.id for check in data_checks(planted(accuracy, 60)) if check.caution]
    assert loud == ["single_samples"]


def test_planted_faults_are_found_and_named() -> None:
    rng = np.random.default_rng(0)
    dataset = np.repeat([0, 1, 2], [300, 60, 20])
    score = (rng.random((380, 6)) < 0.6).astype(float)
    score[:, 3] = score[:, 0]
    score[:, 4] = 0.5
    score[:, 5] = 1.0
    texts = [f"prompt {at}" for at in range(380)]
    texts[310:316] = texts[:6]
    texts[7] = texts[8].upper()
    scored = made(score, dataset, texts)
    assert found(scored, "few_datasets") == (1, ("3 datasets",))
    assert found(scored, "large_dataset") == (1, ("d00",))
    assert found(scored, "small_datasets") == (1, ("d02",))
    assert found(scored, "duplicates")[0] == 7
    assert found(scored, "leakage") == (12, ("d00", "d01"))
    assert found(scored, "twin_models") == (1, ("m03 = m00",))
    assert found(scored, "reference_model") == (1, ("m04",))
    assert found(scored, "constant_models") == (1, ("m05",))
    assert sum("Set reference_is_model" in caution for caution in scored.cautions) == 1


def test_a_score_near_zero_is_doubtful_only_beside_a_good_one() -> None:
    accuracy = np.full((8, 3), 0.6)
    accuracy[0] = (0.0, 0.7, 0.6)
    accuracy[1] = 0.0
    count, where = found(planted(accuracy, 80), "near_zero")
    assert (count, where) == (1, ("m00 on d00 (0.000)",))


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_says_what_was_used_and_draws_every_cell() -> None:
    accuracy = np.random.default_rng(1).uniform(0.2, 0.9, (4, 3))
    scored = planted(accuracy, 30)
    section = evidence_section(scored)
    assert "**120 prompts** of **4 datasets**" in section.prose[0]
    assert section.figures[0].frame.height == 12
    assert section.figures[0].chart().to_dict()
    rows = {row["dataset"]: row for row in dataset_rows(scored)}
    best = int(np.argmax(scored.accuracy[2]))
    assert rows["d02"]["best_model"] == scored.models[best]
    assert list(section.blocks())


# ------------------------------------------------------------------------------ public tables

COUNTS = {
    "llmrouter": (5989, 14, 9, 0.4185, 0.6651),
    "routellm": (15361, 58, 2, 0.7398, 0.8003),
    "predictaboard": (5761, 24, 39, 0.6092, 0.7663),
    "alpacaeval2": (805, 5, 57, None, None),
}


@pytest.mark.public_data
def test_public_results_have_the_counts_that_their_description_states(public_data: Path) -> None:
    scores, prompts = read_prompt_scores(public_data / "routing")
    assert (scores.frame.height, prompts.frame.height) == (355_177, 27_916)
    joined = {name: join(scores, prompts, source=name) for name in COUNTS}
    for name, (n, datasets, models, random, oracle) in COUNTS.items():
        mine = joined[name]
        assert (mine.n, len(mine.datasets), len(mine.models)) == (n, datasets, models)
        if random is not None:
            assert mine.accuracy.mean() == pytest.approx(random, abs=5e-5)
            assert mine.accuracy.max(axis=1).mean() == pytest.approx(oracle, abs=5e-5)
    assert found(joined["llmrouter"], "near_zero")[0] == 10
    assert np.isnan(joined["alpacaeval2"].score).sum() == 10
    assert np.unique(joined["routellm"].group).size == 15_361 - 105
    assert found(joined["alpacaeval2"], "reference_model")[0] == 1
