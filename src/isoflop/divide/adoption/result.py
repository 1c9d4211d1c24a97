"""The result of `divide.adoption`: shares by year, crude and at a fixed mix of venues, and by developer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.adoption.naming import Wanted
from isoflop.divide.works_sample import WorksSample
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.model import Team

NOT_USE = (
    "A mention in title, abstract or keywords is not a use, and many uses are mentioned in the full text "
    "alone: the level is too low by an unknown factor. Full texts or reference lists would cure it."
)
STANDARD = (
    "The crude share of a year follows the venues present in it: read the share at a fixed mix of venues."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearAdoption:
    """One year.

    Parameters
    ----------
    year : int
    k, n : int
        Papers that name a model, and all papers of the team.
    refused : int
        Papers that name one before its release.
    doubtful : int
        Papers counted only by entries that stand for models with open and with closed weights alike.
    crude : Estimate
        k/n with Wilson's interval.
    standardised : Estimate
        At the mix of venues of all years; without a value where the year cannot be linked to others.
    venues : int
    """

    year: int
    k: int
    n: int
    refused: int
    doubtful: int
    crude: Estimate
    standardised: Estimate
    venues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeveloperShare:
    """Papers that name a model of one developer, over all years."""

    developer: str
    k: int
    share: Estimate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Adoption:
    """How often a team's papers name, or use, models of industry.

    Parameters
    ----------
    sample : WorksSample
    team : str
    kind : {"mention", "use"}
    wanted : Wanted
        Which models count.
    source : str
        Where the names were read.
    n : int
        Papers of the team.
    years : tuple of YearAdoption
    developers : tuple of DeveloperShare
        Most frequent first.
    chance : tuple
        Mentions before release, mentions expected by chance among the others, and those others.
    growth : Estimate
        Standardised share of the last three years over that of the first three since any mention.
    strange : mapping of str to int
        Entries that the dictionary does not know.
    reps, seed : int
    level : float
    """

    sample: WorksSample
    team: Team
    kind: str
    wanted: Wanted
    source: str
    n: int
    years: tuple[YearAdoption, ...]
    developers: tuple[DeveloperShare, ...]
    chance: tuple[int, float, int]
    growth: Estimate
    strange: Mapping[str, int]
    reps: int
    level: float
    seed: int

    def year(self, year: int) -> YearAdoption:
        """Return one year; KeyError if there is no paper of it."""
        return {one.year: one for one in self.years}[year]

    @property
    def last(self) -> YearAdoption:
        """The last year that has a standardised share, else the last."""
        return next((y for y in reversed(self.years) if y.standardised.value is not None), self.years[-1])

    @property
    def refused(self) -> int:
        """Mentions before the release of what they seem to name."""
        return self.chance[0]

    @property
    def precision(self) -> float | None:
        """Share of the counted mentions that are not chance, by the rate before release; None without any."""
        _, expected, kept = self.chance
        return 1 - expected / kept if kept else None

    @property
    def method(self) -> str:
        """One line for findings."""
        return f"{self._label}; {self.source}"

    @property
    def _label(self) -> str:
        what = "name" if self.kind == "mention" else "use"
        return f"{self.team}-only papers that {what} {self.wanted.text} of industry"

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares."""
        return self.sample.provenance(self.n)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the shares, each with what would cure it."""
        said = [*self.sample.cautions, STANDARD]
        if self.kind == "mention":
            said.append(NOT_USE)
        if self.kind == "mention" and self.source == "words in title":
            said.append("Only titles were searched, which name few models. Abstracts would cure it.")
        if self.refused:
            said.append(
                f"{self.refused} mentions lie before the release of what they seem to name and are refused. "
                f"At that rate {formats.percent(1 - (self.precision or 0.0))} of those counted would be "
                "chance too: a closer dictionary would cure it."
            )
        doubtful, named = sum(y.doubtful for y in self.years), sum(y.k for y in self.years)
        if doubtful:
            said.append(
                f"{doubtful} of {named} papers are counted by names that stand for open and closed models "
                "alike (a family of which some are open, say). Tables that name single models would cure it."
            )
        if self.strange:
            names = ", ".join(f"{name} ({count})" for name, count in list(self.strange.items())[:3])
            said.append(f"Entries that the dictionary does not have are left out: {names}. Add them to it.")
        apart = [y.year for y in self.years if y.standardised.value is None]
        if apart:
            said.append(
                f"{len(apart)} years ({apart[0]} to {apart[-1]}) share no venue with the others that names a "
                "model: no share at a fixed mix. Venues present in all years would cure it."
            )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of the last year at a fixed mix, each year crude and standardised, and growth."""
        last = self.last
        label = self._label
        made = [
            self._finding(
                "divide.adoption_share",
                f"{label}, {last.year}, at a fixed mix of venues",
                last.standardised,
                last,
            ),
            Finding(
                id="divide.adoption_growth",
                instrument="divide",
                label=f"{label}: last three years over the first three, at a fixed mix of venues",
                estimate=self.growth,
                method=f"{self.method}; venue and year effects, bootstrap of {self.reps} draws",
                n=self.n,
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details={} if self.growth.value is not None else {"reason": "too few linked years"},
            ),
        ]
        for one in self.years:
            made.append(
                self._finding(f"divide.adoption_share.{one.year}", f"{label}, {one.year}", one.crude, one)
            )
            made.append(
                self._finding(
                    f"divide.adoption_share_standardised.{one.year}",
                    f"{label}, {one.year}, at a fixed mix of venues",
                    one.standardised,
                    one,
                )
            )
        return tuple(made)

    def _finding(self, id: str, label: str, estimate: Estimate, year: YearAdoption) -> Finding:
        crude = id.startswith("divide.adoption_share.")
        how = "Wilson interval" if crude else f"venue and year effects, bootstrap of {self.reps} draws"
        details: dict[str, Any] = self._row(year) | {
            "unknown_papers": self.sample.n - int(self.sample.known.sum()),
            "refused_mentions": self.refused,
            "precision_by_release": self.precision,
        }
        if estimate.value is None:
            details["reason"] = "the year shares no venue with the others that names a model"
        return Finding(
            id=id,
            instrument="divide",
            label=label,
            estimate=estimate,
            method=f"{self.method}; {how}",
            n=year.n,
            evidence=self.provenance,
            seed=None if crude else self.seed,
            cautions=self.cautions,
            details=details,
        )

    @staticmethod
    def _row(one: YearAdoption) -> dict[str, Any]:
        return {
            "year": one.year,
            "papers": one.n,
            "naming": one.k,
            "refused": one.refused,
            "may_be_closed": one.doubtful,
            "venues": one.venues,
            "share": one.crude.value,
            "low": one.crude.low,
            "high": one.crude.high,
            "share_standardised": one.standardised.value,
            "low_standardised": one.standardised.low,
            "high_standardised": one.standardised.high,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a year."""
        return [self._row(one) for one in self.years]

    def developer_rows(self) -> list[dict[str, Any]]:
        """Return one row for each developer."""
        return [
            {
                "developer": d.developer,
                "papers": d.k,
                "share": d.share.value,
                "low": d.share.low,
                "high": d.share.high,
            }
            for d in self.developers
        ]

    def frame(self) -> pl.DataFrame:
        """Return the shares by year as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "n": self.n,
            "by_year": json_ready(self.rows()),
            "by_developer": json_ready(self.developer_rows()),
            "refused": self.refused,
            "precision_by_release": self.precision,
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        last, blank = self.last, self.sample.n - int(self.sample.known.sum())
        lines = [
            f"{self.method}: {formats.count(self.n)} papers; {formats.count(blank)} more in the table "
            f"({formats.percent(blank / self.sample.n)}) have no known team.",
            f"{last.year}: {formats.percent(last.crude.value or 0.0)} crude"
            + (
                f", {formats.percent(last.standardised.value)} at a fixed mix of venues."
                if last.standardised.value is not None
                else "; no share at a fixed mix of venues."
            ),
        ]
        if self.growth.value is not None:
            lines.append(f"Last three years over the first three: {formats.estimate(self.growth)}.")
        if self.developers:
            said = ", ".join(f"{d.developer} {formats.count(d.k)}" for d in self.developers[:5])
            lines.append(f"Papers by developer: {said}.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
