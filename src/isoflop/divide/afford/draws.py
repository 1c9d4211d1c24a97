"""Draws of what is uncertain: how much compute a system took, how well it ran, what it cost by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.afford.assumptions import Assumptions
from isoflop.divide.growth.noise import LEAST_BOUND, NINETY, confidence_sd

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]


def compute_sd(frame: pl.DataFrame) -> FloatArray:
    """Return the standard deviation of log10 compute of each row, shape (n,).

    From the stated bounds where both are there and enclose the point, read as a 90 % band, else from the
    word of confidence; so too where the lower bound is a slip, below 1e10 FLOP.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({
    ...     "train_flop": [1e20, 1e20, 1e20],
    ...     "train_flop_low": [None, None, 1e19],
    ...     "train_flop_high": [None, None, 1e21],
    ...     "confidence": ["Confident", None, "Confident"],
    ... })
    >>> compute_sd(frame).round(3).tolist()
    [0.29, 0.898, 0.608]
    """
    point, low, high = (
        np.log10(frame[name].cast(float).fill_null(float("nan")).to_numpy())
        for name in ("train_flop", "train_flop_low", "train_flop_high")
    )
    bounded = (low >= LEAST_BOUND) & (low <= point) & (point <= high) & (low < high)
    by_word = confidence_sd(frame["confidence"].to_list())
    return np.asarray(np.where(bounded, (high - low) / (2 * NINETY), by_word))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Draws of the assumptions.

    Parameters
    ----------
    utilisation : array, shape (reps,)
        Common to all systems of a draw.
    luck : array, shape (reps,)
        Quantile of the quotes that the buyer gets, common to all systems of a draw.
    error : array, shape (reps, n)
        Error of log10 compute, independent between systems.
    """

    utilisation: FloatArray
    luck: FloatArray
    error: FloatArray


def draw(assumptions: Assumptions, sd: FloatArray, *, reps: int, seed: int) -> Draws:
    """Return `reps` draws."""
    rng = np.random.default_rng(seed)
    low, high = assumptions.utilisation_range
    peak = assumptions.utilisation
    utilisation = rng.triangular(low, peak, high, reps) if low < high else np.full(reps, peak)
    return Draws(
        utilisation=utilisation,
        luck=rng.uniform(size=reps),
        error=rng.standard_normal((reps, sd.size)) * sd,
    )
