"""How does the answer move as studies leave, or arrive in order?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import IsoflopError
from isoflop.stats.checks import BoolArray, FloatArray, IntArray, cluster_index, read_only, same_length
from isoflop.stats.meta.pool import fit_effects
from isoflop.stats.meta.result import MetaFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refits:
    """Fits of subsets, one a row.

    Parameters
    ----------
    labels : tuple of str, length m
        What was left out, or up to where studies were taken in.
    names : tuple of str, length p
    coefficients, low, high : arrays, shape (m, p)
    tau2 : array, shape (m,)
    n_studies : int array, shape (m,)
    reasons : tuple of str, length m
        Why there is no fit; empty where there is one. Numbers without a fit are NaN.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    coefficients: FloatArray
    low: FloatArray
    high: FloatArray
    tau2: FloatArray
    n_studies: IntArray
    reasons: tuple[str, ...]


def leave_out(fit: MetaFit, codes: ArrayLike | None = None) -> Refits:
    """Refit without each study, or without each cluster.

    Parameters
    ----------
    fit : MetaFit
    codes : array, shape (k,), or None
        Cluster labels; None leaves out single studies, labelled by position.

    Returns
    -------
    Refits
        Rows in the sorted order of the labels.

    Examples
    --------
    >>> from isoflop.stats.meta.pool import pool
    >>> found = leave_out(pool([0.1, 0.3, 0.8, 0.4], [0.02] * 4))
    >>> [round(float(b), 3) for b in found.coefficients[:, 0]]
    [0.5, 0.433, 0.267, 0.4]
    """
    k = fit.n_studies
    if codes is None:
        return _refits(fit, ((str(i), np.arange(k) != i) for i in range(k)))
    index, clusters = cluster_index("leave_out", codes)
    same_length("leave_out", y=fit.effects.y, codes=index)
    labels = np.unique(np.asarray(codes)).tolist()
    return _refits(fit, ((str(labels[c]), index != c) for c in range(clusters)))


def cumulative(fit: MetaFit, order: ArrayLike) -> Refits:
    """Refit with studies taken in by rising `order`, ties together.

    Parameters
    ----------
    fit : MetaFit
    order : array, shape (k,)
        Such as years.

    Examples
    --------
    >>> from isoflop.stats.meta.pool import pool
    >>> found = cumulative(pool([0.1, 0.3, 0.8, 0.4], [0.02] * 4), [2019, 2021, 2020, 2020])
    >>> found.labels, found.n_studies.tolist(), found.reasons[0][:16]
    (('2019', '2020', '2021'), [1, 3, 4], 'pool: 1 studies ')
    """
    index, steps = cluster_index("cumulative", order)
    same_length("cumulative", y=fit.effects.y, order=index)
    labels = np.unique(np.asarray(order)).tolist()
    return _refits(fit, ((str(labels[c]), index <= c) for c in range(steps)))


def _refits(fit: MetaFit, subsets: Iterable[tuple[str, BoolArray]]) -> Refits:
    labels, rows, counts, reasons = [], [], [], []
    p = fit.effects.p
    for label, kept in subsets:
        labels.append(label)
        counts.append(int(kept.sum()))
        try:
            part = fit.effects.keep("pool", kept)
            found = fit_effects(part, method=fit.method, test=fit.test, level=fit.level)
        except IsoflopError as error:
            reasons.append(str(error))
            rows.append(np.full(3 * p + 1, np.nan))
        else:
            reasons.append("")
            rows.append(np.concatenate([found.coefficients, found.low, found.high, [found.tau2]]))
    numbers = np.array(rows)
    return Refits(
        labels=tuple(labels),
        names=fit.names,
        coefficients=read_only(numbers[:, :p]),
        low=read_only(numbers[:, p : 2 * p]),
        high=read_only(numbers[:, 2 * p : 3 * p]),
        tau2=read_only(numbers[:, -1]),
        n_studies=read_only(np.array(counts)),
        reasons=tuple(reasons),
    )
