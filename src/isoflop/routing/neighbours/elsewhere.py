"""The nearest prompts of other units: other datasets, or other texts of any dataset."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.routing.neighbours.search import BLOCK_BYTES, IntArray, Vectors, nearest


def nearest_elsewhere(
    vectors: Vectors, unit: IntArray, rows: IntArray, count: int
) -> tuple[IntArray, Vectors]:
    """Return, for each of `rows`, the nearest prompts of other units.

    Parameters
    ----------
    vectors : array of float32, shape (n, width)
        Unit rows.
    unit : array of int, shape (n,)
        Dataset or group; a prompt's own is left out.
    rows : array of int, shape (q,)
    count : int

    Returns
    -------
    index, similarity : arrays, shape (q, count)
        Nearest first, ties by lower row.

    Raises
    ------
    EvidenceError
        A unit leaves fewer than `count` prompts elsewhere.

    Examples
    --------
    >>> eye = np.eye(3, dtype=np.float32)
    >>> nearest_elsewhere(eye, np.array([0, 0, 1]), np.array([0]), 1)[0]
    array([[2]])
    """
    n = vectors.shape[0]
    largest = int(np.bincount(unit).max())
    if n - largest < count:
        raise EvidenceError(
            f"neighbours: {largest} of {n} prompts are of one unit, which leaves {n - largest} elsewhere; "
            f"needs {count}. Add prompts of other datasets."
        )
    index = np.empty((rows.size, count), dtype=np.int64)
    similarity = np.empty((rows.size, count), dtype=np.float32)
    # Sorted by unit, one hidden array serves all queries of a large unit.
    order = np.argsort(unit[rows], kind="stable")
    for part in _parts(unit[rows][order], n):
        at = order[part]
        own = unit[rows[at]]
        alike = bool((own == own[0]).all())
        hidden = unit == own[0] if alike else unit[None, :] == own[:, None]
        index[at], similarity[at] = nearest(vectors[rows[at]], vectors, count, hidden)
    return index, similarity


def _parts(units: IntArray, n: int) -> list[slice]:
    """Return runs of queries: whole units where they are large, several small ones together."""
    step = max(1, BLOCK_BYTES // (4 * n))
    edges = np.flatnonzero(np.diff(units)) + 1
    starts = np.concatenate([[0], edges, [units.size]])
    parts, first = [], 0
    for start, stop in pairwise(starts.tolist()):
        if stop - start >= step // 4:
            if first < start:
                parts += _cut(first, start, step)
            parts.append(slice(start, stop))
            first = stop
    return parts + _cut(first, units.size, step)


def _cut(first: int, stop: int, step: int) -> list[slice]:
    return [slice(at, min(at + step, stop)) for at in range(first, stop, step)]
