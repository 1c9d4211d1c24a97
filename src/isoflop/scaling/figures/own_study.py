"""The picture of the robotics study that this project measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.evidence import Table

PANEL_WIDTH, PANEL_HEIGHT = 178, 110
RESOURCES = {"data": "demonstrations", "model_size": "parameters", "compute": "training FLOP"}


def own_study_data(points: Table, paper: str) -> pl.DataFrame:
    """Return the measured points: task, resource, familiarity, multiple of the smallest amount, success.

    ``low`` and ``high`` are two standard errors between seeds, cut to [0, 1]; missing where all seeds did
    equally well.
    """
    import polars as pl

    success, reach = pl.col("success"), 2.0 * pl.col("y_se") / 100.0
    return (
        points.frame.filter(pl.col("paper_id") == paper)
        .with_columns(
            task=pl.col("study_id").str.split("/").list.first(),
            resource=pl.col("resource").replace_strict(RESOURCES, default=pl.col("resource")),
            multiple=pl.col("x") / pl.col("x").min().over("study_id"),
            low=(success - reach).clip(0.0, 1.0),
            high=(success + reach).clip(0.0, 1.0),
        )
        .select("task", "resource", "familiarity", "x", "multiple", "success", "low", "high", "n_trials")
    )


def own_study(points: Table, paper: str) -> alt.FacetChart:
    """Draw success against the multiple of each resource, a row of panels a task, seen beside unseen."""
    import altair as alt

    frame = own_study_data(points, paper)
    low, high = theme.ends(frame["multiple"])
    x = alt.X(
        "multiple:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis("× the smallest amount", low, high),
    )
    y = alt.Y(
        "success:Q", title="success", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=3)
    )
    colour = alt.Color(
        "familiarity:N",
        scale=alt.Scale(domain=["seen", "unseen"], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart().encode(x=x, color=colour)
    layers = alt.layer(
        base.mark_rule(style="interval").encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.5).encode(y=y),
        base.mark_circle(size=28).encode(
            y=y, tooltip=["task:N", "resource:N", "x:Q", "success:Q", "n_trials:Q"]
        ),
        data=frame,
    ).properties(width=PANEL_WIDTH, height=PANEL_HEIGHT)
    chart: alt.FacetChart = layers.facet(
        row=alt.Row("task:N", sort=frame["task"].unique(maintain_order=True).to_list(), title=None),
        column=alt.Column("resource:N", sort=list(RESOURCES.values()), title=None),
    )
    return chart
