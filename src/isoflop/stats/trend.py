"""Straight lines through many groups and replicates at once, from weighted sums.

A bootstrap of a trend needs no loop: with weights w of a replicate, the slope is
``sum w (t - mean t)(y - mean y) / sum w (t - mean t)^2``, and all sums are one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, finite_array, same_length

LEAST_SPREAD = 1e-10
"""Variance of t in a replicate, as a share of that of all rows, below which its slope is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Least squares lines ``y = level + slope (t - origin)``.

    Parameters
    ----------
    level, slope : arrays of equal shape
        NaN where a group holds no spread of t. Shape () for one line, (G,) for groups, (reps,) for
        replicates, (reps, G) for both.
    origin : float
        Where `level` is read, in the unit of t.
    """

    level: FloatArray
    slope: FloatArray
    origin: float

    def at(self, t: float) -> FloatArray:
        """Return the height of each line at `t`."""
        return np.asarray(self.level + self.slope * (t - self.origin))


def fit_lines(
    t: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    origin: float = 0.0,
) -> Lines:
    """Fit a line by weighted least squares in every group of every replicate.

    Parameters
    ----------
    t : array, shape (n,)
    y : array, shape (n,) or (reps, n)
        One row a replicate where the outcome itself is drawn.
    groups : array of bool or weights, shape (G, n), or None
        Rows of each group; they may overlap. One group of all rows if None.
    weights : array, shape (reps, n), >= 0, or None
        Row weights of replicates, on any scale.
    origin : float
        Where `Lines.level` is read.

    Returns
    -------
    Lines

    Raises
    ------
    EvidenceError
        Lengths or numbers of replicates differ.

    Notes
    -----
    t and y are centred on the plain means first, so that sums of squares lose no digits.

    Examples
    --------
    >>> found = fit_lines([0, 1, 2, 0, 1], [1, 3, 5, 0, 4], groups=[[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    >>> found.slope.round(9).tolist(), found.level.round(9).tolist()
    ([2.0, 4.0], [1.0, 0.0])
    >>> fit_lines([0, 1, 2], [0, 1, 5], weights=[[1, 1, 0], [0, 1, 1]]).slope.round(9).tolist()
    [1.0, 4.0]
    """
    when = finite_array("fit_lines", "t", t)
    what = finite_array("fit_lines", "y", y, ndim=np.ndim(y) if np.ndim(y) in (1, 2) else 1)
    member = np.ones((1, when.size)) if groups is None else np.atleast_2d(np.asarray(groups, dtype=float))
    heavy = None if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
    same_length("fit_lines", t=when, y=what, groups=member, **({} if heavy is None else {"weights": heavy}))
    batched = heavy is not None or what.ndim == 2
    rows = np.ones((1, when.size)) if heavy is None else heavy
    outcome = np.atleast_2d(what)
    if len({rows.shape[0], outcome.shape[0]} - {1}) > 1:
        raise EvidenceError(
            f"fit_lines: {outcome.shape[0]} replicates of y and {rows.shape[0]} of weights, must be equal. "
            "Draw both together."
        )
    middle, height = float(when.mean()), float(outcome.mean())
    u, v = when - middle, outcome - height
    columns = np.stack([member, member * u, member * u**2])
    total, sum_u, sum_uu = rows @ np.moveaxis(columns, 2, 1)
    if v.shape[0] == 1:
        sum_v, sum_uv = rows @ np.moveaxis(columns[:2] * v[0], 2, 1)
    else:
        sum_v, sum_uv = (rows * v) @ np.moveaxis(columns[:2], 2, 1)
    safe = np.where(total > 0, total, 1.0)
    mean_u, mean_v = sum_u / safe, sum_v / safe
    spread = sum_uu / safe - mean_u**2
    joint = sum_uv / safe - mean_u * mean_v
    sloped = (total > 0) & (spread > LEAST_SPREAD * max(float(u @ u) / u.size, np.finfo(float).tiny))
    slope = np.where(sloped, joint / np.where(sloped, spread, 1.0), np.nan)
    level = height + mean_v + slope * (origin - middle - mean_u)
    shape = (slope.shape[0],) * batched + (slope.shape[1],) * (groups is not None)
    return Lines(level=level.reshape(shape), slope=slope.reshape(shape), origin=float(origin))
