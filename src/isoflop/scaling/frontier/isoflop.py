"""Approach 2: per budget a parabola of loss in ln N, then a power law through the minima.

A parabola is symmetric and the loss is not, so the vertex lies off the optimum: on a grid symmetric
about it with half-width W in ln N, by (alpha − beta)·W²/10 to leading order. `replay` runs the
approach on noise-free losses of a fitted law at the runs' own sizes and says how far off it lands there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.scaling.model import Array

LEAST_POINTS = 5
LEAST_BUDGETS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parabola:
    """One budget of an isoFLOP analysis.

    Parameters
    ----------
    budget : float
        FLOP.
    points : int
    log_params, log_tokens : float or None
        Vertex, where the parabola opens upwards and its minimum lies inside the grid.
    coefficients : array, shape (3,), or None
        Loss = c0 + c1·z + c2·z², z = ln N − centre.
    centre : float
    dropped : str
        Why the budget is not used; empty where it is.
    """

    budget: float
    points: int
    log_params: float | None
    log_tokens: float | None
    coefficients: Array | None
    centre: float
    low: float
    high: float
    dropped: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerFit:
    """ln N* = ln k_n + a·ln C and ln D* = ln k_d + b·ln C, each as (intercept, slope)."""

    params: tuple[float, float]
    tokens: tuple[float, float]
    used: int


def parabolas(budget: Array, log_n: Array, log_d: Array, loss: Array) -> tuple[Parabola, ...]:
    """Fit a parabola of loss in ln N to each budget, and one of ln D along it.

    Parameters
    ----------
    budget : array, shape (n,)
        Nominal budget of each run, FLOP.
    log_n, log_d, loss : arrays, shape (n,)
    """
    out = []
    for value in np.unique(budget):
        rows = budget == value
        out.append(_parabola(float(value), log_n[rows], log_d[rows], loss[rows]))
    return tuple(out)


def _parabola(budget: float, log_n: Array, log_d: Array, loss: Array) -> Parabola:
    low, high, centre = float(log_n.min()), float(log_n.max()), float(log_n.mean())
    whole: dict[str, Any] = {
        "budget": budget,
        "points": len(loss),
        "centre": centre,
        "low": low,
        "high": high,
    }

    def drop(why: str, coefficients: Array | None = None) -> Parabola:
        return Parabola(**whole, log_params=None, log_tokens=None, coefficients=coefficients, dropped=why)

    if len(np.unique(log_n)) < LEAST_POINTS:
        return drop(f"{len(np.unique(log_n))} sizes, needs {LEAST_POINTS}")
    z = log_n - centre
    design = np.column_stack([np.ones_like(z), z, z * z])
    coefficients = np.asarray(np.linalg.lstsq(design, loss, rcond=None)[0], float)
    if coefficients[2] <= 0:
        return drop("the parabola opens downwards", coefficients)
    vertex = centre - coefficients[1] / (2 * coefficients[2])
    if not low < vertex < high:
        return drop("the minimum lies outside the sizes trained", coefficients)
    # D along the budget is read off the runs, so that rounding of D is not mistaken for C/(6N).
    slope, level = np.polyfit(z, log_d, 1)
    return Parabola(
        **whole,
        log_params=float(vertex),
        log_tokens=float(level + slope * (vertex - centre)),
        coefficients=coefficients,
        dropped="",
    )


def through_minima(found: tuple[Parabola, ...]) -> PowerFit:
    """Fit power laws of N* and D* in the budget through the vertices.

    Raises
    ------
    EvidenceError
        Fewer than three budgets have a minimum inside their sizes.
    """
    kept = [p for p in found if p.log_params is not None]
    if len(kept) < LEAST_BUDGETS:
        gone = [f"{p.budget:.3g} FLOP: {p.dropped}" for p in found if p.dropped]
        why = f" ({'; '.join(gone[:4])}{'; …' if len(gone) > 4 else ''})" if gone else ""
        raise EvidenceError(
            f"frontier: {len(kept)} of {len(found)} budgets with a minimum inside their sizes, needs "
            f"{LEAST_BUDGETS}{why}. Train more sizes or budgets, or use approach='parametric'."
        )
    log_c = np.log([p.budget for p in kept])
    return power_fit(log_c, np.array([p.log_params for p in kept]), np.array([p.log_tokens for p in kept]))


def power_fit(log_c: Array, log_n: Array, log_d: Array) -> PowerFit:
    """Return least-squares power laws of N* and D* in C."""
    (a, n0), (b, d0) = np.polyfit(log_c, log_n, 1), np.polyfit(log_c, log_d, 1)
    return PowerFit(params=(float(n0), float(a)), tokens=(float(d0), float(b)), used=len(log_c))


def replay(
    budget: Array, log_n: Array, log_d: Array, noise_free: Array, truth: Array
) -> tuple[PowerFit, list[dict[str, float | None]]]:
    """Run the approach on a law's own losses at the runs' sizes, beside the law's own optimum.

    Parameters
    ----------
    noise_free : array, shape (n,)
        Losses of the fitted law.
    truth : array, shape (K,)
        ln N* of the law at each distinct budget, rising.
    """
    found = parabolas(budget, log_n, log_d, noise_free)
    rows: list[dict[str, float | None]] = [
        {
            "budget_flop": p.budget,
            "log_params": p.log_params,
            "log_params_law": float(t),
            "bias_log_params": None if p.log_params is None else p.log_params - float(t),
            "half_width": 0.5 * (p.high - p.low),
        }
        for p, t in zip(found, truth, strict=True)
    ]
    return through_minima(found), rows
