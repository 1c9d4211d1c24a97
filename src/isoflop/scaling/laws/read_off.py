"""Starts read off the data: fix what is nonlinear on a grid, and solve the rest as a line."""

from __future__ import annotations

import numpy as np

from isoflop.scaling.model import Array

FLOORS = (0.02, 0.5, 0.8, 0.95, 0.99)
"""Floors tried, as shares of the smallest y."""
_LEAST_GAP = 1e-6
"""y − E is kept above this share of y, so that its logarithm exists."""


def line(columns: list[Array], target: Array) -> Array:
    """Return the least-squares coefficients of `target`, shape (n,), on a constant and `columns`."""
    design = np.column_stack([np.ones(len(target)), *columns])
    return np.asarray(np.linalg.lstsq(design, target, rcond=None)[0])


def log_above(log_y: Array, log_floor: float) -> Array:
    """Return ln(y − E) for a floor E below y."""
    return np.asarray(log_y + np.log(np.maximum(-np.expm1(log_floor - log_y), _LEAST_GAP)))


def log_below(log_y: Array, log_ceiling: float) -> Array:
    """Return ln(E0 − y) for a ceiling E0 above y."""
    return np.asarray(log_ceiling + np.log(np.maximum(-np.expm1(log_y - log_ceiling), _LEAST_GAP)))


def log_floors(log_y: Array, shares: tuple[float, ...] = FLOORS) -> list[float]:
    """Return ln E for floors that are these shares of the smallest y."""
    return [float(log_y.min() + np.log(share)) for share in shares]


def inside(u: Array, shares: tuple[float, ...]) -> list[float]:
    """Return points of the range of u; a range of width zero is widened, so that they stay distinct."""
    low, high = float(u.min()), float(u.max())
    width = max(high - low, 1e-3)
    return [low + share * width for share in shares]


def log_coefficients(log_columns: list[Array], log_target: Array) -> Array:
    """Return ln c, shape (q,), of c >= 0 that bring Σ c_k exp(log_columns_k) nearest to exp(log_target).

    Errors are relative to the target. A coefficient of zero becomes a thousandth of the target, so
    that it has a logarithm and can still grow.
    """
    from scipy.optimize import nnls

    relative = np.stack(log_columns) - log_target
    height = relative.max(axis=1)
    found, _ = nnls(np.exp(relative - height[:, None]).T, np.ones(len(log_target)))
    return np.asarray(np.log(np.maximum(found, 1e-3)) - height)
