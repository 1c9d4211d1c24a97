"""Pictures of published result files: functions lost, slow-downs, every way of counting, first calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.model import OVER
from isoflop.portability.paper.slowdown import FEW
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.paper.slowdown import PaperSlowdown
    from isoflop.portability.paper.study import PaperStudy

ROW = 22
KINDS = {"partial": theme.VERMILION, "complete": theme.CRIMSON}
STATISTICS = {
    "mean": "means of pooled calls",
    "median": "medians of pooled calls",
    "opwise": "sums over calls",
    "robust": "geometric mean over calls",
}


def lost_data(found: PaperStudy) -> pl.DataFrame:
    """Return the share of functions lost in part and completely, by framework and target."""
    import polars as pl

    rows = []
    for row in found.leading_failures():
        edges = (
            ("complete", 0, row["complete"]),
            ("partial", row["complete"], row["complete"] + row["partial"]),
        )
        rows += [
            {
                "target": f"{row['framework']}: {row['target']}",
                "kind": kind,
                "start": start / row["counted"],
                "end": end / row["counted"],
                "failing": row["failing_share"],
                "low": row["low"],
                "high": row["high"],
                "functions": row["counted"],
            }
            for kind, start, end in edges
            if row["counted"]
        ]
    return pl.DataFrame(rows, infer_schema_length=None)


def lost(found: PaperStudy) -> alt.LayerChart | alt.FacetChart:
    """Draw stacked shares with the interval of their sum."""
    import altair as alt

    frame = lost_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%", tickCount=5)
    base = alt.Chart(frame).encode(y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)))
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("start:Q", title="share of counted functions", scale=scale, axis=axis),
        x2="end:Q",
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
            legend=alt.Legend(title="fails"),
        ),
        tooltip=["target:N", "kind:N", "failing:Q", "low:Q", "high:Q", "functions:Q"],
    )
    rule = base.mark_rule(color=theme.INK, strokeWidth=1.5).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    return alt.layer(bars, rule).properties(height=ROW * len(order))


def ratios_data(found: PaperSlowdown) -> pl.DataFrame:
    """Return each function's ratio, from fastest to slowest, with the share of functions below it."""
    import polars as pl

    return (
        found.frame()
        .sort("ratio", "function")
        .with_columns(share_below=(pl.int_range(pl.len()) + 0.5) / pl.len())
        .select("function", "ratio", "share_below")
    )


def ratios(found: PaperSlowdown) -> alt.LayerChart | alt.FacetChart:
    """Draw the ratios in order, with lines at 1 and 10."""
    import altair as alt

    frame = ratios_data(found)
    low, high = theme.ends(frame["ratio"], frame["ratio"])
    low, high = min(low, 0.8), max(high, 1.25 * OVER)
    points = (
        alt.Chart(frame)
        .mark_circle(size=36, opacity=1)
        .encode(
            x=alt.X(
                "ratio:Q",
                scale=theme.log_scale(low, high),
                axis=theme.log_axis(f"time on {found.target} over {found.source} (×)", low, high),
            ),
            y=alt.Y("share_below:Q", title="share of functions below", axis=alt.Axis(format="%")),
            tooltip=["function:N", "ratio:Q"],
        )
    )
    lines = [alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(at)) for at in (1.0, OVER)]
    return alt.layer(*lines, points, data=frame)


def grid_data(found: PaperSlowdown) -> pl.DataFrame:
    """Return every way of counting: its choices, n, and the share over ten times with its interval."""
    import polars as pl

    from isoflop.portability.counted import share_estimate

    rows = []
    for row in found.grid:
        if not row["n"]:
            continue
        share = share_estimate(row["over_10x"], row["n"], level=found.level)
        choices = (
            "first calls kept" if row["first_call"] == "keep" else "first calls dropped",
            "passed tests" if row["outcome_filter"] else "all tests",
            "dtypes apart" if row["dtype_join"] == "keep" else "dtypes together",
        )
        rows.append(
            {
                "statistic": STATISTICS[row["statistic"]],
                "choices": ", ".join(choices),
                "share": share.value,
                "low": share.low,
                "high": share.high,
                "functions": row["n"],
                "enough": "30 functions or more" if row["n"] >= FEW else "fewer than 30",
                "median": row["median"],
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def grid(found: PaperSlowdown) -> alt.FacetChart:
    """Draw the share over ten times under every way of counting, one row a combination."""
    import altair as alt

    frame = grid_data(found)
    order = frame["choices"].unique(maintain_order=True).to_list()
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart().encode(y=alt.Y("choices:N", sort=order, title=None, axis=alt.Axis(labelLimit=320)))
    rule = base.mark_rule(style="interval").encode(
        x=alt.X(
            "low:Q", title="share of functions over 10×", scale=scale, axis=alt.Axis(format="%", tickCount=3)
        ),
        x2="high:Q",
    )
    point = base.mark_circle(size=50, opacity=1).encode(
        x=alt.X("share:Q", scale=scale),
        color=alt.Color(
            "enough:N",
            scale=alt.Scale(
                domain=["30 functions or more", "fewer than 30"], range=[theme.BLUE, theme.VERMILION]
            ),
            legend=alt.Legend(title=None),
        ),
        tooltip=["statistic:N", "choices:N", "share:Q", "low:Q", "high:Q", "functions:Q", "median:Q"],
    )
    chart: alt.FacetChart = (
        alt.layer(rule, point, data=frame)
        .properties(width=150, height=ROW * len(order))
        .facet(column=alt.Column("statistic:N", sort=list(STATISTICS.values()), title=None))
    )
    return chart


def first_calls_data(found: PaperStudy) -> pl.DataFrame:
    """Return the median and 90th percentile of first call over later calls, by framework and target."""
    import polars as pl

    rows = [{**row, "target": f"{row['framework']}: {row['target']}"} for row in found.first_call_rows()]
    return pl.DataFrame(rows, infer_schema_length=None).drop("framework")


def first_calls(found: PaperStudy) -> alt.LayerChart | alt.FacetChart:
    """Draw how many times longer a first call takes."""
    import altair as alt

    frame = first_calls_data(found)
    order = frame["target"].to_list()
    low, high = theme.ends(frame["median"], frame["p90"])
    low = min(low, 0.9)
    scale, axis = (
        theme.log_scale(low, high),
        theme.log_axis("first call over later calls (×)", low, high),
    )
    base = alt.Chart(frame).encode(y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)))
    rule = base.mark_rule(style="interval").encode(x=alt.X("median:Q", scale=scale, axis=axis), x2="p90:Q")
    point = base.mark_circle(size=60, opacity=1).encode(
        x=alt.X("median:Q", scale=scale, axis=axis), tooltip=["target:N", "tests:Q", "median:Q", "p90:Q"]
    )
    one = alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(1.0))
    return alt.layer(one, rule, point, data=frame).properties(height=ROW * len(order))
