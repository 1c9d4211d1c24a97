"""Who contributed how much? Exact Shapley values by enumeration of all coalitions.

The Shapley value of a player is its marginal change of the value, averaged over all orders in
which players may join: sum over coalitions S without i of |S|! (n-|S|-1)!/n! (v(S + i) - v(S)).
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.stats.checks import BoolArray, FloatArray, whole_number

MAX_PLAYERS = 12
"""4,096 coalitions: beyond, exact enumeration should be argued for, not run by accident."""


def coalitions(n_players: int) -> BoolArray:
    """Return all coalitions of `n_players`: row s holds player i if bit i of s is set.

    Returns
    -------
    bool array, shape (2**n_players, n_players)

    Examples
    --------
    >>> coalitions(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    whole_number("coalitions", "n_players", n_players, least=1)
    if n_players > MAX_PLAYERS:
        raise SettingError(f"coalitions: n_players={n_players}, must be <= {MAX_PLAYERS}. Merge players.")
    return np.asarray((np.arange(2**n_players)[:, None] >> np.arange(n_players)) & 1 == 1)


def shapley(value: Callable[[BoolArray], ArrayLike], n_players: int) -> FloatArray:
    """Return each player's Shapley value; they sum to v(all) - v(none).

    Parameters
    ----------
    value : callable
        Takes the coalitions (2**n, n) at once and returns their values, shape (2**n,), or
        (2**n, B) for B games at once, such as the draws of a bootstrap.
    n_players : int, 1 to 12

    Returns
    -------
    array, shape (n,) or (n, B)

    Raises
    ------
    EvidenceError
        The values have another shape or are not finite.

    Notes
    -----
    Source: Shapley (1953), A value for n-person games.

    Examples
    --------
    The interaction of two factors is split evenly:

    >>> shapley(lambda joined: np.where(joined, [2.0, 5.0], 1.0).prod(axis=1), 2).tolist()
    [3.0, 6.0]
    """
    members = coalitions(n_players)
    worth = np.asarray(value(members), dtype=np.float64)
    if worth.ndim not in (1, 2) or worth.shape[0] != 2**n_players:
        raise EvidenceError(
            f"shapley: values of shape {worth.shape}, needs {2**n_players} rows. Return one per coalition."
        )
    if not np.isfinite(worth).all():
        at = int(np.argwhere(~np.isfinite(worth))[0][0])
        raise EvidenceError(
            f"shapley: value of coalition {at} is not finite. Check the model at {members[at]}."
        )
    size = members.sum(axis=1)
    contributions = np.empty((n_players, *worth.shape[1:]))
    for player in range(n_players):
        without = np.flatnonzero(~members[:, player])
        weight = 1.0 / (n_players * np.array([comb(n_players - 1, int(s)) for s in size[without]]))
        contributions[player] = weight @ (worth[without | (1 << player)] - worth[without])
    return contributions


def shapley_shares(value: Callable[[BoolArray], ArrayLike], n_players: int) -> FloatArray:
    """Return Shapley values divided by the total change; they sum to 1 and may be negative.

    Returns
    -------
    array, shape (n,) or (n, B)

    Raises
    ------
    NotIdentifiedError
        Nothing changed in a game, so there is nothing to share.

    Examples
    --------
    >>> shapley_shares(lambda joined: joined @ np.array([3.0, 1.0]), 2).tolist()
    [0.75, 0.25]
    """
    contributions = shapley(value, n_players)
    total = contributions.sum(axis=0)
    unchanged = int(np.count_nonzero(total == 0))
    if unchanged:
        raise NotIdentifiedError(
            f"shapley_shares: no change to share in {unchanged} of {total.size} game(s). "
            "Report the contributions themselves (shapley)."
        )
    return np.asarray(contributions / total)
