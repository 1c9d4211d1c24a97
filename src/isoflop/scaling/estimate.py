"""Arrays to arrays: certified minima of a law on one sample, and refits of many replicates.

A law that is a sum of powers goes to the fast engine (`isoflop.stats.optimise`), any other to the
general one (`isoflop.stats.newton`). Both work on inputs measured from their means, which takes the
collinearity of ln A and alpha away; answers come back in the law's own coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.scaling.model import Array, Law
from isoflop.scaling.settings import LAD, Gaussian, Objective, loss_of, scales_itself
from isoflop.stats.exp_sum import ExpSumDesign, Huber, Loss, SmoothAbsolute
from isoflop.stats.jets import Expansion
from isoflop.stats.least_absolute import to_vertex
from isoflop.stats.multistart import Minimum, distinct_minima
from isoflop.stats.newton import Model, fit_model
from isoflop.stats.optimise import fit_exp_sum
from isoflop.stats.solutions import Solutions

SCREENED_TO, POLISHED = 600, 32
"""Of many starts, how many take a few steps, and how many of these run to the end."""
FEW_STEPS = 8
WIDE, NARROWING = 0.1, (0.02, 0.005, 0.002)
"""Widths of a Huber loss on the way to a narrow one: far from the optimum nearly least absolute loss
has hardly any curvature, and Newton steps are short."""
LAD_WIDTHS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
LAD_GAP = 1e-6
SCALE_PASSES = 8
SCALE_SETTLED = 1e-6
SAME = 1e-8
"""Objectives this near the best count as the same optimum."""
_FLAT = -1e-7


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A law on one sample, ready for the engine.

    Parameters
    ----------
    law : Law
    u : array, shape (k, n)
        ln of the law's inputs.
    log_y : array, shape (n,)
    weights : array, shape (n,), >= 0
    objective : Objective
    loss : Loss
        The engine's loss; for `LAD` a narrow smoothed one.
    """

    law: Law
    u: Array
    log_y: Array
    weights: Array
    objective: Objective
    loss: Loss

    @property
    def is_raw(self) -> bool:
        """Whether residuals are of the outcome itself, not of its logarithm."""
        return isinstance(self.objective, Gaussian) and self.objective.space == "raw"

    @cached_property
    def y(self) -> Array:
        """Observations in the space of the residuals, shape (n,)."""
        return np.exp(self.log_y) if self.is_raw else self.log_y

    @cached_property
    def means(self) -> Array:
        """Means of the inputs, shape (k,)."""
        return self.law.middle(self.u)

    @cached_property
    def centred(self) -> Array:
        """Inputs measured from their means, shape (k, n)."""
        return self.u - self.means[:, None]

    @cached_property
    def _map(self) -> tuple[Array, Array]:
        """T and t with theta = T theta_c + t."""
        return self.law.centre(self.means)

    @cached_property
    def design(self) -> ExpSumDesign | None:
        """The design of a sum of powers in centred inputs; None for any other law."""
        return None if self.law.sum_of_powers is None else self.law.sum_of_powers(self.centred)

    @property
    def turn(self) -> Array:
        """d theta / d theta_c, shape (p, p)."""
        return self._map[0]

    def inner(self, theta: Array) -> Array:
        """Return centred coordinates, shape (..., p), of the law's own."""
        turn, shift = self._map
        return np.asarray(np.linalg.solve(turn, (np.asarray(theta, float) - shift).T).T)

    def outer(self, inner: Array) -> Array:
        """Return the law's own coordinates, shape (..., p), of centred ones."""
        turn, shift = self._map
        return np.asarray(inner @ turn.T + shift)

    def predict(self, theta: Array) -> Array:
        """Return predictions in the space of the residuals, shape (..., n)."""
        theta = np.asarray(theta, float)
        log_y = self.law.log_predict(np.atleast_2d(theta), self.u).reshape(*theta.shape[:-1], -1)
        return np.asarray(np.exp(log_y) if self.is_raw else log_y)

    def values(self, theta: Array, weights: Array | None = None) -> Array:
        """Return the objective of parameters, shape (B, p) -> (B,), in pieces that stay in cache."""
        w = self.weights if weights is None else weights
        out = np.empty(len(theta))
        for begin in range(0, len(theta), 256):
            block = slice(begin, begin + 256)
            rho = self._rho(self.predict(theta[block]) - self.y)
            out[block] = rho @ w if w.ndim == 1 else np.einsum("bi,bi->b", rho, w[block])
        return out

    def _rho(self, residual: Array) -> Array:
        return np.abs(residual) if isinstance(self.objective, LAD) else self.loss.value(residual)

    def solve(
        self,
        starts: Array,
        weights: Array | None = None,
        *,
        y: Array | None = None,
        loss: Loss | None = None,
        max_iterations: int = 300,
    ) -> Solutions:
        """Run the engine from every start, shape (B, p), for every row of weights or observations.

        Parameters
        ----------
        weights : array, shape (R, n), optional
        y : array, shape (R, n), optional
            Observations in the space of the residuals.
        """
        w = self.weights if weights is None else weights
        observed = self.y if y is None else y
        inner = self.inner(np.atleast_2d(starts))
        rows = max(len(np.atleast_2d(w)), len(np.atleast_2d(observed)))
        batch = max(len(inner), rows)
        inner = np.broadcast_to(inner, (batch, inner.shape[1])) if len(inner) == 1 else inner
        if self.design is not None:
            found = fit_exp_sum(
                self.design,
                observed,
                starts=inner,
                weights=w,
                loss=loss or self.loss,
                link="identity" if self.is_raw else "log",
                max_iterations=max_iterations,
            )
        else:
            found = fit_model(
                self._model(),
                observed,
                starts=inner.reshape(rows, -1, inner.shape[1]),
                weights=w,
                loss=loss or self.loss,
                max_iterations=max_iterations,
            )
        return replace(found, theta=self.outer(found.theta))

    def _model(self) -> Model:
        """Return the model in centred coordinates, for the general engine."""
        log_model = self.law.model(self.centred)

        def raw_model(theta: Array, rows: NDArray[np.int64], order: int) -> Expansion:
            found = log_model(theta, rows, order)
            y = np.exp(found.value)
            first, contract = found.jacobian, found.contract
            if first is None or contract is None:
                return Expansion(value=y, jacobian=None if first is None else y[:, None] * first)

            def bent(weights: Array) -> Array:
                pull = weights * y
                return np.asarray(contract(pull) + np.einsum("bjn,bn,bkn->bjk", first, pull, first))

            return Expansion(value=y, jacobian=y[:, None] * first, contract=bent)

        return raw_model if self.is_raw else log_model

    def gradient_and_hessian(self, theta: Array) -> tuple[Array, Array]:
        """Return gradient (p,) and Hessian (p, p) in centred coordinates at `theta`, shape (p,)."""
        found = self._model()(self.inner(theta)[None], np.zeros(1, np.int64), 2)
        assert found.jacobian is not None
        assert found.contract is not None
        slope, curvature = self.loss.slopes(found.value[0] - self.y)
        slope, first = slope * self.weights, found.jacobian[0]
        hessian = (first * (curvature * self.weights)) @ first.T + found.contract(slope[None])[0]
        return first @ slope, hessian

    def jacobian(self, theta: Array) -> Array:
        """Return d prediction / d theta in the law's own coordinates, shape (n, p)."""
        log_y, first = self.law.gradient(np.asarray(theta, float)[None], self.u)
        return np.asarray(np.exp(log_y[0])[:, None] * first[0] if self.is_raw else first[0])


