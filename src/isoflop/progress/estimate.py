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
PILOT, PILOT_POINTS, PILOT_SHARE = 32, 13, 30
"""Replicates refitted from some more points to choose starts, if there are 30 times as many in all.
Twice the replicates or points miss the lowest minimum no less often."""
BETWEEN = (0.75, 0.25)
"""Shares of the lowest basin at which few replicates are also started."""
MAX_EXTRA_STARTS = 3
REACHED = 1e-9
"""An objective this near the lowest known one counts as the same solution."""


def find_minima(
    design: ExpSumDesign, y: Array, model: Model, penalty: L1, starts: Starts
) -> tuple[Minimum, ...]:
    """Return every certified minimum found from the starts and from neighbouring penalties, best first.

    Raises
    ------
    NoFitError
        No start ended at a certified minimum.
    """
    points = starts.points(model)
    l1 = penalty.strengths(model)
    if penalty.delta > 0:
        near = np.repeat(np.outer(NEIGHBOURS, l1), len(points), axis=0)
        around = fit_exp_sum(design, y, starts=np.tile(points, (len(NEIGHBOURS), 1)), l1=near)
        points = np.vstack([points, around.theta[around.certified]])
    found = fit_exp_sum(design, y, starts=points, l1=l1)
    return group_minima(design, y, found.theta, found.objective, found.kkt, found.certified, l1=l1)


def replicate_starts(
    design: ExpSumDesign, y: Array, weights: Array, *, basins: Array, points: Array, l1: Array
) -> Array:
    """Return the starts from which every replicate is refitted, shape (S, p); the basins come first.

    A replicate may have its best minimum where the full sample has none. The first replicates
    are refitted from many points; a solution that the starts so far do not reach becomes a
    start, the one that serves most of them first. With too few replicates to pay for that, points
    between the two lowest basins are added.

    Parameters
    ----------
    weights : array, shape (R, n)
    basins : array, shape (K, p)
    points : array, shape (P, p)
        Random starts.
    l1 : array, shape (p,)
    """
    if len(weights) < PILOT * PILOT_SHARE:
        other = basins[1] if len(basins) > 1 else np.zeros(design.p)
        between = [share * basins[0] + (1 - share) * other for share in BETWEEN]
        return np.vstack([basins, between])
    pilot = weights[:PILOT]

    def lowest(starts: Array, rows: Array) -> tuple[Array, Array]:
        """Return objectives (rows, starts), infinite where not certified, and the best solutions."""
        found = fit_exp_sum(design, y, starts=np.tile(starts, (len(rows), 1)), weights=rows, l1=l1)
        objective = np.where(found.certified, found.objective, np.inf).reshape(len(rows), -1)
        best = found.theta.reshape(len(rows), len(starts), -1)[np.arange(len(rows)), objective.argmin(axis=1)]
        return objective, best

    thorough, solutions = lowest(np.vstack([points[:PILOT_POINTS], basins]), pilot)
    goal = thorough.min(axis=1) + REACHED
    chosen = basins
    while len(chosen) < len(basins) + MAX_EXTRA_STARTS:
        missed = np.flatnonzero(lowest(chosen, pilot)[0].min(axis=1) > goal)
        if not missed.size:
            break
        reached, _ = lowest(solutions[missed], pilot[missed])
        serves = (reached <= goal[missed, None]).sum(axis=0)
        chosen = np.vstack([chosen, solutions[missed[serves.argmax()]]])
    return chosen


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
            weights=weights[part],
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
