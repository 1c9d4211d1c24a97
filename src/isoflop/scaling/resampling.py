"""Replicates of a fit: pairs, clusters, residuals or signs, all refitted by one batched call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.scaling.estimate import Found, Refits, refit, screened
from isoflop.scaling.model import Array
from isoflop.stats.resample import Bootstrap, legacy_choices, replicate_blocks, weights_from_choices

Resample = Literal["pairs", "residual", "wild", "published"]
PUBLISHED_SEED = 42
"""Besiroglu et al. (2024) draw with NumPy's legacy generator and this seed."""

AUDIT_SHARE, AUDIT_LEAST, AUDIT_MOST = 0.01, 10, 60
AUDIT_STARTS = 12
"""Starts of an audited replicate, screened on the full sample; better optima are counted."""
BETTER = 1e-8
MAX_STARTS = 3
"""Minima of the full sample from which every replicate is refitted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Answers of the replicates.

    Parameters
    ----------
    theta : array, shape (R, p)
        In the law's own coordinates; NaN where a refit failed.
    objective : array, shape (R,)
    audited, improved : int
        Replicates that were fitted again from fresh starts, and how many had a better optimum.
    """

    theta: Array
    objective: Array
    audited: int
    improved: int

    @property
    def failed(self) -> int:
        """Replicates without a certified refit."""
        return int(np.isnan(self.theta[:, 0]).sum())

    @property
    def finite(self) -> Array:
        """Parameters of the replicates that were refitted, shape (R', p)."""
        return self.theta[~np.isnan(self.theta[:, 0])]


def draw(
    found: Found, ci: Bootstrap, *, codes: NDArray[np.generic] | None, resample: Resample = "pairs"
) -> Draws:
    """Refit replicates of a fitted problem.

    Parameters
    ----------
    found : Found
    ci : Bootstrap
    codes : array, shape (n,), or None
        Cluster labels where ``ci.by`` is not ``"row"``.
    resample : {"pairs", "residual", "wild", "published"}
        Resample rows (or clusters) with their inputs; or keep the inputs and resample residuals, or
        flip their signs, which keeps a designed grid as it is; or draw rows as a published analysis
        did, with its generator and seed, so that its standard errors come out again.

    Raises
    ------
    SettingError
        Residuals are resampled by row only.
    """
    one = found.problem
    starts = np.array([m.theta for m in found.minima[:MAX_STARTS]])
    if resample in ("pairs", "published"):
        n = len(one.log_y)
        rows = (
            ci.weights(n, codes)
            if resample == "pairs"
            else weights_from_choices(legacy_choices(n, ci.reps, PUBLISHED_SEED), n)
        )
        weights = rows * n * one.weights
        done = refit(one, weights, starts)
        return _audited(found, done, weights, None, starts)
    if resample not in get_args(Resample):
        raise SettingError(f"draw: resample={resample!r}, must be one of {', '.join(get_args(Resample))}.")
    if ci.by != "row":
        raise SettingError(
            f"draw: resample={resample!r} with by={ci.by!r}, needs by='row'. Use 'pairs' for clusters."
        )
    fitted = one.predict(found.best.theta)
    residual = one.y - fitted
    moved = np.empty((ci.reps, len(residual)))
    for generator, inside, outside in replicate_blocks(ci.seed, 0, ci.reps):
        size = (inside.stop, len(residual))
        if resample == "residual":
            drawn = generator.choice(residual - residual.mean(), size=size)
        else:
            drawn = residual * generator.choice([-1.0, 1.0], size=size)
        moved[outside] = drawn[inside]
    y = fitted + moved
    return _audited(found, refit(one, one.weights, starts, y=y), None, y, starts)


def _audited(found: Found, done: Refits, weights: Array | None, y: Array | None, starts: Array) -> Draws:
    """Fit a hundredth of the replicates again from fresh starts, to say whether optima were missed."""
    one, reps = found.problem, len(done.theta)
    count = min(max(int(AUDIT_SHARE * reps), AUDIT_LEAST), AUDIT_MOST, reps)
    chosen = np.unique(np.linspace(0, reps - 1, count).astype(int))
    fresh = np.vstack([screened(one, one.law.starts(one.u, one.log_y), keep=AUDIT_STARTS), starts])
    again = refit(
        one,
        one.weights if weights is None else weights[chosen],
        fresh,
        y=None if y is None else y[chosen],
    )
    better = again.objective < done.objective[chosen] - BETTER * (1 + np.abs(done.objective[chosen]))
    better |= again.certified & ~done.certified[chosen]
    theta, objective = done.theta.copy(), done.objective.copy()
    theta[chosen[better]], objective[chosen[better]] = again.theta[better], again.objective[better]
    return Draws(theta=theta, objective=objective, audited=len(chosen), improved=int(better.sum()))
