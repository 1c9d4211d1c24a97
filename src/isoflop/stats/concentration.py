"""How unequally is an amount shared out? Herfindahl, top shares, Gini and the Lorenz curve.

Each function takes the amounts of n holders, shape (n,), or one row a bootstrap replicate, shape
(reps, n); `totals_by_holder` makes those rows from row weights without copying a table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, cluster_index, finite_array, same_length, whole_number


def totals_by_holder(amounts: ArrayLike, holders: ArrayLike, weights: ArrayLike | None = None) -> FloatArray:
    """Return the amount of each holder, holders in sorted order.

    Parameters
    ----------
    amounts : array, shape (n,), >= 0
        Amount of each row.
    holders : array, shape (n,)
        Label of the holder of each row.
    weights : array, shape (reps, n), optional
        Row weights of bootstrap replicates, as `isoflop.stats.resample` makes them.

    Returns
    -------
    array, shape (h,) or (reps, h)

    Examples
    --------
    >>> totals_by_holder([1.0, 2.0, 5.0], ["a", "b", "a"]).tolist()
    [6.0, 2.0]
    """
    values = finite_array("totals_by_holder", "amounts", amounts)
    index, count = cluster_index("totals_by_holder", holders)
    same_length("totals_by_holder", amounts=values, holders=index)
    if weights is None:
        return np.asarray(np.bincount(index, weights=values, minlength=count), dtype=np.float64)
    heavy = finite_array("totals_by_holder", "weights", weights, ndim=2)
    same_length("totals_by_holder", amounts=values, weights=heavy)
    order = np.argsort(index, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(index[order]) > 0])
    totals: FloatArray = np.add.reduceat((heavy * values)[:, order], first, axis=1)
    return totals


def herfindahl(amounts: ArrayLike) -> FloatArray:
    """Return the sum of squared shares: 1 for one holder, 1/n for n equal ones.

    Its inverse is the number of equal holders that would be as concentrated.

    Parameters
    ----------
    amounts : array, shape (n,) or (reps, n), >= 0

    Returns
    -------
    array, shape () or (reps,), in [1/n, 1]

    Examples
    --------
    >>> round(float(herfindahl([3.0, 1.0])), 3)
    0.625
    """
    shares = _shares("herfindahl", amounts)
    return np.asarray((shares**2).sum(axis=-1))


def top_share(amounts: ArrayLike, k: int) -> FloatArray:
    """Return the share of the `k` largest holders; 1 where there are no more than `k`.

    Parameters
    ----------
    amounts : array, shape (n,) or (reps, n), >= 0
    k : int, >= 1

    Returns
    -------
    array, shape () or (reps,)

    Examples
    --------
    >>> round(float(top_share([5.0, 1.0, 3.0, 1.0], 2)), 3)
    0.8
    """
    whole_number("top_share", "k", k, least=1)
    shares = _shares("top_share", amounts)
    largest = shares if k >= shares.shape[-1] else np.partition(shares, -k, axis=-1)[..., -k:]
    return np.asarray(np.minimum(largest.sum(axis=-1), 1.0))


def gini(amounts: ArrayLike, *, unbiased: bool = False) -> FloatArray:
    """Return Gini's coefficient: 0 for equal holders, (n - 1)/n for one that has all.

    Parameters
    ----------
    amounts : array, shape (n,) or (reps, n), >= 0
    unbiased : bool
        Multiply by n/(n - 1), so that one holder of all gives 1; needs two holders.

    Returns
    -------
    array, shape () or (reps,), in [0, 1]

    Notes
    -----
    Half the mean absolute difference over the mean, over all ordered pairs.

    Examples
    --------
    >>> round(float(gini([0.0, 0.0, 4.0])), 3), round(float(gini([0.0, 0.0, 4.0], unbiased=True)), 3)
    (0.667, 1.0)
    """
    shares = np.sort(_shares("gini", amounts), axis=-1)
    n = shares.shape[-1]
    if unbiased and n < 2:
        raise EvidenceError("gini: 1 holder, needs at least 2 for the unbiased form. Leave unbiased out.")
    rank = 2.0 * np.arange(1, n + 1) - n - 1
    # Equal holders can end a rounding below 0.
    plain = np.maximum((shares @ rank) / n, 0.0)
    return np.asarray(plain * (n / (n - 1) if unbiased else 1.0))


def lorenz(amounts: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the Lorenz curve: share of holders, poorest first, and the share they hold.

    Parameters
    ----------
    amounts : array, shape (n,) or (reps, n), >= 0

    Returns
    -------
    holders : array, shape (n + 1,)
        From 0 to 1.
    held : array, shape (n + 1,) or (reps, n + 1)
        From 0 to 1, never above `holders`.

    Examples
    --------
    >>> lorenz([1.0, 3.0])[1].tolist()
    [0.0, 0.25, 1.0]
    """
    shares = np.sort(_shares("lorenz", amounts), axis=-1)
    held = np.cumsum(shares, axis=-1)
    held[..., -1] = 1.0  # a cumulated sum of shares ends a few 1e-16 off
    held = np.concatenate([np.zeros((*held.shape[:-1], 1)), held], axis=-1)
    return np.linspace(0.0, 1.0, held.shape[-1]), held


def _shares(where: str, amounts: ArrayLike) -> FloatArray:
    values = finite_array(where, "amounts", amounts, ndim=2 if np.ndim(amounts) == 2 else 1)
    total = values.sum(axis=-1, keepdims=True)
    if values.min() < 0 or total.min() <= 0:
        raise EvidenceError(f"{where}: amounts must be >= 0 with a positive sum. Leave empty holders out.")
    shares: FloatArray = values / total
    return shares
