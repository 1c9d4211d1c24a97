"""`impact`: are papers with industry more often among the most cited of their venue and year?

Raw counts of citations are never compared: age, field and the day of the crawl differ by venue. A paper's
percentile is its rank (ties averaged) among the papers of its venue and year that have a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.impact.result import Contrast, Impact, TopShare
from isoflop.divide.model import Team, TeamRule
from isoflop.divide.works_sample import WorksSample, select_works
from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.stats.checks import unit_level, whole_number
from isoflop.stats.contingency import mantel_haenszel
from isoflop.stats.intervals import wilson
from isoflop.stats.rank_tests import average_ranks

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Counting = Literal["full", "fractional"]

LEAST_STRATUM = 40
"""Papers with a count that a venue and year needs: below it the top tenth is four papers or fewer."""
TOPS = (0.9, 0.99)
TEAMS: tuple[Team, ...] = ("academia", "collaboration", "industry", "other")
SPLIT: tuple[Team, ...] = ("academia", "industry", "other")
"""Sides between which a paper is split under fractional counting."""
CONTRASTS: dict[str, tuple[Team, ...]] = {
    "industry_involved": ("industry", "collaboration"),
    "industry": ("industry",),
    "collaboration": ("collaboration",),
}
"""First group of each odds ratio; the second is academia alone."""


def impact(
    works: Table | WorksSample | Any,
    *,
    rule: TeamRule | None = None,
    since: int | None = None,
    until: int | None = None,
    venues: Sequence[str] = (),
    least: int = LEAST_STRATUM,
    counting: Counting = "full",
    level: float = 0.95,
) -> Impact:
    """Compare how often teams reach the top of their venue and year by citations.

    Parameters
    ----------
    works : Table, path, data frame or WorksSample
        Evidence of schema ``works``.
    rule, since, until, venues
        As in `select_works`.
    least : int
        Papers with a count of citations that a venue and year needs to take part.
    counting : {"full", "fractional"}
        A paper counts for its team, or is split over its organisations between academia and industry.
    level : float, in (0, 1)

    Returns
    -------
    Impact

    Raises
    ------
    EvidenceError
        No venue and year has enough papers with citations.
    SettingError
        `counting` is unknown.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"title": [f"On {i}" for i in range(80)], "year": 2020, "venue": "icml"}
    >>> rows |= {"citations": list(range(80)), "team_label": ["Academia"] * 60 + ["Industry"] * 20}
    >>> found = impact(pl.DataFrame(rows))
    >>> round(found.share("industry").share.value, 3)
    0.4
    """
    unit_level("impact", level)
    whole_number("impact", "least", least, least=2)
    if counting not in get_args(Counting):
        raise SettingError(
            f"impact: counting={counting!r}, must be one of {', '.join(get_args(Counting))}. Choose one."
        )
    sample = select_works(works, rule=rule, since=since, until=until, venues=venues)
    counted = sample.of(np.isfinite(sample.citations))
    sizes = np.bincount(counted.stratum, minlength=1)
    counted = counted.of(sizes[counted.stratum] >= least)
    if not counted.known.any():
        raise EvidenceError(
            f"{sample.table.name}: no venue and year has {least} papers with citations, one of them of "
            "known team; needs one that has. Add citations, or lower the number."
        )
    # Papers of unknown team take their rank too: who is at the top must not depend on who is known.
    percentile = percentiles(counted.citations, counted.stratum)[counted.known]
    cited = counted.of(counted.known)
    split = counting == "fractional"
    return Impact(
        sample=sample,
        n=cited.n,
        strata=len(cited.strata),
        without_citations=int((sample.known & ~np.isfinite(sample.citations)).sum()),
        least=least,
        counting=counting,
        level=level,
        shares=tuple(
            share
            for top in TOPS
            for team in (SPLIT if split else TEAMS)
            if (share := _top_share(cited, percentile, team, top, level, split)) is not None
        ),
        contrasts=tuple(
            contrast
            for top in TOPS
            for name, first in CONTRASTS.items()
            if (contrast := _contrast(cited, percentile, name, first, top, level)) is not None
        ),
    )


def percentiles(citations: FloatArray, stratum: NDArray[np.int64]) -> FloatArray:
    """Return each paper's rank over the size of its stratum, in (0, 1], ties averaged.

    Examples
    --------
    >>> percentiles(np.array([5.0, 1.0, 5.0, 9.0]), np.array([0, 0, 0, 1])).round(3).tolist()
    [0.833, 0.333, 0.833, 1.0]
    """
    out = np.empty(citations.size)
    order = np.argsort(stratum, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(stratum[order]) > 0])
    for rows in np.split(order, starts[1:]):
        out[rows] = average_ranks(citations[rows]) / rows.size
    return out


def _top_share(
    cited: WorksSample, percentile: FloatArray, team: Team, top: float, level: float, split: bool
) -> TopShare | None:
    weight = cited.frame[f"part_{team}"].to_numpy() if split else (cited.team == team).astype(float)
    total, hits = float(weight.sum()), float(weight @ (percentile > top))
    if total == 0:
        return None
    # Shares of one paper are no whole trials: Kish's effective number stands in for n.
    effective = max(total**2 / float(weight @ weight), 1.0)
    low, high = wilson(hits / total * effective, effective, level)
    return TopShare(
        team=team,
        top=top,
        papers=total,
        cited=hits,
        share=Estimate(value=hits / total, low=float(low), high=float(high), level=level, unit="1"),
    )


def _contrast(
    cited: WorksSample, percentile: FloatArray, name: str, first: tuple[Team, ...], top: float, level: float
) -> Contrast | None:
    hit, strata = percentile > top, len(cited.strata)

    def counts(keep: BoolArray) -> NDArray[np.int64]:
        return np.bincount(cited.stratum[keep], minlength=strata)

    of_first, of_second = np.isin(cited.team, first), cited.team == "academia"
    if not (of_first.any() and of_second.any()):
        return None
    ratio = mantel_haenszel(
        counts(of_first & hit), counts(of_first), counts(of_second & hit), counts(of_second), level
    )
    return Contrast(name=name, first=first, top=top, ratio=ratio)
