"""Do small studies show other effects than large ones? Funnel, Egger's test, PET and PEESE.

A regression of the effects on their standard errors (or variances) whose slope is 0 where size does
not matter. Small-study effects have other causes than selective publication: smaller studies may
study other things.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, read_only, unit_level, whole_number
from isoflop.stats.intervals import normal, normal_quantile
from isoflop.stats.meta.components import ComponentModel
from isoflop.stats.meta.effects import chosen, read_effects
from isoflop.stats.meta.heterogeneity import Tau2Method
from isoflop.stats.meta.pool import pool
from isoflop.stats.meta.result import MetaFit, ratio, two_sided_p

Predictor = Literal["se", "variance"]
AsymmetryModel = Literal["lm", "rma"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Funnel:
    """Effects against their standard errors, and where they would lie around one common effect.

    Parameters
    ----------
    y, se : arrays, shape (k,)
        Residuals are taken about the fit with moderators: y is then y minus fitted plus `centre`.
    centre : float
    grid_se, grid_low, grid_high : arrays, shape (points,)
        Limits centre -+ quantile * se, from se = 0 to the largest.
    level : float
    """

    y: FloatArray
    se: FloatArray
    centre: float
    grid_se: FloatArray
    grid_low: FloatArray
    grid_high: FloatArray
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asymmetry:
    """A regression of effects on their errors.

    Parameters
    ----------
    slope, slope_se, statistic, p_value : float
        Two-sided test of a slope of 0.
    df : float
        Infinity for a normal test.
    limit, limit_se, limit_low, limit_high, limit_p : float
        The effect where the error is 0.
    model : {"lm", "rma"}
    predictor : {"se", "variance"}
    """

    slope: float
    slope_se: float
    statistic: float
    df: float
    p_value: float
    limit: float
    limit_se: float
    limit_low: float
    limit_high: float
    limit_p: float
    model: AsymmetryModel
    predictor: Predictor


@dataclass(frozen=True, slots=True, kw_only=True)
class PetPeese:
    """Two estimates of the effect of a study without error, and the one that the rule picks."""

    pet: Asymmetry
    peese: Asymmetry
    chosen: Literal["pet", "peese"]
    value: float
    se: float
    low: float
    high: float


def funnel(fit: MetaFit, *, level: float = 0.95, points: int = 50) -> Funnel:
    """Return what a funnel plot shows.

    Examples
    --------
    >>> found = funnel(pool([0.1, 0.3, 0.8], [0.04, 0.01, 0.09]), points=3)
    >>> [round(float(s), 4) for s in found.grid_se]
    [0.0, 0.15, 0.3]
    """
    upper = (1 + unit_level("funnel", level)) / 2
    whole_number("funnel", "points", points, least=2)
    se = np.sqrt(fit.effects.v)
    centre = float(fit.effects.design.mean(axis=0) @ fit.coefficients)
    grid = np.linspace(0.0, float(se.max()), points)
    half = normal_quantile(upper) * grid
    return Funnel(
        y=read_only(fit.residuals + centre),
        se=read_only(se),
        centre=centre,
        grid_se=read_only(grid),
        grid_low=read_only(centre - half),
        grid_high=read_only(centre + half),
        level=float(level),
    )


def egger(
    y: ArrayLike,
    v: ArrayLike,
    *,
    model: AsymmetryModel = "lm",
    predictor: Predictor = "se",
    tau2: Tau2Method = "REML",
    level: float = 0.95,
) -> Asymmetry:
    """Regress effects on their standard errors or variances.

    Parameters
    ----------
    y, v : arrays, shape (k,), k >= 3
        Effects, and sampling variances > 0, not all equal.
    model : {"lm", "rma"}
        ``lm``: weights 1/v and an estimated dispersion, t with k - 2 degrees of freedom (Egger's
        own). ``rma``: a mixed-effects regression, normal test.
    predictor : {"se", "variance"}
    tau2 : str
        Estimator for ``rma``.
    level : float, in (0, 1)

    Raises
    ------
    EvidenceError
        Fewer than three studies, or all errors equal.

    Notes
    -----
    Sources: Egger et al. (1997), BMJ 315, 629-634; Sterne & Egger (2005).

    Examples
    --------
    >>> found = egger([0.1, 0.3, 0.8, 0.5], [0.01, 0.02, 0.09, 0.04])
    >>> found.slope > 0, found.df
    (True, 2.0)
    """
    chosen("egger", "model", model, ("lm", "rma"))
    chosen("egger", "predictor", predictor, ("se", "variance"))
    effects = read_effects("egger", y, v)
    if effects.k < 3 or np.ptp(effects.v) <= 1e-12 * effects.v.max():
        raise EvidenceError(
            f"egger: {effects.k} studies with {len(np.unique(effects.v))} different variances, needs 3 "
            "studies and different variances. Add studies, or leave this test out."
        )
    errors = np.sqrt(effects.v) if predictor == "se" else effects.v
    method = "FE" if model == "lm" else tau2
    fit = pool(effects.y, effects.v, moderators=errors, tau2=method, test="z", level=level)
    covariance, df = fit.covariance, math.inf
    if model == "lm":
        df = float(effects.k - 2)
        covariance = covariance * ComponentModel(fit.effects).at(0.0, 0.0).quadratic / df
    return _asymmetry(fit.coefficients, covariance, df, level, model, predictor)


def pet_peese(y: ArrayLike, v: ArrayLike, *, level: float = 0.95, alpha: float = 0.10) -> PetPeese:
    """Return PET and PEESE, and PEESE's effect if PET's differs from 0 at `alpha`, else PET's.

    Parameters
    ----------
    y, v : arrays, shape (k,), k >= 3
    level : float, in (0, 1)
    alpha : float, in (0, 1)
        Two-sided.

    Notes
    -----
    Source: Stanley & Doucouliagos (2014), Res. Synth. Meth. 5, 60-78. With few or very different studies
    both estimates are poor; they are a check, not a correction.

    Examples
    --------
    >>> pet_peese([0.1, 0.3, 0.8, 0.5], [0.01, 0.02, 0.09, 0.04]).chosen
    'peese'
    """
    unit_level("pet_peese", alpha)
    pet = egger(y, v, predictor="se", level=level)
    peese = egger(y, v, predictor="variance", level=level)
    kept = peese if pet.limit_p < alpha else pet
    return PetPeese(
        pet=pet,
        peese=peese,
        chosen="peese" if kept is peese else "pet",
        value=kept.limit,
        se=kept.limit_se,
        low=kept.limit_low,
        high=kept.limit_high,
    )


def _asymmetry(
    coefficients: FloatArray,
    covariance: FloatArray,
    df: float,
    level: float,
    model: AsymmetryModel,
    predictor: Predictor,
) -> Asymmetry:
    se = np.sqrt(np.diag(covariance))
    low, high = normal(coefficients, se, level, df=df)
    statistics = ratio(coefficients, se)
    p_values = two_sided_p(statistics, df)
    return Asymmetry(
        slope=float(coefficients[1]),
        slope_se=float(se[1]),
        statistic=float(statistics[1]),
        df=df,
        p_value=float(p_values[1]),
        limit=float(coefficients[0]),
        limit_se=float(se[0]),
        limit_low=float(low[0]),
        limit_high=float(high[0]),
        limit_p=float(p_values[0]),
        model=model,
        predictor=predictor,
    )
