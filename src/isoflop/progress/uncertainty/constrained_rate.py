"""Least objective at a given rate of progress: arrays to arrays.

With the first term's rate u = ay/an and the second's v = by/bd, the rate is G = u + v. Fixing G
leaves one of them free: ay = an·u, by = bd·(G − u). The objective

    F = sum_i w_i (yhat_i − y_i)² + sum_j delta_j |theta_j(z)|

is then minimised over z = (all of theta but ay and by, and u), many rates and starts at once.
|ay| = |an||u| makes u (and G − u) a penalised coordinate whose strength moves with an (bd).
Steps are damped Newton steps within an orthant: a coordinate that would change sign stops at
zero, a zero one is released when its gradient exceeds its penalty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import MAX_EXPONENT, Array, ExpSumDesign

MAX_STEPS = 200
TARGET = 1e-10
"""Residual at which a point leaves the batch."""
_DAMPING_START, _DAMPING_MIN, _DAMPING_MAX = 1e-3, 1e-10, 1e8
TIE = 1e-13
"""Rise of F, relative, that is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateColumns:
    """Positions of ay, an, by, bd in theta."""

    first_year: int
    first_size: int
    second_year: int
    second_size: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constrained:
    """Where each problem ended: theta (B, p), u (B,), F (B,), residual of the first-order conditions (B,)."""

    theta: Array
    first_rate: Array
    objective: Array
    residual: Array


def minimise_at_rate(
    design: ExpSumDesign,
    y: Array,
    columns: RateColumns,
    *,
    rates: Array,
    theta: Array,
    first_rate: Array,
    l1: Array,
) -> Constrained:
    """Minimise F at each rate from a start.

    Parameters
    ----------
    rates : array, shape (B,)
        G, ln/yr.
    theta : array, shape (B, p)
        Starts; their ay and by are replaced by what `rates` and `first_rate` imply.
    first_rate : array, shape (B,)
        Start of u.
    l1 : array, shape (p,)
        delta_j of theta.
    """
    problem = _Problem(design, y, columns, l1)
    theta, u = theta.copy(), first_rate.copy()
    theta = problem.constrain(theta, u, rates)
    objective = problem.objective(theta)
    size = len(rates)
    out = Constrained(
        theta=theta.copy(), first_rate=u.copy(), objective=objective.copy(), residual=np.full(size, np.inf)
    )
    alive, damping = np.arange(size), np.full(size, _DAMPING_START)
    for _ in range(MAX_STEPS):
        step, residual = problem.step(theta, u, rates[alive], damping)
        done = (residual <= TARGET) | (damping >= _DAMPING_MAX)
        ended = alive[done]
        out.theta[ended], out.first_rate[ended] = theta[done], u[done]
        out.objective[ended], out.residual[ended] = objective[done], residual[done]
        go = ~done
        if not go.any():
            return out
        alive, damping, step = alive[go], damping[go], step[go]
        theta, u, objective, residual = theta[go], u[go], objective[go], residual[go]
        tried, tried_u = problem.moved(theta, u, rates[alive], step)
        found = problem.objective(tried)
        better = found <= objective + TIE * (1.0 + np.abs(objective))
        theta = np.where(better[:, None], tried, theta)
        u, objective = np.where(better, tried_u, u), np.where(better, found, objective)
        damping = np.where(better, np.maximum(damping * 0.1, _DAMPING_MIN), damping * 10.0)
    out.theta[alive], out.first_rate[alive] = theta, u
    out.objective[alive], out.residual[alive] = objective, residual
    return out


