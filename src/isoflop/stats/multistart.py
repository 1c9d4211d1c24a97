"""Every distinct minimum, not only the best one.

A robust or penalised fit can explain the same rows in two ways that fit almost equally well.
`all_minima` lists them with their certificate and the share of starts that reached each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.stats.exp_sum import Array, ExpSumDesign, Link, Loss, SmoothAbsolute
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
    usable = np.flatnonzero(certified)
    if not usable.size:
        raise NoFitError(
            f"all_minima: none of {len(theta)} starts reached a KKT residual of 1e-8 "
            f"(best {np.nanmin(kkt):.1e}). Add starts, or a penalty if the law is not identified."
        )
    order = usable[np.argsort(objective[usable], kind="stable")]
    predictions = design.predict(theta[order], link=link)
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
            if _is_minimum(design, y, theta[order[i]], weights=weights, l1=l1, loss=loss, link=link):
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


def fit_least_absolute(
    design: ExpSumDesign,
    y: Array,
    *,
    starts: Array,
    weights: Array | None = None,
    link: Link = "identity",
    widths: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
) -> tuple[Array, float]:
    """Minimise sum_i w_i |r_i| and return (theta, objective).

    The absolute value is smoothed less and less, then the solution is moved to the vertex on
    which the smallest residuals vanish, if that lowers the objective.

    Parameters
    ----------
    starts : array, shape (S, p)
    weights : array, shape (n,), default 1
    """
    n = design.n
    w = np.ones(n) if weights is None else np.asarray(weights, float)
    theta = np.atleast_2d(starts)
    for width in widths:
        found = fit_exp_sum(
            design, y, starts=theta, weights=w, loss=SmoothAbsolute(width), link=link, max_iterations=200
        )
        order = np.argsort(np.where(np.isfinite(found.objective), found.objective, np.inf))
        theta = found.theta[order[: max(1, len(theta) // 4)]]
    best, lowest = theta[0], _absolute(design, y, theta[0], w, link)
    vertex = _to_vertex(design, y, best, link)
    at_vertex = _absolute(design, y, vertex, w, link)
    return (vertex, at_vertex) if at_vertex < lowest else (best, lowest)


def _absolute(design: ExpSumDesign, y: Array, theta: Array, weights: Array, link: Link) -> float:
    return float(weights @ np.abs(design.predict(theta, link=link) - y))


def _to_vertex(design: ExpSumDesign, y: Array, theta: Array, link: Link) -> Array:
    """Newton steps that bring the p smallest residuals to zero; a singular system leaves theta as it is."""
    zero = np.argsort(np.abs(design.predict(theta, link=link) - y))[: design.p]
    rows, target = design.rows(zero), y[zero]
    moved = theta.copy()
    for _ in range(8):
        residual = rows.predict(moved, link=link) - target
        step, _, rank, _ = np.linalg.lstsq(rows.jacobian(moved, link=link), residual, rcond=None)
        if rank < design.p:
            return theta
        moved = moved - step
    return moved if np.isfinite(moved).all() else theta


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
