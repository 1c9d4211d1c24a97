"""The growth of training compute: one line for all systems and one a team, with every interval asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.growth.paper import PAPER
from isoflop.divide.growth.settings import FEW_CLUSTERS, ComputeNoise
from isoflop.divide.growth.slope import Band, Slope
from isoflop.divide.growth.steadiness import Bend, Forecast
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.sample import Sample

ALL = "all"
NEVER = "no growth not excluded"
FEW = 10
"""Below this many systems a line carries a caution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseSlopes:
    """What doubt about compute does to the slope: alone, and with the draw of systems.

    Parameters
    ----------
    noise : ComputeNoise
    alone, both : Slope
        ``both`` draws organisations and noise in the same replicate.
    """

    noise: ComputeNoise
    alone: Slope
    both: Slope


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TeamGrowth:
    """The trend of one team's systems.

    Parameters
    ----------
    team : str
        A team, or ``all``.
    n, n_clusters : int
        Systems, and organisations among them.
    intervals : tuple of Slope
        The first leads. Empty where there is no trend.
    reason : str
        Why there is no trend; empty if there is one.
    band : Band or None
        The line over time with a pointwise interval.
    bend : Bend or None
    forecasts : tuple of Forecast
    chosen_down : bool
        The default gave way to HC1 for want of organisations.
    """

    team: str
    n: int
    n_clusters: int
    intervals: tuple[Slope, ...] = ()
    reason: str = ""
    band: Band | None = None
    bend: Bend | None = None
    forecasts: tuple[Forecast, ...] = ()
    chosen_down: bool = False

    @property
    def slope(self) -> Slope:
        """The leading slope; only where `reason` is empty."""
        return self.intervals[0]

    @property
    def doubling_months(self) -> Estimate:
        """Doubling time with the leading interval; without a value where there is no trend."""
        return self.slope.doubling_months() if self.intervals else Estimate(value=None, unit="months")

    @property
    def doubts(self) -> tuple[str, ...]:
        """What limits this line."""
        said = []
        if self.intervals and self.n < FEW:
            said.append(f"Only {self.n} systems carry the trend of {self.team}: add systems.")
        if self.chosen_down:
            said.append(
                f"{self.n_clusters} organisations, fewer than {FEW_CLUSTERS}: the interval of {self.team} "
                "takes systems as independent. More organisations would let whole ones be drawn."
            )
        if self.bend is not None and self.bend.bent:
            said.append(f"{self._bent()} One doubling time averages over that: restrict the dates.")
        return tuple(said)

    def _bent(self) -> str:
        bend = self.bend
        if bend is None:
            return ""
        told = " and ".join(
            ("does not rise" if months is None else f"doubles in {months:.1f} months") + f" around {year:.0f}"
            for year, months in ((bend.first, bend.first_months), (bend.last, bend.last_months))
        )
        p = formats.number(bend.p, 2)
        return f"The trend of {self.team} bends (squared term p = {p}): the curve {told}."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputeGrowth:
    """How fast training compute grew.

    Parameters
    ----------
    sample : Sample
    lines : tuple of TeamGrowth
        All systems of known team first, then each team.
    with_unknown : TeamGrowth
        All systems, unknown teams included.
    noise : NoiseSlopes
        On the line of all.
    level : float
    seed : int
        Of the draws of systems and organisations.
    compat : bool
        The settings nearest to the paper were asked for.
    """

    sample: Sample
    lines: tuple[TeamGrowth, ...]
    with_unknown: TeamGrowth
    noise: NoiseSlopes
    level: float
    seed: int
    compat: bool

    @property
    def all(self) -> TeamGrowth:
        """The line of all systems of known team."""
        return self.lines[0]

    def team(self, team: str) -> TeamGrowth:
        """Return the line of a team, or of ``all``.

        Raises
        ------
        KeyError
            The team has no row.
        """
        for line in self.lines:
            if line.team == team:
                return line
        raise KeyError(team)

    @property
    def n(self) -> int:
        """Systems of known team."""
        return self.all.n

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the trend."""
        return self.sample.provenance()

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions]
        if self.compat:
            said.append(PAPER)
        return (*said, *self.all.doubts)

    def rows(self) -> list[dict[str, Any]]:
        """Return line × kind of interval, JSON-ready."""
        return [row for line in (*self.lines, self.with_unknown) for row in _line_rows(line)] + [
            _row(self.all, slope, kind)
            for slope, kind in (
                (self.noise.alone, "monte_carlo"),
                (self.noise.both, "monte_carlo_and_sampling"),
            )
        ]

    def forecast_rows(self) -> list[dict[str, Any]]:
        """Return line × rule: how far the trend and simpler rules miss later systems."""
        return [{"team": line.team, **one.to_dict()} for line in self.lines for one in line.forecasts]

    def frame(self) -> pl.DataFrame:
        """Return one row a line and kind of interval."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the headline, then each team and each interval; see `divide.growth.findings`."""
        from isoflop.divide.growth.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "growth": self.rows(),
                "forecasts": self.forecast_rows(),
                "bend": None if self.all.bend is None else self.all.bend.to_dict(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        unknown = self.sample.n - self.n
        lines = [f"{self.sample.text}; {self.n} systems of known team, {unknown} of unknown team besides"]
        for line in self.lines:
            if line.reason:
                lines.append(f"{line.team}: no trend; {line.reason}")
                continue
            months = line.doubling_months
            time = formats.estimate(months, unbounded=NEVER)
            lines.append(
                f"{line.team}: {'doubling in' if months.value is not None else 'doubling time'} {time} "
                f"({formats.multiple(2.0**line.slope.value)} a year), n {line.n}, {line.slope.kind}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _line_rows(line: TeamGrowth) -> list[dict[str, Any]]:
    if line.reason:
        return [{"team": line.team, "n": line.n, "n_organisations": line.n_clusters, "reason": line.reason}]
    return [_row(line, slope, slope.kind) for slope in line.intervals]


def _row(line: TeamGrowth, slope: Slope, kind: str) -> dict[str, Any]:
    months, factor, oom = slope.doubling_months(), slope.per_year(), slope.oom_per_year()
    return {
        "team": line.team,
        "interval": kind,
        "n": slope.n,
        "n_organisations": slope.n_clusters,
        "doubling_months": months.value,
        "low": months.low,
        "high": months.high,
        "open": months.interval == "open_above",
        "growth_per_year": factor.value,
        "growth_low": factor.low,
        "growth_high": factor.high,
        "oom_per_year": oom.value,
        "oom_low": oom.low,
        "oom_high": oom.high,
        "level": slope.level,
        "reason": "",
    }
