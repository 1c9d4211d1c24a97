"""Slow-downs as findings, qualified by framework, source and target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, equal_probability_quantiles
from isoflop.portability.counted import share_finding
from isoflop.portability.shares.findings import plain, qualifier

if TYPE_CHECKING:
    from isoflop.portability.slowdown.result import Counting, Slowdown

MEDIAN, OVER_ID, SLOWER = (
    "portability.slowdown_median",
    "portability.share_over_10x",
    "portability.share_slower",
)
METHOD = "geometric mean over inputs of target over source, blocks in turns"
QUICK = "quick timings are for first looks: a share over 10× needs the full protocol"


def findings_of(found: Slowdown) -> tuple[Finding, ...]:
    """Return the findings of one pair.

    Ids: ``portability.{slowdown_median,share_over_10x,share_slower}.<framework>.<source>.<target>``, each
    with a way of counting after it: ``.kernel_bound``, ``.first_calls``, ``.size_<class>``.
    """
    source, target = (qualifier(found.framework, name) for name in (found.source, found.target))
    pair = f"{source}.{target.partition('.')[2]}"
    out: list[Finding] = []
    for one in found.countings:
        tail = "" if one.name == "all" else f".{plain(one.name)}"
        out.append(_median(found, one, f"{MEDIAN}.{pair}{tail}"))
        out.append(_over(found, one, f"{OVER_ID}.{pair}{tail}"))
        out.append(
            share_finding(
                f"{SLOWER}.{pair}{tail}",
                f"functions slower on {found.target} than on {found.source}: {one.text}",
                one.slower,
                one.n,
                method=METHOD,
                evidence=found.provenance,
                cautions=found.cautions,
                details=_details(found, one),
                level=found.level,
            )
        )
    return tuple(out)


def _details(found: Slowdown, one: Counting) -> dict[str, Any]:
    return {
        "framework": found.framework,
        "source": found.source,
        "target": found.target,
        "devices": list(found.devices),
        "two_devices": found.two_devices,
        "protocol": found.protocol,
        "timed": found.how,
        "counting": one.name,
        "doubts": list(found.doubts),
        "grid_low": None if found.is_quick else found.grid_low,
        "dispatch_bound_share": found.dispatch_share,
        "failed_functions": found.failed,
    }


def _median(found: Slowdown, one: Counting, name: str) -> Finding:
    details = _details(found, one)
    if one.name == "all":
        details["draws"] = equal_probability_quantiles(found.draws)
    return Finding(
        id=name,
        instrument="portability",
        label=f"median slow-down of functions, {found.source} to {found.target}: {one.text}",
        estimate=one.median,
        method=f"{METHOD}; median over functions, bootstrap of functions"
        + (", processes and blocks" if one.name == "all" else ""),
        n=one.n,
        evidence=found.provenance,
        seed=found.seed,
        cautions=found.cautions,
        details=details,
    )


def _over(found: Slowdown, one: Counting, name: str) -> Finding:
    label = f"functions over 10× slower on {found.target} than on {found.source}: {one.text}"
    if found.is_quick:
        return Finding(
            id=name,
            instrument="portability",
            label=label,
            estimate=Estimate(value=None, unit="1"),
            method=METHOD,
            n=one.n,
            evidence=found.provenance,
            cautions=found.cautions,
            details=_details(found, one) | {"reason": QUICK},
        )
    whole = {"whole_interval_over_10x": found.surely_over} if one.name == "all" else {}
    return share_finding(
        name,
        label,
        one.over,
        one.n,
        method=METHOD,
        evidence=found.provenance,
        cautions=found.cautions,
        details=_details(found, one) | whole,
        level=found.level,
    )
