"""Prompts that are the same but for case, spacing or form of characters, or whose vectors nearly agree."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_BLOCK_BYTES = 64 << 20
"""Similarities held at a time."""


def folded(text: str) -> str:
    """Return a text by which prompts are compared: NFKC, case-folded, runs of white space as one space.

    Examples
    --------
    >>> folded("  Ｗhat is\\n2 + 2?") == folded("what IS 2 + 2?")
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def same_text(texts: Sequence[str]) -> IntArray:
    """Return a number for each text, equal where they are the same once folded.

    Examples
    --------
    >>> same_text(["One", "two", " one"]).tolist()
    [0, 1, 0]
    """
    known: dict[str, int] = {}
    return np.array([known.setdefault(folded(text), len(known)) for text in texts], dtype=np.int64)


def similar(vectors: NDArray[np.float32], cosine: float) -> IntArray:
    """Return a number for each unit row, equal along chains of rows with at least this cosine.

    Parameters
    ----------
    vectors : array, shape (n, width)
    cosine : float

    Returns
    -------
    array of int, shape (n,)
    """
    n = vectors.shape[0]
    parent = np.arange(n)
    step = max(1, _BLOCK_BYTES // (4 * max(n, 1)))
    for start in range(0, n, step):
        rows, others = np.nonzero(vectors[start : start + step] @ vectors[start:].T >= cosine)
        later = others > rows
        for a, b in zip(rows[later] + start, others[later] + start, strict=True):
            _unite(parent, int(a), int(b))
    return _numbered(parent)


def merged(first: IntArray, second: IntArray) -> IntArray:
    """Return groups in which two rows stand together that do so in either grouping, or by a chain of them.

    Examples
    --------
    >>> import numpy as np
    >>> merged(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
    [0, 0, 0, 1]
    """
    parent = np.arange(first.size)
    for groups in (first, second):
        _, leader, place = np.unique(groups, return_index=True, return_inverse=True)
        for row in np.flatnonzero(leader[place] != np.arange(first.size)):
            _unite(parent, int(leader[place[row]]), int(row))
    return _numbered(parent)


def _root(parent: IntArray, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _unite(parent: IntArray, a: int, b: int) -> None:
    a, b = _root(parent, a), _root(parent, b)
    parent[max(a, b)] = min(a, b)


def _numbered(parent: IntArray) -> IntArray:
    """Return groups numbered in the order of their first rows."""
    roots = np.array([_root(parent, row) for row in range(parent.size)], dtype=np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64).reshape(-1)
