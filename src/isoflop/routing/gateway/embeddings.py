"""Answers to embeddings, kept by hash of the request: the same text has the same vector."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from isoflop.routing.gateway.targets import RawHeaders

MAX_BYTES: Final = 256 * 1024
"""Longer answers (batches of many texts) are not kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it came from the upstream."""

    model: str
    headers: RawHeaders
    body: bytes


class EmbeddingCache:
    """The most recently used answers.

    Parameters
    ----------
    entries : int
        0 keeps none.

    Examples
    --------
    >>> cache = EmbeddingCache(1)
    >>> for body in (b"one", b"two"):
    ...     cache.keep(cache.key(body), Kept("m", (), b"[]"))
    >>> cache.find(cache.key(b"one")) is None, len(cache)
    (True, 1)
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @staticmethod
    def key(body: bytes) -> bytes:
        """Return the hash of a request, every byte of it counted."""
        return blake2b(body, digest_size=16).digest()

    def find(self, key: bytes) -> Kept | None:
        """Return a kept answer, or None."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: bytes, answer: Kept) -> None:
        """Keep an answer, and forget the least recently used beyond the limit."""
        if self._entries and len(answer.body) <= MAX_BYTES:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
