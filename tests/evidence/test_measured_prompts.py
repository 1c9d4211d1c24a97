"""The project's own prompts and answers: remade from their seed, checked by the stated rule, whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.routing_measurement.checkers import is_right
from examples.routing_measurement.items import Item, Question
from examples.routing_measurement.models.calculator import load as load_calculator
from examples.routing_measurement.pool import POOL
from examples.routing_measurement.prompts import FAMILIES, PER_FAMILY, measured_items, training_items
from examples.routing_measurement.tables import spread
from isoflop.errors import EvidenceError
from isoflop.evidence import load
from isoflop.evidence.prompt_vectors import digest, measured_vectors, read_vectors, write_vectors

ITEMS = measured_items()
NUMBER = Question(prompt="", answer="12", kind="number")
LIST = Question(prompt="", answer="ant, bee, cat", kind="list")
CHOICE = Question(prompt="", answer="yes", kind="choice", choices=("yes", "no"))
TEXT = Question(prompt="", answer="Paris", kind="text")
HALF_PRECISION = 2.0**-10


def test_the_shipped_prompts_are_those_that_the_seed_gives() -> None:
    shipped = load("measured_prompts").frame
    assert shipped["prompt"].to_list() == [item.question.prompt for item in ITEMS]
    assert shipped["instance_id"].to_list() == [item.instance_id for item in ITEMS]
    assert shipped["dataset"].to_list() == [item.family for item in ITEMS]


def test_every_family_has_as_many_prompts_and_no_prompt_twice() -> None:
    assert [sum(item.family == family.name for item in ITEMS) for family in FAMILIES] == [PER_FAMILY] * 15
    assert len({item.question.prompt.casefold() for item in ITEMS}) == len(ITEMS) == 540


def test_every_model_has_one_score_for_every_prompt() -> None:
    scores = load("measured_model_scores").frame
    assert (
        set(scores["model"]) == {model.name for model in POOL} == set(load("measured_models").frame["model"])
    )
    assert scores.select("instance_id", "model").unique().height == scores.height == 540 * len(POOL)
    assert set(scores["score"]) == {0.0, 1.0}
    assert scores.select(pl.col("tokens_in", "tokens_out").min() > 0).row(0) == (True, True)


def test_no_model_is_best_in_every_family_and_several_lead_in_some() -> None:
    means = load("measured_model_scores").frame.group_by("dataset", "model").agg(pl.col("score").mean())
    best = means.sort("score", descending=True).group_by("dataset", maintain_order=True).first()
    assert best["model"].n_unique() >= 4
    assert best["score"].min() > 0.0
    assert means["score"].max() > means["score"].median() > means["score"].min()


def test_the_spread_in_the_docs_is_that_of_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "routing_measurement.md"
    assert spread(load("measured_model_scores").frame.to_dicts()) in page.read_text(encoding="utf-8")


def test_no_training_item_is_a_measured_prompt() -> None:
    asked = {item.question.prompt for item in ITEMS}
    assert asked.isdisjoint(item.question.prompt for item in training_items(60))


def test_what_a_family_keeps_back_is_never_asked_in_training() -> None:
    held = {item.question.key for item in ITEMS if item.family in {"sentiment", "topics"}}
    assert held.isdisjoint(item.question.key for item in training_items(60))


@pytest.mark.parametrize("item", ITEMS[::9], ids=lambda item: item.instance_id)
def test_the_reference_answer_is_right_and_another_is_not(item: Item) -> None:
    question = item.question
    assert is_right(question, f" {question.answer}.\n\nThat is why.")
    assert is_right(question, f"Answer: {question.answer.upper()}")
    assert not is_right(question, "")
    assert not is_right(question, "no idea 987654321")


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        (NUMBER, "7 + 5 = 12", True),
        (NUMBER, "12 apples, not 13", True),
        (NUMBER, "1,200", False),
        (NUMBER, "12.0", True),
        (NUMBER, "-12", False),
        (NUMBER, "twelve", False),
        (CHOICE, "Yes, it is.", True),
        (CHOICE, "yes or no", False),
        (CHOICE, "yesterday", False),
        (TEXT, "The capital of France is Paris.", True),
        (TEXT, "Paris is not it: Rome", False),
        (LIST, "[ant, bee, and cat]", True),
        (LIST, "ant bee cat", True),
        (LIST, "The words in order are: ant, bee and cat.", True),
        (LIST, "dog, ant, bee, cat", False),
        (LIST, "cat, bee, ant", False),
        (LIST, "ant, bee", False),
    ],
)
def test_the_answer_is_taken_out_of_its_sentence(question: Question, answer: str, right: bool) -> None:
    assert is_right(question, answer) is right


@settings(max_examples=30, deadline=None)
@given(st.integers(-999, 999), st.integers(1, 99), st.integers(0, 99))
def test_the_calculator_agrees_with_python(a: int, b: int, c: int) -> None:
    answer = load_calculator()
    assert answer(f"What is {a} - {b} * {c}?").text == str(a - b * c)
    assert answer(f"print({a * b} / {b})").text == str(a)


def test_the_vectors_are_of_these_prompts_and_of_unit_length() -> None:
    shipped = measured_vectors()
    vectors = shipped.of([item.question.prompt for item in ITEMS])
    assert vectors.shape == (540, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert (shipped.encoder, len(shipped.weights_sha256)) == ("static", 64)


@pytest.mark.slow
@pytest.mark.ci
def test_the_vectors_are_what_the_encoder_gives_today() -> None:
    pytest.importorskip("wordllama")
    from isoflop.routing.encoders import encoder_of

    encoder, shipped = encoder_of("static"), measured_vectors()
    assert (encoder.version, encoder.weights_sha256) == (shipped.version, shipped.weights_sha256)
    made = encoder.encode([item.question.prompt for item in ITEMS])
    np.testing.assert_allclose(shipped.vectors, made, atol=HALF_PRECISION)


def test_vectors_of_other_prompts_are_refused() -> None:
    with pytest.raises(EvidenceError, match="made for 540 other prompts than the 1 given"):
        measured_vectors().of(["something else"])


def test_a_spoilt_file_of_vectors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    names = {"encoder": "static", "version": "1", "weights_sha256": "ab"}
    write_vectors(path, np.eye(2, 3, dtype=np.float32), prompts=["a", "b"], **names)
    assert read_vectors(path.read_bytes(), path.name).prompts_sha256 == digest(["a", "b"])
    for content in (b"", path.read_bytes()[:100], b"PK\x03\x04" + b"0" * 50):
        with pytest.raises(EvidenceError, match=r"vectors\.npz: no file of prompt vectors"):
            read_vectors(content, path.name)
    write_vectors(path, np.zeros((2, 3), dtype=np.float32), prompts=["a", "b"], **names)
    with pytest.raises(EvidenceError, match="needs non-zero rows"):
        read_vectors(path.read_bytes(), path.name)
