"""One effect from many studies: fixed, random or mixed effects, in two levels or three.

y_j = x_j'b + u_cluster(j) + s_j + e_j, with e_j of known variance v_j. Two levels have no u; the
variance of s is tau². Coefficients are weighted least squares with V^-1, V the fitted covariance of y,
or with the user's weights, and then the covariance of b is the sandwich with V.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.stats.checks import FloatArray, read_only, unit_level
from isoflop.stats.meta.components import ComponentModel, Components, Likelihood, Point
from isoflop.stats.meta.effects import Effects, chosen, read_effects, variance_cautions
from isoflop.stats.meta.heterogeneity import (
    HeterogeneityInterval,
    Tau2Method,
    i2_and_h2,
    q_profile_interval,
    q_test,
    tau2_estimate,
    typical_variance,
)
from isoflop.stats.meta.result import MeanTest, MetaFit, WaldTest, wald_test

FEW_STUDIES = 5
FEW_CLUSTERS = 10


def pool(
    y: ArrayLike,
    v: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    tau2: Tau2Method = "REML",
    test: MeanTest | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> MetaFit:
    """Pool independent effects, or regress them on moderators.

    Use `pool_clustered` where several effects come from one paper.

    Parameters
    ----------
    y, v : arrays, shape (k,)
        Effects, and sampling variances > 0.
    moderators : array, shape (k,) or (k, m), or None
        Without the column of ones.
    names : sequence of str, length m, or None
        Labels of the moderators.
    intercept : bool
    tau2 : {"REML", "ML", "DL", "PM", "HE", "SJ", "FE"}
        FE: one true effect, tau² = 0.
    test : {"knha", "adhoc", "t", "z"} or None
        ``knha``: Knapp and Hartung's variance with t on k - p degrees of freedom; ``adhoc``: the same,
        never below the model's variance. None: ``z`` for FE, else ``knha``.
    weights : array, shape (k,), > 0, or None
        Own weights in place of precisions.
    level : float, in (0, 1)

    Returns
    -------
    MetaFit

    Raises
    ------
    EvidenceError
        Rows that cannot be used, or no more studies than coefficients.
    NotIdentifiedError
        Moderators are linearly dependent.
    NoFitError
        The likelihood has no certified maximum.

    Notes
    -----
    Knapp-Hartung: covariance times sum of w* (y - fit)² / (k - p), w* = 1/(v + tau²) at its own
    weighted fit. Source: Knapp & Hartung (2003), Statistics in Medicine 22, 2693-2710.

    Examples
    --------
    >>> fit = pool([0.1, 0.3, 0.8, 0.4], [0.02, 0.03, 0.02, 0.05])
    >>> round(float(fit.coefficients[0]), 4), round(fit.tau2, 4)
    (0.4026, 0.0743)
    """
    chosen("pool", "tau2", tau2, get_args(Tau2Method))
    used: MeanTest = test or ("z" if tau2 == "FE" else "knha")
    chosen("pool", "test", used, get_args(MeanTest))
    effects = read_effects(
        "pool", y, v, moderators=moderators, names=names, intercept=intercept, weights=weights
    )
    return fit_effects(effects, method=tau2, test=used, level=unit_level("pool", level))


def pool_clustered(
    y: ArrayLike,
    v: ArrayLike,
    codes: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Likelihood = "REML",
    test: Literal["t", "z"] = "t",
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> MetaFit:
    """Pool effects that come in clusters, with a variance within and a variance between clusters.

    Parameters
    ----------
    y, v : arrays, shape (k,)
        Effects, and sampling variances > 0.
    codes : array, shape (k,)
        Cluster labels, at least two different.
    moderators, names, intercept, weights, level
        As in `pool`.
    method : {"REML", "ML"}
    test : {"t", "z"}
        t has clusters - p degrees of freedom, as for a coefficient that varies between clusters only.

    Returns
    -------
    MetaFit

    Raises
    ------
    NotIdentifiedError
        One cluster only; or moderators are linearly dependent.
    EvidenceError
        Rows that cannot be used, or no more studies or clusters than needed.

    Notes
    -----
    V = diag(v) + s I + c ZZ'. Where every cluster holds one effect, s and c cannot be told apart:
    the model is that of `pool`, and all of the variance is put down to the study.
    Source: Konstantopoulos (2011), Research Synthesis Methods 2, 61-76.

    Examples
    --------
    >>> fit = pool_clustered([0.1, 0.2, 0.7, 0.9], [0.02, 0.03, 0.02, 0.05], ["a", "a", "b", "b"])
    >>> round(float(fit.coefficients[0]), 4), round(fit.study_variance, 4), round(fit.cluster_variance, 4)
    (0.4467, 0.0, 0.1773)
    """
    chosen("pool_clustered", "method", method, get_args(Likelihood))
    chosen("pool_clustered", "test", test, ("t", "z"))
    effects = read_effects(
        "pool_clustered",
        y,
        v,
        moderators=moderators,
        names=names,
        intercept=intercept,
        codes=codes,
        weights=weights,
    )
    return fit_effects(effects, method=method, test=test, level=unit_level("pool_clustered", level))


def q_profile(fit: MetaFit, level: float | None = None) -> HeterogeneityInterval:
    """Return the Q-profile interval of tau², I² and H² of a fit in two levels.

    Examples
    --------
    >>> found = q_profile(pool([0.1, 0.3, 0.8, 0.4], [0.02, 0.03, 0.02, 0.05]))
    >>> found.tau2_low < 0.0743 < found.tau2_high
    True
    """
    if fit.n_clusters is not None:
        raise NotIdentifiedError(
            "q_profile: the fit has clusters, needs one variance. Use component_intervals."
        )
    if fit.n_studies == fit.effects.p:
        raise NotIdentifiedError(
            f"q_profile: {fit.n_studies} studies for {fit.effects.p} coefficient(s), needs one more. "
            "Add studies."
        )
    return q_profile_interval(fit.effects, fit.level if level is None else level)


def fit_effects(effects: Effects, *, method: Tau2Method, test: MeanTest, level: float) -> MetaFit:
    """Return the fit of checked effects; the core of `pool`, `pool_clustered` and all refits."""
    where = "pool" if effects.codes is None else "pool_clustered"
    _check_counts(where, effects, method, test)
    model = ComponentModel(effects)
    parts = _estimate(model, method)
    point = model.at(parts.study, parts.cluster)
    coefficients, covariance, row_weights = _coefficients(point)
    factor = 1.0
    if test in ("knha", "adhoc"):
        factor = point.quadratic / (model.k - model.p)
        covariance = covariance * (max(factor, 1.0) if test == "adhoc" else factor)
    df = _degrees(effects, test)
    tau2 = parts.study + parts.cluster
    typical = typical_variance(model)
    q = q_test(model)
    i2, h2 = i2_and_h2(tau2, typical)
    if method == "FE" and q.df:
        i2, h2 = max(0.0, 1 - q.df / q.statistic) if q.statistic else 0.0, q.statistic / q.df
    fitted = effects.design @ coefficients
    tested = _moderator_test(effects, coefficients, covariance, df)
    return MetaFit(
        names=effects.names,
        coefficients=read_only(coefficients),
        covariance=read_only(covariance),
        df=df,
        method=method,
        test=test,
        level=level,
        tau2=tau2,
        study_variance=parts.study,
        cluster_variance=parts.cluster,
        tau2_se=parts.study_se,
        typical_variance=typical,
        i2=i2,
        i2_cluster=parts.cluster / (tau2 + typical) if tau2 else 0.0,
        h2=h2,
        heterogeneity=q,
        moderators=tested,
        r2=_explained(effects, method, tau2) if tested is not None else None,
        log_likelihood=_reported_likelihood(model, parts, method),
        weights=read_only(row_weights),
        fitted=read_only(fitted),
        residuals=read_only(effects.y - fitted),
        cautions=_cautions(effects, method, test, parts, factor, row_weights),
        effects=effects,
    )


def has_inseparable_clusters(effects: Effects) -> bool:
    """Return whether every cluster holds one effect, so that two variances are one."""
    return effects.n_clusters == effects.k


def _check_counts(where: str, effects: Effects, method: Tau2Method, test: MeanTest) -> None:
    if effects.n_clusters == 1:
        raise NotIdentifiedError(
            f"{where}: {effects.k} studies, 1 cluster, needs at least 2 to tell how clusters differ. "
            "Add clusters, or pool without them and call the result that of one cluster."
        )
    needed = effects.p if method == "FE" and test == "z" else effects.p + 1
    if effects.k < needed:
        cure = " Or use tau2='FE' with test='z'." if effects.codes is None else ""
        raise EvidenceError(
            f"{where}: {effects.k} studies for {effects.p} coefficient(s), needs at least {needed}. "
            f"Add studies.{cure}"
        )
    if effects.n_clusters is not None and test == "t" and effects.n_clusters <= effects.p:
        raise EvidenceError(
            f"{where}: {effects.n_clusters} clusters for {effects.p} coefficients, needs at least "
            f"{effects.p + 1}. Use fewer moderators."
        )


def _estimate(model: ComponentModel, method: Tau2Method) -> Components:
    if method in ("ML", "REML"):
        clustered = model.effects.codes is not None and not has_inseparable_clusters(model.effects)
        return model.maximise(method, has_cluster=clustered)
    tau2 = tau2_estimate(model, method)
    return Components(study=tau2, cluster=0.0, log_likelihood=math.nan, study_se=None, second=None)


def _reported_likelihood(model: ComponentModel, parts: Components, method: Tau2Method) -> float | None:
    if method == "FE":
        return float(model.at(0.0, 0.0, "ML").log_likelihood)
    return None if math.isnan(parts.log_likelihood) else parts.log_likelihood


def _coefficients(point: Point) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients, their covariance and each study's share of the weight, in the user's order."""
    model = point.model
    own = model.effects.weights
    back = np.linalg.inv(model.triangle)
    if own is None:
        shift, covariance = point.shift, point.inner
        rows = point.solve(np.ones(model.k))
    else:
        rows = own[model.order]
        weighted = rows[:, None] * model.basis
        bread = np.linalg.inv(model.basis.T @ weighted)
        shift = bread @ (weighted.T @ model.rest)
        by_cluster = model.sums(weighted)
        meat = weighted.T @ ((model.v + point.study)[:, None] * weighted)
        meat = meat + point.cluster * by_cluster.T @ by_cluster
        covariance = bread @ meat @ bread
    shares = np.empty(model.k)
    shares[model.order] = rows / rows.sum()
    covariance = back @ covariance @ back.T
    return back @ (model.mean + shift), (covariance + covariance.T) / 2, shares


