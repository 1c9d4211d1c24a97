"""The choices that a headline hides, and which of their settings are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from isoflop.divide.large import AboveTrend, Known, Large, TopK, TopQuantile
from isoflop.divide.model import (
    FILTERS,
    FIRST,
    LAST,
    Attribution,
    Filter,
    Leaning,
    Period,
    PublicResearch,
    TeamRule,
)
from isoflop.errors import SettingError, closest

Headline = Literal[
    "academia_share_first",
    "academia_share_last",
    "academia_share_change",
    "gap_oom",
    "gap_widening",
    "doubling_time_months",
]
HEADLINES: tuple[Headline, ...] = get_args(Headline)
DEFAULT: tuple[Headline, ...] = HEADLINES[1:]
"""What is run where no headline is named."""
SHARES: tuple[Headline, ...] = HEADLINES[:3]
GAPS: tuple[Headline, ...] = HEADLINES[3:5]
UNITS: dict[Headline, str] = dict.fromkeys(SHARES, "1") | {
    "gap_oom": "orders of magnitude",
    "gap_widening": "orders of magnitude/yr",
    "doubling_time_months": "months",
}
LABELS: dict[Headline, str] = {
    "academia_share_first": "academia-only share of large systems, early period",
    "academia_share_last": "academia-only share of large systems, late period",
    "academia_share_change": "change of the academia-only share between the periods",
    "gap_oom": "gap in training compute, industry over academia",
    "gap_widening": "yearly widening of the gap in training compute",
    "doubling_time_months": "doubling time of training compute",
}
NULLS: dict[Headline, str] = {
    "academia_share_first": "within a year, being large is unrelated to the team",
    "academia_share_last": "within a year, being large is unrelated to the team",
    "academia_share_change": "the share is the same in both periods",
    "gap_oom": "there is no gap",
    "gap_widening": "the gap stays as it is",
    "doubling_time_months": "compute does not grow",
}
"""What each joint test supposes."""

ShareInterval = Literal["wilson", "by_organisation"]
Covariance = Literal["HC1", "OLS", "by_organisation"]

ATTRIBUTIONS: tuple[Attribution, ...] = get_args(Attribution)
PUBLIC: tuple[PublicResearch, ...] = ("other", "academia")
"""A team of its own leaves academia and industry as they are."""
LEANINGS: tuple[Leaning, ...] = get_args(Leaning)
PERIOD_PAIRS = (
    (FIRST, LAST),
    (Period(first=2010, last=2014), Period(first=2020, last=2023)),
    (Period(first=2011, last=2013), Period(first=2021, last=2023)),
)
"""Readings of "early 2010s" and "early 2020s", the words of the published share."""


def default_rules() -> tuple[TeamRule, ...]:
    """Return the rules of the default grid, the default rule first.

    Counting systems of unknown team as one side is the end of the bounds that stand beside each share,
    so it is no choice of its own here.
    """
    by_label = tuple(
        TeamRule(attribution=attribution, public_research=public, leaning=leaning, strict=strict)
        for attribution, public, leaning, strict in product(ATTRIBUTIONS, PUBLIC, LEANINGS, (False, True))
    )
    return (*by_label, TeamRule(resolve_names=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Settings of each choice; the curve runs their product, times the snapshots.

    Parameters
    ----------
    filters : tuple of {"notable_not_deployed", "none"}
    rules : tuple of TeamRule
        Rules that make the same teams on a table are run once.
    large : tuple of Large
        Of the shares.
    periods : tuple of pairs of Period
        First and last, of the shares.
    intervals : tuple of {"wilson", "by_organisation"}
        Of the shares.
    since : tuple of int
        First calendar year of gap and trend.
    gap_years : tuple of int
        Calendar years in whose middle the gap is read; one after the last row is left out.
    covariances : tuple of {"HC1", "OLS", "by_organisation"}
        Of gap and trend.
    joined : tuple of bool
        Whether collaborations count as industry in the gap.

    Raises
    ------
    SettingError
        A choice has no setting.
    """

    filters: tuple[Filter, ...] = FILTERS
    rules: tuple[TeamRule, ...] = default_rules()
    large: tuple[Large, ...] = (Known(), TopQuantile(), TopK(), AboveTrend(), AboveTrend(q=0.75))
    periods: tuple[tuple[Period, Period], ...] = PERIOD_PAIRS
    intervals: tuple[ShareInterval, ...] = get_args(ShareInterval)
    since: tuple[int, ...] = (2010, 2012)
    gap_years: tuple[int, ...] = (2020, 2022)
    covariances: tuple[Covariance, ...] = get_args(Covariance)
    joined: tuple[bool, ...] = (False, True)

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name):
                raise SettingError(f"Grid: {name} is empty, needs at least one setting. Name one.")
        for name, allowed in (
            ("filters", FILTERS),
            ("intervals", get_args(ShareInterval)),
            ("covariances", get_args(Covariance)),
        ):
            for given in getattr(self, name):
                if given not in allowed:
                    raise SettingError(
                        f"Grid: {name} holds {given!r}, must be of {', '.join(allowed)}. Choose among them."
                    )


def headlines_of(headline: Headline | Sequence[Headline] | str | None) -> tuple[Headline, ...]:
    """Return the headlines asked for, checked; `DEFAULT` for None.

    Raises
    ------
    SettingError
        No such headline.

    Examples
    --------
    >>> headlines_of("gap_oom")
    ('gap_oom',)
    """
    if headline is None:
        return DEFAULT
    asked = (headline,) if isinstance(headline, str) else tuple(dict.fromkeys(headline))
    found: list[Headline] = []
    for name in asked:
        match = next((one for one in HEADLINES if one == name), None)
        if match is None:
            near = closest(str(name), HEADLINES)
            hint = f"Did you mean {near!r}?" if near else "Choose one."
            raise SettingError(
                f"specification: headline={name!r}, must be one of {', '.join(HEADLINES)}. {hint}"
            )
        found.append(match)
    if not found:
        raise SettingError(f"specification: no headline, needs one of {', '.join(HEADLINES)}. Choose one.")
    return tuple(found)
