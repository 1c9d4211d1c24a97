"""Every law, fitted to a curve up to its end and up to earlier cuts, in one batch for each law.

    minimise  Σ_i w_i ρ_δ(ln y_i − ln ŷ_i) + σ² Σ_j (θ_j − m_j)² / 2 s_j²

with σ the noise of the curve, δ = 1.345 σ, and w falling with x^-k below the cut: a law that is wrong
far back may still be right near the end. The second sum is a weak prior on the parameters that a short
or a straight curve leaves open (a floor, the place and width of a break); without it one law in ten
leaves the range of the others within a factor two of x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.scaling.forecast.curve import Curve
from isoflop.scaling.model import Array, Law
from isoflop.scaling.settings import HUBER_TUNING
from isoflop.stats.exp_sum import Huber
from isoflop.stats.newton import Ridge, fit_model

DISCOUNTS = (1.0, 0.5)
"""Powers of x tried in turn; 0 where neither leaves enough rows in effect."""
ROWS_AT_ORIGIN = 6
"""Rows that a cut must leave; the prior serves laws that have as many parameters."""
LEAST_HORIZON = 1.2
_KEPT_STARTS = 4
_ITERATIONS = 25
SAME_CUT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cuts:
    """Where a curve is cut: its end first, then the origins, later ones first.

    Parameters
    ----------
    u : array, shape (R,)
        ln(x / x_last) of the last row kept; 0 first.
    log_ratio : float
        Rows up to this far beyond an origin score the laws, in ln x.
    """

    u: Array
    log_ratio: float


def cuts_of(curve: Curve, horizon: float, origins: int) -> Cuts:
    """Return the end of the curve and at most `origins` earlier cuts, half a horizon apart.

    A cut with no row within the horizon beyond it is no origin.

    The horizon ratio is the target's own, or the largest that leaves `ROWS_AT_ORIGIN` rows.
    """
    ratio = np.log(max(horizon, LEAST_HORIZON))
    u = curve.u
    if len(u) > ROWS_AT_ORIGIN:
        ratio = min(ratio, -float(u[ROWS_AT_ORIGIN - 1]) * (1.0 - SAME_CUT))
    found = [0.0]
    for j in range(origins):
        below = u <= -ratio * (1.0 + j / 2.0) + SAME_CUT
        if below.sum() < ROWS_AT_ORIGIN:
            break
        at = float(u[below][-1])
        beyond = (u > at + SAME_CUT) & (u <= at + ratio + SAME_CUT)
        if at < found[-1] and beyond.any():
            found.append(at)
    return Cuts(u=np.array(found), log_ratio=float(ratio))


def fit_at_cuts(law: Law, curve: Curve, cuts: Cuts, effective_rows: float) -> Array:
    """Return working parameters for each cut, shape (R, p), with inputs measured from x_last."""
    u, log_y = curve.u, curve.log_y
    weights = np.array([row_weights(u, curve.counts, at, effective_rows) for at in cuts.u])
    inside = [weights[r] > 0 for r in range(len(cuts.u))]
    starts = np.array([law.starts(u[None, rows], log_y[rows]) for rows in inside])
    priors = [weak_prior(law, u[rows], log_y[rows]) for rows in inside]
    ridge = Ridge(
        centre=np.array([centre for centre, _ in priors]),
        strength=np.array([0.5 * curve.noise**2 * precision for _, precision in priors]),
    )
    found = fit_model(
        law.model(u[None]),
        log_y,
        starts=starts,
        weights=weights,
        loss=Huber(HUBER_TUNING * curve.noise),
        ridge=ridge,
        keep=_KEPT_STARTS,
        exact=False,
        max_iterations=_ITERATIONS,
    )
    theta = found.theta.reshape(len(cuts.u), -1, law.p)
    best = found.objective.reshape(len(cuts.u), -1).argmin(axis=1)
    return np.asarray(theta[np.arange(len(best)), best])


def row_weights(u: Array, counts: Array, cut: float, effective_rows: float) -> Array:
    """Return the weights of rows up to a cut, shape (n,), summing to their number; 0 beyond it."""
    below = np.where(u <= cut + SAME_CUT, counts, 0.0)
    for power in (*DISCOUNTS, 0.0):
        weights = below * np.exp(power * (u - cut))
        if power == 0.0 or weights.sum() ** 2 / np.sum(weights**2 / counts) >= effective_rows:
            break
    return np.asarray(weights * (below.sum() / weights.sum()))


def weak_prior(law: Law, u: Array, log_y: Array) -> tuple[Array, Array]:
    """Return centre and precision of the weak prior on each parameter, shape (p,); precision 0: none."""
    width = max(-float(u[0] - u[-1]), 1e-6)
    known = {
        **dict.fromkeys(("E", "a", "lo"), (float(log_y[-1]) - 1.0, 3.0)),
        "kappa": (0.0, 1.5),
        "c1": (0.0, 0.5),
        "d1": (float(u[-1]) - 0.5 * width, 0.3 * width),
        "f1": (float(np.log(0.5)), 1.0),
    }
    pairs = [known.get(q.name) if q.transform == "log" or q.name == "c1" else None for q in law.parameters]
    centre = np.array([0.0 if pair is None else pair[0] for pair in pairs])
    precision = np.array([0.0 if pair is None else pair[1] ** -2 for pair in pairs])
    return centre, precision
