"""Pictures of a reach: the least loss along compute, and the sizes that reach it, with bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isoflop.outlook.figures.intervals import same_axis
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.outlook.reached import Reach

SIZES = {"params": "parameters", "tokens": "tokens"}


def loss_data(found: Sequence[Reach]) -> pl.DataFrame:
    """Return the least loss along compute and at each budget.

    Columns: kind (frontier or budget), flop, loss, low, high, extrapolated.
    """
    import polars as pl

    farthest = max(found, key=lambda one: one.flop)
    rows = [
        {
            "kind": "frontier",
            "flop": row["budget_flop"],
            "loss": row["loss"],
            "low": row["loss_low"],
            "high": row["loss_high"],
            "extrapolated": row["extrapolated"],
        }
        for row in farthest.curve_rows()
    ]
    for one in found:
        loss = one["outlook.reach_loss"].estimate
        if loss.value is not None:
            rows.append(
                {
                    "kind": "budget",
                    "flop": one.flop,
                    "loss": loss.value,
                    "low": loss.low,
                    "high": loss.high,
                    "extrapolated": bool(one.decades),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def loss(found: Sequence[Reach]) -> alt.LayerChart | alt.FacetChart:
    """Draw the least loss against compute: solid among the runs, dashed beyond them."""
    import altair as alt
    import polars as pl

    frame = loss_data(found)
    unit = next(one.law.loss_unit for one in found if one.law is not None)
    low, high = theme.ends(frame["flop"])
    x = alt.X(
        "flop:Q",
        axis=theme.log_axis("training compute (FLOP)", low, high),
        scale=theme.log_scale(low, high),
    )
    y = alt.Y("loss:Q", title=f"least loss ({unit})", scale=alt.Scale(zero=False))
    curve = frame.filter(pl.col("kind") == "frontier")
    budgets = frame.filter(pl.col("kind") == "budget")
    return alt.layer(
        *_curves(curve, x, y),
        alt.Chart(budgets)
        .mark_rule(style="interval", color=theme.VERMILION)
        .encode(x=x, y="low:Q", y2="high:Q"),
        alt.Chart(budgets)
        .mark_point(shape="diamond", size=110, color=theme.VERMILION)
        .encode(x=x, y=y, tooltip=["flop:Q", "loss:Q", "low:Q", "high:Q"]),
    )


def sizes_data(found: Reach) -> pl.DataFrame:
    """Return the best sizes along compute: flop, what, amount, low, high, extrapolated."""
    import polars as pl

    rows = [
        {
            "flop": row["budget_flop"],
            "what": words,
            "amount": row[name],
            "low": row[f"{name}_low"],
            "high": row[f"{name}_high"],
            "extrapolated": row["extrapolated"],
        }
        for name, words in SIZES.items()
        for row in found.curve_rows()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def sizes(found: Reach) -> alt.LayerChart | alt.FacetChart:
    """Draw the best parameters and tokens against compute, with bands."""
    import altair as alt

    frame = sizes_data(found)
    low, high = theme.ends(frame["flop"])
    bottom, top = theme.ends(frame["amount"], frame["low"], frame["high"])
    x = alt.X(
        "flop:Q",
        axis=theme.log_axis("training compute (FLOP)", low, high),
        scale=theme.log_scale(low, high),
    )
    y = alt.Y("amount:Q", axis=theme.log_axis("", bottom, top), scale=theme.log_scale(bottom, top))
    colour = alt.Color(
        "what:N",
        scale=alt.Scale(domain=list(SIZES.values()), range=[theme.BLUE, theme.GREEN]),
        legend=alt.Legend(title=None),
    )
    return alt.layer(*(part.encode(color=colour) for part in _curves(frame, x, y)))


def _curves(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> list[Any]:
    """Return a band and a line, dashed where it is extrapolated; the two lines meet."""
    import altair as alt
    import polars as pl

    first = frame.filter(pl.col("extrapolated"))["flop"].min()
    inside = frame.filter(~pl.col("extrapolated"))
    edge = inside["flop"].max()
    beyond = frame.filter(pl.col("extrapolated") | (pl.col("flop") == edge))
    layers: list[Any] = []
    if frame["low"].null_count() < frame.height:
        layers.append(
            alt.Chart(frame).mark_area(style="band").encode(x=x, y=same_axis(y, "low"), y2="high:Q")
        )
    layers.append(alt.Chart(inside).mark_line().encode(x=x, y=y))
    if first is not None:
        layers.append(alt.Chart(beyond).mark_line(strokeDash=[5, 4]).encode(x=x, y=y))
    return layers
