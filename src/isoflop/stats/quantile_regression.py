"""Quantile regression as a linear program, with a certificate and a covariance.

The q-quantile line minimises ``sum q max(e, 0) + (1 - q) max(-e, 0)`` over residuals e. Its dual is a
program in one bounded variable a row, which the simplex method solves exactly; the gap between the two
objectives proves the minimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.stats.checks import FloatArray, finite_array, read_only, same_length
from isoflop.stats.intervals import normal_quantile

MAX_GAP = 1e-8
"""Largest relative gap between primal and dual objective that certifies a minimum."""
MAX_CONDITION = 1e10
"""Above this condition number of the design, digits of the coefficients are rounding."""
NEAR_ZERO = 1e-9
"""Residuals below this share of the outcome's spread lie on the line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantileFit:
    """A certified quantile regression.

    Parameters
    ----------
    coefficients : array, shape (p,)
    covariance : array, shape (p, p), or None
        Robust to unequal spread along the design; None where `without` says why.
    q : float
    objective : float
        Sum of check losses at the minimum.
    gap : float
        (primal - dual) / max(1, primal): at most 1e-8.
    bandwidth : float
        Half width in y of the kernel that estimates the density at the line.
    n : int
    without : str
        Why there is no covariance; empty if there is one.
    """

    coefficients: FloatArray
    covariance: FloatArray | None
    q: float
    objective: float
    gap: float
    bandwidth: float
    n: int
    without: str

    def contrast(self, vector: ArrayLike, level: float = 0.95) -> tuple[float, float | None, float | None]:
        """Return value, low and high of a linear combination, by the normal quantile.

        Without a covariance the ends are None.
        """
        direction = finite_array("contrast", "vector", vector)
        same_length("contrast", vector=direction, coefficients=self.coefficients)
        value = float(direction @ self.coefficients)
        if self.covariance is None:
            return value, None, None
        half = normal_quantile((1 + level) / 2) * math.sqrt(float(direction @ self.covariance @ direction))
        return value, value - half, value + half


