"""Papers counted by stratum, team and set of topics: all that a ratio, or a bootstrap of it, needs.

Drawing n papers of a stratum with replacement is one multinomial draw over its cells, so that a
replicate costs as much as there are cells, not papers, and all teams and topics share the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.resample import BLOCK, replicate_blocks

if TYPE_CHECKING:
    from isoflop.divide.works_sample import WorksSample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Counts of papers.

    Parameters
    ----------
    count : array, shape (c,)
        Papers in each cell.
    stratum : array, shape (c,)
        Venue and year of the cell; cells are sorted by it.
    team : array, shape (c, g)
        1 where the cell is of that team.
    topic : array, shape (c, t)
        1 where the cell is on that topic.
    """

    count: IntArray
    stratum: IntArray
    team: FloatArray
    topic: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """What ratios are made of; a leading axis of replicates, or none.

    Parameters
    ----------
    both : array, shape (…, g, t)
        Papers of the team on the topic.
    expected : array, shape (…, g, t)
        Papers of the team on the topic if, in each stratum, topics did not matter.
    on_topic : array, shape (…, t)
    of_team : array, shape (…, g)
    total : float
    """

    both: FloatArray
    expected: FloatArray
    on_topic: FloatArray
    of_team: FloatArray
    total: float


def count_cells(sample: WorksSample, topics: tuple[str, ...], teams: tuple[str, ...]) -> Cells:
    """Return the papers of a sample by stratum, team and topics."""
    on = np.stack([sample.on_topic(topic) for topic in topics], axis=1)
    of = np.stack([sample.team == team for team in teams], axis=1)
    packed = np.packbits(np.concatenate([of, on], axis=1), axis=1)
    keys = np.concatenate([sample.stratum[:, None], packed], axis=1)
    _, first, count = np.unique(keys, axis=0, return_index=True, return_counts=True)
    return Cells(
        count=count.astype(np.int64),
        stratum=sample.stratum[first],
        team=of[first].astype(float),
        topic=on[first].astype(float),
    )


def sums(cells: Cells, counts: FloatArray | IntArray) -> Sums:
    """Return the sums for counts of each cell, shape (c,) or (reps, c)."""
    drawn = np.atleast_2d(counts).astype(float)
    starts = np.flatnonzero(np.r_[True, np.diff(cells.stratum) > 0])
    both = np.einsum("rc,cg,ct->rgt", drawn, cells.team, cells.topic, optimize=True)
    expected = np.zeros_like(both)
    for begin, end in zip(starts, [*starts[1:], drawn.shape[1]], strict=True):
        part = drawn[:, begin:end]
        rate = part @ cells.team[begin:end] / np.maximum(part.sum(axis=1, keepdims=True), 1.0)
        expected += rate[:, :, None] * (part @ cells.topic[begin:end])[:, None, :]
    one = np.ndim(counts) == 1
    made = (both, expected, drawn @ cells.topic, drawn @ cells.team)
    both, expected, on_topic, of_team = (array[0] if one else array for array in made)
    return Sums(both=both, expected=expected, on_topic=on_topic, of_team=of_team, total=float(drawn[0].sum()))


def draw_counts(cells: Cells, reps: int, seed: int) -> IntArray:
    """Return counts of each cell in bootstrap replicates of papers within strata, shape (reps, c)."""
    starts = np.flatnonzero(np.r_[True, np.diff(cells.stratum) > 0])
    bounds = list(zip(starts, [*starts[1:], cells.count.size], strict=True))
    out = np.empty((reps, cells.count.size), dtype=np.int64)
    for rng, inside, outside in replicate_blocks(seed, 0, reps):
        for begin, end in bounds:
            part = cells.count[begin:end]
            drawn = rng.multinomial(part.sum(), part / part.sum(), size=BLOCK)
            out[outside, begin:end] = drawn[inside]
    return out
