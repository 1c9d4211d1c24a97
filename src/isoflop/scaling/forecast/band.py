"""Bands of a forecast: a scale that grows with the horizon, times a factor checked on other curves.

    scale(u)² = Σ_l w_l (f_l(u) − f(u))² + σ² (1 + 1/n + (u − ū)² / S_uu)

The first part is what the laws disagree about, `last_value` among them; the second is the error of a
new point about a fitted line on log axes. Both grow with ln(x / x_last). The band at u is
f(u) ± q scale(u), in ln y, with q a quantile of |observed − f| / scale where forecasts were checked:
split-conformal prediction in which each curve counts once. q is taken for each third of the horizon
and joined by lines, because the noise of what comes may differ from that of what was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.scaling.forecast.laws_of_curve import LawsOfCurve
from isoflop.scaling.forecast.refit import SAME_CUT
from isoflop.scaling.model import Array

Basis = Literal["forecast_parts", "origins", "assumed"]
LEAST_CHECKED = 5
"""Curves whose outcomes ahead are needed to set a factor."""
THIRDS = (1 / 6, 1 / 2, 5 / 6)
"""Middles of the thirds of the horizon, as shares of ln(x / x_last) at its end."""
_FREEDOM = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Errors of forecasts in scales.

    Parameters
    ----------
    place : array, shape (m,)
        ln(x / x_last) as a share of the horizon's.
    value : array, shape (m,)
        |observed − forecast| / scale, in ln y.
    """

    place: Array
    value: Array

    def third(self, k: int) -> Scores:
        """Return those in one third of the horizon."""
        here = np.minimum((3.0 * self.place).astype(int), 2) == k
        return Scores(place=self.place[here], value=self.value[here])


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Half-width of a band in scales.

    Parameters
    ----------
    values : tuple of three float
        At the middle of each third of the horizon.
    basis : {"forecast_parts", "origins", "assumed"}
        What it was checked on: forecast parts of other datasets; earlier cuts of the table's curves;
        or nothing.
    curves : int
        How many curves that rests on.
    """

    values: tuple[float, float, float]
    basis: Basis
    curves: int

    def at(self, place: Array) -> Array:
        """Return the factor at shares of the horizon; constant beyond the outer thirds' middles."""
        return np.asarray(np.interp(place, THIRDS, self.values))


def scale(of: LawsOfCurve, weights: Array, u: Array, cut: int = 0) -> Array:
    """Return the scale of the log error at u = ln(x / x_last), shape (m,)."""
    laws = of.predict(u, cut)
    spread = weights @ (laws - weights @ laws) ** 2
    curve = of.curve
    kept = curve.u <= of.cuts.u[cut] + SAME_CUT
    counts, past = curve.counts[kept], curve.u[kept]
    middle = np.average(past, weights=counts)
    along = max(float(counts @ (past - middle) ** 2), 1e-12)
    line = 1.0 + 1.0 / counts.sum() + (u - middle) ** 2 / along
    return np.asarray(np.sqrt(spread + curve.noise**2 * line))


def forecast_scores(of: LawsOfCurve, weights: Array) -> Scores:
    """Return the scores of the forecast part."""
    u = of.curve.u_ahead
    error = weights @ of.predict(u) - of.curve.log_y_ahead
    return Scores(place=u / np.log(of.horizon), value=np.abs(error) / scale(of, weights, u))


def origin_scores(of: LawsOfCurve, weights: Array) -> Scores:
    """Return the scores beyond all earlier cuts."""
    places, values = [np.empty(0)], [np.empty(0)]
    for cut in range(1, len(of.cuts.u)):
        u, residuals, _ = of.beyond(cut)
        places.append(u / of.cuts.log_ratio)
        values.append(np.abs(weights @ residuals) / scale(of, weights, u + of.cuts.u[cut], cut))
    return Scores(place=np.concatenate(places), value=np.concatenate(values))


def band_factor(
    of: LawsOfCurve,
    laws: Sequence[LawsOfCurve],
    ahead: Sequence[Scores],
    earlier: Sequence[Scores],
    level: float,
) -> Factor:
    """Return the factor of a curve's band, from what was checked elsewhere.

    Parameters
    ----------
    of : LawsOfCurve
    laws : sequence
        All curves of the table.
    ahead, earlier : sequences of Scores
        `forecast_scores` and `origin_scores` of each.
    level : float, in (0, 1)
    """
    pairs = zip(laws, ahead, strict=True)
    others = [s for one, s in pairs if one.curve.dataset != of.curve.dataset and s.value.size]
    if len(others) >= LEAST_CHECKED:
        return Factor(values=_by_third(others, level), basis="forecast_parts", curves=len(others))
    assumed = assumed_factor(level)
    tried = [s for s in earlier if s.value.size]
    if tried:
        # laws agree with the near past better than with what comes
        first, second, third = (max(value, assumed) for value in _by_third(tried, level))
        return Factor(values=(first, second, third), basis="origins", curves=len(tried))
    return Factor(values=(assumed, assumed, assumed), basis="assumed", curves=0)


def _by_third(groups: Sequence[Scores], level: float) -> tuple[float, float, float]:
    overall = grouped_quantile([g.value for g in groups], level)
    found = []
    for k in range(3):
        here = [g.third(k).value for g in groups]
        known = [values for values in here if values.size]
        found.append(grouped_quantile(known, level) if len(known) >= LEAST_CHECKED else overall)
    return found[0], found[1], found[2]


def grouped_quantile(groups: Sequence[Array], level: float) -> float:
    """Return the conformal quantile of scores that come in groups, each group counting once.

    One group more than there are is assumed, at infinity: with few groups the largest score is taken.

    Examples
    --------
    >>> grouped_quantile([np.array([1.0, 2.0]), np.array([3.0]), np.array([4.0])], 0.5)
    3.0
    """
    scores = np.concatenate(groups)
    weights = np.concatenate([np.full(len(g), 1.0 / len(g)) for g in groups]) / (len(groups) + 1)
    order = np.argsort(scores, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), level - 1e-12))
    return float(scores[order[min(place, len(order) - 1)]])


def assumed_factor(level: float) -> float:
    """Return the factor where nothing was checked: Student's t with 3 degrees of freedom.

    The scale itself is estimated, from about four kinds of law that differ (constant, straight, bent,
    with a floor).

    Examples
    --------
    >>> round(assumed_factor(0.8), 3)
    1.638
    """
    from scipy.special import stdtrit

    return float(stdtrit(_FREEDOM, 0.5 + 0.5 * level))
