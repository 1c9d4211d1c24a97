"""The cheapest way to a loss under a fitted law: N*, D* for a budget, in closed form or numerically.

For L = E + A·N^-alpha + B·D^-beta and C = 6ND, with G = (alpha·A/(beta·B))^(1/(alpha + beta)):

    N* = G·(C/6)^a,  D* = (C/6)^b/G,  a = beta/(alpha + beta),  b = alpha/(alpha + beta).

Any other law or cost is minimised over ln N at a fixed budget, for all draws at once.
Source: Hoffmann et al. (2022), equation 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.scaling.frontier.costs import Cost, SixND
from isoflop.scaling.model import Array, Law

GRID_POINTS = 61
NARROWINGS = 4
"""Each narrowing of the grid gains two decimals; a last parabola gives the rest."""
LN10 = float(np.log(10.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allocation:
    """Optimal sizes for budgets, shapes (B, m); NaN where the optimum lies outside the search."""

    params: Array
    tokens: Array
    loss: Array


def frontier_exponents(law: Law, theta: Array) -> tuple[Array, Array]:
    """Return a and b of N* ∝ C^a, D* ∝ C^b, shape (B,), of a law with alpha and beta under C = 6ND."""
    reported = law.report(np.atleast_2d(theta))
    alpha, beta = reported["alpha"], reported["beta"]
    return np.asarray(beta / (alpha + beta)), np.asarray(alpha / (alpha + beta))


def has_frontier(law: Law) -> bool:
    """Whether a budget has an optimum: the law weighs parameters against tokens, and needs nothing else."""
    return {"params", "tokens"} <= set(law.inputs) <= {"params", "tokens", "unique_tokens"}


def is_closed_form(law: Law, cost: Cost) -> bool:
    """Whether the optimum is known in closed form."""
    return law.name == "chinchilla" and isinstance(cost, SixND)


def allocate(
    law: Law, theta: Array, budgets: Array, cost: Cost, *, around: tuple[float, float]
) -> Allocation:
    """Return the optimum of each budget, shape (m,) or (B, m), for each draw, shape (B, p).

    Parameters
    ----------
    budgets : array
        One row for each draw where the draws have budgets of their own.
    around : (float, float)
        Range of ln N that is searched where there is no closed form.
    """
    theta = np.atleast_2d(theta)
    budgets = np.atleast_2d(np.asarray(budgets, float))
    if is_closed_form(law, cost):
        params = _closed_form(law, theta, budgets)
    else:
        params = _search(law, theta, budgets, cost, around)
    tokens = cost.tokens(budgets, params)
    return Allocation(params=params, tokens=tokens, loss=np.exp(_log_loss(law, theta, params, tokens)))


def _closed_form(law: Law, theta: Array, budgets: Array) -> Array:
    reported = law.report(theta)
    alpha, beta = reported["alpha"], reported["beta"]
    log_a, log_b = np.log(reported["A"]), np.log(reported["B"])
    with np.errstate(divide="ignore", invalid="ignore"):
        log_g = (np.log(alpha) + log_a - np.log(beta) - log_b) / (alpha + beta)
        a = beta / (alpha + beta)
        return np.asarray(np.exp(log_g[:, None] + a[:, None] * np.log(budgets / 6.0)))


def _log_loss(law: Law, theta: Array, params: Array, tokens: Array) -> Array:
    """Return ln loss, shape (B, m), of each draw's own sizes; infinite where a budget buys no tokens."""
    with np.errstate(invalid="ignore", divide="ignore"):
        inputs = {"params": np.log(params), "tokens": np.log(tokens)}
    # A law of repeated data is asked about fresh data: every token is seen once.
    inputs["unique_tokens"] = inputs["tokens"]
    u = np.array([inputs[name] for name in law.inputs])
    log_loss = law.log_predict(theta, np.where(np.isfinite(u), u, 0.0))
    return np.where(np.isfinite(u).all(axis=0), log_loss, np.inf)


def _search(law: Law, theta: Array, budgets: Array, cost: Cost, around: tuple[float, float]) -> Array:
    """Narrow a grid over ln N around the least loss; an optimum at the edge of the range is NaN."""
    out = np.empty((len(theta), budgets.shape[1]))
    for m, budget in enumerate(budgets.T[:, :, None]):
        low = np.full(len(theta), around[0])
        high = np.full(len(theta), around[1])
        edge = np.zeros(len(theta), bool)
        centre = low
        for narrowing in range(NARROWINGS):
            grid = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, GRID_POINTS)
            n = np.exp(grid)
            height = _log_loss(law, theta, n, cost.tokens(budget, n))
            best = np.argmin(height, axis=1)
            if narrowing == 0:
                edge = (best == 0) | (best == GRID_POINTS - 1) | ~np.isfinite(height.min(axis=1))
            inside = np.clip(best, 1, GRID_POINTS - 2)
            rows = np.arange(len(theta))
            low, centre, high = (grid[rows, inside + shift] for shift in (-1, 0, 1))
            left, middle, right = (height[rows, inside + shift] for shift in (-1, 0, 1))
            if np.max(high - low) < 1e-3:
                break
        curve = left - 2.0 * middle + right
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(curve > 0, 0.5 * (left - right) / curve, 0.0)
        out[:, m] = np.where(edge, np.nan, np.exp(centre + shift * (high - centre)))
    return out
