"""How far to trust a prompt's neighbours: two weights, learned where the prompt's own dataset is left out.

The expected score of model m on prompt x is::

    q(m, x) = prior(m) + w (T(m, x) − prior(m)) + v (L(m, x) − T(m, x)),   each centred over models,

prior: mean accuracy over the datasets; T: accuracy on the datasets of the nearest prompts, by their shares;
L: mean score on the nearest prompts themselves. w = v = 0 is the best model on average, w = 1 believes the
neighbours' datasets, v = w = 1 the neighbours. The weights minimise the squared error of centred scores,
each dataset counting the same; of all pairs within one standard error the smallest are taken. A router that
does not clearly gain on datasets it has not seen abstains: it answers with the best model on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.routing.means import centred

FloatArray = NDArray[np.float64]
GRID = np.linspace(0.0, 1.0, 21)
SURE = 0.75
"""One-sided level of the gain below which a router abstains."""
_Z = 0.6744897501960817
"""Normal quantile at `SURE`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalFit:
    """The weights, and what they gained on datasets left out.

    Parameters
    ----------
    w, v : float, in [0, 1]
        Weights of the neighbours' datasets and of the neighbours.
    gain : array, shape (D,)
        Mean score of the routed prompts of each dataset less that of the model best on average elsewhere,
        with weights chosen without that dataset.
    expected : array, shape (D,)
        The gain that was expected of the same choices.
    """

    w: float
    v: float
    gain: FloatArray
    expected: FloatArray

    @property
    def mean_gain(self) -> float:
        """Mean gain over datasets."""
        return float(self.gain.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean gain over datasets; infinite for one."""
        d = self.gain.size
        return float(self.gain.std(ddof=1) / np.sqrt(d)) if d > 1 else float("inf")

    @property
    def abstains(self) -> bool:
        """Whether the gain is too unsure to leave the best model on average."""
        return self.mean_gain - _Z * self.standard_error <= 0


def fit_local(
    dataset: NDArray[np.int64], prior: FloatArray, mixture: FloatArray, local: FloatArray, score: FloatArray
) -> LocalFit:
    """Choose the weights from prompts whose own dataset was left out of every input.

    Parameters
    ----------
    dataset : array of int, shape (n,)
        Dataset of each prompt, 0 to D − 1, each with a prompt.
    prior, mixture, local : array, shape (n, M)
        Inputs of the formula for each prompt, without its dataset.
    score : array, shape (n, M)
        True scores; missing ones filled with the model's accuracy on the dataset.

    Returns
    -------
    LocalFit
    """
    datasets = int(dataset.max()) + 1
    a, b = centred(mixture) - centred(prior), centred(local) - centred(mixture)
    y = centred(score) - centred(prior)
    counts = np.bincount(dataset, minlength=datasets) * score.shape[1]

    def moment(left: FloatArray, right: FloatArray) -> FloatArray:
        sums = np.bincount(dataset, weights=(left * right).sum(axis=1), minlength=datasets)
        return np.asarray(sums / counts)

    aa, ab, bb, ay, by, yy = (moment(*pair) for pair in ((a, a), (a, b), (b, b), (a, y), (b, y), (y, y)))
    w, v = (grid.ravel()[None, :] for grid in np.meshgrid(GRID, GRID, indexing="ij"))
    error = (
        yy[:, None]
        - 2 * w * ay[:, None]
        - 2 * v * by[:, None]
        + w**2 * aa[:, None]
        + 2 * w * v * ab[:, None]
        + v**2 * bb[:, None]
    )
    gain, expected = np.zeros(datasets), np.zeros(datasets)
    for d in range(datasets):
        rest = np.delete(error, d, axis=0)
        at = _smallest(rest) if datasets > 2 else 0
        rows = np.flatnonzero(dataset == d)
        q = centred(prior[rows]) + w[0, at] * a[rows] + v[0, at] * b[rows]
        base = int(np.argmax(prior[rows[0]]))
        picks = np.argmax(q, axis=1)
        inside = np.arange(rows.size)
        gain[d] = float((score[rows, picks] - score[rows, base]).mean())
        expected[d] = float((q[inside, picks] - q[:, base]).mean())
    at = _smallest(error) if datasets > 1 else 0
    return LocalFit(w=float(w[0, at]), v=float(v[0, at]), gain=gain, expected=expected)


def _smallest(error: FloatArray) -> int:
    """Return the smallest weights whose mean error is within one standard error of the least.

    `error` has shape (D, pairs), pairs in order of w, then v; the standard error is that of paired
    differences over datasets.
    """
    mean = error.mean(axis=0)
    best = int(np.argmin(mean))
    if error.shape[0] < 2:
        return best
    apart = error - error[:, [best]]
    se = apart.std(axis=0, ddof=1) / np.sqrt(error.shape[0])
    near = np.flatnonzero(apart.mean(axis=0) <= se)
    w, v = (grid.ravel() for grid in np.meshgrid(GRID, GRID, indexing="ij"))
    return int(near[np.lexsort((w[near], w[near] + v[near]))[0]])