class _Problem:
    """F, its derivatives in z, and one step, for a batch of rates.

    z has the layout of theta with the slot of ay holding the penalised rate: u where u is nearer to
    zero than G − u, else G − u. The slot of by is not used.
    """

    def __init__(self, design: ExpSumDesign, y: Array, columns: RateColumns, l1: Array) -> None:
        self.design, self.y, self.columns, self.l1 = design, y, columns, l1
        blocks = [*design.terms] + ([] if design.linear is None else [design.linear])
        self.blocks = blocks
        self.pairs = [
            (k, m, (x[:, :, None] * z[:, None, :]).reshape(len(x), -1))
            for k, x in enumerate(blocks)
            for m, z in enumerate(blocks)
        ]

    def constrain(self, theta: Array, u: Array, rates: Array) -> Array:
        """Return theta with ay and by at what the rates imply."""
        c = self.columns
        out = theta.copy()
        out[:, c.first_year] = theta[:, c.first_size] * u
        out[:, c.second_year] = theta[:, c.second_size] * (rates - u)
        return out

    def objective(self, theta: Array) -> Array:
        parts = [np.exp(np.minimum(e, MAX_EXPONENT)) for e in self.design.exponents(theta)]
        residual = self._residual(theta, parts)
        return np.asarray((residual**2).mean(axis=1) + np.abs(theta) @ self.l1)

    def _residual(self, theta: Array, parts: list[Array]) -> Array:
        total = sum(parts) - self.y
        return np.asarray(total if self.design.linear is None else total + theta @ self.design.linear.T)

    def _smooth(self, theta: Array) -> tuple[Array, Array]:
        """Return gradient (B, p) and Hessian (B, p, p) of the mean square in theta."""
        parts = [np.exp(np.minimum(e, MAX_EXPONENT)) for e in self.design.exponents(theta)]
        residual = self._residual(theta, parts)
        weighted = parts + ([] if self.design.linear is None else [np.ones_like(residual)])
        scale = 2.0 / len(self.y)
        gradient = sum((residual * a) @ x for x, a in zip(self.blocks, weighted, strict=True)) * scale
        hessian = sum(
            (weighted[k] * weighted[m] + (residual * weighted[k] if k == m < len(parts) else 0.0)) @ outer
            for k, m, outer in self.pairs
        )
        p = theta.shape[1]
        return np.asarray(gradient), np.asarray(hessian).reshape(-1, p, p) * scale

    def step(self, theta: Array, u: Array, rates: Array, damping: Array) -> tuple[Array, Array]:
        """Return a damped Newton step in z, shape (B, p), and the residual of the conditions, (B,)."""
        c = self.columns
        ay, an, by, bd = c.first_year, c.first_size, c.second_year, c.second_size
        batch, p = theta.shape
        v = rates - u
        by_first = np.abs(u) <= np.abs(v)
        sigma = np.where(by_first, 1.0, -1.0)  # du per unit of the penalised rate
        slope, curvature = self._smooth(theta)
        chain = np.broadcast_to(np.eye(p), (batch, p, p)).copy()
        chain[:, ay, ay], chain[:, ay, an] = theta[:, an] * sigma, u
        chain[:, by, ay], chain[:, by, bd], chain[:, by, by] = -theta[:, bd] * sigma, v, 0.0
        gradient = np.einsum("bij,bi->bj", chain, slope)
        hessian = np.matmul(chain.transpose(0, 2, 1), np.matmul(curvature, chain))
        sign_u, sign_v = np.sign(u), np.sign(v)
        at_an = slope[:, ay] * sigma + self.l1[ay] * np.sign(theta[:, an]) * sign_u * sigma
        at_bd = -slope[:, by] * sigma - self.l1[by] * np.sign(theta[:, bd]) * sign_v * sigma
        for other, cross in ((an, at_an), (bd, at_bd)):
            hessian[:, other, ay] += cross
            hessian[:, ay, other] += cross
        pull_u, pull_v = self.l1[ay] * np.abs(theta[:, an]), self.l1[by] * np.abs(theta[:, bd])
        gradient[:, ay] += np.where(by_first, -sign_v * pull_v, -sign_u * pull_u)
        strength = np.broadcast_to(self.l1, (batch, p)).copy()
        strength[:, an] += self.l1[ay] * np.abs(u)
        strength[:, bd] += self.l1[by] * np.abs(v)
        strength[:, ay] = np.where(by_first, pull_u, pull_v)
        strength[:, by] = np.inf
        z = self._coordinates(theta, u, v, by_first)
        excess = np.maximum(np.abs(gradient) - strength, 0.0)
        sign = np.where(z != 0, np.sign(z), np.where(excess > 0, -np.sign(gradient), 0.0))
        sign[:, by] = 0.0
        free = (sign != 0) | (strength == 0)
        free[:, by] = False
        force = np.where(free, gradient + np.where(np.isfinite(strength), strength, 0.0) * sign, 0.0)
        residual = np.where(z == 0, excess, np.abs(force)).max(axis=1)
        diagonal = np.arange(p)
        scale = np.abs(hessian[:, diagonal, diagonal])
        scale = np.maximum(scale, 1e-9 * scale.max(axis=1, keepdims=True) + 1e-300)
        both = free[:, :, None] & free[:, None, :]
        system = np.where(both, hessian, 0.0)
        system[:, diagonal, diagonal] += np.where(free, damping[:, None] * scale, 1.0)
        values, vectors = np.linalg.eigh(system)
        # flipping negative curvature keeps the step downhill where the objective is not convex
        values = np.maximum(np.abs(values), 1e-12 * np.abs(values).max(axis=1, keepdims=True))
        inner = np.einsum("bij,bi->bj", vectors, -force) / values
        step = np.where(free, np.einsum("bij,bj->bi", vectors, inner), 0.0)
        landed = z + step
        crossed = free & (strength > 0) & (landed * sign < 0)
        return np.where(crossed, -z, step), residual

    def _coordinates(self, theta: Array, u: Array, v: Array, by_first: NDArray[np.bool_]) -> Array:
        z = theta.copy()
        z[:, self.columns.first_year] = np.where(by_first, u, v)
        z[:, self.columns.second_year] = 0.0
        return z

    def moved(self, theta: Array, u: Array, rates: Array, step: Array) -> tuple[Array, Array]:
        """Return theta and u after a step in z."""
        v = rates - u
        by_first = np.abs(u) <= np.abs(v)
        z = self._coordinates(theta, u, v, by_first) + step
        rate = z[:, self.columns.first_year]
        new = np.where(by_first, rate, rates - rate)
        return self.constrain(z, new, rates), new
