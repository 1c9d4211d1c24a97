"""Draws of what is uncertain: how much compute a system took, how well it ran, what it cost by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.afford.assumptions import Assumptions

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]

HALF_WIDTH = 1.6448536269514722
"""Half the width of a central 90 % band, in standard deviations."""
BAND: Mapping[str, float] = {"Confident": 3.0, "Likely": 10.0, "Speculative": 30.0}
"""Factor of the 90 % band that a word of confidence stands for, as Epoch AI is recalled to use the words."""
OTHERWISE = 30.0
"""Factor where no word, or another, is given."""


def compute_sd(frame: pl.DataFrame) -> FloatArray:
    """Return the standard deviation of log10 compute of each row, shape (n,).

    From the stated bounds where both are there and enclose the point, read as a 90 % band, else from the
    word of confidence.

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
    columns = ("train_flop", "train_flop_low", "train_flop_high", "confidence")
    rows = frame.select(columns).iter_rows()
    return np.array([_sd(*row) for row in rows], dtype=float)


def _sd(flop: float | None, low: float | None, high: float | None, word: str | None) -> float:
    if flop and low and high and low <= flop <= high and low < high:
        return float(np.log10(high / low)) / (2 * HALF_WIDTH)
    return float(np.log10(BAND.get(word or "", OTHERWISE))) / HALF_WIDTH


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
