"""Votes turned into chances: for each model a monotone map from vote to chance of a right answer.

The maps are fitted to votes of prompts whose own dataset was left out of the pool, so they also undo the
optimism of neighbours from the same benchmark. Every dataset weighs the same, however many prompts it has.
Few points fit the noise: below `least` points a model keeps its votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest

FloatArray = NDArray[np.float64]
Kind = Literal["isotonic", "platt"]

LEAST_POINTS = 200
NEWTON_STEPS = 50
CONVERGED = 1e-10
"""Largest change of a coefficient at which Newton's steps stop; votes lie in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A monotone map from vote to chance: straight lines between knots, level beyond them.

    Parameters
    ----------
    votes, chances : array, shape (J,), non-decreasing, in [0, 1]
        Knots; none where the model has too few points, and votes stay as they are.
    """

    votes: FloatArray
    chances: FloatArray

    @property
    def is_on(self) -> bool:
        """Whether there were points enough to fit it."""
        return bool(self.votes.size)

    def apply(self, votes: FloatArray) -> FloatArray:
        """Return the chance for each vote; missing votes stay missing."""
        if not self.is_on:
            return np.array(votes, dtype=float)
        return np.asarray(np.interp(votes, self.votes, self.chances))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """M maps from vote to chance, and what they gain on datasets left out.

    Parameters
    ----------
    kind : {"isotonic", "platt"}
    curves : tuple of Curve, length M
    brier_votes, brier_chances : array, shape (M,)
        Mean squared error of votes, and of chances by a map fitted without the dataset; datasets weigh alike.
    cautions : tuple of str
    """

    kind: Kind
    curves: tuple[Curve, ...]
    brier_votes: FloatArray
    brier_chances: FloatArray
    cautions: tuple[str, ...] = ()

    def apply(self, votes: FloatArray) -> FloatArray:
        """Return chances for votes, shape (…, M)."""
        chances = [curve.apply(votes[..., m]) for m, curve in enumerate(self.curves)]
        return np.stack(chances, axis=-1)


def calibrate(
    votes: FloatArray,
    correct: FloatArray,
    dataset: NDArray[np.int64],
    *,
    kind: Kind = "isotonic",
    least: int = LEAST_POINTS,
) -> Calibration:
    """Fit the map of each model.

    Parameters
    ----------
    votes : array, shape (n, M), in [0, 1]
        Of prompts judged by a pool without their own dataset; NaN where no neighbour had a label.
    correct : array, shape (n, M), in [0, 1]
        Labels; NaN where missing.
    dataset : array of int, shape (n,)
    kind : {"isotonic", "platt"}
        Pooled adjacent violators, or a logistic curve of the vote.
    least : int
        Points below which a model keeps its votes.

    Returns
    -------
    Calibration

    Raises
    ------
    SettingError
        Unknown `kind`.
    EvidenceError
        Arrays that do not fit.

    Notes
    -----
    Source: Zadrozny and Elkan (2002) for isotonic, Platt (1999) for logistic maps with his smoothed targets;
    weights by dataset are ours.

    Examples
    --------
    >>> votes = np.tile([[0.2], [0.8]], (100, 1))
    >>> correct = np.tile([[0.0], [1.0]], (100, 1))
    >>> calibrate(votes, correct, np.zeros(200, dtype=int)).apply(np.array([[0.2], [0.5]])).round(3).tolist()
    [[0.0], [0.5]]
    """
    if kind not in get_args(Kind):
        near = closest(str(kind), get_args(Kind))
        raise SettingError(
            f"calibrate: kind={kind!r}, must be one of {', '.join(get_args(Kind))}."
            + (f" Did you mean {near!r}?" if near else "")
        )
    if votes.shape != correct.shape or len(votes) != len(dataset):
        raise EvidenceError(
            f"calibrate: votes {votes.shape}, labels {correct.shape} and {len(dataset)} datasets, must have "
            "the same prompts and models. Give one row a prompt."
        )
    fitted = [_model(votes[:, m], correct[:, m], dataset, kind, least) for m in range(votes.shape[1])]
    curves = tuple(curve for curve, _, _ in fitted)
    off = sum(not curve.is_on for curve in curves)
    caution = (
        f"{off} of {len(curves)} models have fewer than {least} judged prompts: their votes are not "
        "calibrated. More scored prompts cure it."
    )
    return Calibration(
        kind=kind,
        curves=curves,
        brier_votes=np.array([before for _, before, _ in fitted]),
        brier_chances=np.array([after for _, _, after in fitted]),
        cautions=(caution,) if off else (),
    )


def _model(
    votes: FloatArray, correct: FloatArray, dataset: NDArray[np.int64], kind: Kind, least: int
) -> tuple[Curve, float, float]:
    """Return the map of one model and its errors on datasets left out, without and with it."""
    known = np.isfinite(votes) & np.isfinite(correct)
    v, y, d = votes[known], correct[known], dataset[known]
    before, after = [], []
    for left in np.unique(d):
        out = d == left
        curve = _curve(v[~out], y[~out], d[~out], kind, least)
        before.append(float(np.mean((v[out] - y[out]) ** 2)))
        after.append(float(np.mean((curve.apply(v[out]) - y[out]) ** 2)))
    if not before:
        return _curve(v, y, d, kind, least), np.nan, np.nan
    return _curve(v, y, d, kind, least), float(np.mean(before)), float(np.mean(after))


def _curve(v: FloatArray, y: FloatArray, dataset: NDArray[np.int64], kind: Kind, least: int) -> Curve:
    if v.size < least or not v.size:
        return Curve(votes=np.empty(0), chances=np.empty(0))
    _, place, counts = np.unique(dataset, return_inverse=True, return_counts=True)
    weight = 1.0 / counts[place]
    knots, at = np.unique(v, return_inverse=True)
    mass = np.bincount(at, weights=weight)
    right = np.bincount(at, weights=weight * y) / mass
    if kind == "isotonic":
        from scipy.optimize import isotonic_regression

        chances = isotonic_regression(right, weights=mass).x
    else:
        chances = _logistic(knots, right, mass * (v.size / mass.sum()))
    return Curve(votes=knots, chances=np.clip(chances, 0.0, 1.0))


def _logistic(votes: FloatArray, right: FloatArray, mass: FloatArray) -> FloatArray:
    """Return chances of a logistic curve in the vote with a slope of at least zero.

    Targets are pulled inwards by one success and one failure, so that the curve exists for parted classes.
    """
    won, lost = float(mass @ right), float(mass @ (1 - right))
    target = right * (won + 1) / (won + 2) + (1 - right) / (lost + 2)
    x = np.column_stack([np.ones_like(votes), votes - np.average(votes, weights=mass)])
    beta = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-(x @ beta)))
        curvature = (x * (mass * chance * (1 - chance))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, x.T @ (mass * (target - chance)))
        # Votes span at most one, so longer steps only leave the region where the quadratic is a fair guide.
        beta = beta + np.clip(step, -4.0, 4.0)
        if np.abs(step).max() < CONVERGED:
            break
    if beta[1] < 0:
        return np.full_like(votes, np.average(target, weights=mass))
    return np.asarray(1 / (1 + np.exp(-(x @ beta))))
