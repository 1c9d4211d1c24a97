"""Picture of who is among the most cited of a venue and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import team_colour
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.impact.result import Impact

ROW = 30


def top_data(found: Impact) -> pl.DataFrame:
    """Return each team's share of papers among the most cited, with Wilson ends.

    Columns: team, top, papers, most_cited, share, low, high, even (share if teams did not matter).
    """
    import polars as pl

    from isoflop.divide.impact.result import TOP_NAMES, TOP_WORDS

    words = {TOP_NAMES[top]: f"most cited {word}" for top, word in TOP_WORDS.items()}
    even = {TOP_NAMES[top]: 1 - top for top in TOP_WORDS}
    return found.frame().with_columns(
        even=pl.col("top").replace_strict(even), top=pl.col("top").replace_strict(words)
    )


def top(found: Impact) -> alt.FacetChart:
    """Draw the shares with their intervals, and dashed the share that each would have by chance."""
    import altair as alt

    frame = top_data(found)
    teams = frame["team"].unique(maintain_order=True).to_list()
    x_axis = alt.Axis(format="%", title="share of the team's papers", tickCount=5)
    scale = alt.Scale(zero=True)
    base = alt.Chart(frame).encode(
        y=alt.Y("team:N", sort=teams, title=None), color=team_colour(teams, legend=False)
    )
    spans = base.mark_rule(strokeWidth=4, opacity=0.4).encode(
        x=alt.X("low:Q", axis=x_axis, scale=scale), x2="high:Q"
    )
    points = base.mark_circle(size=80, opacity=1).encode(
        x=alt.X("share:Q", axis=x_axis, scale=scale),
        tooltip=["team", "top", "share", "low", "high", "papers", "most_cited"],
    )
    even = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.X("mean(even):Q", axis=x_axis))
    chart: alt.FacetChart = (
        alt.layer(even, spans, points)
        .properties(width=(theme.WIDTH - 120) // 2, height=ROW * len(teams))
        .facet(
            column=alt.Column("top:N", title=None, sort=frame["top"].unique(maintain_order=True).to_list())
        )
        .resolve_scale(x="independent")
    )
    return chart
