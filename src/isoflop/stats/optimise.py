"""Fit thousands of small penalised problems at once, each with a certificate.

    F(theta) = sum_i w_i rho(yhat_i(theta) - y_i) + sum_j delta_j |theta_j|

A problem is one row of `weights` with one row of `starts`. All problems of a chunk step
together: damped proximal Newton, that is the exact minimiser of the penalised quadratic
model at the current point, found by an active set. Steps are accepted only if F falls, so
more iterations never make a fit worse.

A solution is *certified* when its KKT residual is at most 1e-8: for a free coordinate
|g_j + delta_j sgn(theta_j)|, for a zero one max(|g_j| - delta_j, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.stats.active_set import TARGET_KKT, lower_model
from isoflop.stats.exp_sum import MAX_EXPONENT, Array, ExpSumDesign, Link, Loss, Squared
from isoflop.stats.solutions import Solutions

CHUNK = 512
"""Problems stepped together: fewer make every step interpreter, more help no further."""
BLOCK = 64
"""Problems evaluated together: arrays of 64 rows of a few hundred doubles stay in cache."""
_DAMPING_START, _DAMPING_MIN, _DAMPING_MAX = 1e-2, 1e-10, 1e12
_DAMPING_GROWTH, _DAMPING_GROWTH_MAX = 4.0, 32.0
_STEEP = 1e-3
"""Least curvature per unit of gradient that damping assumes: steps of 1000 over the damping."""
_DAMPING_STALL = 1e-3
"""A step without effect counts as a stall only when the damping did not cause it."""


def fit_exp_sum(
    design: ExpSumDesign,
    y: Array,
    *,
    starts: Array,
    weights: Array | None = None,
    l1: Array | float = 0.0,
    loss: Loss | None = None,
    link: Link = "identity",
    max_iterations: int = 500,
    chunk: int = CHUNK,
) -> Solutions:
    """Minimise F from every start, for every row of weights.

    Parameters
    ----------
    design : ExpSumDesign
    y : array, shape (n,) or (R'', n)
        Observations in the space of the link (log loss for the log link); rows are shared out to
        problems as those of `weights` are.
    starts : array, shape (B, p) or (p,)
    weights : array, shape (R, n) or (n,), >= 0, optional
        Row weights; default 1/n. They multiply the loss as they are. Each of R rows serves B/R
        consecutive problems, so several starts of a replicate share one row.
    l1 : float or array, shape (p,) or (R', p), >= 0
        delta_j, shared out in the same way.
    loss : Squared, Huber or SmoothAbsolute
    link : {"identity", "log"}

    Returns
    -------
    Solutions

    Raises
    ------
    SettingError
        Weights, y or penalties with NaN or negative entries, or shapes that do not fit.

    Examples
    --------
    >>> x = np.linspace(0.0, 2.0, 40)
    >>> design = ExpSumDesign(terms=(np.column_stack([np.ones(40), -x]),))
    >>> fit = fit_exp_sum(design, np.exp(0.5 - 0.3 * x), starts=np.zeros(2))
    >>> fit.theta.round(6).tolist(), bool(fit.certified.all())
    ([[0.5, 0.3]], True)
    """
    n, p = design.n, design.p
    y = np.asarray(y, float)
    starts = np.atleast_2d(np.asarray(starts, float))
    weights = np.full((1, n), 1.0 / n) if weights is None else np.atleast_2d(np.asarray(weights, float))
    l1 = np.atleast_2d(np.asarray(l1, float))
    y = np.atleast_2d(y)
    batch = max(len(starts), len(weights), len(l1), len(y))
    _check(y, starts, weights, l1, n=n, p=p, batch=batch)
    problems = _Problems(design, y, weights, l1, batch, loss or Squared(), link)
    return _solve(problems, np.broadcast_to(starts, (batch, p)), max_iterations, chunk)


def evaluate(
    design: ExpSumDesign,
    y: Array,
    theta: Array,
    *,
    weights: Array | None = None,
    l1: Array | float = 0.0,
    loss: Loss | None = None,
    link: Link = "identity",
) -> Solutions:
    """Return objective and KKT residual at given points, without moving them."""
    return fit_exp_sum(
        design, y, starts=theta, weights=weights, l1=l1, loss=loss, link=link, max_iterations=0
    )


def gradient_and_hessian(
    design: ExpSumDesign,
    y: Array,
    theta: Array,
    *,
    weights: Array | None = None,
    loss: Loss | None = None,
    link: Link = "identity",
) -> tuple[Array, Array]:
    """Return gradient (p,) and Hessian (p, p) of the unpenalised objective at `theta`, shape (p,)."""
    w = np.full(design.n, 1.0 / design.n) if weights is None else np.asarray(weights, float)
    y, theta = np.asarray(y, float), np.asarray(theta, float)
    problems = _Problems(design, y, w[None], np.zeros((1, 1)), 1, loss or Squared(), link)
    point = problems.at(theta[None], np.zeros(1, np.int64))
    return point.gradient[0], point.hessian[0]


@dataclass(slots=True)
class _Point:
    """Where a batch stands: theta, gradient (B, p), hessian (B, p, p), objective, clipped (B,)."""

    theta: Array
    objective: Array
    gradient: Array
    hessian: Array
    clipped: NDArray[np.bool_]

    def take(self, rows: NDArray[np.generic]) -> _Point:
        return _Point(
            self.theta[rows],
            self.objective[rows],
            self.gradient[rows],
            self.hessian[rows],
            self.clipped[rows],
        )

    def put(self, rows: NDArray[np.generic], other: _Point) -> None:
        self.theta[rows] = other.theta
        self.objective[rows] = other.objective
        self.gradient[rows] = other.gradient
        self.hessian[rows] = other.hessian
        self.clipped[rows] = other.clipped

    def join(self, other: _Point) -> _Point:
        return _Point(
            np.concatenate([self.theta, other.theta]),
            np.concatenate([self.objective, other.objective]),
            np.concatenate([self.gradient, other.gradient]),
            np.concatenate([self.hessian, other.hessian]),
            np.concatenate([self.clipped, other.clipped]),
        )


class _Problems:
    """All problems, evaluated in blocks small enough that every array of a block stays in cache."""

    def __init__(
        self,
        design: ExpSumDesign,
        y: Array,
        weights: Array,
        l1: Array,
        count: int,
        loss: Loss,
        link: Link,
    ) -> None:
        self.design, self.y, self.loss, self.link = design, np.atleast_2d(y), loss, link
        self.weights, self.l1_rows, self.count = weights, l1, count
        self.row_terms = tuple(np.ascontiguousarray(x) for x in design.terms)
        self.terms = tuple(np.ascontiguousarray(x.T) for x in design.terms)
        self.products = [(k, m, np.ascontiguousarray(x)) for k, m, x, _ in design.products]
        self.gather = _gather(design)

    def l1(self, ids: NDArray[np.int64]) -> Array:
        """Return the penalties of some problems, shape (B, p)."""
        rows = self.l1_rows[ids * len(self.l1_rows) // self.count]
        return np.ascontiguousarray(np.broadcast_to(rows, (len(ids), self.design.p)))

    def at(self, theta: Array, ids: NDArray[np.int64]) -> _Point:
        """Evaluate F and its derivatives at `theta`, shape (B, p), of the problems `ids`."""
        size, p = theta.shape
        point = _Point(
            theta, np.empty(size), np.empty((size, p)), np.empty((size, p, p)), np.zeros(size, bool)
        )
        for begin in range(0, size, BLOCK):
            self._evaluate(point, slice(begin, begin + BLOCK), ids[begin : begin + BLOCK])
        point.objective += np.einsum("bj,bj->b", self.l1(ids), np.abs(theta))
        return point

    def _evaluate(self, point: _Point, block: slice, ids: NDArray[np.int64]) -> None:
        theta = point.theta[block]
        weights = self.weights[ids * len(self.weights) // self.count]
        shares, residual = self._parts(theta, point.clipped[block])
        residual -= self.y if len(self.y) == 1 else self.y[ids * len(self.y) // self.count]
        slope, curvature = self.loss.slopes(residual)
        point.objective[block] = np.einsum("bi,bi->b", weights, self.loss.value(residual))
        slope = slope * weights
        curvature = weights * curvature
        last = len(shares)
        sloped = [slope * a for a in shares]
        gradient = sum(s @ x for x, s in zip(self.row_terms, sloped, strict=True))
        plain = curvature
        if self.design.linear is not None:
            gradient = gradient + slope @ self.design.linear
        if self.link == "log":
            curvature = curvature - slope  # the softmax adds -a_k a_m to the second derivative
        sums = []
        for k, m, columns in self.products:
            if k == last:
                weight = plain
            elif m == last:
                # the linear block has no second derivative of its own under either link
                weight = plain * shares[k]
            else:
                weight = curvature * shares[k]
                weight *= shares[m]
                if k == m:
                    weight += sloped[k]
            sums.append(weight @ columns)
        sums.append(np.zeros((len(theta), 1)))
        every = np.concatenate(sums, axis=1)
        flat = every[:, self.gather[0]]
        for further in self.gather[1:]:
            flat += every[:, further]
        point.gradient[block] = gradient
        point.hessian[block] = flat.reshape(-1, self.design.p, self.design.p)

    def _parts(self, theta: Array, clipped: NDArray[np.bool_]) -> tuple[list[Array], Array]:
        """Return the derivative of yhat in each exponent, and yhat; marks clipped problems."""
        parts = [theta @ x for x in self.terms]
        if self.link == "log":
            top = parts[0] if len(parts) == 1 else np.maximum.reduce(parts)
            parts = [np.exp(e - top) for e in parts]
            total = np.add.reduce(parts)
            for part in parts:
                part /= total
            total = np.log(total) + top
        else:
            for exponent in parts:
                if exponent.max() > MAX_EXPONENT:
                    clipped |= exponent.max(axis=1) > MAX_EXPONENT
                    np.minimum(exponent, MAX_EXPONENT, out=exponent)
                np.exp(exponent, out=exponent)
            total = parts[0].copy()
            for part in parts[1:]:
                total += part
        if self.design.linear is not None:
            total += theta @ self.design.linear.T
        return parts, total


def _gather(design: ExpSumDesign) -> list[NDArray[np.int64]]:
    """Return, for each cell of the flattened Hessian, the columns of products that add up to it.

    Most cells have one; a parameter shared by two exponentials has more. The last column is zero.
    """
    cells: list[list[int]] = [[] for _ in range(design.p**2)]
    q = 0
    for k, m, _, pairs in design.products:
        for i, j in pairs:
            cells[i * design.p + j].append(q)
            if k != m or i != j:
                cells[j * design.p + i].append(q)
            q += 1
    most = max(len(cell) for cell in cells)
    return [
        np.array([cell[r] if r < len(cell) else q for cell in cells], np.int64) for r in range(max(most, 1))
    ]


def _solve(problems: _Problems, starts: Array, max_iterations: int, chunk: int) -> Solutions:
    """Step a batch together; finished problems leave it and waiting ones join, so it stays full."""
    size, p = starts.shape
    out = Solutions(
        theta=np.empty((size, p)),
        objective=np.empty(size),
        kkt=np.empty(size),
        iterations=np.zeros(size, np.int64),
        clipped=np.zeros(size, bool),
    )
    waiting = min(chunk, size)
    ids = np.arange(waiting)
    point = problems.at(starts[ids], ids)
    state = _fresh_state(waiting)
    while True:
        l1 = problems.l1(ids)
        kkt = _kkt(point.theta, point.gradient, l1)
        done = (
            (kkt <= TARGET_KKT)
            | (state.damping > _DAMPING_MAX)
            | (state.stalled > 2)
            | (state.iterations >= max_iterations)
        )
        if done.any():
            ended = ids[done]
            out.theta[ended], out.objective[ended] = point.theta[done], point.objective[done]
            out.kkt[ended], out.iterations[ended] = kkt[done], state.iterations[done]
            out.clipped[ended] = point.clipped[done]
            go = np.flatnonzero(~done)
            joining = np.arange(waiting, min(waiting + chunk - len(go), size))
            waiting += len(joining)
            if not len(go) and not len(joining):
                return out
            ids, point, state, kkt = ids[go], point.take(go), state.take(go), kkt[go]
            if len(joining):
                ids = np.concatenate([ids, joining])
                point = point.join(problems.at(starts[joining], joining))
                state = state.join(_fresh_state(len(joining)))
                continue
            l1 = l1[go]
        point = _step(problems, ids, point, state, l1, kkt)


@dataclass(slots=True)
class _State:
    """Damping of each problem of a batch and how it has fared. Shapes (B,)."""

    damping: Array
    growth: Array
    stalled: NDArray[np.int64]
    iterations: NDArray[np.int64]

    def take(self, rows: NDArray[np.generic]) -> _State:
        return _State(self.damping[rows], self.growth[rows], self.stalled[rows], self.iterations[rows])

    def join(self, other: _State) -> _State:
        return _State(
            np.concatenate([self.damping, other.damping]),
            np.concatenate([self.growth, other.growth]),
            np.concatenate([self.stalled, other.stalled]),
            np.concatenate([self.iterations, other.iterations]),
        )


def _fresh_state(size: int) -> _State:
    return _State(
        np.full(size, _DAMPING_START),
        np.full(size, _DAMPING_GROWTH),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
    )


def _step(
    problems: _Problems, ids: NDArray[np.int64], point: _Point, state: _State, l1: Array, kkt: Array
) -> _Point:
    """Take one damped step of every problem where F falls; return the new points, update the state."""
    diagonal = np.arange(point.theta.shape[1])
    scale = np.abs(point.hessian[:, diagonal, diagonal])
    scale = np.maximum(scale, 1e-9 * scale.max(axis=1, keepdims=True) + 1e-300)
    # A robust loss far from every row has no curvature at all: then the gradient sets the scale.
    scale = np.maximum(scale, _STEEP * np.abs(point.gradient))
    model = point.hessian.copy()
    model[:, diagonal, diagonal] += state.damping[:, None] * scale
    target, convex = lower_model(model, point.gradient, point.theta, l1)
    moved = target - point.theta
    trial = problems.at(target, ids)

    curved = np.matmul(point.hessian, moved[:, :, None])[:, :, 0]
    predicted = np.einsum("bj,bj->b", l1, np.abs(point.theta) - np.abs(target)) - np.einsum(
        "bj,bj->b", moved, point.gradient + 0.5 * curved
    )
    noise = 1e-14 * (1.0 + np.abs(point.objective))
    fall = point.objective - trial.objective
    tiny = np.abs(fall) <= noise
    accepted = (fall >= -noise) & (convex | ~tiny)
    with np.errstate(divide="ignore", invalid="ignore"):
        quality = np.where(predicted > 0, fall / predicted, 0.0)
    quality = np.where(tiny, 1.0, np.clip(np.nan_to_num(quality), 0.0, 1.0))
    shrink = np.where(quality > 0.75, 0.1, np.maximum(1 / 3, 1 - (2 * quality - 1) ** 3))
    state.damping = np.where(
        accepted, np.maximum(state.damping * shrink, _DAMPING_MIN), state.damping * state.growth
    )
    state.growth = np.where(accepted, _DAMPING_GROWTH, np.minimum(state.growth * 2.0, _DAMPING_GROWTH_MAX))
    state.iterations += 1
    if not accepted.all():
        # a tenth of a rejected step costs one evaluation; a new step would cost a new model as well
        back = np.flatnonzero(~accepted)
        shorter = problems.at(point.theta[back] + 0.1 * moved[back], ids[back])
        falls = shorter.objective < point.objective[back]
        trial.put(back[falls], shorter.take(falls))
        stay = back[~falls]
        trial.put(stay, point.take(stay))
    after = _kkt(trial.theta, trial.gradient, l1)
    # no measurable fall and no smaller residual: the arithmetic has nothing left to give
    stuck = tiny & accepted & (after >= 0.5 * kkt)
    state.stalled = np.where(stuck, state.stalled + (state.damping < _DAMPING_STALL), 0)
    return trial


def _kkt(theta: Array, gradient: Array, l1: Array) -> Array:
    """Return the KKT residual of each problem, shape (B,)."""
    free = np.abs(gradient + l1 * np.sign(theta))
    residual = np.where(theta == 0, np.maximum(np.abs(gradient) - l1, 0.0), free)
    return np.asarray(residual.max(axis=1))


def _check(y: Array, starts: Array, weights: Array, l1: Array, *, n: int, p: int, batch: int) -> None:
    if y.shape[1] != n:
        raise SettingError(f"fit_exp_sum: y has shape {y.shape}, needs {n} finite numbers in a row.")
    shapes = {"weights": (weights, n), "starts": (starts, p), "l1": (l1, p), "y": (y, n)}
    for name, (array, width) in shapes.items():
        if array.shape[1] not in (width, 1) or batch % len(array):
            raise SettingError(
                f"fit_exp_sum: {name} has shape {array.shape}, needs ({batch} or a divisor of it, {width})."
            )
        if not np.isfinite(array).all():
            raise SettingError(f"fit_exp_sum: {name} holds NaN or infinity, needs finite numbers.")
    if (weights < 0).any() or (l1 < 0).any():
        raise SettingError("fit_exp_sum: a weight or penalty is negative, needs values in [0, inf).")