def problem(
    law: Law, u: Array, log_y: Array, *, objective: Objective, weights: Array | None = None
) -> Problem:
    """Return a problem; the rows must let the parameters be told apart.

    Raises
    ------
    EvidenceError
        Too few distinct inputs, or inputs on a ray.
    """
    law.check(u)
    return Problem(
        law=law,
        u=u,
        log_y=log_y,
        weights=np.ones(len(log_y)) if weights is None else np.asarray(weights, float),
        objective=objective,
        loss=loss_of(objective) or SmoothAbsolute(LAD_WIDTHS[-1]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Minima of one problem, and how they were found.

    Parameters
    ----------
    problem : Problem
        With the loss that was used in the end.
    minima : tuple of Minimum
        Best first; in the law's own coordinates.
    tried, polished : int
        Starts looked at, and run to the end.
    share_at_best : float
        Of the polished, within 1e-8 of the best.
    iterations : int
        Most iterations that a polished start took.
    """

    problem: Problem
    minima: tuple[Minimum, ...]
    tried: int
    polished: int
    share_at_best: float
    iterations: int

    @property
    def best(self) -> Minimum:
        """The lowest certified minimum."""
        return self.minima[0]


def find(one: Problem, starts: Array | None = None) -> Found:
    """Return every certified minimum that the starts lead to, best first.

    Raises
    ------
    NoFitError
        No start ended at a certified minimum.
    """
    points = one.law.starts(one.u, one.log_y) if starts is None else np.atleast_2d(starts)
    if isinstance(one.objective, LAD):
        return _find_least_absolute(one, points)
    found = _descend(one, points)
    if not scales_itself(one.objective):
        return found
    width = np.inf
    for _ in range(SCALE_PASSES):
        residual = one.predict(found.best.theta) - one.y
        loss = loss_of(one.objective, residual)
        assert loss is not None
        one = replace(one, loss=loss)
        again = _descend(one, np.array([m.theta for m in found.minima]))
        found = replace(again, tried=found.tried, polished=found.polished)
        new = float(np.median(np.abs(residual)))
        if abs(new - width) <= SCALE_SETTLED * new:
            break
        width = new
    return found


def screened(one: Problem, points: Array, *, keep: int = POLISHED) -> Array:
    """Return the most promising of many starts after a few steps, shape (at most `keep`, p)."""
    if len(points) <= keep:
        return points
    value = one.values(points)
    order = np.argsort(np.where(np.isfinite(value), value, np.inf), kind="stable")[:SCREENED_TO]
    stepped = one.solve(points[order], loss=_wider(one, WIDE), max_iterations=FEW_STEPS)
    usable = np.where(np.isfinite(stepped.objective), stepped.objective, np.inf)
    return stepped.theta[np.argsort(usable, kind="stable")[:keep]]


def _wider(one: Problem, width: float) -> Loss:
    """Return a Huber loss of this width where the problem's is narrower, else the problem's own."""
    narrow = isinstance(one.loss, Huber) and one.loss.delta < width
    return Huber(width) if narrow else one.loss


def _descend(one: Problem, points: Array) -> Found:
    starts = screened(one, points)
    for width in NARROWING:
        wider = _wider(one, width)
        if wider is not one.loss:
            starts = one.solve(starts, loss=wider, max_iterations=FEW_STEPS).theta
    ends = one.solve(starts)
    minima = distinct_minima(
        one.predict(ends.theta),
        ends.theta,
        ends.objective,
        ends.kkt,
        ends.certified,
        lambda theta: _is_minimum(one, theta),
    )
    near = ends.certified & (ends.objective - minima[0].objective <= SAME * (1 + abs(minima[0].objective)))
    return Found(
        problem=one,
        minima=minima,
        tried=len(points),
        polished=len(ends.objective),
        share_at_best=float(near.mean()),
        iterations=int(ends.iterations.max()),
    )


def _is_minimum(one: Problem, theta: Array) -> bool:
    _, hessian = one.gradient_and_hessian(theta)
    curvature = np.linalg.eigvalsh(hessian)
    return bool(curvature[0] >= _FLAT * max(1.0, abs(curvature[-1])))


def _find_least_absolute(one: Problem, points: Array) -> Found:
    """Smooth less and less, then move to the vertex; the multipliers are the certificate."""
    theta = screened(replace(one, loss=SmoothAbsolute(1e-2)), points)
    ends = None
    for width in LAD_WIDTHS:
        ends = one.solve(theta, loss=SmoothAbsolute(width))
        theta = ends.theta
    assert ends is not None
    vertices = [to_vertex(one.predict, one.jacobian, one.y, point, one.weights) for point in theta]
    objective = np.array([v.objective for v in vertices])
    gap = np.array([v.gap for v in vertices])
    ok = gap <= LAD_GAP
    if not ok.any():
        raise NoFitError(
            f"fit: no least-absolute fit of {len(theta)} starts is certified (least gap {gap.min():.1e}, "
            f"needs {LAD_GAP:g}). Use Huber(delta=1e-3), or add starts."
        )
    ends_at = np.array([v.theta for v in vertices])
    minima = distinct_minima(one.predict(ends_at), ends_at, objective, gap, ok, lambda _: True)
    near = ok & (objective - minima[0].objective <= SAME * (1 + minima[0].objective))
    return Found(
        problem=one,
        minima=minima,
        tried=len(points),
        polished=len(theta),
        share_at_best=float(near.mean()),
        iterations=int(ends.iterations.max()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refits:
    """Best solution of each replicate.

    Parameters
    ----------
    theta : array, shape (R, p)
        NaN where no start ended at a certified point.
    objective : array, shape (R,)
    certified : bool array, shape (R,)
    """

    theta: Array
    objective: Array
    certified: NDArray[np.bool_]


def refit(one: Problem, weights: Array, starts: Array, *, y: Array | None = None) -> Refits:
    """Refit every replicate from the same starts and keep the best certified solution.

    Parameters
    ----------
    weights : array, shape (R, n) or (n,)
        Rows of weights; only their proportions matter for where the minimum lies.
    starts : array, shape (S, p)
    y : array, shape (R, n), optional
        Observations of each replicate in the space of the residuals.
    """
    starts = np.atleast_2d(starts)
    weights = np.atleast_2d(weights)
    reps = len(weights) if y is None else len(y)
    many = np.tile(starts, (reps, 1))
    if isinstance(one.objective, LAD):
        ends = one.solve(many, weights, y=y, loss=SmoothAbsolute(LAD_WIDTHS[0]))
        for width in LAD_WIDTHS[1:]:
            ends = one.solve(ends.theta, weights, y=y, loss=SmoothAbsolute(width))
    else:
        ends = one.solve(many, weights, y=y)
    best = ends.best_of(reps)
    some = best >= 0
    theta = np.where(some[:, None], ends.theta[best], np.nan)
    return Refits(theta=theta, objective=np.where(some, ends.objective[best], np.nan), certified=some)


def uncertified(one: Problem, starts: Array | None = None) -> Found:
    """Return the lowest point that the starts lead to, certified or not."""
    points = one.law.starts(one.u, one.log_y) if starts is None else np.atleast_2d(starts)
    ends = one.solve(screened(one, points))
    order = np.where(np.isfinite(ends.objective), ends.objective, np.inf)
    best = int(np.argmin(order))
    lowest = Minimum(
        theta=ends.theta[best],
        objective=float(ends.objective[best]),
        kkt=float(ends.kkt[best]),
        share_of_starts=1 / len(points),
        first_start=best,
    )
    return Found(
        problem=one,
        minima=(lowest,),
        tried=len(points),
        polished=len(ends.objective),
        share_at_best=1 / len(ends.objective),
        iterations=int(ends.iterations.max()),
    )
