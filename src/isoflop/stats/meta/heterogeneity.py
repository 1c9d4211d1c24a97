"""How much do the effects differ beyond their sampling errors? Q, tau², I² and H².

All with one design X of p columns, w = 1/v and w* = 1/(v + tau²). Q(t) = sum of w* (y - fit)² at
tau² = t falls as t grows, and each moment estimator is a value of t at which some Q is as expected::

    Q = Q(0)            typical variance s² = (k-p) / tr P_0, P_0 = W - W X (X'WX)^-1 X'W
    I² = tau²/(tau² + s²)                       H² = (tau² + s²)/s²

With one mean s² is (k-1) sum w / ((sum w)² - sum w²), Higgins and Thompson's. It is used for every
estimator of tau², so I² follows tau²; it equals (Q-(k-1))/Q for DL only. Under a fixed effect, I² and
H² are those of Q.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.errors import NoFitError
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import chi2_quantile
from isoflop.stats.meta.components import ComponentModel
from isoflop.stats.meta.effects import Effects

Tau2Method = Literal["FE", "DL", "PM", "HE", "SJ", "ML", "REML"]

ROOT_STEPS = 500
ROOT_TOLERANCE = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareTest:
    """Cochran's Q against the chi-squared distribution of equal true effects."""

    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeterogeneityInterval:
    """The values of tau² that Q does not rule out, and the I² and H² that go with them.

    `is_empty`: the effects differ less than sampling errors allow at this level, so no tau² >= 0
    fits; the bounds are then all those of tau² = 0.
    """

    tau2_low: float
    tau2_high: float
    i2_low: float
    i2_high: float
    h2_low: float
    h2_high: float
    level: float
    is_empty: bool


def tau2_estimate(model: ComponentModel, method: Tau2Method) -> float:
    """Return tau² by a fixed rule or a moment method (not ML or REML).

    Notes
    -----
    Sources: DerSimonian & Laird (1986); Paule & Mandel (1982); Hedges & Olkin (1985), HE; Sidik &
    Jonkman (2005), SJ. With moderators, the residuals of the matching regression take the place of
    deviations from a mean.
    """
    if method == "FE":
        return 0.0
    rest, v, degrees = model.rest, model.v, model.k - model.p
    if method == "PM":
        return q_root(model, float(degrees))
    if method == "HE":
        leverage = np.sum(model.basis**2, axis=1)
        return max(0.0, float(rest @ rest - v @ (1 - leverage)) / degrees)
    if method == "SJ":
        deviation = model.effects.y - model.effects.y.mean()
        first = float(deviation @ deviation) / model.k
        return 0.0 if first == 0.0 else first * model.at(first, 0.0).quadratic / degrees
    origin = model.at(0.0, 0.0)
    return max(0.0, (origin.quadratic - degrees) / origin.trace)


def q_root(model: ComponentModel, target: float) -> float:
    """Return the tau² >= 0 at which Q(tau²) = `target`, or 0 if Q is below it everywhere.

    Newton's method on 1/Q, which is concave and rises: from 0 its steps never pass the root, and
    far out, where 1/Q is nearly a line, they are long.
    """
    tau2 = 0.0
    for _ in range(ROOT_STEPS):
        point = model.at(tau2, 0.0)
        if point.quadratic <= target:
            return tau2
        slope = float(point.error @ point.error)
        step = point.quadratic * (point.quadratic - target) / (target * slope)
        tau2 += step
        if step <= ROOT_TOLERANCE * tau2:
            return tau2
    raise NoFitError(f"pool: Q did not reach {target:.3g} in {ROOT_STEPS} steps. Check the units of y and v.")


def typical_variance(model: ComponentModel) -> float:
    """Return s², the sampling variance of a typical study; 0 without a degree of freedom."""
    degrees = model.k - model.p
    return degrees / model.at(0.0, 0.0).trace if degrees else 0.0


def q_test(model: ComponentModel) -> ChiSquareTest:
    """Return Cochran's Q of the fixed-effect fit."""
    from scipy.special import gammaincc

    degrees = model.k - model.p
    statistic = model.at(0.0, 0.0).quadratic if degrees else 0.0
    p_value = float(gammaincc(degrees / 2, statistic / 2)) if degrees else 1.0
    return ChiSquareTest(statistic=statistic, df=degrees, p_value=p_value)


def i2_and_h2(tau2: float, typical: float) -> tuple[float, float]:
    """Return I² (a share) and H²; of no degree of freedom, 0 and 1."""
    return (tau2 / (tau2 + typical), (tau2 + typical) / typical) if typical else (0.0, 1.0)


def q_profile_interval(effects: Effects, level: float = 0.95) -> HeterogeneityInterval:
    """Return the interval of tau² by inverting the chi-squared test of Q(tau²).

    Parameters
    ----------
    effects : Effects
        With at least one study more than coefficients.
    level : float, in (0, 1)

    Notes
    -----
    Exact for known v, whatever the estimator of tau². Source: Viechtbauer (2007), Statistics in
    Medicine 26, 37-52.
    """
    model = ComponentModel(effects)
    tail = (1 - unit_level("q_profile", level)) / 2
    degrees, typical = model.k - model.p, typical_variance(model)
    quantiles = [chi2_quantile(1 - tail, degrees), chi2_quantile(tail, degrees)]
    low, high = (q_root(model, quantile) for quantile in quantiles)
    (i2_low, h2_low), (i2_high, h2_high) = i2_and_h2(low, typical), i2_and_h2(high, typical)
    return HeterogeneityInterval(
        tau2_low=low,
        tau2_high=high,
        i2_low=i2_low,
        i2_high=i2_high,
        h2_low=h2_low,
        h2_high=h2_high,
        level=float(level),
        is_empty=model.at(0.0, 0.0).quadratic < quantiles[1],
    )
