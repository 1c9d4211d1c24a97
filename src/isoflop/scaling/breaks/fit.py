"""Success against a resource, by binomial maximum likelihood: smooth curves and one threshold.

Thousands of small studies are fitted at once. A study is m points: z in [0, 1], the logarithm of the
resource measured along the study's own range; k successes of n trials. k may be a fraction, as where
only a rounded rate and an assumed n are known. A curve is anchored at both ends of the range, so that
every parameter is a success (on some scale) at z = 0 or z = 1 and success stays within [0, 1]:

======================  ================================================================
``logistic``            p = 1 / (1 + exp(−η)), η linear in z
``power``               1 − p = exp(−t), t ≥ 0 linear in z: the error falls as a power law
``power_floor``         p = C (1 − exp(−t)): the same towards an error floor 1 − C
``bent_power``          1 − p = exp(−t), t quadratic in z: the exponent changes along the range
======================  ================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from isoflop.stats.checks import FloatArray, IntArray

MOST_LOGIT = 15.0
"""An end of the range with a success of 3e-7 is zero for any number of trials met here."""
MOST_T = 15.0
LEAST_CEILING = 0.01
_EDGE = 1e-9
"""Probabilities are kept this far from 0 and 1."""
_STEPS = 40
_GAIN = 1e-6
"""A row is done when a step raises its log-likelihood by less; differences that matter exceed 1e-2."""

_MOST_DAMPING = 1e3
"""Relative to the information: a step this short that still does not help ends the search."""

Predict = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A family of curves p(z).

    Parameters
    ----------
    name : str
    predict : callable
        ``(theta (B, q), z (B, m)) -> (p (B, m), dp/dtheta (B, m, q))``.
    starts : callable
        ``(z, p) -> theta (B, q) of each start``, from successes strictly between 0 and 1.
    low, high : tuple of float
        Box of the parameters.
    """

    name: str
    predict: Predict
    starts: Callable[[FloatArray, FloatArray], tuple[FloatArray, ...]]
    low: tuple[float, ...]
    high: tuple[float, ...]


