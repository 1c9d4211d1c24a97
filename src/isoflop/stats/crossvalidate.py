"""Which model predicts rows it has not seen? Folds, paired comparison, stacking.

Folds are a boolean array (F, n): True where a row is *tested*, False where it trains. Turned
into row weights, all folds are fitted at once, like bootstrap replicates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NoFitError, NotIdentifiedError, SettingError
from isoflop.stats.checks import (
    BoolArray,
    FloatArray,
    cluster_index,
    finite_array,
    read_only,
    row_weights_or_equal,
    same_length,
    whole_number,
)


def leave_one_out(n: int) -> BoolArray:
    """Return n folds that test one row each.

    Returns
    -------
    bool array, shape (n, n)
    """
    whole_number("leave_one_out", "n", n, least=2)
    return np.eye(n, dtype=np.bool_)


def leave_group_out(codes: ArrayLike) -> BoolArray:
    """Return one fold per group, in the sorted order of the labels.

    Returns
    -------
    bool array, shape (groups, n)

    Examples
    --------
    >>> leave_group_out(["b", "a", "b"]).astype(int).tolist()
    [[0, 1, 0], [1, 0, 1]]
    """
    index, groups = cluster_index("leave_group_out", codes)
    if groups < 2:
        raise EvidenceError("leave_group_out: 1 group, needs at least 2. Leave out rows instead.")
    return np.asarray(index[None, :] == np.arange(groups)[:, None])


def time_ordered(times: ArrayLike, cutoffs: ArrayLike) -> BoolArray:
    """Return one fold per cutoff s: train on times <= s, test on times > s.

    Parameters
    ----------
    times : array, shape (n,)
    cutoffs : array, shape (F,)
        In the unit of `times`; each must leave rows on both sides.

    Returns
    -------
    bool array, shape (F, n)

    Examples
    --------
    >>> time_ordered([2016.5, 2018.0, 2017.0], [2017.0]).astype(int).tolist()
    [[0, 1, 0]]
    """
    when, splits = (
        finite_array("time_ordered", "times", times),
        finite_array("time_ordered", "cutoffs", cutoffs),
    )
    masks = when[None, :] > splits[:, None]
    tested = masks.sum(axis=1)
    for cutoff, count in zip(splits, tested, strict=True):
        if count in (0, when.size):
            side = "after" if count == 0 else "up to"
            raise EvidenceError(
                f"time_ordered: no rows {side} cutoff {cutoff:g}, needs some on both sides. "
                f"Times run from {when.min():g} to {when.max():g}."
            )
    return masks


def k_fold(n: int, k: int, rng: np.random.Generator, groups: ArrayLike | None = None) -> BoolArray:
    """Return k folds that test each row once; rows of a group stay together.

    Sizes differ by at most one row. With groups, the largest group goes first, each to the fold
    that holds fewest rows; ties are broken at random.

    Parameters
    ----------
    n : int
    k : int, 2 to the number of rows (or groups)
    rng : numpy.random.Generator
    groups : array, shape (n,), or None

    Returns
    -------
    bool array, shape (k, n)

    Examples
    --------
    >>> k_fold(10, 3, np.random.default_rng(0)).sum(axis=1).tolist()
    [4, 3, 3]
    """
    index, units = cluster_index("k_fold", np.arange(n) if groups is None else groups)
    same_length("k_fold", rows=np.empty(n), groups=index)
    whole_number("k_fold", "k", k, least=2)
    if k > units:
        raise SettingError(f"k_fold: k={k}, must be <= {units} rows or groups. Lower k.")
    sizes = np.bincount(index, minlength=units)
    shuffled = rng.permutation(units)
    fold_of = np.empty(units, dtype=np.int64)
    held = np.zeros(k, dtype=np.int64)
    for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[unit] = held.argmin()
        held[fold_of[unit]] += sizes[unit]
    return np.asarray(fold_of[index][None, :] == np.arange(k)[:, None])


def training_weights(masks: ArrayLike) -> FloatArray:
    """Return row weights of each fold: equal over training rows, 0 on tested ones, sum 1.

    Returns
    -------
    array, shape (F, n)

    Examples
    --------
    >>> training_weights(leave_one_out(3))[0].tolist()
    [0.0, 0.5, 0.5]
    """
    tested = np.asarray(masks)
    if tested.ndim != 2 or tested.dtype != np.bool_ or tested.size == 0:
        raise EvidenceError(
            f"training_weights: masks of {tested.dtype}, shape {tested.shape}, needs booleans (folds, n)."
        )
    counts = (~tested).sum(axis=1, keepdims=True)
    if not (counts.all() and tested.any(axis=1).all()):
        raise EvidenceError("training_weights: a fold trains on no row or tests none. Leave that fold out.")
    return np.asarray(~tested / counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """Mean of loss_a - loss_b on the same rows; negative if a predicts better."""

    mean: float
    standard_error: float
    z: float
    n: int
    n_clusters: int


def paired_difference(
    loss_a: ArrayLike, loss_b: ArrayLike, codes: ArrayLike | None = None
) -> PairedDifference:
    """Return the mean paired difference of two losses with its standard error.

    Parameters
    ----------
    loss_a, loss_b : arrays, shape (n,)
        Losses of two models on the same tested rows.
    codes : array, shape (n,), or None
        Clusters within which differences may depend on each other.

    Returns
    -------
    PairedDifference
        ``z`` is 0 if all differences are 0, and infinite if they are equal otherwise.

    Notes
    -----
    Standard error: sqrt(C/(C-1) sum over clusters of (sum of deviations)^2)/n; with each row its
    own cluster this is the usual standard deviation/sqrt(n).

    Examples
    --------
    >>> paired_difference([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]).mean
    1.0
    """
    first, second = (
        finite_array("paired_difference", name, loss)
        for name, loss in (("loss_a", loss_a), ("loss_b", loss_b))
    )
    n = same_length("paired_difference", loss_a=first, loss_b=second)
    index, clusters = cluster_index("paired_difference", np.arange(n) if codes is None else codes)
    same_length("paired_difference", losses=first, codes=index)
    if clusters < 2:
        raise EvidenceError(f"paired_difference: {clusters} row or cluster, needs at least 2. Add test rows.")
    difference = first - second
    mean = float(difference.mean())
    sums = np.bincount(index, weights=difference - mean, minlength=clusters)
    error = math.sqrt(clusters / (clusters - 1) * float(sums @ sums)) / n
    z = mean / error if error > 0 else (0.0 if mean == 0 else math.copysign(math.inf, mean))
    return PairedDifference(mean=mean, standard_error=error, z=z, n=n, n_clusters=clusters)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneStandardErrorSet:
    """Models that predict as well as the best, up to one standard error.

    Parameters
    ----------
    best : int
        Index of the model of least mean loss (the first of several).
    members : bool array, shape (models,)
    means, differences, standard_errors : arrays, shape (models,)
        Mean loss; its paired difference from the best, >= 0; the standard error of that.
    """

    best: int
    members: BoolArray
    means: FloatArray
    differences: FloatArray
    standard_errors: FloatArray


def one_standard_error_set(losses: ArrayLike, codes: ArrayLike | None = None) -> OneStandardErrorSet:
    """Return the models within one *paired* standard error of the best.

    Pairing compares models on the same rows, so hard rows, which all models share, cancel; the
    textbook rule uses the best model's own error and keeps more models.

    Parameters
    ----------
    losses : array, shape (models, n)
    codes : array, shape (n,), or None
        Clusters of rows.

    Examples
    --------
    >>> found = one_standard_error_set([[1.0, 5.0, 3.0], [1.1, 4.8, 3.2], [9.0, 9.5, 9.0]])
    >>> found.best, found.members.tolist()
    (0, [True, True, False])
    """
    table = finite_array("one_standard_error_set", "losses", losses, ndim=2)
    means = table.mean(axis=1)
    best = int(means.argmin())
    pairs = [paired_difference(row, table[best], codes) for row in table]
    differences = np.array([pair.mean for pair in pairs])
    errors = np.array([pair.standard_error for pair in pairs])
    return OneStandardErrorSet(
        best=best,
        members=read_only(differences <= errors),
        means=read_only(means),
        differences=read_only(differences),
        standard_errors=read_only(errors),
    )


def stacking_weights(predictions: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> FloatArray:
    """Return model weights >= 0 that sum to 1 and minimise the squared error of the mixture.

    Parameters
    ----------
    predictions : array, shape (models, n)
        Predictions of rows that each model has not seen.
    y : array, shape (n,)
    weights : array, shape (n,), or None
        Row weights.

    Returns
    -------
    array, shape (models,)
        Exact up to rounding; of several optima (equal models), one.

    Notes
    -----
    With E the errors of the models as columns, min |Ew|^2 on the simplex is solved by non-negative
    least squares of (E; 1') u on (0; 1) and w = u/sum(u): scaling w to s w costs s^2 |Ew|^2 +
    (1-s)^2, least 1 - 1/(1 + |Ew|^2), which grows with |Ew|^2 alone.

    Examples
    --------
    >>> stacking_weights([[0.0, 0.0], [2.0, 2.0]], [0.5, 0.5]).round(12).tolist()
    [0.75, 0.25]
    """
    from scipy.optimize import nnls

    table = finite_array("stacking_weights", "predictions", predictions, ndim=2)
    target = finite_array("stacking_weights", "y", y)
    same_length("stacking_weights", predictions=table, y=target)
    row_weights = row_weights_or_equal("stacking_weights", weights, target.size)
    errors = ((table - target) * np.sqrt(row_weights)).T
    lengths = np.linalg.norm(errors, axis=0)
    if lengths.min() == 0:
        return np.asarray(np.arange(lengths.size) == lengths.argmin(), dtype=np.float64)
    # In units of the best single model, so that neither part of the system drowns the other.
    scaled = errors / lengths.min()
    system = np.vstack([scaled, np.ones(lengths.size)])
    try:
        solution, _ = nnls(system, np.append(np.zeros(target.size), 1.0))
    except RuntimeError as error:
        raise NoFitError("stacking_weights: no optimum found. Remove models that predict alike.") from error
    return np.asarray(solution / solution.sum())


def r_squared(y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return 1 - sum of squared errors / sum of squares about the mean of `y` (pooled over folds).

    Raises
    ------
    NotIdentifiedError
        `y` is constant.

    Examples
    --------
    >>> r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    target, fitted = finite_array("r_squared", "y", y), finite_array("r_squared", "predicted", predicted)
    n = same_length("r_squared", y=target, predicted=fitted)
    row_weights = row_weights_or_equal("r_squared", weights, n)
    about_mean = target - np.average(target, weights=row_weights)
    total = float(row_weights @ about_mean**2)
    if np.ptp(target[row_weights > 0]) == 0:
        raise NotIdentifiedError(
            "r_squared: y is constant, so there is nothing to explain. Report the errors."
        )
    return 1.0 - float(row_weights @ (target - fitted) ** 2) / total
