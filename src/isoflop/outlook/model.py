"""What the outlook assumes: a few formulas over findings, and every assumption as a setting.

All rates are in natural logarithms a year. With G the growth of effective compute by algorithms at fixed
hardware, d the doubling time of training compute in months and Δ the gap in orders of magnitude:

- physical growth g = 12 ln 2 / d, effective growth g + G
- lag = Δ ln 10 / (g + φ G) years; φ is the share of algorithmic progress that reaches those behind
- months of algorithmic progress that a slow-down s takes: 12 ln s / G
- months that a compute-equivalent gain c wins: 12 ln c / G
- years until a budget B is worth the compute C of a target: ln(C/B) / (g + G), by hardware and spending
  alone ln(C/B) / g

A budget keeps its place in the trend: whoever spends B today spends as much more each year as the systems
behind `doubling` did, and gets the cheaper hardware and the better algorithms that they get.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from isoflop.errors import SettingError, closest

RATE = "progress.rate_per_year"
DOUBLING = "divide.doubling_time_months_all"
GAP = "divide.gap_oom"
SLOWDOWN = "portability.slowdown_median"
GAIN = "routing.compute_equivalent_gain"
EXPONENT = "scaling.frontier_exponent_a"
INPUTS = (RATE, DOUBLING, GAP, SLOWDOWN, GAIN, EXPONENT)
"""The findings that are joined by default; everything else of an instrument stays in its chapter."""
UNITS: Mapping[str, str] = {
    "rate": "ln/yr",
    "doubling": "months",
    "gap": "orders of magnitude",
    "slowdown": "×",
    "gain": "×",
}
"""Settings that name a finding, with the unit that it must have."""
MONTHS = 12.0
MOST_DECADES = 4.0
"""Decades beyond the data up to which a law is believed at all. The furthest published forecast of a loss
that held came from runs of at most a ten-thousandth of the compute (OpenAI 2023, GPT-4 technical report)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the formulas take for granted.

    Parameters
    ----------
    diffusion : float, in [0, 1]
        Share of algorithmic progress that reaches those behind without delay: 1 is free diffusion.
    rate, doubling, gap, slowdown, gain : str
        Ids of the findings that give the growth by algorithms, the doubling time of training compute, the
        gap between sectors, the slow-down and the compute-equivalent gain.
    usd_per_flop : float or None
        Price of a FLOP of training, needed for a budget in USD. There is no default.
    most_decades : float, >= 0
        Decades beyond the data from which a law's answer is not given.
    correlation : mapping
        Pair of finding ids to the correlation of their normal scores; pairs not named are independent.
    draws : int, >= 100
        Joint Monte Carlo draws.
    seed : int, >= 0

    Raises
    ------
    SettingError
        A setting is out of its range, or a correlation names no finding that is joined.
    """

    diffusion: float = 1.0
    rate: str = RATE
    doubling: str = DOUBLING
    gap: str = GAP
    slowdown: str = SLOWDOWN
    gain: str = GAIN
    usd_per_flop: float | None = None
    most_decades: float = MOST_DECADES
    correlation: Mapping[tuple[str, str], float] = field(default_factory=dict)
    draws: int = 8192
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.diffusion <= 1:
            raise SettingError(
                f"Assumptions: diffusion={self.diffusion:g}, must lie in [0, 1]. "
                "1 is free diffusion of algorithms, 0 none."
            )
        price = self.usd_per_flop
        if price is not None and not (math.isfinite(price) and price > 0):
            raise SettingError(
                f"Assumptions: usd_per_flop={price:g}, must lie in (0, inf). Write 3e-18, say."
            )
        if not self.most_decades >= 0:
            raise SettingError(f"Assumptions: most_decades={self.most_decades:g}, must be >= 0. Use 4.")
        if self.draws < 100:
            raise SettingError(f"Assumptions: draws={self.draws}, must be >= 100. Use 8192.")
        for pair, rho in self.correlation.items():
            self._check(pair, rho)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the findings that are joined."""
        return (self.rate, self.doubling, self.gap, self.slowdown, self.gain, EXPONENT)

    @property
    def dependence(self) -> str:
        """How the inputs hang together, in words."""
        if not self.correlation:
            return "independent"
        said = ", ".join(f"{one} with {other} {rho:g}" for (one, other), rho in self.correlation.items())
        return f"correlated ({said})"

    def choices(self) -> Iterable[tuple[str, str, str]]:
        """Yield each setting that names a finding: its name, the id and the unit it needs."""
        for name, unit in UNITS.items():
            yield name, getattr(self, name), unit

    def _check(self, pair: tuple[str, str], rho: float) -> None:
        if not -1 < rho < 1:
            raise SettingError(
                f"Assumptions: correlation {rho:g} of {' and '.join(pair)}, must lie in (-1, 1). "
                "Leave it out for independence."
            )
        for name in pair:
            if name not in self.ids:
                near = closest(name, self.ids)
                raise SettingError(
                    f"Assumptions: correlation of {name!r}, must be one of {', '.join(self.ids)}. "
                    f"{f'Did you mean {near!r}?' if near else 'Name two of these.'}"
                )
        if pair[0] == pair[1]:
            raise SettingError(f"Assumptions: correlation of {pair[0]!r} with itself. Name two findings.")


def physical_growth(doubling_months: float) -> float:
    """Return ln a year from a doubling time in months.

    Examples
    --------
    >>> round(physical_growth(12.0), 4)
    0.6931
    """
    return MONTHS * math.log(2.0) / doubling_months
