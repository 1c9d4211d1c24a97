"""Trim and fill: how many studies seem to be missing on one side of the funnel?

Studies are ranked by distance from the pooled effect. Those in excess on one side are trimmed, the
effect is pooled again, and so on; at the end each trimmed study gets a mirror image on the other side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NoFitError
from isoflop.stats.checks import FloatArray, read_only
from isoflop.stats.meta.asymmetry import egger
from isoflop.stats.meta.effects import chosen
from isoflop.stats.meta.heterogeneity import Tau2Method
from isoflop.stats.meta.pool import pool
from isoflop.stats.meta.result import MeanTest, MetaFit

FillEstimator = Literal["L0", "R0"]
Side = Literal["left", "right"]

MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrimFill:
    """The funnel made symmetric.

    Parameters
    ----------
    missing : int
        Studies filled in.
    missing_se : float
    side : {"left", "right"}
        On which they are missing.
    fit, unadjusted : MetaFit
        With and without the filled studies.
    filled_y, filled_v : arrays, shape (missing,)
    """

    missing: int
    missing_se: float
    side: Side
    fit: MetaFit
    unadjusted: MetaFit
    filled_y: FloatArray
    filled_v: FloatArray


def trim_and_fill(
    y: ArrayLike,
    v: ArrayLike,
    *,
    estimator: FillEstimator = "L0",
    side: Literal["auto", "left", "right"] = "auto",
    tau2: Tau2Method = "REML",
    test: MeanTest | None = None,
    level: float = 0.95,
) -> TrimFill:
    """Fill in mirror images of the studies that make the funnel lopsided.

    Parameters
    ----------
    y, v : arrays, shape (k,), k >= 3
    estimator : {"L0", "R0"}
        By the rank sum, or by the longest run of the largest distances on one side.
    side : {"auto", "left", "right"}
        Where studies are missing; auto goes by the sign of Egger's slope.
    tau2, test, level
        As in `pool`.

    Raises
    ------
    EvidenceError
        Fewer than three studies.
    NoFitError
        The number of missing studies does not settle.

    Notes
    -----
    Filled studies are a device, not data, and heterogeneity alone can make a funnel lopsided.
    Source: Duval & Tweedie (2000), Biometrics 56, 455-463.

    Examples
    --------
    >>> found = trim_and_fill([0.1, 0.12, 0.2, 0.5, 0.7, 0.9], [0.01, 0.01, 0.02, 0.1, 0.2, 0.3])
    >>> found.missing, found.side
    (3, 'left')
    """
    chosen("trim_and_fill", "estimator", estimator, ("L0", "R0"))
    chosen("trim_and_fill", "side", side, ("auto", "left", "right"))
    unadjusted = pool(y, v, tau2=tau2, test=test, level=level)
    effect, variance = unadjusted.effects.y, unadjusted.effects.v
    if effect.size < 3:
        raise EvidenceError(f"trim_and_fill: {effect.size} studies, needs at least 3. Add studies.")
    where: Side = side if side != "auto" else _side(effect, variance, tau2)
    sign = -1.0 if where == "right" else 1.0
    order = np.argsort(sign * effect, kind="stable")
    mirrored, weights = sign * effect[order], variance[order]
    missing, error, centre = _count_missing(mirrored, weights, estimator, tau2)
    extreme = slice(effect.size - missing, effect.size)
    filled_y, filled_v = sign * (2 * centre - mirrored[extreme]), weights[extreme]
    fit = unadjusted
    if missing:
        fit = pool(
            np.concatenate([effect, filled_y]),
            np.concatenate([variance, filled_v]),
            tau2=tau2,
            test=test,
            level=level,
        )
    return TrimFill(
        missing=missing,
        missing_se=error,
        side=where,
        fit=fit,
        unadjusted=unadjusted,
        filled_y=read_only(filled_y),
        filled_v=read_only(filled_v),
    )


def _side(effect: FloatArray, variance: FloatArray, tau2: Tau2Method) -> Side:
    if np.ptp(variance) == 0.0:
        raise EvidenceError(
            "trim_and_fill: all variances are equal, so Egger's slope names no side. Set side."
        )
    return "right" if egger(effect, variance, model="rma", tau2=tau2).slope < 0 else "left"


def _count_missing(
    mirrored: FloatArray, variance: FloatArray, estimator: FillEstimator, tau2: Tau2Method
) -> tuple[int, float, float]:
    """Return the number missing, its standard error and the centre; effects rise, the right is in excess."""
    k = mirrored.size
    missing = 0
    for _ in range(MOST_ROUNDS):
        kept = k - missing
        method: Tau2Method = tau2 if kept > 1 else "FE"
        centre = float(pool(mirrored[:kept], variance[:kept], tau2=method, test="z").coefficients[0])
        deviation = mirrored - centre
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(deviation), kind="stable")] = np.arange(1, k + 1)
        count, error = _estimate(deviation, ranks, estimator)
        before, missing = missing, max(0, min(round(count), k - 1))
        if missing == before:
            return missing, error, centre
    raise NoFitError(
        f"trim_and_fill: {estimator} had not settled after {MOST_ROUNDS} rounds. Use the other estimator."
    )


def _estimate(deviation: FloatArray, ranks: FloatArray, estimator: FillEstimator) -> tuple[float, float]:
    k = deviation.size
    if estimator == "R0":
        below = ranks[deviation < 0]
        count = k - float(below.max(initial=0.0)) - 1
        return count, math.sqrt(2 * max(0.0, count) + 2)
    above = float(ranks[deviation > 0].sum())
    x = (4 * above - k * (k + 1)) / (2 * k - 1)
    variance = (
        k * (k + 1) * (2 * k + 1) + 10 * x**3 + 27 * x**2 + 17 * x - 18 * k * x**2 - 18 * k * x + 6 * k**2 * x
    ) / 24
    return x, 4 * math.sqrt(max(variance, 0.0)) / (2 * k - 1)
