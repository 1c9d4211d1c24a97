"""Pictures of the gap: over time with its band, and what other methods say at the headline year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.gap.result import ComputeGap

LINE, MEDIAN = "two lines", "medians"
ROW = 26
METHODS = {
    "hc1": "two lines, robust (HC1)",
    "ols": "two lines, least squares",
    "cluster": "two lines, by organisation",
    "collaboration_as_industry": "collaborations as industry",
    "monte_carlo": "doubt about compute alone",
    "monte_carlo_and_sampling": "doubt and sampling together",
}


def over_time_data(found: ComputeGap) -> pl.DataFrame:
    """Return the gap by mid-year with its interval, and the difference of medians by period.

    Columns: method, year, gap, low, high (orders of magnitude), n (of the period; missing on the line).
    """
    import polars as pl

    first, last = (math.floor(end) for end in found.span)
    lines = [(year, found.lead.at(year, found.level)) for year in range(first, last + 1)]
    rows = [
        {"method": LINE, "year": y + 0.5, "gap": e.value, "low": e.low, "high": e.high, "n": None}
        for y, e in lines
    ]
    rows += [
        {
            "method": MEDIAN,
            "year": (one.period.first + one.period.last + 1) / 2,
            "gap": one.gap.value,
            "low": one.gap.low,
            "high": one.gap.high,
            "n": one.n_academia + one.n_industry,
        }
        for one in found.medians
        if one.gap.value is not None
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def over_time(found: ComputeGap) -> alt.LayerChart | alt.FacetChart:
    """Draw the distance of the two lines over time, with medians by period beside it."""
    import altair as alt

    frame = over_time_data(found)
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False))
    title = "industry minus academia (orders of magnitude)"
    colour = alt.Color(
        "method:N",
        scale=alt.Scale(domain=[LINE, MEDIAN], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    y, low = alt.Y("gap:Q", title=title), alt.Y("low:Q", title=title)
    fitted = alt.Chart(frame).transform_filter(alt.datum.method == LINE)
    plain = alt.Chart(frame).transform_filter(alt.datum.method == MEDIAN)
    return alt.layer(
        fitted.mark_area(style="band").encode(x=x, y=low, y2="high:Q", color=colour),
        fitted.mark_line().encode(x=x, y=y, color=colour),
        plain.mark_rule(style="interval").encode(x=x, y=low, y2="high:Q", color=colour),
        plain.mark_circle(size=70, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=["year:Q", "gap:Q", "low:Q", "high:Q", "n:Q"]
        ),
    )


def methods_data(found: ComputeGap) -> pl.DataFrame:
    """Return the gap at the headline year and its change a year, one row a method."""
    import polars as pl

    frame = found.frame().filter((pl.col("year") == found.at_year) | pl.col("year").is_null())
    return frame.select(
        "quantity", pl.col("method").replace(method_words(found)), "value", "low", "high", "p", "n"
    )


def method_words(found: ComputeGap) -> dict[str, str]:
    """Return each method as it reads in pictures and tables."""
    quantiles = {f"quantile_{100 * q.q:g}".replace(".", "_"): f"{q.q:g} quantile" for q in found.quantiles}
    return METHODS | quantiles


def methods(found: ComputeGap) -> alt.FacetChart:
    """Draw the gap and its change under each method."""
    import altair as alt
    import polars as pl

    frame = methods_data(found).with_columns(
        quantity=pl.col("quantity").replace(
            {
                "gap": f"gap in mid-{found.at_year} (orders of magnitude)",
                "widening": "change a year (orders of magnitude)",
            }
        )
    )
    order = frame["method"].unique(maintain_order=True).to_list()
    base = alt.Chart().encode(y=alt.Y("method:N", sort=order, title=None, axis=alt.Axis(labelLimit=280)))
    rule = base.mark_rule(style="interval").encode(x=alt.X("low:Q", title=None), x2="high:Q")
    point = base.mark_circle(size=60, opacity=1).encode(
        x="value:Q", tooltip=["method:N", "value:Q", "low:Q", "high:Q", "p:Q", "n:Q"]
    )
    zero = alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(0))
    chart: alt.FacetChart = (
        alt.layer(zero, rule, point, data=frame)
        .properties(width=280, height=ROW * len(order))
        .facet(column=alt.Column("quantity:N", sort=list(frame["quantity"].unique(maintain_order=True))))
        .resolve_scale(x="independent")
    )
    return chart
