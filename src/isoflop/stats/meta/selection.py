"""A step-function selection model: studies are seen more or less often by their p-value.

With delta_j the chance to be seen in interval j of one-sided p-values, relative to the first::

    log L = sum log delta_j(i) + log N(y_i; x_i'b, v_i + tau²) - log A_i
    A_i   = sum over intervals of delta_j P(p-value of study i falls in interval j)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError, NoFitError, NotIdentifiedError, SettingError
from isoflop.stats.checks import BoolArray, FloatArray, IntArray, finite_array, read_only, unit_level
from isoflop.stats.intervals import normal, normal_quantile
from isoflop.stats.meta.effects import Effects, chosen, read_effects
from isoflop.stats.meta.pool import fit_effects
from isoflop.stats.meta.result import MetaFit, ratio, two_sided_p

MOST_STEPS = 200
STEP_TOLERANCE = 1e-11
LOG_DELTA_LIMIT = 12.0
"""A relative chance beyond e^12 or e^-12 means that the likelihood rises without end."""
FEW_PER_INTERVAL = 4
DELTA_STARTS = (1.0, 0.3, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelectionFit:
    """Effects corrected for selection by p-value.

    Parameters
    ----------
    names : tuple of str, length p
    coefficients, standard_errors, low, high, p_values : arrays, shape (p,)
        Normal intervals.
    tau2 : float
    tau2_se : float or None
        None where tau2 is 0.
    delta, delta_se : arrays, shape (m,)
        Relative chance to be seen per interval of p-values; the first is 1, without error.
    steps : tuple of float
        Upper ends of the intervals, the last 1.
    counts : int array, shape (m,)
        Studies per interval.
    lr_statistic, lr_df, lr_p : float, int, float
        Likelihood-ratio test of no selection.
    log_likelihood, level : float
    unadjusted : MetaFit
        By maximum likelihood, without selection.
    cautions : tuple of str
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    standard_errors: FloatArray
    low: FloatArray
    high: FloatArray
    p_values: FloatArray
    tau2: float
    tau2_se: float | None
    delta: FloatArray
    delta_se: FloatArray
    steps: tuple[float, ...]
    counts: IntArray
    lr_statistic: float
    lr_df: int
    lr_p: float
    log_likelihood: float
    level: float
    unadjusted: MetaFit
    cautions: tuple[str, ...]


def selection_model(
    y: ArrayLike,
    v: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    steps: Sequence[float] = (0.025,),
    alternative: Literal["greater", "less"] = "greater",
    level: float = 0.95,
) -> SelectionFit:
    """Fit effects together with their chance to be seen.

    Parameters
    ----------
    y, v : arrays, shape (k,)
    moderators, names, intercept
        As in `pool`.
    steps : sequence of float, rising, in (0, 1)
        Where the chance changes, in one-sided p-values; 0.025 is two-sided 5 %.
    alternative : {"greater", "less"}
        Sign of the effects that selection favours.
    level : float, in (0, 1)

    Raises
    ------
    EvidenceError
        No more studies than parameters.
    NotIdentifiedError
        An interval without a study, or a relative chance that runs off to 0 or infinity.
    NoFitError
        No certified maximum.

    Notes
    -----
    Maximum likelihood; standard errors from the observed information in (b, tau², delta).
    Sources: Hedges (1992), Statistical Science 7, 246-255; Vevea & Hedges (1995), Psychometrika 60, 419-435.

    Examples
    --------
    >>> y = [0.9, 0.7, 0.5, 0.35, 0.2, 0.1, 0.6, -0.1]
    >>> found = selection_model(y, [0.1, 0.06, 0.04, 0.02, 0.03, 0.01, 0.2, 0.05])
    >>> found.counts.tolist(), found.lr_df
    ([4, 4], 1)
    """
    chosen("selection_model", "alternative", alternative, ("greater", "less"))
    unit_level("selection_model", level)
    cuts = finite_array("selection_model", "steps", list(steps))
    if cuts[0] <= 0 or cuts[-1] >= 1 or np.any(np.diff(cuts) <= 0):
        raise SettingError(f"selection_model: steps={tuple(steps)}, must rise within (0, 1). Use (0.025,).")
    effects = read_effects("selection_model", y, v, moderators=moderators, names=names, intercept=intercept)
    needed = effects.p + cuts.size + 2
    if effects.k < needed:
        raise EvidenceError(
            f"selection_model: {effects.k} studies for {needed - 1} parameters, needs at least {needed}. "
            "Add studies, or use fewer steps."
        )
    sign = 1.0 if alternative == "greater" else -1.0
    likelihood = _Likelihood(effects, cuts, sign)
    unadjusted = fit_effects(effects, method="ML", test="z", level=level)
    theta = _best(likelihood, unadjusted)
    return _result(likelihood, theta, unadjusted, sign, cuts, level)


