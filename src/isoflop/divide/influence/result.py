"""What each headline becomes without one organisation, and what the lines leave over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.sample import Sample

RANGE = (
    "A range over removals is no interval: it says on whom a number hangs, not how far it would move on "
    "other systems."
)

NAMES = {
    "doubling_time_months_all": "doubling time, all (months)",
    "doubling_time_months.academia": "doubling time, academia (months)",
    "doubling_time_months.industry": "doubling time, industry (months)",
    "gap_oom": "gap (OOM)",
    "gap_widening_oom_per_year": "change of the gap (OOM a year)",
    "academia_share_first": "academia's share, 2012-14",
    "academia_share_last": "academia's share, 2020-22",
    "industry_share_last": "industry's share, 2020-22",
}
"""Headlines in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One headline without each organisation in turn.

    Parameters
    ----------
    headline : str
        Id of the finding without the instrument's name.
    unit : str
    value : float
        With every organisation.
    low, high : float
        Least and greatest over the removals.
    organisation : str
        Whose removal moves it most.
    without : float
        The headline then.
    n_removed : int
        Systems that name it.
    lost : int
        Removals without which the headline has no value.
    top : tuple of (str, float, int)
        The organisations that move it most, the headline then, and their systems.
    """

    headline: str
    unit: str
    value: float
    low: float
    high: float
    organisation: str
    without: float
    n_removed: int
    lost: int
    top: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearResidual:
    """Mean of log10 compute minus the sector's line in one calendar year."""

    team: str
    year: int
    n: int
    mean_oom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Spread around a sector's line, and the correlation of its yearly means from year to year."""

    team: str
    sd_oom: float
    autocorrelation: float | None
    n_years: int

    @property
    def chance(self) -> float:
        """Size below which an autocorrelation of independent years lies in 95 of 100 cases, roughly."""
        return 1.96 / math.sqrt(self.n_years)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Influence:
    """On whom the headlines hang.

    Parameters
    ----------
    sample : Sample
        Systems of known team.
    removals : tuple of Removal
    residuals : tuple of YearResidual
    leftovers : tuple of Leftover
    at_year : int
        Of the gap.
    n_organisations : int
        Removed in turn.
    """

    sample: Sample
    removals: tuple[Removal, ...]
    residuals: tuple[YearResidual, ...]
    leftovers: tuple[Leftover, ...]
    at_year: int
    n_organisations: int

    def removal(self, headline: str) -> Removal:
        """Return one headline's removals.

        Raises
        ------
        KeyError
            It has no value on this evidence.
        """
        for one in self.removals:
            if one.headline == headline:
                return one
        raise KeyError(headline)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the removals."""
        return self.sample.provenance(self.sample.n)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions, RANGE]
        said += [
            f"Yearly means of {one.team} follow each other (correlation "
            f"{formats.number(one.autocorrelation, 2)} over {one.n_years} years): a straight line leaves "
            "something over. Restrict the dates, or bend it."
            for one in self.leftovers
            if one.autocorrelation is not None and abs(one.autocorrelation) > one.chance
        ]
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return headline × the organisations that move it most, JSON-ready."""
        return [
            {
                "headline": one.headline,
                "unit": one.unit,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "rank": rank,
                "organisation": name,
                "without": without,
                "systems": systems,
            }
            for one in self.removals
            for rank, (name, without, systems) in enumerate(one.top, start=1)
        ]

    def residual_rows(self) -> list[dict[str, Any]]:
        """Return sector × year with the mean residual, JSON-ready."""
        return [
            {"team": one.team, "year": one.year, "n": one.n, "mean_oom": one.mean_oom}
            for one in self.residuals
        ]

    def leftover_rows(self) -> list[dict[str, Any]]:
        """Return each sector's spread and autocorrelation, JSON-ready."""
        return [
            {
                "team": one.team,
                "sd_oom": one.sd_oom,
                "autocorrelation": one.autocorrelation,
                "chance": one.chance,
                "n_years": one.n_years,
            }
            for one in self.leftovers
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a headline and organisation."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return each headline with its range: ``divide.leave_one_out.<headline>``."""
        return tuple(self._finding(one) for one in self.removals)

    def _finding(self, one: Removal) -> Finding:
        return Finding(
            id=f"divide.leave_one_out.{one.headline}",
            instrument="divide",
            label=f"{NAMES[one.headline]}: range without one organisation",
            estimate=Estimate(value=one.value, low=one.low, high=one.high, unit=one.unit),
            method=f"least and greatest over {self.n_organisations} removals; a range, no interval; "
            f"{self.sample.text}",
            n=self.sample.n,
            evidence=self.provenance,
            cautions=self.cautions,
            details={
                "organisation": one.organisation,
                "without": one.without,
                "systems_removed": one.n_removed,
                "removals_without_value": one.lost,
                "top": [{"organisation": o, "without": v, "systems": n} for o, v, n in one.top],
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "influence": self.rows(),
                "residuals": self.residual_rows(),
                "leftovers": self.leftover_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.sample.text}; {self.n_organisations} organisations removed in turn"]
        lines += [
            f"{NAMES[one.headline]}: {formats.number(one.value)}; {formats.number(one.low)} to "
            f"{formats.number(one.high)}; most by {one.organisation} ({_systems(one.n_removed)}): "
            f"{formats.number(one.without)}"
            for one in self.removals
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _systems(n: int) -> str:
    return f"{formats.count(n)} system{'' if n == 1 else 's'}"
