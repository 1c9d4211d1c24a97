"""Makers of inputs: named domains, the same numbers on every computer.

Numbers come from the raw stream of PCG64 as fractions in [0, 1) and pass through exact or correctly rounded
steps alone: no logarithm, no linear algebra whose last bit depends on a library. A maker sees the shape that
the recipe states and gives the array in float64, complex128, int32, uint32 or bool; the caller narrows it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

GENERATOR = 1
"""Version of the makers; part of every sample id. Raise it when a number that a maker gives changes."""
Family = Literal["main", "complex", "int32", "uint32", "bool"]
"""Of which dtype an input is: that of the item, its complex partner, or its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """One domain of inputs.

    Parameters
    ----------
    family : str
    make : callable
        ``make(stream, shape, **options)`` gives the array.
    doc : str
    """

    family: Family
    make: Callable[..., NDArray[Any]]
    doc: str


class Stream:
    """Fractions in [0, 1), drawn from the raw words of PCG64.

    Examples
    --------
    >>> Stream("a", 0).fractions((2,)).tolist() == Stream("a", 0).fractions((2,)).tolist()
    True
    """

    def __init__(self, *parts: object) -> None:
        seed = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
        self._words = np.random.PCG64(int.from_bytes(seed[:16], "little"))

    def fractions(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return independent uniform numbers in [0, 1)."""
        size = math.prod(shape)
        words = np.atleast_1d(self._words.random_raw(size)) if size else np.empty(0, dtype=np.uint64)
        return ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)

    def below(self, shape: tuple[int, ...], bound: int) -> NDArray[np.int64]:
        """Return independent whole numbers in [0, bound)."""
        return np.floor(self.fractions(shape) * bound).astype(np.int64)

    def order(self, n: int) -> NDArray[np.int64]:
        """Return a random order of n things."""
        return np.argsort(self.fractions((n,)), kind="stable")


def _between(stream: Stream, shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float64]:
    return low + (high - low) * stream.fractions(shape)


def _interval(low: float, high: float) -> Callable[..., NDArray[Any]]:
    def make(stream: Stream, shape: tuple[int, ...], *, low: float = low, high: float = high) -> NDArray[Any]:
        return _between(stream, shape, low, high)

    return make


def _distinct(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    size = math.prod(shape)
    return ((stream.order(size) - size // 2) / 8.0).reshape(shape)


def _increasing(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    steps = 0.125 + stream.below(shape, 8) / 8.0
    return np.asarray(np.cumsum(steps, axis=-1) - 2.0)


def _simplex(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    parts = 1.0 + stream.below(shape, 64)
    return np.asarray(parts / np.sum(parts, axis=-1, keepdims=True))


def _eighths(stream: Stream, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return (stream.below(shape, 33) - 16) / 8.0


def _regular(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.asarray(_eighths(stream, shape)) + 2.0 * math.sqrt(shape[-1]) * np.eye(shape[-1])


def _symmetric(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    half = _eighths(stream, shape)
    return half + np.swapaxes(half, -1, -2)


def _positive_definite(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    # Whole eighths: sums of products are exact, whatever the order in which a library adds them.
    half = _eighths(stream, shape)
    return half @ np.swapaxes(half, -1, -2) / shape[-1] + np.eye(shape[-1])


def _lower(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.tril(_eighths(stream, shape), -1) / shape[-1] + np.eye(shape[-1]) * (
        1.0 + stream.below((*shape[:-1], 1), 8) / 8.0
    )


def _complex(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return _between(stream, shape, -2.0, 2.0) + 1j * _between(stream, shape, -2.0, 2.0)


def _index(stream: Stream, shape: tuple[int, ...], *, below: int, low: int = 0) -> NDArray[Any]:
    return (low + stream.below(shape, below - low)).astype(np.int32)


def _ordered_index(stream: Stream, shape: tuple[int, ...], *, below: int) -> NDArray[Any]:
    return np.sort(stream.below(shape, below), axis=-1).astype(np.int32)


def _order(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return stream.order(math.prod(shape)).reshape(shape).astype(np.int32)


def _words(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return stream.below(shape, 2**32).astype(np.uint32)


def _truth(stream: Stream, shape: tuple[int, ...]) -> NDArray[Any]:
    return stream.fractions(shape) < 0.5


MAKERS: dict[str, Maker] = {
    "x": Maker(family="main", make=_interval(-2.0, 2.0), doc="uniform between `low` and `high`, -2 and 2"),
    "pos": Maker(family="main", make=_interval(0.1, 2.0), doc="above 0"),
    "unit": Maker(family="main", make=_interval(-0.9, 0.9), doc="within (-1, 1)"),
    "prob": Maker(family="main", make=_interval(0.05, 0.95), doc="within (0, 1)"),
    "over1": Maker(family="main", make=_interval(1.1, 3.0), doc="above 1"),
    "distinct": Maker(family="main", make=_distinct, doc="whole eighths, no two alike"),
    "increasing": Maker(family="main", make=_increasing, doc="increasing along the last axis"),
    "simplex": Maker(family="main", make=_simplex, doc="positive, of sum 1 along the last axis"),
    "regular": Maker(family="main", make=_regular, doc="square, well conditioned"),
    "symmetric": Maker(family="main", make=_symmetric, doc="symmetric"),
    "spd": Maker(family="main", make=_positive_definite, doc="symmetric, positive definite"),
    "lower": Maker(family="main", make=_lower, doc="lower triangular, well conditioned"),
    "c": Maker(family="complex", make=_complex, doc="complex, both parts between -2 and 2"),
    "index": Maker(family="int32", make=_index, doc="whole numbers from `low` (0) and less than `below`"),
    "sorted_index": Maker(family="int32", make=_ordered_index, doc="the same, not decreasing"),
    "order": Maker(family="int32", make=_order, doc="each of 0, 1, 2, … once"),
    "words": Maker(family="uint32", make=_words, doc="32 random bits"),
    "mask": Maker(family="bool", make=_truth, doc="true or false"),
}
"""Name in a recipe to what it makes."""


def dtype_of(family: Family, main: str) -> str:
    """Return the dtype of an input, by name, where the item's is `main`.

    Examples
    --------
    >>> dtype_of("complex", "float64"), dtype_of("int32", "float64"), dtype_of("main", "bfloat16")
    ('complex128', 'int32', 'bfloat16')
    """
    if family == "main":
        return main
    if family == "complex":
        return "complex128" if main in ("float64", "complex128") else "complex64"
    return family


def array(
    maker: str, shape: tuple[int, ...], options: dict[str, Any], main: str, *seeds: object
) -> NDArray[Any]:
    """Return the numbers of one input, in the widest dtype of their kind.

    Parameters
    ----------
    maker : str
        Name in `MAKERS`.
    shape : tuple of int
    options : dict
        Options of the maker, e.g. ``{"below": 8}``.
    main : str
        The item's dtype: whole numbers where it is an integer, truth values where it is bool. Numbers of a
        floating dtype are rounded to it, so that the same call in float64 has the same inputs.
    *seeds
        What the stream depends on.
    """
    made = MAKERS[maker].make(Stream(GENERATOR, *seeds), shape, **options)
    if MAKERS[maker].family == "complex" and main not in ("float64", "complex128"):
        return made.astype(np.complex64).astype(np.complex128)
    if MAKERS[maker].family != "main":
        return made
    if main == "bool":
        return np.asarray(made > np.median(made)) if made.size else made.astype(bool)
    if main.startswith(("int", "uint")):
        whole: NDArray[Any] = np.rint(made * 4).astype(np.int64)
        return np.asarray(np.abs(whole)) if main.startswith("uint") else whole
    return _rounded(made, main)


def _rounded(values: NDArray[Any], dtype: str) -> NDArray[np.float64]:
    """Round to a floating dtype and come back to float64."""
    if dtype in ("float16", "float32"):
        narrow: NDArray[Any] = values.astype(dtype)
        return narrow.astype(np.float64)
    if dtype == "bfloat16":
        bits = values.astype(np.float32).view(np.uint32)
        # To the nearest, ties to even: bfloat16 is the upper half of float32.
        bits = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)
    return values.astype(np.float64)
