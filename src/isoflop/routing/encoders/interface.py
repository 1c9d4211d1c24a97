"""What an encoder is: text to unit vectors, and an identity that tells two of them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
HASH_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderId:
    """Name, version, width and weights of an encoder: vectors of two different ones do not mix.

    Examples
    --------
    >>> str(EncoderId(name="static", version="1", width=256, weights_sha256="a1b2c3"))
    'static-256@a1b2'
    """

    name: str
    version: str
    width: int
    weights_sha256: str

    def __str__(self) -> str:
        bare, plus, settings = self.version.partition("+")
        return f"{self.name}-{self.width}@{self.weights_sha256[:HASH_DIGITS] or bare}{plus}{settings}"


class Encoder(Protocol):
    """Turns texts into unit vectors; the same text always gives the same one."""

    @property
    def name(self) -> str:
        """Name in `ENCODERS`."""

    @property
    def version(self) -> str:
        """Version of package and method."""

    @property
    def width(self) -> int:
        """Length of a vector."""

    @property
    def weights_sha256(self) -> str:
        """Digest of the weights; of the settings where there are none."""

    @property
    def max_chars(self) -> int | None:
        """Longest text that is read whole; of longer ones, head and tail are read."""

    @property
    def id(self) -> EncoderId:
        """Identity."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, width); an empty text gets a fixed one."""

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (width,), the same as `encode` gives."""

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts; of longer ones, only parts do."""


def unit(vectors: Vectors) -> Vectors:
    """Return rows of unit length; a zero row becomes the first axis, so that every text has a place.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [1.0, 0.0]]
    """
    vectors = np.array(vectors, dtype=np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    blank = length == 0
    vectors[blank, 0] = 1.0
    length[blank] = 1.0
    return np.asarray(vectors / length[:, None], dtype=np.float32)


def readable(text: str, max_chars: int | None) -> str:
    """Return the text as `shortened`, with halves of broken character pairs replaced by a question mark.

    JSON can carry such halves, and no tokenizer takes them.

    Examples
    --------
    >>> readable("a\\ud800b", None)
    'a?b'
    """
    short = shortened(text, max_chars)
    return short if short.isascii() else short.encode("utf-8", "replace").decode()


def shortened(text: str, max_chars: int | None) -> str:
    """Return the text, or its first two thirds and last third of `max_chars` characters.

    Examples
    --------
    >>> shortened("abcdefghi", 6)
    'abcd\\nhi'
    """
    if max_chars is None or len(text) <= max_chars:
        return text
    head = max_chars * 2 // 3
    return f"{text[:head]}\n{text[len(text) - (max_chars - head) :]}"


def settings_of(settings: Mapping[str, tuple[object, object]]) -> str:
    """Return what a version says of settings that change vectors: nothing where all are the defaults.

    Parameters
    ----------
    settings : mapping of str to (value, default)

    Examples
    --------
    >>> settings_of({"chars": (None, 600), "tokens": (256, 256)})
    '+chars=all'
    """
    said = [
        f"{name}={'all' if value is None else value}"
        for name, (value, default) in settings.items()
        if value != default
    ]
    return "+" + ",".join(said) if said else ""
