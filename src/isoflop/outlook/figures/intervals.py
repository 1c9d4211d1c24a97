"""Rows of points with intervals: growth a year, months by factor, the lag under one change at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.outlook.result import Outlook
    from isoflop.outlook.specification import Curve

Channel = TypeVar("Channel")

ROW = 34
GROWTH = "outlook.effective_growth_per_year"


def growth_data(found: Outlook) -> pl.DataFrame:
    """Return growth of compute a year as factors, by its two parts and together.

    Columns: part, times, low, high (× a year).
    """
    import polars as pl

    from isoflop.outlook.inputs import input_of
    from isoflop.outlook.model import physical_growth

    known = {one.id: one.finding for one in found.used}
    chosen, rows = found.assumptions, []
    for part, id in (("hardware and spending", chosen.doubling), ("algorithms", chosen.rate)):
        finding = known.get(id)
        if finding is None or isinstance(input_of(finding), str):
            continue
        rate = finding.estimate
        if id == chosen.doubling:
            rate = rate.map(physical_growth, unit="ln/yr")
        rows.append(_factor(part, rate.value, rate.low, rate.high))
    both = found[GROWTH].estimate
    if both.value is not None:
        rows.append(_factor("both: effective compute", both.value, both.low, both.high))
    return pl.DataFrame(rows, schema=_GROWTH)


_GROWTH = {"part": str, "times": float, "low": float, "high": float}


def _factor(part: str, *rates: float | None) -> dict[str, Any]:
    value, low, high = (None if rate is None else math.exp(rate) for rate in rates)
    return {"part": part, "times": value, "low": low, "high": high}


def growth(found: Outlook) -> alt.LayerChart | alt.FacetChart:
    """Draw the factors by which compute grows a year."""
    import altair as alt

    frame = growth_data(found)
    low, high = theme.ends(frame["times"], frame["low"], frame["high"])
    title = "times a year"
    x = alt.X("times:Q", axis=theme.log_axis(title, low, high, grid=True), scale=theme.log_scale(low, high))
    return _rows(frame, x, "part", frame["part"].to_list())


def months_data(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return months by factor: label, kind, published, factor, months, low, high; those with a value."""
    import polars as pl

    shown = [
        {
            "factor": row["label"].partition(": ")[2] or row["label"],
            "kind": row["kind"],
            "times": row["factor"],
            "months": row["value"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in rows
        if row["value"] is not None
    ]
    return pl.DataFrame(shown, schema=_MONTHS)


_MONTHS = {"factor": str, "kind": str, "times": float, "months": float, "low": float, "high": float}


def months(rows: Sequence[Mapping[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Draw months of algorithmic progress by factor; left of nothing a move wins."""
    import altair as alt

    frame = months_data(rows)
    x = alt.X("months:Q", title="months of algorithmic progress", axis=alt.Axis(grid=True))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["slow-down", "gain"], range=[theme.VERMILION, theme.GREEN]),
        legend=alt.Legend(title=None),
    )
    return _rows(frame, x, "factor", frame["factor"].to_list(), colour=colour, baseline=0.0)


def alone_data(curve: Curve) -> pl.DataFrame:
    """Return the lag with one assumption changed: change, assumption, years, low, high."""
    import polars as pl

    rows = [
        {
            "change": f"{row['assumption']}: {row['setting']}" if row["setting"] else row["assumption"],
            "assumption": row["assumption"],
            "years": row["value"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in curve.alone_rows()
        if row["value"] is not None
    ]
    return pl.DataFrame(rows, schema=_ALONE)


_ALONE = {"change": str, "assumption": str, "years": float, "low": float, "high": float}


def alone(curve: Curve) -> alt.LayerChart | alt.FacetChart:
    """Draw the lag under one change at a time; the dashed line is the lag as assumed."""
    import altair as alt

    frame = alone_data(curve)
    x = alt.X("years:Q", title="lag (years)", axis=alt.Axis(grid=True), scale=alt.Scale(zero=True))
    base = float(frame["years"][0]) if frame.height else None
    return _rows(frame, x, "change", frame["change"].to_list(), baseline=base)


def _rows(
    frame: pl.DataFrame,
    x: alt.X,
    name: str,
    order: list[str],
    *,
    colour: alt.Color | None = None,
    baseline: float | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Return one row a name: a point on its interval; an interval that is open above ends in an arrow."""
    import altair as alt

    y = alt.Y(f"{name}:N", sort=order, title=None, axis=alt.Axis(labelLimit=300))
    base = alt.Chart(frame).encode(y=y)
    if colour is not None:
        base = base.encode(color=colour)
    tips = [f"{name}:N", str(x.shorthand), "low:Q", "high:Q"]
    layers: list[Any] = []
    if baseline is not None:
        layers.append(alt.Chart().mark_rule(style="baseline").encode(x=alt.datum(baseline)))
    layers += [
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(style="interval")
        .encode(x=same_axis(x, "low"), x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(x=x, tooltip=tips),
    ]
    return alt.layer(*layers, data=frame).properties(height=ROW * max(len(order), 1))


def same_axis(channel: Channel, column: str) -> Channel:
    """Return the encoding of another column on the same axis."""
    made: Any = channel
    made = made.copy(deep=False)
    made.shorthand = f"{column}:Q"
    return cast(Channel, made)
