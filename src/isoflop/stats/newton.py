"""Fit any smooth model many times at once, each with a certificate.

    F(theta) = sum_i w_i rho(f_i(theta) − y_i) + sum_j k_j (theta_j − m_j)²

For laws that are no sum of exponentials; `isoflop.stats.optimise` is faster for those that are. A
problem is one row of weights with one start. All problems of a chunk step together: damped
Newton on the exact Hessian, or where that gives no descent on the Gauss–Newton matrix with weights
rho'(r)/r, which is never indefinite. A step is taken only if F does not rise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.stats.exp_sum import Array, Loss, Squared
from isoflop.stats.jets import Expansion
from isoflop.stats.solutions import Solutions

Index = NDArray[np.int64]
Model = Callable[[Array, Index, int], Expansion]
"""``(theta (B, p), problems (B,), order) -> Expansion`` with derivatives up to `order`, 0, 1 or 2."""

CHUNK = 256
"""Problems stepped together."""
_CELLS = 16_384
"""Rows x problems evaluated together: arrays of this length stay in cache."""
_TARGET_KKT = 1e-11
"""Iterations aim below the certificate: the last Newton step is nearly free."""
_DAMPING_START, _DAMPING_MIN, _DAMPING_MAX = 1e-2, 1e-12, 1e12
_NOISE = 1e-13
"""Changes of F below this share of it are rounding: they are accepted, and count towards stopping."""
_PATIENCE = 3
_NEAR_ZERO = 1e-12
"""Below this residual rho'(r)/r is its limit rho''(r)."""
_OUT_OF_RANGE = 1e150
"""Objective of a point where the model overflows: worse than any other, yet finite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ridge:
    """Quadratic pull sum_j strength_j (theta_j − centre_j)²; each (p,), or (R, p) by row of weights."""

    centre: Array
    strength: Array


def fit_model(
    model: Model,
    y: Array,
    *,
    starts: Array,
    weights: Array | None = None,
    loss: Loss | None = None,
    ridge: Ridge | None = None,
    keep: int | None = None,
    exact: bool = True,
    max_iterations: int = 200,
    step_cap: float = 3.0,
) -> Solutions:
    """Minimise F for every row of weights, from every start.

    Parameters
    ----------
    model : callable
        ``(theta (B, p), problems (B,), order) -> Expansion``.
    y : array, shape (n,) or (R, n)
    starts : array, shape (S, p) or (R, S, p)
        Starts that all rows of weights share, or their own.
    weights : array, shape (R, n) or (n,), >= 0, optional
        Row weights, default 1; a row of weight 0 may hold any prediction.
    loss : Squared, Huber, SmoothAbsolute or StudentT, default Squared
    ridge : Ridge, optional
    keep : int, optional
        Evaluate F at all starts and step only the best `keep` of each row of weights.
    exact : bool
        False uses the Gauss–Newton matrix alone: cheaper steps, quick where residuals are small.
    max_iterations : int
    step_cap : float
        Largest change of a parameter in one step.

    Returns
    -------
    Solutions
        Of R x S (or R x keep) problems, those of one row of weights together, so that
        ``best_of(R)`` picks the best of each. `kkt` is the largest entry of the gradient of F.

    Raises
    ------
    SettingError
        Shapes that do not fit, NaN, negative weights.

    Examples
    --------
    >>> from isoflop.stats.jets import expansion, seeds
    >>> u = np.linspace(0.0, 3.0, 20)
    >>> def line(theta, problems, order):
    ...     a, b = seeds(theta.T[:, :, None])
    ...     return expansion(a + b * u, 2, (len(theta), 20))
    >>> fit = fit_model(line, 1.0 - 0.5 * u, starts=np.zeros((1, 2)))
    >>> fit.theta.round(8).tolist(), bool(fit.certified.all())
    ([[1.0, -0.5]], True)
    """
    y = np.atleast_2d(np.asarray(y, float))
    starts = np.asarray(starts, float)
    weights = np.ones((1, y.shape[1])) if weights is None else np.atleast_2d(np.asarray(weights, float))
    rows = max(len(weights), len(y), len(starts) if starts.ndim == 3 else 1)
    starts = np.broadcast_to(np.atleast_2d(starts), (rows, *np.atleast_2d(starts).shape[-2:]))
    _check(y, starts, weights, rows)
    problems = _Problems(model=model, y=y, weights=weights, loss=loss or Squared(), ridge=ridge, exact=exact)
    if keep is not None and keep < starts.shape[1]:
        starts = _screen(problems, starts, keep)
    owner = np.repeat(np.arange(rows), starts.shape[1])
    return _solve(problems, starts.reshape(len(owner), -1), owner, max_iterations, step_cap)


@dataclass(slots=True)
class _Point:
    """Where a batch stands: theta, objective (B,), gradient (B, p), two matrices (B, p, p)."""

    theta: Array
    objective: Array
    gradient: Array
    hessian: Array
    gauss_newton: Array

    def take(self, rows: NDArray[np.generic]) -> _Point:
        return _Point(*(getattr(self, name)[rows] for name in _POINT))

    def put(self, rows: NDArray[np.generic], other: _Point) -> None:
        for name in _POINT:
            getattr(self, name)[rows] = getattr(other, name)

    def join(self, other: _Point) -> _Point:
        return _Point(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in _POINT))


_POINT = ("theta", "objective", "gradient", "hessian", "gauss_newton")


@dataclass(slots=True, kw_only=True)
class _Problems:
    """All problems; `owner` maps a problem to its row of weights."""

    model: Model
    y: Array
    weights: Array
    loss: Loss
    ridge: Ridge | None
    exact: bool

    def at(self, theta: Array, owner: Index, order: int = 2) -> _Point:
        """Evaluate F, with its derivatives unless `order` is 0, in blocks that fit the cache."""
        size, p = theta.shape
        deep = p if order else 0
        point = _Point(
            theta,
            np.empty(size),
            np.zeros((size, deep)),
            np.zeros((size, deep, deep)),
            np.zeros((size, deep, deep)),
        )
        block = max(1, _CELLS // self.y.shape[1])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            for begin in range(0, size, block):
                self._evaluate(point, slice(begin, begin + block), owner[begin : begin + block], order)
        if self.ridge is not None:
            self._pull(point, owner, order)
        return point

    def _evaluate(self, point: _Point, block: slice, owner: Index, order: int) -> None:
        weights = self.weights[owner] if len(self.weights) > 1 else self.weights
        found = self.model(point.theta[block], owner, order if self.exact else min(order, 1))
        residual = found.value - (self.y[owner] if len(self.y) > 1 else self.y)
        if not np.isfinite(residual).all():
            # a row without weight may overflow; one with weight puts the point out of range
            residual = np.where((weights == 0) & ~np.isfinite(residual), 0.0, residual)
        objective = np.sum(weights * self.loss.value(residual), axis=1)
        point.objective[block] = np.where(np.isfinite(objective), objective, _OUT_OF_RANGE)
        if not order:
            return
        jacobian = found.jacobian
        assert jacobian is not None
        if not np.isfinite(jacobian).all():
            jacobian = np.nan_to_num(jacobian, nan=0.0, posinf=0.0, neginf=0.0)
        slope, curvature = self.loss.slopes(residual)
        pull = weights * np.where(np.abs(residual) < _NEAR_ZERO, curvature, slope / residual)
        slope = weights * slope
        point.gradient[block] = np.matmul(jacobian, slope[:, :, None])[:, :, 0]
        across = jacobian.swapaxes(1, 2)
        point.gauss_newton[block] = np.matmul(jacobian * pull[:, None, :], across)
        if found.contract is None:
            point.hessian[block] = point.gauss_newton[block]
            return
        bend = np.nan_to_num(found.contract(slope), nan=0.0, posinf=0.0, neginf=0.0)
        point.hessian[block] = np.matmul(jacobian * (weights * curvature)[:, None, :], across) + bend

    def _pull(self, point: _Point, owner: Index, order: int) -> None:
        """Add the ridge."""
        assert self.ridge is not None
        centre = np.atleast_2d(self.ridge.centre)
        strength = np.atleast_2d(self.ridge.strength)
        centre = centre[owner if len(centre) > 1 else 0]
        strength = strength[owner if len(strength) > 1 else 0]
        away = point.theta - centre
        point.objective += np.sum(strength * away**2, axis=-1)
        if order:
            diagonal = np.arange(point.theta.shape[1])
            point.gradient += 2.0 * strength * away
            point.hessian[:, diagonal, diagonal] += 2.0 * strength
            point.gauss_newton[:, diagonal, diagonal] += 2.0 * strength


def _screen(problems: _Problems, starts: Array, keep: int) -> Array:
    """Return the `keep` starts of lowest F of each row of weights, shape (R, keep, p), best first."""
    rows, count, p = starts.shape
    owner = np.repeat(np.arange(rows), count)
    objective = problems.at(starts.reshape(-1, p), owner, order=0).objective.reshape(rows, count)
    best = np.argsort(objective, axis=1, kind="stable")[:, :keep]
    return np.asarray(np.take_along_axis(starts, best[:, :, None], axis=1))


@dataclass(slots=True)
class _State:
    """Damping of each problem of a batch and how it has fared. Shapes (B,)."""

    damping: Array
    stalled: Index
    iterations: Index

    def take(self, rows: NDArray[np.generic]) -> _State:
        return _State(self.damping[rows], self.stalled[rows], self.iterations[rows])

    def join(self, other: _State) -> _State:
        return _State(
            np.concatenate([self.damping, other.damping]),
            np.concatenate([self.stalled, other.stalled]),
            np.concatenate([self.iterations, other.iterations]),
        )


def _fresh_state(size: int) -> _State:
    return _State(np.full(size, _DAMPING_START), np.zeros(size, np.int64), np.zeros(size, np.int64))


def _solve(
    problems: _Problems, starts: Array, owner: Index, max_iterations: int, step_cap: float
) -> Solutions:
    """Step a batch together; finished problems leave it and waiting ones join, so it stays full."""
    size, p = starts.shape
    out = Solutions(
        theta=np.empty((size, p)),
        objective=np.empty(size),
        kkt=np.empty(size),
        iterations=np.zeros(size, np.int64),
        clipped=np.zeros(size, bool),
    )
    waiting = min(CHUNK, size)
    ids = np.arange(waiting)
    point, state = problems.at(starts[ids], owner[ids]), _fresh_state(waiting)
    while True:
        kkt = np.abs(point.gradient).max(axis=1)
        done = (
            (kkt <= _TARGET_KKT)
            | (state.damping > _DAMPING_MAX)
            | (state.stalled >= _PATIENCE)
            | (state.iterations >= max_iterations)
        )
        if done.any():
            ended = ids[done]
            out.theta[ended], out.objective[ended] = point.theta[done], point.objective[done]
            out.kkt[ended], out.iterations[ended] = kkt[done], state.iterations[done]
            out.clipped[ended] = point.objective[done] >= _OUT_OF_RANGE
            go = np.flatnonzero(~done)
            joining = np.arange(waiting, min(waiting + CHUNK - len(go), size))
            waiting += len(joining)
            if not len(go) and not len(joining):
                return out
            ids, point, state = ids[go], point.take(go), state.take(go)
            if len(joining):
                ids = np.concatenate([ids, joining])
                point = point.join(problems.at(starts[joining], owner[joining]))
                state = state.join(_fresh_state(len(joining)))
                continue
        point = _step(problems, owner[ids], point, state, step_cap)


def _step(problems: _Problems, owner: Index, point: _Point, state: _State, step_cap: float) -> _Point:
    """Take one damped step of every problem where F does not rise; update the state."""
    step = _direction(point.hessian, point.gauss_newton, point.gradient, state.damping)
    longest = np.abs(step).max(axis=1)
    step *= np.minimum(1.0, step_cap / np.maximum(longest, 1e-300))[:, None]
    trial = problems.at(point.theta + step, owner)

    curved = np.matmul(point.hessian, step[:, :, None])[:, :, 0]
    predicted = -np.sum(step * (point.gradient + 0.5 * curved), axis=1)
    fall = point.objective - trial.objective
    noise = _NOISE * np.abs(point.objective)
    accepted = fall >= -noise
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quality = np.clip(np.nan_to_num(fall / predicted, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    quality = np.where(np.abs(fall) <= noise, 1.0, quality)
    shrink = np.where(quality > 0.75, 0.3, np.maximum(1 / 3, 1 - (2 * quality - 1) ** 3))
    state.damping = np.where(accepted, np.maximum(state.damping * shrink, _DAMPING_MIN), state.damping * 8.0)
    state.iterations += 1
    stay = np.flatnonzero(~accepted)
    if stay.size:
        trial.put(stay, point.take(stay))
    nearer = np.abs(trial.gradient).max(axis=1) < 0.5 * np.abs(point.gradient).max(axis=1)
    # a fall too small to matter counts only where the damping did not cause it
    tiny = accepted & (fall <= noise) & (state.damping < 1e-3) & ~nearer
    state.stalled = np.where(tiny, state.stalled + 1, 0)
    return trial


def _direction(hessian: Array, gauss_newton: Array, gradient: Array, damping: Array) -> Array:
    """Return the damped Newton step, or that of Gauss–Newton where Newton's does not descend."""
    diagonal = np.arange(gradient.shape[1])
    scale = np.maximum(np.abs(hessian[:, diagonal, diagonal]), gauss_newton[:, diagonal, diagonal])
    scale = np.maximum(scale, 1e-9 * scale.max(axis=1, keepdims=True) + 1e-300)
    step = _solve_damped(hessian, gradient, damping, scale)
    curved = np.sum(step * np.matmul(hessian, step[:, :, None])[:, :, 0], axis=1)
    lost = np.flatnonzero(~((np.sum(step * gradient, axis=1) < 0) & (curved > 0)))
    if lost.size:
        step[lost] = _solve_damped(gauss_newton[lost], gradient[lost], damping[lost], scale[lost])
    return step


