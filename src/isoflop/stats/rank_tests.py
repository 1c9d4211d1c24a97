"""Do two columns rise together? Spearman's correlation with a permutation p, exact where few."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations as orders

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, finite_array, same_length, whole_number

TIE = 1e-9
"""Correlations that agree to this amount are the same: sums of ranks are halves of whole numbers."""
PERMUTATIONS = 19_999
MOST_EXACT_PAIRS = 8
"""8! = 40,320 orders are run through; from nine pairs on, random ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCorrelation:
    """Spearman's correlation of ranks with its permutation p.

    Parameters
    ----------
    rho : float, in [-1, 1]
    p : float
        Two-sided, over orders of one of the two.
    is_simulated : bool
        Random orders, not all.
    n : int
        Pairs.
    """

    rho: float
    p: float
    is_simulated: bool
    n: int


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> RankCorrelation:
    """Return Spearman's rho of two columns, ties averaged, with a permutation p.

    Parameters
    ----------
    x, y : arrays, shape (n,), n >= 3
    permutations : int
        Random orders from nine pairs on; up to eight all are run through.
    seed : int

    Returns
    -------
    RankCorrelation

    Raises
    ------
    EvidenceError
        Fewer than three pairs, or one column is constant.

    Examples
    --------
    >>> test = rank_correlation([1, 2, 3, 4], [9, 7, 8, 1])
    >>> round(test.rho, 2), round(test.p, 4)
    (-0.8, 0.3333)
    """
    first, second = finite_array("rank_correlation", "x", x), finite_array("rank_correlation", "y", y)
    n = same_length("rank_correlation", x=first, y=second)
    whole_number("rank_correlation", "permutations", permutations, least=1)
    u, v = average_ranks(first) - (n + 1) / 2, average_ranks(second) - (n + 1) / 2
    if n < 3 or not (u.any() and v.any()):
        raise EvidenceError(
            f"rank_correlation: {n} pairs, needs at least 3 and no constant column. Add rows."
        )
    scale = math.sqrt(float(u @ u) * float(v @ v))
    seen = abs(float(u @ v)) - TIE * scale
    if n <= MOST_EXACT_PAIRS:
        sums = v[np.array(list(orders(range(n))))] @ u
        p, simulated = float((np.abs(sums) >= seen).mean()), False
    else:
        rng = np.random.default_rng(seed)
        sums = rng.permuted(np.broadcast_to(v, (permutations, n)), axis=1) @ u
        p, simulated = float((1 + (np.abs(sums) >= seen).sum()) / (1 + permutations)), True
    return RankCorrelation(rho=float(u @ v) / scale, p=p, is_simulated=simulated, n=n)


def average_ranks(values: ArrayLike) -> FloatArray:
    """Return ranks from 1, equal values sharing the mean of their ranks.

    Examples
    --------
    >>> average_ranks([10, 30, 30, 20]).tolist()
    [1.0, 3.5, 3.5, 2.0]
    """
    array = finite_array("average_ranks", "values", values)
    _, tie, size = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray(((2 * last - size + 1) / 2)[tie], dtype=np.float64)