def _line(z: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the ends (B, 2) of weighted least-squares lines."""
    a, b = 1.0 - z, z
    aa, ab, bb = ((weight * u * v).sum(-1) for u, v in ((a, a), (a, b), (b, b)))
    ay, by = (weight * a * y).sum(-1), (weight * b * y).sum(-1)
    det = aa * bb - ab * ab
    return np.stack([(bb * ay - ab * by) / det, (aa * by - ab * ay) / det], -1)


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def stages(count: float) -> Curve:
    """Return the curve of a task done only if `count` stages all succeed: p = σ(η)^count.

    Examples
    --------
    >>> one = stages(1.0).predict(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]))[0]
    >>> one.tolist()
    [[0.5, 0.5]]
    """

    def predict(theta: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        q = _sigmoid(theta[:, :1] * (1.0 - z) + theta[:, 1:] * z)
        p = q**count
        slope = count * p * (1.0 - q)
        return p, np.stack([slope * (1.0 - z), slope * z], -1)

    def starts(z: FloatArray, p: FloatArray) -> tuple[FloatArray, ...]:
        q = p ** (1.0 / count)
        return (_line(z, np.log(q / (1.0 - q)), p * (1.0 - p)),)

    most = MOST_LOGIT
    name = "logistic" if count == 1.0 else f"{count:g} stages"
    return Curve(name=name, predict=predict, starts=starts, low=(-most, -most), high=(most, most))


def _power(theta: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    e = np.exp(-(theta[:, :1] * (1.0 - z) + theta[:, 1:2] * z))
    return 1.0 - e, np.stack([e * (1.0 - z), e * z], -1)


def _power_starts(z: FloatArray, p: FloatArray) -> tuple[FloatArray, ...]:
    return (_line(z, -np.log1p(-p), (1.0 - p) / p),)


def _floor(theta: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    p, slope = _power(theta, z)
    ceiling = theta[:, 2:3]
    return ceiling * p, np.concatenate([ceiling[..., None] * slope, p[..., None]], -1)


def _floor_starts(z: FloatArray, p: FloatArray) -> tuple[FloatArray, ...]:
    """Return a gentle rise below the highest success, and a fast one to the mean of the later points."""
    tight = np.minimum(1.0, 1.05 * p.max(-1, keepdims=True))
    (gentle,) = _power_starts(z, np.minimum(p / tight, 0.97))
    plateau = p[:, 1:].mean(-1)
    fast = np.stack([np.full_like(plateau, 0.05), np.full_like(plateau, 8.0), plateau], -1)
    return np.concatenate([gentle, tight], -1), fast


def _bend(z: FloatArray) -> FloatArray:
    """Return the quadratic basis (B, m, 3) with nodes at 0, 1/2 and 1."""
    return np.stack([(1.0 - z) * (1.0 - 2.0 * z), 4.0 * z * (1.0 - z), z * (2.0 * z - 1.0)], -1)


def _bent(theta: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    basis = _bend(z)
    t = (basis * theta[:, None, :]).sum(-1)
    e = np.exp(-np.maximum(t, 0.0))
    # A point held at t = 0 does not move with theta; a slope there would outweigh all other points.
    return 1.0 - e, np.where(t < -_EDGE, 0.0, e)[..., None] * basis


def _bent_starts(z: FloatArray, p: FloatArray) -> tuple[FloatArray, ...]:
    (ends,) = _power_starts(z, p)
    return (np.stack([ends[:, 0], ends.mean(-1), ends[:, 1]], -1),)


LOGISTIC = stages(1.0)
POWER = Curve(name="power", predict=_power, starts=_power_starts, low=(0.0, 0.0), high=(MOST_T, MOST_T))
POWER_FLOOR = Curve(
    name="power_floor",
    predict=_floor,
    starts=_floor_starts,
    low=(0.0, 0.0, LEAST_CEILING),
    high=(MOST_T, MOST_T, 1.0),
)
BENT_POWER = Curve(
    name="bent_power", predict=_bent, starts=_bent_starts, low=(0.0, 0.0, 0.0), high=(MOST_T, MOST_T, MOST_T)
)
SMOOTH: Mapping[str, Curve] = {curve.name: curve for curve in (LOGISTIC, POWER, POWER_FLOOR)}
"""Curves without a threshold; a saturating one is among them, so that a plateau is no threshold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Curves at their maximum likelihood.

    Parameters
    ----------
    theta : array, shape (B, q)
    success : array, shape (B, m)
        Fitted p.
    log_likelihood : array, shape (B,)
        Without the binomial coefficients.
    """

    theta: FloatArray
    success: FloatArray
    log_likelihood: FloatArray


def log_likelihood(p: FloatArray, k: FloatArray, n: FloatArray) -> FloatArray:
    """Return Σ k ln p + (n − k) ln(1 − p) over the last axis; 0 ln 0 is 0."""
    p = np.clip(p, _EDGE, 1.0 - _EDGE)
    return np.asarray((k * np.log(p) + (n - k) * np.log1p(-p)).sum(-1))


def saturated(k: FloatArray, n: FloatArray) -> FloatArray:
    """Return the log-likelihood (B,) of a free success at every point."""
    return log_likelihood(k / n, k, n)


def fit_curve(curve: Curve, z: FloatArray, k: FloatArray, n: FloatArray) -> Fitted:
    """Maximise the binomial likelihood of a curve on B studies of m points.

    Parameters
    ----------
    curve : Curve
    z, k, n : arrays, shape (B, m)
        z and n may be one row for all.

    Notes
    -----
    Damped Fisher scoring inside the box from each start of the curve; the best end is returned.
    """
    z, n = np.broadcast_to(z, k.shape), np.broadcast_to(n, k.shape)
    first, *others = (_climb(curve, theta, z, k, n) for theta in curve.starts(z, (k + 0.5) / (n + 1.0)))
    theta, value = first
    for theta_new, value_new in others:
        theta = np.where((value_new > value)[:, None], theta_new, theta)
        value = np.maximum(value, value_new)
    return Fitted(theta=theta, success=curve.predict(theta, z)[0], log_likelihood=value)


def _climb(
    curve: Curve, theta: FloatArray, z: FloatArray, k: FloatArray, n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return parameters (B, q) and log-likelihoods (B,) at the top reached from `theta`."""
    low, high = np.array(curve.low), np.array(curve.high)
    best = np.clip(theta, low, high)
    p, slope = curve.predict(best, z)
    value = log_likelihood(p, k, n)
    damping = np.full(value.shape, 1e-4)
    rows = np.arange(value.size)
    now, zz, kk, nn = best.copy(), z, k, n
    for _ in range(_STEPS):
        step = _scoring_step(now, p, slope, kk, nn, damping[rows], low, high)
        tried = np.clip(now + step, low, high)
        p_new, slope_new = curve.predict(tried, zz)
        risen = log_likelihood(p_new, kk, nn) - value[rows]
        better = risen > 0
        now = np.where(better[:, None], tried, now)
        p = np.where(better[:, None], p_new, p)
        slope = np.where(better[:, None, None], slope_new, slope)
        value[rows] += np.where(better, risen, 0.0)
        best[rows] = now
        damping[rows] = np.where(better, damping[rows] * 0.1, damping[rows] * 10.0)
        on = np.where(better, risen > _GAIN, damping[rows] < _MOST_DAMPING)
        if not on.any():
            break
        if not on.all():
            rows, now, p, slope = rows[on], now[on], p[on], slope[on]
            zz, kk, nn = zz[on], kk[on], nn[on]
    return best, value


