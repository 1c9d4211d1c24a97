"""The nearest pool rows of each query by cosine, exact and in a stable order.

Order: larger similarity first, of equal ones the lower row. A threshold taken from a part of the pool leaves
a few hundred candidates a query, so that nothing but one matrix product touches all pairs; too few candidates
are searched for again among all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError

Vectors = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

BLOCK_BYTES = 32 * 2**20
"""Similarities held at once; larger blocks leave the cache, a quarter of a gigabyte is the limit allowed."""
STRIDE = 16
"""One pool row of this many sets the threshold."""
SPARE = 1.35
"""Candidates wanted, as a multiple of the neighbours asked for, plus a margin for the draw."""
NOWHERE = np.float32(-4.0)
"""Similarity of a hidden pair, below any cosine."""
_LOW = np.int64(0xFFFFFFFF)


def unit_rows(vectors: NDArray[np.float32], rows: int) -> Vectors:
    """Return float32 rows of unit length, checked.

    Raises
    ------
    EvidenceError
        Not one finite row, other than zero, for each of `rows` prompts.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0]]), 1)
    array([[0.6, 0.8]], dtype=float32)
    """
    found = np.asarray(vectors, dtype=np.float32)
    if found.ndim != 2 or found.shape[0] != rows or found.shape[1] == 0:
        raise EvidenceError(
            f"vectors: {found.shape} but {rows} prompts, needs one row a prompt. Encode the same prompts."
        )
    length = np.sqrt(np.einsum("ij,ij->i", found, found, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(length) | (length == 0))
    if bad.size:
        what = "all zero" if length[bad[0]] == 0 else "not finite"
        raise EvidenceError(
            f"vectors: row {bad[0]} is {what} ({bad.size} such rows), needs a direction. Encode that prompt "
            "again, or leave it out."
        )
    if np.abs(length - 1).max() > 1e-5:
        found = np.asarray(found / length[:, None], dtype=np.float32)
    return np.ascontiguousarray(found)


def nearest(
    queries: Vectors, pool: Vectors, count: int, hidden: BoolArray | None = None
) -> tuple[IntArray, Vectors]:
    """Return the `count` nearest pool rows of each query, nearest first.

    Parameters
    ----------
    queries : array, shape (q, width)
        Unit rows.
    pool : array, shape (n, width)
        Unit rows.
    count : int
    hidden : array of bool, shape (n,) or (q, n), optional
        Pool rows that do not take part: for all queries, or for each.

    Returns
    -------
    index : array of int, shape (q, count)
        Rows of the pool; n where the pool has fewer.
    similarity : array, shape (q, count)
        Cosines; -4 where the pool has fewer.

    Examples
    --------
    >>> eye = np.eye(3, dtype=np.float32)
    >>> nearest(eye[:1], eye, 2)[0]
    array([[0, 1]])
    """
    index = np.empty((len(queries), count), dtype=np.int64)
    similarity = np.empty((len(queries), count), dtype=np.float32)
    common = hidden is not None and hidden.ndim == 1
    shown = np.flatnonzero(~hidden) if hidden is not None and common else np.arange(len(pool))
    columns = pool[shown] if common else pool
    for rows in _blocks(len(queries), len(shown)):
        found = queries[rows] @ columns.T
        if hidden is not None and not common:
            found[hidden[rows]] = NOWHERE
        index[rows], similarity[rows] = _top(found, count)
    return np.append(shown, len(pool))[index], similarity


def _blocks(queries: int, pool: int) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // (4 * max(pool, 1)))
    for first in range(0, queries, step):
        yield slice(first, min(first + step, queries))


def _top(similarity: Vectors, count: int) -> tuple[IntArray, Vectors]:
    """Return places and values of the largest `count` of each row; the width where there are fewer."""
    rows, width = similarity.shape
    if count >= width or width <= 4 * count:
        return _in_order(similarity, np.broadcast_to(np.arange(width), similarity.shape), count, width)
    part = similarity[:, ::STRIDE]
    wanted = SPARE * count / STRIDE
    rank = min(part.shape[1] - 1, int(wanted + 2 * np.sqrt(wanted)) + 1)
    floor = np.partition(part, part.shape[1] - 1 - rank, axis=1)[:, part.shape[1] - 1 - rank]
    chosen = np.flatnonzero((similarity >= floor[:, None]).ravel())
    row = chosen // width
    counts = np.bincount(row, minlength=rows)
    starts = np.cumsum(counts) - counts
    place = np.arange(chosen.size) - starts[row]
    column = np.full((rows, counts.max()), width)
    value = np.full(column.shape, NOWHERE, dtype=np.float32)
    column[row, place], value[row, place] = chosen - row * width, similarity.ravel()[chosen]
    found = _in_order(value, column, count, width)
    short = np.flatnonzero(counts < count)
    if short.size:
        every = np.broadcast_to(np.arange(width), (short.size, width))
        found[0][short], found[1][short] = _in_order(similarity[short], every, count, width)
    return found


def _in_order(value: Vectors, column: IntArray, count: int, filler: int) -> tuple[IntArray, Vectors]:
    """Return columns and values by (value falling, column rising), cut or filled with `filler` to `count`.

    One integer carries both: the bits of the value, made monotone, above those of the column.
    """
    bits = (value + np.float32(0)).view(np.int32)
    monotone = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    key = (~monotone.astype(np.int64) << 32) | column
    if key.shape[1] > 2 * count:
        key = np.partition(key, count, axis=1)[:, :count]
    key.sort(axis=1)
    key = key[:, :count]
    back = (~(key >> 32)).astype(np.int32)
    values = np.where(back < 0, back ^ np.int32(0x7FFFFFFF), back).view(np.float32)
    columns = np.where(values == NOWHERE, filler, key & _LOW)
    lacking = count - key.shape[1]
    if lacking > 0:
        columns = np.pad(columns, ((0, 0), (0, lacking)), constant_values=filler)
        values = np.pad(values, ((0, 0), (0, lacking)), constant_values=NOWHERE)
    return columns, values
