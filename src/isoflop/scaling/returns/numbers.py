"""Three questions to one study about its returns: does it bend, what does the next unit buy, how far to go?

(a) Bend: the error e = 1 − p under a power law, ln e linear in ln x, against ln e quadratic in ln x. Their
likelihood ratio is referred to draws from the power law. The elasticity d ln e / d ln x is negative where
error falls; it rises towards 0 along the range where returns diminish.
(b) Cost: the gain in success per unit of cost over the first and over the last step of the range.
(c) Target: by what multiple of the largest amount the success reaches a target, under a power law with a
floor (without one below four points), and how often resampled data put the floor above the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.scaling.breaks.fit import BENT_POWER, POWER, POWER_FLOOR, fit_curve, saturated
from isoflop.scaling.breaks.null import Null, bootstrap_p
from isoflop.scaling.breaks.series import Block, Series, blocks
from isoflop.stats.checks import FloatArray
from isoflop.stats.intervals import normal_quantile

FREE_FLOOR_POINTS = 4
"""Below this many points the floor is not free: two parameters and a floor always fit three points."""
UNREACHABLE = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """Curvature of one study.

    Parameters
    ----------
    p : float
        Of the power law against the bent law.
    likelihood_ratio : float
    first, last : float
        Elasticity of the error at the ends of the range, under the bent law.
    change : float
        last − first: positive where returns diminish.
    change_se : float
        From the expected information at the fit.
    alpha : float
        Exponent of the straight law, positive where error falls.
    """

    p: float
    likelihood_ratio: float
    first: float
    last: float
    change: float
    change_se: float
    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginal:
    """Success gained per unit of cost over the first and the last step, and how sure the fall is.

    Parameters
    ----------
    first, last : float
        Success per unit of cost.
    p_falls : float
        Share of draws in which the last gain is below the first.
    """

    first: float
    last: float
    p_falls: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the target is.

    Parameters
    ----------
    multiple : float or None
        × the largest amount; at most 1 where the fit has reached the target, None where it never does.
    low, high : float or None
        Interval; None above where resampled data often never reach the target.
    p_unreachable : float
        Share of resampled fits that never reach the target: floor above it, or error not falling.
    p_floor_above : float or None
        Share whose floor lies above 1 − target; None below four points, where the floor is not free.
    floor : float
        Fitted error floor E.
    multiple_with_floor : float or None
        With the floor at half the smallest error in place of the fitted one; None if never reached.
    """

    multiple: float | None
    low: float | None
    high: float | None
    p_unreachable: float
    p_floor_above: float | None
    floor: float
    multiple_with_floor: float | None


def _bend_ratio(z: FloatArray, k: FloatArray, n: FloatArray, bar: FloatArray) -> FloatArray:
    straight = fit_curve(POWER, z, k, n).log_likelihood
    # No bent law does better than a free success at every point: most draws need no second fit.
    ratio = 2.0 * (saturated(k, n) - straight)
    open_ = np.flatnonzero(ratio >= bar)
    if open_.size:
        bent = fit_curve(BENT_POWER, z[open_], k[open_], n[open_]).log_likelihood
        ratio[open_] = 2.0 * (bent - straight[open_])
    return np.asarray(ratio)


_AT_FIRST, _AT_LAST = np.array([-3.0, 4.0, -1.0]), np.array([1.0, -4.0, 3.0])
"""dt/dz at the ends of the range from t at its two ends and its middle."""


def bends(series: Sequence[Series], assumed: int, null: Null) -> list[Bend]:
    """Return the curvature of each study; unknown trials are `assumed`."""
    found: dict[int, Bend] = {}
    for block in blocks(series, assumed):
        z, k, n = block.z, block.k, block.n
        straight, bent = fit_curve(POWER, z, k, n), fit_curve(BENT_POWER, z, k, n)
        ratio = 2.0 * (bent.log_likelihood - straight.log_likelihood)
        names = [series[i].study for i in block.rows]
        p = bootstrap_p(_bend_ratio, ratio, straight.success, z, n, names=names, null=null).p
        length = _lengths(series, block)
        first, last = -(bent.theta @ _AT_FIRST) / length, -(bent.theta @ _AT_LAST) / length
        error = _change_se(bent.theta, z, n) / length
        alpha = (straight.theta[:, 1] - straight.theta[:, 0]) / length
        for j, i in enumerate(block.rows.tolist()):
            found[i] = Bend(
                p=float(p[j]),
                likelihood_ratio=float(max(ratio[j], 0.0)),
                first=float(first[j]),
                last=float(last[j]),
                change=float(last[j] - first[j]),
                change_se=float(error[j]),
                alpha=float(alpha[j]),
            )
    return [found[i] for i in range(len(series))]


def _lengths(series: Sequence[Series], block: Block) -> FloatArray:
    return np.array([np.log(series[i].x[-1] / series[i].x[0]) for i in block.rows])


