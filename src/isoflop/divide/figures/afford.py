"""Pictures of affordability: shares within a budget by year, and what each system would have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import team_colour
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.afford.result import Affordability

LEAST = 3
"""Large systems a calendar year needs to be drawn."""


def budgets_data(found: Affordability) -> pl.DataFrame:
    """Return the share of each year's large systems within each budget, with the interval of the draws."""
    import polars as pl

    rows = [
        {
            "year": cell.period.first,
            "budget": purse.text,
            "usd": purse.usd,
            "share": cell.share,
            "low": cell.low,
            "high": cell.high,
            "k": cell.k,
            "n": cell.n,
        }
        for purse in found.purses
        if purse.kind == "budget"
        for cell in found.by_year(purse)
        if cell.n >= LEAST
    ]
    schema = {
        "year": pl.Int64,
        "budget": pl.String,
        **dict.fromkeys(("usd", "share", "low", "high"), pl.Float64),
        "k": pl.Int64,
        "n": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def budgets(found: Affordability) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of a year's large systems within each budget, with bands of the draws."""
    import altair as alt

    frame = budgets_data(found)
    order = frame.sort("usd")["budget"].unique(maintain_order=True).to_list()
    ramp = theme.RAMP[-len(order) :] if len(order) <= len(theme.RAMP) else theme.RAMP
    colour = alt.Color(
        "budget:N",
        sort=order,
        scale=alt.Scale(domain=order, range=list(ramp)),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%")
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False))
    base = alt.Chart(frame).encode(x=x, color=colour)
    band = base.mark_area(style="band").encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    y = alt.Y("share:Q", title="share of the year's large systems", scale=scale, axis=axis)
    tips = ["year:Q", "budget:N", "share:Q", "low:Q", "high:Q", "k:Q", "n:Q"]
    return alt.layer(
        band, base.mark_line().encode(y=y), base.mark_circle(opacity=1).encode(y=y, tooltip=tips)
    )


def costs_data(found: Affordability) -> pl.DataFrame:
    """Return each system with the cost of its final run on the market of its day."""
    import polars as pl

    names = ("model", "date", "team", "is_large", "cost_usd", "low", "high", "hardware", "basis")
    return pl.DataFrame(
        [{name: getattr(one, name) for name in names} for one in found.systems], infer_schema_length=None
    )


def costs(found: Affordability) -> alt.LayerChart | alt.FacetChart:
    """Draw what each system would have cost by date, the large ones filled, and lines at the budgets."""
    import altair as alt
    import polars as pl

    frame = costs_data(found)
    budgets = [purse.usd for purse in found.purses if purse.kind == "budget"]
    low, high = theme.ends(frame["cost_usd"], pl.Series(budgets, dtype=pl.Float64))
    scale = theme.log_scale(low, high)
    y = alt.Y("cost_usd:Q", scale=scale, axis=theme.log_axis("cost of the final run (US dollars)", low, high))
    points = (
        alt.Chart(frame)
        .mark_point()
        .encode(
            x=alt.X("date:T", title=None),
            y=y,
            color=team_colour(frame["team"].unique().to_list()),
            opacity=alt.Opacity(
                "is_large:N", scale=alt.Scale(domain=[True, False], range=[0.9, 0.25]), legend=None
            ),
            tooltip=["model:N", "date:T", "team:N", "cost_usd:Q", "low:Q", "high:Q", "hardware:N", "basis:N"],
        )
    )
    rules = [
        alt.Chart(frame).mark_rule(style="baseline").encode(y=alt.Y(datum=usd, scale=scale))
        for usd in budgets
    ]
    return alt.layer(*rules, points)
