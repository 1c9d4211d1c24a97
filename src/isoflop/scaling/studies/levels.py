"""How errors at the smallest scale vary over studies, and what floor they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.scaling.pooling.hierarchical import Labels, Studies, fit_marginal
from isoflop.scaling.studies.likelihood import (
    Array,
    Counts,
    Levels,
    alpha_grid,
    integrated_log_likelihood,
)

Floor = Literal["none", "free", "shared"]

FLOOR_RATIOS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""E over the smallest error of the range. Curves of neighbouring ratios differ by less than 10 to 100
trials a point can tell."""
FEWEST_FOR_FLOOR = 4
"""Points below which E is held at 0: three points and three parameters leave nothing to judge by."""
NEGLIGIBLE = 0.02
"""Ratios with less posterior weight than this are left out of the average."""
_COARSE = 0.1
_MAX_ROUNDS = 60
_SETTLED = 2e-3
_SD_LEAST, _SD_LEVEL_LEAST = 0.1, 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveSet:
    """Likelihood curves under one floor ratio.

    Parameters
    ----------
    ratio : float or None
        None: each study's ratio is integrated out.
    weight : float
        Posterior weight of the ratio; weights sum to one.
    curves : array, shape (S, G)
    levels : Levels
    level_mean, level_variance : array, shape (S, G), or None
        Of the logit of the error at the smallest scale given alpha; None where ratios are integrated.
    """

    ratio: float | None
    weight: float
    curves: Array
    levels: Levels
    level_mean: Array | None = None
    level_variance: Array | None = None


def fit_levels(counts: Counts, weights: Array, *, floor_ratio: float = 0.0) -> Levels:
    """Return the distribution of levels by expectation-maximisation, with that of alpha beside it.

    Parameters
    ----------
    counts : Counts
    weights : array, shape (S,)
    floor_ratio : float, in [0, 1)

    Examples
    --------
    >>> x = np.log(np.tile([1.0, 3.0, 10.0], (40, 1)))
    >>> trials = np.full(x.shape, 100.0)
    >>> made = Counts(log_x=x, errors=50.0 * np.exp(-0.3 * x), trials=trials)
    >>> levels = fit_levels(made, np.ones(40))
    >>> abs(levels.mean) < 0.05
    True
    """
    grid = alpha_grid(step=_COARSE)
    share = weights / weights.sum()
    levels, centre, sd = Levels(mean=0.0, sd=1.0), 0.2, 0.3
    for _ in range(_MAX_ROUNDS):
        curve, mean, variance = integrated_log_likelihood(counts, grid, levels, floor_ratio=floor_ratio)
        mass = np.exp(curve - curve.max(axis=1, keepdims=True) - 0.5 * ((grid - centre) / sd) ** 2)
        mass /= mass.sum(axis=1, keepdims=True)
        centre = float(share @ (mass @ grid))
        sd = max(_SD_LEAST, float(np.sqrt(share @ (mass @ (grid - centre) ** 2))))
        middle = float(share @ (mass * mean).sum(axis=1))
        spread = np.sqrt(share @ (mass * (variance + (mean - middle) ** 2)).sum(axis=1))
        found = Levels(mean=middle, sd=max(_SD_LEVEL_LEAST, float(spread)))
        moved = abs(found.mean - levels.mean) + abs(found.sd - levels.sd)
        levels = found
        if moved < _SETTLED:
            break
    return levels


def curve_sets(counts: Counts, papers: Labels, floor: Floor) -> tuple[CurveSet, ...]:
    """Return the curves of alpha under each floor that the studies leave open.

    Parameters
    ----------
    counts : Counts
    papers : int array, shape (S,)
    floor : {"none", "free", "shared"}
        "none": E = 0. "free": every ratio of `FLOOR_RATIOS` is equally likely for each study of four or
        more points. "shared": one ratio for all, weighted by how likely it makes all studies together.
    """
    weights = 1.0 / np.bincount(papers)[papers]
    grid = alpha_grid()
    if floor == "none":
        levels = fit_levels(counts, weights)
        curves, mean, variance = integrated_log_likelihood(counts, grid, levels)
        return (
            CurveSet(
                ratio=0.0, weight=1.0, curves=curves, levels=levels, level_mean=mean, level_variance=variance
            ),
        )
    every = []
    for ratio in FLOOR_RATIOS:
        levels = fit_levels(counts, weights, floor_ratio=ratio)
        every.append((levels, *integrated_log_likelihood(counts, grid, levels, floor_ratio=ratio)))
    if floor == "free":
        stacked = np.stack([curves for _, curves, _, _ in every])
        top = stacked.max(axis=0)
        average = top + np.log(np.exp(stacked - top).mean(axis=0))
        can = counts.given.sum(axis=1) >= FEWEST_FOR_FLOOR
        curves = np.where(can[:, None], average, stacked[0])
        return (CurveSet(ratio=None, weight=1.0, curves=curves, levels=every[0][0]),)
    logs = np.array([_log_evidence(curves, papers) for _, curves, _, _ in every])
    posterior = np.exp(logs - logs.max())
    posterior /= posterior.sum()
    posterior = np.where(posterior < NEGLIGIBLE, 0.0, posterior)
    posterior /= posterior.sum()
    return tuple(
        CurveSet(
            ratio=ratio,
            weight=float(w),
            curves=curves,
            levels=levels,
            level_mean=mean,
            level_variance=variance,
        )
        for ratio, w, (levels, curves, mean, variance) in zip(FLOOR_RATIOS, posterior, every, strict=True)
        if w > 0
    )


def _log_evidence(curves: Array, papers: Labels) -> float:
    """Return the log-likelihood of all studies together at its maximum, each study counted once."""
    studies = Studies(grid=alpha_grid(), curves=curves, papers=papers, z=np.ones((len(curves), 1)))
    top = float(curves.max(axis=1).sum())
    return fit_marginal(studies, by_paper=False).objective + top
