"""How far would the answer move on other evidence of the same kind? Bootstrap and jackknife.

A replicate is a vector of row weights that sum to 1: rows (or whole clusters) drawn with
replacement, never a copied table. Weights are the form in which the optimiser takes thousands
of replicates at once. The replicates' answers, the *draws*, become intervals in `isoflop.stats.draws`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.stats.checks import FloatArray, IntArray, cluster_index, same_length, unit_level, whole_number

BootstrapKind = Literal["percentile", "basic", "bca", "studentised"]

BLOCK = 64
"""Replicates that share one generator: large enough that seeding costs nothing, small enough that
a chunk which needs one replicate does not draw many others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How to resample and how to turn draws into an interval.

    Parameters
    ----------
    reps : int, >= 1
        Number of replicates.
    by : str
        ``"row"``, or the name of the cluster (``"paper"``, say) whose rows are drawn together.
    seed : int, >= 0
        Replicate i of a seed is the same whatever the number of replicates or the chunking.
    kind : {"percentile", "basic", "bca", "studentised"}
    level : float, in (0, 1)

    Raises
    ------
    SettingError
        A setting is out of range.

    Examples
    --------
    >>> Bootstrap(reps=999, by="paper").weights(3, ["x", "x", "y"]).shape
    (999, 3)
    >>> Bootstrap(level=95)
    Traceback (most recent call last):
    isoflop.errors.SettingError: Bootstrap: level=95, must lie in (0, 1). Did you mean 0.95?
    """

    reps: int = 2000
    by: str = "row"
    seed: int = 0
    kind: BootstrapKind = "percentile"
    level: float = 0.95

    def __post_init__(self) -> None:
        whole_number("Bootstrap", "reps", self.reps, least=1)
        whole_number("Bootstrap", "seed", self.seed, least=0)
        unit_level("Bootstrap", self.level)
        if not isinstance(self.by, str) or not self.by.strip():
            raise SettingError(f"Bootstrap: by={self.by!r}, must be 'row' or a cluster's name. Use by='row'.")
        kinds = get_args(BootstrapKind)
        if self.kind not in kinds:
            near = closest(str(self.kind), kinds)
            hint = f"Did you mean {near!r}?" if near else "Use 'percentile'."
            raise SettingError(f"Bootstrap: kind={self.kind!r}, must be one of {', '.join(kinds)}. {hint}")

    def weights(
        self, n: int, codes: ArrayLike | None = None, *, first: int = 0, last: int | None = None
    ) -> FloatArray:
        """Return the weights of replicates `first` to `last` (all by default).

        Parameters
        ----------
        n : int
            Rows.
        codes : array, shape (n,), or None
            Cluster labels; needed unless ``by="row"``, and refused if it is.
        first, last : int
            Half-open range of replicates, for work in chunks.

        Returns
        -------
        array, shape (last - first, n)
            Non-negative, each row summing to 1.
        """
        if (codes is None) != (self.by == "row"):
            came = "no cluster labels" if codes is None else "cluster labels"
            raise SettingError(f"Bootstrap: by={self.by!r} and {came}, which disagree. Change one of them.")
        return replicate_weights(self.seed, n, first, self.reps if last is None else last, codes)


def replicate_blocks(seed: int, first: int, last: int) -> Iterator[tuple[np.random.Generator, slice, slice]]:
    """Yield generators that make replicate i the same however the work is cut.

    Draw `BLOCK` replicates from each generator, keep the slice `inside` of them and put it at
    the slice `outside` of the result.

    Yields
    ------
    generator : numpy.random.Generator
    inside : slice
        Position within the block.
    outside : slice
        Position within ``range(first, last)``.

    Examples
    --------
    >>> [(i.start, i.stop, o.start, o.stop) for _, i, o in replicate_blocks(0, 60, 70)]
    [(60, 64, 0, 4), (0, 6, 4, 10)]
    """
    whole_number("replicate_blocks", "first", first, least=0)
    if last < first:
        raise SettingError(f"replicate_blocks: replicates {first} to {last}, needs first <= last. Swap them.")
    if last == first:
        return
    for block in range(first // BLOCK, -(-last // BLOCK)):
        begin, end = max(first, block * BLOCK), min(last, (block + 1) * BLOCK)
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(block,))))
        yield generator, slice(begin - block * BLOCK, end - block * BLOCK), slice(begin - first, end - first)


def replicate_weights(seed: int, n: int, first: int, last: int, codes: ArrayLike | None = None) -> FloatArray:
    """Return row or cluster weights of replicates `first` to `last` of a seed.

    Chunk-stable: cutting the range anywhere and joining the parts gives the same array.

    Returns
    -------
    array, shape (last - first, n)

    Examples
    --------
    >>> whole = replicate_weights(7, 5, 0, 100)
    >>> bool(np.array_equal(whole[90:], replicate_weights(7, 5, 90, 100)))
    True
    """
    whole_number("replicate_weights", "n", n, least=1)
    if codes is not None and np.shape(codes) != (n,):
        raise EvidenceError(f"replicate_weights: labels {np.shape(codes)} for {n} rows, needs one per row.")
    index = None if codes is None else cluster_index("replicate_weights", codes)[0]
    out = np.empty((max(last - first, 0), n))
    for generator, inside, outside in replicate_blocks(seed, first, last):
        block = (
            row_weights(n, BLOCK, generator) if index is None else cluster_weights(index, BLOCK, generator)
        )
        out[outside] = block[inside]
    return out


def row_weights(n: int, reps: int, rng: np.random.Generator) -> FloatArray:
    """Return multinomial counts over `n`: each replicate draws n of n rows with replacement.

    Returns
    -------
    array, shape (reps, n)
        Each row sums to 1.

    Examples
    --------
    >>> row_weights(4, 2, np.random.default_rng(0)).sum(axis=1).tolist()
    [1.0, 1.0]
    """
    whole_number("row_weights", "n", n, least=1)
    whole_number("row_weights", "reps", reps, least=1)
    return _counts(rng.integers(0, n, size=(reps, n)), n) / n


def cluster_weights(codes: ArrayLike, reps: int, rng: np.random.Generator) -> FloatArray:
    """Return weights of replicates that draw C of C clusters with replacement.

    All rows of a cluster come along each time it is drawn.

    Parameters
    ----------
    codes : array, shape (n,)
        Cluster labels. Draws follow the sorted labels, so the order of rows does not matter.
    reps : int, >= 1
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (reps, n)
        Each row sums to 1.

    Notes
    -----
    Clusters differ in size, so a replicate holds more or fewer rows than n. Weights are divided
    by the number of rows that the replicate holds: a weighted loss stays a mean over rows, and a
    penalty beside it keeps its strength. The number of clusters, not of rows, is held fixed.
    """
    whole_number("cluster_weights", "reps", reps, least=1)
    index, clusters = cluster_index("cluster_weights", codes)
    counts = _counts(rng.integers(0, clusters, size=(reps, clusters)), clusters)
    rows_drawn = counts @ np.bincount(index, minlength=clusters)
    return (counts / rows_drawn[:, None])[:, index]


def legacy_choices(n: int, reps: int, seed: int, labels: ArrayLike | None = None) -> IntArray:
    """Return the rows that NumPy's legacy generator chooses, to repeat published bootstraps.

    The same numbers as ``np.random.seed(seed)`` and then, `reps` times,
    ``np.random.choice(labels, n)`` (`labels` = 0..n-1 if None).

    Parameters
    ----------
    n, reps : int, >= 1
    seed : int, >= 0
    labels : int array, shape (m,), or None
        Row labels to choose among; they need not be in order.

    Returns
    -------
    int array, shape (reps, n)
        Chosen labels.

    Examples
    --------
    >>> legacy_choices(5, 2, 0).tolist()
    [[4, 0, 3, 3, 3], [1, 3, 2, 4, 0]]
    """
    whole_number("legacy_choices", "n", n, least=1)
    whole_number("legacy_choices", "reps", reps, least=1)
    chosen_from = np.arange(n) if labels is None else np.asarray(labels)
    if chosen_from.ndim != 1 or not np.issubdtype(chosen_from.dtype, np.integer):
        raise EvidenceError("legacy_choices: labels are no one-dimensional integers. Pass row numbers.")
    generator = np.random.RandomState(seed)
    return np.stack([generator.choice(chosen_from, n) for _ in range(reps)]).astype(np.int64)


def weights_from_choices(choices: ArrayLike, n: int) -> FloatArray:
    """Return row weights (reps, n), each summing to 1, from chosen row positions (reps, m).

    Examples
    --------
    >>> weights_from_choices([[0, 0, 1, 2]], 4).tolist()
    [[0.5, 0.25, 0.25, 0.0]]
    """
    chosen = np.asarray(choices)
    if chosen.ndim != 2 or chosen.size == 0 or not np.issubdtype(chosen.dtype, np.integer):
        raise EvidenceError(
            f"weights_from_choices: choices {chosen.shape}, needs integers of shape (reps, m)."
        )
    if chosen.min() < 0 or chosen.max() >= n:
        raise EvidenceError(
            f"weights_from_choices: positions {chosen.min()} to {chosen.max()}, must lie in [0, {n}). "
            "Turn row labels into positions first."
        )
    return np.asarray(_counts(chosen, n) / chosen.shape[1])


def jackknife_weights(n: int, codes: ArrayLike | None = None) -> FloatArray:
    """Return weights that leave out one row, or one cluster, at a time.

    Returns
    -------
    array, shape (n, n) or (C, n)
        Each row sums to 1.

    Examples
    --------
    >>> jackknife_weights(3).tolist()
    [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
    """
    index, clusters = cluster_index("jackknife_weights", np.arange(n) if codes is None else codes)
    same_length("jackknife_weights", rows=np.empty(n), codes=index)
    if clusters < 2:
        raise EvidenceError("jackknife_weights: 1 cluster, needs at least 2. Leave out rows instead.")
    kept = index[None, :] != np.arange(clusters)[:, None]
    weights: FloatArray = kept / kept.sum(axis=1, keepdims=True)
    return weights


def _counts(chosen: IntArray, n: int) -> IntArray:
    reps = chosen.shape[0]
    flat = (chosen + n * np.arange(reps)[:, None]).ravel()
    return np.bincount(flat, minlength=reps * n).reshape(reps, n)
