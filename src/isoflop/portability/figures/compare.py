"""Picture of what changed between two runs, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.compare.result import Comparison

ROW = 26
KINDS = {
    "newly failing": (-1, theme.CRIMSON),
    "newly fixed": (1, theme.GREEN),
    "slower": (-1, theme.VERMILION),
    "faster": (1, theme.BLUE),
}
"""Change to its side and colour: what was lost to the left, what was gained to the right."""


def changes_data(found: Comparison) -> pl.DataFrame:
    """Return the count of each change by target; what was lost is negative."""
    import polars as pl

    return pl.DataFrame(
        [
            {
                "target": row["target"] if ":" in row["target"] else f"{row['framework']}: {row['target']}",
                "what": "outcome" if "newly" in kind else "time",
                "change": kind,
                "functions": row[kind.replace(" ", "_")],
                "signed": side * row[kind.replace(" ", "_")],
            }
            for row in found.target_rows()
            for kind, (side, _) in KINDS.items()
        ],
        schema=dict.fromkeys(("target", "what", "change"), pl.String)
        | dict.fromkeys(("functions", "signed"), pl.Int64),
    )


def changes(found: Comparison) -> alt.FacetChart:
    """Draw bars to the left for what was lost and to the right for what was gained."""
    import altair as alt

    frame = changes_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.6})
        .encode(
            y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X(
                "signed:Q", title="functions", axis=alt.Axis(labelExpr="abs(datum.value)", tickMinStep=1)
            ),
            color=alt.Color(
                "change:N",
                scale=alt.Scale(domain=list(KINDS), range=[colour for _, colour in KINDS.values()]),
                legend=alt.Legend(title=None),
            ),
            tooltip=["target:N", "change:N", "functions:Q"],
        )
    )
    zero = alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(0))
    chart: alt.FacetChart = (
        alt.layer(bars, zero, data=frame)
        .properties(width=260, height=ROW * max(1, len(order)))
        .facet(column=alt.Column("what:N", title=None))
        .resolve_scale(x="independent")
    )
    return chart
