"""Picture of a sample: which functions were drawn, by how often code calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.sampling.result import Sample

STATES = {"tested": theme.BLUE, "no inputs": theme.VERMILION}


def drawn_data(found: Sample) -> pl.DataFrame:
    """Return the functions drawn with their calls and the chance of being drawn."""
    import polars as pl

    return pl.DataFrame(
        [
            {
                "function": one.name,
                "stratum": one.stratum,
                "calls": one.calls,
                "probability": one.probability,
                "state": "tested" if one.testable else "no inputs",
            }
            for one in found.drawn
        ]
    )


def drawn(found: Sample) -> alt.Chart:
    """Draw the chance of being drawn against calls."""
    import altair as alt

    frame = drawn_data(found)
    low, high = theme.ends(frame["calls"])
    least, most = theme.ends(frame["probability"])
    high, least = max(high, 10 * low), min(least, 0.1)
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_point(filled=True, size=40, opacity=0.7)
        .encode(
            x=alt.X(
                "calls:Q", scale=theme.log_scale(low, high), axis=theme.log_axis("calls in code", low, high)
            ),
            y=alt.Y(
                "probability:Q",
                scale=theme.log_scale(least, most),
                axis=theme.log_axis("chance of being drawn", least, most),
            ),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=list(STATES), range=list(STATES.values())),
                legend=alt.Legend(title=None),
            ),
            tooltip=["function:N", "stratum:N", "calls:Q", "probability:Q", "state:N"],
        )
    )
    return chart
