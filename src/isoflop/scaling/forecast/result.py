"""What a forecast yields: predictions with bands, weights, and scores where the future is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import SettingError, closest
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.scaling.forecast.band import Factor, scale
from isoflop.scaling.forecast.curve import Curve
from isoflop.scaling.forecast.laws_of_curve import LawsOfCurve
from isoflop.scaling.forecast.scores import LawScore, law_scores, rmsle
from isoflop.scaling.forecast.settings import STACK, Stack
from isoflop.scaling.model import Array

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

DECADE = 10.0
"""Ratio of x beyond which a forecast is an extrapolation that nothing here has checked."""
_SAME = 1.0 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Forecasts of one curve.

    Parameters
    ----------
    x, value, low, high : array, shape (m,)
        Outcome in its own unit, with its band.
    in_support : array of bool, shape (m,)
        Whether the laws were tried at this ratio of x on the curve itself, and it is at most a decade.
    level : float
        Of the band.
    """

    x: Array
    value: Array
    low: Array
    high: Array
    in_support: NDArray[np.bool_]
    level: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveForecast:
    """The stack of one curve: its laws, their weights and the width of its band."""

    laws: LawsOfCurve
    weights: Array
    factor: Factor
    level: float

    @property
    def curve(self) -> Curve:
        """The curve."""
        return self.laws.curve

    @property
    def reach(self) -> float:
        """Largest ratio of x at which the laws were tried on this curve, at most a decade."""
        return min(self.laws.tested_ratio, DECADE)

    @property
    def in_support(self) -> bool:
        """Whether the horizon lies within `reach`."""
        return self.laws.horizon <= self.reach * _SAME

    def log_stack(self, u: Array) -> tuple[Array, Array]:
        """Return the stack's ln y and the half-width of its band at u = ln(x / x_last)."""
        centre = self.weights @ self.laws.predict(u)
        factor = self.factor.at(np.asarray(u, float) / np.log(self.laws.horizon))
        return centre, factor * scale(self.laws, self.weights, u)

    def predict(self, x: ArrayLike) -> Prediction:
        """Return forecasts at x > 0, in the unit of the curve's x."""
        x = np.atleast_1d(np.asarray(x, float))
        if not (np.isfinite(x).all() and (x > 0).all()):
            raise SettingError(f"prediction: x={x.tolist()}, must lie in (0, inf). Give positive numbers.")
        ratio = x / self.curve.x_last
        centre, half = self.log_stack(np.log(ratio))
        return Prediction(
            x=x,
            value=np.exp(centre),
            low=np.exp(centre - half),
            high=np.exp(centre + half),
            in_support=ratio <= self.reach * _SAME,
            level=self.level,
        )

    def errors(self) -> dict[str, float]:
        """Return the RMSLE of every law and of the stack on the forecast part; empty without one."""
        curve = self.curve
        if not curve.u_ahead.size:
            return {}
        laws = self.laws.predict(curve.u_ahead)
        found = {n: rmsle(row, curve.log_y_ahead) for n, row in zip(self.laws.names, laws, strict=True)}
        return found | {STACK: rmsle(self.weights @ laws, curve.log_y_ahead)}

    def covered(self) -> NDArray[np.bool_]:
        """Return which points of the forecast part lie inside the band, shape (m,)."""
        centre, half = self.log_stack(self.curve.u_ahead)
        return np.asarray(np.abs(self.curve.log_y_ahead - centre) <= half)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Forecast:
    """Forecasts of every curve of a table.

    Parameters
    ----------
    table : Table
    curves : tuple of CurveForecast
    names : tuple of str
        `last_value`, then the laws asked for.
    stack : Stack
    level : float
        Of the bands.
    at : tuple of float
        Values of x asked for; empty means the end of each forecast part.
    seed : int
    """

    table: Table
    curves: tuple[CurveForecast, ...]
    names: tuple[str, ...]
    stack: Stack
    level: float
    at: tuple[float, ...]
    seed: int

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the curves."""
        return tuple(c.curve.id for c in self.curves)

    @property
    def scored(self) -> tuple[CurveForecast, ...]:
        """Curves with a forecast part."""
        return tuple(c for c in self.curves if c.curve.u_ahead.size)

    def of(self, curve_id: str) -> CurveForecast:
        """Return the forecast of one curve.

        Raises
        ------
        SettingError
            There is no curve of that name; the closest is suggested.
        """
        for found in self.curves:
            if found.curve.id == curve_id:
                return found
        near = closest(curve_id, self.ids)
        hint = f"Did you mean {near!r}?" if near else f"The first is {self.ids[0]!r}."
        raise SettingError(f"forecast: no curve {curve_id!r} in {self.table.name}. {hint}")

    def prediction(self, curve_id: str, x: ArrayLike) -> Prediction:
        """Return forecasts of one curve at x."""
        return self.of(curve_id).predict(x)

    @cached_property
    def scores(self) -> tuple[LawScore, ...]:
        """Mean RMSLE of `last_value`, every law and the stack, in this order, over scored curves."""
        return self._scores_of(self.scored)

    @cached_property
    def scores_by_domain(self) -> dict[str, tuple[LawScore, ...]]:
        """The scores of each domain, in the order of the table."""
        domains = dict.fromkeys(c.curve.domain for c in self.scored)
        return {d: self._scores_of([c for c in self.scored if c.curve.domain == d]) for d in domains}

    def _scores_of(self, curves: Sequence[CurveForecast]) -> tuple[LawScore, ...]:
        names = (*self.names, STACK)
        rows = [c.errors() for c in curves]
        errors = np.array([[row.get(name, np.nan) for name in names] for row in rows])
        return law_scores(names, errors.reshape(len(rows), len(names)), seed=self.seed)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the forecasts."""
        return (self.table.provenance(self.table.frame.height),)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the forecasts, and what would cure it."""
        from isoflop.scaling.forecast.cautions import cautions_of

        return cautions_of(self)

    def findings(self) -> tuple[Finding, ...]:
        """Return the score of the stack, the coverage of its bands and, of a single curve, its forecast."""
        from isoflop.scaling.forecast.findings import findings_of

        return findings_of(self)

    def frame(self) -> pl.DataFrame:
        """Return one row per point and curve.

        Columns: curve_id, domain, part (fit | ahead | asked), x, observed, value, low, high,
        last_value, in_support. Points of the fit part have no forecast, those asked for no outcome.
        """
        from isoflop.scaling.forecast.tables import points_frame

        return points_frame(self)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return scores by law and domain, curves, weights and forecasts as rows of a document."""
        from isoflop.scaling.forecast.tables import document_tables

        return document_tables(self)

    def to_dict(self) -> dict[str, Any]:
        """Return settings and tables, JSON-ready."""
        settings = {"level": self.level, "laws": list(self.names), "seed": self.seed}
        return {"settings": settings, **{k: json_ready(rows) for k, rows in self.tables().items()}}

    def summary(self) -> str:
        """Return the scores and the cautions on one screen."""
        lines = [f"{self.table.name}: {len(self.curves)} curves, {len(self.scored)} with a forecast part"]
        lines += [
            f"  {s.law:<14} RMSLE {s.rmsle.value:.4f} on {s.curves} curves"
            for s in self.scores
            if s.rmsle.value is not None
        ]
        lines += [
            f"  {row['curve_id']} at x = {row['x']:.4g}: {row['value']:.4g} "
            f"({row['low']:.4g} to {row['high']:.4g}, {self.level:.0%})"
            for row in self.tables()["forecasts"][:5]
        ]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
