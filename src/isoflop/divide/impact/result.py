"""The result of `divide.impact`: shares among the most cited, and odds ratios over venues and years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from isoflop.divide.works_sample import WorksSample
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.model import Team
    from isoflop.stats.contingency import OddsRatio

TOP_NAMES = {0.9: "top_decile", 0.99: "top_percent"}
TOP_WORDS = {0.9: "tenth", 0.99: "hundredth"}
CONTRAST_WORDS = {
    "industry_involved": "papers with industry",
    "industry": "industry alone",
    "collaboration": "collaborations",
}
MANY_WITHOUT = 0.05
MIXED = 0.05
"""Below this p the strata are taken not to share one odds ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopShare:
    """One team's share among the most cited.

    Parameters
    ----------
    team : str
    top : float
        Percentile that a paper must exceed.
    papers, cited : float
        Papers of the team, and those above; fractions under fractional counting.
    share : Estimate
        cited/papers.
    """

    team: Team
    top: float
    papers: float
    cited: float
    share: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One odds ratio against academia alone.

    Parameters
    ----------
    name : str
        Key in `CONTRAST_WORDS`.
    first : tuple of str
        Teams of the first group.
    top : float
    ratio : OddsRatio
        Mantel and Haenszel's, over venues and years.
    """

    name: str
    first: tuple[Team, ...]
    top: float
    ratio: OddsRatio

    @property
    def estimate(self) -> Estimate:
        """The odds ratio with its interval."""
        one = self.ratio
        return Estimate(value=one.value, low=one.low, high=one.high, level=one.level, unit="1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Impact:
    """How often teams are among the most cited of their venue and year.

    Parameters
    ----------
    sample : WorksSample
        All papers chosen, unknown teams included.
    n : int
        Papers compared: team and citations known, in strata that are large enough.
    strata : int
    without_citations : int
        Papers of known team without a count.
    least : int
    counting : {"full", "fractional"}
    level : float
    shares : tuple of TopShare
    contrasts : tuple of Contrast
    """

    sample: WorksSample
    n: int
    strata: int
    without_citations: int
    least: int
    counting: Literal["full", "fractional"]
    level: float
    shares: tuple[TopShare, ...]
    contrasts: tuple[Contrast, ...]

    def share(self, team: str, top: float = 0.9) -> TopShare:
        """Return a team's share among the most cited; KeyError if the team has no paper."""
        return {(one.team, one.top): one for one in self.shares}[team, top]  # type: ignore[index]

    def contrast(self, name: str = "industry_involved", top: float = 0.9) -> Contrast | None:
        """Return an odds ratio against academia, or None where a side has no paper."""
        return next((one for one in self.contrasts if (one.name, one.top) == (name, top)), None)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares."""
        return self.sample.provenance(self.n)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the comparison, each with what would cure it."""
        said = list(self.sample.cautions)
        known = int(self.sample.known.sum())
        if self.without_citations > MANY_WITHOUT * known:
            said.append(
                f"{self.without_citations:,} of {known:,} papers have no count of citations and are left "
                "out, some venues and years as a whole. A source of counts for all venues would cure it."
            )
        said.append(
            "Citations say what is noticed, not what is good, and teams differ in topics: a ratio is no "
            "effect of industry. Comparing within topics would narrow it."
        )
        mixed = self.contrast()
        p = mixed.ratio.heterogeneity_p if mixed else None
        if p is not None and p < MIXED:
            said.append(
                f"Venues and years differ in the odds ratio (Breslow-Day p {formats.number(p, 2)}): the "
                "common one is an average. Read one venue alone."
            )
        if self.counting == "fractional":
            said.append(
                "Papers are split over the organisations listed, authors repeating theirs: intervals use an "
                "effective number of papers. Odds ratios count papers whole."
            )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return the odds ratios and shares."""
        made = []
        for one in self.contrasts:
            where = "" if one.top == 0.9 else ".top_percent"
            name = "" if one.name == "industry_involved" else f".{one.name}"
            made.append(
                self._finding(
                    f"divide.impact_odds_ratio{name}{where}",
                    f"odds of the most cited {TOP_WORDS[one.top]}, {CONTRAST_WORDS[one.name]} to academia",
                    one.estimate,
                    "Mantel-Haenszel odds ratio over venue-years, Robins-Breslow-Greenland interval",
                    one.ratio.n,
                    {"strata": one.ratio.strata, "heterogeneity_p": one.ratio.heterogeneity_p},
                )
            )
        made += [
            self._finding(
                f"divide.{TOP_NAMES[one.top]}_share.{one.team}",
                f"share of papers in the most cited {TOP_WORDS[one.top]}, {one.team}",
                one.share,
                f"citation percentile within venue and year, {self.counting} counting, Wilson interval",
                round(one.papers),
                {"papers": one.papers, "most_cited": one.cited, "counting": self.counting},
            )
            for one in self.shares
        ]
        return tuple(made)

    def _finding(
        self, id: str, label: str, estimate: Estimate, method: str, n: int, details: dict[str, Any]
    ) -> Finding:
        return Finding(
            id=id,
            instrument="divide",
            label=label,
            estimate=estimate,
            method=method,
            n=n,
            evidence=self.provenance,
            cautions=self.cautions,
            details=details | {"unknown_papers": self.sample.n - int(self.sample.known.sum())},
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each team and threshold."""
        return [
            {
                "team": one.team,
                "top": TOP_NAMES[one.top],
                "papers": one.papers,
                "most_cited": one.cited,
                "share": one.share.value,
                "low": one.share.low,
                "high": one.share.high,
            }
            for one in self.shares
        ]

    def contrast_rows(self) -> list[dict[str, Any]]:
        """Return one row for each odds ratio."""
        return [
            {
                "contrast": f"{CONTRAST_WORDS[one.name]} to academia",
                "top": TOP_NAMES[one.top],
                "odds_ratio": one.ratio.value,
                "low": one.ratio.low,
                "high": one.ratio.high,
                "strata": one.ratio.strata,
                "papers": one.ratio.n,
                "heterogeneity_p": one.ratio.heterogeneity_p,
            }
            for one in self.contrasts
        ]

    def frame(self) -> pl.DataFrame:
        """Return the shares as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "n": self.n,
            "strata": self.strata,
            "shares": json_ready(self.rows()),
            "odds_ratios": json_ready(self.contrast_rows()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        blank = self.sample.n - int(self.sample.known.sum())
        lines = [
            f"{formats.count(self.n)} papers with citations and a known team at {self.strata} venue-years of "
            f"{self.least} or more; {formats.count(self.without_citations)} have no count, "
            f"{formats.count(blank)} ({formats.percent(blank / self.sample.n)}) no known team."
        ]
        said = [
            f"{one.team} {formats.percent(one.share.value or 0.0, 1)}"
            for one in self.shares
            if one.top == 0.9
        ]
        lines.append(f"In the most cited tenth of their venue and year: {', '.join(said)}.")
        head = self.contrast()
        if head is not None and head.ratio.value is not None:
            lines.append(
                f"Odds ratio, papers with industry to academia alone: {formats.estimate(head.estimate)}."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
