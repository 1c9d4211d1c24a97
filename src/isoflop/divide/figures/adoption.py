"""Picture of adoption by year: the crude share, and the share at a fixed mix of venues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.adoption.result import Adoption

CRUDE, FIXED = "crude: the venues of the year", "at a fixed mix of venues"


def years_data(found: Adoption) -> pl.DataFrame:
    """Return the share of each year, crude and at a fixed mix of venues.

    Columns: year, kind, share, low, high, naming, papers, venues.
    """
    import polars as pl

    rows = []
    for row in found.rows():
        head = {name: row[name] for name in ("year", "naming", "papers", "venues")}
        for kind, end in ((CRUDE, ""), (FIXED, "_standardised")):
            if row[f"share{end}"] is not None:
                values = {name: row[f"{name}{end}"] for name in ("share", "low", "high")}
                rows.append(head | {"kind": kind} | values)
    return pl.DataFrame(rows, infer_schema_length=None)


def years(found: Adoption) -> alt.LayerChart:
    """Draw both series with their bands."""
    import altair as alt

    frame = years_data(found)
    kinds = [kind for kind in (FIXED, CRUDE) if kind in frame["kind"].to_list()]
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=[theme.BLUE, theme.GREY][-len(kinds) :]),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d"), scale=alt.Scale(zero=False, nice=False))
    axis = alt.Axis(format=".1~%", title="share of papers that name a model")
    base = alt.Chart(frame).encode(color=colour)
    band = base.mark_area(style="band").encode(x=x, y=alt.Y("low:Q", axis=axis), y2="high:Q")
    line = base.mark_line(point=True).encode(
        x=x,
        y=alt.Y("share:Q", axis=axis),
        tooltip=["kind", "year", "share", "low", "high", "naming", "papers", "venues"],
    )
    chart: alt.LayerChart = alt.layer(band, line)  # type: ignore[assignment]
    return chart
