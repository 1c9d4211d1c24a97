"""Shares of teams from counted works: each with its interval and what unknown teams could make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import SettingError
from isoflop.evidence.openalex.narrow import TEAMS
from isoflop.evidence.openalex.query import SETS, WorkCounts, group_type
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.stats.intervals import wilson

if TYPE_CHECKING:
    import polars as pl

KNOWN = TEAMS[1:]
MANY_UNKNOWN = 0.05
"""Above this share of works without a known team a caution is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkShare:
    """One team's share in one group.

    Parameters
    ----------
    group : mapping
        Names of the group by grouping; empty for all works.
    team : str
    k, n, unknown : int
        Works of the team, works of known team, works of unknown team.
    share, low, high : float or None
        k/n with its Wilson interval; None where no team is known.
    least, most : float
        The share if all unknown works were of other teams, or of this one.
    """

    group: Mapping[str, Any]
    team: str
    k: int
    n: int
    unknown: int
    share: float | None
    low: float | None
    high: float | None
    least: float
    most: float

    def row(self) -> dict[str, Any]:
        """Return the share as a row."""
        names = ("team", "k", "n", "unknown", "share", "low", "high", "least", "most")
        return {**self.group, **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkShares:
    """Shares of teams over all works counted, and in each group.

    Parameters
    ----------
    counts : WorkCounts
    overall : tuple of WorkShare
        Empty where a work may stand in several groups, so that they do not add up.
    cells : tuple of WorkShare
    level : float
    """

    counts: WorkCounts
    overall: tuple[WorkShare, ...]
    cells: tuple[WorkShare, ...]
    level: float

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Return the narrow table behind the shares."""
        return self.counts.provenance

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return what limits the shares."""
        said = list(self.counts.cautions)
        for one in self.overall[:1]:
            total = one.n + one.unknown
            if one.unknown > MANY_UNKNOWN * total:
                part = formats.percent(one.unknown / total)
                said.append(
                    f"{one.unknown:,} of {total:,} works ({part}) name no institution of "
                    "known type: see the bounds. OpenAlex fills older and non-English works less often."
                )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a group and team."""
        return [one.row() for one in self.cells]

    def frame(self) -> pl.DataFrame:
        """Return one row a group and team."""
        import polars as pl

        ratios = dict.fromkeys(("share", "low", "high", "least", "most"), pl.Float64)
        numbers = dict.fromkeys(("k", "n", "unknown"), pl.Int64)
        others = {name: group_type(name) for name in self.counts.by if name != "team"}
        return pl.DataFrame(self.rows(), schema={**others, "team": pl.String, **numbers, **ratios})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "counts": self.counts.to_dict(),
            "overall": json_ready([one.row() for one in self.overall]),
            "shares": json_ready(self.rows()),
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return the counts and the shares over all of them."""
        shown = [f"{one.team} {formats.percent(one.share)}" for one in self.overall if one.share is not None]
        unknown = f"; {self.overall[0].unknown:,} of unknown team besides" if self.overall else ""
        return self.counts.summary() + (f"\n{', '.join(shown)}{unknown}" if shown else "")

    def findings(self) -> tuple[Finding, ...]:
        """Return ``divide.works_share.<team>`` over all works counted, with bounds in details."""
        return tuple(
            Finding(
                id=f"divide.works_share.{one.team}",
                instrument="divide",
                label=f"{one.team} share of works of known team",
                estimate=Estimate(
                    value=one.share,
                    low=one.low,
                    high=one.high,
                    level=self.level if one.share is not None else None,
                    unit="1",
                ),
                method=f"k/n, Wilson interval; {self.counts.where.text}; teams by type of institution",
                n=one.n,
                evidence=self.provenance,
                cautions=self.cautions,
                details={
                    "k": one.k,
                    "unknown": one.unknown,
                    "unknown_bounds": [one.least, one.most],
                    **({"reason": "no work names an institution of known type"} if one.share is None else {}),
                },
            )
            for one in self.overall
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def work_shares(counts: WorkCounts, *, level: float = 0.95) -> WorkShares:
    """Return the share of each team in each group of counts by team.

    Parameters
    ----------
    counts : WorkCounts
        Counted by team, alone or with other groupings.
    level : float

    Raises
    ------
    SettingError
        Teams are not among the groupings.
    """
    if "team" not in counts.by:
        raise SettingError(f"shares: counts by {', '.join(counts.by)}, need 'team' too. Add it to --by.")
    others = tuple(name for name in counts.by if name != "team")
    groups: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in counts.rows:
        cell = groups.setdefault(tuple(row[name] for name in others), dict.fromkeys(TEAMS, 0))
        cell[row["team"]] += row["works"]
    named = [(dict(zip(others, key, strict=True)), cell) for key, cell in groups.items()]
    overall: tuple[WorkShare, ...] = ()
    if not set(others) & set(SETS):
        total = {team: sum(cell[team] for cell in groups.values()) for team in TEAMS}
        overall = _shares([({}, total)], level)
    return WorkShares(counts=counts, overall=overall, cells=_shares(named, level), level=level)


def _shares(
    groups: Sequence[tuple[Mapping[str, Any], Mapping[str, int]]], level: float
) -> tuple[WorkShare, ...]:
    """Return the shares in each group; all intervals at once, of which there may be many thousands."""
    if not groups:
        return ()
    k = np.array([[works[team] for team in KNOWN] for _, works in groups])
    n = np.repeat(k.sum(axis=1, keepdims=True), len(KNOWN), axis=1)
    lows, highs = wilson(k, np.maximum(n, 1), level)
    out = []
    for (group, works), ks, low, high in zip(groups, k.tolist(), lows.tolist(), highs.tolist(), strict=True):
        known, unknown = sum(ks), works["unknown"]
        total = max(known + unknown, 1)
        for i, team in enumerate(KNOWN):
            out.append(
                WorkShare(
                    group=group,
                    team=team,
                    k=ks[i],
                    n=known,
                    unknown=unknown,
                    share=ks[i] / known if known else None,
                    low=low[i] if known else None,
                    high=high[i] if known else None,
                    least=ks[i] / total,
                    most=(ks[i] + unknown) / total,
                )
            )
    return tuple(out)
