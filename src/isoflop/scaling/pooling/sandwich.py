"""A covariance that takes papers, not studies, as the independent units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

_LEAST_REST = 0.25
"""A paper's share of the information counts as 3/4 at most when its score is inflated (Fay and Graubard
2001): a paper that decides alone would otherwise inflate itself without bound."""


def cluster_sandwich(scores: Array, information: Array, clusters: Labels) -> tuple[Array, Array]:
    """Return the corrected sandwich covariance over clusters and its degrees of freedom.

    The scores of each cluster are inflated by ``(I - H_c H^-1)^(-1/2)`` (Kauermann and Carroll 2001);
    degrees of freedom follow Satterthwaite with ``Var(score_c) = H_c`` as the working model (Fay and
    Graubard 2001). For a plain mean of clusters this is the t interval of their means.

    Parameters
    ----------
    scores : array, shape (S, q)
    information : array, shape (S, q, q)
        Minus the second derivatives.
    clusters : int array, shape (S,)

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0])
    >>> v, df = cluster_sandwich((y - y.mean())[:, None], np.ones((3, 1, 1)), np.arange(3))
    >>> bool(np.isclose(v[0, 0], y.var(ddof=1) / 3)), round(float(df[0]), 6)
    (True, 2.0)
    """
    count, q = int(clusters.max()) + 1, scores.shape[1]
    if count < 2:
        return np.full((q, q), np.nan), np.full(q, np.nan)
    total, by = np.zeros((count, q)), np.zeros((count, q, q))
    np.add.at(total, clusters, scores)
    np.add.at(by, clusters, information)
    bread = np.linalg.pinv(by.sum(axis=0))
    adjusted = np.empty_like(total)
    lifts = np.empty_like(by)
    for c in range(count):
        lifts[c] = _inverse_root(np.eye(q) - by[c] @ bread)
        adjusted[c] = lifts[c] @ total[c]
    covariance = bread @ (adjusted.T @ adjusted) @ bread
    df = np.empty(q)
    working = np.array([_positive_part(h) for h in by])
    for i in range(q):
        ahead = bread[i] @ lifts
        back = np.einsum("cq,cqr->cr", ahead, by) @ bread
        centred = -np.einsum("cq,dqr->cdr", back, np.broadcast_to(np.eye(q), (count, q, q)))
        centred[np.arange(count), np.arange(count)] += ahead
        spread = np.einsum("cdq,dqr,edr->ce", centred, working, centred)
        trace, square = np.trace(spread), float((spread**2).sum())
        df[i] = max(trace**2 / square, 1.0) if square > 0 else 1.0
    return covariance, df


def _inverse_root(matrix: Array) -> Array:
    """Return the inverse square root of a matrix with eigenvalues in [0, 1]; small ones are bounded."""
    values, vectors = np.linalg.eig(matrix)
    inside = np.clip(values.real, _LEAST_REST, 1.0 / _LEAST_REST)
    return np.asarray((vectors * inside**-0.5) @ np.linalg.pinv(vectors)).real


def _positive_part(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return np.asarray((vectors * np.clip(values, 0.0, None)) @ vectors.T)