class _Likelihood:
    """log L, its gradient and Hessian in (b, tau², log delta_2 .. log delta_m).

    Effects are turned so that selection favours positive ones.
    """

    def __init__(self, effects: Effects, cuts: FloatArray, sign: float) -> None:
        self.y, self.v, self.design = sign * effects.y, effects.v, effects.design
        self.p, self.m = effects.p, cuts.size + 1
        quantiles = np.array([normal_quantile(1 - cut) for cut in cuts])
        self.bounds = np.sqrt(self.v)[:, None] * quantiles
        self.interval = np.sum(self.y[:, None] <= self.bounds, axis=1)
        self.counts = np.bincount(self.interval, minlength=self.m)
        if np.any(self.counts == 0):
            empty = int(np.argmin(self.counts))
            ends = [0.0, *cuts.tolist(), 1.0]
            span = f"({ends[empty]:g}, {ends[empty + 1]:g})"
            raise NotIdentifiedError(
                f"selection_model: no study has a one-sided p-value in {span}, "
                "needs some in every interval. Use other steps, or check alternative."
            )

    def value(self, theta: FloatArray) -> float:
        """Return log L, -infinity for a negative tau²."""
        if theta[self.p] < 0:
            return -math.inf
        _, _, parts = self._parts(theta)
        return float(parts.sum())

    def gradient(self, theta: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient; complex `theta` gives its derivatives in the imaginary part."""
        from scipy.special import ndtr

        total, error, cut, delta = self._prepared(theta)
        phi = np.exp(-(cut**2) / 2) / math.sqrt(2 * math.pi)
        below = ndtr(cut)
        fall = delta[:-1] - delta[1:]
        seen = delta[0] - below @ fall
        root = np.sqrt(total)
        by_mean = error / total - (phi @ fall) / (seen * root)
        by_tau2 = (error**2 / total - 1) / (2 * total) - ((phi * cut) @ fall) / (2 * seen * total)
        upper = np.column_stack([np.ones(len(below)), below])
        lower = np.column_stack([below, np.zeros(len(below))])
        shares = (upper - lower) * delta / seen[:, None]
        by_log_delta = self.counts - shares.sum(axis=0)
        return np.concatenate([by_mean @ self.design, [by_tau2.sum()], by_log_delta[1:]])

    def hessian(self, theta: FloatArray) -> FloatArray:
        """Return the Hessian, exact to rounding by complex steps."""
        size = theta.size
        tiny = 1e-30
        columns = [self.gradient(theta + 1j * tiny * np.eye(size)[i]).imag / tiny for i in range(size)]
        hessian = np.array(columns)
        return (hessian + hessian.T) / 2

    def _prepared(self, theta: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        mean = self.design @ theta[: self.p]
        total = self.v + theta[self.p]
        delta = np.concatenate([[1.0], np.exp(theta[self.p + 1 :])])
        return total, self.y - mean, (self.bounds - mean[:, None]) / np.sqrt(total)[:, None], delta

    def _parts(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        from scipy.special import ndtr

        total, error, cut, delta = self._prepared(theta)
        seen = delta[0] - ndtr(cut) @ (delta[:-1] - delta[1:])
        parts = np.log(delta)[self.interval] - 0.5 * np.log(2 * np.pi * total) - error**2 / (2 * total)
        return seen, delta, np.asarray(parts - np.log(seen))


def _best(likelihood: _Likelihood, unadjusted: MetaFit) -> FloatArray:
    """Return the highest maximum found from several starts."""
    sign = 1.0 if np.array_equal(likelihood.y, unadjusted.effects.y) else -1.0
    scale = unadjusted.tau2 + float(np.median(likelihood.v))
    found: list[tuple[float, FloatArray]] = []
    for delta in DELTA_STARTS:
        for tau2 in (unadjusted.tau2, 0.3 * scale):
            start = np.concatenate(
                [sign * unadjusted.coefficients, [tau2], np.full(likelihood.m - 1, math.log(delta))]
            )
            end = _climb(likelihood, start, scale)
            if end is not None:
                found.append((likelihood.value(end), end))
    if not found:
        raise NoFitError("selection_model: no start reached a maximum. Use fewer steps or moderators.")
    theta = max(found, key=lambda pair: pair[0])[1]
    logs = theta[likelihood.p + 1 :]
    if np.abs(logs).max() >= LOG_DELTA_LIMIT:
        worst = int(np.abs(logs).argmax())
        limit = "0" if logs[worst] < 0 else "infinity"
        raise NotIdentifiedError(
            f"selection_model: the chance of interval {worst + 2} runs to {limit}, needs a maximum. "
            "Too few studies lie in an interval: use fewer steps."
        )
    return theta


def _climb(likelihood: _Likelihood, start: FloatArray, scale: float) -> FloatArray | None:
    """Return a maximum by Newton steps with eigenvalues turned, or None; tau² stays >= 0."""
    theta, value, p = start, likelihood.value(start), likelihood.p
    units = np.concatenate([np.full(p, math.sqrt(scale)), [scale], np.ones(likelihood.m - 1)])
    for _ in range(MOST_STEPS):
        gradient = likelihood.gradient(theta) * units
        free = np.ones(theta.size, dtype=bool)
        free[p] = theta[p] > 0 or gradient[p] > 0
        step = np.zeros(theta.size)
        step[free] = _uphill(likelihood.hessian(theta) * np.outer(units, units), gradient, free)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() <= STEP_TOLERANCE:
            return theta
        share = 1.0
        while share > 1e-10:
            onward = theta + share * units * step
            onward[p] = max(onward[p], 0.0)
            onward[p + 1 :] = np.clip(onward[p + 1 :], -LOG_DELTA_LIMIT, LOG_DELTA_LIMIT)
            height = likelihood.value(onward)
            if height >= value - 1e-13 * (1 + abs(value)):
                break
            share /= 2
        else:
            return theta if np.abs(gradient[free]).max() < 1e-5 else None
        if np.array_equal(onward, theta):
            return theta
        theta, value = onward, height
    return None


def _uphill(hessian: FloatArray, gradient: FloatArray, free: BoolArray) -> FloatArray:
    values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
    curvature = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    return np.asarray(vectors @ ((vectors.T @ gradient[free]) / curvature))


def _result(
    likelihood: _Likelihood,
    theta: FloatArray,
    unadjusted: MetaFit,
    sign: float,
    cuts: FloatArray,
    level: float,
) -> SelectionFit:
    from scipy.special import gammaincc

    p, m = likelihood.p, likelihood.m
    delta = np.concatenate([[1.0], np.exp(theta[p + 1 :])])
    # Natural scale: at the maximum, d²/d delta² is d²/d(log delta)² over delta².
    unit = np.concatenate([np.ones(p + 1), delta[1:]])
    free = np.ones(theta.size, dtype=bool)
    free[p] = theta[p] > 0
    information = -(likelihood.hessian(theta) / np.outer(unit, unit))[np.ix_(free, free)]
    errors = np.full(theta.size, np.nan)
    errors[free] = np.sqrt(np.diag(np.linalg.inv(information)))
    log_likelihood = likelihood.value(theta)
    plain = unadjusted.log_likelihood
    statistic = max(0.0, 2 * (log_likelihood - (plain if plain is not None else -math.inf)))
    coefficients = sign * theta[:p]
    low, high = normal(coefficients, errors[:p], level)
    return SelectionFit(
        names=unadjusted.names,
        coefficients=read_only(coefficients),
        standard_errors=read_only(errors[:p]),
        low=read_only(low),
        high=read_only(high),
        p_values=read_only(two_sided_p(ratio(coefficients, errors[:p]), math.inf)),
        tau2=float(theta[p]),
        tau2_se=float(errors[p]) if free[p] else None,
        delta=read_only(delta),
        delta_se=read_only(np.concatenate([[0.0], errors[p + 1 :]])),
        steps=(*(float(cut) for cut in cuts), 1.0),
        counts=read_only(likelihood.counts),
        lr_statistic=statistic,
        lr_df=m - 1,
        lr_p=float(gammaincc((m - 1) / 2, statistic / 2)),
        log_likelihood=log_likelihood,
        level=level,
        unadjusted=unadjusted,
        cautions=_cautions(likelihood.counts),
    )


def _cautions(counts: IntArray) -> tuple[str, ...]:
    least = int(counts.min())
    if least >= FEW_PER_INTERVAL:
        return ()
    return (
        f"An interval of p-values holds {least} study or studies, so the chance to be seen there is hardly "
        "determined; more studies or fewer steps would help.",
    )
