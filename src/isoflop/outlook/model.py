"""What the outlook assumes: five formulas over findings, and every assumption as a setting.

All rates are in natural logarithms a year. With G the growth of effective compute by algorithms at fixed
hardware, d the doubling time of training compute in months and Δ the gap in orders of magnitude:

- physical growth g = 12 ln 2 / d, effective growth g + G
- lag = Δ ln 10 / (g + G) years, or Δ ln 10 / g if algorithms do not diffuse
- months of algorithmic progress that a slow-down s takes: 12 ln s / G
- months that a compute-equivalent gain c wins: 12 ln c / G
- years until a budget B reaches the compute C of a target: ln(C/B) / (g + G)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from isoflop.errors import SettingError

RATE = "progress.rate_per_year"
DOUBLING = "divide.doubling_time_months_all"
GAP = "divide.gap_oom"
SLOWDOWN = "portability.slowdown_median"
GAIN = "routing.compute_equivalent_gain"
EXPONENT = "scaling.frontier_exponent_a"
INPUTS = (RATE, DOUBLING, GAP, SLOWDOWN, GAIN, EXPONENT)
"""The findings that are joined; everything else of an instrument stays in its chapter."""
MONTHS = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the formulas take for granted.

    Parameters
    ----------
    diffusion : float, in [0, 1]
        Share of algorithmic progress that reaches those behind without delay: 1 is free diffusion.
    doubling : str
        Id of the finding that gives the doubling time of training compute.
    gap : str
        Id of the finding that gives the gap.
    usd_per_flop : float or None
        Price of a FLOP, needed for a budget in USD.
    correlation : mapping
        Pair of finding ids to the correlation of their normal scores; pairs not named are independent.
    draws : int
        Joint Monte Carlo draws.
    seed : int
    """

    diffusion: float = 1.0
    doubling: str = DOUBLING
    gap: str = GAP
    usd_per_flop: float | None = None
    correlation: Mapping[tuple[str, str], float] = field(default_factory=dict)
    draws: int = 8192
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.diffusion <= 1:
            raise SettingError(
                f"Assumptions: diffusion={self.diffusion:g}, must lie in [0, 1]. "
                "1 is free diffusion of algorithms, 0 none."
            )
        for pair, rho in self.correlation.items():
            if not -1 < rho < 1:
                raise SettingError(
                    f"Assumptions: correlation {rho:g} of {' and '.join(pair)}, must lie in (-1, 1). "
                    "Leave it out for independence."
                )


def physical_growth(doubling_months: float) -> float:
    """Return ln a year from a doubling time in months.

    Examples
    --------
    >>> round(physical_growth(12.0), 4)
    0.6931
    """
    return MONTHS * math.log(2.0) / doubling_months
