"""A share of counted functions as an estimate and as a finding: the same everywhere in portability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isoflop.findings import Estimate, Finding, Provenance

DRAWS = 200
LEVEL = 0.95


def share_estimate(count: int, functions: int, *, level: float = LEVEL) -> Estimate:
    """Return count/functions with its Wilson interval; no value for no functions.

    Examples
    --------
    >>> found = share_estimate(35, 43)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.814, 0.674, 0.903)
    """
    from isoflop.stats.intervals import wilson

    if functions == 0:
        return Estimate(value=None, level=level, unit="1")
    low, high = wilson(count, functions, level)
    return Estimate(value=count / functions, low=float(low), high=float(high), level=level, unit="1")


def share_draws(count: int, functions: int) -> list[float]:
    """Return equal-probability quantiles of a share: those of the Jeffreys posterior."""
    from scipy.special import betaincinv

    probabilities = [(i + 0.5) / DRAWS for i in range(DRAWS)]
    return [float(betaincinv(count + 0.5, functions - count + 0.5, p)) for p in probabilities]


def share_finding(
    finding_id: str,
    label: str,
    count: int,
    functions: int,
    *,
    method: str,
    evidence: tuple[Provenance, ...],
    cautions: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
    level: float = LEVEL,
) -> Finding:
    """Return a share of functions as a finding with its Wilson interval and draws."""
    known = {"count": count, "functions": functions, **(details or {})}
    if functions:
        known["draws"] = share_draws(count, functions)
    else:
        known["reason"] = "no function is counted"
    return Finding(
        id=finding_id,
        instrument="portability",
        label=label,
        estimate=share_estimate(count, functions, level=level),
        method=f"{method}; Wilson interval, draws from the Jeffreys posterior",
        n=functions,
        evidence=evidence,
        cautions=cautions,
        details=known,
    )
