"""Pictures of what the rate rests on: its profile, and the papers that move it.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import theme
from isoflop.progress.figures.fit import ROW, rate_axis, rate_scale
from isoflop.progress.figures.sensitivity import SHOWN
from isoflop.units import halving_time_months

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.progress.robustness.diagnostics import Diagnostics
    from isoflop.progress.uncertainty.rate_profile import RateProfile


def profile_data(result: RateProfile) -> pl.DataFrame:
    """Return the least objective at each rate.

    Columns: rate_per_year, halving_time_months, objective, deviance, in_set, threshold (as an
    objective: the deviance is linear in it).
    """
    import polars as pl

    curve = result.curve
    above = curve.deviance > 0
    unit = float(np.median((curve.objective - curve.best_objective)[above] / curve.deviance[above]))
    return (
        result.frame()
        .select("rate_per_year", "halving_time_months", "objective", "deviance", "in_set")
        .with_columns(threshold=pl.lit(curve.best_objective + unit * curve.threshold))
    )


def profile(result: RateProfile) -> alt.LayerChart | alt.FacetChart:
    """Draw the least objective at each rate, and the level below which rates are not ruled out."""
    import altair as alt
    import polars as pl

    frame = profile_data(result)
    bar, best = float(frame["threshold"][0]), theme.ends(frame["objective"])[0]
    top = best + 3.0 * (bar - best)
    inside = frame.filter(pl.col("objective") <= top)["rate_per_year"]
    low, high = theme.ends(inside)
    low = min(0.0, low)
    x = alt.X("rate_per_year:Q", scale=rate_scale(low, high), axis=rate_axis(low, high))
    scale = alt.Scale(domain=[best - 0.05 * (top - best), top], nice=False, zero=False)
    y = alt.Y("objective:Q", scale=scale, title="least penalised mean squared error")
    line = alt.Chart(frame).mark_line(clip=True).encode(x=x, y=y)
    level = (
        alt.Chart(frame)
        .mark_line(style="baseline", clip=True)
        .encode(x=x, y=alt.Y("threshold:Q", scale=scale))
    )
    return alt.layer(level, line)


def influence_data(result: Diagnostics) -> pl.DataFrame:
    """Return the papers whose absence moves the rate most, refitted without them.

    Columns: paper, rows_left_out, rate_per_year (without the paper), halving_time_months, all_rows
    (rate on every row), place (cut to the picture).
    """
    import polars as pl

    point = result.fit.basin_rates()[0]
    rate = pl.col("rate_per_year")
    return (
        result.papers.drop_nulls("exact_rate")
        .select("rows_left_out", paper=_short("label"), rate_per_year="exact_rate", all_rows=pl.lit(point))
        .with_columns(
            halving_time_months=pl.when(rate > 0).then(halving_time_months(1.0) / rate),
            place=rate.clip(*SHOWN),
        )
        .unique("paper", keep="first", maintain_order=True)
    )


def _short(column: str) -> pl.Expr:
    import polars as pl

    name = pl.col(column)
    cut = pl.format("{}…", name.str.slice(0, 27))
    return pl.when(name.str.len_chars() > 28).then(cut).otherwise(name)


def influence(result: Diagnostics) -> alt.LayerChart | alt.FacetChart:
    """Draw the rate without each of the most influential papers, and the rate on all rows."""
    import altair as alt

    frame = influence_data(result)
    places = [*frame["place"].to_list(), *frame["all_rows"].to_list()]
    margin = 0.25 * (max(places) - min(places)) + 0.05
    low, high = min(places) - margin, max(places) + margin
    axis, scale = rate_axis(low, high, title="halving time (months)"), rate_scale(low, high)
    rows = alt.Y("paper:N", sort=frame["paper"].to_list(), title=None)
    base = alt.Chart(frame)
    spans = base.mark_rule(style="interval", color=theme.GREY).encode(
        x=alt.X("all_rows:Q", scale=scale, axis=axis), x2="place:Q", y=rows
    )
    points = base.mark_point(size=60, opacity=1).encode(
        x=alt.X("place:Q", scale=scale, axis=axis),
        y=rows,
        tooltip=["paper", "rows_left_out", "halving_time_months"],
    )
    whole = base.mark_rule(style="baseline").encode(x=alt.X("mean(all_rows):Q", scale=scale, axis=axis))
    return alt.layer(whole, spans, points).properties(height=ROW * frame.height)
