"""Answers of a forecast, in the common form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.present import formats
from isoflop.scaling.forecast.scores import mean_over_curves
from isoflop.scaling.forecast.settings import STACK
from isoflop.scaling.forecast.tables import forecast_rows

if TYPE_CHECKING:
    from isoflop.scaling.forecast.result import Forecast

_UNITS = {"loss": "nats", "error": "1", "metric": "1"}


def findings_of(result: Forecast) -> tuple[Finding, ...]:
    """Return the score, the coverage and, where there is one curve, its forecast."""
    found = [_score(result)]
    if result.scored:
        found.append(_coverage(result))
    if len(result.curves) == 1:
        found.append(_single(result))
    return tuple(found)


def _score(result: Forecast) -> Finding:
    stack = next(s for s in result.scores if s.law == STACK) if result.scored else None
    return Finding(
        id="scaling.forecast_rmsle",
        instrument="scaling",
        label="error of forecasts beyond the fitted part of a curve (RMSLE)",
        estimate=stack.rmsle if stack else Estimate(value=None, unit="1"),
        method=(
            "stack of last_value and laws in ln y; weights from earlier cuts of fit parts, bands from other "
            "datasets; mean over curves, interval by bootstrap over curves"
        ),
        n=len(result.scored),
        evidence=result.provenance,
        seed=result.seed,
        cautions=result.cautions,
        details={
            "by_law": {s.law: s.rmsle.value for s in result.scores} if result.scored else {},
            "by_domain": {
                domain: {s.law: s.rmsle.value for s in scores}
                for domain, scores in result.scores_by_domain.items()
            },
            "curves": len(result.curves),
        },
    )


def _coverage(result: Forecast) -> Finding:
    covered = [c.covered() for c in result.scored]
    shares = np.array([c.mean() for c in covered])
    return Finding(
        id="scaling.forecast_coverage",
        instrument="scaling",
        label=f"share of outcomes inside the {formats.percent(result.level)} bands of forecasts",
        estimate=mean_over_curves(shares, seed=result.seed, counts=np.array([c.size for c in covered])),
        method="share of points ahead inside the band; interval by bootstrap over curves",
        n=len(covered),
        evidence=result.provenance,
        seed=result.seed,
        details={
            "nominal": result.level,
            "mean_over_curves": float(shares.mean()),
            "points": sum(c.size for c in covered),
            "basis": sorted({c.factor.basis for c in result.scored}),
        },
    )


def _single(result: Forecast) -> Finding:
    found = result.curves[0]
    row = forecast_rows(found, result.at)[-1]
    return Finding(
        id="scaling.forecast",
        instrument="scaling",
        label=f"{found.curve.outcome_kind} of {found.curve.id} at {row['x']:.3g} {found.curve.x_unit}",
        estimate=Estimate(
            value=row["value"],
            low=row["low"],
            high=row["high"],
            level=result.level,
            unit=_UNITS.get(found.curve.outcome_kind, "1"),
        ),
        method="stack of last_value and laws in ln y, band by " + found.factor.basis.replace("_", " "),
        n=found.curve.rows,
        evidence=result.provenance,
        seed=result.seed,
        cautions=result.cautions,
        details={
            "ratio": row["ratio"],
            "in_support": row["in_support"],
            "last_value": row["last_value"],
            "weights": dict(zip(found.laws.names, map(float, found.weights), strict=True)),
        },
    )
