"""Encoder ``static``: the mean of a token table, from files inside the installed ``wordllama`` wheel.

Weights and tokenizer are read directly: the package's own loader looks elsewhere first and then asks the
network. The table is made from English text; other languages, code and rare words are placed poorly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoflop.routing.encoders.interface import EncoderId, Vectors, shortened, unit

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
INSTALL = "pip install 'isoflop[routing]'"


class Static:
    """Mean of 256-dimensional token vectors, of unit length.

    Parameters
    ----------
    max_chars : int or None
        Longest text read whole; default: every text.

    Raises
    ------
    MissingExtraError
        The package that holds the table is not installed.
    """

    name = "static"
    width = 256

    def __init__(self, max_chars: int | None = None) -> None:
        self.max_chars = max_chars
        self._table, self._tokenizer, self.weights_sha256, self.version = _files()

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, 256)."""
        short = [shortened(text, self.max_chars) for text in texts]
        tokens = self._tokenizer.encode_batch_fast(short, add_special_tokens=False)
        sums = np.zeros((len(short), self.width), dtype=np.float32)
        for row, one in enumerate(tokens):
            if one.ids:
                sums[row] = self._table[one.ids].mean(axis=0)
        return unit(sums)

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (256,)."""
        ids = self._tokenizer.encode(shortened(text, self.max_chars), add_special_tokens=False).ids
        if not ids:
            return np.asarray(unit(np.zeros((1, self.width), dtype=np.float32))[0])
        mean = self._table.take(ids, axis=0).mean(axis=0)
        length = float(np.sqrt(mean @ mean))
        return np.asarray(unit(mean[None])[0] if length == 0 else mean / np.float32(length))


@cache
def _files() -> tuple[Vectors, Tokenizer, str, str]:
    """Return token table, tokenizer, digest of both files and the package's version, read once."""
    from isoflop.errors import MissingExtraError

    found = find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "encoder static: its token table is in the package wordllama, which is not installed. "
            f"{INSTALL}, or "
            "use the encoder 'hashed'."
        )
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    folder = Path(next(iter(found.submodule_search_locations)))
    weights, words = (folder / WEIGHTS).read_bytes(), (folder / TOKENIZER).read_bytes()
    (table,) = load(weights).values()
    tokenizer = Tokenizer.from_str(words.decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    digest = hashlib.sha256(weights + words).hexdigest()
    return np.ascontiguousarray(table, dtype=np.float32), tokenizer, digest, version("wordllama")
