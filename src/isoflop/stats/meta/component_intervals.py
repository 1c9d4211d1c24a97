"""Profile-likelihood intervals of the two variances of a clustered fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from isoflop.errors import NotIdentifiedError
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import Interval, chi2_quantile
from isoflop.stats.meta.components import ComponentModel, Components, Likelihood
from isoflop.stats.meta.result import MetaFit

WIDENINGS = 60
"""Doublings of a trial variance before the upper end counts as open; 2^60 leaves any unit behind."""
ROOT_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentIntervals:
    """Intervals of the variance within clusters (`study`) and between them (`cluster`)."""

    study: Interval
    cluster: Interval
    level: float


def component_intervals(fit: MetaFit, level: float | None = None) -> ComponentIntervals:
    """Return profile-likelihood intervals of the variances of a fit by `pool_clustered`.

    Parameters
    ----------
    fit : MetaFit
    level : float, in (0, 1), or None
        The fit's own if None.

    Raises
    ------
    NotIdentifiedError
        The fit has no clusters, or each holds one effect.

    Notes
    -----
    The values at which 2 (log L_max - log L) <= the chi-squared quantile with one degree of freedom, log L
    maximised over the other variance. Near 0 such an interval covers more than its level.

    Examples
    --------
    >>> from isoflop.stats.meta.pool import pool_clustered
    >>> fit = pool_clustered([0.1, 0.2, 0.7, 0.9, 0.5, 0.2], [0.02] * 6, list("aabbcc"))
    >>> found = component_intervals(fit)
    >>> found.cluster.low == 0.0, round(found.cluster.high, 2)
    (True, 1.93)
    """
    if fit.n_clusters is None or fit.n_clusters == fit.n_studies:
        came = "no clusters" if fit.n_clusters is None else "one effect in every cluster"
        raise NotIdentifiedError(
            f"component_intervals: {came}, needs clusters with several effects. "
            "Use q_profile on a fit in two levels."
        )
    used = fit.level if level is None else unit_level("component_intervals", level)
    model = ComponentModel(fit.effects)
    likelihood: Likelihood = "ML" if fit.method == "ML" else "REML"
    best = model.maximise(likelihood, has_cluster=True)
    threshold = chi2_quantile(used, 1)

    def excess(profile: Callable[[float], Components]) -> Callable[[float], float]:
        return lambda value: 2 * (best.log_likelihood - profile(value).log_likelihood) - threshold

    return ComponentIntervals(
        study=_interval(
            excess(lambda value: model.maximise(likelihood, has_cluster=True, study=value)),
            best.study,
            model.scale,
        ),
        cluster=_interval(
            excess(lambda value: model.maximise(likelihood, has_cluster=True, cluster=value)),
            best.cluster,
            model.scale,
        ),
        level=used,
    )


def _interval(excess: Callable[[float], float], best: float, scale: float) -> Interval:
    from scipy.optimize import brentq

    low = 0.0
    if best > 0.0 and excess(0.0) > 0.0:
        low = float(brentq(excess, 0.0, best, xtol=ROOT_TOLERANCE * scale, rtol=ROOT_TOLERANCE))
    inside, outside = best, best + scale
    for _ in range(WIDENINGS):
        if excess(outside) > 0.0:
            high = brentq(excess, inside, outside, xtol=ROOT_TOLERANCE * scale, rtol=ROOT_TOLERANCE)
            return Interval(low=low, high=float(high), kind="closed")
        inside, outside = outside, 2 * outside
    return Interval(low=low, high=None, kind="open_above")
