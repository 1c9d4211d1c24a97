"""Draws of what each system's compute may have been.

Noise comes on top of estimates that already carry it, so the spread of the results is a sensitivity,
not a correction: the true trend is not sharper or flatter for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.growth.settings import UNSURE, ComputeNoise
from isoflop.stats.resample import BLOCK, replicate_blocks

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample

FloatArray = NDArray[np.float64]

FACTORS = {"Confident": 3.0, "Likely": 10.0, "Speculative": 30.0}
"""Nine times in ten the true compute lies within this factor [R]."""
NINETY = 1.6448536269514722
"""Half width of a normal curve's central 90 %, in standard deviations."""
LEAST_BOUND = 10.0
"""log10 FLOP; a lower bound below it is a slip, and the row's word of confidence is used instead."""
STREAM = 1 << 40
"""Added to the seed, so that noise and draws of rows are independent of each other."""


def noise_sd(sample: Sample, noise: ComputeNoise) -> FloatArray:
    """Return the standard deviation of log10 compute by word of confidence, shape (n,)."""
    return confidence_sd(sample.frame["confidence"].to_list(), noise.unsure)


def confidence_sd(words: Iterable[str | None], unsure: float = UNSURE) -> FloatArray:
    """Return the standard deviation of log10 compute that each word of confidence stands for, shape (n,).

    Examples
    --------
    >>> confidence_sd(["Confident", "Likely", None]).round(3).tolist()
    [0.29, 0.608, 0.898]
    """
    return np.array([math.log10(FACTORS.get(word or "", unsure)) / NINETY for word in words], dtype=float)


def noisy_log10_flop(sample: Sample, noise: ComputeNoise) -> FloatArray:
    """Return draws of log10 compute, shape (reps, n).

    Replicate i of a seed is the same whatever the number of replicates. Bounds replace the word of
    confidence where they enclose the point.
    """
    from scipy.special import ndtr

    y, n = sample.log10_flop, sample.n
    shared, codes = math.sqrt(noise.shared), sample.clusters
    own = math.sqrt(1 - noise.shared)
    clusters = int(codes.max()) + 1 if n else 0
    low, high = (np.log10(_column(sample, name)) for name in ("train_flop_low", "train_flop_high"))
    bounded = (low >= LEAST_BOUND) & (low <= y) & (y <= high) & (noise.bounds != "ignore")
    sd = noise_sd(sample, noise)
    out = np.empty((noise.reps, n))
    for generator, inside, outside in replicate_blocks(noise.seed + STREAM, 0, noise.reps):
        z = own * generator.standard_normal((BLOCK, n))
        if shared:
            z = z + shared * generator.standard_normal((BLOCK, clusters))[:, codes]
        z = z[inside]
        values = y + sd * z
        if bounded.any():
            below, above, b = (y - low)[bounded], (high - y)[bounded], z[:, bounded]
            values[:, bounded] = (
                low[bounded] + (below + above) * ndtr(b)
                if noise.bounds == "log_uniform"
                else y[bounded] + np.where(b < 0, below, above) * b / NINETY
            )
        out[outside] = values
    return out


def _column(sample: Sample, name: str) -> FloatArray:
    column = sample.frame[name].fill_null(float("nan")).to_numpy().astype(float)
    return np.where(column > 0, column, np.nan)