def quantile_regression(design: ArrayLike, y: ArrayLike, *, q: float = 0.5) -> QuantileFit:
    """Fit the q-quantile of y as a linear function of the design.

    Parameters
    ----------
    design : array, shape (n, p)
        With a column of ones for the intercept.
    y : array, shape (n,)
    q : float, in (0, 1)

    Returns
    -------
    QuantileFit

    Raises
    ------
    NoFitError
        The design is ill conditioned, or the gap exceeds 1e-8.
    EvidenceError
        No more rows than coefficients.

    Notes
    -----
    Where several lines share the minimum, one vertex among them is returned. Covariance: the sandwich
    ``H^-1 q (1 - q) X'X H^-1`` with H from an Epanechnikov kernel around the line; bandwidth of Hall and
    Sheather at level .95. Source: Koenker (2005), Quantile Regression, section 3.4 and 6.2.

    Examples
    --------
    >>> fit = quantile_regression([[1, 0], [1, 1], [1, 2], [1, 3], [1, 4]], [0, 1, 2, 3, 40], q=0.5)
    >>> fit.coefficients.round(9).tolist(), fit.gap <= 1e-8
    ([0.0, 1.0], True)
    """
    from scipy.optimize import linprog

    columns = finite_array("quantile_regression", "design", design, ndim=2)
    target = finite_array("quantile_regression", "y", y)
    same_length("quantile_regression", design=columns.T, y=target)
    if not 0 < q < 1:
        raise SettingError(f"quantile_regression: q={q}, must lie in (0, 1). Use 0.5 for the median.")
    n, p = columns.shape
    if n <= p:
        raise EvidenceError(
            f"quantile_regression: {n} rows for {p} coefficients, needs more rows. Drop columns."
        )
    scale = np.linalg.norm(columns, axis=0)
    condition = float(np.linalg.cond(columns / np.where(scale > 0, scale, 1.0)))
    if not condition <= MAX_CONDITION:
        raise NoFitError(
            f"quantile_regression: condition {condition:.1e} of the design, must be at most "
            f"{MAX_CONDITION:.0e}. Drop a column, or centre it."
        )
    scaled, spread = columns / scale, float(np.ptp(target)) or float(np.abs(target).max()) or 1.0
    outcome = target / spread
    solved = linprog(
        -outcome,
        A_eq=scaled.T,
        b_eq=(1 - q) * scaled.sum(axis=0),
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if solved.x is None:
        raise NoFitError(f"quantile_regression: no minimum ({solved.message}). Check the rows.")
    beta = _on_vertex(scaled, outcome, -np.asarray(solved.eqlin.marginals), q)
    residuals = outcome - scaled @ beta
    primal = _check_loss(residuals, q)
    dual = float(outcome @ (np.clip(solved.x, 0.0, 1.0) - (1 - q)))
    gap = max(primal - dual, 0.0) / max(1.0, primal)
    if gap > MAX_GAP:
        raise NoFitError(
            f"quantile_regression: gap {gap:.1e} between primal and dual, needs at most {MAX_GAP:.0e}. "
            "Rescale the columns."
        )
    coefficients = beta * spread / scale
    covariance, width, without = _sandwich(
        columns, target - columns @ coefficients, q, float(np.abs(target).max())
    )
    return QuantileFit(
        coefficients=read_only(coefficients),
        covariance=None if covariance is None else read_only(covariance),
        q=q,
        objective=primal * spread,
        gap=gap,
        bandwidth=width,
        n=n,
        without=without,
    )


def _check_loss(residuals: FloatArray, q: float) -> float:
    return float(np.where(residuals >= 0, q * residuals, (q - 1) * residuals).sum())


def _on_vertex(design: FloatArray, y: FloatArray, beta: FloatArray, q: float) -> FloatArray:
    """Return the line through the rows it nearly touches, if that is no worse."""
    p = design.shape[1]
    order = np.argsort(np.abs(y - design @ beta), kind="stable")
    chosen: list[int] = []
    for row in order:
        if np.linalg.matrix_rank(design[[*chosen, int(row)]]) > len(chosen):
            chosen.append(int(row))
        if len(chosen) == p:
            break
    exact = np.linalg.solve(design[chosen], y[chosen])
    better = _check_loss(y - design @ exact, q) <= _check_loss(y - design @ beta, q) + NEAR_ZERO
    return np.asarray(exact if better else beta)


def _sandwich(
    design: FloatArray, residuals: FloatArray, q: float, size: float
) -> tuple[FloatArray | None, float, str]:
    """Return the covariance, the bandwidth of the density around the line, or why there is none.

    `size` is the largest outcome, against which a residual is rounding.
    """
    n = residuals.size
    z = normal_quantile(q)
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    share = n ** (-1 / 3) * normal_quantile(0.975) ** (2 / 3) * (1.5 * density**2 / (2 * z**2 + 1)) ** (1 / 3)
    quartiles = np.quantile(residuals, [0.25, 0.75])
    robust = min(float(np.std(residuals)), float(quartiles[1] - quartiles[0]) / 1.34)
    low, high = max(q - share, 1e-6), min(q + share, 1 - 1e-6)
    width = robust * (normal_quantile(high) - normal_quantile(low))
    if not width > NEAR_ZERO * size:
        return None, 0.0, "half of the rows lie on one line, so the density around it is not determined"
    kernel = np.where(np.abs(residuals) <= width, 0.75 * (1 - (residuals / width) ** 2), 0.0) / width
    scale = np.linalg.norm(design, axis=0)
    scaled = design / scale
    hessian = scaled.T @ (kernel[:, None] * scaled)
    if np.linalg.cond(hessian) > MAX_CONDITION:
        return None, width, f"too few rows lie near the {q} quantile to tell the density around it"
    half = np.linalg.solve(hessian, scaled.T) / scale[:, None]
    return np.asarray(q * (1 - q) * half @ half.T), width, ""
