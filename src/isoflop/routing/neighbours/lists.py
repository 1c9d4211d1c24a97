"""Each prompt's neighbours outside its own dataset, kept long enough that any further dataset can go.

A pool without dataset x differs from the pool with it only for prompts that have x among their first
neighbours. Those look further down their own list; where a list does not hold enough others, the prompt is
searched for again in that pool, so every answer is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.routing.neighbours.search import BLOCK_BYTES, BoolArray, IntArray, Vectors, nearest

LENGTH = 128
"""Neighbours kept a prompt; on the public sets longer lists take longer than the searches they save."""
FIRST_LOOK = 96
"""Most prompts find enough among so many."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """First neighbours of some prompts in one pool.

    Parameters
    ----------
    place : array of int, shape (r,)
        Which rows of the lists.
    index : array of int, shape (r, depth)
        Prompts, nearest first; n where the pool is smaller.
    similarity : array, shape (r, depth)
    """

    place: IntArray
    index: IntArray
    similarity: Vectors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeighbourLists:
    """Neighbour lists of n prompts, their rows sorted by dataset.

    Parameters
    ----------
    vectors : array, shape (n, width)
    dataset : array of int, shape (n,)
    hidden : array of bool, shape (D, n + 1)
        What is taken from the pool when dataset d is left out; the last column stands for "no prompt".
    depth : int
        Neighbours that every pool must give.
    order : array of int, shape (n,)
        Row r of the lists belongs to prompt ``order[r]``.
    index : array of int, shape (n, length)
    similarity : array, shape (n, length)
    """

    vectors: Vectors
    dataset: IntArray
    hidden: BoolArray
    depth: int
    order: IntArray
    index: IntArray
    similarity: Vectors

    def first(self) -> Rows:
        """Return the first neighbours of every prompt in the pool without its own dataset."""
        cut = slice(0, self.depth)
        return Rows(
            place=np.arange(len(self.order)), index=self.index[:, cut], similarity=self.similarity[:, cut]
        )

    def without(self, left_out: int) -> Rows:
        """Return the rows whose first neighbours change when a further dataset leaves the pool."""
        gone = self.hidden[left_out]
        # The filler counts as gone, but a pool that is too small already loses nothing by it.
        loses = gone.copy()
        loses[-1] = False
        place = np.flatnonzero(loses[self.index[:, : self.depth]].any(axis=1))
        index = np.full((place.size, self.depth), len(self.order))
        similarity = np.zeros(index.shape, dtype=np.float32)
        todo = np.arange(place.size)
        length = self.index.shape[1]
        for width in (min(FIRST_LOOK, length), length):
            rows = place[todo]
            kept = ~gone[self.index[rows, :width]]
            counts = kept.sum(axis=1)
            done = counts >= self.depth
            flat = np.flatnonzero(kept.ravel())
            starts = (np.cumsum(counts) - counts)[done]
            row, column = np.divmod(flat[starts[:, None] + np.arange(self.depth)], width)
            index[todo[done]] = self.index[rows[row], column]
            similarity[todo[done]] = self.similarity[rows[row], column]
            todo = todo[~done]
        if todo.size:
            index[todo], similarity[todo] = self._searched(place[todo], gone)
        return Rows(place=place, index=index, similarity=similarity)

    def _searched(self, rows: IntArray, gone: BoolArray) -> tuple[IntArray, Vectors]:
        """Return the first neighbours of `rows` without their own dataset and those `gone`, searched anew."""
        index = np.empty((rows.size, self.depth), dtype=np.int64)
        similarity = np.empty(index.shape, dtype=np.float32)
        step = max(1, BLOCK_BYTES // len(self.order))
        for first in range(0, rows.size, step):
            block = slice(first, first + step)
            prompts = self.order[rows[block]]
            hidden = self.hidden[self.dataset[prompts], :-1] | gone[:-1]
            index[block], similarity[block] = nearest(self.vectors[prompts], self.vectors, self.depth, hidden)
        return index, similarity


def neighbour_lists(
    vectors: Vectors, dataset: IntArray, group: NDArray[np.int64] | None, depth: int, length: int = LENGTH
) -> NeighbourLists:
    """Search once for each prompt's neighbours outside its dataset.

    Parameters
    ----------
    vectors : array, shape (n, width)
        Unit rows.
    dataset : array of int, shape (n,)
        From 0 to D - 1, each present.
    group : array of int, shape (n,), or None
        Prompts that share a number are nearly the same: leaving a dataset out takes all prompts of its
        groups from the pool. None takes its own prompts alone.
    depth : int
        Neighbours wanted from each pool.
    length : int
        Neighbours kept; a shorter list costs more searches, never a wrong answer.

    Returns
    -------
    NeighbourLists
    """
    datasets = int(dataset.max()) + 1
    hidden = hidden_rows(dataset, group, datasets)
    order = np.argsort(dataset, kind="stable")
    length = min(max(length, depth), len(dataset))
    index = np.full((len(dataset), max(length, depth)), len(dataset))
    similarity = np.full(index.shape, -4, dtype=np.float32)
    ends = np.cumsum(np.bincount(dataset, minlength=datasets))
    for d in range(datasets):
        rows = slice(ends[d - 1] if d else 0, ends[d])
        found = nearest(vectors[order[rows]], vectors, index.shape[1], hidden[d, :-1])
        index[rows], similarity[rows] = found
    return NeighbourLists(
        vectors=vectors,
        dataset=dataset,
        hidden=hidden,
        depth=depth,
        order=order,
        index=index,
        similarity=similarity,
    )


def hidden_rows(dataset: IntArray, group: NDArray[np.int64] | None, datasets: int) -> BoolArray:
    """Return which prompts leave the pool with each dataset, shape (D, n + 1); the last column is True."""
    hidden = np.ones((datasets, len(dataset) + 1), dtype=bool)
    hidden[:, :-1] = dataset == np.arange(datasets)[:, None]
    if group is not None:
        numbers = np.unique(group, return_inverse=True)[1]
        for d in range(datasets):
            occurs = np.zeros(numbers.max() + 1, dtype=bool)
            occurs[numbers[dataset == d]] = True
            hidden[d, :-1] |= occurs[numbers]
    return hidden
