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
SPACE = "▁"
SPECIAL = ("<s>", "</s>", "<unk>")
CHECKED = "4d243a4b2daee65802d68699e288b9347fd45097303dc232205a660a82b5171e"
"""Digest of the files for which a test tries every word of the vocabulary."""
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
        self._table, self._tokenizer, self.weights_sha256, held, self._words = _files()
        self.version = held + settings_of({"chars": (max_chars, MAX_CHARS)})

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, 256)."""
        if not texts:
            return np.zeros((0, self.width), dtype=np.float32)
        parts = [self._looked_up(readable(text, self.max_chars)) for text in texts]
        rest = self._tokenizer.encode_batch_fast([left for _, left in parts], add_special_tokens=False)
        return np.stack([self._mean(ids + one.ids) for (ids, _), one in zip(parts, rest, strict=True)])

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (256,)."""
        ids, left = self._looked_up(readable(text, self.max_chars))
        if left:
            ids += self._tokenizer.encode(left, add_special_tokens=False).ids
        return self._mean(ids)

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts."""
        return self.max_chars is None or len(text) <= self.max_chars

    def _looked_up(self, text: str) -> tuple[list[int], str]:
        """Return the tokens of words that are one token, and the text that is left to the tokenizer.

        No token of this vocabulary holds a space after something else, so words are cut apart one by one and
        their order does not matter to a mean.
        """
        if "  " in text or SPACE in text or text[:1] == " " or text[-1:] == " ":
            return [], text
        if "<" in text and any(mark in text for mark in SPECIAL):
            return [], text
        ids, left = [], []
        for word in text.split(" "):
            token = self._words.get(word)
            if token is None:
                left.append(word)
            else:
                ids.append(token)
        return ids, " ".join(left)

    def _mean(self, ids: Sequence[int]) -> Vectors:
        """Return the direction of the sum of token vectors: one product, where `mean` takes twice as long."""
        total = np.ones(len(ids), dtype=np.float32) @ self._table.take(ids, axis=0)
        squared = float(total @ total)
        if squared <= 0:
            return np.asarray(unit(total[None])[0])
        return np.asarray(total * np.float32(squared**-0.5), dtype=np.float32)


@cache
def _files() -> tuple[Vectors, Tokenizer, str, str, dict[str, int]]:
    """Return token table, tokenizer, digest of both files, the package's version, and one-token words."""
    from isoflop.errors import MissingExtraError

    found = find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "encoder static: its token table is in the package wordllama, which is not installed. "
            f"{INSTALL}, or use the encoder 'hashed'."
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
    table = np.ascontiguousarray(table, dtype=np.float32)
    return table, tokenizer, digest, version("wordllama"), words_of(tokenizer, digest == CHECKED)


def words_of(tokenizer: Tokenizer, checked: bool) -> dict[str, int]:
    """Return words that the tokenizer makes one token of.

    Parameters
    ----------
    tokenizer : Tokenizer
    checked : bool
        Whether every word of this vocabulary is known to become its own token; if not, all are tried.
    """
    vocabulary = tokenizer.get_vocab()
    if any(SPACE in token.lstrip(SPACE) for token in vocabulary):
        return {}
    words = {token[1:]: at for token, at in vocabulary.items() if token.count(SPACE) == 1 and len(token) > 1}
    if checked:
        return words
    tried = tokenizer.encode_batch_fast(list(words), add_special_tokens=False)
    return {word: at for (word, at), one in zip(words.items(), tried, strict=True) if one.ids == [at]}
