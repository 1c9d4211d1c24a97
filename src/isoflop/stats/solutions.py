"""Where each problem of a batch ended, with its certificate; what both engines return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import Array

CERTIFIED_KKT = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solutions:
    """Where each problem of a batch ended.

    Parameters
    ----------
    theta : array, shape (B, p)
    objective, kkt : arrays, shape (B,)
    iterations : int array, shape (B,)
    clipped : bool array, shape (B,)
        An exponent reached the clip; such a point is never certified.
    """

    theta: Array
    objective: Array
    kkt: Array
    iterations: NDArray[np.int64]
    clipped: NDArray[np.bool_]

    @property
    def certified(self) -> NDArray[np.bool_]:
        """Whether each point satisfies the KKT conditions to 1e-8."""
        return (self.kkt <= CERTIFIED_KKT) & ~self.clipped

    def best_of(self, groups: int) -> NDArray[np.int64]:
        """Return, for B = groups x starts problems in that order, the best certified one of each group.

        Where no start of a group is certified the index is -1.
        """
        score = np.where(self.certified, self.objective, np.inf).reshape(groups, -1)
        best = np.argmin(score, axis=1)
        found = np.isfinite(score[np.arange(groups), best])
        return np.where(found, np.arange(groups) * score.shape[1] + best, -1)
