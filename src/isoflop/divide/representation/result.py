"""The result of `divide.representation`: a ratio for each team and topic, crude and venue for venue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.representation.topics import FEW, TOPIC_NAMES, topic_id
from isoflop.divide.representation.trend import TopicTrend, topic_trend
from isoflop.divide.works_sample import WorksSample
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.model import Team


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratio:
    """One team on one topic.

    Parameters
    ----------
    team, topic : str
    both : int
        Papers of the team on the topic (a).
    on_topic, of_team, total : int
        Papers on the topic (n), of the team (A), and all (N).
    expected : float
        Papers of the team on the topic if topics did not matter within venue and year.
    crude : Estimate
        P(team | topic) / P(team), interval by the delta method.
    standardised : Estimate or None
        both / expected, interval by bootstrap; None where it was not asked for.
    p, q : float
        Fisher's p of the topic against the rest, and adjusted over the topics of the team.
    """

    team: Team
    topic: str
    both: int
    on_topic: int
    of_team: int
    total: int
    expected: float
    crude: Estimate
    standardised: Estimate | None
    p: float
    q: float

    def row(self) -> dict[str, Any]:
        """Return the ratio as one row."""
        beside = self.standardised
        return {
            "team": self.team,
            "topic": self.topic,
            "topic_name": TOPIC_NAMES.get(self.topic, self.topic),
            "papers": self.both,
            "topic_papers": self.on_topic,
            "team_papers": self.of_team,
            "all_papers": self.total,
            "share_in_topic": self.both / self.on_topic if self.on_topic else None,
            "share_overall": self.of_team / self.total,
            "ratio": self.crude.value,
            "low": self.crude.low,
            "high": self.crude.high,
            "p": self.p,
            "q": self.q,
            "expected_papers": self.expected,
            "ratio_standardised": beside.value if beside else None,
            "low_standardised": beside.low if beside else None,
            "high_standardised": beside.high if beside else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Representation:
    """Ratios of teams over topics.

    Parameters
    ----------
    sample : WorksSample
        Papers with their teams, unknown ones included; ratios rest on the known.
    topics, teams : tuple of str
    ratios : tuple of Ratio
        Teams in order, topics within them.
    strata : int
        Venue-years.
    is_standardised : bool
    reps, seed : int
    level : float
    """

    sample: WorksSample
    topics: tuple[str, ...]
    teams: tuple[Team, ...]
    ratios: tuple[Ratio, ...]
    strata: int
    is_standardised: bool
    reps: int
    level: float
    seed: int

    @property
    def n(self) -> int:
        """Papers of known team."""
        return int(self.sample.known.sum())

    def ratio(self, team: str, topic: str) -> Ratio:
        """Return the ratio of one team on one topic; KeyError if it was not compared."""
        return {(one.team, one.topic): one for one in self.ratios}[team, topic]  # type: ignore[index]

    def share(self, team: str) -> float:
        """Return a team's share of all papers of known team."""
        return float((self.sample.team == team).sum()) / self.n

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the ratios."""
        return self.sample.provenance(self.n)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the ratios, each with what would cure it."""
        said = list(self.sample.cautions)
        if not self.is_standardised:
            said.append(
                "Crude ratios mix topics with venues: a topic that lives at venues of one team looks like "
                "that team's. Standardise by venue and year to cure it."
            )
        if self.strata < 2:
            said.append("All papers are of one venue and year, or name none: standardising changes nothing.")
        apart = [one for one in self.ratios if self._disagrees(one)]
        if apart:
            names = ", ".join(f"{one.team} on {TOPIC_NAMES.get(one.topic, one.topic)}" for one in apart[:4])
            said.append(
                f"For {len(apart)} of {len(self.ratios)} ratios ({names}) the crude and the standardised one "
                "lie on different sides of 1: venue and year, not topic, may be what is seen. Trust the "
                "standardised one."
            )
        few = sum(one.both < FEW for one in self.ratios)
        if few:
            rest = "ratio rests" if few == 1 else "ratios rest"
            said.append(f"{few} {rest} on fewer than {FEW} papers: do not rank topics by them.")
        return tuple(said)

    @staticmethod
    def _disagrees(one: Ratio) -> bool:
        crude, beside = one.crude.value, one.standardised.value if one.standardised else None
        return crude is not None and beside is not None and (crude - 1) * (beside - 1) < 0

    def findings(self) -> tuple[Finding, ...]:
        """Return each ratio, crude and standardised, under its team and topic."""
        made = []
        for one in self.ratios:
            made.append(
                self._finding(
                    one,
                    "representation",
                    one.crude,
                    f"{one.team} on {TOPIC_NAMES.get(one.topic, one.topic)}, crude ratio",
                    "share of the team among the topic's papers over its share of all; delta method for a "
                    "part of the whole; Fisher p, Benjamini-Hochberg over topics",
                )
            )
            if one.standardised is not None:
                made.append(
                    self._finding(
                        one,
                        "representation_standardised",
                        one.standardised,
                        f"{one.team} on {TOPIC_NAMES.get(one.topic, one.topic)}, ratio within venue and year",
                        f"papers over those expected from {self.strata} venue-years; bootstrap of papers "
                        f"within them, {self.reps} draws",
                    )
                )
        return tuple(made)

    def _finding(self, one: Ratio, name: str, estimate: Estimate, label: str, method: str) -> Finding:
        cautions = list(self.cautions)
        if one.both < FEW:
            cautions.append(f"Only {one.both} papers: more papers on the topic would cure it.")
        return Finding(
            id=f"divide.{name}.{one.team}.{topic_id(one.topic)}",
            instrument="divide",
            label=label,
            estimate=estimate,
            method=method,
            n=one.on_topic,
            evidence=self.provenance,
            seed=self.seed if name.endswith("standardised") else None,
            cautions=tuple(cautions),
            details=one.row() | {"unknown_papers": self.sample.n - self.n},
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each team and topic."""
        return [one.row() for one in self.ratios]

    def trends(self, team: Team = "academia") -> tuple[TopicTrend, ...]:
        """Return a team's share of each topic's papers by year."""
        known = self.sample.of(self.sample.known)
        return tuple(topic_trend(known, topic, team, self.level) for topic in self.topics)

    def frame(self) -> pl.DataFrame:
        """Return the ratios as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "n": self.n,
            "unknown": self.sample.n - self.n,
            "ratios": json_ready(self.rows()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        blank = self.sample.n - self.n
        shares = ", ".join(f"{team} {formats.percent(self.share(team))}" for team in self.teams)
        lines = [
            f"{formats.count(self.n)} papers of known team at {self.strata} venue-years ({shares}); "
            f"{formats.count(blank)} more ({formats.percent(blank / self.sample.n)}) of unknown team.",
            "A ratio of 1: the team is as frequent on the topic as elsewhere.",
        ]
        if "academia" in self.teams:
            ranked = sorted(
                (one for one in self.ratios if one.team == "academia" and one.both >= FEW),
                key=lambda one: (one.standardised or one.crude).value or 0.0,
            )
            if ranked:
                kind = "within venue and year" if self.is_standardised else "crude"
                said = [
                    f"{TOPIC_NAMES.get(one.topic, one.topic)} "
                    f"{formats.fixed((one.standardised or one.crude).value or 0.0, 2)}"
                    for one in ranked[:3]
                ]
                lines.append(f"Academia alone is rarest ({kind}) on {', '.join(said)}.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
