"""Every minimum along a path of penalties, and how they continue into each other.

A basin that is deep at one penalty may be shallow, or gone, at another. All penalties are fitted
at once from the same starts; then each takes its neighbours' minima as further starts, until no
penalty finds a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.progress.model import Model
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.multistart import Minimum, group_minima
from isoflop.stats.optimise import fit_exp_sum
from isoflop.stats.solutions import Solutions

PATH_POINTS = 40
PATH_RANGE = (1e-4, 0.04)
"""From a penalty that hardly moves a parameter to twice the paper's largest."""
MAX_PASSES = 50
"""A basin spreads by one penalty a pass; more passes than penalties cannot add one."""
SAME_END = 1e-6
"""Objectives of a continuation and of a listed minimum that count as the same point."""


def path_penalties() -> tuple[float, ...]:
    """Return 40 log-spaced penalties together with the paper's six, rising.

    Examples
    --------
    >>> penalties = path_penalties()
    >>> len(penalties), penalties[0], 0.0025 in penalties
    (46, 0.0, True)
    """
    return tuple(sorted({*np.geomspace(*PATH_RANGE, PATH_POINTS).tolist(), *PENALTIES}))


def trace_minima(
    design: ExpSumDesign,
    y: Array,
    model: Model,
    *,
    penalties: Sequence[float],
    penalty: L1,
    starts: Starts,
) -> tuple[tuple[Minimum, ...], ...]:
    """Return the certified minima at each penalty, best first.

    Parameters
    ----------
    design, y, model
        Of one sample.
    penalties : sequence of float, rising
    penalty : L1
        Its mask is kept, its delta replaced.
    starts : Starts

    Raises
    ------
    NoFitError
        No start is certified at some penalty.
    SettingError
        The penalties do not rise.
    """
    if np.any(np.diff(penalties) <= 0):
        raise SettingError("trace_minima: penalties do not rise. Sort them and drop repeats.")
    strengths = np.array([replace(penalty, delta=d).strengths(model) for d in penalties])
    pools: list[Array] = [starts.points(model)] * len(penalties)
    counts = [len(pool) for pool in pools]
    ends = _fit(design, y, pools, strengths)
    minima = [_group(design, y, end, l1) for end, l1 in zip(ends, strengths, strict=True)]
    for _ in range(MAX_PASSES if len(penalties) > 1 else 0):
        fresh = [
            np.array([m.theta for j in (i - 1, i + 1) if 0 <= j < len(penalties) for m in minima[j]]).reshape(
                -1, design.p
            )
            for i in range(len(penalties))
        ]
        more = _fit(design, y, fresh, strengths)
        ends = [_join(mine, extra) for mine, extra in zip(ends, more, strict=True)]
        found = [_group(design, y, end, l1) for end, l1 in zip(ends, strengths, strict=True)]
        grown = any(len(new) > len(old) for new, old in zip(found, minima, strict=True))
        minima = found
        if not grown:
            break
        ends = [_keep(end, count, group) for end, count, group in zip(ends, counts, minima, strict=True)]
    return tuple(
        _with_shares(design, y, end, count, group, l1)
        for end, count, group, l1 in zip(ends, counts, minima, strengths, strict=True)
    )


def continue_branches(
    design: ExpSumDesign,
    y: Array,
    minima: Sequence[Sequence[Minimum]],
    strengths: Array,
) -> tuple[tuple[int, ...], ...]:
    """Number each minimum by the branch it continues; a minimum without a predecessor opens one.

    Parameters
    ----------
    minima : sequence of sequences of Minimum
        At each penalty, from `trace_minima`.
    strengths : array, shape (penalties, p)

    Returns
    -------
    tuple of tuples of int
        Branch numbers, in the shape of `minima`.
    """
    before = [np.array([m.theta for m in group]) for group in minima[:-1]]
    ends = _fit(design, y, before, strengths[1:])
    numbers = [tuple(range(len(minima[0])))]
    opened = len(minima[0])
    for group, end, last in zip(minima[1:], ends, range(len(minima) - 1), strict=True):
        mine: list[int | None] = [None] * len(group)
        objectives = np.array([m.objective for m in group])
        for branch, objective in zip(numbers[last], end.objective, strict=True):
            nearest = int(np.abs(objectives - objective).argmin())
            if mine[nearest] is None and abs(objectives[nearest] - objective) <= SAME_END:
                mine[nearest] = branch
        named = []
        for branch_or_none in mine:
            if branch_or_none is None:
                branch_or_none, opened = opened, opened + 1
            named.append(branch_or_none)
        numbers.append(tuple(named))
    return tuple(numbers)


def _fit(design: ExpSumDesign, y: Array, pools: Sequence[Array], strengths: Array) -> list[Solutions]:
    sizes = [len(pool) for pool in pools]
    found = fit_exp_sum(design, y, starts=np.vstack(pools), l1=np.repeat(strengths, sizes, axis=0))
    edges = np.cumsum([0, *sizes])
    return [_take(found, np.arange(a, b, dtype=np.int64)) for a, b in pairwise(edges.tolist())]


def _take(found: Solutions, index: NDArray[np.int64]) -> Solutions:
    return Solutions(
        theta=found.theta[index],
        objective=found.objective[index],
        kkt=found.kkt[index],
        iterations=found.iterations[index],
        clipped=found.clipped[index],
    )


def _join(first: Solutions, second: Solutions) -> Solutions:
    return Solutions(
        theta=np.vstack([first.theta, second.theta]),
        objective=np.concatenate([first.objective, second.objective]),
        kkt=np.concatenate([first.kkt, second.kkt]),
        iterations=np.concatenate([first.iterations, second.iterations]),
        clipped=np.concatenate([first.clipped, second.clipped]),
    )


def _keep(end: Solutions, count: int, group: Sequence[Minimum]) -> Solutions:
    """Return the ends of the starts and one end for each minimum, so that passes do not pile up."""
    at = [int(np.flatnonzero((end.theta == m.theta).all(axis=1))[0]) for m in group]
    return _take(end, np.array([*range(count), *at], np.int64))


def _group(design: ExpSumDesign, y: Array, end: Solutions, l1: Array) -> tuple[Minimum, ...]:
    return group_minima(design, y, end.theta, end.objective, end.kkt, end.certified, l1=l1)


def _with_shares(
    design: ExpSumDesign, y: Array, end: Solutions, count: int, group: Sequence[Minimum], l1: Array
) -> tuple[Minimum, ...]:
    """Return the minima with the share of the *random* starts (neighbours' minima do not count)."""
    alone = _take(end, np.arange(count))
    shares = np.zeros(len(group))
    if alone.certified.any():
        objectives = np.array([m.objective for m in group])
        for one in _group(design, y, alone, l1):
            shares[int(np.abs(objectives - one.objective).argmin())] += one.share_of_starts
    return tuple(replace(m, share_of_starts=float(s)) for m, s in zip(group, shares, strict=True))
