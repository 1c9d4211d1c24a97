"""Pictures of an audit: headlines by edition, and the waterfall from the first to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.audit.headlines import HEADLINES, PLAYERS
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.audit.result import SnapshotChanges

WIDTH, STEP = 560, 22


def headlines_data(found: SnapshotChanges) -> pl.DataFrame:
    """Return headline × snapshot with its interval."""
    import polars as pl

    return (
        pl.DataFrame(found.headline_rows(), infer_schema_length=None)
        .filter(pl.col("value").is_not_null())
        .with_columns(title=_title(pl.col("label"), pl.col("unit")))
        .select("title", "snapshot", "value", "low", "high", "n")
    )


def headlines(found: SnapshotChanges) -> alt.FacetChart:
    """Draw each headline in every edition, one scale a headline."""
    import altair as alt

    frame = headlines_data(found)
    order = [one.name for one in found.snapshots]
    base = alt.Chart(frame).encode(y=alt.Y("snapshot:N", sort=order, title=None))
    x = alt.X("value:Q", title=None, scale=alt.Scale(zero=False, padding=8), axis=alt.Axis(tickCount=5))
    rule = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(style="interval")
        .encode(x=alt.X("low:Q"), x2="high:Q")
    )
    point = base.mark_circle(size=70, opacity=1).encode(
        x=x, tooltip=["title:N", "snapshot:N", "value:Q", "low:Q", "high:Q", "n:Q"]
    )
    titles = frame["title"].unique(maintain_order=True).to_list()
    layers = alt.layer(rule, point).properties(width=WIDTH, height=STEP * len(order))
    drawn: alt.FacetChart = layers.facet(row=_row(titles), spacing=12).resolve_scale(x="independent")
    return drawn


def waterfall_data(found: SnapshotChanges) -> pl.DataFrame:
    """Return each headline's steps from the first edition to the last: start, end and change."""
    import polars as pl

    first, last = found.snapshots[0].name, found.snapshots[-1].name
    rows = []
    for name, (label, unit, _) in HEADLINES.items():
        move = found.move(name)
        if move.parts is None or move.before is None or move.after is None:
            continue
        title = _text(label, unit)
        rows.append(_step(title, first, 0, move.before, move.before, "edition"))
        at = move.before
        for place, player in enumerate(PLAYERS, start=1):
            part = move.parts[player]
            rows.append(_step(title, player, place, at, at + part, "up" if part > 0 else "down"))
            at += part
        rows.append(_step(title, last, len(PLAYERS) + 1, move.after, move.after, "edition"))
    return pl.DataFrame(rows, infer_schema_length=None)


def waterfall(found: SnapshotChanges) -> alt.FacetChart:
    """Draw how each headline went from the first edition to the last, one bar a kind of revision."""
    import altair as alt

    frame = waterfall_data(found)
    steps = [found.snapshots[0].name, *PLAYERS, found.snapshots[-1].name]
    y = alt.Y("step:N", sort=steps, title=None)
    colour = alt.Color(
        "direction:N",
        scale=alt.Scale(domain=["edition", "up", "down"], range=[theme.INK, theme.VERMILION, theme.BLUE]),
        legend=alt.Legend(title=None),
    )
    scale, axis = alt.Scale(zero=False, padding=8), alt.Axis(tickCount=5)
    base = alt.Chart(frame).encode(y=y, color=colour)
    tips = ["title:N", "step:N", "start:Q", "end:Q", "change:Q"]
    bar = base.mark_rule(strokeWidth=9).encode(
        x=alt.X("start:Q", title=None, scale=scale, axis=axis), x2="end:Q", tooltip=tips
    )
    point = (
        base.transform_filter("datum.direction == 'edition'")
        .mark_circle(size=80, opacity=1)
        .encode(x=alt.X("end:Q", title=None, scale=scale, axis=axis), tooltip=tips)
    )
    titles = frame["title"].unique(maintain_order=True).to_list()
    layers = alt.layer(bar, point).properties(width=WIDTH, height=STEP * len(steps))
    drawn: alt.FacetChart = layers.facet(row=_row(titles), spacing=12).resolve_scale(x="independent")
    return drawn


def _step(title: str, step: str, place: int, start: float, end: float, direction: str) -> dict[str, object]:
    return {
        "title": title,
        "step": step,
        "place": place,
        "start": start,
        "end": end,
        "change": end - start,
        "direction": direction,
    }


def _row(titles: list[str]) -> alt.Row:
    import altair as alt

    header = alt.Header(
        labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="normal", labelPadding=0
    )
    return alt.Row("title:N", sort=titles, title=None, header=header)


def _text(label: str, unit: str) -> str:
    return label if unit == "1" else f"{label} ({unit})"


def _title(label: pl.Expr, unit: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(unit == "1").then(label).otherwise(pl.format("{} ({})", label, unit))
