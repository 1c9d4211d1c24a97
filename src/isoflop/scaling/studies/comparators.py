"""What stands beside a pooled exponent: the published summary, and vision and language on like metrics.

An exponent of an error rate and one of a cross-entropy are different quantities, and so are exponents
of laws with and without a floor: only like is divided by like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate

if TYPE_CHECKING:
    from isoflop.evidence import Table

VERSION = "v2"
SOURCE = "Sartor and Thompson, arXiv 2405.14005 v2"
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Figures of one resource in the paper."""

    mean: float
    low: float
    high: float
    median: float
    studies: int
    papers: int
    halving_factor: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures with their version."""
        return {name: getattr(self, name) for name in self.__slots__} | {"version": VERSION, "source": SOURCE}


PUBLISHED = {
    "data": Published(
        mean=-0.276, low=-0.317, high=-0.236, median=-0.217, studies=131, papers=20, halving_factor=24.39
    ),
    "model_size": Published(
        mean=-0.246, low=-0.337, high=-0.155, median=-0.172, studies=34, papers=11, halving_factor=56.26
    ),
    "compute": Published(
        mean=-0.141, low=-0.189, high=-0.093, median=-0.105, studies=24, papers=1, halving_factor=736.13
    ),
}
"""Sections IV-A to IV-D of v2, as printed."""
PUBLISHED_FAMILIARITY = {"seen": (-0.389, -0.502, -0.276), "unseen": (-0.155, -0.216, -0.094)}
"""Mean and 95 % interval, data, section IV-D of v2."""
NO_FLOOR, WITH_FLOOR = "power_law", "power_law_plus_constant"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRatio:
    """Robotics' exponent over another domain's, error rate over error rate.

    Parameters
    ----------
    domain, resource : str
    ratio : Estimate
    robotics : Estimate or None
    theirs : tuple of float
        Slopes of the other domain that are alike in metric, resource and form.
    sources : tuple of str
    apart : tuple of dict
        Exponents of other metrics or forms, for the reader; no part of the ratio.
    reason : str
        Why there is no ratio; empty if there is one.
    """

    domain: str
    resource: str
    ratio: Estimate
    robotics: Estimate | None
    theirs: tuple[float, ...]
    sources: tuple[str, ...]
    apart: tuple[dict[str, Any], ...]
    reason: str = ""


def compare_domain(
    exponents: Table, pooled: dict[str, Estimate], *, has_floor: bool, domain: str = "vision"
) -> DomainRatio:
    """Divide robotics' pooled exponent by another domain's, where metric, resource and form agree.

    Parameters
    ----------
    exponents : Table
        Schema ``published_exponents``.
    pooled : dict of resource to Estimate
        Slopes of the error rate.
    has_floor : bool
        Whether the robotics law has one.
    domain : str
    """
    import polars as pl

    form = WITH_FLOOR if has_floor else NO_FLOOR
    frame = exponents.frame.filter((pl.col("domain") == domain) & pl.col("exponent").is_not_null())
    rates = frame.filter(pl.col("outcome_kind") == "error_rate")
    alike = rates.filter((pl.col("form") == form) & pl.col("resource").is_in(list(pooled)))
    shown = (
        "study",
        "resource",
        "metric",
        "outcome_kind",
        "form",
        "slope",
        "low",
        "high",
        "source",
        "verified",
    )
    apart = tuple(
        frame.filter(pl.col("outcome_kind").is_in(["error_rate", "cross_entropy"])).select(shown).to_dicts()
    )
    empty = Estimate(value=None, unit="1")
    if alike.height == 0:
        theirs = sorted({(row["resource"], row["form"]) for row in rates.to_dicts()})
        have = "; ".join(f"{r.replace('_', ' ')} with form {f}" for r, f in theirs) or "none"
        reason = (
            f"no like pair: robotics has {', '.join(r.replace('_', ' ') for r in pooled)} with form {form}, "
            f"{domain} error rates in the table: {have}. Cross-entropy exponents are another quantity. "
            f"Error-rate exponents of {domain} for the same resource and form would cure it."
        )
        return DomainRatio(
            domain=domain, resource="", ratio=empty, robotics=None, theirs=(), sources=(), apart=apart,
            reason=reason,
        )  # fmt: skip
    bounded = [r for r in pooled if pooled[r].low is not None and pooled[r].high is not None]
    known = alike.filter(pl.col("resource").is_in(bounded))
    if known.height == 0:
        words = ", ".join(sorted({r.replace("_", " ") for r in alike["resource"]}))
        reason = (
            f"{domain} has error rates for {words}, where robotics' exponent has no interval: one paper "
            "cannot show how papers differ. Studies of other papers would cure it."
        )
        return DomainRatio(
            domain=domain, resource="", ratio=empty, robotics=None, theirs=(), sources=(), apart=apart,
            reason=reason,
        )  # fmt: skip
    resource = str(known.sort("resource")["resource"][0])
    rows = known.filter(pl.col("resource") == resource)
    theirs_mean = float(np.mean(rows["slope"].to_list()))
    ours = pooled[resource]
    ends = sorted(v / theirs_mean for v in (ours.low, ours.high) if v is not None)
    ratio = Estimate(
        value=None if ours.value is None else ours.value / theirs_mean,
        low=ends[0] if len(ends) == 2 else None,
        high=ends[1] if len(ends) == 2 else None,
        level=ours.level,
        unit="1",
    )
    return DomainRatio(
        domain=domain,
        resource=resource,
        ratio=ratio,
        robotics=ours,
        theirs=tuple(float(v) for v in rows["slope"]),
        sources=tuple(dict.fromkeys(rows["source"])),
        apart=apart,
    )
