"""Settings of a fit: penalty and starts. Uncertainty settings are `Bootstrap` and `Profile`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.errors import SettingError
from isoflop.progress.model import Model, Normalisers
from isoflop.stats.exp_sum import Array

PENALTIES = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.02)
"""Grid of the paper; 0.0025 is its default and ours."""
_SCALES = {"const": 0.7, "floor": 0.3, "year": 0.05, "rate": 0.02, "vocabulary": 0.05, "shift": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class L1:
    """Penalty delta·sum|theta_j| on a *mean* loss.

    Parameters
    ----------
    delta : float, >= 0
        Against a sum of squares the same number would be n times weaker.
    mask : {None, "slopes"}
        None penalises every parameter, as published; "slopes" leaves constants free.
    normalisers : {"sample"} or Normalisers
        What logarithms are taken against. With a penalty the fit depends on it.
    """

    delta: float = 0.0025
    mask: Literal["slopes"] | None = None
    normalisers: Literal["sample"] | Normalisers = "sample"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.delta) and self.delta >= 0):
            raise SettingError(
                f"L1: delta={self.delta}, must lie in [0, inf). The paper's grid is 0 to 0.02."
            )
        if self.mask not in (None, "slopes"):
            raise SettingError(f"L1: mask={self.mask!r}, must be None or 'slopes'.")

    def strengths(self, model: Model) -> Array:
        """Return delta_j for every parameter of a model, shape (p,)."""
        free = model.unpenalised | (model.constants if self.mask == "slopes" else False)
        return np.where(free, 0.0, self.delta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Zeros, `count` seeded random starts, and the minima of neighbouring penalties."""

    count: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise SettingError(f"Starts: count={self.count}, must be at least 0. Use 24.")

    def points(self, model: Model) -> Array:
        """Return the starts, shape (count + 1, p); the first is zero."""
        from isoflop.stats.multistart import random_starts

        return random_starts(start_scales(model), self.count, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Interval of the rate by profile likelihood instead of resampling.

    Parameters
    ----------
    level : float, in (0, 1)
    by : {"paper", "row"}
        "paper" widens the deviance by the ratio of the rate's clustered to its model variance.
    low, high : float
        Range of rates that is searched, ln/yr; a set that reaches an end is open there.
    points : int, >= 21
        Grid over the range; a dip narrower than its spacing may be missed.
    """

    level: float = 0.95
    by: Literal["paper", "row"] = "paper"
    low: float = -2.0
    high: float = 6.0
    points: int = 81

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            hint = " Did you mean 0.95?" if self.level == 95 else " Use 0.95."
            raise SettingError(f"Profile: level={self.level}, must lie in (0, 1).{hint}")
        if self.by not in ("paper", "row"):
            raise SettingError(f"Profile: by={self.by!r}, must be 'paper' or 'row'.")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise SettingError(
                f"Profile: rates {self.low} to {self.high}, needs finite low < high. Swap them."
            )
        if self.points < 21:
            raise SettingError(f"Profile: points={self.points}, must be at least 21. Use 81.")


def start_scales(model: Model) -> Array:
    """Return the standard deviation of random starts for each parameter, shape (p,)."""

    def scale(name: str) -> float:
        return next((size for part, size in _SCALES.items() if part in name), 0.1)

    return np.array([scale(name) for name in model.names])
