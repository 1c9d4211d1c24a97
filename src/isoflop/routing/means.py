"""Means over the cells that are there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
