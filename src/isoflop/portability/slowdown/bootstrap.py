"""How far a function's ratio may be off: processes are drawn, and blocks within them.

A process shifts all of a function's timings together, so processes are drawn first and for all tasks alike;
of P one draws P - 1, which leaves the spread of their mean unbiased. The median of blocks drawn with
replacement is one of the blocks; which one follows from the law of order statistics, so a draw is a look-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.slowdown.pairs import Timed

FloatArray = NDArray[np.float64]
MAX_STUDENT = 4.0
"""Three processes widen by 2.2; two would by 6.5, which says no more than that two are too few."""


def point(timed: Sequence[Timed]) -> float:
    """Return a function's log ratio: mean over processes of a task, then over tasks."""
    tasks: dict[str, list[float]] = {}
    for one in timed:
        tasks.setdefault(one.task, []).append(one.log_ratio)
    return float(np.mean([np.mean(logs) for logs in tasks.values()]))


def draws(
    timed: Sequence[Timed],
    subsets: Mapping[str, Sequence[int]],
    reps: int,
    rng: np.random.Generator,
    level: float,
) -> dict[str, FloatArray]:
    """Return draws of a function's log ratio about its point, for subsets of its timings.

    Parameters
    ----------
    timed : sequence of Timed
        All of one function.
    subsets : mapping of str to sequence of int
        Name to positions in `timed`, none empty. All rest on the same draws.
    reps : int, >= 1
    rng : numpy.random.Generator
    level : float, in (0, 1)
        For the widening by Student's t of processes.

    Returns
    -------
    dict of str to array, shape (reps,)
    """
    processes = sorted({one.process for one in timed})
    place = {name: i for i, name in enumerate(processes)}
    medians = np.column_stack([_medians(one.blocks, reps, rng) for one in timed])
    count = len(processes)
    times = rng.multinomial(max(1, count - 1), np.full(count, 1 / count), size=reps)
    weight = times[:, [place[one.process] for one in timed]].astype(np.float64)
    out = {}
    for name, rows in subsets.items():
        means, plain = _task_means([timed[i] for i in rows], medians[:, rows], weight[:, rows])
        inside = len({timed[i].process for i in rows})
        out[name] = plain + _student(inside, level) * (means - plain)
    return out


def _task_means(timed: Sequence[Timed], medians: FloatArray, weight: FloatArray) -> tuple[FloatArray, float]:
    """Return the mean over tasks of each draw, and that of the timings themselves."""
    tasks: dict[str, list[int]] = {}
    for i, one in enumerate(timed):
        tasks.setdefault(one.task, []).append(i)
    total, centre = np.zeros(len(medians)), 0.0
    for columns in tasks.values():
        plain = float(np.mean([timed[i].log_ratio for i in columns]))
        size = weight[:, columns].sum(axis=1)
        drawn = (weight[:, columns] * medians[:, columns]).sum(axis=1) / np.maximum(size, 1.0)
        # A task of which no process was drawn keeps its own mean.
        total += np.where(size > 0, drawn, plain)
        centre += plain
    return total / len(tasks), centre / len(tasks)


def _student(processes: int, level: float) -> float:
    """Return Student's quantile over the normal one: few processes tell little of their own spread."""
    from isoflop.stats.intervals import normal_quantile, student_quantile

    if processes < 2:
        return 1.0
    upper = (1 + level) / 2
    return min(MAX_STUDENT, student_quantile(upper, processes - 1) / normal_quantile(upper))


def _medians(blocks: FloatArray, reps: int, rng: np.random.Generator) -> FloatArray:
    """Return medians of blocks drawn with replacement; `blocks` are sorted."""
    n = blocks.size
    if n == 1:
        return np.full(reps, blocks[0])
    return np.asarray(blocks[np.searchsorted(_order_law(n), rng.random(reps), side="right")])


@cache
def _order_law(n: int) -> FloatArray:
    """Return the chances that the median of n drawn (n - 1 if n is even) is at most the k-th of n.

    Examples
    --------
    >>> _order_law(3).round(4).tolist()
    [0.2593, 0.7407, 1.0]
    """
    m = n if n % 2 else n - 1
    half = (m + 1) // 2
    out = [
        sum(comb(m, j) * (k / n) ** j * (1 - k / n) ** (m - j) for j in range(half, m + 1))
        for k in range(1, n + 1)
    ]
    out[-1] = 1.0
    return np.array(out)
