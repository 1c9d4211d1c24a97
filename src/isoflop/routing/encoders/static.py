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

from isoflop.routing.encoders.interface import EncoderId, Vectors, readable, settings_of, unit

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
INSTALL = "pip install 'isoflop[routing]'"
MAX_CHARS = 12_000
"""More than twice the longest prompt of the four public collections (4,868 characters); head and tail of a
megabyte then take milliseconds, not the second that its tokens would."""


class Static:
    """Mean of 256-dimensional token vectors, of unit length.

    Parameters
    ----------
    max_chars : int or None
        Longest text read whole; of longer ones, head and tail. None reads everything.

    Raises
    ------
    MissingExtraError
        The package that holds the table is not installed.

    Examples
    --------
    >>> animals, sums = Static().encode(["A cat and a dog.", "What is 12 + 30?"])
    >>> near = Static().encode_one("Is a wolf like a dog?")
    >>> bool(near @ animals > near @ sums)
    True
    """

    name = "static"
    width = 256

    def __init__(self, max_chars: int | None = MAX_CHARS) -> None:
        self.max_chars = max_chars
        self._table, self._tokenizer, self.weights_sha256, held = _files()
        self.version = held + settings_of({"chars": (max_chars, MAX_CHARS)})

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, 256)."""
        short = [readable(text, self.max_chars) for text in texts]
        tokens = self._tokenizer.encode_batch_fast(short, add_special_tokens=False)
        if not tokens:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.stack([self._mean(one.ids) for one in tokens])

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (256,)."""
        short = readable(text, self.max_chars)
        return self._mean(self._tokenizer.encode(short, add_special_tokens=False).ids)

    def _mean(self, ids: Sequence[int]) -> Vectors:
        """Return the direction of the sum of token vectors: one product, where `mean` takes twice as long."""
        total = np.ones(len(ids), dtype=np.float32) @ self._table.take(ids, axis=0)
        squared = float(total @ total)
        if squared <= 0:
            return np.asarray(unit(total[None])[0])
        return np.asarray(total * np.float32(squared**-0.5), dtype=np.float32)


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
