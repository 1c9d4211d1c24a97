"""A score between chance and a ceiling: y = lo + (h − lo) σ(X θ), by least squares.

Chance is the curve's lower end, never subtracted from the data: a score that lies at chance by luck is then
no evidence of a negative ability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.scaling.model import Array
from isoflop.stats.jets import Expansion
from isoflop.stats.newton import Model, Ridge, fit_model

CEILING = (0.8, 1.0)
"""Range of h, as in Ruan et al. (2024): a lower ceiling would explain any small model's plateau."""
PULL = 1e-4
"""Ridge on the slopes of standardised columns, in squared score per row: keeps separated data finite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounded:
    """A fitted curve.

    Parameters
    ----------
    floor, ceiling : float
    theta : array, shape (q,)
    residual_sd : float
        Of the training scores.
    """

    floor: float
    ceiling: float
    theta: Array
    residual_sd: float

    def predict(self, design: Array) -> Array:
        """Return scores, shape (n,), of a design of shape (n, q)."""
        return np.asarray(self.floor + (self.ceiling - self.floor) * _sigmoid(design @ self.theta))


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def fit_bounded(
    design: Array,
    scores: Array,
    *,
    chance: float | None,
    weights: Array | None = None,
    pull: Array | None = None,
) -> Bounded:
    """Fit the curve.

    Parameters
    ----------
    design : array, shape (n, q)
        Its first column is the constant, unless `pull` says otherwise; others of about unit spread.
    scores : array, shape (n,), in [0, 1]
    chance : float or None
        lo; None fits it between 0 and the smallest score's neighbourhood.
    weights : array, shape (n,), >= 0, optional
    pull : array, shape (q,), optional
        Ridge towards 0, in squared score per row.

    Examples
    --------
    Without noise the ridge alone moves the curve, by about two points of a hundred at most:

    >>> x = np.linspace(-3, 3, 40)
    >>> design = np.column_stack([np.ones(40), x])
    >>> y = 0.25 + 0.75 / (1 + np.exp(-(0.5 + 1.2 * x)))
    >>> bool(abs(fit_bounded(design, y, chance=0.25).predict(design) - y).max() < 0.03)
    True
    """
    n, q = design.shape
    w = np.ones(n) if weights is None else weights
    free = chance is None
    ridge = np.full(q, PULL) if pull is None else pull
    if pull is None:
        ridge[0] = 0.0
    strength = np.concatenate([np.full(1 + free, PULL), ridge]) * w.sum()
    starts = np.zeros((3, q + 1 + free))
    starts[:, 0] = 1.0
    if free:
        low = float(np.clip(scores.min() * 0.9, 1e-3, 0.9))
        starts[:, 1] = np.log(low / (1 - low))
    starts[:, 1 + free] = (-2.0, 0.0, 1.0)
    centre = starts[0].copy()
    centre[1 + free :] = 0.0
    done = fit_model(
        _model(design, chance),
        scores,
        starts=starts,
        weights=w,
        ridge=Ridge(centre=centre, strength=strength),
        exact=False,
    )
    best = done.theta[int(np.argmin(done.objective))]
    floor = float(_sigmoid(best[1])) if chance is None else chance
    ceiling = CEILING[0] + (CEILING[1] - CEILING[0]) * float(_sigmoid(best[0]))
    fitted = Bounded(floor=floor, ceiling=ceiling, theta=best[1 + free :], residual_sd=0.0)
    left = scores - fitted.predict(design)
    spare = max(w.sum() - min(q, 4), 1.0)
    sd = float(np.sqrt(w @ left**2 / spare))
    return Bounded(floor=floor, ceiling=ceiling, theta=fitted.theta, residual_sd=sd)


def _model(design: Array, chance: float | None) -> Model:
    free = chance is None

    def at(theta: Array, _rows: NDArray[np.int64], order: int) -> Expansion:
        top = _sigmoid(theta[:, 0])
        ceiling = (CEILING[0] + (CEILING[1] - CEILING[0]) * top)[:, None]
        low = _sigmoid(theta[:, 1])[:, None] if chance is None else np.full((len(theta), 1), chance)
        share = _sigmoid(theta[:, 1 + free :] @ design.T)
        value = low + (ceiling - low) * share
        if not order:
            return Expansion(value=value)
        parts = [share * ((CEILING[1] - CEILING[0]) * top * (1 - top))[:, None]]
        if free:
            parts.append((1 - share) * low * (1 - low))
        bend = (ceiling - low) * share * (1 - share)
        slopes = bend[:, None, :] * design.T[None]
        return Expansion(value=value, jacobian=np.concatenate([np.stack(parts, axis=1), slopes], axis=1))

    return at
