"""Findings of growth: the headline doubling time, its other intervals, and each team's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.growth.result import NEVER
from isoflop.divide.growth.settings import FEW_CLUSTERS, INTERVALS
from isoflop.divide.growth.steadiness import MOORE_MONTHS
from isoflop.findings import Estimate, Finding, equal_probability_quantiles

if TYPE_CHECKING:
    from isoflop.divide.growth.result import ComputeGrowth, TeamGrowth
    from isoflop.divide.growth.slope import Slope

HEADLINE = "divide.doubling_time_months_all"
BY_TEAM = "divide.doubling_time_months"
METHOD = "least squares of log compute on time, 12/slope"


def findings_of(found: ComputeGrowth) -> tuple[Finding, ...]:
    """Return the findings of growth.

    Ids: ``divide.doubling_time_months_all``; the same with ``.<kind of interval>``, ``.incl_unknown``,
    ``.monte_carlo`` and ``.monte_carlo_and_sampling``; ``divide.doubling_time_months.<team>``, with
    ``.<kind>`` for intervals beside the leading one.
    """
    out = [_finding(found, HEADLINE, found.all)]
    out += [_finding(found, f"{HEADLINE}.{one.kind}", found.all, one) for one in found.all.intervals[1:]]
    out.append(_finding(found, f"{HEADLINE}.incl_unknown", found.with_unknown))
    noise = found.noise
    for slope in (noise.alone, noise.both):
        out.append(_finding(found, f"{HEADLINE}.{slope.kind}", found.all, slope))
    for line in found.lines[1:]:
        out.append(_finding(found, f"{BY_TEAM}.{line.team}", line))
        out += [_finding(found, f"{BY_TEAM}.{line.team}.{one.kind}", line, one) for one in line.intervals[1:]]
    return tuple(out)


def _finding(found: ComputeGrowth, id: str, line: TeamGrowth, slope: Slope | None = None) -> Finding:
    whose = "all systems of known team" if line.team == "all" else line.team
    slope = slope or (line.intervals[0] if line.intervals else None)
    if slope is None:
        return Finding(
            id=id,
            instrument="divide",
            label=f"doubling time of training compute, {whose}",
            estimate=Estimate(value=None, unit="months"),
            method=METHOD,
            n=line.n,
            evidence=found.sample.provenance(line.n),
            cautions=found.cautions,
            status="not_identified",
            details={"reason": line.reason},
        )
    doubts = tuple(
        d for d in (*found.cautions, *line.doubts) if line.team == "all" or d not in found.all.doubts
    )
    return Finding(
        id=id,
        instrument="divide",
        label=f"doubling time of training compute, {whose}",
        estimate=slope.doubling_months(),
        method=f"{METHOD}; {_text(found, slope)}; {found.sample.text}",
        n=slope.n,
        evidence=found.sample.provenance(slope.n),
        seed=None if slope.kind in ("ols", "hc1") else _seed(found, slope),
        cautions=tuple(dict.fromkeys(doubts)),
        details=_details(found, line, slope),
    )


def _seed(found: ComputeGrowth, slope: Slope) -> int:
    return found.noise.noise.seed if slope.kind not in INTERVALS else found.seed


def _text(found: ComputeGrowth, slope: Slope) -> str:
    if slope.kind in INTERVALS:
        return INTERVALS[slope.kind].text
    alone = slope.kind == "monte_carlo"
    said = found.noise.noise.text
    drawn = "organisations" if slope.n_clusters >= FEW_CLUSTERS else "systems"
    return f"{said}; {'a sensitivity, no sampling error' if alone else f'with draws of {drawn}'}"


def _details(found: ComputeGrowth, line: TeamGrowth, slope: Slope) -> dict[str, Any]:
    details: dict[str, Any] = {
        "interval_kind": slope.kind,
        "n_organisations": slope.n_clusters,
        "growth_per_year": _three(slope.per_year()),
        "oom_per_year": _three(slope.oom_per_year()),
        "unknown_team": found.sample.n - found.n,
        "baselines": {"moore_doubling_months": MOORE_MONTHS},
        "unbounded": NEVER,
    }
    if line.forecasts and slope is line.intervals[0]:
        details["forecasts"] = [one.to_dict() for one in line.forecasts]
    if line.bend is not None and slope is line.intervals[0]:
        details["bend"] = line.bend.to_dict()
    rising = slope.draws[slope.draws > 0]
    details["draws"] = equal_probability_quantiles(12 / rising)
    details["draws_not_rising"] = float(np.mean(slope.draws <= 0))
    details["draws_failed"] = slope.failed
    if slope.value <= 0:
        details |= _falling(slope)
    return details


def _falling(slope: Slope) -> dict[str, Any]:
    """Say that compute fell, and how fast it halved."""
    said: dict[str, Any] = {"reason": "training compute does not rise over these systems"}
    if slope.value < 0:
        said["halving_months"] = -12 / slope.value
    if slope.high < 0:
        said["halving_interval_months"] = [-12 / slope.low, -12 / slope.high]
    return said


def _three(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
