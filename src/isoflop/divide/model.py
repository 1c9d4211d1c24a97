"""What the instrument assumes: teams, the filter, definitions of "large", kinds of interval.

How the paper codes teams and what it calls a large model is not known to us beyond its abstract and
part of its supplement, so each choice is a setting, and `divide.specification` runs them all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args

from isoflop.errors import SettingError

Team = Literal["academia", "industry", "collaboration", "other", "public", "unknown"]
Filter = Literal["notable_not_deployed", "none"]
Unknown = Literal["bounds", "drop", "academia", "industry"]
PublicResearch = Literal["other", "academia", "own"]
Leaning = Literal["collaboration", "lean"]
Attribution = Literal["organisation", "sponsor"]

TEAMS: tuple[Team, ...] = get_args(Team)
KNOWN_TEAMS: tuple[Team, ...] = TEAMS[:-1]
SECTORS: tuple[Team, Team] = ("academia", "industry")
"""The two that the gap compares."""
FILTERS: tuple[Filter, ...] = get_args(Filter)
NOTABLE = ("sota", "highly cited", "historical")
"""Criteria of notability that do not speak of deployment, which favours industry."""
SINCE = dt.date(2010, 1, 1)
"""Trends start with deep learning's first large runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRule:
    """How a row's organisations become one team.

    Parameters
    ----------
    attribution : {"organisation", "sponsor"}
        Who made it, or who paid the compute (only where the table says so).
    public_research : {"other", "academia", "own"}
        Government, facilities, non-profits, collectives and healthcare: among the others, counted as
        academia, or a team ``public`` of their own.
    leaning : {"collaboration", "lean"}
        A collaboration marked as leaning stays one, or moves to the side it leans to.
    strict : bool
        Only organisations all of one type make academia or industry.
    unknown : {"bounds", "drop", "academia", "industry"}
        Rows without a team: left out with bounds beside the point, left out, or counted as one side.
    resolve_names : bool
        Where the label is missing, decide by the names of the organisations.

    Examples
    --------
    >>> TeamRule().text
    'teams by organisation'
    >>> TeamRule(public_research="academia", strict=True).text
    'teams by organisation, public research counted as academia, strict'
    """

    attribution: Attribution = "organisation"
    public_research: PublicResearch = "other"
    leaning: Leaning = "collaboration"
    strict: bool = False
    unknown: Unknown = "bounds"
    resolve_names: bool = False

    def __post_init__(self) -> None:
        for name, kind in (
            ("attribution", Attribution),
            ("public_research", PublicResearch),
            ("leaning", Leaning),
            ("unknown", Unknown),
        ):
            given = getattr(self, name)
            if given not in get_args(kind):
                raise SettingError(
                    f"TeamRule: {name}={given!r}, must be one of {', '.join(get_args(kind))}. Choose one."
                )
        if self.resolve_names and self.attribution == "sponsor":
            raise SettingError(
                "TeamRule: resolve_names reads organisations, which attribution='sponsor' leaves aside. Drop "
                "one of them."
            )

    @property
    def text(self) -> str:
        """The rule in words, without what is default."""
        said = [f"teams by {self.attribution}"]
        if self.public_research != "other":
            own = self.public_research == "own"
            said.append("public research on its own" if own else "public research counted as academia")
        if self.leaning == "lean":
            said.append("leaning teams moved to their side")
        if self.strict:
            said.append("strict")
        if self.unknown != "bounds":
            said.append("unknown dropped" if self.unknown == "drop" else f"unknown counted as {self.unknown}")
        if self.resolve_names:
            said.append("missing labels decided by name")
        return ", ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Calendar years from `first` to `last`, both included.

    Examples
    --------
    >>> str(Period(first=2012, last=2014)), str(Period(first=2022, last=2022))
    ('2012-14', '2022')
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise SettingError(f"Period: {self.first} to {self.last}, needs first <= last. Swap the years.")

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last % 100:02d}"

    @property
    def years(self) -> range:
        """The years."""
        return range(self.first, self.last + 1)


FIRST, LAST = Period(first=2012, last=2014), Period(first=2020, last=2022)
"""Early 2010s and early 2020s, the periods of the published share."""
