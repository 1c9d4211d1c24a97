"""Counts behind a share, for one sample or for many weightings of its rows at once.

Everything is a sum of weights over rows, so that a bootstrap of thousands of replicates is one matrix
product: ``k = (weights * large) @ (inside ⊗ team)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.divide.model import Period

FloatArray = NDArray[np.float64]


def inside_periods(year: ArrayLike, periods: Sequence[Period]) -> FloatArray:
    """Return 1 where a row's calendar year lies in a period, shape (n, periods).

    Examples
    --------
    >>> inside_periods([2012, 2015], [Period(first=2012, last=2014)]).tolist()
    [[1.0], [0.0]]
    """
    years = np.asarray(year)
    return np.stack([(years >= p.first) & (years <= p.last) for p in periods], axis=1).astype(float)


def of_teams(team: ArrayLike, teams: Sequence[str]) -> FloatArray:
    """Return 1 where a row is of a team, shape (n, teams)."""
    names = np.asarray(team)
    return np.stack([names == one for one in teams], axis=1).astype(float)


def count_large(
    large: ArrayLike, inside: FloatArray, team: FloatArray, weights: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the large systems of each team and of all rows, by period.

    Parameters
    ----------
    large : array of bool, shape (n,) or (reps, n)
        Which rows are large; see `isoflop.divide.large.Large.mask`.
    inside : array of 0 or 1, shape (n, periods)
    team : array of 0 or 1, shape (n, teams)
    weights : array, shape (n,) or (reps, n), optional
        How often each row counts; all once by default.

    Returns
    -------
    k : array, shape (periods, teams) or (reps, periods, teams)
    n : array, shape (periods,) or (reps, periods)

    Examples
    --------
    >>> inside, team = np.ones((3, 1)), of_teams(["academia", "industry", "industry"], ["academia"])
    >>> k, n = count_large([True, True, False], inside, team)
    >>> k.tolist(), n.tolist()
    ([[1.0]], [2.0])
    """
    counted = np.asarray(large, dtype=float) * (1.0 if weights is None else np.asarray(weights, dtype=float))
    periods, teams = inside.shape[1], team.shape[1]
    cells = (inside[:, :, None] * team[:, None, :]).reshape(len(inside), periods * teams)
    k = (counted @ cells).reshape(*counted.shape[:-1], periods, teams)
    return k, np.asarray(counted @ inside)
