"""Findings of the shares: headlines under fixed ids, then every cell, year, change and trend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import Period, Team
from isoflop.findings import Estimate, Finding, Status

if TYPE_CHECKING:
    from isoflop.divide.shares.result import Cell, LargeShares

KNOWN = "known"
"""The definition whose ids carry no qualifier."""


def findings_of(found: LargeShares) -> tuple[Finding, ...]:
    """Return the findings of shares.

    Ids: ``divide.academia_share_first`` and ``_last``, ``divide.academia_share_change``,
    ``divide.academia_share_trend_z``, ``divide.industry_share.<period or year>`` and
    ``divide.share.<team>.<period>``; under a definition other than `Known` its name follows.
    """
    first, last = found.periods[0], found.periods[-1]
    out: list[Finding] = []
    for large in found.texts:
        tail = "" if large == KNOWN else f".{large}"
        out += _ends(found, large, tail, first, last)
        out += _change_and_trend(found, large, tail)
        shown: dict[str, None] = {}
        for period in (*found.periods, *_years(found, last, large)):
            shown.setdefault(str(period))
        for text in shown:
            period = _period(found, text, large)
            out.append(_share(found, f"divide.industry_share.{text}{tail}", "industry", period, large))
        for period in found.periods:
            for team in found.teams:
                out.append(_share(found, f"divide.share.{team}.{period}{tail}", team, period, large))
    return tuple(out)


def _ends(found: LargeShares, large: str, tail: str, first: Period, last: Period) -> Iterator[Finding]:
    if len(found.periods) > 1:
        yield _share(found, f"divide.academia_share_first{tail}", "academia", first, large)
    yield _share(found, f"divide.academia_share_last{tail}", "academia", last, large)


def _years(found: LargeShares, period: Period, large: str) -> list[Period]:
    """Return the single years of a period that hold a large system."""
    return sorted(
        {c.period for c in found.years if c.period.first in period.years and c.large == large and c.n},
        key=lambda one: one.first,
    )


def _period(found: LargeShares, text: str, large: str) -> Period:
    return next(c.period for c in (*found.cells, *found.years) if str(c.period) == text and c.large == large)


def _share(found: LargeShares, id: str, team: Team, period: Period, large: str) -> Finding:
    cell = found.cell(team, period, large)
    whose = "academia-only" if team == "academia" else "industry-only" if team == "industry" else team
    return Finding(
        id=id,
        instrument="divide",
        label=f"{whose} share of {_systems(found, large)}, {period}",
        estimate=_estimate(found, cell),
        method=f"k/n among systems of known team, Wilson interval; {found.sample.text}",
        n=cell.n,
        evidence=found.sample.provenance(cell.n),
        seed=found.seed if cell.organisation_low is not None else None,
        cautions=found.cautions,
        details=_details(found, cell, team),
        status=_status(cell),
    )


def _systems(found: LargeShares, large: str) -> str:
    if large == KNOWN:
        return "systems with known compute"
    return f"large systems ({found.texts[large]})"


def _status(cell: Cell) -> Status:
    return "ok" if cell.share is not None else "not_identified"


def _estimate(found: LargeShares, cell: Cell) -> Estimate:
    has = cell.share is not None
    return Estimate(
        value=cell.share, low=cell.low, high=cell.high, level=found.level if has else None, unit="1"
    )


def _details(found: LargeShares, cell: Cell, team: Team) -> dict[str, Any]:
    details: dict[str, Any] = {
        "k": cell.k,
        "n": cell.n,
        "unknown": cell.unknown,
        "unknown_bounds": None if cell.bound_low is None else [cell.bound_low, cell.bound_high],
        "period": str(cell.period),
        "periods": [str(p) for p in found.periods],
        "periods_chosen": found.how,
        "large": cell.large,
        "definition": found.texts[cell.large],
        "pooled_share": _pooled(found, team, cell.large),
    }
    if cell.organisation_low is not None:
        details["interval_by_organisation"] = [cell.organisation_low, cell.organisation_high]
    if cell.share is None:
        details["reason"] = f"no system of {cell.period} is {found.texts[cell.large]}"
    return details


def _pooled(found: LargeShares, team: Team, large: str) -> float | None:
    """Return the team's share over all years: what one would say without looking at time."""
    k = sum(c.k for c in found.years if c.team == team and c.large == large)
    n = sum(c.n for c in found.years if c.team == team and c.large == large)
    return k / n if n else None


def _change_and_trend(found: LargeShares, large: str, tail: str) -> Iterator[Finding]:
    change, trend = found.change("academia", large), found.trend("academia", large)
    cells = len(found.definitions) * len(found.teams)
    if change is not None:
        n = sum(found.cell("academia", period, large).n for period in (change.first, change.last))
        yield Finding(
            id=f"divide.academia_share_change{tail}",
            instrument="divide",
            label=f"academia-only share of {_systems(found, large)}, {change.last} minus {change.first}",
            estimate=Estimate(
                value=change.difference, low=change.low, high=change.high, level=found.level, unit="1"
            ),
            method="difference of shares, Newcombe interval; p by Fisher's exact test (two-sided)",
            n=n,
            evidence=found.sample.provenance(n),
            cautions=found.cautions,
            details={
                "p_fisher": change.p_fisher,
                "periods": [str(change.first), str(change.last)],
                "bounds": _worst_change(found, large, change.first, change.last),
                "tests_made": cells,
                "large": large,
            },
        )
    details: dict[str, Any] = {
        "p": trend.p,
        "p_exact": trend.p_exact,
        "p_exact_is_simulated": trend.is_simulated,
        "years": [trend.span.first, trend.span.last],
        "tests_made": cells,
        "large": large,
    }
    if trend.z is None:
        details["reason"] = f"all or none of {trend.n} large systems are academic: there is no trend to test"
    yield Finding(
        id=f"divide.academia_share_trend_z{tail}",
        instrument="divide",
        label=f"trend of the academia-only share of {_systems(found, large)}, "
        f"{trend.span.first} to {trend.span.last}",
        estimate=Estimate(value=trend.z, unit="1"),
        method="Cochran-Armitage z over calendar years; a test statistic, no interval",
        n=trend.n,
        evidence=found.sample.provenance(trend.n),
        seed=found.seed if trend.is_simulated else None,
        cautions=found.cautions,
        details=details,
    )


def _worst_change(found: LargeShares, large: str, first: Period, last: Period) -> list[float] | None:
    """Return the change if unknown teams lay as they would shrink, or widen, it most."""
    before, after = found.cell("academia", first, large), found.cell("academia", last, large)
    ends = (before.bound_low, before.bound_high, after.bound_low, after.bound_high)
    if any(end is None for end in ends):
        return None
    low_before, high_before, low_after, high_after = (float(end) for end in ends if end is not None)
    return [low_after - high_before, high_after - low_before]
