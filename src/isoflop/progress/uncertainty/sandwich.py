"""How sure is the rate, without resampling? Cluster sandwich at a certified minimum.

A penalised minimum solves sum_i w_i g_i + delta sgn(theta) = 0 on the coordinates that the
penalty does not pin at zero. There the covariance is H^-1 M H^-1, with H the Hessian of the
weighted loss and M the sum over papers of the outer product of their scores; the standard error
of G follows by the delta method. It knows one basin only: with two, the bootstrap says more.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.progress.model import Features, Model
from isoflop.progress.rates import REFERENCE_YEAR, rate, require_time
from isoflop.progress.result import ProgressFit
from isoflop.stats.exp_sum import Array

By = Literal["paper", "row"]
AT_ONCE = 256
"""Replicates handled together: their residuals and slopes stay in the cache."""
NUMERIC_STEP = 1e-5
"""Relative step of central differences where G has no closed form; balances rounding and curvature."""
SINGULAR = 1e-12
"""Least eigenvalue, relative to the largest, of a Hessian scaled to unit diagonal."""


def rate_gradient(
    model: Model,
    theta: Array,
    *,
    benchmark: int = 0,
    is_transformer: bool = True,
    year: float = REFERENCE_YEAR,
) -> Array:
    """Return dG/dtheta at parameters of shape (R, p), shape (R, p).

    NaN where a term improves without a size to express the improvement in.

    Raises
    ------
    NotIdentifiedError
        The law has no time term.
    """
    require_time(model.law)
    where = {"benchmark": benchmark, "is_transformer": is_transformer, "year": year}
    theta = np.atleast_2d(np.asarray(theta, float))
    if not model.law.rates_are_constant:
        slopes = np.empty_like(theta)
        for j in range(theta.shape[1]):
            step = np.zeros_like(theta)
            step[:, j] = NUMERIC_STEP * np.maximum(np.abs(theta[:, j]), 0.1)
            up, down = (rate(model, theta + s * step, **where) for s in (1.0, -1.0))  # type: ignore[arg-type]
            slopes[:, j] = (up - down) / (2 * step[:, j])
        return slopes
    base = model.normalisers
    at = Features.of(
        parameters=base.parameters * np.array([1.0, 1.0, np.e, 1.0]),
        data=base.data * np.array([1.0, 1.0, 1.0, np.e]),
        year=np.array([year, year + 1.0, year, year]),
        benchmark=benchmark,
        is_transformer=is_transformer,
    )
    total = np.zeros_like(theta)
    for k, x in enumerate(model.design(at).terms):
        by_year, by_size = x[0] - x[1], x[0] - x[2 + k]
        years, sizes = theta @ by_year, theta @ by_size
        absent = (years == 0) & (sizes == 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = by_year / sizes[:, None] - (years / sizes**2)[:, None] * by_size
        total += np.where(absent[:, None], 0.0, slope)
    return np.where(np.isfinite(total), total, np.nan)


def parameter_covariance(fit: ProgressFit, *, basin: int = 0, by: By = "paper") -> Array:
    """Return the cluster sandwich covariance of the parameters at a minimum, shape (p, p).

    Rows and columns of parameters that the penalty pins at zero are 0: the formula is conditional
    on which these are.

    Raises
    ------
    NotIdentifiedError
        The Hessian is singular on the free parameters.
    """
    theta = _theta(fit, basin)
    codes = fit.sample.clusters if by == "paper" else np.arange(fit.sample.n)
    weights = np.full((1, fit.sample.n), 1.0 / fit.sample.n)
    hessian, free = _hessians(fit, theta[None], weights)
    if not _regular(hessian)[0]:
        raise NotIdentifiedError(
            f"parameter_covariance: law {fit.model.law.number} at minimum {basin + 1} is not determined by "
            "these rows (singular Hessian). Raise the penalty, or report a profile."
        )
    inverse = np.linalg.inv(hessian[0])
    sums = np.array([_scores(fit, theta[None], weights, codes, row[None])[0][0] for row in inverse])
    kept = sums * free[0][:, None]
    clusters = kept.shape[1]
    return np.asarray(clusters / (clusters - 1) * (kept @ kept.T))


def rate_standard_error(fit: ProgressFit, *, basin: int = 0, by: By = "paper") -> float:
    """Return the standard error of G at one minimum, ln/yr.

    Raises
    ------
    NotIdentifiedError
        G or its slope is not finite there, or the Hessian is singular.
    """
    theta = _theta(fit, basin)[None]
    codes = fit.sample.clusters if by == "paper" else np.arange(fit.sample.n)
    weights = np.full((1, fit.sample.n), 1.0 / fit.sample.n)
    found = float(_standard_errors(fit, theta, weights, codes)[0])
    if not np.isfinite(found):
        raise NotIdentifiedError(
            f"rate_standard_error: law {fit.model.law.number} at minimum {basin + 1} has no finite standard "
            "error of the rate (singular Hessian, or an exponent of zero). Use a bootstrap."
        )
    return found


def rate_standard_errors(fit: ProgressFit) -> tuple[float, Array]:
    """Return the standard error of G at the best minimum and in every bootstrap draw.

    For the studentised bootstrap. The weights of each draw are made again from the fit's setting,
    so that papers drawn twice count twice.

    Returns
    -------
    se : float
        ln/yr.
    draw_ses : array, shape (draws,)
        One for each draw with a rate, in their order; NaN where the Hessian is singular.

    Raises
    ------
    EvidenceError
        The fit has no draws.
    """
    if fit.draws is None or fit.ci is None:
        raise EvidenceError("rate_standard_errors: a fit without draws, needs some. Pass ci=Bootstrap().")
    codes = fit.sample.codes(fit.ci.by)
    by: By = "row" if codes is None else "paper"
    rows = np.arange(fit.sample.n) if codes is None else codes
    kept = np.flatnonzero(~np.isnan(fit.rate_draws))
    out = np.empty(len(kept))
    for begin in range(0, len(kept), AT_ONCE):
        part = kept[begin : begin + AT_ONCE]
        first, last = int(part[0]), int(part[-1]) + 1
        weights = fit.ci.weights(fit.sample.n, codes, first=first, last=last)[part - first]
        out[begin : begin + len(part)] = _standard_errors(fit, fit.draws.theta[part], weights, rows)
    return rate_standard_error(fit, by=by), out


def _theta(fit: ProgressFit, basin: int) -> Array:
    if not 0 <= basin < len(fit.minima):
        raise EvidenceError(
            f"sandwich: basin {basin} of {len(fit.minima)}, must be one of 0 to {len(fit.minima) - 1}."
        )
    return fit.minima[basin].theta


def _standard_errors(fit: ProgressFit, theta: Array, weights: Array, codes: NDArray[np.int64]) -> Array:
    """Return the standard error of G for parameters (R, p) with their weights (R, n)."""
    hessian, free = _hessians(fit, theta, weights)
    slope = np.where(free, rate_gradient(fit.model, theta), 0.0)
    usable = np.isfinite(slope).all(axis=1) & _regular(hessian)
    hessian[~usable] = np.eye(theta.shape[1])
    target = np.where(usable[:, None], slope, 0.0)
    direction = np.asarray(np.linalg.solve(hessian, target[:, :, None])[:, :, 0], float)
    sums, times = _scores(fit, theta, weights, codes, direction)
    drawn = times > 0
    square = np.where(drawn, sums**2 / np.where(drawn, times, 1.0), 0.0).sum(axis=1)
    clusters = sums.shape[1]
    return np.where(usable, np.sqrt(clusters / (clusters - 1) * square), np.nan)


def _hessians(fit: ProgressFit, theta: Array, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return Hessians (R, p, p) of the weighted squared loss and the free coordinates (R, p).

    Pinned coordinates have the identity, so that a solve leaves them alone.
    """
    design, p = fit.model.design(fit.sample.features), theta.shape[1]
    residual = design.predict(theta) - fit.sample.outcome
    parts = [np.exp(e) for e in design.exponents(theta)]
    blocks = list(zip(design.terms, parts, strict=True))
    if design.linear is not None:
        blocks.append((design.linear, np.ones_like(residual)))
    hessian = np.zeros((len(theta), p * p))
    for k, (x, a) in enumerate(blocks):
        for m, (z, b) in enumerate(blocks):
            curvature = a * b + (residual * a if k == m and k < len(parts) else 0.0)
            hessian += (2.0 * weights * curvature) @ (x[:, :, None] * z[:, None, :]).reshape(len(x), -1)
    hessian = hessian.reshape(-1, p, p)
    free = np.asarray((theta != 0) | (fit.penalty.strengths(fit.model) == 0), bool)
    return np.where(free[:, :, None] & free[:, None, :], hessian, np.eye(p)), free


