"""Several uncertain inputs at once: joint draws from their quantiles, and who carries the variance.

Inputs are independent unless a correlation is given; then their ranks are joined by a Gaussian copula, which
leaves each input's own distribution as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.checks import BoolArray, FloatArray, finite_array, whole_number
from isoflop.stats.shapley import MAX_PLAYERS, shapley

CLOSE = 1e-9
"""An eigenvalue of a correlation matrix above minus this counts as not negative."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """Inputs by their quantiles, and how they hang together.

    Parameters
    ----------
    quantiles : tuple of arrays, each shape (m,), rising
        Equal-probability quantiles of each input, at probabilities (i + 1/2)/m. One value is a constant.
    correlation : array, shape (k, k)
        Of the normal scores (Gaussian copula); the identity for independence.
    """

    quantiles: tuple[FloatArray, ...]
    correlation: FloatArray

    @classmethod
    def of(cls, quantiles: Sequence[ArrayLike], correlation: ArrayLike | None = None) -> Joint:
        """Return checked inputs.

        Raises
        ------
        EvidenceError
            An input has no value, or one that is not finite.
        SettingError
            The matrix is not square, symmetric, of unit diagonal and positive semidefinite.

        Examples
        --------
        >>> Joint.of([[1.0, 2.0], [5.0]]).correlation.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        """
        inputs = tuple(np.sort(finite_array("Joint", f"quantiles[{i}]", q)) for i, q in enumerate(quantiles))
        for i, values in enumerate(inputs):
            if values.ndim != 1 or not values.size:
                raise EvidenceError(f"Joint: quantiles[{i}] has shape {values.shape}, needs one row or more.")
        size = len(inputs)
        matrix = np.eye(size) if correlation is None else np.asarray(correlation, float)
        right = matrix.shape == (size, size) and np.allclose(matrix, matrix.T)
        if not right or not np.allclose(np.diag(matrix), 1.0):
            raise SettingError(
                f"Joint: correlation of shape {matrix.shape}, must be symmetric, {size} × {size}, with ones "
                "on its diagonal. Give one row and column for each input."
            )
        if np.linalg.eigvalsh(matrix).min(initial=1.0) < -CLOSE:
            raise SettingError(
                "Joint: no inputs can be correlated like this (the matrix is not positive semidefinite). "
                "Make the correlations weaker."
            )
        return cls(quantiles=inputs, correlation=matrix)

    def draw(self, count: int, seed: int) -> FloatArray:
        """Return joint draws, shape (count, k).

        Between quantiles the distribution is straight; beyond the outermost it ends.
        """
        whole_number("Joint.draw", "count", count, least=1)
        return self.values(self._scores(np.random.default_rng(seed), count))

    def values(self, scores: FloatArray) -> FloatArray:
        """Return inputs at standard normal scores, shape (n, k) both."""
        from scipy.special import ndtr

        columns = []
        for quantiles, column in zip(self.quantiles, ndtr(scores).T, strict=True):
            grid = (np.arange(quantiles.size) + 0.5) / quantiles.size
            columns.append(np.interp(column, grid, quantiles))
        return np.stack(columns, axis=1)

    def _scores(self, rng: np.random.Generator, count: int) -> FloatArray:
        return rng.standard_normal((count, len(self.quantiles))) @ _root(self.correlation).T

    def redraw(self, scores: FloatArray, kept: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Return scores that share the `kept` inputs and draw the others anew, given those."""
        fresh = ~kept
        if not kept.any():
            return self._scores(rng, len(scores))
        if not fresh.any():
            return scores
        across = self.correlation[np.ix_(fresh, kept)] @ np.linalg.pinv(self.correlation[np.ix_(kept, kept)])
        spread = self.correlation[np.ix_(fresh, fresh)] - across @ self.correlation[np.ix_(kept, fresh)]
        again = scores.copy()
        noise = rng.standard_normal((len(scores), int(fresh.sum()))) @ _root(spread).T
        again[:, fresh] = scores[:, kept] @ across.T + noise
        return again


def variance_shares(
    function: Callable[[FloatArray], ArrayLike], joint: Joint, *, draws: int = 8192, seed: int = 0
) -> FloatArray:
    """Return which share of the variance of a function each input carries: Shapley effects.

    The worth of a set of inputs is the variance of the mean of the function given them, estimated by two
    draws that share those inputs and no others. Unlike first-order indices the shares sum to one, whatever
    the interactions and correlations.

    Parameters
    ----------
    function : callable
        Takes inputs, shape (n, k), and returns finite values, shape (n,).
    joint : Joint
        k inputs, 1 to 12.
    draws : int, >= 2
        Monte Carlo draws; the error of a share is about 1/sqrt(draws).
    seed : int

    Returns
    -------
    array, shape (k,)
        Shares that sum to one; zeros where the function does not vary. One may fall slightly below zero
        by Monte Carlo error.

    Notes
    -----
    Source: Owen (2014), Sobol' indices and Shapley value; Song, Nelson & Staum (2016), Shapley effects.

    Examples
    --------
    >>> steps = (np.arange(200) + 0.5) / 200
    >>> shares = variance_shares(lambda x: 2 * x[:, 0] + x[:, 1], Joint.of([steps, steps]))
    >>> bool(np.allclose(shares, [0.8, 0.2], atol=0.03))
    True
    """
    whole_number("variance_shares", "draws", draws, least=2)
    size = len(joint.quantiles)
    if size > MAX_PLAYERS:
        raise SettingError(f"variance_shares: {size} inputs, needs at most {MAX_PLAYERS}. Fix some of them.")
    rng = np.random.default_rng(seed)
    scores = joint._scores(rng, draws)
    base = finite_array("variance_shares", "function", function(joint.values(scores)))
    total = float(np.var(base))
    if total <= CLOSE * max(1.0, float(np.mean(base)) ** 2):
        return np.zeros(size)

    def worth(members: BoolArray) -> FloatArray:
        values = np.empty(len(members))
        for row, kept in enumerate(members):
            if not kept.any():
                values[row] = 0.0
            elif kept.all():
                values[row] = total
            else:
                again = finite_array(
                    "variance_shares", "function", function(joint.values(joint.redraw(scores, kept, rng)))
                )
                centre = (base.mean() + again.mean()) / 2
                values[row] = float(np.mean((base - centre) * (again - centre)))
        return values

    return np.asarray(shapley(worth, size) / total)


def _root(matrix: FloatArray) -> FloatArray:
    """Return a square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))
