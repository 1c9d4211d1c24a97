"""Teams among foundation models and open weights, and who builds on whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import Team
from isoflop.divide.openness.bases import Built
from isoflop.divide.sample import FINAL_RUN, Sample
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

FEW = 10
WORDS = {
    "foundation": "foundation models",
    "self_supervised": "self-supervised systems",
    "open_weights": "systems with open weights",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCount:
    """k of n systems, with Wilson's interval.

    Parameters
    ----------
    bound_low, bound_high : float or None
        The share if none, or all, of the unknown were of this team.
    ratio, ratio_low, ratio_high : float or None
        The share over the team's share of all systems of the same years.
    """

    team: Team
    k: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    bound_low: float | None = None
    bound_high: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """Systems that carry a flag, by team.

    Parameters
    ----------
    n, unknown : int
        Systems of known and of unknown team that carry it.
    first, last : int
        Years in which they lie.
    whole : int
        All systems of known team of those years.
    """

    name: str
    n: int
    unknown: int
    first: int
    last: int
    whole: int
    teams: tuple[TeamCount, ...]

    def of(self, team: Team) -> TeamCount:
        """Return the count of a team."""
        return next(one for one in self.teams if one.team == team)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseShare:
    """Systems of a team that stand on an industry-only base, of those with a base found.

    Parameters
    ----------
    way : {"table", "dictionary"}
        Bases found in the same table alone, or also in a dictionary.
    noted : int
        Systems of the team with any base noted, found or not.
    links, industry_links, unknown_links : int
        Single bases found; of them industry-only, and of unknown team.
    """

    way: str
    team: Team
    k: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    noted: int
    links: int
    industry_links: int
    unknown_links: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Openness:
    """Foundation models, open weights and bases, by team.

    Parameters
    ----------
    sample : Sample
    level : float
    teams : tuple of str
    flags : mapping of str to Flagged
        ``foundation`` and ``self_supervised``, where the table marks any.
    open_weights : Flagged or None
        Systems with open weights; None where the table says so of none.
    opened : tuple of TeamCount
        By team: systems with open weights, of those whose access is known.
    built : tuple of Built
        Every system with a base noted.
    bases : tuple of BaseShare
    shared_names : int
        Bases whose name several rows of different teams carry.
    trend : tuple of float or None
        Cochran-Armitage z and p of academic systems on an industry base over years.
    dictionary : Table or None
    """

    sample: Sample
    level: float
    teams: tuple[Team, ...]
    flags: Mapping[str, Flagged]
    open_weights: Flagged | None
    opened: tuple[TeamCount, ...]
    built: tuple[Built, ...]
    bases: tuple[BaseShare, ...]
    shared_names: int
    trend: tuple[float, float] | None
    dictionary: Table | None

    def base_share(self, team: Team = "academia", way: str = "table") -> BaseShare:
        """Return how many systems of a team stand on an industry-only base."""
        return next(one for one in self.bases if (one.team, one.way) == (team, way))

    @property
    def groups(self) -> tuple[Flagged, ...]:
        """Every group of flagged systems, those with open weights last."""
        return (*self.flags.values(), *((self.open_weights,) if self.open_weights is not None else ()))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence used."""
        return self.sample.provenance()

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        # Nothing here rests on an amount of compute.
        said = [caution for caution in self.sample.cautions if caution != FINAL_RUN]
        if any(step.rule == "training compute is known" for step in self.sample.steps):
            said.append(
                "Only systems with known compute count here, which the question does not need. Select with "
                "compute=False to count all."
            )
        said += [
            f"Only {group.n} {WORDS[group.name]} have a known team: add systems."
            for group in self.groups
            if group.n < FEW
        ]
        if self.built:
            academic = [one for one in self.built if one.team == "academia"]
            lost = sum(not one.is_found() for one in academic)
            if lost:
                said.append(
                    f"The base of {lost} of {len(academic)} academic systems with one noted was not found: "
                    "add the bases to the table, or give a dictionary."
                )
            said.append(
                "A blank base means none was noted, not that there is none: shares are of systems with a "
                "base found."
            )
        if self.shared_names:
            said.append(
                f"{self.shared_names} bases carry a name that rows of different teams share. Rename them; "
                "until then the first counts."
            )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return group × team, JSON-ready."""
        return [
            {
                "group": group.name,
                "team": one.team,
                "k": one.k,
                "n": one.n,
                "share": one.share,
                "low": one.low,
                "high": one.high,
                "unknown": group.unknown,
                "bound_low": one.bound_low,
                "bound_high": one.bound_high,
                "years": f"{group.first}-{group.last}",
                "ratio": one.ratio,
                "ratio_low": one.ratio_low,
                "ratio_high": one.ratio_high,
            }
            for group in self.groups
            for one in group.teams
        ]

    def opened_rows(self) -> list[dict[str, Any]]:
        """Return by team how many systems have open weights, of those whose access is known."""
        return [
            {"team": one.team, "k": one.k, "n": one.n, "share": one.share, "low": one.low, "high": one.high}
            for one in self.opened
        ]

    def base_rows(self) -> list[dict[str, Any]]:
        """Return by team how many systems stand on an industry-only base."""
        return [
            {
                "bases_found_in": "table" if one.way == "table" else "table or dictionary",
                "team": one.team,
                "on_industry": one.k,
                "n": one.n,
                "share": one.share,
                "low": one.low,
                "high": one.high,
                "noted": one.noted,
                "links": one.links,
                "industry_links": one.industry_links,
                "unknown_links": one.unknown_links,
            }
            for one in self.bases
        ]

    def built_rows(self) -> list[dict[str, Any]]:
        """Return every base of every system, found or not."""
        return [
            {
                "model": one.model,
                "team": one.team,
                "year": one.year,
                "base": None if base is None else base.name,
                "base_team": None if base is None else base.team,
                "found_in": None if base is None else base.found_in,
            }
            for one in self.built
            for base in (one.bases or (None,))
        ]

    def year_rows(self) -> list[dict[str, Any]]:
        """Return by year the academic systems, those with a base found, and those on an industry base."""
        academic = [one for one in self.built if one.team == "academia"]
        years = self.sample.year[self.sample.team == "academia"].tolist()
        return [
            {
                "year": year,
                "systems": years.count(year),
                "base_found": sum(one.year == year and one.is_found() for one in academic),
                "on_industry": sum(one.year == year and one.stands_on("industry") for one in academic),
            }
            for year in sorted(set(years))
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row for each group and team."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return shares of groups, rates of opening, and systems on an industry base."""
        from isoflop.divide.openness.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "groups": self.rows(),
                "opened": self.opened_rows(),
                "bases": self.base_rows(),
                "by_year": self.year_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.sample.text}; {int(self.sample.known.sum())} systems of known team"]
        for group in self.groups:
            parts = [
                f"{one.team} {one.k}" + (f" ({formats.percent(one.share)})" if one.share is not None else "")
                for one in group.teams
                if one.k
            ]
            lines.append(
                f"{WORDS[group.name]}: {', '.join(parts)} of {group.n}; {group.unknown} of unknown team "
                "besides"
            )
        for one in self.bases:
            if one.team == "academia":
                place = "the table" if one.way == "table" else "the table or the dictionary"
                lines.append(
                    f"academic systems with a base in {place}: {one.n}, of which {one.k} stand on industry's"
                )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
