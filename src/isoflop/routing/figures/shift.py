"""Picture of a shift: the gain of routing on each dataset, with and without it in the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.shift.result import Shift

ROW = 18
INSIDE, OUTSIDE = "own benchmark in the pool", "left out"
PANELS = {"predictors": "accuracy of predictors", "routing": "gain of routing over the best on average"}


def sides_data(found: Shift) -> pl.DataFrame:
    """Return one row a dataset, quantity and side.

    Columns: dataset, quantity, side, value (1), loss (accuracy lost; the order of rows).
    """
    import polars as pl

    rows = [
        {
            "dataset": row["dataset"],
            "quantity": quantity,
            "side": side,
            "value": row[name],
            "loss": row["loss"],
        }
        for row in found.rows()
        for quantity, side, name in (
            ("predictors", INSIDE, "accuracy_in"),
            ("predictors", OUTSIDE, "accuracy_out"),
            ("routing", INSIDE, "gain_in"),
            ("routing", OUTSIDE, "gain_out"),
        )
    ]
    return pl.DataFrame(rows).sort("loss", descending=True, maintain_order=True)


def sides(found: Shift) -> alt.FacetChart:
    """Draw both quantities as pairs of points joined by a line, one row a dataset."""
    import altair as alt
    import polars as pl

    frame = sides_data(found).with_columns(quantity=pl.col("quantity").replace(PANELS))
    order = frame["dataset"].unique(maintain_order=True).to_list()
    y = alt.Y("dataset:N", sort=order, title=None)
    colour = alt.Color(
        "side:N",
        scale=alt.Scale(domain=[INSIDE, OUTSIDE], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    x = alt.X("value:Q", title=None, scale=alt.Scale(zero=False))
    line = alt.Chart().mark_line(color=theme.RULE, strokeWidth=1.5).encode(x=x, y=y, detail="dataset:N")
    point = (
        alt.Chart()
        .mark_circle(size=55, opacity=1)
        .encode(x=x, y=y, color=colour, tooltip=["dataset:N", "side:N", "value:Q"])
    )
    chart: alt.FacetChart = (
        alt.layer(line, point, data=frame)
        .properties(width=280, height=ROW * len(order))
        .facet(column=alt.Column("quantity:N", title=None, sort=list(PANELS.values())))
        .resolve_scale(x="independent")
    )
    return chart
