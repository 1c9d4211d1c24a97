"""Pictures of doubt: the lag by diffusion, who carries the uncertainty, and the specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.findings import Estimate
    from isoflop.outlook.specification import Curve

BAR = 34
ANSWERS: Mapping[str, str] = {
    "outlook.effective_growth_per_year": "effective growth",
    "outlook.academic_lag_years": "lag of academia",
    "outlook.academic_lag_years.no_diffusion": "lag without diffusion",
    "outlook.portability_tax_months": "months a move takes",
    "outlook.routing_gain_months": "months routing wins",
    "outlook.years_to_target": "years to the target",
    "outlook.years_to_target.physical": "years by hardware alone",
}
"""Answers in a few words, for an axis."""


def diffusion_data(lags: Sequence[tuple[float, Estimate]]) -> pl.DataFrame:
    """Return the lag by the share of algorithms that reaches academia: share, years, low, high."""
    import polars as pl

    return pl.DataFrame(
        [
            {"share": share, "years": lag.value, "low": lag.low, "high": lag.high}
            for share, lag in lags
            if lag.value is not None
        ],
        schema={"share": float, "years": float, "low": float, "high": float},
    )


def diffusion(lags: Sequence[tuple[float, Estimate]]) -> alt.LayerChart | alt.FacetChart:
    """Draw the lag against diffusion, with its band."""
    import altair as alt

    frame = diffusion_data(lags)
    x = alt.X(
        "share:Q", title="share of algorithmic progress that reaches academia", axis=alt.Axis(format="%")
    )
    title = "lag (years)"
    base = alt.Chart(frame)
    return alt.layer(
        base.mark_area(style="band").encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line().encode(
            x=x,
            y=alt.Y("years:Q", title=title, scale=alt.Scale(zero=True)),
            tooltip=["share:Q", "years:Q", "low:Q", "high:Q"],
        ),
    )


def shares_data(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> pl.DataFrame:
    """Return who carries the uncertainty: answer, input, share; answers in which something varies."""
    import polars as pl

    return pl.DataFrame(
        [
            {
                "answer": ANSWERS[row["id"]],
                "input": words.get(row["input"], row["input"]),
                "share": row["share"],
            }
            for row in rows
        ],
        schema={"answer": str, "input": str, "share": float},
    )


def shares(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> alt.Chart:
    """Draw one bar an answer, divided by input."""
    import altair as alt

    frame = shares_data(rows, words)
    order = frame["answer"].unique(maintain_order=True).to_list()
    inputs = frame["input"].unique(maintain_order=True).to_list()
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X(
                "share:Q", title="share of the variance of the rank", axis=alt.Axis(format="%"), stack="zero"
            ),
            y=alt.Y("answer:N", sort=order, title=None, axis=alt.Axis(labelLimit=300)),
            color=alt.Color(
                "input:N",
                scale=alt.Scale(domain=inputs, range=list(theme.PALETTE[: len(inputs)])),
                legend=alt.Legend(title=None, columns=2),
            ),
            tooltip=["answer:N", "input:N", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=BAR * max(len(order), 1))
    )
    return chart


def curve_data(found: Curve) -> pl.DataFrame:
    """Return one row a specification: rank, years, low, high, its choices, and whether it is assumed."""
    import polars as pl

    rows = [
        {"rank": rank, "years": row["value"], **{k: v for k, v in row.items() if k != "value"}}
        for rank, row in enumerate((row for row in found.rows() if row["value"] is not None), start=1)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def curve(found: Curve) -> alt.LayerChart | alt.FacetChart:
    """Draw the lags in order, coloured by diffusion; the ringed one is as assumed."""
    import altair as alt
    import polars as pl

    frame = curve_data(found)
    low, high = theme.ends(frame["years"], frame["low"], frame["high"])
    x = alt.X(
        "rank:Q",
        title="specifications, in order",
        axis=alt.Axis(labels=False, ticks=False),
        scale=alt.Scale(domain=[0, frame.height + 1], nice=False),
    )
    axis, scale = theme.log_axis("lag (years)", low, high), theme.log_scale(low, high)
    y = alt.Y("years:Q", axis=axis, scale=scale)
    colour = alt.Color(
        "diffusion:N",
        scale=alt.Scale(domain=["free", "half", "none"], range=[theme.BLUE, theme.GREEN, theme.VERMILION]),
        legend=alt.Legend(title="algorithms reach academia:"),
    )
    tips = [f"{name}:N" for name in ("doubling", "gap", "rate", "diffusion")] + ["years:Q", "low:Q", "high:Q"]
    base = alt.Chart(frame)
    return alt.layer(
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=1, opacity=0.25, color=theme.GREY)
        .encode(x=x, y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q"),
        base.mark_circle(size=30, opacity=1).encode(x=x, y=y, color=colour, tooltip=tips),
        alt.Chart(frame.filter(pl.col("assumed")))
        .mark_point(size=150, filled=False, strokeWidth=2, color=theme.INK)
        .encode(x=x, y=y),
    )
