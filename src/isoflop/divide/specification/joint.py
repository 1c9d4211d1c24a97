"""Joint test of a whole curve: is the median effect more than its null would give?

The null is imposed by taking each specification's own effect away: for the lines of gap and trend that is
the same as removing the fitted term from the data and fitting again; for a share it is the expectation
when large is unrelated to team within a year. Organisations are drawn with replacement, the same draw for
every specification and snapshot; ranks, trends and lines are redone in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.divide.specification.curve import JointTest
from isoflop.divide.specification.grid import Grid, Headline
from isoflop.divide.specification.rows import FloatArray, Rows
from isoflop.divide.specification.shares import share_replicates
from isoflop.divide.specification.trends import trend_replicates
from isoflop.stats.resample import BLOCK, replicate_blocks

if TYPE_CHECKING:
    from isoflop.present.chapter import Progress

LEAST_DRAWN = 0.5
"""Share of specifications that a replicate must allow for its median to count."""


def organisation_counts(seed: int, clusters: int, reps: int) -> FloatArray:
    """Return how often each organisation is drawn, shape (reps, clusters); rows sum to `clusters`.

    Replicate i of a seed is the same whatever the number of replicates.

    Examples
    --------
    >>> counts = organisation_counts(0, 5, 70)
    >>> counts.shape, set(counts.sum(axis=1).tolist())
    ((70, 5), {5.0})
    """
    counts = np.empty((reps, clusters))
    offset = clusters * np.arange(BLOCK)[:, None]
    for generator, inside, outside in replicate_blocks(seed, 0, reps):
        drawn = generator.integers(0, clusters, size=(BLOCK, clusters))
        block = np.bincount((drawn + offset).ravel(), minlength=BLOCK * clusters).reshape(BLOCK, clusters)
        counts[outside] = block[inside]
    return counts


def joint_tests(
    every: tuple[Rows, ...],
    grid: Grid,
    wanted: tuple[Headline, ...],
    *,
    reps: int,
    seed: int,
    progress: Progress | None = None,
) -> dict[Headline, JointTest]:
    """Return the joint test of each headline asked for, under the same draws.

    Parameters
    ----------
    every : tuple of Rows
    grid : Grid
    wanted : tuple of str
    reps : int, >= 1
    seed : int, >= 0
    progress : callable, optional
        Called with a label and the fraction done.
    """
    clusters = int(max(rows.cluster.max() for rows in every)) + 1
    counts = organisation_counts(seed, clusters, reps)
    effects: dict[Headline, list[float]] = {name: [] for name in wanted}
    centred: dict[Headline, list[FloatArray]] = {name: [] for name in wanted}
    for done, rows in enumerate(every):
        if progress is not None:
            progress("joint test", done / len(every))
        weights = counts[:, rows.cluster]
        for source in (share_replicates, trend_replicates):
            for name, effect, replicates in source(rows, grid, wanted, weights):
                if np.isfinite(effect):
                    effects[name].append(effect)
                    centred[name].append(replicates - effect)
    if progress is not None:
        progress("joint test", 1.0)
    return {
        name: _test(np.array(effects[name]), np.array(centred[name]), clusters)
        for name in wanted
        if effects[name]
    }


def _test(effects: FloatArray, centred: FloatArray, clusters: int) -> JointTest:
    observed = float(np.median(effects))
    had = np.isfinite(centred).mean(axis=0) >= LEAST_DRAWN
    under_null = np.nanmedian(centred[:, had], axis=0)
    beyond = int((np.abs(under_null) >= abs(observed)).sum())
    return JointTest(
        median_effect=observed,
        p=(1 + beyond) / (1 + under_null.size) if under_null.size else None,
        replicates=int(under_null.size),
        clusters=clusters,
        specifications=len(effects),
    )
