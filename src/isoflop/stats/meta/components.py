"""The likelihood of two variance components, and its certified maximum.

Effects y ~ N(X b, V) with V = diag(v) + s I + c ZZ', s the variance between studies and c the
variance between the clusters that Z assigns them to. V is a diagonal plus rank one per cluster, so
every quantity below costs a few sums over rows. With P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1::

    2 log L_ML   = -k ln 2pi - log|V| - y'P y
    2 log L_REML = -(k-p) ln 2pi + log|X'X| - log|V| - log|X'V^-1 X| - y'P y

Columns of X are made orthonormal first: moderators far from 0, such as years, cost no digits then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.errors import NoFitError
from isoflop.stats.checks import BoolArray, FloatArray
from isoflop.stats.meta.effects import Effects

Likelihood = Literal["ML", "REML"]

PER_DECADE = 3
"""Variances tried first, from a tenth of the least v to ten times the residual variance of y: a factor
of two apart, finer than the dips of a likelihood that sees variances through v + s."""
MOST_DECADES = 8
POLISHED = 3
MAX_STEPS = 200
STEP_TOLERANCE = 1e-12
"""Of a Newton step, relative to the residual variance; the step after it is at rounding."""
DECREMENT_TOLERANCE = 1e-14
"""Largest rise of log L that another Newton step promises at a maximum: 1e-7 standard errors away."""
ROUNDING = 1e-11
"""Of log L, per study: a step that lowers it by less is taken, since slopes are exact for longer."""
BASIN_SLACK = 1.0
"""Another maximum lower by less than this in log L is nearly as likely, and is reported."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """A maximum of the likelihood.

    Parameters
    ----------
    study, cluster : float, >= 0
        The two variances.
    log_likelihood : float
    study_se : float or None
        From the expected information; None if there is a cluster variance too.
    second : tuple of float, or None
        (study, cluster) of another maximum that is nearly as high.
    """

    study: float
    cluster: float
    log_likelihood: float
    study_se: float | None
    second: tuple[float, float] | None


class ComponentModel:
    """Effects prepared for many evaluations: rows sorted by cluster, an orthonormal design."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        order = np.arange(effects.k) if effects.codes is None else np.argsort(effects.codes, kind="stable")
        self.order = order
        self.basis, self.triangle = np.linalg.qr(effects.design[order])
        y = effects.y[order]
        self.mean = self.basis.T @ y
        # Rounding in y'Py is then relative to the residuals, not to y.
        self.rest = y - self.basis @ self.mean
        self.v = effects.v[order]
        self.k, self.p = effects.k, effects.p
        codes = np.arange(effects.k) if effects.codes is None else effects.codes[order]
        self.starts = np.flatnonzero(np.concatenate([[True], np.diff(codes) > 0]))
        self.index = codes
        spread = float(self.rest @ self.rest) / max(self.k - self.p, 1)
        self.scale = max(spread, float(np.median(self.v)) * 1e-3)
        top = 10 * self.scale
        decades = min(max(math.log10(top / (0.1 * float(self.v.min()))), 1.0), MOST_DECADES)
        rising = top * np.logspace(-decades, 0, math.ceil(PER_DECADE * decades) + 1)
        self.grid = np.concatenate([[0.0], rising])

    def sums(self, rows: FloatArray, axis: int = 0) -> FloatArray:
        """Return sums over the rows of each cluster."""
        return np.asarray(np.add.reduceat(rows, self.starts, axis=axis))

    def at(self, study: float, cluster: float, likelihood: Likelihood = "REML") -> Point:
        """Return everything known at one pair of variances."""
        return Point(self, study, cluster, likelihood)

    def log_likelihood(self, study: FloatArray, cluster: FloatArray, likelihood: Likelihood) -> FloatArray:
        """Return log L of many pairs at once, shape (g,)."""
        gram, log_det = self._gram(study, cluster)
        inner = gram[:, : self.p, : self.p]
        cross = gram[:, : self.p, self.p]
        solved = np.linalg.solve(inner, cross[:, :, None])[:, :, 0]
        quadratic = gram[:, self.p, self.p] - np.einsum("gi,gi->g", cross, solved)
        if likelihood == "ML":
            return np.asarray(-0.5 * (self.k * math.log(2 * math.pi) + log_det + quadratic))
        log_det = log_det + np.linalg.slogdet(inner)[1]
        return np.asarray(-0.5 * ((self.k - self.p) * math.log(2 * math.pi) + log_det + quadratic))

    def maximise(
        self,
        likelihood: Likelihood,
        *,
        has_cluster: bool,
        study: float | None = None,
        cluster: float | None = None,
    ) -> Components:
        """Return the highest maximum over the variances that are not given.

        Parameters
        ----------
        likelihood : "ML" or "REML"
        has_cluster : bool
            If not, the variance between clusters is 0.
        study, cluster : float or None
            Held at this value; None is free.

        Raises
        ------
        NoFitError
            No point passed the check of its slopes.
        """
        cluster = cluster if has_cluster else 0.0
        held = (study, cluster)
        free = np.array([study is None, cluster is None])
        found = [self._climb(start, free, likelihood) for start in self._starts(likelihood, held)]
        found.sort(key=lambda point: -point.log_likelihood)
        best = found[0]
        second = next((point for point in found[1:] if self._is_rival(point, best)), None)
        return Components(
            study=best.study,
            cluster=best.cluster,
            log_likelihood=best.log_likelihood,
            study_se=best.study_se() if free[0] and not has_cluster else None,
            second=None if second is None else (second.study, second.cluster),
        )

    def _gram(self, study: FloatArray, cluster: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return [X y]' V^-1 [X y] in the orthonormal basis, and log|V|, for g pairs."""
        both = np.column_stack([self.basis, self.rest])
        variance = self.v + study[:, None]
        weight = 1.0 / variance
        gram = (weight[:, None, :] * both.T) @ both
        log_det = np.log(variance).sum(axis=1)
        if np.any(cluster > 0):
            totals = self.sums(weight, axis=1)
            gain = cluster[:, None] / (1.0 + cluster[:, None] * totals)
            means = self.sums(weight[:, :, None] * both, axis=1)
            gram = gram - np.swapaxes(means * gain[:, :, None], 1, 2) @ means
            log_det = log_det + np.log1p(cluster[:, None] * totals).sum(axis=1)
        return gram, log_det

    def _starts(
        self, likelihood: Likelihood, held: tuple[float | None, float | None]
    ) -> list[tuple[float, float]]:
        """Return the highest local maxima of a grid."""
        axes = [self.grid if value is None else np.array([value]) for value in held]
        study, cluster = np.meshgrid(axes[0], axes[1], indexing="ij")
        heights = self.log_likelihood(study.ravel(), cluster.ravel(), likelihood).reshape(study.shape)
        padded = np.pad(heights, 1, constant_values=-np.inf)
        beside = np.stack(
            [
                padded[1 + i : padded.shape[0] - 1 + i, 1 + j : padded.shape[1] - 1 + j]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
                if i or j
            ]
        )
        peaks = np.flatnonzero((heights >= beside.max(axis=0)).ravel())
        best = peaks[np.argsort(-heights.ravel()[peaks], kind="stable")][:POLISHED]
        return [(float(study.ravel()[i]), float(cluster.ravel()[i])) for i in best]

    def _is_rival(self, point: Point, best: Point) -> bool:
        apart = abs(point.study - best.study) + abs(point.cluster - best.cluster)
        return bool(apart > 1e-6 * self.scale and best.log_likelihood - point.log_likelihood < BASIN_SLACK)

    def _climb(self, start: tuple[float, float], free: BoolArray, likelihood: Likelihood) -> Point:
        """Return a maximum by Newton steps that never leave the quadrant of variances >= 0."""
        point = self.at(start[0], start[1], likelihood)
        for _ in range(MAX_STEPS):
            step = point.newton_step(free)
            if np.abs(step).max() <= STEP_TOLERANCE * self.scale:
                break
            onward = self._line_search(point, step, likelihood)
            if onward is None:
                break
            point = onward
        if float(point.score @ point.newton_step(free)) > DECREMENT_TOLERANCE:
            raise NoFitError(
                f"pool: {likelihood} stopped at variances {point.study:.3g} and {point.cluster:.3g}, which "
                "are no maximum. Check the units of y and v, or use tau2='DL'."
            )
        return point

    def _line_search(self, point: Point, step: FloatArray, likelihood: Likelihood) -> Point | None:
        here = np.array([point.study, point.cluster])
        slack = ROUNDING * (abs(point.log_likelihood) + self.k)
        share = 1.0
        while share > 1e-6:
            there = np.maximum(here + share * step, 0.0)
            onward = self.at(float(there[0]), float(there[1]), likelihood)
            if onward.log_likelihood >= point.log_likelihood - slack:
                return onward
            share /= 2
        return None


class Point:
    """Value, slopes and curvature of log L at one pair of variances.

    With e = P y and the cluster sums E = Z'e, the score is (e'e - tr P, E'E - tr Z'PZ) / 2, and the
    observed information e'Pe - tr PP / 2 and so on; under ML the traces take V^-1 for P.
    """

    def __init__(self, model: ComponentModel, study: float, cluster: float, likelihood: Likelihood) -> None:
        self.model, self.study, self.cluster = model, study, cluster
        self.reml = likelihood == "REML"
        weight = 1.0 / (model.v + study)
        totals = model.sums(weight)
        self.weight = weight
        self.gain = cluster / (1.0 + cluster * totals)
        self.totals = totals
        basis = self.solve(model.basis)
        self.solved_basis = basis
        self.inner = np.linalg.inv(model.basis.T @ basis)
        solved = self.solve(model.rest)
        self.shift = self.inner @ (model.basis.T @ solved)
        self.error = solved - basis @ self.shift
        quadratic = float(model.rest @ self.error)
        log_det = float(np.log1p(cluster * totals).sum()) - float(np.log(weight).sum())
        degrees = model.k
        if self.reml:
            degrees -= model.p
            log_det -= float(np.linalg.slogdet(self.inner)[1])
        self.log_likelihood = -0.5 * (degrees * math.log(2 * math.pi) + log_det + quadratic)
        self.quadratic = quadratic
        self._differentiate()

    def solve(self, rows: FloatArray) -> FloatArray:
        """Return V^-1 times a vector or matrix of rows."""
        weighted = self.weight * rows if rows.ndim == 1 else self.weight[:, None] * rows
        if self.cluster == 0.0:
            return np.asarray(weighted)
        sums = self.model.sums(weighted)
        spread = (self.gain * sums if rows.ndim == 1 else self.gain[:, None] * sums)[self.model.index]
        return np.asarray(weighted - (self.weight * spread.T).T)

    def is_pressed(self) -> BoolArray:
        """Return which variances are 0 and would be negative if they could."""
        return np.asarray((np.array([self.study, self.cluster]) <= 0.0) & (self.score <= 0.0))

    def newton_step(self, free: BoolArray) -> FloatArray:
        """Return a step uphill in the free variances, 0 in the others.

        Newton's where the observed information is positive definite, else Fisher's: the expected
        information always is.
        """
        moving = np.flatnonzero(free & ~self.is_pressed())
        step = np.zeros(2)
        if moving.size:
            block = np.ix_(moving, moving)
            information = self.observed[block]
            if np.linalg.eigvalsh(information)[0] <= 1e-8 * np.abs(self.expected[block]).max():
                information = self.expected[block]
            step[moving] = np.linalg.lstsq(information, self.score[moving], rcond=None)[0]
        return step

    def study_se(self) -> float:
        """Return the standard error of the variance between studies, the only component."""
        return 1.0 / math.sqrt(float(self.expected[0, 0]))

    def _differentiate(self) -> None:
        model, weight, gain, totals = self.model, self.weight, self.gain, self.totals
        basis, inner = self.solved_basis, self.inner
        squares, cubes = model.sums(weight**2), model.sums(weight**3)
        shrunk = totals / (1.0 + self.cluster * totals)
        along = weight / (1.0 + self.cluster * totals)[model.index]
        trace = float(weight.sum() - gain @ squares)
        trace_z = float(shrunk.sum())
        trace_ss = float((weight**2).sum() - 2 * gain @ cubes + gain**2 @ squares**2)
        trace_sc = float((along**2).sum())
        trace_cc = float((shrunk**2).sum())
        by_cluster = model.sums(basis)
        square = basis.T @ basis
        if self.reml:
            left = inner @ square
            left_z = inner @ (by_cluster.T @ by_cluster)
            crossed = model.sums(along[:, None] * basis)
            trace_ss += float(np.sum(left * left.T) - 2 * np.sum(inner * (basis.T @ self.solve(basis))))
            trace_sc += float(np.sum(left_z * left.T) - 2 * np.sum((crossed @ inner) * by_cluster))
            trace_cc += float(
                np.sum(left_z * left_z.T) - 2 * shrunk @ np.sum((by_cluster @ inner) * by_cluster, axis=1)
            )
            trace -= float(np.trace(left))
            trace_z -= float(np.trace(left_z))
        error = self.error
        onward = self.solve(error) - basis @ (inner @ (basis.T @ error))
        errors, onwards = model.sums(error), model.sums(onward)
        pull = by_cluster.T @ errors
        self.trace = trace
        self.score = 0.5 * np.array([error @ error - trace, errors @ errors - trace_z])
        self.expected = 0.5 * np.array([[trace_ss, trace_sc], [trace_sc, trace_cc]])
        ss, sc = float(error @ onward), float(errors @ onwards)
        cc = float(shrunk @ errors**2 - pull @ inner @ pull)
        self.observed = np.array([[ss, sc], [sc, cc]]) - self.expected
