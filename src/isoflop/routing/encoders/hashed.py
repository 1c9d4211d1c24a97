"""Encoder ``hashed``: words and character n-grams through a hash, with NumPy alone.

Each feature has a pseudo-random sign vector; a text is the sum over its features, each weighted by the
root of its count. It knows no meaning: two prompts are near where they share words or spelling.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np

from isoflop.routing.encoders.interface import EncoderId, Vectors, readable, settings_of, unit

VERSION = "1"
"""Raised whenever a text would get another vector."""
WORD = re.compile(r"\w+|[^\w\s]")
GRAMS = (3, 4)
SIGNS = 8
"""Places of the vector that one feature touches."""
MAX_CHARS = 6000
"""Head and tail of longer texts say as much of their kind, and cost less."""


class Hashed:
    """Hashed words, pairs of words and character n-grams in 256 dimensions.

    Parameters
    ----------
    max_chars : int or None
        Longest text read whole.
    """

    name = "hashed"
    width = 256
    weights_sha256 = ""

    def __init__(self, max_chars: int | None = MAX_CHARS) -> None:
        self.max_chars = max_chars
        self.version = VERSION + settings_of({"chars": (max_chars, MAX_CHARS)})

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
        return np.stack([self.encode_one(text) for text in texts])

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (256,)."""
        counts = Counter(features(readable(text, self.max_chars)))
        if not counts:
            return np.asarray(unit(np.zeros((1, self.width), dtype=np.float32))[0])
        seeds = np.fromiter((crc32(feature.encode()) for feature in counts), np.uint64, len(counts))
        weight = np.sqrt(np.fromiter(counts.values(), np.float64, len(counts)))
        turned = _mixed(seeds[:, None] + np.arange(SIGNS, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        place = (turned % np.uint64(self.width)).astype(np.int64)
        sign = np.where((turned >> np.uint64(63)).astype(bool), 1.0, -1.0)
        total = np.bincount(place.ravel(), (sign * weight[:, None]).ravel(), minlength=self.width)
        return np.asarray(unit(total[None].astype(np.float32))[0])

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts."""
        return self.max_chars is None or len(text) <= self.max_chars


def features(text: str) -> Iterator[str]:
    """Yield words, pairs of neighbouring words, and character n-grams within words.

    Examples
    --------
    >>> list(features("Sort it"))
    ['sort', 'it', 'sort it', '#sor', '#ort', '#sort']
    """
    words = WORD.findall(text.casefold())
    yield from words
    yield from (f"{one} {two}" for one, two in pairwise(words))
    for word in words:
        for size in GRAMS:
            yield from (f"#{word[i : i + size]}" for i in range(len(word) - size + 1))


def _mixed(
    x: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """Return the splitmix64 finaliser of each number."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
