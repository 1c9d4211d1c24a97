"""Picture of a specification curve: values in order, and under each which choices made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.specification.grid import UNITS
from isoflop.divide.specification.words import setting_words, settings_of
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.specification.curve import Curve

WIDTH, HEIGHT, ROW = 560, 240, 15
WORDS = {
    "notable_not_deployed": "notable",
    "teams by organisation": "default",
    "public research counted as academia": "public as academia",
    "leaning teams moved to their side": "leaning moved",
}
"""Settings in fewer words."""
VERDICTS = {
    "interval excludes the null": theme.BLUE,
    "interval holds the null": theme.OCHRE,
    "null by construction": theme.GREY,
}
UNSEEN = "interval"
"""A choice that moves no point, so it has no place in the matrix."""


def curve_data(shown: Curve) -> pl.DataFrame:
    """Return one row a specification with a value: rank, value, interval, and the choices that vary."""
    import polars as pl

    varying = _varying(shown)
    rows = [
        {
            "rank": rank,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "excludes the null": _verdict(one.excludes),
            "n": one.n,
            "interval": setting_words(one.settings[UNSEEN]),
            **{choice: _label(choice, one.settings[choice]) for choice in varying},
        }
        for rank, one in enumerate((spec for spec in shown.specifications if spec.value is not None), start=1)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def curve(shown: Curve) -> alt.VConcatChart:
    """Draw the values in order with their intervals, and below them which settings made each."""
    import altair as alt

    frame = curve_data(shown)
    varying = _varying(shown)
    share = UNITS[shown.headline] == "1"
    axis = alt.Axis(format="%") if share else alt.Axis()
    y = alt.Y("value:Q", title="share" if share else UNITS[shown.headline], axis=axis)
    x = alt.X("rank:Q", axis=None, scale=alt.Scale(domain=[0, frame.height + 1], nice=False))
    colour = alt.Color(
        "excludes the null:N",
        scale=alt.Scale(
            domain=[verdict for verdict in VERDICTS if verdict in frame["excludes the null"]],
            range=[colour for verdict, colour in VERDICTS.items() if verdict in frame["excludes the null"]],
        ),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart(frame).encode(x=x)
    spans = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=1, opacity=0.25, color=theme.GREY)
        .encode(y=alt.Y("low:Q"), y2="high:Q")
    )
    tips = ["value:Q", "low:Q", "high:Q", "n:Q", "interval:N", *(f"{choice}:N" for choice in varying)]
    points = base.mark_circle(size=16, opacity=1).encode(y=y, color=colour, tooltip=tips)
    upper = alt.layer(spans, points).properties(width=WIDTH, height=HEIGHT)
    if not varying:
        return alt.vconcat(upper)
    order = [_label(choice, setting) for choice, settings in varying.items() for setting in settings]
    lower = (
        base.transform_fold(list(varying), as_=["choice", "setting"])
        .mark_tick(orient="vertical", thickness=1, size=ROW - 4, opacity=0.8, color=theme.INK)
        .encode(
            y=alt.Y("setting:N", sort=order, title=None, axis=alt.Axis(labelFontSize=10.5, labelLimit=330)),
            tooltip=["setting:N", "value:Q"],
        )
        .properties(width=WIDTH, height=ROW * len(order))
    )
    return alt.vconcat(upper, lower, spacing=8)


def _varying(shown: Curve) -> dict[str, tuple[str, ...]]:
    return {choice: settings for choice, settings in settings_of(shown).items() if choice != UNSEEN}


def _label(choice: str, setting: str) -> str:
    if choice != "rule":
        return f"{choice}: {WORDS.get(setting, setting_words(setting))}"
    parts = setting.removeprefix("teams by organisation, ").split(", ")
    return f"{choice}: {', '.join(WORDS.get(part, part) for part in parts)}"


def _verdict(excludes: bool | None) -> str:
    excluded, held, built_in = VERDICTS
    if excludes is None:
        return built_in
    return excluded if excludes else held