def _regular(hessian: Array) -> NDArray[np.bool_]:
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    positive: NDArray[np.bool_] = np.asarray((diagonal > 0).all(axis=1), bool)
    scale = np.sqrt(np.where(positive.reshape(-1, 1), diagonal, 1.0))
    values = np.linalg.eigvalsh(hessian / (scale[:, :, None] * scale[:, None, :]))
    return np.asarray(positive & (values[:, 0] > SINGULAR * values[:, -1]), bool)


def _scores(
    fit: ProgressFit, theta: Array, weights: Array, codes: NDArray[np.int64], direction: Array
) -> tuple[Array, Array]:
    """Return each cluster's score along a direction (R, p), penalty included, and how often it was drawn.

    Both have shape (R, C). A cluster drawn k times has k times its score.
    """
    design = fit.model.design(fit.sample.features)
    residual = design.predict(theta) - fit.sample.outcome
    exponents = zip(design.terms, design.exponents(theta), strict=True)
    along = sum(np.exp(e) * (direction @ x.T) for x, e in exponents)
    if design.linear is not None:
        along = along + direction @ design.linear.T
    pull: Array = (direction * fit.penalty.strengths(fit.model) * np.sign(theta)).sum(axis=1)
    by_row = weights * (2.0 * residual * along + pull[:, None])
    labels, index, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    member = np.zeros((len(codes), len(labels)))
    member[np.arange(len(codes)), index] = 1.0
    weight = (weights @ member) / sizes
    return by_row @ member, weight * len(labels) / weight.sum(axis=1, keepdims=True)
