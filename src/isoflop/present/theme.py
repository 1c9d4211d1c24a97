"""One look for every chart, and the helper marks that charts are made of.

Colours are written for a light page; `DARK` maps each to its counterpart, so that a page can
follow the reader's mode by exchanging colours in the finished specification. Every category
colour has a contrast of at least 3:1 on both pages, text at least 4.5:1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from isoflop.present.formats import power_of_ten

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK = "#1c2126"
MUTED = "#59626b"
RULE = "#8a939c"
GRID = "#e4e7ea"
PAPER = "#ffffff"

BLUE, VERMILION, GREEN, PURPLE = "#1a4094", "#e56c17", "#1f9062", "#bb73b9"
OCHRE, CRIMSON, TEAL, GREY = "#865c14", "#b3365b", "#387687", "#6b747c"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, OCHRE, TEAL, CRIMSON, GREY)
"""Categories, in order of use; chosen by search so that the first six stay apart for protanopes
and deuteranopes, in both modes."""
RAMP = ("#d7e4f2", "#a9c6e4", "#74a3d0", "#4580b8", "#2563a8", "#173f6c")
"""Amounts, from little to much."""
DIVERGING = ("#a63f12", "#dd8a5f", "#f2ddd0", "#d3e1ef", "#74a3d0", "#1f5590")

DARK: dict[str, str] = {
    INK: "#e7eaed",
    MUTED: "#a6afb8",
    RULE: "#7a848e",
    GRID: "#2c333a",
    PAPER: "#15191d",
    BLUE: "#5c8af0",
    VERMILION: "#db7b4f",
    GREEN: "#8ce6b9",
    PURPLE: "#c17db6",
    OCHRE: "#ebca4a",
    CRIMSON: "#f08aa8",
    TEAL: "#bae0ef",
    GREY: "#a9b2ba",
    "#d7e4f2": "#1d3247",
    "#a9c6e4": "#274a6d",
    "#74a3d0": "#366b9c",
    "#4580b8": "#4f8fca",
    "#2563a8": "#7fb4ee",
    "#173f6c": "#bfdcf8",
    "#a63f12": "#f6ab82",
    "#dd8a5f": "#b5633a",
    "#f2ddd0": "#4a3428",
    "#d3e1ef": "#22364a",
    "#1f5590": "#a5cdf5",
}
"""Light colour to its counterpart on a dark page."""

WIDTH, HEIGHT = 700, 340
"""Pixels of a still picture's plotting area where the chart sets none."""

_DECADES_LABELLED = 9


