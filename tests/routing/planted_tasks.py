"""Task scores made directly, without prompts: groups of like tasks whose neighbours are each other."""

from __future__ import annotations

import numpy as np

from isoflop.routing.task_scores import TaskScores


def planted_scores(accuracy: np.ndarray, group: np.ndarray, seed: int = 0) -> TaskScores:
    """Return what pools say where a task's neighbours are the other tasks of its group.

    Parameters
    ----------
    accuracy : array, shape (D, M)
    group : array of int, shape (D,)
        A task left without others in its group has all tasks as neighbours.
    """
    tasks, models = accuracy.shape
    rng = np.random.default_rng(seed)
    share = np.zeros((tasks, tasks, tasks))
    for e in range(tasks):
        for x in range(tasks):
            allowed = ~np.isin(np.arange(tasks), (e, x))
            near = allowed & (group == group[e])
            near = near if near.any() else allowed
            share[e, x] = near / near.sum()
    votes = np.einsum("exf,fm->exm", share, np.nan_to_num(accuracy, nan=0.5))
    u = np.broadcast_to(rng.uniform(0.3, 0.6, tasks)[:, None], (tasks, tasks)).copy()
    return TaskScores(
        datasets=tuple(f"d{d:02d}" for d in range(tasks)),
        models=tuple(f"m{m:02d}" for m in range(models)),
        accuracy=accuracy,
        sizes=np.full(tasks, 100),
        s1=votes,
        s2=votes,
        p=np.full((tasks, tasks, models), 0.7),
        local=votes,
        u=u,
        share=share,
    )


def grouped(seed: int, *, effect: float, tasks: int = 16, models: int = 4) -> TaskScores:
    """Return planted scores of two groups, each with favourites of its own that differ by `effect`."""
    rng = np.random.default_rng(seed)
    group = np.arange(tasks) % 2
    favour = effect * np.array([[1.0, -1.0] * (models // 2), [-1.0, 1.0] * (models // 2)])
    level = rng.uniform(0.3, 0.7, (tasks, 1)) + rng.normal(0, 0.03, models)
    return planted_scores((level + favour[group] + rng.normal(0, 0.02, (tasks, models))).clip(0, 1), group)
