"""How many systems it takes to see the gap widen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.sample import Sample

ASSUMED = (
    "The count assumes that later systems spread around straight lines as these do, evenly over the years."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Systems a sector and year needed to see a widening of `difference` (OOM/yr) within `years`."""

    difference: float
    years: int
    systems_per_year: float

    @property
    def name(self) -> str:
        """The difference as a part of an id."""
        return f"{self.difference:g}".replace(".", "_")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DividePower:
    """How many systems it takes.

    Parameters
    ----------
    sample : Sample
    needs : tuple of Need
    detectable : float
        Widening that this table could show with the chance `power`, OOM/yr.
    observed : float
        Widening that it shows, OOM/yr.
    spread_academia, spread_industry : float
        Standard deviation around each sector's line, OOM.
    inflation : float
        Clustered over robust variance of the widening, at least 1.
    per_year : tuple of float
        Systems a year that the table has, of academia and of industry.
    n : int
        Systems of both sectors.
    power, level : float
    """

    sample: Sample
    needs: tuple[Need, ...]
    detectable: float
    observed: float
    spread_academia: float
    spread_industry: float
    inflation: float
    per_year: tuple[float, float]
    n: int
    power: float
    level: float

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind spread and dependence."""
        return self.sample.provenance(self.n)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        return (*self.sample.cautions, ASSUMED)

    def rows(self) -> list[dict[str, Any]]:
        """Return years × difference with the systems needed, JSON-ready."""
        return [
            {
                "years": one.years,
                "difference_oom_per_year": one.difference,
                "systems_per_sector_year": one.systems_per_year,
                "academia_has": self.per_year[0],
                "industry_has": self.per_year[1],
            }
            for one in self.needs
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a need."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def findings(self) -> tuple[Finding, ...]:
        """Return what this table could show, and what would be needed.

        Ids: ``divide.detectable_widening_oom_per_year`` and
        ``divide.systems_per_year_needed.<years>y.<difference>``.
        """
        chance = f"with {formats.percent(self.power)} chance at level {formats.percent(self.level)}"
        details = {
            "observed": self.observed,
            "power": self.power,
            "test_level": self.level,
            "spread_academia_oom": self.spread_academia,
            "spread_industry_oom": self.spread_industry,
            "inflation_by_organisation": self.inflation,
            "no_interval": "a calculation from the spread of this table",
        }
        shown = Finding(
            id="divide.detectable_widening_oom_per_year",
            instrument="divide",
            label=f"smallest yearly change of the gap that this table shows {chance}",
            estimate=Estimate(value=self.detectable, unit="orders of magnitude/yr"),
            method=f"normal quantiles times the standard error by organisation; {self.sample.text}",
            n=self.n,
            evidence=self.provenance,
            cautions=self.cautions,
            details=details,
        )
        needed = tuple(
            Finding(
                id=f"divide.systems_per_year_needed.{one.years}y.{one.name}",
                instrument="divide",
                label=f"systems a sector and year to see a change of {formats.number(one.difference)} orders "
                f"of magnitude a year within {one.years} years, {chance}",
                estimate=Estimate(value=one.systems_per_year, unit="systems"),
                method="evenly spread systems around two straight lines",
                n=self.n,
                evidence=self.provenance,
                cautions=self.cautions,
                details=details | {"difference": one.difference, "years": one.years},
            )
            for one in self.needs
        )
        return (shown, *needed)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "needs": self.rows(),
                "detectable": self.detectable,
                "observed": self.observed,
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        return "\n".join(
            (
                f"{self.sample.text}; {self.n} systems of academia and industry",
                f"this table shows a change of the gap of {formats.number(self.detectable)} orders of "
                f"magnitude a year or more with {formats.percent(self.power)} chance; it shows "
                f"{formats.number(self.observed)}",
                f"spread around the lines: academia {formats.number(self.spread_academia)}, industry "
                f"{formats.number(self.spread_industry)} orders of magnitude; organisations raise the "
                f"variance {formats.multiple(self.inflation)}",
            )
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
