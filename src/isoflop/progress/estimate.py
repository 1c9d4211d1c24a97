"""Arrays to arrays: certified minima of one sample, and refits of many replicates.

Nothing here knows tables or findings; `fit` arranges these calls into a result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.progress.model import Model
from isoflop.progress.settings import L1, Starts
from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.multistart import Minimum, group_minima
from isoflop.stats.optimise import fit_exp_sum

NEIGHBOURS = (0.4, 2.5)
"""Factors on delta whose minima become starts: a basin that is shallow here may be deep there."""
REPLICATES_AT_ONCE = 2000
MAX_BASINS = 3
"""Full-sample minima that every replicate is refitted from."""


def find_minima(
    design: ExpSumDesign, y: Array, model: Model, penalty: L1, starts: Starts
) -> tuple[tuple[Minimum, ...], Array]:
    """Return every certified minimum found, best first, and starts for replicates, shape (S, p).

    The starts are the best minima here and at neighbouring penalties, and zero.

    Raises
    ------
    NoFitError
        No start ended at a certified minimum.
    """
    points = starts.points(model)
    l1 = penalty.strengths(model)
    near = (
        np.vstack([l1 * factor for factor in NEIGHBOURS])
        if penalty.delta
        else np.empty((0, model_size(model)))
    )
    around = (
        fit_exp_sum(
            design, y, starts=np.tile(points, (len(near), 1)), l1=np.repeat(near, len(points), axis=0)
        )
        if len(near)
        else None
    )
    extra = around.theta[around.certified] if around is not None else np.empty((0, design.p))
    every = np.vstack([points, extra])
    found = fit_exp_sum(design, y, starts=every, l1=l1)
    minima = group_minima(design, y, found.theta, found.objective, found.kkt, found.certified, l1=l1)
    replicate_starts = [m.theta for m in minima[:MAX_BASINS]]
    for factor in range(len(near)):
        block = slice(factor * len(points), (factor + 1) * len(points))
        if around is not None and around.certified[block].any():
            best = np.argmin(np.where(around.certified[block], around.objective[block], np.inf))
            replicate_starts.append(around.theta[block][best])
    replicate_starts.append(np.zeros(design.p))
    return minima, np.array(replicate_starts)


def model_size(model: Model) -> int:
    """Return the number of parameters."""
    return len(model.names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refits:
    """Best certified solution of each replicate, and the one in each basin.

    Parameters
    ----------
    theta : array, shape (R, p)
        NaN where no start was certified.
    objective : array, shape (R,)
    basin : int array, shape (R,)
        Full-sample minimum that the best solution resembles; -1 where there is none.
    by_basin : array, shape (K, R, p)
        The solution reached from each full-sample minimum.
    """

    theta: Array
    objective: Array
    basin: NDArray[np.int64]
    by_basin: Array

    @property
    def failed(self) -> int:
        """Number of replicates without a certified solution."""
        return int((self.basin < 0).sum())

    def basin_shares(self) -> list[float]:
        """Return the share of replicates whose best solution lies in each basin."""
        kept = self.basin[self.basin >= 0]
        return [float(np.mean(kept == k)) if kept.size else 0.0 for k in range(len(self.by_basin))]


def refit(
    design: ExpSumDesign,
    y: Array,
    weights: Array,
    *,
    starts: Array,
    basins: Array,
    l1: Array,
    progress: Callable[[int, int], None] | None = None,
) -> Refits:
    """Refit every replicate from every start and keep the best certified solution.

    Parameters
    ----------
    weights : array, shape (R, n)
        Row weights, each row summing to 1.
    starts : array, shape (S, p)
        The first K are the minima in `basins`.
    basins : array, shape (K, p)
    l1 : array, shape (p,)
    """
    reps, p, basins_kept = len(weights), design.p, min(len(basins), MAX_BASINS)
    theta, objective = np.empty((reps, p)), np.empty(reps)
    by_basin = np.empty((basins_kept, reps, p))
    for begin in range(0, reps, REPLICATES_AT_ONCE):
        part = slice(begin, min(begin + REPLICATES_AT_ONCE, reps))
        size = part.stop - begin
        found = fit_exp_sum(
            design,
            y,
            starts=np.tile(starts, (size, 1)),
            weights=np.repeat(weights[part], len(starts), axis=0),
            l1=l1,
        )
        best = found.best_of(size)
        ok = best >= 0
        theta[part] = np.where(ok[:, None], found.theta[best], np.nan)
        objective[part] = np.where(ok, found.objective[best], np.nan)
        ends = np.where(found.certified[:, None], found.theta, np.nan).reshape(size, len(starts), p)
        by_basin[:, part] = ends[:, :basins_kept].transpose(1, 0, 2)
        if progress is not None:
            progress(part.stop, reps)
    basin = np.where(
        np.isfinite(objective), nearest_basin(design, np.nan_to_num(theta), basins[:basins_kept]), -1
    )
    if not np.isfinite(objective).any():
        raise NoFitError(
            f"refit: none of {reps} replicates reached a certified minimum. Add a penalty or starts."
        )
    return Refits(theta=theta, objective=objective, basin=basin, by_basin=by_basin)


def nearest_basin(design: ExpSumDesign, theta: Array, basins: Array) -> NDArray[np.int64]:
    """Return for each parameter vector (B, p) the basin whose split between the terms it resembles.

    Basins fit almost equally well, so predictions cannot tell them apart; the first term alone can.
    """
    x = design.terms[0]

    def split(points: Array) -> Array:
        return np.exp(np.clip(points @ x.T, -50.0, 5.0))

    mine, theirs = split(theta), split(basins)
    distance = np.stack([((mine - one) ** 2).sum(axis=1) for one in theirs])
    return np.asarray(distance.argmin(axis=0), np.int64)
