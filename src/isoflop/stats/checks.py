"""Checks at the door of `isoflop.stats`: arrays, levels and cluster labels.

Every public function of the package checks what it is given with these few lines, and
trusts it afterwards. Nothing is dropped: a value that cannot be used is refused by position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError, SettingError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def finite_array(where: str, name: str, values: ArrayLike, *, ndim: int = 1) -> FloatArray:
    """Return `values` as a non-empty float array of `ndim` dimensions without NaN or infinity.

    Raises
    ------
    EvidenceError
        Wrong number of dimensions, nothing in it, text, or a value that is not finite.

    Examples
    --------
    >>> finite_array("mean", "loss", [1, 2]).dtype.name
    'float64'
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"{where}: {name} is not numeric, needs numbers. Convert it first.") from error
    if array.ndim != ndim:
        raise EvidenceError(
            f"{where}: {name} has shape {array.shape}, needs {ndim} dimension(s). Reshape it."
        )
    if array.size == 0:
        raise EvidenceError(f"{where}: {name} is empty, needs at least one value. Check the rows selected.")
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        at = ", ".join(str(int(i)) for i in bad[0])
        raise EvidenceError(
            f"{where}: {name} has {len(bad)} value(s) that are not finite (first at {at}), needs "
            "finite ones. Drop those rows by a stated rule."
        )
    return array


def same_length(where: str, **arrays: NDArray[Any]) -> int:
    """Return the common length of the last axis, or refuse with all lengths named."""
    lengths = {name: array.shape[-1] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        came = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise EvidenceError(f"{where}: lengths {came}, must be equal. Pass the same rows to all.")
    return int(next(iter(lengths.values())))


def row_weights_or_equal(where: str, weights: ArrayLike | None, n: int) -> FloatArray:
    """Return weights of `n` rows, all 1 if None; they are >= 0 with a positive sum."""
    if weights is None:
        return np.ones(n)
    array = finite_array(where, "weights", weights)
    if array.size != n:
        raise EvidenceError(f"{where}: {array.size} weights for {n} rows, must be equal. Pass one per row.")
    if array.min() < 0 or array.sum() <= 0:
        raise EvidenceError(
            f"{where}: weights {array.min():g} to {array.max():g}, must be >= 0 with a positive sum."
        )
    return array


def unit_level(where: str, level: float) -> float:
    """Return a confidence level in (0, 1), or refuse; a percentage gets a hint.

    Examples
    --------
    >>> unit_level("wilson", 0.9)
    0.9
    """
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        is_percentage = isinstance(level, (int, float)) and 1 < level < 100
        hint = f"Did you mean {level / 100:g}?" if is_percentage else "Use 0.95, say."
        raise SettingError(f"{where}: level={level}, must lie in (0, 1). {hint}")
    return float(level)


def whole_number(where: str, name: str, value: int, *, least: int) -> int:
    """Return an integer of at least `least`, or refuse (booleans too)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise SettingError(f"{where}: {name}={value}, must be a whole number >= {least}. Change {name}.")
    return int(value)


def cluster_index(where: str, codes: ArrayLike) -> tuple[IntArray, int]:
    """Return cluster numbers 0..C-1, in the sorted order of the labels, and C.

    Parameters
    ----------
    where : str
        Caller, for messages.
    codes : array, shape (n,)
        Labels of any sortable kind: numbers, text. Missing labels (NaN, None) are refused,
        since they would silently make one big cluster.

    Returns
    -------
    index : int array, shape (n,)
    clusters : int

    Examples
    --------
    >>> index, clusters = cluster_index("demo", ["b", "a", "b"])
    >>> index.tolist(), clusters
    ([1, 0, 1], 2)
    """
    labels = np.asarray(codes)
    if labels.ndim != 1 or labels.size == 0:
        raise EvidenceError(f"{where}: cluster labels of shape {labels.shape}, needs one label per row.")
    missing = np.array([label is None or label != label for label in labels.tolist()])
    if missing.any():
        first = int(missing.argmax())
        raise EvidenceError(
            f"{where}: {int(missing.sum())} row(s) without a cluster label (first at {first}), "
            "needs one per row. Give each such row a label of its own if it stands alone."
        )
    try:
        unique, index = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise EvidenceError(
            f"{where}: cluster labels of mixed kinds, needs one kind. Turn them into text."
        ) from error
    return index.astype(np.int64), len(unique)


def read_only(array: ArrayLike) -> NDArray[Any]:
    """Return a copy that cannot be written to, for use inside a frozen result."""
    copy = np.array(array)
    copy.flags.writeable = False
    return copy
