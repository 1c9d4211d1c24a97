"""Pictures of compute deciles and of fields by compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import TEAM_COLOURS
from isoflop.present import formats, theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.deciles.result import ComputeDeciles

ROW = 26
TOP = 6.0
"""Ratios are drawn up to here; an interval that goes on is cut, and its end is in the frame."""


def groups_data(found: ComputeDeciles) -> pl.DataFrame:
    """Return the groups: place, ratio with its ends, the team's systems and all systems."""
    import polars as pl

    return (
        found.frame()
        .filter(pl.col("ratio").is_not_null())
        .select("group", "ratio", "low", "high", pl.col(f"k_{found.team}").alias("k"), "n", "share")
    )


def groups(found: ComputeDeciles) -> alt.LayerChart | alt.FacetChart:
    """Draw the team's share in each group over its share of all, beside one."""
    import altair as alt
    import polars as pl

    frame = groups_data(found)
    x = alt.X("group:O", title=f"{found.word} of compute above trend", axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[0, min(TOP, max(2.0, float(frame["high"].to_numpy().max())))])
    y = alt.Y("ratio:Q", title=f"share of {found.team} over its share of all", scale=scale)
    base = alt.Chart(frame).encode(x=x)
    colour = TEAM_COLOURS[found.team]
    tips = [f"{name}:Q" for name in ("group", "ratio", "low", "high", "k", "n")]
    one = alt.Chart(pl.DataFrame({"one": [1.0]})).mark_rule(style="baseline").encode(y="one:Q")
    return alt.layer(
        base.mark_bar(color=colour, opacity=0.45).encode(y=y, tooltip=tips),
        base.mark_rule(style="interval", color=theme.INK, clip=True).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        ),
        one,
    )


def fields_data(found: ComputeDeciles) -> pl.DataFrame:
    """Return domains (tasks where the table has no domains): median FLOP, ratio with its ends, counts."""
    import polars as pl

    by = "domain" if found.fields.get("domain") else "task"
    return pl.DataFrame(
        [
            {
                "field": f.name,
                "label": f"{f.name}, {formats.flop(10.0**f.median_log10_flop)}",
                "median_flop": 10.0**f.median_log10_flop,
                "ratio": f.ratio,
                "low": f.low,
                "high": f.high,
                "k": f.k,
                "n": f.n,
            }
            for f in found.fields.get(by, ())
        ],
        schema={
            "field": pl.String,
            "label": pl.String,
            "median_flop": pl.Float64,
            "ratio": pl.Float64,
            "low": pl.Float64,
        }
        | {"high": pl.Float64, "k": pl.Int64, "n": pl.Int64},
    )


def fields(found: ComputeDeciles) -> alt.LayerChart | alt.FacetChart:
    """Draw how common the team is in each field; the field with the most compute stands on top."""
    import altair as alt
    import polars as pl

    frame = fields_data(found)
    y = alt.Y("label:N", sort=frame["label"].to_list(), title=None)
    scale = alt.Scale(domain=[0, min(TOP, float(frame["high"].to_numpy().max()))])
    x = alt.X("ratio:Q", title=f"share of {found.team} over its share of all", scale=scale)
    base = alt.Chart(frame).encode(y=y)
    one = alt.Chart(pl.DataFrame({"one": [1.0]})).mark_rule(style="baseline").encode(x="one:Q")
    tips = ["field:N", *(f"{name}:Q" for name in ("median_flop", "ratio", "k", "n"))]
    return alt.layer(
        one,
        base.mark_rule(style="interval", clip=True).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_circle(size=70, opacity=1).encode(x=x, tooltip=tips),
    ).properties(height=ROW * frame.height)
