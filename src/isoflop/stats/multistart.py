"""Every distinct minimum, not only the best one.

A robust or penalised fit can explain the same rows in two ways that fit almost equally well.
`all_minima` lists them with their certificate and the share of starts that reached each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.stats.exp_sum import Array, ExpSumDesign, Link, Loss
from isoflop.stats.optimise import fit_exp_sum, gradient_and_hessian

SAME_OBJECTIVE = 1e-8
"""Two certified points whose objectives differ by less, with alike predictions, are one minimum."""
SAME_PREDICTION = 1e-4
"""Root mean square difference of predictions, relative to their spread, that counts as alike."""
_FLAT = -1e-7
"""Curvature below this, relative to the largest, means a saddle and not a minimum."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minimum:
    """One certified minimum.

    Parameters
    ----------
    theta : array, shape (p,)
    objective : float
    kkt : float
        KKT residual, at most 1e-8.
    share_of_starts : float
    first_start : int
        Index of the first start that reached it.
    """

    theta: Array
    objective: float
    kkt: float
    share_of_starts: float
    first_start: int


def random_starts(scales: Array, count: int, seed: int) -> Array:
    """Return zeros followed by `count` normal starts with these scales, shape (count + 1, p)."""
    scales = np.asarray(scales, float)
    drawn = np.random.default_rng(seed).normal(size=(count, len(scales))) * scales
    return np.vstack([np.zeros(len(scales)), drawn])


def all_minima(
    design: ExpSumDesign,
    y: Array,
    *,
    starts: Array,
    weights: Array | None = None,
    l1: Array | float = 0.0,
    loss: Loss | None = None,
    link: Link = "identity",
) -> tuple[Minimum, ...]:
    """Fit from every start and return the distinct certified minima, best first.

    Parameters
    ----------
    design, y, loss, link
        As in `fit_exp_sum`.
    starts : array, shape (S, p)
    weights : array, shape (n,), optional
    l1 : float or array, shape (p,)

    Raises
    ------
    NoFitError
        No start reached a point that satisfies the KKT conditions to 1e-8.
    """
    found = fit_exp_sum(design, y, starts=starts, weights=weights, l1=l1, loss=loss, link=link)
    return group_minima(
        design,
        y,
        found.theta,
        found.objective,
        found.kkt,
        found.certified,
        weights=weights,
        l1=l1,
        loss=loss,
        link=link,
    )


def group_minima(
    design: ExpSumDesign,
    y: Array,
    theta: Array,
    objective: Array,
    kkt: Array,
    certified: NDArray[np.bool_],
    *,
    weights: Array | None = None,
    l1: Array | float = 0.0,
    loss: Loss | None = None,
    link: Link = "identity",
) -> tuple[Minimum, ...]:
    """Group the ends of several starts, shape (S, p) and (S,), into distinct minima, best first."""
    predictions = design.predict(theta, link=link)
    return distinct_minima(
        predictions,
        theta,
        objective,
        kkt,
        certified,
        lambda point: _is_minimum(design, y, point, weights=weights, l1=l1, loss=loss, link=link),
    )


def distinct_minima(
    predictions: Array,
    theta: Array,
    objective: Array,
    kkt: Array,
    certified: NDArray[np.bool_],
    is_minimum: Callable[[Array], bool],
) -> tuple[Minimum, ...]:
    """Group the ends of several starts by objective and prediction, best first; any model.

    Parameters
    ----------
    predictions : array, shape (S, n)
        At each end, for telling explanations apart.
    is_minimum : callable
        Whether a stationary point, shape (p,), is no saddle.

    Raises
    ------
    NoFitError
        No end is certified, or every one is a saddle.
    """
    usable = np.flatnonzero(certified)
    if not usable.size:
        raise NoFitError(
            f"all_minima: none of {len(theta)} starts reached a KKT residual of 1e-8 "
            f"(best {np.nanmin(kkt):.1e}). Add starts, or a penalty if the law is not identified."
        )
    order = usable[np.argsort(objective[usable], kind="stable")]
    predictions = predictions[order]
    spread = max(float(predictions[0].std()), 1e-12)
    owners: list[int] = []
    members: list[list[int]] = []
    for i, prediction in enumerate(predictions):
        for owner, group in zip(owners, members, strict=True):
            near = abs(objective[order[i]] - objective[order[owner]]) <= SAME_OBJECTIVE * (
                1.0 + abs(objective[order[owner]])
            )
            if near and np.sqrt(np.mean((prediction - predictions[owner]) ** 2)) <= SAME_PREDICTION * spread:
                group.append(i)
                break
        else:
            if is_minimum(theta[order[i]]):
                owners.append(i)
                members.append([i])
    if not owners:
        raise NoFitError("all_minima: every stationary point found is a saddle. Add starts.")
    return tuple(
        Minimum(
            theta=_frozen(theta[order[owner]]),
            objective=float(objective[order[owner]]),
            kkt=float(kkt[order[owner]]),
            share_of_starts=len(group) / len(theta),
            first_start=int(order[group].min()),
        )
        for owner, group in zip(owners, members, strict=True)
    )


def _is_minimum(
    design: ExpSumDesign,
    y: Array,
    theta: Array,
    *,
    weights: Array | None,
    l1: Array | float,
    loss: Loss | None,
    link: Link,
) -> bool:
    """Whether the Hessian is not negative on the coordinates that are free."""
    free = (theta != 0) | (np.broadcast_to(np.asarray(l1, float), theta.shape) == 0)
    if not free.any():
        return True
    _, hessian = gradient_and_hessian(design, y, theta, weights=weights, loss=loss, link=link)
    curvature = np.linalg.eigvalsh(hessian[np.ix_(free, free)])
    return bool(curvature[0] >= _FLAT * max(1.0, abs(curvature[-1])))


def _frozen(array: Array) -> Array:
    array = np.array(array, float)
    array.setflags(write=False)
    return array
