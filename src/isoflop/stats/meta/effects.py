"""The evidence of a meta-analysis: effects, their sampling variances, moderators and clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError, closest
from isoflop.stats.checks import FloatArray, IntArray, cluster_index, finite_array, read_only, same_length
from isoflop.stats.clustered import RANK_TOLERANCE

NAMED = 6
"""Rows or columns named in a message before it says how many more there are."""
VARIANCE_RATIO = 1e7
"""Largest ratio of sampling variances at which weights still differ by more than rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """Effects with what a fit needs to know about them.

    Parameters
    ----------
    y, v : arrays, shape (k,)
        Effects, and their sampling variances, > 0, in the square of the unit of y.
    design : array, shape (k, p)
        Of full column rank.
    names : tuple of str, length p
    codes : int array, shape (k,), or None
        Cluster numbers 0 .. C-1.
    cluster_labels : tuple of str
        What the clusters are called; empty without clusters.
    weights : array, shape (k,), or None
        The user's own weights, > 0; None weighs by precision.
    """

    y: FloatArray
    v: FloatArray
    design: FloatArray
    names: tuple[str, ...]
    codes: IntArray | None
    cluster_labels: tuple[str, ...]
    weights: FloatArray | None

    @property
    def k(self) -> int:
        """Number of studies."""
        return self.y.size

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return int(self.design.shape[1])

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters, None without."""
        return None if self.codes is None else len(self.cluster_labels)

    @property
    def has_only_intercept(self) -> bool:
        """Whether the model is one common mean."""
        return self.p == 1 and bool(np.all(self.design == 1.0))

    def keep(self, where: str, rows: ArrayLike) -> Effects:
        """Return the effects of some rows (a mask or positions); clusters are numbered anew."""
        chosen = np.arange(self.k)[np.asarray(rows)]
        codes, labels = self.codes, self.cluster_labels
        if codes is not None:
            used, codes = np.unique(codes[chosen], return_inverse=True)
            labels = tuple(labels[i] for i in used)
        design = self.design[chosen]
        _check_rank(where, design, self.names)
        return Effects(
            y=read_only(self.y[chosen]),
            v=read_only(self.v[chosen]),
            design=read_only(design),
            names=self.names,
            codes=None if codes is None else read_only(codes),
            cluster_labels=labels,
            weights=None if self.weights is None else read_only(self.weights[chosen]),
        )


def read_effects(
    where: str,
    y: ArrayLike,
    v: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    codes: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Effects:
    """Return checked effects, or refuse with the rows or columns at fault.

    Parameters
    ----------
    where : str
        Caller, for messages.
    y, v : arrays, shape (k,)
    moderators : array, shape (k,) or (k, m), or None
        Without the column of ones.
    names : sequence of str, length m, or None
        Labels of the moderators; ``moderator 1`` and so on if None.
    intercept : bool
        Put a column of ones first.
    codes : array, shape (k,), or None
        Cluster labels of any sortable kind.
    weights : array, shape (k,), or None

    Raises
    ------
    EvidenceError
        Lengths differ, a value is not finite, a variance or weight is not > 0.
    NotIdentifiedError
        Columns of the design are linearly dependent.

    Examples
    --------
    >>> read_effects("demo", [1.0, 2.0], [0.1, 0.2], codes=["b", "a"]).codes.tolist()
    [1, 0]
    """
    effect, variance = finite_array(where, "y", y), finite_array(where, "v", v)
    k = same_length(where, y=effect, v=variance)
    _check_positive(where, "v", variance, "A variance of 0 claims an exact study: state its real error")
    design, labels = _read_design(where, moderators, names, intercept=intercept, k=k)
    _check_rank(where, design, labels)
    own = None if weights is None else finite_array(where, "weights", weights)
    if own is not None:
        same_length(where, y=effect, weights=own)
        _check_positive(where, "weights", own, "Weigh by a small number")
    index: IntArray | None = None
    cluster_labels: tuple[str, ...] = ()
    if codes is not None:
        index, _ = cluster_index(where, codes)
        same_length(where, y=effect, codes=index)
        cluster_labels = tuple(str(label) for label in np.unique(np.asarray(codes)).tolist())
    return Effects(
        y=read_only(effect),
        v=read_only(variance),
        design=read_only(design),
        names=labels,
        codes=None if index is None else read_only(index),
        cluster_labels=cluster_labels,
        weights=None if own is None else read_only(own),
    )


def equal_cluster_weights(codes: ArrayLike) -> FloatArray:
    """Return weights that give each cluster a total of 1, shared equally by its rows.

    Examples
    --------
    >>> equal_cluster_weights(["a", "a", "b"]).tolist()
    [0.5, 0.5, 1.0]
    """
    index, clusters = cluster_index("equal_cluster_weights", codes)
    return np.asarray(1.0 / np.bincount(index, minlength=clusters)[index])


def chosen(where: str, name: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a setting that is none of its choices, naming the nearest."""
    known = tuple(choices)
    if value not in known:
        near = closest(str(value), known)
        hint = f"Did you mean {near!r}?" if near else f"Use {known[0]!r}."
        raise SettingError(f"{where}: {name}={value!r}, must be one of {', '.join(known)}. {hint}")


