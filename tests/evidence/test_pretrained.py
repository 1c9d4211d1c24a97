"""The dictionary of published models: aliases that name what they should and nothing else."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import load
from isoflop.evidence.pretrained import (
    DEVELOPER_TYPES,
    ENGLISH,
    PretrainedModel,
    alternatives,
    dictionary,
    mentions,
)

MODELS = dictionary(load("pretrained_models"))
PLAIN = (
    "The falcon dives while we whisper to a llama under a flamingo in bloom.",
    "We clip gradients, opt for a stable diffusion process in plasma, and command the robot.",
    "Bayesian additive regression trees (BART) estimate treatment effects.",
    "Gemma and Ernie travel to Pythia; the mistral blows; Bert and Alan Turing are men.",
    "Sharpness-aware minimization (SAM) and phi-2 features at position T5 of the spine.",
    "An apollo mission and a mamba in the galactica series; grok the paper; an olympus camera.",
    "Yi et al. (2019) use an octopus arm; Orca whales; Zephyr winds; the Aya river; BLOOM filters.",
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We fine-tune RoBERTa-large and BERT-base.", {"RoBERTa", "BERT"}),
        ("GPT-2 XL, GPT-3 and GPT-4", {"GPT-2", "GPT-3", "GPT-4"}),
        ("LLaMA-7B and Llama-2-13B-chat", {"LLaMA", "Llama 2"}),
        ("Llama 3.1 405B", {"Llama 3.1"}),
        ("Meta's Llama 3 8B", {"Llama 3"}),
        ("Code Llama", {"Code Llama"}),
        ("Qwen2.5-Coder and Qwen2-VL", {"Qwen2.5", "Qwen2"}),
        ("Qwen-VL", {"Qwen"}),
        ("Whisper-large-v3 and OpenAI's Whisper", {"Whisper"}),
        ("Mistral-7B-Instruct and Mixtral 8x7B", {"Mistral 7B", "Mixtral"}),
        ("the Segment Anything Model (SAM)", {"Segment Anything"}),
        ("DeepSeek-R1 distilled into Qwen2.5", {"DeepSeek-R1", "Qwen2.5"}),
        ("we evaluate OPT-175B, BLOOM-176B and Falcon-40B", {"OPT", "BLOOM", "Falcon"}),
        ("BERT, BART and T5", {"BERT", "BART", "T5"}),
        ("Gemma 2 9B", {"Gemma 2"}),
        ("Gemma-2B", {"Gemma"}),
        ("AlphaFold2 structures", {"AlphaFold 2"}),
    ],
)
def test_texts_name_the_models_a_reader_sees(text: str, names: set[str]) -> None:
    assert set(mentions(text, MODELS)) >= names
    assert not set(mentions(text, MODELS)) - names - {"CLIP"}


@pytest.mark.parametrize("text", PLAIN)
def test_plain_english_names_no_model(text: str) -> None:
    assert mentions(text, MODELS) == ()


@given(st.lists(st.sampled_from(sorted(ENGLISH)), min_size=1, max_size=12), st.booleans())
def test_words_that_name_models_say_nothing_alone(words: list[str], capitals: bool) -> None:
    text = ", ".join(word.capitalize() if capitals else word for word in words)
    assert mentions(text, MODELS) == ()


@given(st.sampled_from([m for m in MODELS if m.pattern.search(m.name)]), st.sampled_from("xQ7"))
def test_a_name_inside_a_longer_word_is_not_it(model: PretrainedModel, letter: str) -> None:
    assert model.is_named_in(f"({model.name}).")
    assert not model.is_named_in(f"{letter}{model.name}")


def test_there_are_enough_models_each_with_a_sourced_date() -> None:
    frame = load("pretrained_models").frame
    assert frame["family"].n_unique() >= 60
    assert set(frame["developer_type"]) == set(DEVELOPER_TYPES)
    assert frame["source"].null_count() == 0
    assert frame["release_date"].min() <= dt.date(2018, 10, 11)  # type: ignore[operator]
    assert frame["release_date"].max() >= dt.date(2025, 1, 1)  # type: ignore[operator]
    closed = {m.name for m in MODELS if not m.is_open_weights}
    assert closed >= {"GPT-3", "GPT-4", "PaLM", "Gemini"}
    assert not closed & {"BERT", "CLIP", "Llama 2", "Whisper", "Qwen2.5"}


def test_every_alias_names_its_own_model() -> None:
    silent = [m.name for m in MODELS if not any(m.pattern.search(t) for t in (m.name, f"{m.name} models"))]
    needs_context = {"T5", "BART", "ViT", "DINO", "Codex", "OPT", "BLOOM", "T0", "Falcon", "MPT", "Zephyr"}
    assert set(silent) <= needs_context | {"Phi", "Yi", "CodeGen", "Alpaca", "Gemini", "DeepSeek LLM"}


@pytest.mark.parametrize(
    ("alias", "message"),
    [
        ("whisper", "English word"),
        ("LLaMA|Falcon", "'Falcon'|Falcon, must not be an English word"),
        ("(BERT", "regular expression"),
        ("BERT|", "empty text"),
    ],
)
def test_aliases_that_would_match_too_much_are_refused(alias: str, message: str) -> None:
    row = {"name": "M", "aliases": alias, "family": "M", "developer": "D", "developer_type": "industry",
           "release_date": "2020-01-01", "is_open_weights": "1"}  # fmt: skip
    with pytest.raises(EvidenceError, match=message):
        load(pl.DataFrame({name: [cell] for name, cell in row.items()}), schema="pretrained_models")


def test_brackets_keep_alternatives_together() -> None:
    assert alternatives("a(?:b|c)|d[|]e|f") == ("a(?:b|c)", "d[|]e", "f")


def test_another_table_is_no_dictionary() -> None:
    with pytest.raises(EvidenceError, match="needs pretrained_models"):
        dictionary(load("hardware_facts"))


def test_a_model_exists_from_its_release() -> None:
    bert = next(m for m in MODELS if m.name == "BERT")
    assert (bert.existed(dt.date(2018, 10, 10)), bert.existed(dt.date(2018, 10, 11))) == (False, True)


@pytest.mark.slow
@pytest.mark.public_data
def test_titles_before_2018_hardly_ever_name_a_model(public_data: Path) -> None:
    with gzip.open(public_data / "divide" / "ml_papers_2013_2018.csv.gz", "rt", encoding="utf-8") as file:
        titles = pl.read_csv(file.read().encode(), infer_schema=False).filter(pl.col("year") < "2018")[
            "title"
        ]
    text = "\n".join(title for title in titles if title)
    found = {m.name: len(m.pattern.findall(text)) for m in MODELS}
    assert sum(found.values()) <= 2, {name: n for name, n in found.items() if n}
