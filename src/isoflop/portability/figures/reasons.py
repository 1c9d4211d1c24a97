"""Picture of why tasks fail, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.shares.result import Shares

ROW = 24
LEADING = 7
"""Reasons with a colour of their own; the rest are one."""
REST = "other reasons"


def reasons_data(found: Shares) -> pl.DataFrame:
    """Return counted failures by target and reason, the rarer reasons joined."""
    import polars as pl

    rows = found.reason_rows()
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["reason"]] = totals.get(row["reason"], 0) + row["failures"]
    kept = sorted(totals, key=lambda name: (-totals[name], name))[:LEADING]
    joined: dict[tuple[str, str], int] = {}
    for row in rows:
        target = row["target"] if ":" in row["target"] else f"{row['framework']}: {row['target']}"
        key = (target, row["reason"] if row["reason"] in kept else REST)
        joined[key] = joined.get(key, 0) + row["failures"]
    order = [*kept, REST]
    out = [
        {"target": target, "reason": reason.replace("_", " "), "failures": n, "rank": order.index(reason)}
        for (target, reason), n in joined.items()
    ]
    schema = {"target": pl.String, "reason": pl.String, "failures": pl.Int64, "rank": pl.Int64}
    return pl.DataFrame(out, schema=schema)


def reasons(found: Shares) -> alt.Chart:
    """Draw stacked counts of failures by reason, one bar a target."""
    import altair as alt

    frame = reasons_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    shown = frame.sort("rank")["reason"].unique(maintain_order=True).to_list()
    colours = [theme.GREY if name == REST else theme.PALETTE[i % 7] for i, name in enumerate(shown)]
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar(height={"band": 0.75})
        .encode(
            y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X("failures:Q", title="counted failures (tasks)", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "reason:N",
                sort=shown,
                scale=alt.Scale(domain=shown, range=colours),
                legend=alt.Legend(title=None),
            ),
            order=alt.Order("rank:Q"),
            tooltip=["target:N", "reason:N", "failures:Q"],
        )
        .properties(height=ROW * max(1, len(order)))
    )
    return chart
