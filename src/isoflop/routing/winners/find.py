"""Which models are beaten somewhere: a test of every model against the best of the others, task by task.

The best of many models leads by luck too. So on each task the lead of the best rival is compared with what
resampled prompts give when no model is better than another: the largest studentised difference over all
rivals, with signs from one normal number a prompt (a multiplier bootstrap, so that rivals stay as dependent
as they are). Over tasks the p-values of a model are corrected by Holm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.winners.result import Winners

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
REPS = 2000
FEW_PROMPTS = 20
"""On fewer prompts a normal number a prompt says little about a difference of means."""


def winners(scored: ScoredPrompts, *, level: float = 0.95, reps: int = REPS, seed: int = 0) -> Winners:
    """Return, for each model, the tasks on which another one is better beyond chance.

    Parameters
    ----------
    scored : ScoredPrompts
        Models without a score on some prompt of a task are left out of that task.
    level : float
        1 − level bounds the chance that a model which is never worse is said to be beaten anywhere.
    reps : int
        Resamples a task.
    seed : int

    Returns
    -------
    Winners

    Raises
    ------
    EvidenceError
        Fewer than two models or two tasks.
    SettingError
        `level` is no chance, or `reps` too small for it.

    Notes
    -----
    Source: ours. The paper states the claim; maxima by a multiplier bootstrap follow Chernozhukov,
    Chetverikov and Kato (2013), the correction Holm (1979).
    """
    if not 0 < level < 1:
        raise SettingError(f"winners: level={level:g}, must lie in (0, 1). 0.95 is usual.")
    if reps * (1 - level) < 1:
        raise SettingError(f"winners: reps={reps}, needs at least {int(1 / (1 - level)) + 1}. Take more.")
    tasks, models = len(scored.datasets), len(scored.models)
    if models < 2 or tasks < 2:
        raise EvidenceError(
            f"winners: {models} models on {tasks} tasks, needs at least two of each. Add results of others."
        )
    rng = np.random.default_rng(seed)
    p = np.full((tasks, models), np.nan)
    lead = np.full((tasks, models), np.nan)
    rival = np.full((tasks, models), -1)
    for task in range(tasks):
        rows = scored.score[scored.dataset == task]
        whole = np.flatnonzero(np.isfinite(rows).all(axis=0))
        if whole.size < 2 or rows.shape[0] < FEW_PROMPTS:
            continue
        found = _beaten(rows[:, whole], reps, rng)
        p[task, whole], lead[task, whole], rival[task, whole] = found[0], found[1], whole[found[2]]
    return Winners(
        scored=scored, p=p, p_holm=_holm(p), lead=lead, rival=rival, level=level, reps=reps, seed=seed
    )


def _beaten(
    rows: FloatArray, reps: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return, for each model of one task, p of "no rival is better", the best rival's lead, and the rival.

    `rows` has shape (n, M) without gaps.
    """
    n, models = rows.shape
    centred = rows - rows.mean(axis=0)
    cov = centred.T @ centred / (n - 1)
    variance = np.diag(cov)[:, None] + np.diag(cov)[None, :] - 2 * cov
    # Equal answers on every prompt leave no variance: such a rival neither leads nor counts in the maximum.
    error = np.sqrt(np.maximum(variance, 0) / n)
    usable = error > 1e-9
    np.fill_diagonal(usable, False)
    difference = rows.mean(axis=0)[None, :] - rows.mean(axis=0)[:, None]
    sums = rng.standard_normal((reps, n)) @ centred / n
    p, lead, rival = np.ones(models), np.zeros(models), np.zeros(models, dtype=np.int64)
    for model in range(models):
        others = np.flatnonzero(usable[model])
        if not others.size:
            rival[model] = model
            continue
        scale = error[model, others]
        drawn = ((sums[:, others] - sums[:, [model]]) / scale).max(axis=1)
        best = (difference[model, others] / scale).max()
        p[model] = (1 + np.count_nonzero(drawn >= best)) / (reps + 1)
        rival[model] = others[np.argmax(difference[model, others])]
        lead[model] = difference[model, rival[model]]
    return p, lead, rival


def _holm(p: FloatArray) -> FloatArray:
    """Return p corrected over tasks (rows), each column by itself; missing p stay missing."""
    out = np.full_like(p, np.nan)
    for column in range(p.shape[1]):
        known = np.flatnonzero(np.isfinite(p[:, column]))
        order = known[np.argsort(p[known, column], kind="stable")]
        factors = np.arange(order.size, 0, -1)
        out[order, column] = np.minimum(1.0, np.maximum.accumulate(p[order, column] * factors))
    return out