def _degrees(effects: Effects, test: MeanTest) -> float:
    if test == "z":
        return math.inf
    return float((effects.k if effects.n_clusters is None else effects.n_clusters) - effects.p)


def _moderator_test(
    effects: Effects, coefficients: FloatArray, covariance: FloatArray, df: float
) -> WaldTest | None:
    tested = np.array([name != "intercept" for name in effects.names])
    if effects.has_only_intercept or not tested.any():
        return None
    names = tuple(name for name, is_tested in zip(effects.names, tested, strict=True) if is_tested)
    return wald_test(coefficients[tested], covariance[np.ix_(tested, tested)], names, df)


def _explained(effects: Effects, method: Tau2Method, tau2: float) -> float | None:
    if method == "FE" or "intercept" not in effects.names:
        return None
    alone = Effects(
        y=effects.y,
        v=effects.v,
        design=read_only(np.ones((effects.k, 1))),
        names=("intercept",),
        codes=effects.codes,
        cluster_labels=effects.cluster_labels,
        weights=effects.weights,
    )
    parts = _estimate(ComponentModel(alone), method)
    total = parts.study + parts.cluster
    return max(0.0, 1 - tau2 / total) if total > 0 else None


def _cautions(
    effects: Effects,
    method: Tau2Method,
    test: MeanTest,
    parts: Components,
    factor: float,
    shares: FloatArray,
) -> tuple[str, ...]:
    found = list(variance_cautions(effects))
    k, clusters = effects.k, effects.n_clusters
    if method == "FE" and test in ("knha", "adhoc"):
        found.append(
            "Knapp-Hartung intervals are not meant for one fixed effect; use a random-effects estimator."
        )
    if method != "FE" and k < FEW_STUDIES:
        found.append(f"{k} studies hardly determine how much true effects differ; more studies would.")
    if method != "FE" and parts.study + parts.cluster == 0.0 and k < 2 * FEW_STUDIES:
        found.append(
            f"The variance between studies is estimated as 0, which {k} studies cannot show; its interval "
            "says how large it may be."
        )
    if test == "knha" and factor < 1:
        found.append(
            "The effects lie closer together than their errors let expect, so Knapp-Hartung narrowed the "
            "interval; test='adhoc' does not."
        )
    if parts.second is not None:
        found.append(
            "The likelihood has a second maximum that is nearly as high, at variances "
            f"{parts.second[0]:.3g} and {parts.second[1]:.3g}; more studies would tell them apart."
        )
    if k > 2 and shares.max() > 0.5:
        found.append(f"One study carries {shares.max():.0%} of the weight; see the fit without it.")
    if clusters is not None and has_inseparable_clusters(effects):
        found.append(
            "Every cluster holds one effect, so variances within and between clusters are one number; "
            "clusters with several effects would part them."
        )
    elif clusters is not None and clusters < FEW_CLUSTERS:
        found.append(
            f"{clusters} clusters hardly determine the variance between them; more clusters would. "
            "Robust or bootstrap intervals lean on it less."
        )
    return tuple(found)
