"""Pictures of growth: systems over time with each team's trend, and doubling times by kind of interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import team_colour
from isoflop.divide.growth.settings import INTERVAL_WORDS
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.growth.result import ComputeGrowth

TRENDS = ("academia", "industry", "collaboration")
"""Teams whose line is drawn; the others have a handful of systems."""
SYSTEM, TREND = "system", "trend"
ROW = 24


def systems_data(found: ComputeGrowth) -> pl.DataFrame:
    """Return systems (part ``system``) and the trend of each team with its band (part ``trend``).

    Columns: part, team, model, year, flop, low, high.
    """
    import polars as pl

    sample = found.sample
    points = pl.DataFrame(
        {
            "part": [SYSTEM] * sample.n,
            "team": sample.team.tolist(),
            "model": sample.frame["model"].to_list(),
            "year": sample.t,
            "flop": 10.0**sample.log10_flop,
            "low": [None] * sample.n,
            "high": [None] * sample.n,
        },
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )
    lines = [
        pl.DataFrame(
            {
                "part": [TREND] * line.band.year.size,
                "team": [line.team] * line.band.year.size,
                "model": [None] * line.band.year.size,
                "year": line.band.year,
                "flop": 10.0**line.band.line,
                "low": 10.0**line.band.low,
                "high": 10.0**line.band.high,
            },
            schema_overrides={"model": pl.String},
        )
        for line in found.lines
        if line.team in TRENDS and line.band is not None
    ]
    return pl.concat([points, *lines])


def systems(found: ComputeGrowth) -> alt.LayerChart | alt.FacetChart:
    """Draw compute over time by team, with trends and bands."""
    import altair as alt

    frame = systems_data(found)
    colour = team_colour(frame["team"].unique().to_list())
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False))
    low, high = theme.ends(frame["flop"])
    scale = theme.log_scale(low, high)
    axis = theme.log_axis("training compute (FLOP)", low, high, grid=True)
    y = alt.Y("flop:Q", scale=scale, axis=axis)
    base = alt.Chart(frame)
    points = (
        base.transform_filter(alt.datum.part == SYSTEM)
        .mark_circle(size=28, opacity=0.55)
        .encode(x=x, y=y, color=colour, tooltip=["model:N", "team:N", "year:Q", "flop:Q"])
    )
    trends = base.transform_filter(alt.datum.part == TREND)
    bottom = alt.Y("low:Q", scale=scale, axis=axis)
    band = trends.mark_area(style="band", clip=True).encode(x=x, y=bottom, y2="high:Q", color=colour)
    line = trends.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour)
    return alt.layer(band, points, line)


def intervals_data(found: ComputeGrowth) -> pl.DataFrame:
    """Return the doubling time of each team, one row a kind of interval; an open end is missing."""
    import polars as pl

    frame = found.frame().filter(pl.col("doubling_months").is_not_null() & (pl.col("n") >= 10))
    words = pl.col("interval").replace(INTERVAL_WORDS)
    return frame.select("team", words, "doubling_months", "low", "high", "open", "n")


def intervals(found: ComputeGrowth) -> alt.LayerChart | alt.FacetChart:
    """Draw doubling times with each kind of interval beside the other."""
    import altair as alt
    import polars as pl

    frame = intervals_data(found)
    far = max(frame.select(pl.max_horizontal("doubling_months", "high").max()).item(), 1.0)
    shown = frame.with_columns(end=pl.col("high").fill_null(1.15 * far))
    order = frame["team"].unique(maintain_order=True).to_list()
    y = alt.Y("team:N", sort=order, title=None)
    kinds = frame["interval"].unique(maintain_order=True).to_list()
    offset = alt.YOffset("interval:N", sort=kinds)
    colour = alt.Color(
        "interval:N",
        sort=kinds,
        scale=alt.Scale(range=list(theme.PALETTE[: len(kinds)])),
        legend=alt.Legend(title=None, labelLimit=300),
    )
    x = alt.X("low:Q", title="doubling time (months)", scale=alt.Scale(zero=True))
    base = alt.Chart(shown).encode(y=y, yOffset=offset, color=colour)
    rule = base.mark_rule(strokeWidth=2).encode(x=x, x2="end:Q")
    point = base.mark_circle(size=45, opacity=1).encode(
        x=alt.X("doubling_months:Q", title="doubling time (months)"),
        tooltip=["team:N", "interval:N", "doubling_months:Q", "low:Q", "high:Q", "n:Q"],
    )
    return alt.layer(rule, point).properties(height=ROW * len(order) * max(2, len(kinds) // 2))
