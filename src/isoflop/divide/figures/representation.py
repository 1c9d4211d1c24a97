"""Pictures of topics: ratios of each team, crude and within venue and year; the remedies by year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.remedies.result import Remedies
    from isoflop.divide.representation.result import Representation

ROW = 22
LEAST = 10
"""Papers of a topic and year below which a share is not drawn."""
TICKS = (0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0)
CRUDE, WITHIN = "crude", "within venue and year"
DRAWN = (0.25, 4.0)
"""Ratios drawn; what lies beyond is cut, and its number is in the frame."""


def ratios_data(found: Representation) -> pl.DataFrame:
    """Return each ratio, crude and within venue and year, with its interval.

    Columns: team, topic, papers, topic_papers, kind, ratio, low, high, and the last three cut to the
    picture (drawn_ratio, drawn_low, drawn_high).
    """
    import polars as pl

    rows = []
    for row in found.rows():
        head = {
            "team": row["team"],
            "topic": row["topic_name"],
            "papers": row["papers"],
            "topic_papers": row["topic_papers"],
        }
        for kind, end in ((CRUDE, ""), (WITHIN, "_standardised")):
            if row[f"ratio{end}"] is not None:
                values = {name: row[f"{name}{end}"] for name in ("ratio", "low", "high")}
                rows.append(head | {"kind": kind} | values)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(
        pl.col(name).clip(*DRAWN).alias(f"drawn_{name}") for name in ("ratio", "low", "high")
    )


def ratios(found: Representation) -> alt.HConcatChart:
    """Draw the ratios of each team on a logarithmic axis of its own, one row a topic, 1 marked."""
    import altair as alt
    import polars as pl

    frame = ratios_data(found)
    kind = WITHIN if found.is_standardised else CRUDE
    leading = "academia" if "academia" in found.teams else found.teams[0]
    first = frame.filter((pl.col("team") == leading) & (pl.col("kind") == kind))
    order = first.sort("ratio")["topic"].to_list()
    panels = [
        _panel(frame.filter(pl.col("team") == team), team, order, is_first=place == 0)
        for place, team in enumerate(found.teams)
    ]
    width = (theme.WIDTH - 150) // len(panels)
    sized = [panel.properties(width=width, height=ROW * len(order)) for panel in panels]
    joined: alt.HConcatChart = alt.hconcat(*sized).resolve_scale(color="shared")
    return joined


def _ticks(low: float, high: float) -> list[float]:
    """Return round ratios within the ends, from 1 outwards, at least a ninth of the axis apart."""
    gap = math.log(high / low) / 9
    kept: list[float] = []
    for tick in sorted(TICKS, key=lambda ratio: abs(math.log(ratio))):
        if low <= tick <= high and all(abs(math.log(tick / other)) >= gap for other in kept):
            kept.append(tick)
    return sorted(kept)


def _panel(frame: pl.DataFrame, team: str, order: list[str], *, is_first: bool) -> alt.LayerChart:
    import altair as alt

    kinds = [name for name in (WITHIN, CRUDE) if name in frame["kind"].to_list()]
    # Academia's ratios lie near 1 where industry's do not: one axis for all would hide them.
    low, high = theme.ends(frame["drawn_low"], frame["drawn_high"])
    domain = (min(low, 0.9) / 1.03, max(high, 1.1) * 1.03)
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    axis = alt.Axis(title="ratio of shares", values=_ticks(*domain), format="~g", grid=True)
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=[theme.BLUE, theme.GREY][-len(kinds) :]),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("topic:N", sort=order, title=None, axis=alt.Axis() if is_first else None),
        yOffset=alt.YOffset("kind:N", sort=kinds),
        color=colour,
    )
    one = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.datum(1.0))
    spans = base.mark_rule(style="interval", clip=True).encode(
        x=alt.X("drawn_low:Q", scale=scale, axis=axis), x2="drawn_high:Q"
    )
    points = base.mark_circle(size=48, opacity=1, clip=True).encode(
        x=alt.X("drawn_ratio:Q", scale=scale, axis=axis),
        tooltip=["team", "topic", "kind", "ratio", "low", "high", "papers", "topic_papers"],
    )
    chart: alt.LayerChart = alt.layer(one, spans, points, title=alt.Title(team, fontSize=13))  # type: ignore[assignment]
    return chart


def remedies_data(followed: Remedies) -> pl.DataFrame:
    """Return academia's share of each topic by year, and the share that the venues would give.

    Columns: topic, year, share, low, high, expected_share, papers, topic_papers.
    """
    import polars as pl

    return followed.frame().select(
        pl.col("topic_name").alias("topic"),
        "year",
        "share",
        "low",
        "high",
        "expected_share",
        "papers",
        "topic_papers",
    )


def remedies(followed: Remedies) -> alt.FacetChart:
    """Draw academia's share by year with its band, and dashed what the venues of the year would give."""
    import altair as alt
    import polars as pl

    frame = remedies_data(followed).filter(pl.col("topic_papers") >= LEAST)
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d"), scale=alt.Scale(zero=False, nice=False))
    title = "academia's share of papers"
    shares = alt.Scale(domain=[0, 1])

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title=title, axis=alt.Axis(format="%"), scale=shares)

    base = alt.Chart(frame)
    band = base.mark_area(style="band").encode(x=x, y=y("low"), y2="high:Q")
    usual = base.mark_line(style="baseline").encode(x=x, y=y("expected_share"))
    line = base.mark_line(point=True).encode(
        x=x, y=y("share"), tooltip=["topic", "year", "share", "expected_share", "papers", "topic_papers"]
    )
    topics = frame["topic"].unique(maintain_order=True).to_list()
    return (
        alt.layer(band, usual, line)
        .properties(width=300, height=180)
        .facet(facet=alt.Facet("topic:N", title=None, sort=topics), columns=2)
    )
