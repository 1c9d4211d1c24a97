"""Fit score = logistic(s_b (C_m − D_b)) with bounds, by Newton's method on its sparse structure.

Each row touches one capability C, one difficulty D and one slope s, so the Hessian's C block is
diagonal. Eliminating it leaves a system of twice the number of benchmarks, however many models
there are. Minimised is

    F = ½ Σ_i w_i (logistic(s_b (C_m − D_b)) − y_i)² + ½ λ/p Σ_j θ_j²

over the p free parameters θ; with w = 1 the last term is the square of the published extra
residual √(λ · mean θ²), λ = 0.1, so F is half the sum of squares that SciPy calls the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

RIDGE = 0.1
"""λ of the published objective."""
LOCATION_BOUND = 10.0
SLOPE_BOUNDS = (0.1, 10.0)
CERTIFICATE = 1e-8
"""Largest projected gradient of something called a minimum; a fit aims a hundred times lower."""
_TARGET = CERTIFICATE / 100
_MAX_ITERATIONS = 500
_NO_MORE = 1e12
"""Damping at which no step lowers the objective in double precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Scores as arrays, and which parameters are fixed at which value.

    Parameters
    ----------
    model, benchmark : int arrays, shape (n,)
        Positions of each score's model and benchmark.
    score : array, shape (n,), in (0, 1)
    n_models, n_benchmarks : int
    fixed : array, shape (n_models + 2 n_benchmarks,)
        Values of fixed parameters in the order C, D, s; NaN where free.
    """

    model: IntArray
    benchmark: IntArray
    score: FloatArray
    n_models: int
    n_benchmarks: int
    fixed: FloatArray
    low: FloatArray = field(init=False)
    high: FloatArray = field(init=False)
    is_free: BoolArray = field(init=False)
    ridge: float = field(init=False)

    def __post_init__(self) -> None:
        places = self.n_models + self.n_benchmarks
        low = np.concatenate([np.full(places, -LOCATION_BOUND), np.full(self.n_benchmarks, SLOPE_BOUNDS[0])])
        high = np.concatenate([np.full(places, LOCATION_BOUND), np.full(self.n_benchmarks, SLOPE_BOUNDS[1])])
        is_free = np.isnan(self.fixed)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "is_free", is_free)
        object.__setattr__(self, "ridge", RIDGE / int(is_free.sum()))

    def start(self, rng: np.random.Generator) -> FloatArray:
        """Return the published start: slopes 1, capabilities and difficulties 0.1 · normal."""
        places = self.n_models + self.n_benchmarks
        theta = np.concatenate([0.1 * rng.standard_normal(places), np.ones(self.n_benchmarks)])
        return np.where(self.is_free, theta, self.fixed)

    def split(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (C, D, s)."""
        m, b = self.n_models, self.n_benchmarks
        return theta[:m], theta[m : m + b], theta[m + b :]

    def predicted(self, theta: FloatArray) -> FloatArray:
        """Return the fitted score of each row."""
        c, d, s = self.split(theta)
        return logistic(s[self.benchmark] * (c[self.model] - d[self.benchmark]))

    def objective(self, theta: FloatArray, weights: FloatArray) -> float:
        """Return F."""
        residual = self.predicted(theta) - self.score
        free = theta[self.is_free]
        return float(0.5 * np.sum(weights * residual**2) + 0.5 * self.ridge * np.sum(free**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """A certified minimum: projected gradient (largest component) at most `CERTIFICATE`."""

    theta: FloatArray
    objective: float
    gradient_norm: float
    iterations: int


@dataclass(slots=True)
class _Curvature:
    gradient: FloatArray
    diagonal: FloatArray
    difficulty_slope: FloatArray
    cross: FloatArray


def logistic(x: FloatArray) -> FloatArray:
    """Return 1/(1 + exp(−x)) without overflow."""
    from scipy.special import expit

    return np.asarray(expit(x))


def minimise(cells: Cells, start: FloatArray, weights: FloatArray | None = None) -> Minimum:
    """Return the minimum reached from `start`.

    Parameters
    ----------
    cells : Cells
    start : array, shape (n_models + 2 n_benchmarks,)
    weights : array, shape (n,), >= 0, optional
        Row weights; all 1 by default.

    Returns
    -------
    Minimum

    Raises
    ------
    NoFitError
        No point with a projected gradient of `CERTIFICATE` or less was found.

    Notes
    -----
    Newton steps with the exact Hessian where it is positive definite, else Gauss-Newton, both
    damped (Levenberg-Marquardt) and projected on the bounds; coordinates held at a bound by the
    gradient are left out of the step.
    """
    w = np.ones(cells.score.size) if weights is None else weights
    theta = np.clip(start, cells.low, cells.high)
    value = cells.objective(theta, w)
    damping = 1e-3
    norm = np.inf
    for iteration in range(_MAX_ITERATIONS):
        exact = _curvature(cells, theta, w, exact=True)
        gradient = exact.gradient
        moves = cells.is_free & ~_held(cells, theta, gradient)
        norm = _projected_norm(cells, theta, gradient)
        if norm <= _TARGET:
            return Minimum(theta=theta, objective=value, gradient_norm=norm, iterations=iteration)
        gauss: _Curvature | None = None
        while damping < _NO_MORE:
            step = _step(cells, exact, moves, damping)
            if step is None:
                gauss = gauss or _curvature(cells, theta, w, exact=False)
                step = _step(cells, gauss, moves, damping)
            if step is not None:
                trial = np.clip(theta + step, cells.low, cells.high)
                trial_value = cells.objective(trial, w)
                if trial_value < value:
                    theta, value = trial, trial_value
                    damping = max(damping / 10, 1e-15)
                    break
            damping = max(damping, 1e-9) * 10
        else:
            break
    if norm <= CERTIFICATE:
        return Minimum(theta=theta, objective=value, gradient_norm=norm, iterations=iteration)
    raise NoFitError(
        f"stitch: projected gradient {norm:.1e} after {iteration + 1} iterations, needs {CERTIFICATE:.0e}. "
        "Drop benchmarks whose scores are all near 0 or 1."
    )


def _held(cells: Cells, theta: FloatArray, gradient: FloatArray) -> BoolArray:
    held: BoolArray = ((theta <= cells.low) & (gradient > 0)) | ((theta >= cells.high) & (gradient < 0))
    return held


def _projected_norm(cells: Cells, theta: FloatArray, gradient: FloatArray) -> float:
    moved = np.clip(theta - gradient, cells.low, cells.high) - theta
    return float(np.max(np.abs(moved[cells.is_free])))


def _curvature(cells: Cells, theta: FloatArray, w: FloatArray, *, exact: bool) -> _Curvature:
    """Return gradient and Hessian blocks; the Gauss-Newton ones unless `exact`."""
    m, b = cells.model, cells.benchmark
    n_m, n_b = cells.n_models, cells.n_benchmarks
    c, d, s = cells.split(theta)
    slope, gap = s[b], c[m] - d[b]
    q = logistic(slope * gap)
    q1 = q * (1 - q)
    error = q - cells.score
    first = w * error * q1
    second = w * (q1**2 + error * q1 * (1 - 2 * q)) if exact else w * q1**2
    bent = first if exact else np.zeros_like(first)
    gradient = np.concatenate(
        [
            np.bincount(m, first * slope, n_m),
            -np.bincount(b, first * slope, n_b),
            np.bincount(b, first * gap, n_b),
        ]
    )
    diagonal = np.concatenate(
        [
            np.bincount(m, second * slope**2, n_m),
            np.bincount(b, second * slope**2, n_b),
            np.bincount(b, second * gap**2, n_b),
        ]
    )
    cell = m * n_b + b
    cross = np.hstack(
        [
            np.bincount(cell, -second * slope**2, n_m * n_b).reshape(n_m, n_b),
            np.bincount(cell, second * slope * gap + bent, n_m * n_b).reshape(n_m, n_b),
        ]
    )
    return _Curvature(
        gradient=np.where(cells.is_free, gradient + cells.ridge * theta, 0.0),
        diagonal=diagonal + cells.ridge,
        difficulty_slope=np.bincount(b, -second * slope * gap - bent, n_b).astype(np.float64),
        cross=cross.astype(np.float64),
    )


def _step(cells: Cells, curve: _Curvature, moves: BoolArray, damping: float) -> FloatArray | None:
    """Return the damped Newton step, or None if the damped Hessian is not positive definite."""
    n_m, n_b = cells.n_models, cells.n_benchmarks
    diagonal = curve.diagonal + damping * np.maximum(np.abs(curve.diagonal), cells.ridge)
    diagonal = np.where(moves, diagonal, 1.0)
    gradient = np.where(moves, curve.gradient, 0.0)
    top = diagonal[:n_m]
    if np.min(top) <= 0:
        return None
    cross = curve.cross * moves[:n_m, None] * moves[None, n_m:]
    lower = np.diag(diagonal[n_m:])
    pair = curve.difficulty_slope * moves[n_m : n_m + n_b] * moves[n_m + n_b :]
    rows = np.arange(n_b)
    lower[rows, rows + n_b] = pair
    lower[rows + n_b, rows] = pair
    scaled = cross / top[:, None]
    schur = lower - cross.T @ scaled
    try:
        root = np.linalg.cholesky(schur)
    except np.linalg.LinAlgError:
        return None
    right = scaled.T @ gradient[:n_m] - gradient[n_m:]
    below = np.linalg.solve(root.T, np.linalg.solve(root, right))
    above = -(gradient[:n_m] + cross @ below) / top
    return np.concatenate([above, below])
