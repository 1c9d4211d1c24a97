"""How well each law forecast: errors by curve, means with intervals, differences to the last value.

RMSLE = sqrt(mean (ln ŷ − ln y)²) over the forecast part of a curve, then the mean over curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.findings import Estimate
from isoflop.scaling.model import Array
from isoflop.stats.resample import Bootstrap

LEVEL = 0.95
REPS = 2000
FEWEST_CURVES = 3
"""Curves below which a bootstrap over curves says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawScore:
    """Mean RMSLE of one law, and how it compares with `last_value` on the same curves.

    Parameters
    ----------
    law : str
    rmsle, difference : Estimate
        Interval by bootstrap over curves; a negative difference is better than the last value.
    curves : int
        Curves scored; a law may need more rows than a curve has.
    """

    law: str
    rmsle: Estimate
    difference: Estimate
    curves: int

    def row(self) -> dict[str, object]:
        """Return the score as a row of a table."""
        return {
            "law": self.law,
            "rmsle": self.rmsle.value,
            "low": self.rmsle.low,
            "high": self.rmsle.high,
            "n_curves": self.curves,
            "difference": self.difference.value,
            "difference_low": self.difference.low,
            "difference_high": self.difference.high,
        }


def rmsle(log_predicted: Array, log_observed: Array) -> float:
    """Return the root mean squared log error of one curve.

    Examples
    --------
    >>> rmsle(np.log([2.0, 2.0]), np.log([2.0, 2.0]))
    0.0
    """
    return float(np.sqrt(np.mean((log_predicted - log_observed) ** 2)))


def law_scores(names: Sequence[str], errors: Array, *, seed: int) -> tuple[LawScore, ...]:
    """Return the scores of laws; the first is the one that the others are compared with.

    Parameters
    ----------
    names : sequence of str, length L
    errors : array, shape (curves, L)
        RMSLE; NaN where a law was not fitted.
    seed : int
    """
    found = []
    for j, name in enumerate(names):
        known = ~np.isnan(errors[:, j])
        own = errors[known, j]
        found.append(
            LawScore(
                law=name,
                rmsle=mean_over_curves(own, seed=seed),
                difference=mean_over_curves(own - errors[known, 0], seed=seed),
                curves=int(known.sum()),
            )
        )
    return tuple(found)


def mean_over_curves(values: Array, *, seed: int, counts: Array | None = None) -> Estimate:
    """Return the mean with its bootstrap interval over curves; none for fewer than three curves.

    Parameters
    ----------
    values : array, shape (curves,)
    seed : int
    counts : array, shape (curves,), optional
        Weight of each curve in the mean, default alike.

    Examples
    --------
    >>> mean_over_curves(np.array([0.0, 1.0]), seed=0, counts=np.array([1.0, 3.0])).value
    0.75
    """
    if not values.size:
        return Estimate(value=None, unit="1")
    weights = np.ones(values.size) if counts is None else np.asarray(counts, float)
    value = float(weights @ values / weights.sum())
    if values.size < FEWEST_CURVES:
        return Estimate(value=value, unit="1")
    drawn = Bootstrap(reps=REPS, seed=seed).weights(values.size) * weights
    low, high = np.quantile(drawn @ values / drawn.sum(axis=1), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Estimate(value=value, low=float(low), high=float(high), level=LEVEL, unit="1")
