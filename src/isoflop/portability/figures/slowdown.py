"""Pictures of slow-downs: the distribution, the effect of input size, and first calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.model import OVER, SIZES
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.slowdown.result import Slowdown


def distribution_data(found: Slowdown) -> pl.DataFrame:
    """Return each function's ratio with its interval, from fastest to slowest, with its rank."""
    import polars as pl

    frame = found.frame().sort("ratio", "function")
    return frame.select(
        "function",
        "ratio",
        "low",
        "high",
        ((pl.int_range(pl.len()) + 0.5) / pl.len()).alias("share_below"),
        bound=pl.when("is_dispatch_bound").then(pl.lit("dispatch")).otherwise(pl.lit("kernel")),
    )


def distribution(found: Slowdown) -> alt.LayerChart | alt.FacetChart:
    """Draw the ratios in order, with lines at 1 and 10; dispatch-bound ones are hollow."""
    import altair as alt

    frame = distribution_data(found)
    low, high = theme.ends(frame["low"], frame["high"])
    low, high = min(low, 0.8), max(high, 1.25 * OVER)
    scale = theme.log_scale(low, high)
    axis = theme.log_axis(f"time on {found.target} over {found.source} (×)", low, high)
    y = alt.Y("share_below:Q", title="share of functions below", axis=alt.Axis(format="%"))
    base = alt.Chart(frame).encode(y=y)
    rule = base.mark_rule(opacity=0.35).encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q")
    x = alt.X("ratio:Q", scale=scale, axis=axis)
    tips = ["function:N", "ratio:Q", "low:Q", "high:Q", "bound:N"]
    solid = (
        base.transform_filter("datum.bound == 'kernel'")
        .mark_point(filled=True, size=30, opacity=1)
        .encode(x=x, tooltip=tips)
    )
    hollow = (
        base.transform_filter("datum.bound == 'dispatch'")
        .mark_point(filled=False, size=30, opacity=1, strokeWidth=1.2)
        .encode(x=x, tooltip=tips)
    )
    lines = [alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(at)) for at in (1.0, OVER)]
    return alt.layer(*lines, rule, solid, hollow, data=frame)


def sizes_data(found: Slowdown) -> pl.DataFrame:
    """Return each function's ratio by size class, and the median over those timed at every size."""
    import polars as pl

    rows = [
        {
            "function": one.function,
            "size": name.removeprefix("size_"),
            "ratio": reading.ratio,
            "kind": "function",
        }
        for one in found.functions
        for name, reading in one.readings.items()
        if name.startswith("size_")
    ]
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(("function", "size"), pl.String) | {"ratio": pl.Float64, "kind": pl.String}
    )
    sizes = frame["size"].n_unique()
    everywhere = frame.filter(pl.len().over("function") == sizes)
    median = (
        everywhere.group_by("size")
        .agg(pl.col("ratio").log().median().exp())
        .select(pl.lit("median").alias("function"), "size", "ratio", pl.lit("median").alias("kind"))
    )
    return pl.concat([frame, median])


def sizes(found: Slowdown) -> alt.LayerChart | alt.FacetChart:
    """Draw each function's ratio against the size of its inputs, and the median."""
    import altair as alt

    frame = sizes_data(found)
    low, high = theme.ends(frame["ratio"])
    low, high = min(low, 0.8), max(high, 1.25 * OVER)
    order = [size for size in SIZES if size in frame["size"].to_list()]
    order += sorted(set(frame["size"].to_list()) - set(order))
    base = alt.Chart(frame).encode(
        x=alt.X("size:N", sort=order, title="size of inputs", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "ratio:Q", scale=theme.log_scale(low, high), axis=theme.log_axis("time ratio (×)", low, high)
        ),
        detail="function:N",
        tooltip=["function:N", "size:N", "ratio:Q"],
    )
    each = base.transform_filter("datum.kind == 'function'").mark_line(
        strokeWidth=1, opacity=0.25, point={"size": 12, "opacity": 0.4}
    )
    median = base.transform_filter("datum.kind == 'median'").mark_line(
        color=theme.VERMILION, strokeWidth=3, point={"size": 60, "color": theme.VERMILION}
    )
    lines = [alt.Chart().mark_rule(style="baseline").encode(y=alt.datum(at)) for at in (1.0, OVER)]
    return alt.layer(*lines, each, median, data=frame)


def first_calls_data(found: Slowdown) -> pl.DataFrame:
    """Return, by function, the steady ratio and how many steady calls the first one takes."""
    import polars as pl

    return (
        found.frame()
        .select(
            "function",
            "ratio",
            pl.col("first_over_steady").cast(pl.Float64),
            pl.col("prepare_s").cast(pl.Float64),
        )
        .drop_nulls("first_over_steady")
    )


def first_calls(found: Slowdown) -> alt.LayerChart | alt.FacetChart:
    """Draw the first call, in steady calls, against the steady ratio."""
    import altair as alt

    frame = first_calls_data(found)
    low, high = theme.ends(frame["ratio"])
    below, above = theme.ends(frame["first_over_steady"])
    low, high, below, above = min(low, 0.8), max(high, 1.25 * OVER), min(below, 0.8), max(above, 1.25 * OVER)
    point = (
        alt.Chart()
        .mark_point(size=30, opacity=0.7)
        .encode(
            x=alt.X(
                "ratio:Q",
                scale=theme.log_scale(low, high),
                axis=theme.log_axis(f"steady calls: {found.target} over {found.source} (×)", low, high),
            ),
            y=alt.Y(
                "first_over_steady:Q",
                scale=theme.log_scale(below, above),
                axis=theme.log_axis("first call over a steady one (×)", below, above),
            ),
            tooltip=["function:N", "ratio:Q", "first_over_steady:Q", "prepare_s:Q"],
        )
    )
    one = alt.Chart().mark_rule(style="baseline").encode(y=alt.datum(1.0))
    return alt.layer(one, point, data=frame)