def _scoring_step(
    theta: FloatArray,
    p: FloatArray,
    slope: FloatArray,
    k: FloatArray,
    n: FloatArray,
    damping: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Return damped scoring steps (B, q); a parameter that leans on its bound stays there."""
    p = np.clip(p, _EDGE, 1.0 - _EDGE)
    weight = n / (p * (1.0 - p))
    gradient = np.einsum("bm,bmq->bq", (k - n * p) / (p * (1.0 - p)), slope)
    information = np.einsum("bm,bmq,bmr->bqr", weight, slope, slope)
    held = ((theta <= low) & (gradient < 0)) | ((theta >= high) & (gradient > 0))
    gradient = np.where(held, 0.0, gradient)
    information = np.where(held[:, :, None] | held[:, None, :], 0.0, information)
    q = theta.shape[-1]
    diagonal = information[:, range(q), range(q)]
    information[:, range(q), range(q)] = np.where(held, 1.0, diagonal * (1.0 + damping[:, None]) + 1e-8)
    return _solve(information, gradient)


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve B positive definite systems of q equations by elimination over columns of the batch."""
    q = right.shape[-1]
    a = [[matrix[:, i, j] for j in range(q)] for i in range(q)]
    y = [right[:, i] for i in range(q)]
    for i in range(q):
        for j in range(i + 1, q):
            ratio = a[j][i] / a[i][i]
            a[j] = [a[j][c] - ratio * a[i][c] for c in range(q)]
            y[j] = y[j] - ratio * y[i]
    x: list[FloatArray] = [y[0]] * q
    for i in reversed(range(q)):
        x[i] = (y[i] - sum((a[i][c] * x[c] for c in range(i + 1, q)), start=np.zeros(len(right)))) / a[i][i]
    return np.stack(x, -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Threshold:
    """The best single upward step between two plateaus.

    Parameters
    ----------
    position : array, shape (B,)
        Points before the step; 0 where no step goes up.
    before, after : array, shape (B,)
        Success on either side; equal where no step goes up.
    success : array, shape (B, m)
    log_likelihood : array, shape (B,)
    """

    position: IntArray
    before: FloatArray
    after: FloatArray
    success: FloatArray
    log_likelihood: FloatArray


def fit_threshold(k: FloatArray, n: FloatArray) -> Threshold:
    """Return the best upward step of B studies (B, m), its position searched over all gaps.

    Examples
    --------
    >>> found = fit_threshold(np.array([[1.0, 2.0, 9.0]]), np.full((1, 3), 10.0))
    >>> found.position.tolist(), found.after.tolist()
    ([2], [0.9])
    """
    n = np.broadcast_to(n, k.shape)
    m = k.shape[-1]
    sums, trials = np.cumsum(k, -1), np.cumsum(n, -1)
    left, right = (
        sums[:, :-1] / trials[:, :-1],
        (sums[:, -1:] - sums[:, :-1]) / (trials[:, -1:] - trials[:, :-1]),
    )
    flat = sums[:, -1] / trials[:, -1]
    values = _pooled(sums[:, :-1], trials[:, :-1]) + _pooled(
        sums[:, -1:] - sums[:, :-1], trials[:, -1:] - trials[:, :-1]
    )
    values = np.where(right > left, values, -np.inf)
    gap = values.argmax(-1)
    rows = np.arange(len(k))
    none = ~np.isfinite(values[rows, gap])
    position = np.where(none, 0, gap + 1)
    before, after = (np.where(none, flat, side[rows, gap]) for side in (left, right))
    success = np.where(np.arange(m) < position[:, None], before[:, None], after[:, None])
    value = np.where(none, _pooled(sums[:, -1], trials[:, -1]), values[rows, gap])
    return Threshold(position=position, before=before, after=after, success=success, log_likelihood=value)


def _pooled(k: FloatArray, n: FloatArray) -> FloatArray:
    p = np.clip(k / n, _EDGE, 1.0 - _EDGE)
    return np.asarray(k * np.log(p) + (n - k) * np.log1p(-p))