def _solve_damped(matrix: Array, gradient: Array, damping: Array, scale: Array) -> Array:
    """Return −(M + damping diag(scale))⁻¹ g in coordinates scaled to unit diagonal."""
    root = 1.0 / np.sqrt(scale)
    scaled = matrix * root[:, :, None] * root[:, None, :]
    diagonal = np.arange(gradient.shape[1])
    scaled[:, diagonal, diagonal] += damping[:, None] + 1e-14
    try:
        step = np.linalg.solve(scaled, -(gradient * root)[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        # one singular matrix fails the whole batch; a pseudo-inverse serves it
        step = np.matmul(np.linalg.pinv(scaled), -(gradient * root)[:, :, None])[:, :, 0]
    return np.asarray(step * root)


def _check(y: Array, starts: Array, weights: Array, rows: int) -> None:
    n = y.shape[1]
    if weights.shape[1] != n or rows % len(weights) or rows % len(y) or len(weights) not in (1, rows):
        raise SettingError(
            f"fit_model: y has shape {y.shape} and weights {weights.shape}, need one column per row of data "
            "and one row, or one per replicate."
        )
    for name, array in (("y", y), ("weights", weights), ("starts", starts)):
        if not np.isfinite(array).all():
            raise SettingError(f"fit_model: {name} holds NaN or infinity, needs finite numbers.")
    if (weights < 0).any():
        raise SettingError("fit_model: a weight is negative, needs values in [0, inf).")