def config() -> dict[str, Any]:
    """Return the Vega-Lite configuration shared by all charts.

    Marks take a named style instead of repeating options: ``interval`` (a thin rule), ``band``
    (a pale area), ``baseline`` (a dashed grey line) and ``note`` (small grey text).
    """
    text = {"labelColor": MUTED, "titleColor": MUTED, "labelFont": FONT, "titleFont": FONT}
    return {
        "background": PAPER,
        "font": FONT,
        "padding": 4,
        "view": {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": HEIGHT},
        "axis": {
            **text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 10,
            "labelPadding": 6,
            "domainColor": RULE,
            "tickColor": RULE,
            "tickSize": 4,
            "gridColor": GRID,
            "gridWidth": 1,
            "labelOverlap": "parity",
            "labelLimit": 240,
        },
        "axisX": {"grid": False, "tickCount": 7},
        "axisY": {"tickCount": 6, "domain": False, "ticks": False},
        "axisYDiscrete": {"labelColor": INK, "labelFontSize": 12, "domain": False, "ticks": False},
        "legend": {
            **text,
            "orient": "top",
            "direction": "horizontal",
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titleOrient": "left",
            "titlePadding": 8,
            "columnPadding": 16,
            "columns": 4,
            "symbolStrokeWidth": 2,
            "offset": 10,
            "labelLimit": 300,
        },
        "header": {
            **text,
            "labelColor": INK,
            "labelFontSize": 13,
            "labelFontWeight": "bold",
            "labelAnchor": "start",
            "title": None,
        },
        "title": {
            "anchor": "start",
            "color": INK,
            "font": FONT,
            "fontSize": 15,
            "fontWeight": "bold",
            "subtitleColor": MUTED,
            "subtitleFont": FONT,
            "subtitleFontSize": 12,
            "subtitlePadding": 6,
            "offset": 14,
            "frame": "group",
        },
        "range": {
            "category": list(PALETTE),
            "ordinal": list(RAMP),
            "ramp": list(RAMP),
            "heatmap": list(RAMP),
            "diverging": list(DIVERGING),
        },
        "mark": {"color": BLUE, "tooltip": True},
        "arc": {"fill": BLUE},
        "area": {"fill": BLUE},
        "bar": {"fill": BLUE, "cornerRadiusEnd": 1},
        "line": {"stroke": BLUE, "strokeWidth": 2.25, "strokeCap": "round"},
        "point": {"filled": True, "size": 46, "opacity": 0.8},
        "circle": {"size": 46, "opacity": 0.8},
        "rect": {"fill": BLUE},
        "rule": {"color": BLUE},
        "text": {"color": INK, "font": FONT, "fontSize": 12},
        "style": {
            "interval": {"strokeWidth": 1.75, "opacity": 0.9, "strokeCap": "butt"},
            "band": {"fillOpacity": 0.18, "strokeOpacity": 0},
            "baseline": {"color": GREY, "strokeDash": [5, 4], "strokeWidth": 1.75},
            "note": {"color": MUTED, "fontSize": 11.5},
        },
    }


def ends(*columns: pl.Series) -> tuple[float, float]:
    """Return the least and the greatest number of one or more columns, missing ones left out.

    Examples
    --------
    >>> import polars as pl
    >>> ends(pl.Series([2.0, None]), pl.Series([3, 1]))
    (1.0, 3.0)
    """
    known = [float(value) for column in columns for value in column.drop_nulls().to_list()]
    return min(known), max(known)


def log_ticks(low: float, high: float) -> list[float]:
    """Return the tick values of a logarithmic axis over [low, high], both > 0.

    Decades over two decades and more (every second, third… beyond nine); 1, 2, 5 below that.

    Examples
    --------
    >>> log_ticks(3e2, 2e5)
    [1000.0, 10000.0, 100000.0]
    >>> log_ticks(1.5, 12)
    [2.0, 5.0, 10.0]
    """
    first, last = math.log10(low), math.log10(high)
    if last - first >= 2.0:
        start, stop = math.ceil(first - 1e-9), math.floor(last + 1e-9)
        step = max(1, math.ceil((stop - start + 1) / _DECADES_LABELLED))
        return [float(f"1e{k}") for k in range(start, stop + 1) if (k - start) % step == 0]
    leads = (1, 2, 5) if last - first >= 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    every = [float(f"{m}e{k}") for k in range(math.floor(first) - 1, math.ceil(last) + 1) for m in leads]
    return [t for t in every if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]


def log_axis(title: str, low: float, high: float, *, grid: bool | None = None) -> alt.Axis:
    """Return a logarithmic axis with few ticks and tidy labels: 10²³, or 2, 5, 10.

    Parameters
    ----------
    title : str
        What is measured, with its unit: ``"training compute (FLOP)"``.
    low, high : float
        Extent of the data, > 0.
    grid : bool, optional
        Overrides the theme.
    """
    import altair as alt

    ticks = log_ticks(low, high)
    plain = all(1e-2 <= t < 1e4 for t in ticks)
    labels = [f"{t:,g}" if plain else _decade_label(t) for t in ticks]
    # Vega has no superscripts: the label is looked up by the position of the tick.
    positions = [round(1000 * math.log10(t)) for t in ticks]
    lookup = f"{labels}[indexof({positions}, round(1000 * log(datum.value) / LN10))]"
    options: dict[str, Any] = {} if grid is None else {"grid": grid}
    return alt.Axis(title=title, values=ticks, labelExpr=lookup, labelOverlap=False, **options)


def log_scale(low: float, high: float, *, pad: float = 0.03) -> alt.Scale:
    """Return a logarithmic scale over [low, high] with a margin of `pad` of its length."""
    import altair as alt

    margin = (high / low) ** pad
    return alt.Scale(type="log", domain=[low / margin, high * margin], nice=False)


def _decade_label(tick: float) -> str:
    exponent = math.floor(math.log10(tick) + 1e-9)
    lead = round(tick / 10.0**exponent, 3)
    return power_of_ten(exponent) if lead == 1 else f"{lead:g}×{power_of_ten(exponent)}"
