"""Errors that depend on each other within clusters: sandwich covariance and likelihood.

Rows of one paper, laboratory or system share what is not modelled. The sandwich leaves the
estimate alone and widens its covariance; the exchangeable likelihood models one correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.stats.checks import (
    FloatArray,
    IntArray,
    cluster_index,
    finite_array,
    read_only,
    row_weights_or_equal,
    same_length,
)

RANK_TOLERANCE = 1e-10
"""Least ratio of singular values or eigenvalues once columns are scaled alike; below it, digits of
the answer are rounding."""


def sandwich(
    jacobian: ArrayLike,
    residuals: ArrayLike,
    *,
    hessian: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    codes: ArrayLike | None = None,
    small_sample: bool = True,
) -> FloatArray:
    """Return the sandwich covariance of an M-estimator, by rows or by clusters.

    Parameters
    ----------
    jacobian : array, shape (n, p)
        d predicted / d parameter at the minimum; leave out parameters held at a bound or a kink.
    residuals : array, shape (n,)
        Derivative of each row's loss by its prediction, up to sign: the residual itself for half
        its square, the clipped residual for Huber's loss.
    hessian : array, shape (p, p), or None
        Of the sum of weights times losses; if None, Jacobian' W Jacobian (Gauss-Newton).
    weights : array, shape (n,), or None
        As in the loss; any common scale cancels.
    codes : array, shape (n,), or None
        Clusters; each row its own if None.
    small_sample : bool
        Multiply by C/(C-1), C the number of clusters.

    Returns
    -------
    array, shape (p, p)

    Raises
    ------
    NotIdentifiedError
        The Hessian is not positive definite: a parameter is not determined there.
    """
    slopes = finite_array("sandwich", "jacobian", jacobian, ndim=2)
    errors = finite_array("sandwich", "residuals", residuals)
    same_length("sandwich", jacobian=slopes.T, residuals=errors)
    row_weights = row_weights_or_equal("sandwich", weights, errors.size)
    index, clusters = cluster_index("sandwich", np.arange(errors.size) if codes is None else codes)
    same_length("sandwich", residuals=errors, codes=index)
    if clusters < 2:
        raise EvidenceError(f"sandwich: {clusters} row or cluster, needs at least 2. Cluster less coarsely.")
    bread = (
        slopes.T @ (row_weights[:, None] * slopes)
        if hessian is None
        else finite_array("sandwich", "hessian", hessian, ndim=2)
    )
    if bread.shape != (slopes.shape[1],) * 2:
        raise EvidenceError(
            f"sandwich: hessian {bread.shape} for {slopes.shape[1]} parameters, must agree. Match them."
        )
    diagonal = np.sqrt(np.maximum(np.diag(bread), 0.0))
    if (
        not np.all(diagonal > 0)
        or np.linalg.eigvalsh(bread / np.outer(diagonal, diagonal))[0] < RANK_TOLERANCE
    ):
        raise NotIdentifiedError(
            "sandwich: the Hessian is not positive definite, so some parameter is not determined. "
            "Leave out parameters at a bound, or report a profile instead."
        )
    scores = sums_by_cluster((row_weights * errors)[:, None] * slopes, index, clusters)
    half = np.linalg.solve(bread, scores.T)
    factor = clusters / (clusters - 1) if small_sample else 1.0
    return np.asarray(factor * (half @ half.T))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExchangeableNll:
    """A negative log-likelihood and its gradient; see `exchangeable_nll`."""

    value: float
    by_log_sigma: float
    by_logit_rho: float
    by_residuals: FloatArray


def exchangeable_nll(
    residuals: ArrayLike, codes: ArrayLike, log_sigma: float, logit_rho: float
) -> ExchangeableNll:
    """Return -log L of Gaussian errors that share one correlation rho within clusters.

    1/2 log det R + n ln sigma + e' R^-1 e / (2 sigma^2), without the constant n/2 ln 2 pi, where R
    is 1 on the diagonal, rho within clusters and 0 between them.

    Parameters
    ----------
    residuals : array, shape (n,)
    codes : array, shape (n,)
        Cluster labels.
    log_sigma, logit_rho : float
        sigma = exp(log_sigma), the standard deviation of one error; rho = 1/(1 + exp(-logit_rho)).

    Returns
    -------
    ExchangeableNll
        Value and derivatives by log_sigma, logit_rho and each residual.

    Notes
    -----
    In a cluster of m errors with mean c, R has eigenvalue d = 1 + (m-1) rho along the mean and
    1 - rho across it, so log det = (m-1) ln(1-rho) + ln d and the quadratic form is the sum of
    squares about c over (1-rho), plus m c^2/d: no cancellation as rho nears 1.

    Examples
    --------
    >>> found = exchangeable_nll([1.0, 1.0], ["a", "a"], 0.0, 0.0)
    >>> round(found.value - (0.5 * math.log(0.75) + 0.5 * 2 / 1.5), 12)
    0.0
    """
    from scipy.special import expit

    errors = finite_array("exchangeable_nll", "residuals", residuals)
    index, clusters = cluster_index("exchangeable_nll", codes)
    n = same_length("exchangeable_nll", residuals=errors, codes=index)
    rho, rest = float(expit(logit_rho)), float(expit(-logit_rho))
    precision = math.exp(-2 * log_sigma)
    size = np.bincount(index, minlength=clusters).astype(np.float64)
    along = 1 + (size - 1) * rho
    mean = np.bincount(index, weights=errors, minlength=clusters) / size
    about = errors - mean[index]
    across_squares = float(about @ about)
    along_squares = size * mean**2
    log_rest = -float(np.logaddexp(0.0, logit_rho))
    log_det = (n - clusters) * log_rest + float(np.log(along).sum())
    quadratic = across_squares / rest + float((along_squares / along).sum())
    det_slope = -(n - clusters) * rho + rho * rest * float(((size - 1) / along).sum())
    quadratic_slope = across_squares * rho / rest - rho * rest * float(
        (along_squares * (size - 1) / along**2).sum()
    )
    return ExchangeableNll(
        value=0.5 * log_det + n * log_sigma + 0.5 * precision * quadratic,
        by_log_sigma=n - precision * quadratic,
        by_logit_rho=0.5 * det_slope + 0.5 * precision * quadratic_slope,
        by_residuals=read_only(precision * (about / rest + (mean / along)[index])),
    )


def sums_by_cluster(scores: FloatArray, index: IntArray, clusters: int) -> FloatArray:
    """Return the sum of the rows of `scores` (n, p) within each cluster, shape (clusters, p)."""
    sums = np.zeros((clusters, scores.shape[1]))
    np.add.at(sums, index, scores)
    return sums
