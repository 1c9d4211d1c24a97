"""How concentrated compute is: measures by period and year, holders, sectors and Lorenz curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import Period
from isoflop.divide.sample import Sample
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.concentration.holders import Holder, Names, Split

DOMINANT = 0.3
"""Above this part of all compute one system is named as carrying the numbers."""
MANY_MISSING = 0.05
KNOWN_ONLY = (
    "Only compute that is known is added up. Unpublished runs of the last years would mostly add to the few "
    "largest holders: read shares of the top as too low rather than too high."
)
PLURAL = {"organisation": "organisations", "country": "countries"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number with its interval, and the same number for plain counts of systems."""

    value: float
    low: float | None
    high: float | None
    by_count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One holder: its share of compute, and its systems (a joint one counts in parts)."""

    name: str
    share: float
    systems: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Concentration within one period.

    Parameters
    ----------
    n, holders : int
        Systems that name a holder, and holders.
    top_share, herfindahl, gini : Measure
    largest_system : float
        Part of all compute in the largest single system.
    parts : tuple of Part
        The largest holders.
    lorenz : tuple
        Share of holders, poorest first, and share of compute they hold.
    """

    period: Period
    n: int
    holders: int
    top_share: Measure
    herfindahl: Measure
    gini: Measure
    largest_system: float
    parts: tuple[Part, ...]
    lorenz: tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Concentration:
    """Who holds the known training compute.

    Parameters
    ----------
    sample : Sample
    holder : {"organisation", "country"}
    split : {"equal", "joint"}
    names : {"owner", "given"}
    top : int
    level : float
    seed : int
    how : str
        How the periods were chosen.
    periods : tuple of Period
    spreads, years : tuple of Spread
        By period, and by calendar year with enough systems (without intervals).
    teams : tuple of (Period, team, Measure, n)
        Each team's part of compute, among systems of known team.
    missing : int
        Systems that name no holder.
    """

    sample: Sample
    holder: Holder
    split: Split
    names: Names
    top: int
    level: float
    seed: int
    how: str
    periods: tuple[Period, ...]
    spreads: tuple[Spread, ...]
    years: tuple[Spread, ...]
    teams: tuple[tuple[Period, str, Measure, int], ...]
    missing: int

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence used."""
        return self.sample.provenance(self.sample.n - self.missing)

    @property
    def holders_text(self) -> str:
        """What the holders are, in the plural."""
        return PLURAL[self.holder]

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions, KNOWN_ONLY]
        if self.missing > MANY_MISSING * self.sample.n:
            said.append(
                f"{self.missing} of {self.sample.n} systems name no {self.holder} and are left out. "
                "Fill the column to cure it."
            )
        said += [
            f"One system holds {formats.percent(one.largest_system)} of the compute of {one.period}: "
            "intervals by drawing cannot say what one such run more would do. Compare several periods."
            for one in self.spreads
            if one.largest_system > DOMINANT
        ]
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a period, JSON-ready."""
        return [self._row(one) for one in self.spreads]

    def year_rows(self) -> list[dict[str, Any]]:
        """Return one row a calendar year with enough systems, JSON-ready."""
        return [self._row(one) for one in self.years]

    def _row(self, one: Spread) -> dict[str, Any]:
        row: dict[str, Any] = {"period": str(one.period), "systems": one.n, "holders": one.holders}
        for name in ("top_share", "herfindahl", "gini"):
            measure: Measure = getattr(one, name)
            row |= {
                name: measure.value,
                f"{name}_low": measure.low,
                f"{name}_high": measure.high,
                f"{name}_by_count": measure.by_count,
            }
        row["equal_holders"] = 1 / one.herfindahl.value
        row["top_share_if_equal"] = min(1.0, self.top / one.holders)
        row["largest_system"] = one.largest_system
        return row

    def holder_rows(self) -> list[dict[str, Any]]:
        """Return the largest holders of each period."""
        return [
            {
                "period": str(one.period),
                "rank": rank,
                "holder": part.name,
                "share": part.share,
                "systems": part.systems,
            }
            for one in self.spreads
            for rank, part in enumerate(one.parts, 1)
        ]

    def team_rows(self) -> list[dict[str, Any]]:
        """Return each team's part of compute by period, beside its part of systems."""
        return [
            {
                "period": str(period),
                "team": team,
                "share": measure.value,
                "low": measure.low,
                "high": measure.high,
                "share_of_systems": measure.by_count,
                "n": n,
            }
            for period, team, measure, n in self.teams
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a period."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the measures of each period, and the parts of teams and countries."""
        from isoflop.divide.concentration.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "holder": self.holder,
                "split": self.split,
                "names": self.names,
                "periods": self.rows(),
                "years": self.year_rows(),
                "holders": self.holder_rows(),
                "teams": self.team_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.sample.text}; known compute by {self.holder}; periods: {self.how}"]
        lines += [
            f"{one.period}: {min(self.top, one.holders)} of {one.holders} {self.holders_text} hold "
            f"{formats.percent(one.top_share.value)} of compute and "
            f"{formats.percent(one.top_share.by_count)} of systems; the largest single system "
            f"{formats.percent(one.largest_system)}"
            for one in self.spreads
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
