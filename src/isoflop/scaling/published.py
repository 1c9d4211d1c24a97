"""What the paper printed, as findings that the same rules judge: beside ours, never mixed in.

Source: Sartor & Thompson, Neural Scaling Laws in Robotics, arXiv 2405.14005 version 2 (2025); version 1
differs strongly, so each figure names its version.
"""

from __future__ import annotations

import math

from isoflop.findings import Estimate, Finding, Provenance
from isoflop.scaling.studies.comparators import PUBLISHED, PUBLISHED_FAMILIARITY

PAPER = "Sartor & Thompson (2024), Neural Scaling Laws in Robotics, v2"
_EVIDENCE = Provenance(
    name="published summary",
    source="Sartor & Thompson, arXiv 2405.14005 version 2",
    kind="published",
    rows_used=0,
    rows_dropped=0,
    fingerprint="",
)


def published_findings() -> tuple[Finding, ...]:
    """Return the printed figures under the ids that the rules read.

    Where the paper has no such figure there is no finding, and the rule says so.
    """
    found = [
        _finding(
            f"scaling.exponent_{resource}_robotics",
            f"exponent of error in {resource.replace('_', ' ')}, robotics",
            Estimate(value=p.mean, low=p.low, high=p.high, level=0.95, unit="1"),
            "plain mean of fitted exponents in (−1, 0), t interval",
            p.studies,
        )
        for resource, p in PUBLISHED.items()
    ]
    found.append(
        _finding(
            "scaling.familiarity_difference_data_robotics",
            "exponent in data, unseen minus seen",
            _difference(),
            "difference of the printed group means, interval from theirs as if independent",
            None,
        )
    )
    return tuple(found)


def _difference() -> Estimate:
    (seen, seen_low, seen_high), (unseen, unseen_low, unseen_high) = (
        PUBLISHED_FAMILIARITY["seen"],
        PUBLISHED_FAMILIARITY["unseen"],
    )
    half = math.hypot((seen_high - seen_low) / 2, (unseen_high - unseen_low) / 2)
    value = unseen - seen
    return Estimate(value=value, low=value - half, high=value + half, level=0.95, unit="1")


def _finding(id_: str, label: str, estimate: Estimate, method: str, n: int | None) -> Finding:
    return Finding(
        id=id_,
        instrument="scaling",
        label=label,
        estimate=estimate,
        method=method,
        n=n,
        evidence=(_EVIDENCE,),
    )
