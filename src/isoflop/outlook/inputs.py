"""A finding as an uncertain input: its draws, or draws made from its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from isoflop.findings import MAX_DRAWS, Finding
from isoflop.stats.checks import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input:
    """One finding, ready to be drawn from.

    Parameters
    ----------
    finding : Finding
    quantiles : array, shape (m,)
        Equal-probability quantiles; one value where the finding is taken as exact.
    how : str
        Where the quantiles come from, in words.
    caution : str
        What limits it; empty for the finding's own draws.
    """

    finding: Finding
    quantiles: FloatArray
    how: str
    caution: str = ""


def input_of(finding: Finding) -> Input | str:
    """Return the input, or the reason why a finding cannot be one.

    Draws of the finding are used as they are. Without draws an interval is read as two half-normal halves
    that meet at the value, on the logarithmic scale where the interval is positive. Without an interval the
    value is taken as exact, and a caution says so.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> given = Finding(
    ...     id="divide.gap_oom", instrument="divide", label="gap", method="", n=None,
    ...     estimate=Estimate(value=2.0, low=1.0, high=4.0, level=0.95, unit="orders of magnitude"),
    ... )
    >>> made = input_of(given)
    >>> round(float(np.median(made.quantiles)), 2), made.how
    (2.0, 'made from its interval')
    """
    estimate = finding.estimate
    if finding.status != "ok" or estimate.value is None:
        reason = finding.details.get("reason")
        return f"{finding.label}: {reason}" if reason else f"{finding.id} has no value on this evidence"
    draws = finding.details.get("draws")
    if draws:
        return Input(finding=finding, quantiles=np.sort(np.asarray(draws, float)), how="its own draws")
    if estimate.low is not None and estimate.high is not None and estimate.interval == "closed":
        return Input(
            finding=finding,
            quantiles=_from_interval(estimate.value, estimate.low, estimate.high, estimate.level or 0.95),
            how="made from its interval",
        )
    return Input(
        finding=finding,
        quantiles=np.array([estimate.value]),
        how="taken as exact",
        caution=f"{finding.label} comes without a closed interval and is taken as exact, so the intervals "
        "here are too narrow. A finding with draws cures it.",
    )


def by_id(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return findings by id."""
    return {finding.id: finding for finding in findings}


def _from_interval(value: float, low: float, high: float, level: float) -> FloatArray:
    from scipy.special import ndtri

    scores = ndtri((np.arange(MAX_DRAWS) + 0.5) / MAX_DRAWS)
    edge = float(ndtri(0.5 + level / 2))
    positive = min(low, value) > 0
    a, b, c = (math.log(x) if positive else x for x in (low, value, high))
    spread = np.where(scores < 0, (b - a) / edge, (c - b) / edge)
    made = b + scores * spread
    return np.asarray(np.exp(made) if positive else made)
