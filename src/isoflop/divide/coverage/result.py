"""How much of the evidence has compute at all, and how far the rest could move the conclusions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.coverage.tilt import Tilt
from isoflop.divide.gap.model import rough_factor
from isoflop.divide.model import SECTORS, Period, Team
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.sample import Sample

LITTLE_KNOWN = 0.6
"""Below this share with compute a sector's year carries a caution."""
FEW = 10
FAR = 6.0
"""Orders of magnitude beyond which a shift is no longer worth a thought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """Systems of a team and period, and those with known compute, with an interval of the share."""

    team: Team
    period: Period
    with_compute: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share with known compute."""
        return self.with_compute / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyCompute:
    """Academia's count among systems of known team: all that were noted, and those with compute."""

    period: Period
    k_any: int
    n_any: int
    k_known: int
    n_known: int

    @property
    def share_any(self) -> float:
        """Share among all noted."""
        return self.k_any / self.n_any

    @property
    def share_known(self) -> float | None:
        """Share among those with known compute."""
        return self.k_known / self.n_known if self.n_known else None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputeCoverage:
    """For whom compute is known, and what the others could change.

    Parameters
    ----------
    sample : Sample
        With the rows whose compute is not known.
    cells, totals : tuple of CoverageCell
        Team × calendar year with Wilson intervals; team over all years, by draws of organisations.
    shares : tuple of AnyCompute
    tilts : tuple of Tilt
    no_tilt : str
        Why there are no tilts; empty if there are.
    at_year : int
        Of the gap.
    level : float
    seed : int
    """

    sample: Sample
    cells: tuple[CoverageCell, ...]
    totals: tuple[CoverageCell, ...]
    shares: tuple[AnyCompute, ...]
    tilts: tuple[Tilt, ...]
    no_tilt: str
    at_year: int
    level: float
    seed: int

    def total(self, team: str) -> CoverageCell:
        """Return a team over all years.

        Raises
        ------
        KeyError
            The team has no system.
        """
        for cell in self.totals:
            if cell.team == team:
                return cell
        raise KeyError(team)

    def tilt(self, headline: str, pattern: str) -> Tilt:
        """Return one shift.

        Raises
        ------
        KeyError
            There is none of that kind.
        """
        for one in self.tilts:
            if (one.headline, one.pattern) == (headline, pattern):
                return one
        raise KeyError(f"{headline}, {pattern}")

    @property
    def thin(self) -> tuple[CoverageCell, ...]:
        """Years of academia or industry in which compute is known for less than 60 %."""
        return tuple(c for c in self.cells if c.team in SECTORS and c.share < LITTLE_KNOWN and c.n >= FEW)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the counts."""
        return self.sample.provenance()

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions]
        if self.thin:
            told = ", ".join(f"{c.team} {c.period} {c.with_compute} of {c.n}" for c in self.thin)
            said.append(
                f"Compute is known for less than 60 % of {told}: estimate the others, or read the shift."
            )
        if self.no_tilt:
            said.append(f"Missing compute cannot be shifted: {self.no_tilt}")
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return team × calendar year, JSON-ready."""
        return [_row(cell) for cell in self.cells]

    def total_rows(self) -> list[dict[str, Any]]:
        """Return each team over all years, JSON-ready."""
        return [_row(cell) for cell in self.totals]

    def tilt_rows(self) -> list[dict[str, Any]]:
        """Return headline × whose missing systems are shifted, JSON-ready."""
        return [one.to_dict() for one in self.tilts]

    def share_rows(self) -> list[dict[str, Any]]:
        """Return academia's share with and without the need for compute, JSON-ready."""
        return [
            {
                "period": str(one.period),
                "k_any": one.k_any,
                "n_any": one.n_any,
                "share_any": one.share_any,
                "k_known": one.k_known,
                "n_known": one.n_known,
                "share_known": one.share_known,
            }
            for one in self.shares
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a team and calendar year."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return coverage by team, and the tipping points.

        Ids: ``divide.compute_coverage.<team>``, ``divide.missing_tilt_oom.<headline>.<pattern>`` and
        ``divide.academia_share_any_compute.<period>``.
        """
        covered = [self._covered(cell) for cell in self.totals]
        tipped = [self._tipped(one) for one in self.tilts if one.headline != "growth"]
        shared = [self._shared(one) for one in self.shares]
        return (*covered, *tipped, *shared)

    def _covered(self, cell: CoverageCell) -> Finding:
        return Finding(
            id=f"divide.compute_coverage.{cell.team}",
            instrument="divide",
            label=f"share of {cell.team}'s systems with known compute, {cell.period}",
            estimate=Estimate(value=cell.share, low=cell.low, high=cell.high, level=self.level, unit="1"),
            method=f"k/n, percentiles over draws of organisations; {self.sample.text}",
            n=cell.n,
            evidence=self.sample.provenance(cell.n),
            seed=self.seed,
            cautions=self.cautions,
            details={
                "k": cell.with_compute,
                "n": cell.n,
                "by_year": {str(c.period): [c.with_compute, c.n] for c in self.cells if c.team == cell.team},
            },
        )

    def _tipped(self, one: Tilt) -> Finding:
        whose = "of both sectors" if one.pattern == "both" else f"of {one.pattern}"
        what = f"gap of mid-{self.at_year}" if one.headline == "gap" else "yearly change of the gap"
        details: dict[str, Any] = {
            "observed": one.observed,
            "change_per_oom": one.per_oom,
            "tips_at_interval": one.tips_at_interval,
            "n_missing": one.n_missing,
        }
        if one.tips_at is None:
            details["reason"] = "no system's compute is missing there, so no shift moves it"
        return Finding(
            id=f"divide.missing_tilt_oom.{one.headline}.{one.pattern}",
            instrument="divide",
            label=f"shift of missing compute {whose} at which the {what} would be 0",
            estimate=Estimate(value=one.tips_at, unit="orders of magnitude"),
            method="missing compute on its team's line plus a common shift; a what-if, no interval",
            n=one.n_missing,
            evidence=self.provenance,
            cautions=self.cautions,
            details=details,
        )

    def _shared(self, one: AnyCompute) -> Finding:
        return Finding(
            id=f"divide.academia_share_any_compute.{one.period}",
            instrument="divide",
            label=f"academia-only share of all noted systems, compute known or not, {one.period}",
            estimate=_wilson(one.k_any, one.n_any, self.level),
            method=f"k/n among systems of known team, Wilson interval; {self.sample.text}",
            n=one.n_any,
            evidence=self.sample.provenance(one.n_any),
            cautions=self.cautions,
            details={"k": one.k_any, "n": one.n_any, "share_with_known_compute": one.share_known},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "coverage": self.rows(),
                "totals": self.total_rows(),
                "tilts": self.tilt_rows(),
                "shares": self.share_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            f"{self.sample.text}; {self.sample.n} systems, compute known or not, "
            f"{int((~self.sample.known).sum())} of unknown team"
        ]
        lines += [
            f"{c.team}: compute known for {c.with_compute} of {c.n} ({formats.percent(c.share)})"
            for c in self.totals
        ]
        lines += [tipping_text(one, self.at_year) for one in self.tilts if one.headline == "gap"]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def tipping_text(one: Tilt, year: int) -> str:
    """Return in words what shift of missing compute would close the gap."""
    whose = "all missing systems" if one.pattern == "both" else f"the missing systems of {one.pattern}"
    if one.tips_at is None:
        return f"{whose}: none, or none that could move the gap of {year}"
    if abs(one.tips_at) > FAR:
        return f"the gap of {year} stays whatever {whose} used within a factor of {formats.number(10.0**FAR)}"
    more = "more" if one.tips_at > 0 else "less"
    times = formats.number(rough_factor(abs(one.tips_at)))
    return f"the gap of {year} would vanish if {whose} used {times} times {more} than their team's line says"


def _row(cell: CoverageCell) -> dict[str, Any]:
    return {
        "team": cell.team,
        "period": str(cell.period),
        "with_compute": cell.with_compute,
        "n": cell.n,
        "share": cell.share,
        "low": cell.low,
        "high": cell.high,
    }


def _wilson(k: int, n: int, level: float) -> Estimate:
    from isoflop.stats.intervals import wilson

    low, high = wilson(k, n, level)
    return Estimate(value=k / n, low=float(low), high=float(high), level=level, unit="1")
