"""How far a function's ratio may be off: processes are drawn, and blocks within them.

A process shifts all of a function's timings together, so processes are drawn for all tasks alike; of P one
draws P - 1, which leaves the spread of their mean unbiased. What processes differ by holds the noise of their
blocks too: that part is taken out before they are drawn (Davison and Hinkley, 1997, Bootstrap Methods and
their Application, 3.8), and what is left is widened by Student's t. The median of blocks drawn with
replacement is one of the blocks; which one follows from the law of order statistics, so a draw is a look-up.
"""

from __future__ import annotations

from collections import Counter
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
    medians = np.column_stack([_medians(one.blocks, reps, rng) for one in timed])
    logs = np.array([one.log_ratio for one in timed])
    out = {}
    for name, rows in subsets.items():
        chosen = [timed[i] for i in rows]
        weight = _task_weights(chosen)
        plain = float(logs[rows] @ weight)
        blocks = medians[:, rows] @ weight - plain
        effects = _process_effects(chosen)
        out[name] = plain + blocks + _process_draws(effects, float(blocks.var()), reps, rng, level)
    return out


def _task_weights(timed: Sequence[Timed]) -> FloatArray:
    """Return weights that make a mean over processes of each task, then over tasks."""
    count = Counter(one.task for one in timed)
    return np.array([1 / (len(count) * count[one.task]) for one in timed])


def _process_effects(timed: Sequence[Timed]) -> FloatArray:
    """Return by how much each process lies above the mean, over the tasks that it timed."""
    tasks: dict[str, list[float]] = {}
    for one in timed:
        tasks.setdefault(one.task, []).append(one.log_ratio)
    above: dict[str, list[float]] = {}
    for one in timed:
        above.setdefault(one.process, []).append(one.log_ratio - float(np.mean(tasks[one.task])))
    return np.array([np.mean(values) for values in above.values()])


def _process_draws(
    effects: FloatArray, blocks: float, reps: int, rng: np.random.Generator, level: float
) -> FloatArray:
    """Return draws of the mean effect, less what the variance `blocks` explains of its spread."""
    count = effects.size
    if count < 2:
        return np.zeros(reps)
    variance = float(effects.var(ddof=1)) / count
    own = max(0.0, 1 - blocks / variance) if variance > 0 else 0.0
    drawn = rng.multinomial(count - 1, np.full(count, 1 / count), size=reps) @ effects / (count - 1)
    return np.asarray(_student(count, level) * np.sqrt(own) * drawn)


def _student(processes: int, level: float) -> float:
    """Return Student's quantile over the normal one: few processes tell little of their own spread."""
    from isoflop.stats.intervals import normal_quantile, student_quantile

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
