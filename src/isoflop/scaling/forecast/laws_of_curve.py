"""All laws of one curve at its end and at earlier cuts, and how each did beyond those cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isoflop.scaling.forecast.curve import Curve
from isoflop.scaling.forecast.refit import SAME_CUT, Cuts, cuts_of, fit_at_cuts
from isoflop.scaling.forecast.settings import LAST_VALUE, Stack
from isoflop.scaling.laws import LAWS
from isoflop.scaling.model import Array

DEFAULT_HORIZON = 2.0
"""Where nothing is ahead and no x is asked for: a factor two, as in the public benchmark."""
WORST = 1000.0
"""A squared error counts at most this multiple of the best one: no origin decides alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LawsOfCurve:
    """The laws of one curve.

    Parameters
    ----------
    curve : Curve
    horizon : float
        Ratio of x at which the laws were compared, or wanted.
    cuts : Cuts
    names : tuple of str
        `LAST_VALUE` first, then the laws that the curve has enough distinct x for.
    theta : tuple of arrays, each shape (R, p)
        Working parameters at each cut, without `LAST_VALUE`.
    """

    curve: Curve
    horizon: float
    cuts: Cuts
    names: tuple[str, ...]
    theta: tuple[Array, ...]

    @property
    def origins(self) -> int:
        """Number of earlier cuts."""
        return len(self.cuts.u) - 1

    @property
    def tested_ratio(self) -> float:
        """Largest ratio of x at which the laws were tried on this curve; 1 where they were not."""
        return float(np.exp(self.cuts.log_ratio)) if self.origins else 1.0

    def predict(self, u: Array, cut: int = 0) -> Array:
        """Return ln y of every law at u = ln(x / x_last), shape (L, m), as fitted up to a cut."""
        u = np.asarray(u, float)
        curve = self.curve
        last = curve.log_last
        if cut:
            last = float(curve.log_y[curve.u <= self.cuts.u[cut] + SAME_CUT][-1])
        fitted = [
            LAWS[name].log_predict(theta[cut], u[None])[0]
            for name, theta in zip(self.names[1:], self.theta, strict=True)
        ]
        return np.stack([np.full(u.shape, last), *fitted])

    def beyond(self, cut: int) -> tuple[Array, Array, Array]:
        """Return what lies within the horizon beyond an origin.

        Returns
        -------
        u : array, shape (m,)
            ln(x / x at the origin).
        residuals : array, shape (L, m)
            Predicted minus observed ln y.
        counts : array, shape (m,)
        """
        at = self.cuts.u[cut]
        curve = self.curve
        rows = (curve.u > at + SAME_CUT) & (curve.u <= at + self.cuts.log_ratio + SAME_CUT)
        residuals = self.predict(curve.u[rows], cut) - curve.log_y[rows]
        return curve.u[rows] - at, residuals, curve.counts[rows]

    @cached_property
    def relative_errors(self) -> Array:
        """Mean squared error beyond the origins as a multiple of the best law's, shape (L,).

        Noise is added to every error, so that no law wins by luck. Ones where there is no origin.
        """
        squared = []
        for cut in range(1, len(self.cuts.u)):
            _, residuals, counts = self.beyond(cut)
            error = np.average(residuals**2, axis=1, weights=counts) + self.curve.noise**2
            squared.append(np.minimum(error, WORST * error.min()))
        mean = np.mean(squared, axis=0) if squared else np.ones(len(self.names))
        return np.asarray(mean / mean.min())


def fit_laws(curve: Curve, laws: Sequence[str], stack: Stack, horizon: float | None) -> LawsOfCurve:
    """Fit every law that the curve has enough distinct x for, at its end and at its origins."""
    wanted = horizon or curve.horizon or DEFAULT_HORIZON
    cuts = cuts_of(curve, wanted, stack.origins)
    distinct = len(np.unique(curve.u))
    kept = [name for name in laws if LAWS[name].p < distinct]
    return LawsOfCurve(
        curve=curve,
        horizon=wanted,
        cuts=cuts,
        names=(LAST_VALUE, *kept),
        theta=tuple(fit_at_cuts(LAWS[name], curve, cuts, stack.effective_rows) for name in kept),
    )
