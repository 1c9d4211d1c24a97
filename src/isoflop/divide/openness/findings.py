"""Findings of openness: teams of flagged systems, who opens weights, and industry's bases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from isoflop.divide.openness.result import WORDS
from isoflop.findings import Estimate, Finding

if TYPE_CHECKING:
    from isoflop.divide.openness.result import BaseShare, Flagged, Openness, TeamCount


def findings_of(found: Openness) -> tuple[Finding, ...]:
    """Return the findings of openness.

    Ids: ``divide.foundation_share.<team>``, ``divide.self_supervised_share.<team>`` and
    ``divide.open_weights_share.<team>`` (share of the group's systems), ``…_ratio.academia`` (over the
    team's share of all systems of the same years), ``divide.open_rate.<team>`` (systems with open weights,
    of the team's), ``divide.industry_base_share`` (``.with_dictionary``) and
    ``divide.industry_base_trend_z``.
    """
    return (
        *(finding for group in found.groups for finding in _group(found, group)),
        *(_rate(found, one) for one in found.opened if one.team != "unknown"),
        *(_base(found, one) for one in found.bases if one.team == "academia"),
        *_trend(found),
    )


def _estimate(found: Openness, one: TeamCount | BaseShare) -> Estimate:
    level = found.level if one.share is not None else None
    return Estimate(value=one.share, low=one.low, high=one.high, level=level, unit="1")


def _group(found: Openness, group: Flagged) -> Iterator[Finding]:
    name, words = group.name, WORDS[group.name]
    for one in group.teams:
        yield _finding(
            found,
            f"divide.{name}_share.{one.team}",
            f"share of {one.team} among {words}",
            _estimate(found, one),
            "k/n among flagged systems of known team, Wilson interval",
            one.n,
            {
                "k": one.k,
                "n": one.n,
                "unknown": group.unknown,
                "unknown_bounds": [one.bound_low, one.bound_high],
                "years": [group.first, group.last],
                **({"reason": f"no {words} of known team"} if one.share is None else {}),
            },
        )
    academia = group.of("academia")
    has = academia.ratio is not None
    yield _finding(
        found,
        f"divide.{name}_ratio.academia",
        f"share of academia among {words} over its share of all systems of {group.first} to {group.last}",
        Estimate(
            value=academia.ratio,
            low=academia.ratio_low,
            high=academia.ratio_high,
            level=found.level if has else None,
            unit="×",
        ),
        "ratio of shares, delta method for a part of a whole; Clopper-Pearson at none",
        group.n,
        {
            "k": academia.k,
            "n": group.n,
            "systems_of_the_years": group.whole,
            **({} if has else {"reason": "no academic system, or none of the group, in these years"}),
        },
    )


def _rate(found: Openness, one: TeamCount) -> Finding:
    return _finding(
        found,
        f"divide.open_rate.{one.team}",
        f"share of {one.team}'s systems with open weights, of those whose access is known",
        _estimate(found, one),
        "k/n, Wilson interval",
        one.n,
        {"k": one.k, "n": one.n},
    )


def _base(found: Openness, one: BaseShare) -> Finding:
    plain = one.way == "table"
    where = "in the table" if plain else "in the table or the dictionary"
    details: dict[str, Any] = {
        "k": one.k,
        "n": one.n,
        "systems_with_a_base_noted": one.noted,
        "links": one.links,
        "industry_links": one.industry_links,
        "links_of_unknown_team": one.unknown_links,
    }
    if found.open_weights is not None:
        # What a base picked blindly among open weights would give.
        details["industry_share_of_open_weights"] = found.open_weights.of("industry").share
    if one.share is None:
        details["reason"] = f"no academic system has a base that was found {where}"
    return _finding(
        found,
        "divide.industry_base_share" + ("" if plain else ".with_dictionary"),
        f"academic systems on an industry-only base, of those with a base found {where}",
        _estimate(found, one),
        "systems with any industry-only base over systems with any base found, Wilson interval",
        one.n,
        details,
    )


def _trend(found: Openness) -> Iterator[Finding]:
    if not found.built:
        return
    rows = found.year_rows()
    details: dict[str, Any] = {"by_year": rows, "p": None if found.trend is None else found.trend[1]}
    if found.trend is None:
        details["reason"] = (
            f"{sum(r['on_industry'] for r in rows)} academic systems on an industry base: too few"
        )
    yield _finding(
        found,
        "divide.industry_base_trend_z",
        "trend over years of academic systems that stand on an industry-only base",
        Estimate(value=None if found.trend is None else found.trend[0], unit="1"),
        "Cochran-Armitage z over calendar years, a blank base counted as none; a test statistic, no interval",
        sum(row["systems"] for row in rows),
        details,
        "Bases were noted more carefully in later years, which alone makes such a trend rise: check early "
        "systems by hand.",
    )


def _finding(
    found: Openness,
    id: str,
    label: str,
    estimate: Estimate,
    method: str,
    n: int,
    details: dict[str, Any],
    *doubts: str,
) -> Finding:
    evidence = found.sample.provenance(n)
    if id.endswith("with_dictionary") and found.dictionary is not None:
        evidence = (*evidence, found.dictionary.provenance(found.dictionary.frame.height))
    return Finding(
        id=id,
        instrument="divide",
        label=label,
        estimate=estimate,
        method=f"{method}; {found.sample.text}",
        n=n,
        evidence=evidence,
        cautions=(*found.cautions, *doubts),
        details=details,
    )
