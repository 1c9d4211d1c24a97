"""The least cost at which quality can be had: the upper concave, non-decreasing hull of (cost, score) points.

Mixing two models at random reaches every point of the chord between them, and whoever may pay more may
also pay less. So the frontier of a set of points is concave, never falls, and stays flat beyond its last
vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError

FloatArray = NDArray[np.float64]
WORTH = 0.02
"""Least share of points that a vectorised pass must remove to be followed by another."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hull:
    """Vertices of a frontier.

    Parameters
    ----------
    cost, score : array, shape (v,)
        Both strictly ascending; the slope between vertices falls.
    """

    cost: FloatArray
    score: FloatArray

    def at(self, cost: ArrayLike) -> FloatArray:
        """Return the frontier at these costs: NaN below its least cost, flat beyond its largest."""
        return np.asarray(
            np.interp(np.asarray(cost, dtype=np.float64), self.cost, self.score, left=np.nan),
            dtype=np.float64,
        )

    def reach(self, score: ArrayLike) -> FloatArray:
        """Return the least cost at which the frontier has these scores; NaN above it.

        Scores below the first vertex cost what that vertex costs: nothing cheaper is known.
        """
        wanted = np.asarray(score, dtype=np.float64)
        found = np.interp(wanted, self.score, self.cost)
        return np.where(wanted > self.score[-1], np.nan, found)

    def area(self, upto: float) -> float:
        """Return the area under the frontier from its least cost to `upto`, flat beyond its last vertex.

        Raises
        ------
        EvidenceError
            `upto` lies below the last vertex.
        """
        if upto < self.cost[-1]:
            raise EvidenceError(
                f"Hull.area: upto={upto:g}, needs at least {self.cost[-1]:g}, the last vertex. Take the "
                "largest cost compared."
            )
        cost, score = np.append(self.cost, upto), np.append(self.score, self.score[-1])
        return float(np.sum(np.diff(cost) * (score[1:] + score[:-1])) / 2)


def upper_hull(cost: ArrayLike, score: ArrayLike) -> Hull:
    """Return the upper concave, non-decreasing hull of points, in O(n log n).

    Parameters
    ----------
    cost, score : array, shape (n,)
        Finite; in any order, with repeats.

    Returns
    -------
    Hull

    Raises
    ------
    EvidenceError
        No point, unequal lengths, or a number that is not finite.

    Notes
    -----
    Sorting, then Andrew's monotone chain. Before the chain, points below the chord of both neighbours are
    removed all at once, repeatedly: such a point can be no vertex, whatever happens to its neighbours.

    Examples
    --------
    >>> hull = upper_hull([1, 2, 3, 4], [0.2, 0.3, 0.6, 0.5])
    >>> hull.cost.tolist(), hull.score.tolist()
    ([1.0, 3.0], [0.2, 0.6])
    >>> hull.at([2.0, 9.0]).tolist(), float(hull.reach(0.4)), hull.area(4.0)
    ([0.4, 0.6], 2.0, 1.4)
    """
    x, y = np.asarray(cost, dtype=np.float64).ravel(), np.asarray(score, dtype=np.float64).ravel()
    if x.size != y.size or x.size == 0:
        raise EvidenceError(
            f"upper_hull: {x.size} costs and {y.size} scores, needs as many of each and at least one."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise EvidenceError("upper_hull: a cost or score is not finite, needs numbers. Drop the point.")
    order = np.lexsort((-y, x))
    x, y = x[order], y[order]
    rising = np.concatenate(([True], y[1:] > np.maximum.accumulate(y)[:-1]))
    x, y = x[rising], y[rising]
    while True:
        inside = _inside(x, y)
        found = int(inside.sum())
        if not found:
            return Hull(cost=x, score=y)
        many = found > WORTH * x.size
        x, y = x[~inside], y[~inside]
        if not many:
            break
    keep = _chain(x.tolist(), y.tolist())
    return Hull(cost=x[keep], score=y[keep])


def _inside(x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Return which points lie on or below the chord of their two neighbours."""
    inside = np.zeros(x.size, dtype=bool)
    left, right = y[1:-1] - y[:-2], y[2:] - y[:-2]
    inside[1:-1] = left * (x[2:] - x[:-2]) <= right * (x[1:-1] - x[:-2])
    return inside


def _chain(x: list[float], y: list[float]) -> list[int]:
    """Return the vertices of points that ascend in both coordinates."""
    kept: list[int] = []
    for k in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (y[b] - y[a]) * (x[k] - x[a]) > (y[k] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(k)
    return kept