def _change_se(theta: FloatArray, z: FloatArray, n: FloatArray) -> FloatArray:
    """Return the standard error of the change of dt/dz along the range, from the expected information."""
    p, slope = BENT_POWER.predict(theta, z)
    # A fitted 0 or 1 would count as known without error; half a success is the least that n can tell.
    p = np.clip(p, 0.5 / (n + 1.0), 1.0 - 0.5 / (n + 1.0))
    slope = slope / np.maximum(1.0 - BENT_POWER.predict(theta, z)[0], 1e-12)[..., None] * (1.0 - p)[..., None]
    information = np.einsum("bm,bmq,bmr->bqr", n / (p * (1.0 - p)), slope, slope)
    along = _AT_LAST - _AT_FIRST
    solved = np.linalg.solve(information, np.broadcast_to(along, theta.shape)[..., None])[..., 0]
    return np.asarray(np.sqrt(solved @ along))


def marginal(one: Series, assumed: int, cost: FloatArray, draws: int, seed: int) -> Marginal:
    """Return the gains per unit of cost over the first and the last step.

    Successes are drawn from Jeffreys' posterior of each point, Beta(k + 1/2, n − k + 1/2).
    """
    k, n = one.counts(assumed)
    p = np.random.default_rng(seed).beta(k + 0.5, n - k + 0.5, size=(draws, one.m))
    first, last = ((p[:, j + 1] - p[:, j]) / (cost[j + 1] - cost[j]) for j in (0, one.m - 2))
    success = one.success
    return Marginal(
        first=float((success[1] - success[0]) / (cost[1] - cost[0])),
        last=float((success[-1] - success[-2]) / (cost[-1] - cost[-2])),
        p_falls=float((last < first).mean()),
    )


def reaches(
    series: Sequence[Series], assumed: int, target: float, *, draws: int, level: float, seed: int
) -> list[Reach]:
    """Return how far the target success is for each study; unknown trials are `assumed`."""
    found: dict[int, Reach] = {}
    for block in blocks(series, assumed):
        z, k, n = block.z, block.k, block.n
        m = z.shape[1]
        curve = POWER_FLOOR if m >= FREE_FLOOR_POINTS else POWER
        fitted = fit_curve(curve, z, k, n)
        length = _lengths(series, block)
        point = _multiples(fitted.theta, target, length)
        whole = np.maximum(np.rint(n), 1.0)
        rng = np.random.default_rng(seed)
        drawn = rng.binomial(whole.astype(np.int64), np.clip(fitted.success, 0, 1), size=(draws, *k.shape))
        zz, nn = (np.tile(a, (draws, 1)) for a in (z, whole))
        theta = fit_curve(curve, zz, drawn.reshape(-1, m).astype(float), nn).theta
        multiples = _multiples(theta, target, np.tile(length, draws)).reshape(draws, -1)
        ceiling = _ceiling(theta).reshape(draws, -1)
        floors = 1.0 - _ceiling(fitted.theta)
        fixed = _with_floor(z, k, n, target, length)
        tails = np.quantile(multiples, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0, method="lower")
        for j, i in enumerate(block.rows.tolist()):
            found[i] = Reach(
                multiple=_finite(point[j]),
                low=_finite(tails[0, j]),
                high=_finite(tails[1, j]),
                p_unreachable=float(np.isinf(multiples[:, j]).mean()),
                p_floor_above=float((ceiling[:, j] <= target).mean()) if curve is POWER_FLOOR else None,
                floor=float(floors[j]),
                multiple_with_floor=_finite(fixed[j]),
            )
    return [found[i] for i in range(len(series))]


def _ceiling(theta: FloatArray) -> FloatArray:
    return theta[:, 2] if theta.shape[1] > 2 else np.ones(len(theta))


def _multiples(theta: FloatArray, target: float, length: FloatArray) -> FloatArray:
    """Return the multiple of the largest amount at which success reaches the target, inf if it never does."""
    ceiling, first, last = _ceiling(theta), theta[:, 0], theta[:, 1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        wanted = -np.log1p(-np.minimum(target / ceiling, 1.0))
        steps = (wanted - last) / (last - first)
        multiple = np.exp(np.minimum(steps * length, 700.0))
    reached = wanted <= last
    rising = last > first
    return np.where(
        (wanted < np.inf) & (rising | reached), np.where(reached & ~rising, 1.0, multiple), UNREACHABLE
    )


def _with_floor(z: FloatArray, k: FloatArray, n: FloatArray, target: float, length: FloatArray) -> FloatArray:
    """Return multiples with the floor fixed at half the smallest error seen."""
    floor = 0.5 * (1.0 - (k / n).max(axis=1))
    # Above the floor the rest of the error follows the power law: its successes out of n (1 − floor).
    left = n * (1.0 - floor[:, None])
    theta = fit_curve(POWER, z, np.minimum(k, left), left).theta
    return _multiples(np.column_stack([theta, 1.0 - floor]), target, length)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def change_interval(bend: Bend, level: float) -> tuple[float, float]:
    """Return the interval of the change of elasticity along the range."""
    half = normal_quantile(0.5 + level / 2.0) * bend.change_se
    return bend.change - half, bend.change + half
