"""Pictures of how well laws predict rows they have not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.compare.result import Comparison

LAST_VALUE = "last value"
MANY_UNITS = 12
"""Beyond this many curves single ones are drawn faintly."""


def differences_data(found: Comparison) -> pl.DataFrame:
    """Return one row per scored law: law, score, difference from the last value with low and high."""
    import polars as pl

    frame = found.frame().filter(pl.col(found.score).is_not_null())
    return frame.select(
        law=pl.col("law").replace("last_value", LAST_VALUE),
        score=pl.col(found.score),
        difference=pl.col("to_last_value").fill_null(0.0),
        low=pl.col("to_last_value_low"),
        high=pl.col("to_last_value_high"),
    )


def differences(found: Comparison) -> alt.LayerChart | alt.FacetChart:
    """Draw how much better than the last value each law predicts, with paired intervals."""
    import altair as alt

    frame = differences_data(found)
    order = frame["law"].to_list()
    y = alt.Y("law:N", sort=order, title=None)
    title = "error of ln y on unseen rows, less that of the last value (left is better)"
    x = alt.X("difference:Q", title=title, scale=alt.Scale(padding=12))
    base = alt.Chart(frame).encode(y=y)
    return alt.layer(
        alt.Chart(frame.head(1)).mark_rule(style="baseline").encode(x="difference:Q"),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(style="interval")
        .encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_circle(size=70).encode(
            x=x, tooltip=["law:N", "score:Q", "difference:Q", "low:Q", "high:Q"]
        ),
    )


def units_data(found: Comparison) -> pl.DataFrame:
    """Return one row per unit and law: unit, law, score, n."""
    import polars as pl

    frame = found.units_frame()
    return frame.select(
        "unit", pl.col("law").replace("last_value", LAST_VALUE), pl.col(found.score).alias("score"), "n"
    )


def units(found: Comparison) -> alt.LayerChart | alt.FacetChart:
    """Draw the error of each law in each unit, and their mean."""
    import altair as alt
    import polars as pl

    # An exact prediction has no place on a logarithmic axis.
    frame = units_data(found).filter(pl.col("score") > 0)
    means = frame.group_by("law", maintain_order=True).agg(score=pl.col("score").mean())
    order = differences_data(found)["law"].to_list()
    low, high = theme.ends(frame["score"])
    x = alt.X(
        "score:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis("error of ln y on unseen rows", low, high),
    )
    y = alt.Y("law:N", sort=order, title=None)
    faint = 0.35 if len(found.units) > MANY_UNITS else 0.7
    return alt.layer(
        alt.Chart(frame)
        .mark_circle(size=30, color=theme.GREY, opacity=faint)
        .encode(x=x, y=y, tooltip=["unit:N", "law:N", "score:Q", "n:Q"]),
        alt.Chart(means).mark_tick(thickness=3, size=16, color=theme.BLUE).encode(x="score:Q", y=y),
    )
