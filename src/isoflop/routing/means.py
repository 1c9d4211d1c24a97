"""Means over the cells that are there, and what is left when a mean is taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def means_by_dataset(
    cells: NDArray[np.floating[Any]], dataset: NDArray[np.int64], datasets: int
) -> NDArray[np.float64]:
    """Return the mean of each column within each dataset over the cells that have a value.

    Parameters
    ----------
    cells : array, shape (n, M)
        NaN where missing.
    dataset : array of int, shape (n,)
    datasets : int
        D of them.

    Returns
    -------
    array, shape (D, M)
        NaN where a dataset has no cell of a column.

    Examples
    --------
    >>> means_by_dataset(np.array([[1.0], [np.nan], [0.5]]), np.array([0, 0, 1]), 3).ravel().tolist()
    [1.0, 0.5, nan]
    """
    present = np.isfinite(cells)
    sums, counts = np.zeros((datasets, cells.shape[1])), np.zeros((datasets, cells.shape[1]))
    np.add.at(sums, dataset, np.where(present, cells, 0.0))
    np.add.at(counts, dataset, present)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def means_of_present(cells: FloatArray) -> FloatArray:
    """Return means over the last axis of the cells present; NaN where there is none.

    Examples
    --------
    >>> means_of_present(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, nan]
    """
    known = np.isfinite(cells)
    total, count = np.where(known, cells, 0.0).sum(axis=-1), known.sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def centred(values: FloatArray) -> FloatArray:
    """Return values less their mean over models, the last axis; missing ones stay missing.

    Examples
    --------
    >>> centred(np.array([[0.2, 0.4]])).round(1).tolist()
    [[-0.1, 0.1]]
    """
    known = np.isfinite(values)
    mean = np.where(known, values, 0.0).sum(axis=-1, keepdims=True) / known.sum(axis=-1, keepdims=True)
    return np.asarray(values - mean)


def mix(share: FloatArray, accuracy: FloatArray) -> FloatArray:
    """Return accuracies weighted by shares, over the cells present; NaN where no share has one.

    Parameters
    ----------
    share : array, shape (…, D)
    accuracy : array, shape (D, M)

    Examples
    --------
    >>> mix(np.array([0.75, 0.25]), np.array([[1.0], [0.0]])).tolist()
    [0.75]
    """
    known = np.isfinite(accuracy)
    with np.errstate(invalid="ignore"):
        return np.asarray((share @ np.where(known, accuracy, 0.0)) / (share @ known))
