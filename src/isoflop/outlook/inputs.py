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
    point : float
        Its value; for a law the index of its point.
    quantiles : array, shape (m,)
        Equal-probability quantiles; one value where the finding is taken as exact.
    how : str
        Where the quantiles come from, in words.
    cautions : tuple of str
        What limits it as an input; the finding's own cautions are not repeated.
    """

    finding: Finding
    point: float
    quantiles: FloatArray
    how: str
    cautions: tuple[str, ...] = ()


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
    quantiles, how, cautions = _quantiles(finding, estimate.value)
    if finding.details.get("published"):
        cautions += (
            f"{finding.label} is a published figure, not one of this evidence. A run of your own on two "
            "devices cures it: isoflop portability run.",
        )
    return Input(finding=finding, point=estimate.value, quantiles=quantiles, how=how, cautions=cautions)


def by_id(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return findings by id."""
    return {finding.id: finding for finding in findings}


def _quantiles(finding: Finding, value: float) -> tuple[FloatArray, str, tuple[str, ...]]:
    estimate = finding.estimate
    draws = finding.details.get("draws")
    if draws:
        return np.sort(np.asarray(draws, float)), "its own draws", ()
    if estimate.low is not None and estimate.high is not None and estimate.interval == "closed":
        made = _from_interval(value, estimate.low, estimate.high, estimate.level or 0.95)
        return made, "made from its interval", ()
    doubt = (
        f"{finding.label} comes without a closed interval and is taken as exact, so the intervals "
        "here are too narrow. A finding with draws cures it."
    )
    return np.array([value]), "taken as exact", (doubt,)


def _from_interval(value: float, low: float, high: float, level: float) -> FloatArray:
    from scipy.special import ndtri

    scores = ndtri((np.arange(MAX_DRAWS) + 0.5) / MAX_DRAWS)
    edge = float(ndtri(0.5 + level / 2))
    positive = min(low, value) > 0
    a, b, c = (math.log(x) if positive else x for x in (low, value, high))
    spread = np.where(scores < 0, (b - a) / edge, (c - b) / edge)
    made = b + scores * spread
    return np.asarray(np.exp(made) if positive else made)
