"""Pictures of forecasts: curves beside the last value, errors by law, coverage by horizon.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import theme
from isoflop.scaling.figures.axes import log_x
from isoflop.scaling.forecast.settings import LAST_VALUE, STACK

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.forecast.result import CurveForecast, Forecast

PANELS = 9
PAST = 1 / 12
"""Ratio of x to the last fit point from which a panel shows the past."""
_GRID = 25
_PANEL = 172
_POINTS = 60
HORIZONS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.5, 5.0, 10.0, 30.0, np.inf)
_FEW_POINTS = 5
"""Points below which a bin of horizons is left out."""


def shown(found: Forecast, count: int = PANELS) -> tuple[CurveForecast, ...]:
    """Return `count` curves spread evenly over those of the table."""
    curves = found.scored or found.curves
    places = np.unique(np.linspace(0, len(curves) - 1, min(count, len(curves))).round().astype(int))
    return tuple(curves[i] for i in places)


def grid_data(found: Forecast) -> pl.DataFrame:
    """Return points and forecasts of some curves, as multiples of their last fit point.

    Columns: curve, part (fit | ahead | forecast), ratio (x by the last fitted x), outcome, last_value, low,
    high (by the last fitted outcome; `outcome` is observed in the first two parts).
    """
    import polars as pl

    parts = []
    for one in shown(found):
        curve = one.curve
        past = curve.u >= np.log(PAST)
        line = np.linspace(0.0, np.log(one.laws.horizon), _GRID)
        centre, half = one.log_stack(line)
        thin = slice(None, None, max(1, curve.u_ahead.size // _POINTS))
        for part, u, log_outcome, width in (
            ("fit", curve.u[past], curve.log_y[past], None),
            ("ahead", curve.u_ahead[thin], curve.log_y_ahead[thin], None),
            ("forecast", line, centre, half),
        ):
            above = log_outcome - curve.log_last
            parts.append(
                pl.DataFrame(
                    {
                        "curve": [curve.id] * u.size,
                        "part": [part] * u.size,
                        "ratio": np.exp(u),
                        "outcome": np.exp(above),
                        "last_value": np.ones(u.shape),
                        "low": np.full(u.shape, np.nan) if width is None else np.exp(above - width),
                        "high": np.full(u.shape, np.nan) if width is None else np.exp(above + width),
                    },
                    schema_overrides={"curve": pl.String, "part": pl.String},
                )
            )
    return pl.concat(parts).with_columns(pl.col("low", "high").fill_nan(None))


def grid(found: Forecast) -> alt.FacetChart:
    """Draw curves, their forecasts with bands, and the last value as a dashed line."""
    import altair as alt

    frame = grid_data(found)
    x = log_x("ratio", "x, by the last fitted one", theme.ends(frame["ratio"]))
    scale = alt.Scale(type="log", zero=False, nice=False, padding=4)
    axis = alt.Axis(title="outcome, by the last fitted one", tickCount=4, format="~g")
    y = alt.Y("outcome:Q", scale=scale, axis=axis)
    base = alt.Chart()
    ahead = base.transform_filter("datum.part == 'forecast'")
    band = ahead.mark_area(style="band").encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    line = ahead.mark_line().encode(x=x, y=y)
    level = ahead.mark_line(style="baseline").encode(x=x, y=alt.Y("last_value:Q", scale=scale, axis=axis))
    kinds = alt.Color(
        "part:N",
        scale=alt.Scale(domain=["fit", "ahead"], range=[theme.GREY, theme.VERMILION]),
        legend=alt.Legend(title=None, labelExpr="datum.label == 'fit' ? 'fitted' : 'what came'"),
    )
    points = (
        base.transform_filter("datum.part != 'forecast'")
        .mark_point(size=14)
        .encode(x=x, y=y, color=kinds, tooltip=["curve:N", "ratio:Q", "outcome:Q"])
    )
    chart: alt.FacetChart = (
        alt.layer(band, level, points, line, data=frame)
        .properties(width=_PANEL, height=_PANEL - 50)
        .facet(
            facet=alt.Facet("curve:N", sort=frame["curve"].unique(maintain_order=True).to_list()), columns=3
        )
        .resolve_scale(y="independent")
    )
    return chart


def errors_data(found: Forecast) -> pl.DataFrame:
    """Return the mean error of each law: law, rmsle, low, high, n_curves, kind (law | baseline | stack)."""
    import polars as pl

    kinds = {LAST_VALUE: "baseline", STACK: "stack"}
    rows = [
        {k: v for k, v in score.row().items() if not k.startswith("difference")}
        | {"kind": kinds.get(score.law, "law")}
        for score in found.scores
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def errors(found: Forecast) -> alt.LayerChart | alt.FacetChart:
    """Draw the mean error of each law with its interval, the last value first."""
    import altair as alt

    frame = errors_data(found)
    y = alt.Y("law:N", sort=frame["law"].to_list(), title=None)
    ends = theme.ends(frame["rmsle"], frame["low"], frame["high"])
    title = "root mean squared log error beyond the fitted part"
    base = alt.Chart(frame)
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["baseline", "law", "stack"], range=[theme.GREY, theme.BLUE, theme.VERMILION]),
        legend=None,
    )
    return alt.layer(
        base.mark_rule(style="interval").encode(x=log_x("low", title, ends), x2="high:Q", y=y, color=colour),
        base.mark_point(size=70, opacity=1).encode(
            x=log_x("rmsle", title, ends),
            y=y,
            color=colour,
            tooltip=["law:N", "rmsle:Q", "low:Q", "high:Q", "n_curves:Q"],
        ),
    ).properties(height=27 * frame.height)


def coverage_data(found: Forecast) -> pl.DataFrame:
    """Return what the bands hold by horizon.

    Columns: ratio (geometric middle of the bin, x by the last fitted x), points, curves, covered (share),
    rmsle, rmsle_last_value, nominal. Bins of fewer than five points are left out.
    """
    import polars as pl

    ratio, inside, off, last, owner = [], [], [], [], []
    for k, one in enumerate(found.scored):
        u, log_y = one.curve.u_ahead, one.curve.log_y_ahead
        ratio.append(np.exp(u))
        inside.append(one.covered())
        off.append(one.log_stack(u)[0] - log_y)
        last.append(one.curve.log_last - log_y)
        owner.append(np.full(u.size, k))
    if not ratio:
        return pl.DataFrame()
    x, held, error, naive, curve = (np.concatenate(part) for part in (ratio, inside, off, last, owner))
    rows = []
    for low, high in pairwise(HORIZONS):
        here = (x > low) & (x <= high)
        if here.sum() < _FEW_POINTS:
            continue
        rows.append(
            {
                "ratio": float(np.exp(np.log(x[here]).mean())),
                "points": int(here.sum()),
                "curves": len(np.unique(curve[here])),
                "covered": float(held[here].mean()),
                "rmsle": float(np.sqrt(np.mean(error[here] ** 2))),
                "rmsle_last_value": float(np.sqrt(np.mean(naive[here] ** 2))),
                "nominal": found.level,
            }
        )
    return pl.DataFrame(rows)


def coverage(found: Forecast) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of outcomes inside the bands by horizon, beside the nominal level."""
    import altair as alt

    frame = coverage_data(found)
    x = log_x("ratio", "x, as a multiple of the last fitted x", theme.ends(frame["ratio"]))
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(title="share of outcomes inside the band", format="%")
    y = alt.Y("covered:Q", scale=scale, axis=axis)
    base = alt.Chart(frame)
    return alt.layer(
        base.mark_line(style="baseline").encode(x=x, y=alt.Y("nominal:Q", scale=scale, axis=axis)),
        base.mark_line().encode(x=x, y=y),
        base.mark_point(size=60, opacity=1).encode(
            x=x,
            y=y,
            tooltip=["ratio:Q", "covered:Q", "points:Q", "curves:Q", "rmsle:Q", "rmsle_last_value:Q"],
        ),
    )