def variance_cautions(effects: Effects) -> tuple[str, ...]:
    """Return what the sampling variances themselves make doubtful."""
    ratio = float(effects.v.max() / effects.v.min())
    if ratio <= VARIANCE_RATIO:
        return ()
    return (
        f"The sampling variances differ by a factor of {ratio:.1g}, so a few studies decide everything; "
        "check the units of the standard errors.",
    )


def _read_design(
    where: str, moderators: ArrayLike | None, names: Sequence[str] | None, *, intercept: bool, k: int
) -> tuple[FloatArray, tuple[str, ...]]:
    if moderators is None:
        if names:
            raise SettingError(f"{where}: {len(names)} names and no moderators. Pass the moderators too.")
        if not intercept:
            raise SettingError(f"{where}: neither intercept nor moderators, needs one. Keep the intercept.")
        return np.ones((k, 1)), ("intercept",)
    columns = np.asarray(moderators)
    columns = finite_array(where, "moderators", columns[:, None] if columns.ndim == 1 else columns, ndim=2)
    if len(columns) != k:
        raise EvidenceError(
            f"{where}: {len(columns)} rows of moderators for {k} effects, must be equal. Pass the same rows."
        )
    labels = tuple(names) if names else tuple(f"moderator {i + 1}" for i in range(columns.shape[1]))
    if len(labels) != columns.shape[1]:
        raise SettingError(
            f"{where}: {len(labels)} names for {columns.shape[1]} moderators, must be equal. Name each."
        )
    if not intercept:
        return columns, labels
    return np.column_stack([np.ones(k), columns]), ("intercept", *labels)


def _check_positive(where: str, name: str, values: FloatArray, cure: str) -> None:
    bad = np.flatnonzero(values <= 0)
    if bad.size:
        named = ", ".join(str(int(i)) for i in bad[:NAMED]) + (", …" if bad.size > NAMED else "")
        raise EvidenceError(
            f"{where}: {name} has {bad.size} value(s) <= 0 (rows {named}), needs (0, inf). "
            f"{cure}, or leave the row out by a stated rule."
        )


def _check_rank(where: str, design: FloatArray, names: tuple[str, ...]) -> None:
    k, p = design.shape
    if k < p:
        raise EvidenceError(
            f"{where}: {k} studies for {p} coefficients, needs at least {p}. Use fewer moderators."
        )
    scale = np.linalg.norm(design, axis=0)
    values, right = np.linalg.svd(design / np.where(scale > 0, scale, 1.0), full_matrices=False)[1:]
    null = right[values < RANK_TOLERANCE * values[0]]
    if null.size:
        involved = np.flatnonzero(np.abs(null).max(axis=0) > np.sqrt(RANK_TOLERANCE))
        named = ", ".join(names[int(i)] for i in involved)
        raise NotIdentifiedError(
            f"{where}: column(s) {named} are linearly dependent or 0, needs independent ones. Leave one out."
        )
