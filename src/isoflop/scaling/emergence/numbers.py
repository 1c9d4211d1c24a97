"""Is one threshold a better account of a study than a smooth law? The numbers behind the verdicts.

With p the success and n the trials of a point, the statistic is 2 (ln L₁ − ln L₀): L₁ the likelihood of
the best single upward step, its position searched; L₀ that of the best smooth curve (logistic, power law
of the error, power law with a floor). A jump right behind the first point is never called a threshold:
a curve that saturates does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isoflop.scaling.breaks.fit import (
    LOGISTIC,
    SMOOTH,
    Curve,
    fit_curve,
    fit_threshold,
    log_likelihood,
    saturated,
    stages,
)
from isoflop.scaling.breaks.null import Null, Statistic, bootstrap_p
from isoflop.scaling.breaks.series import Block, Series, blocks
from isoflop.stats.checks import FloatArray

FIT_NULL = Null(reps=199, stop=10)
"""Draws for the tests of fit, which are read at 5 % and not corrected for their number."""
STAGES_TRIED = (2, 3, 5, 10, 20)
_EXTRA = 1.0
"""What a further parameter must add to the log-likelihood before data are drawn from it (Akaike)."""
_SINGLE_MISS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """What one study says under one number of trials.

    Parameters
    ----------
    trials : int
        Assumed trials per point, or the fewest printed.
    likelihood_ratio : float
        2 (ln L₁ − ln L₀); below 0 the smooth law fits better.
    p : float
        Of the smooth law against one threshold.
    draws : int
        Bootstrap draws behind `p`; 0 where the ratio is not positive and p is taken as 1.
    p_smooth, p_threshold, p_flat : float
        Fit of the best smooth law, of the best threshold, and of no change at all.
    position : int
        Points before the best upward step, 0 if none goes up.
    before, after : float
        Success on either side of it.
    smooth : array, shape (m,)
        Success under the best smooth law.
    smooth_law : str
    detection_limit : float
        Success that shows 0 of n with probability 5 %.
    zeros_probability : float or None
        Probability of the zeros under the trend of the later points; None without zeros at the start.
    stages_needed : int or None
        Fewest of `STAGES_TRIED` serial stages, each improving smoothly, under which the threshold is no
        longer preferred; None where none is preferred or none suffices.
    p_stages : float or None
        As `p`, with the given number of stages among the smooth laws.
    """

    trials: int
    likelihood_ratio: float
    p: float
    draws: int
    p_smooth: float
    p_threshold: float
    p_flat: float
    position: int
    before: float
    after: float
    smooth: FloatArray
    smooth_law: str
    detection_limit: float
    zeros_probability: float | None = None
    stages_needed: int | None = None
    p_stages: float | None = None


def detection_limit(trials: float) -> float:
    """Return the success that shows no success in n trials with probability 5 %.

    Examples
    --------
    >>> round(detection_limit(10), 3), round(detection_limit(50), 3)
    (0.259, 0.058)
    """
    return float(1.0 - _SINGLE_MISS ** (1.0 / trials))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smooth:
    """The best smooth curve of each study, and the one that data are drawn from.

    Parameters
    ----------
    log_likelihood : array, shape (B,)
        Of the best curve.
    success : array, shape (B, m)
        Of the best two-parameter curve unless a third parameter adds more than 1 to ln L.
    law : sequence of str
        Name of that curve.
    """

    log_likelihood: FloatArray
    success: FloatArray
    law: tuple[str, ...]


def fit_smooth(z: FloatArray, k: FloatArray, n: FloatArray, extra: Sequence[Curve] = ()) -> Smooth:
    """Fit every smooth curve to B studies (B, m) and keep the best."""
    curves = (*SMOOTH.values(), *extra)
    fits = [fit_curve(curve, z, k, n) for curve in curves]
    values = np.stack([f.log_likelihood for f in fits])
    fewest = min(len(curve.low) for curve in curves)
    penalty = np.array([_EXTRA * (len(curve.low) - fewest) for curve in curves])
    chosen = (values - penalty[:, None]).argmax(axis=0)
    success = np.stack([f.success for f in fits])[chosen, np.arange(len(k))]
    return Smooth(
        log_likelihood=values.max(axis=0), success=success, law=tuple(curves[i].name for i in chosen)
    )


def _smooth_until(
    z: FloatArray, k: FloatArray, n: FloatArray, enough: FloatArray, extra: Sequence[Curve] = ()
) -> FloatArray:
    """Return the best smooth log-likelihood (B,), or any that exceeds `enough` where one does."""
    best = np.full(len(k), -np.inf)
    for curve in (*SMOOTH.values(), *extra):
        left = np.flatnonzero(best <= enough)
        if left.size:
            best[left] = np.maximum(best[left], fit_curve(curve, z[left], k[left], n[left]).log_likelihood)
    return best


def threshold_ratio(extra: Sequence[Curve] = ()) -> Statistic:
    """Return the statistic 2 (ln L₁ − ln L₀) with further curves among the smooth ones."""

    def ratio(z: FloatArray, k: FloatArray, n: FloatArray, bar: FloatArray) -> FloatArray:
        step = fit_threshold(k, n).log_likelihood
        return np.asarray(2.0 * (step - _smooth_until(z, k, n, step - 0.5 * bar, extra)))

    return ratio


def _smooth_deviance(z: FloatArray, k: FloatArray, n: FloatArray, bar: FloatArray) -> FloatArray:
    best = saturated(k, n)
    return np.asarray(2.0 * (best - _smooth_until(z, k, n, best - 0.5 * bar)))


def _threshold_deviance(_z: FloatArray, k: FloatArray, n: FloatArray, _bar: FloatArray) -> FloatArray:
    return np.asarray(2.0 * (saturated(k, n) - fit_threshold(k, n).log_likelihood))


def _flat_ratio(_z: FloatArray, k: FloatArray, n: FloatArray, _bar: FloatArray) -> FloatArray:
    flat = np.broadcast_to(k.sum(-1, keepdims=True) / n.sum(-1, keepdims=True), k.shape)
    return np.asarray(2.0 * (fit_threshold(k, n).log_likelihood - log_likelihood(flat, k, n)))


def numbers_of(series: Sequence[Series], assumed: int, null: Null) -> list[Numbers]:
    """Return the numbers of each series; unknown trials are `assumed`."""
    found: dict[int, Numbers] = {}
    for block in blocks(series, assumed):
        names = [series[i].study for i in block.rows]
        found |= zip(block.rows.tolist(), _test_block(block, names, null), strict=True)
    return [_with_zeros(found[i], one, assumed) for i, one in enumerate(series)]


def _test_block(block: Block, names: Sequence[str], null: Null) -> list[Numbers]:
    z, k, n = block.z, block.k, block.n
    smooth, step = fit_smooth(z, k, n), fit_threshold(k, n)
    ratio = 2.0 * (step.log_likelihood - smooth.log_likelihood)
    p, draws = np.ones(len(k)), np.zeros(len(k), np.int64)
    open_ = np.flatnonzero(ratio > 0)
    if open_.size:
        answer = bootstrap_p(
            threshold_ratio(),
            ratio[open_],
            smooth.success[open_],
            z[open_],
            n[open_],
            names=[names[i] for i in open_.tolist()],
            null=null,
        )
        p[open_], draws[open_] = answer.p, answer.draws
    flat = np.broadcast_to(k.sum(-1, keepdims=True) / n.sum(-1, keepdims=True), k.shape)
    fits = [
        bootstrap_p(statistic, value, success, z, n, names=names, null=_fit_null(null)).p
        for statistic, value, success in (
            (_smooth_deviance, 2.0 * (saturated(k, n) - smooth.log_likelihood), smooth.success),
            (_threshold_deviance, 2.0 * (saturated(k, n) - step.log_likelihood), step.success),
            (_flat_ratio, 2.0 * (step.log_likelihood - log_likelihood(flat, k, n)), flat),
        )
    ]
    return [
        Numbers(
            trials=int(n[i].min()),
            likelihood_ratio=float(ratio[i]),
            p=float(p[i]),
            draws=int(draws[i]),
            p_smooth=float(fits[0][i]),
            p_threshold=float(fits[1][i]),
            p_flat=float(fits[2][i]),
            position=int(step.position[i]),
            before=float(step.before[i]),
            after=float(step.after[i]),
            smooth=smooth.success[i],
            smooth_law=smooth.law[i],
            detection_limit=detection_limit(float(n[i, 0])),
        )
        for i in range(len(k))
    ]


def _fit_null(null: Null) -> Null:
    return Null(reps=min(FIT_NULL.reps, null.reps), stop=FIT_NULL.stop, seed=null.seed)


def _with_zeros(numbers: Numbers, one: Series, assumed: int) -> Numbers:
    if not one.zero_then_positive:
        return numbers
    return replace(numbers, zeros_probability=zeros_probability(one, assumed))


def zeros_probability(one: Series, assumed: int) -> float:
    """Return how likely the zeros at the start are if the later points' trend held there too.

    The trend is a logistic curve through the points from the first success on; a constant where there
    is only one or where they fall. Its uncertainty is not counted, which makes the answer too small.
    """
    k, n = one.counts(assumed)
    first = int((k > 0).argmax())
    z = one.z
    if one.m - first > 1:
        fit = fit_curve(LOGISTIC, z[None, first:], k[None, first:], n[None, first:])
        p = LOGISTIC.predict(fit.theta, z[None, :first])[0][0]
        if fit.theta[0, 1] > fit.theta[0, 0]:
            return float(np.exp((n[:first] * np.log1p(-np.minimum(p, 1.0 - 1e-12))).sum()))
    rate = float(np.minimum(k[first:].sum() / n[first:].sum(), 1.0 - 1e-12))
    return float(np.exp(n[:first].sum() * np.log1p(-rate)))


def stages_needed(one: Series, numbers: Numbers, null: Null, bar: float) -> int | None:
    """Return the fewest serial stages under which a preferred threshold is no longer preferred."""
    for count in STAGES_TRIED:
        if stages_p(one, numbers, count, null) > bar:
            return count
    return None


def stages_p(one: Series, numbers: Numbers, count: int, null: Null) -> float:
    """Return the p-value of smooth laws, serial stages among them, against one threshold."""
    extra = (stages(float(count)),)
    k, n = one.counts(numbers.trials)
    z, k, n = one.z[None], k[None], n[None]
    smooth = fit_smooth(z, k, n, extra)
    ratio = 2.0 * (fit_threshold(k, n).log_likelihood - smooth.log_likelihood)
    if ratio[0] <= 0:
        return 1.0
    fewer = Null(reps=min(null.reps, 999), stop=null.stop, seed=null.seed)
    return float(
        bootstrap_p(threshold_ratio(extra), ratio, smooth.success, z, n, names=[one.study], null=fewer).p[0]
    )


def partners(series: Sequence[Series]) -> Mapping[int, int]:
    """Return, for a series of a success rate, the series of the same study under part marks.

    Same paper, architecture, task, resource, unit, familiarity and amounts; another metric that gives
    partial credit.
    """
    fixed = ("architecture", "task", "resource", "x_unit", "familiarity", "environment")

    def key(one: Series) -> tuple[object, ...]:
        return (one.paper, *(one.about.get(name) for name in fixed), *one.x.tolist())

    linear = {key(one): i for i, one in enumerate(series) if one.is_partial_credit}
    return {
        i: linear[key(one)]
        for i, one in enumerate(series)
        if not one.is_partial_credit and key(one) in linear
    }
