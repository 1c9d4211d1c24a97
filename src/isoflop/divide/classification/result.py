"""Teams of rows, and the decision on every distinct organisation string."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import TEAMS, Team, TeamRule
from isoflop.findings import Estimate, Finding, Provenance
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

MANY_UNKNOWN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """One distinct organisation string, or one system, and how it was decided.

    Parameters
    ----------
    string : str
        As printed; of a system its name.
    count : int
        How often it is listed.
    team : str
        Team that it would be alone.
    type : str
        Type of the organisation; of a system its team.
    rule, matched : str
        What decided.
    domain : str
        E-mail domain that was asked, where the string itself said nothing.
    """

    string: str
    count: int
    team: Team
    type: str
    rule: str
    matched: str
    domain: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Teams:
    """What `classify` found.

    Parameters
    ----------
    name : str
        Of the table or file.
    unit : str
        What a row is: ``rows`` of a file, ``systems`` of a models table.
    team : tuple of str
        Team of each row, in order.
    classes : tuple of Class
        Distinct strings, most frequent first.
    rule : TeamRule
    """

    name: str
    unit: str
    team: tuple[Team, ...]
    classes: tuple[Class, ...]
    rule: TeamRule
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.team)

    def count(self, team: Team) -> int:
        """Return how many rows are of a team."""
        return Counter(self.team)[team]

    def frame(self) -> pl.DataFrame:
        """Return one row per distinct string."""
        import polars as pl

        fields = ("string", "count", "team", "type", "rule", "matched", "domain")
        return pl.DataFrame({name: [getattr(one, name) for one in self.classes] for name in fields})

    def rows(self) -> list[dict[str, Any]]:
        """Return the distinct strings as rows of a document."""
        return self.frame().to_dicts()

    def team_rows(self) -> list[dict[str, Any]]:
        """Return each team with its count and share."""
        return [
            {"team": team, "count": self.count(team), "share": self.count(team) / self.n}
            for team in self._used()
        ]

    def rule_rows(self) -> list[dict[str, Any]]:
        """Return how many listings each rule decided."""
        said: Counter[str] = Counter()
        strings: Counter[str] = Counter()
        for one in self.classes:
            said[one.rule] += one.count
            strings[one.rule] += 1
        return [
            {"rule": rule, "strings": strings[rule], "listed": count} for rule, count in said.most_common()
        ]

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of each team among all rows, unknown included."""
        return tuple(
            Finding(
                id=f"divide.classified_share.{team}",
                instrument="divide",
                label=f"{team} teams among all {self.unit}"
                if team != "unknown"
                else f"{self.unit} of unknown team",
                estimate=Estimate(value=self.count(team) / self.n, unit="1"),
                method=f"count of all {self.unit}; {self.rule.text}; no interval: nothing was drawn",
                n=self.n,
                evidence=self.provenance,
                cautions=self.cautions,
                details={"k": self.count(team), "n": self.n},
            )
            for team in self._used()
        )

    def _used(self) -> Sequence[Team]:
        """Return the teams that the rule can give."""
        return [team for team in TEAMS if team != "public" or self.rule.public_research == "own"]

    def summary(self) -> str:
        """Return the shares of the teams in a sentence or two."""
        said = ", ".join(
            f"{team} {formats.percent(self.count(team) / self.n)}"
            for team in self._used()
            if self.count(team)
        )
        decided = sum(one.count for one in self.classes if one.type != "unknown")
        listed = sum(one.count for one in self.classes)
        named = "names" if self.unit != "systems" else "systems"
        return (
            f"{self.name}: {formats.count(self.n)} {self.unit}: {said}.\n"
            f"{formats.count(decided)} of {formats.count(listed)} {named} decided "
            f"({formats.count(len(self.classes))} distinct); {self.rule.text}."
        )

    def __repr__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"teams": self.team_rows(), "rules": self.rule_rows(), "classes": self.rows()}

    _repr_html_ = result_html
