"""Shares of large systems: cells by period and year, changes, trends, and how much compute is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.large import Large
from isoflop.divide.model import Period, Team
from isoflop.divide.sample import MANY_UNKNOWN, Sample
from isoflop.divide.shares.periods import FEW
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

LITTLE_KNOWN = 0.6
"""Below this share of systems with known compute a caution is given."""
DEFINITION = (
    "What the paper calls a large model is not known to us, so every definition here is ours. Compare the "
    "shares under all of them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One team in one period under one definition of large.

    Parameters
    ----------
    k, n : int
        Large systems of the team, and of all known teams.
    share, low, high : float or None
        k/n with its Wilson interval; None where n is 0.
    unknown : int
        Large systems of unknown team.
    bound_low, bound_high : float or None
        The share if none, or all, of the unknown were of this team; None where the rule drops them.
    organisation_low, organisation_high : float or None
        Percentile interval over replicates that draw whole organisations; not made for single years.
    """

    large: str
    team: Team
    period: Period
    k: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    unknown: int
    bound_low: float | None
    bound_high: float | None
    organisation_low: float | None = None
    organisation_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Last period minus first: difference of shares, Newcombe's interval, Fisher's exact p."""

    large: str
    team: Team
    first: Period
    last: Period
    difference: float
    low: float
    high: float
    p_fisher: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Cochran and Armitage's test over years; None where all or none of the systems are of the team."""

    large: str
    team: Team
    span: Period
    n: int
    z: float | None
    p: float | None
    p_exact: float | None
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many systems of a team and period have known compute, of those that pass the filter."""

    team: Team
    period: Period
    with_compute: int
    n: int

    @property
    def text(self) -> str:
        """The count in words."""
        return f"{self.with_compute} of {self.n} {self.team} systems of {self.period}"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LargeShares:
    """Who made the large systems, under one or more definitions of large.

    Parameters
    ----------
    sample : Sample
    definitions : tuple of Large
        `Known` first.
    periods : tuple of Period
    teams : tuple of str
    level : float
    seed : int
    how : str
        How the periods were chosen.
    cells, years : tuple of Cell
        Definition × period × team, and definition × calendar year × team.
    changes, trends, coverage : tuple
    """

    sample: Sample
    definitions: tuple[Large, ...]
    periods: tuple[Period, ...]
    teams: tuple[Team, ...]
    level: float
    seed: int
    how: str
    cells: tuple[Cell, ...]
    years: tuple[Cell, ...]
    changes: tuple[Change, ...]
    trends: tuple[Trend, ...]
    coverage: tuple[Coverage, ...]

    def cell(self, team: Team, period: Period, large: str = "known") -> Cell:
        """Return one cell; a single year that is no period is looked up among the years.

        Raises
        ------
        KeyError
            No such team, period or definition.
        """
        for one in (*self.cells, *self.years):
            if (one.team, one.period, one.large) == (team, period, large):
                return one
        raise KeyError(f"{team}, {period}, {large}")

    def change(self, team: Team, large: str = "known") -> Change | None:
        """Return the change of a team's share, or None where nothing was compared."""
        return next((one for one in self.changes if (one.team, one.large) == (team, large)), None)

    def trend(self, team: Team, large: str = "known") -> Trend:
        """Return the trend of a team's share."""
        return next(one for one in self.trends if (one.team, one.large) == (team, large))

    @property
    def n(self) -> int:
        """Systems of known team."""
        return int(self.sample.known.sum())

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares."""
        return self.sample.provenance()

    @property
    def texts(self) -> dict[str, str]:
        """Name of each definition to its words."""
        return {one.name: one.text for one in self.definitions}

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions, DEFINITION]
        small = [c for c in self.cells if c.large == "known" and c.team == self.teams[0] and c.n < FEW]
        said += [
            f"Only {c.n} systems of known team in {c.period}: join years, or add systems." for c in small
        ]
        said += [
            f"{c.unknown} of {c.n + c.unknown} large systems of {c.period} are of unknown team: read the "
            "bounds, or code them."
            for c in self.cells
            if c.large == "known" and c.team == self.teams[0] and c.unknown > MANY_UNKNOWN * (c.n + c.unknown)
        ]
        thin = [
            c.text
            for c in self.coverage
            if c.team in ("academia", "industry") and c.n and c.with_compute < LITTLE_KNOWN * c.n
        ]
        if thin:
            said.append(f"Compute is known for only {', '.join(thin)}: the rest may hide a part of one side.")
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return definition × period × team, JSON-ready."""
        return [_row(c, self.texts) for c in self.cells]

    def year_rows(self) -> list[dict[str, Any]]:
        """Return definition × calendar year × team, JSON-ready."""
        return [
            {
                name: value
                for name, value in _row(c, self.texts).items()
                if not name.startswith("organisation")
            }
            for c in self.years
        ]

    def change_rows(self) -> list[dict[str, Any]]:
        """Return definition × team with the change and the trend, JSON-ready."""
        rows = []
        for trend in self.trends:
            change = self.change(trend.team, trend.large)
            rows.append(
                {
                    "large": trend.large,
                    "team": trend.team,
                    "first": None if change is None else str(change.first),
                    "last": None if change is None else str(change.last),
                    "difference": None if change is None else change.difference,
                    "low": None if change is None else change.low,
                    "high": None if change is None else change.high,
                    "p_fisher": None if change is None else change.p_fisher,
                    "trend_years": str(trend.span),
                    "trend_z": trend.z,
                    "trend_p": trend.p,
                    "trend_p_exact": trend.p_exact,
                }
            )
        return rows

    def coverage_rows(self) -> list[dict[str, Any]]:
        """Return team × period: systems that pass the filter, and those with known compute."""
        return [
            {
                "team": c.team,
                "period": str(c.period),
                "with_compute": c.with_compute,
                "n": c.n,
                "share": c.with_compute / c.n if c.n else None,
            }
            for c in self.coverage
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row for each definition, period and team."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the headline shares, then every share, the trends and the changes."""
        from isoflop.divide.shares.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "periods": [str(p) for p in self.periods],
                "periods_chosen": self.how,
                "definitions": self.texts,
                "shares": self.rows(),
                "by_year": self.year_rows(),
                "changes": self.change_rows(),
                "coverage": self.coverage_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.sample.text}; {self.n} systems of known team; periods: {self.how}"]
        for period in self.periods:
            parts = []
            for team in self.teams:
                c = self.cell(team, period)
                if c.share is not None:
                    parts.append(f"{team} {formats.percent(c.share)} ({c.k}/{c.n})")
            blank = self.cell(self.teams[0], period).unknown
            lines.append(f"{period}: {', '.join(parts)}; {blank} of unknown team besides")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _row(cell: Cell, texts: dict[str, str]) -> dict[str, Any]:
    return {
        "large": cell.large,
        "definition": texts[cell.large],
        "period": str(cell.period),
        "team": cell.team,
        "k": cell.k,
        "n": cell.n,
        "share": cell.share,
        "low": cell.low,
        "high": cell.high,
        "unknown": cell.unknown,
        "bound_low": cell.bound_low,
        "bound_high": cell.bound_high,
        "organisation_low": cell.organisation_low,
        "organisation_high": cell.organisation_high,
    }
