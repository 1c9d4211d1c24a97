"""Which further observations narrow an answer most per unit of cost? Greedy optimal design.

An observation at x with gradient g adds g g'/sigma² to the information H. It lowers the variance
c'H⁻¹c of a target with gradient c by (c'H⁻¹g)²/(sigma² + g'H⁻¹g). Choices are averaged over draws of
the parameters, so that the design does not lean on one fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.stats.exp_sum import Array

MOST_PICKS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picks:
    """Observations in the order chosen.

    Parameters
    ----------
    index : int array, shape (k,)
        Candidates; one may come again.
    cost : array, shape (k,)
        Cumulated.
    variance : array, shape (k + 1,)
        Of the target, averaged over draws, before and after each pick.
    log_determinant : array, shape (k + 1,)
        Of the information, averaged over draws.
    """

    index: NDArray[np.int64]
    cost: Array
    variance: Array
    log_determinant: Array


def greedy_design(
    information: Array,
    candidates: Array,
    target: Array | None,
    *,
    noise: float,
    cost: Array,
    budget: float,
    repeats: int = 1,
    per_cost: bool = True,
    most: int = MOST_PICKS,
) -> Picks:
    """Choose observations one by one, each the best that the budget still allows.

    Parameters
    ----------
    information : array, shape (R, p, p)
        H of each draw, positive definite.
    candidates : array, shape (R, m, p)
        Gradients of the possible observations.
    target : array, shape (R, p), or None
        Gradient of the answer (c-optimal); None raises the determinant of H (D-optimal).
    noise : float, > 0
        Standard deviation of one observation.
    cost : array, shape (m,), > 0
    budget : float
    repeats : int
        How often one candidate may be chosen. A gradient says nothing of errors that all
        observations at one place share, so that repeating a cheap one is not worth what H says.
    per_cost : bool
        Best gain per unit of cost, or best gain outright. Neither is best for every budget; try both.
    most : int

    Examples
    --------
    >>> x = np.array([[[1.0, 0.0], [1.0, 1.0], [1.0, 4.0]]])
    >>> slope = np.array([[0.0, 1.0]])
    >>> told = greedy_design(np.eye(2)[None], x, slope, noise=1.0, cost=np.ones(3), budget=2.0)
    >>> told.index.tolist(), bool(np.all(np.diff(told.variance) < 0))
    ([2, 0], True)
    """
    if not noise > 0 or not (np.asarray(cost) > 0).all():
        raise SettingError("greedy_design: noise and cost must lie in (0, inf). Check both.")
    inverse = np.asarray(np.linalg.inv(information), float)
    log_determinant = [float(np.mean(np.linalg.slogdet(information)[1]))]
    c = np.zeros(candidates[:, 0].shape) if target is None else target
    variance = [_variance(inverse, c)]
    picked: list[int] = []
    spent: list[float] = []
    total = 0.0
    left = np.full(len(cost), repeats)
    while len(picked) < most:
        allowed = (total + cost <= budget * (1 + 1e-12)) & (left > 0)
        if not allowed.any():
            break
        reach = np.einsum("rij,rmj->rmi", inverse, candidates)
        spread = np.einsum("rmi,rmi->rm", candidates, reach)
        if target is None:
            gain = np.log1p(spread / noise**2).mean(axis=0)
        else:
            gain = (np.einsum("ri,rmi->rm", c, reach) ** 2 / (noise**2 + spread)).mean(axis=0)
        worth = gain / cost if per_cost else gain
        best = int(np.argmax(np.where(allowed, worth, -np.inf)))
        if gain[best] <= 0:
            break
        total += float(cost[best])
        left[best] -= 1
        log_determinant.append(log_determinant[-1] + float(np.log1p(spread[:, best] / noise**2).mean()))
        step = reach[:, best]
        inverse = inverse - step[:, :, None] * step[:, None, :] / (noise**2 + spread[:, best])[:, None, None]
        picked.append(best)
        spent.append(total)
        variance.append(_variance(inverse, c))
    return Picks(
        index=np.array(picked, np.int64),
        cost=np.array(spent),
        variance=np.array(variance),
        log_determinant=np.array(log_determinant),
    )


def _variance(inverse: Array, c: Array) -> float:
    return float(np.einsum("ri,rij,rj->r", c, inverse, c).mean())
