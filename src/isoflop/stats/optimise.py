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
from isoflop.stats.exp_sum import MAX_EXPONENT, Array, ExpSumDesign, Link, Loss, Squared

CERTIFIED_KKT = 1e-8
TARGET_KKT = 1e-11
"""Iterations aim below the certificate: the last Newton step is nearly free."""
CHUNK = 512
"""Problems stepped together; larger batches leave the cache, smaller ones are all interpreter."""
_DAMPING_START, _DAMPING_MIN, _DAMPING_MAX = 1e-2, 1e-10, 1e12
_DAMPING_GROWTH = 4.0
_ACTIVE_SET_ROUNDS = 6
"""Solving the model further saves fewer evaluations of F than it costs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solutions:
    """Where each problem of a batch ended.

    Parameters
    ----------
    theta : array, shape (B, p)
    objective, kkt : arrays, shape (B,)
    iterations : int array, shape (B,)
    clipped : bool array, shape (B,)
        An exponent reached the clip; such a point is never certified.
    """

    theta: Array
    objective: Array
    kkt: Array
    iterations: NDArray[np.int64]
    clipped: NDArray[np.bool_]

    @property
    def certified(self) -> NDArray[np.bool_]:
        """Whether each point satisfies the KKT conditions to 1e-8."""
        return (self.kkt <= CERTIFIED_KKT) & ~self.clipped

    def best_of(self, groups: int) -> NDArray[np.int64]:
        """Return, for B = groups x starts problems in that order, the best certified one of each group.

        Where no start of a group is certified the index is -1.
        """
        score = np.where(self.certified, self.objective, np.inf).reshape(groups, -1)
        best = np.argmin(score, axis=1)
        found = np.isfinite(score[np.arange(groups), best])
        return np.where(found, np.arange(groups) * score.shape[1] + best, -1)


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
    y : array, shape (n,)
        Observations in the space of the link (log loss for the log link).
    starts : array, shape (B, p) or (p,)
    weights : array, shape (B, n) or (n,), >= 0, optional
        Row weights of each problem; default 1/n. They multiply the loss as they are.
    l1 : float or array, shape (p,) or (B, p), >= 0
        delta_j.
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
    batch = max(len(starts), len(weights), len(l1))
    _check(y, starts, weights, l1, n=n, p=p, batch=batch)

    solver = _Solver(design, y, weights.T, l1.T, loss or Squared(), link)
    return solver.run(np.broadcast_to(starts, (batch, p)).T, max_iterations, chunk)


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
    n, p = design.n, design.p
    w = np.full(n, 1.0 / n) if weights is None else np.asarray(weights, float)
    solver = _Solver(design, np.asarray(y, float), w[:, None], np.zeros((p, 1)), loss or Squared(), link)
    solver.admit(np.zeros(1, np.int64))
    gradient, hessian = solver.derivatives(solver.at(np.asarray(theta, float)[:, None]))
    return gradient[:, 0], hessian[:, :, 0]


@dataclass(slots=True)
class _Point:
    """Parameters of a batch with what was computed on the way to F. Shapes: (p, B), (n, B), (B,)."""

    theta: Array
    parts: list[Array]
    residual: Array
    objective: Array
    clipped: NDArray[np.bool_]

    def take(self, columns: NDArray[np.generic]) -> _Point:
        return _Point(
            self.theta[:, columns],
            [a[:, columns] for a in self.parts],
            self.residual[:, columns],
            self.objective[columns],
            self.clipped[columns],
        )

    def put(self, columns: NDArray[np.generic], other: _Point) -> None:
        self.theta[:, columns] = other.theta
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            mine[:, columns] = theirs
        self.residual[:, columns] = other.residual
        self.objective[columns] = other.objective
        self.clipped[columns] = other.clipped

    def join(self, other: _Point) -> _Point:
        return _Point(
            np.hstack([self.theta, other.theta]),
            [np.hstack(pair) for pair in zip(self.parts, other.parts, strict=True)],
            np.hstack([self.residual, other.residual]),
            np.concatenate([self.objective, other.objective]),
            np.concatenate([self.clipped, other.clipped]),
        )


class _Solver:
    """Steps a batch together, problems along the last axis so that array operations run along memory.

    Finished problems leave the batch and waiting ones join it, so it stays full: with a few
    columns left, the cost of a step would be all interpreter.
    """

    def __init__(
        self, design: ExpSumDesign, y: Array, weights: Array, l1: Array, loss: Loss, link: Link
    ) -> None:
        self.design, self.loss, self.link = design, loss, link
        self.y = y[:, None]
        self.all_weights, self.all_l1 = weights, l1

    def admit(self, problems: NDArray[np.int64]) -> None:
        """Gather weights and penalties of the problems in the batch."""
        one_w, one_l1 = self.all_weights.shape[1] == 1, self.all_l1.shape[1] == 1
        self.weights = np.ascontiguousarray(self.all_weights[:, problems * (not one_w)])
        l1 = self.all_l1[:, problems * (not one_l1)]
        self.l1 = np.ascontiguousarray(np.broadcast_to(l1, (self.design.p, len(problems))))

    def at(self, theta: Array, columns: NDArray[np.generic] | slice = slice(None)) -> _Point:
        """Evaluate F at `theta`, shape (p, B), for some columns of the batch."""
        weights, l1 = self.weights[:, columns], self.l1[:, columns]
        parts = [x @ theta for x in self.design.terms]
        clipped = np.zeros(theta.shape[1], bool)
        if self.link == "log":
            top = parts[0].copy()
            for exponent in parts[1:]:
                np.maximum(top, exponent, out=top)
        for exponent in parts:
            if self.link == "log":
                exponent -= top
            elif (over := exponent.max(axis=0) > MAX_EXPONENT).any():
                clipped |= over
                np.minimum(exponent, MAX_EXPONENT, out=exponent)
            np.exp(exponent, out=exponent)
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        if self.link == "log":
            for part in parts:
                part /= total
            np.log(total, out=total)
            total += top
        if self.design.linear is not None:
            total += self.design.linear @ theta
        total -= self.y
        objective = np.einsum("ib,ib->b", weights, self.loss.value(total))
        objective += np.einsum("jb,jb->b", l1, np.abs(theta))
        return _Point(theta, parts, total, objective, clipped)

    def derivatives(self, point: _Point) -> tuple[Array, Array]:
        """Return gradient (p, B) and Hessian (p, p, B) of the smooth part."""
        slope, curvature = self.loss.slopes(point.residual)
        slope = slope * self.weights
        curvature = curvature * self.weights
        if self.link == "log":
            curvature = curvature - slope  # the softmax adds -a_k a_m to the second derivative
        shares, last = point.parts, len(point.parts)
        sloped = [slope * a for a in shares]
        gradient = sum(x.T @ s for x, s in zip(self.design.terms, sloped, strict=True))
        if self.design.linear is not None:
            gradient = gradient + self.design.linear.T @ slope
            # the linear block has no second derivative of its own under either link
            plain = curvature + slope if self.link == "log" else curvature
        curved = [curvature * a for a in shares]
        hessian: Array | float = 0.0
        for k, m, columns, scatter in self.design.products:
            if k == last:
                weight = plain
            elif m == last:
                weight = plain * shares[k]
            else:
                weight = curved[k] * shares[m]
                if k == m:
                    weight += sloped[k]
            hessian = hessian + scatter @ (columns @ weight)
        p, size = point.theta.shape
        return np.asarray(gradient), np.asarray(hessian).reshape(p, p, size)

    def run(self, starts: Array, max_iterations: int, chunk: int) -> Solutions:
        """Solve every problem; `starts` has shape (p, B)."""
        p, size = starts.shape
        out = Solutions(
            theta=np.empty((size, p)),
            objective=np.empty(size),
            kkt=np.empty(size),
            iterations=np.zeros(size, np.int64),
            clipped=np.zeros(size, bool),
        )
        diagonal = np.arange(p)
        waiting = min(chunk, size)
        ids = np.arange(waiting)
        self.admit(ids)
        point = self.at(starts[:, ids].copy())
        gradient, hessian = self.derivatives(point)
        damping, growth = np.full(waiting, _DAMPING_START), np.full(waiting, _DAMPING_GROWTH)
        stalled, iterations = np.zeros(waiting, np.int64), np.zeros(waiting, np.int64)
        kkt = _kkt(point.theta, gradient, self.l1)
        while True:
            done = (
                (kkt <= TARGET_KKT)
                | (damping > _DAMPING_MAX)
                | (stalled > 2)
                | (iterations >= max_iterations)
            )
            if done.any():
                ended = ids[done]
                out.theta[ended] = point.theta[:, done].T
                out.objective[ended], out.kkt[ended] = point.objective[done], kkt[done]
                out.iterations[ended], out.clipped[ended] = iterations[done], point.clipped[done]
                go = np.flatnonzero(~done)
                fresh = np.arange(waiting, min(waiting + chunk - len(go), size))
                if len(go) > chunk // 2 and len(fresh):
                    fresh = fresh[:0]  # joining costs a copy of the batch, so wait until it is half empty
                waiting += len(fresh)
                if not len(go) and not len(fresh):
                    return out
                ids = np.concatenate([ids[go], fresh])
                self.admit(ids)
                damping = np.concatenate([damping[go], np.full(len(fresh), _DAMPING_START)])
                growth = np.concatenate([growth[go], np.full(len(fresh), _DAMPING_GROWTH)])
                stalled = np.concatenate([stalled[go], np.zeros(len(fresh), np.int64)])
                iterations = np.concatenate([iterations[go], np.zeros(len(fresh), np.int64)])
                point = point.take(go)
                if len(fresh):
                    joined = np.arange(len(go), len(ids))
                    point = point.join(self.at(starts[:, fresh].copy(), joined))
                    gradient, hessian = self.derivatives(point)
                    kkt = _kkt(point.theta, gradient, self.l1)
                else:
                    gradient, hessian, kkt = gradient[:, go], hessian[:, :, go], kkt[go]
                continue
            iterations += 1

            scale = np.abs(hessian[diagonal, diagonal])
            scale = np.maximum(scale, 1e-9 * scale.max(axis=0) + 1e-300)
            model = np.ascontiguousarray(hessian.transpose(2, 0, 1))
            model[:, diagonal, diagonal] += (damping * scale).T
            target, convex = _proximal_step(model, gradient.T, point.theta.T, self.l1.T)
            moved = target.T - point.theta
            trial = self.at(point.theta + moved)
            predicted = (
                np.einsum("jb,jb->b", self.l1, np.abs(point.theta) - np.abs(trial.theta))
                - np.einsum("jb,jb->b", moved, gradient)
                - 0.5 * np.einsum("jb,jb->b", moved, np.einsum("jlb,lb->jb", hessian, moved))
            )
            noise = 1e-14 * (1.0 + np.abs(point.objective))
            fall = point.objective - trial.objective
            tiny = np.abs(fall) <= noise
            accepted = (fall >= -noise) & (convex | ~tiny)
            with np.errstate(divide="ignore", invalid="ignore"):
                quality = np.where(predicted > 0, fall / predicted, 0.0)
            quality = np.where(tiny, 1.0, np.clip(np.nan_to_num(quality), 0.0, 1.0))
            shrink = np.where(quality > 0.75, 0.1, np.maximum(1 / 3, 1 - (2 * quality - 1) ** 3))
            damping = np.where(accepted, np.maximum(damping * shrink, _DAMPING_MIN), damping * growth)
            growth = np.where(accepted, _DAMPING_GROWTH, np.minimum(growth * 2.0, 32.0))
            if not accepted.all():
                self._shorten(point, trial, moved, accepted)
            point = trial
            gradient, hessian = self.derivatives(point)
            after = _kkt(point.theta, gradient, self.l1)
            # no measurable fall and no smaller residual: the arithmetic has nothing left to give
            stalled = np.where(tiny & accepted & (after >= 0.5 * kkt), stalled + (damping < 1e-3), 0)
            kkt = after

    def _shorten(self, point: _Point, trial: _Point, moved: Array, accepted: NDArray[np.bool_]) -> None:
        """Replace rejected trials by a tenth of their step if F falls there, else by the old point.

        Trying costs one evaluation; a new step would cost a new model as well.
        """
        back = np.flatnonzero(~accepted)
        shorter = self.at(point.theta[:, back] + 0.1 * moved[:, back], back)
        falls = shorter.objective < point.objective[back]
        trial.put(back[falls], shorter.take(falls))
        stay = back[~falls]
        trial.put(stay, point.take(stay))


def _kkt(theta: Array, gradient: Array, l1: Array) -> Array:
    """Return the KKT residual of each problem, shape (B,)."""
    free = np.abs(gradient + l1 * np.sign(theta))
    return np.where(theta == 0, np.maximum(np.abs(gradient) - l1, 0.0), free).max(axis=0)


def _proximal_step(model: Array, gradient: Array, theta: Array, l1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Lower the penalised quadratic model around `theta`.

    Returns the new point, shape (B, p), and whether the model looked convex on the way, (B,).

    Active set: solve for the coordinates that are not zero, walk until the first of them
    reaches zero and pin it there; when none does, release the zero coordinate whose gradient
    exceeds its penalty most; stop when there is none, or after a few rounds: every round
    lowers the model, and none costs an evaluation of F. Shapes: model (B, p, p), else (B, p).
    """
    p = theta.shape[1]
    diagonal = np.arange(p)
    x, slope = theta.copy(), gradient.copy()  # slope: gradient of the quadratic at x
    penalised = l1 > 0
    sign = np.where(penalised, np.sign(theta), 1.0)
    out, convex = np.empty_like(theta), np.ones(len(theta), bool)
    where = np.arange(len(theta))
    for _ in range(_ACTIVE_SET_ROUNDS):
        active = sign != 0
        system = model * (active[:, :, None] & active[:, None, :])
        system[:, diagonal, diagonal] += ~active
        push = np.where(active, -(slope + np.where(penalised, l1 * sign, 0.0)), 0.0)
        step = np.linalg.solve(system, push[:, :, None])[:, :, 0]
        uphill = ~(np.einsum("bj,bj->b", step, push) >= 0)
        step[uphill] = 0.0  # the model is not convex here: stop, and let the damping grow
        uphill &= np.abs(push).max(axis=1) > TARGET_KKT
        convex[where[uphill]] = False
        crosses = penalised & active & ((x + step) * sign < 0)
        columns = np.arange(len(where))
        stops = crosses.any(axis=1)
        if stops.any():
            until = np.where(crosses, np.abs(x) / np.maximum(np.abs(step), 1e-300), np.inf)
            first = until.argmin(axis=1)
            step *= np.where(stops, until[columns, first], 1.0)[:, None]
            x += step
            x[columns[stops], first[stops]] = 0.0
            sign[columns[stops], first[stops]] = 0.0
        else:
            x += step
        slope += np.matmul(model, step[:, :, None])[:, :, 0]
        excess = np.where(active, 0.0, np.abs(slope) - l1)
        release = excess.argmax(axis=1)
        releases = ~stops & ~uphill & (excess[columns, release] > 1e-12)
        freed = release[releases]
        sign[columns[releases], freed] = -np.sign(slope[columns[releases], freed])
        done = ~stops & ~releases
        if done.any():
            out[where[done]] = x[done]
            go = ~done
            where, x, slope, sign = where[go], x[go], slope[go], sign[go]
            if not len(where):
                return out, convex
            model, l1, penalised = model[go], l1[go], penalised[go]
    out[where] = x
    return out, convex


def _check(y: Array, starts: Array, weights: Array, l1: Array, *, n: int, p: int, batch: int) -> None:
    shapes = {"weights": (weights, n), "starts": (starts, p), "l1": (l1, p)}
    for name, (array, width) in shapes.items():
        if array.shape[1] not in (width, 1) or len(array) not in (1, batch):
            raise SettingError(f"fit_exp_sum: {name} has shape {array.shape}, needs (1 or {batch}, {width}).")
        if not np.isfinite(array).all():
            raise SettingError(f"fit_exp_sum: {name} holds NaN or infinity, needs finite numbers.")
    if y.shape != (n,) or not np.isfinite(y).all():
        raise SettingError(f"fit_exp_sum: y has shape {y.shape}, needs {n} finite numbers.")
    if (weights < 0).any() or (l1 < 0).any():
        raise SettingError("fit_exp_sum: a weight or penalty is negative, needs values in [0, inf).")
