"""Picture of published scores: on each benchmark, how far the best model is above the best on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.shortlist.result import Shortlist

ROW = 26
ROOM = 0.2
"""Part of the range left free on the right for the names."""
LEADER, BASE = "best there", "best on average over the others"


def leads_data(found: Shortlist) -> pl.DataFrame:
    """Return two rows a benchmark: its leader, and the model that is best on average over the others.

    Columns: benchmark, which, model, score (percent).
    """
    import polars as pl

    rows = [
        {
            "benchmark": row["benchmark"],
            "which": which,
            "model": row[name],
            "score": 100 * row[f"{name}_score"],
        }
        for row in found.benchmark_rows()
        for which, name in ((LEADER, "leader"), (BASE, "best_on_average"))
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def leads(found: Shortlist) -> alt.LayerChart | alt.FacetChart:
    """Draw the two scores of each benchmark, joined, with the leader's name."""
    import altair as alt

    frame = leads_data(found)
    order = frame["benchmark"].unique(maintain_order=True).to_list()
    y = alt.Y("benchmark:N", sort=order, title=None)
    low, high = theme.ends(frame["score"])
    room = ROOM * max(high - low, 1.0)
    x = alt.X(
        "score:Q",
        title="published score (%)",
        scale=alt.Scale(domain=[low - room / 4, high + room], nice=True),
    )
    base = alt.Chart(frame)
    colour = alt.Color(
        "which:N",
        scale=alt.Scale(domain=[LEADER, BASE], range=[theme.VERMILION, theme.BLUE]),
        legend=alt.Legend(title=None),
    )
    named = base.transform_filter(alt.datum.which == LEADER)
    return alt.layer(
        base.mark_line(color=theme.RULE).encode(x=x, y=y, detail="benchmark:N"),
        base.mark_circle(size=70, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=["benchmark:N", "which:N", "model:N", "score:Q"]
        ),
        named.mark_text(style="note", align="left", dx=8).encode(x=x, y=y, text="model:N"),
    ).properties(height=ROW * len(order))
