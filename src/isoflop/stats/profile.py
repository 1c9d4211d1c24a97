"""Which values of one parameter does the evidence not rule out? Profile likelihood.

The objective is minimised over everything else at each value v of the parameter; the values
with 2 (log L_max - log L(v)) <= the chi-squared quantile (one degree of freedom) form the
interval. With several basins that set may have several pieces, and all of them are reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.stats.checks import BoolArray, FloatArray, finite_array, read_only, unit_level
from isoflop.stats.intervals import Interval, chi2_quantile

SECTIONS = 8
"""Points tried inside each bracket per call: one call of a batched fit costs little more for
eight values than for one, and each call shrinks a bracket about ninefold."""
RESTARTS = 3
EXTREME_WIDTH = 1e-5
"""Share of the grid's span to which extremes are placed. The curve is flat there: at an interval
of a hundredth of the span, the height at this distance is off by 4e-6 of the threshold."""
MINIMUM_RISE = 1e-3
"""Least rise of the deviance between two minima that are told apart."""
DEVIANCE_SLACK = 1e-6
"""A minimum found later may lie lower by this much deviance before the search starts again; it
moves an end by about 1e-6 of the interval's width."""


class Likelihood(Protocol):
    """How a minimised objective becomes twice a log-likelihood ratio."""

    def deviance(self, objective: FloatArray, least: float) -> FloatArray:
        """Return 2 (log L at `least` - log L at `objective`), >= 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownVariance:
    """The objective is a sum (or mean) of squares of `n` Gaussian errors: n ln(S/S_min)."""

    n: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.n) and self.n > 0):
            raise SettingError(f"UnknownVariance: n={self.n}, must be > 0. Pass the number of errors.")

    def deviance(self, objective: FloatArray, least: float) -> FloatArray:
        """Return n ln(S/S_min)."""
        if least <= 0:
            raise NoFitError(
                "UnknownVariance: the best sum of squares is 0, so the variance is not estimable."
            )
        return np.asarray(self.n * np.log(objective / least))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVariance:
    """The objective is a sum of squares of Gaussian errors of known variance: (S - S_min)/variance."""

    variance: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.variance) and self.variance > 0):
            raise SettingError(f"KnownVariance: variance={self.variance}, must be > 0. Pass a variance.")

    def deviance(self, objective: FloatArray, least: float) -> FloatArray:
        """Return (S - S_min)/variance."""
        return np.asarray((objective - least) / self.variance)


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeLogLikelihood:
    """The objective is -log L itself: 2 (objective - least)."""

    def deviance(self, objective: FloatArray, least: float) -> FloatArray:
        """Return 2 (objective - least)."""
        return np.asarray(2 * (objective - least))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """A profile and the set of values that it does not rule out.

    Parameters
    ----------
    pieces : tuple of Interval
        From low to high, without overlap. A piece that reaches an end of the grid is open there.
    best, best_objective : float
        Where the objective is least, and its value there.
    minima : array, shape (m,)
        All local minima, rising; an end of the grid may be one.
    values, objective, deviance : arrays, shape (g,)
        The curve: the grid and every value tried since, in rising order.
    threshold, level : float
    """

    pieces: tuple[Interval, ...]
    best: float
    best_objective: float
    minima: FloatArray
    values: FloatArray
    objective: FloatArray
    deviance: FloatArray
    threshold: float
    level: float

    def hull(self) -> Interval:
        """Return the smallest single interval that holds all pieces."""
        low, high = self.pieces[0].low, self.pieces[-1].high
        return _piece(low, high)


def profile(
    objective: Callable[[FloatArray], ArrayLike],
    grid: ArrayLike,
    *,
    likelihood: Likelihood,
    level: float = 0.95,
    tolerance: float = 1e-6,
) -> Profile:
    """Return the profile over a grid, refined at its extremes and at the interval's ends.

    Parameters
    ----------
    objective : callable
        Takes values (g,) and returns the objective minimised over all else, shape (g,); +infinity
        where no fit exists. It is called some tens of times with few values.
    grid : array, shape (g,), at least 5 rising values
        Every dip narrower than its spacing, with no trace at the grid points, is missed.
    likelihood : UnknownVariance, KnownVariance or NegativeLogLikelihood
    level : float, in (0, 1)
    tolerance : float
        Of the interval's ends, as a share of the grid's span.

    Returns
    -------
    Profile

    Raises
    ------
    EvidenceError
        The grid does not rise, or the objective returned NaN or another shape.
    NoFitError
        The objective keeps falling on every call: it is not a minimised objective.

    Examples
    --------
    >>> known = KnownVariance(variance=1.0)
    >>> found = profile(lambda v: 3 + (v - 1) ** 2, np.linspace(-5, 5, 21), likelihood=known)
    >>> [(round(p.low, 4), round(p.high, 4), p.kind) for p in found.pieces]
    [(-0.96, 2.96, 'closed')]
    """
    values = finite_array("profile", "grid", grid)
    if values.size < 5 or np.any(np.diff(values) <= 0):
        raise EvidenceError(f"profile: grid of {values.size} values, needs at least 5, rising. Sort it.")
    if not 0 < tolerance < 0.01:
        raise SettingError(f"profile: tolerance={tolerance}, must lie in (0, 0.01). Use 1e-6.")
    threshold = chi2_quantile(unit_level("profile", level), 1)
    span = float(values[-1] - values[0])
    resolution = 8 * float(np.spacing(np.abs(values).max()))
    curve = _Curve(objective, values)
    for _ in range(RESTARTS):
        curve.refine_extremes(max(EXTREME_WIDTH * span, resolution))
        least = float(curve.heights.min())
        if not math.isfinite(least):
            raise NoFitError("profile: no value of the grid has a fit. Move the grid.")
        curve.refine_crossings(likelihood, least, threshold, max(tolerance * span, resolution))
        if likelihood.deviance(np.array([least]), float(curve.heights.min()))[0] <= DEVIANCE_SLACK:
            break
    else:
        raise NoFitError(
            f"profile: the objective fell again in each of {RESTARTS} rounds, needs a minimum. Add starts."
        )
    best = int(curve.heights.argmin())
    deviance = likelihood.deviance(curve.heights, float(curve.heights[best]))
    inside = deviance <= threshold
    return Profile(
        pieces=_pieces(curve.values, deviance, inside, threshold),
        best=float(curve.values[best]),
        best_objective=float(curve.heights[best]),
        minima=read_only(_minima(curve.values, deviance)),
        values=read_only(curve.values),
        objective=read_only(curve.heights),
        deviance=read_only(deviance),
        threshold=threshold,
        level=float(level),
    )


class _Curve:
    """Every value tried so far with its objective, in rising order of value.

    Both searches follow the brackets that they start with and open no new ones: rounding or an
    optimiser's noise cannot make the number of evaluations grow.
    """

    def __init__(self, objective: Callable[[FloatArray], ArrayLike], values: FloatArray) -> None:
        self._objective = objective
        self.values = values
        self.heights = self._evaluate(values)

    def refine_extremes(self, width: float) -> None:
        """Close in on every local minimum and maximum until its neighbours are within `width`.

        Maxima matter too: one that pokes over the threshold between two grid points parts a piece.
        """
        dips = _dips(self.heights)
        peaks = _dips(-self.heights) & np.isfinite(self.heights)
        peaks[[0, -1]] = False
        at = np.concatenate([np.flatnonzero(dips), np.flatnonzero(peaks)])
        sign = np.where(np.arange(at.size) < dips.sum(), 1.0, -1.0)
        around = np.clip(at[:, None] + np.array([-1, 0, 1]), 0, self.values.size - 1)
        values, heights = self.values[around], self.heights[around]
        rows = np.arange(at.size)[:, None]
        while np.any(values[:, 2] - values[:, 0] > width):
            tried = _inner_points(values[:, 0], values[:, 2])
            everywhere = np.hstack([values, tried])
            found = np.hstack([heights, self._add(tried)])
            order = np.argsort(everywhere, axis=1, kind="stable")
            everywhere, found = everywhere[rows, order], found[rows, order]
            lowest = (sign[:, None] * found).argmin(axis=1)
            around = np.clip(lowest[:, None] + np.array([-1, 0, 1]), 0, everywhere.shape[1] - 1)
            values, heights = everywhere[rows, around], found[rows, around]

    def refine_crossings(self, likelihood: Likelihood, least: float, threshold: float, width: float) -> None:
        """Close in on every crossing of the threshold until it is known within `width`."""
        inside = likelihood.deviance(self.heights, least) <= threshold
        at = np.flatnonzero(inside[1:] != inside[:-1])
        left, right, left_inside = self.values[at], self.values[at + 1], inside[at]
        rows = np.arange(at.size)
        while np.any(right - left > width):
            tried = _inner_points(left, right)
            deviance = likelihood.deviance(self._add(tried), least)
            changed = (deviance <= threshold) != left_inside[:, None]
            points = np.hstack([left[:, None], tried, right[:, None]])
            first = np.hstack([changed, np.ones((at.size, 1), dtype=np.bool_)]).argmax(axis=1)
            left, right = points[rows, first], points[rows, first + 1]

    def _add(self, tried: FloatArray) -> FloatArray:
        found = self._evaluate(tried.ravel())
        values = np.concatenate([self.values, tried.ravel()])
        unique, where = np.unique(values, return_index=True)
        self.values, self.heights = unique, np.concatenate([self.heights, found])[where]
        return found.reshape(tried.shape)

    def _evaluate(self, values: FloatArray) -> FloatArray:
        heights = np.asarray(self._objective(values), dtype=np.float64)
        if heights.shape != values.shape or np.isnan(heights).any() or np.isneginf(heights).any():
            raise EvidenceError(
                f"profile: objective gave shape {heights.shape} for {values.size} values, or NaN; "
                "needs one number each. Return infinity where no fit exists."
            )
        return heights


def _inner_points(left: FloatArray, right: FloatArray) -> FloatArray:
    steps = np.arange(1, SECTIONS + 1) / (SECTIONS + 1)
    return np.asarray(left[:, None] + (right - left)[:, None] * steps)


def _dips(heights: FloatArray) -> BoolArray:
    padded = np.concatenate([[math.inf], heights, [math.inf]])
    return np.asarray((padded[1:-1] < padded[:-2]) & (padded[1:-1] <= padded[2:]))


def _minima(values: FloatArray, deviance: FloatArray) -> FloatArray:
    """Return the local minima that a rise of at least `MINIMUM_RISE` parts from every lower one."""
    dips = np.flatnonzero(_dips(deviance))
    kept: list[int] = []
    for at in dips[np.argsort(deviance[dips], kind="stable")].tolist():
        ridges = [float(deviance[min(at, lower) : max(at, lower) + 1].max()) for lower in kept]
        if all(ridge - deviance[at] >= MINIMUM_RISE for ridge in ridges):
            kept.append(at)
    return np.asarray(values[sorted(kept)])


def _pieces(
    values: FloatArray, deviance: FloatArray, inside: BoolArray, threshold: float
) -> tuple[Interval, ...]:
    starts = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    stops = np.flatnonzero(inside & ~np.concatenate([inside[1:], [False]]))

    def crossing(outer: int, inner: int) -> float:
        if not math.isfinite(deviance[outer]):
            return float(values[inner])
        share = (threshold - deviance[inner]) / (deviance[outer] - deviance[inner])
        return float(values[inner] + share * (values[outer] - values[inner]))

    return tuple(
        _piece(
            None if start == 0 else crossing(start - 1, start),
            None if stop == values.size - 1 else crossing(stop + 1, stop),
        )
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    )


def _piece(low: float | None, high: float | None) -> Interval:
    if low is None:
        return Interval(low=None, high=high, kind="everything" if high is None else "open_below")
    return Interval(low=low, high=high, kind="open_above" if high is None else "closed")
