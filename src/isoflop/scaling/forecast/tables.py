"""A forecast as rows: for documents, pages and data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.scaling.forecast.settings import LAST_VALUE, STACK

if TYPE_CHECKING:
    import polars as pl

    from isoflop.scaling.forecast.result import CurveForecast, Forecast


def document_tables(result: Forecast) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a forecast's document; those of scores are empty without forecast parts."""
    scored = bool(result.scored)
    return {
        "rmsle_by_law": [score.row() for score in result.scores] if scored else [],
        "rmsle_by_domain": [
            {"domain": domain, **score.row()}
            for domain, scores in result.scores_by_domain.items()
            for score in scores
        ],
        "curves": [_curve_row(c) for c in result.curves],
        "weights": [
            {"curve_id": c.curve.id, "law": name, "weight": float(weight)}
            for c in result.curves
            for name, weight in zip(c.laws.names, c.weights, strict=True)
        ],
        "forecasts": [row for c in result.curves for row in forecast_rows(c, result.at)],
    }


def _curve_row(found: CurveForecast) -> dict[str, Any]:
    curve, errors = found.curve, found.errors()
    return {
        "curve_id": curve.id,
        "domain": curve.domain,
        "task": curve.task,
        "model": curve.model,
        "rows_fit": curve.rows,
        "rows_ahead": curve.u_ahead.size,
        "x_last": curve.x_last,
        "x_unit": curve.x_unit,
        "horizon": found.laws.horizon,
        "in_support": found.in_support,
        "origins": found.laws.origins,
        "tested_ratio": found.laws.tested_ratio,
        "noise": curve.noise,
        "rmsle": errors.get(STACK),
        "rmsle_last_value": errors.get(LAST_VALUE),
        "covered": float(found.covered().mean()) if curve.u_ahead.size else None,
        "band_factors": list(found.factor.values),
        "band_basis": found.factor.basis,
        "band_curves": found.factor.curves,
    }


def forecast_rows(found: CurveForecast, at: tuple[float, ...]) -> list[dict[str, Any]]:
    """Return the forecasts asked for, or the one at the end of the horizon."""
    curve = found.curve
    x = np.array(at) if at else np.array([curve.x_last * found.laws.horizon])
    made = found.predict(x)
    observed = dict(zip(np.exp(curve.u_ahead) * curve.x_last, np.exp(curve.log_y_ahead), strict=True))
    return [
        {
            "curve_id": curve.id,
            "x": float(made.x[i]),
            "ratio": float(made.x[i] / curve.x_last),
            "value": float(made.value[i]),
            "low": float(made.low[i]),
            "high": float(made.high[i]),
            "level": made.level,
            "last_value": float(np.exp(curve.log_last)),
            "observed": next((float(y) for at_x, y in observed.items() if np.isclose(at_x, made.x[i])), None),
            "in_support": bool(made.in_support[i]),
        }
        for i in range(len(made.x))
    ]


def points_frame(result: Forecast) -> pl.DataFrame:
    """Return one row per point of every curve, with the forecast where one was made."""
    import polars as pl

    parts = []
    for found in result.curves:
        curve = found.curve
        asked = np.log(np.array(result.at) / curve.x_last)
        for part, u, observed in (
            ("fit", curve.u, np.exp(curve.log_y)),
            ("ahead", curve.u_ahead, np.exp(curve.log_y_ahead)),
            ("asked", asked, np.full(asked.shape, np.nan)),
        ):
            made = found.predict(np.exp(u) * curve.x_last)
            known = np.full(u.shape, part != "fit")
            parts.append(
                pl.DataFrame(
                    {
                        "curve_id": [curve.id] * u.size,
                        "domain": [curve.domain] * u.size,
                        "part": [part] * u.size,
                        "x": made.x,
                        "observed": observed,
                        **{
                            name: np.where(known, values, np.nan)
                            for name, values in (
                                ("value", made.value),
                                ("low", made.low),
                                ("high", made.high),
                            )
                        },
                        "last_value": np.where(known, np.exp(curve.log_last), np.nan),
                        "in_support": made.in_support,
                    },
                    schema_overrides={"curve_id": pl.String, "domain": pl.String, "part": pl.String},
                )
            )
    return pl.concat(parts).with_columns(pl.selectors.float().fill_nan(None))
