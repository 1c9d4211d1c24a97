"""Systems with known truth: a line for each sector, organisations that differ, teams that go missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]

ORIGIN = 2018.0
LEVEL = 20.0
"""log10 FLOP of academia's line in 2018."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedTrends:
    """Two sectors' lines and what scatters around them.

    Parameters
    ----------
    gap_2018 : float
        Industry minus academia at the start of 2018, orders of magnitude.
    academia_oom_per_year, industry_oom_per_year : float
        Slopes.
    n_academia, n_industry : int
        Systems.
    organisations : int
        Of each sector. Each is active for `active_years` only, so that its effect looks like time.
    organisation_sd, system_sd : float
        Spread of organisations and of systems within them, orders of magnitude.
    uneven : float, >= 0
        How much wider systems scatter at both ends of the span than in its middle: at 0 everywhere alike.
    active_years : float
    first, last : float
        Span of dates.
    unknown_share : float, in [0, 1)
        Chance that a system's team is not coded, alike in both sectors.

    Examples
    --------
    >>> planted = PlantedTrends(gap_2018=1.5, industry_oom_per_year=0.7, academia_oom_per_year=0.6)
    >>> round(planted.gap(2022), 9), round(planted.widening, 9)
    (1.95, 0.1)
    """

    gap_2018: float = 1.5
    academia_oom_per_year: float = 0.5
    industry_oom_per_year: float = 0.6
    n_academia: int = 80
    n_industry: int = 160
    organisations: int = 60
    organisation_sd: float = 0.0
    system_sd: float = 1.2
    uneven: float = 0.0
    active_years: float = 2.0
    first: float = 2012.0
    last: float = 2024.0
    unknown_share: float = 0.0

    def __post_init__(self) -> None:
        if min(self.n_academia, self.n_industry, self.organisations) < 1 or not self.first < self.last:
            raise SettingError(
                "PlantedTrends: needs systems and organisations of both sectors, and first < last. Raise "
                "the counts."
            )
        if not 0 <= self.unknown_share < 1 or min(self.organisation_sd, self.system_sd, self.uneven) < 0:
            raise SettingError(
                "PlantedTrends: unknown_share must lie in [0, 1) and spreads be >= 0. Change them."
            )

    @property
    def widening(self) -> float:
        """True change of the gap, orders of magnitude a year."""
        return self.industry_oom_per_year - self.academia_oom_per_year

    def gap(self, year: int) -> float:
        """Return the true gap in the middle of a calendar year."""
        return self.gap_2018 + self.widening * (year + 0.5 - ORIGIN)

    def draw(self, rng: np.random.Generator) -> PlantedSystems:
        """Return systems drawn from the truth."""
        n = self.n_academia + self.n_industry
        industry = np.arange(n) >= self.n_academia
        codes = rng.integers(0, self.organisations, n) + np.where(industry, self.organisations, 0)
        start = rng.uniform(self.first, self.last - self.active_years, 2 * self.organisations)
        effect = self.organisation_sd * rng.standard_normal(2 * self.organisations)
        t = start[codes] + self.active_years * rng.uniform(size=n)
        # On whole days, as dates are: the table that `planted_table` writes holds the same times.
        t = np.floor(t) + np.floor((t % 1) * 365) / 365.25
        slope = np.where(industry, self.industry_oom_per_year, self.academia_oom_per_year)
        line = LEVEL + np.where(industry, self.gap_2018, 0.0) + slope * (t - ORIGIN)
        middle, half = (self.first + self.last) / 2, (self.last - self.first) / 2
        spread = self.system_sd * (1 + self.uneven * np.abs(t - middle) / half)
        y = line + effect[codes] + spread * rng.standard_normal(n)
        unknown = rng.uniform(size=n) < self.unknown_share
        return PlantedSystems(t=t, log10_flop=y, industry=industry, codes=codes, unknown=unknown)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedSystems:
    """Drawn systems: times, log10 FLOP, sector, organisation, and whose team goes missing; shape (n,)."""

    t: FloatArray
    log10_flop: FloatArray
    industry: NDArray[np.bool_]
    codes: NDArray[np.int64]
    unknown: NDArray[np.bool_]


def planted_table(truth: PlantedTrends, *, seed: int = 0) -> Table:
    """Return drawn systems as evidence of schema ``models``, all notable.

    Examples
    --------
    >>> planted_table(PlantedTrends(n_academia=5, n_industry=5)).frame.height
    10
    """
    import polars as pl

    from isoflop.evidence import load

    drawn = truth.draw(np.random.default_rng(seed))
    label = np.where(drawn.industry, "Industry", "Academia")
    return load(
        pl.DataFrame(
            {
                "model": [f"system {i}" for i in range(drawn.t.size)],
                "date": [_date(t) for t in drawn.t],
                "train_flop": [f"{10.0**y:.9e}" for y in drawn.log10_flop],
                "organisations": [f"organisation {code}" for code in drawn.codes],
                "team_label": ["" if gone else name for gone, name in zip(drawn.unknown, label, strict=True)],
                "notability": ["SOTA improvement"] * drawn.t.size,
            }
        ),
        schema="models",
        name="planted",
    )


def _date(t: float) -> str:
    """Return the ISO date at which a fractional year begins."""
    days = round((t % 1) * 365.25)
    return str(dt.date(int(t), 1, 1) + dt.timedelta(days=days))
