"""Pictures of what quality costs: against the price of a call, and against the share of strong calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.cost.pair import PairCurve
    from isoflop.routing.cost.quality import CostQuality

ROUTER, MODELS = "router", "single models"
LEFT: Literal["left"] = "left"
RIGHT: Literal["right"] = "right"
CALLS = 1000
"""Calls whose cost is shown: one call costs too little to read."""
CURVES = {"score": "router", "random": "at random", "oracle": "gains known (bound)"}


def quality_data(found: CostQuality) -> pl.DataFrame:
    """Return the sweep, the single models and the hull of these, in score points over the best single model.

    Columns: series, model, cost (USD or FLOP for 1,000 calls), lead, low, high (score points), on_hull.
    """
    import polars as pl

    hull = set(found.frontier_models)
    rows = [
        {
            "series": MODELS if row["model"] else ROUTER,
            "model": row["model"],
            "cost": CALLS * row["cost"],
            "lead": 100 * row["lead"],
            "low": 100 * row["lead_low"] if "lead_low" in row else None,
            "high": 100 * row["lead_high"] if "lead_high" in row else None,
            "on_hull": row["model"] in hull,
        }
        for row in found.curve_rows()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def quality(found: CostQuality) -> alt.LayerChart | alt.FacetChart:
    """Draw the router's scores over cost with their band, beside single models and their hull."""
    import altair as alt
    import polars as pl

    frame = quality_data(found)
    low, high = theme.ends(frame["cost"])
    x = alt.X(
        "cost:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis(f"mean cost of 1,000 calls ({found.costs.unit})", low, high),
    )
    title = "score points over the best single model"
    y = alt.Y("lead:Q", title=title)
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=[ROUTER, MODELS], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    router = alt.Chart(frame).transform_filter(alt.datum.series == ROUTER)
    models = alt.Chart(frame).transform_filter(alt.datum.series == MODELS)
    hull = alt.Chart(_hull(frame))
    named = frame.filter(pl.col("on_hull"))
    middle = (low * high) ** 0.5
    texts = [
        alt.Chart(named.filter(side))
        .mark_text(style="note", align=align, dx=dx, dy=14)
        .encode(x=x, y=y, text="model:N")
        for side, align, dx in (
            (pl.col("cost") < middle, LEFT, -4),
            (pl.col("cost") >= middle, RIGHT, 4),
        )
    ]
    return alt.layer(
        alt.Chart(frame).mark_rule(style="baseline").encode(y=alt.datum(0)),
        router.mark_area(style="band").encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q", color=colour),
        router.mark_line().encode(x=x, y=y, color=colour, order="cost:Q"),
        hull.mark_line(strokeDash=[4, 3]).encode(x=x, y=y, color=colour, order="cost:Q"),
        models.mark_circle(size=60, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=["model:N", "cost:Q", "lead:Q"]
        ),
        *texts,
    )


def _hull(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the hull of single models, drawn out flat to the largest cost in the picture."""
    import polars as pl

    vertices = frame.filter(pl.col("on_hull")).sort("cost").select("series", "cost", "lead")
    return vertices.vstack(vertices.tail(1).with_columns(cost=pl.lit(frame["cost"].max(), dtype=pl.Float64)))


def pair_data(found: PairCurve) -> pl.DataFrame:
    """Return the curve of a pair with its band, chance and the bound.

    Columns: series, share_strong, score, low, high (of the router alone).
    """
    import polars as pl

    rows = [
        {
            "series": label,
            "share_strong": row["share_strong"],
            "score": row[name],
            "low": row["low"] if name == "score" else None,
            "high": row["high"] if name == "score" else None,
        }
        for name, label in CURVES.items()
        for row in found.curve_rows()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def pair(found: PairCurve) -> alt.LayerChart | alt.FacetChart:
    """Draw the mean score against the share of strong calls."""
    import altair as alt

    frame = pair_data(found)
    x = alt.X(
        "share_strong:Q", title="share of calls that go to the strong model", axis=alt.Axis(format=".0%")
    )
    y = alt.Y("score:Q", title="mean score", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "series:N",
        sort=list(CURVES.values()),
        scale=alt.Scale(domain=list(CURVES.values()), range=[theme.BLUE, theme.GREY, theme.GREEN]),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    base = alt.Chart(frame)
    router = base.transform_filter(alt.datum.series == CURVES["score"])
    return alt.layer(
        router.mark_area(style="band").encode(
            x=x,
            y=alt.Y("low:Q", title="mean score", scale=alt.Scale(zero=False)),
            y2="high:Q",
            color=colour,
        ),
        base.mark_line().encode(
            x=x,
            y=y,
            color=colour,
            order="share_strong:Q",
            tooltip=["series:N", "share_strong:Q", "score:Q", "low:Q", "high:Q"],
        ),
    )
