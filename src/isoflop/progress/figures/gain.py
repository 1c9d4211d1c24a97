"""Pictures of who contributed what between systems, and of the gain at each scale.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.progress.gains.decomposition import Decomposition
    from isoflop.progress.gains.gain_curve import GainCurve

OURS, OTHER, PUBLISHED = "this evidence", "2nd minimum", "published"
_SHAPES = {OURS: "circle", OTHER: "diamond", PUBLISHED: "cross"}
_COLOURS = {OURS: theme.BLUE, OTHER: theme.VERMILION, PUBLISHED: theme.GREY}
_HIGHEST_GAIN = 1e16
"""Bands above this leave the picture."""


def shapley_data(result: Sequence[Decomposition]) -> pl.DataFrame:
    """Return shares by pair and player, ours with intervals, the second minimum's and the published.

    Columns: pair, player, source (this evidence | 2nd minimum | published), share, low, high.
    """
    import polars as pl

    rows = []
    for found in result:
        pair = f"{found.start.name} to {found.end.name}"
        for row in found.frame().iter_rows(named=True):
            if row["minimum"] in (0, 2) and row["player"] != "algorithms":
                first = row["minimum"] == 0
                rows.append(
                    {
                        "pair": pair,
                        "player": row["label"],
                        "source": OURS if first else OTHER,
                        "share": row["share"],
                        "low": row["low"] if first else None,
                        "high": row["high"] if first else None,
                    }
                )
        printed = found.published or {}
        labels = {row["player"]: row["label"] for row in found.frame().iter_rows(named=True)}
        total = {"compute": printed["params"] + printed["data"]} if printed else {}
        rows += [
            {
                "pair": pair,
                "player": labels[player],
                "source": PUBLISHED,
                "share": share,
                "low": None,
                "high": None,
            }
            for player, share in {**printed, **total}.items()
            if player in labels
        ]
    schema = {"pair": pl.String, "player": pl.String, "source": pl.String}
    numbers = {"share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema={**schema, **numbers}, orient="row")


def shapley(result: Sequence[Decomposition]) -> alt.LayerChart | alt.FacetChart:
    """Draw the shares of one or several pairs as bars with intervals, and the published ones beside them."""
    import altair as alt

    frame = shapley_data(result)
    names: list[str] = []
    for pair, player in zip(frame["pair"], frame["player"], strict=True):
        heading, row = f"{pair}|{pair}:", f"{pair}|{player}"
        names += [one for one in (heading, row) if one not in names]
    base = alt.Chart(frame).transform_calculate(row="datum.pair + '|' + datum.player")
    weight = alt.condition("slice(datum.label, -1) == ':'", alt.value("bold"), alt.value("normal"))
    rows = alt.Y(
        "row:N",
        scale=alt.Scale(domain=names),
        title=None,
        axis=alt.Axis(labelExpr="split(datum.label, '|')[1]", labelFontWeight=weight),
    )
    axis = alt.Axis(title="share of the progress", format="%", grid=True)
    sources = [s for s in _SHAPES if s in frame["source"].to_list()]
    colour = alt.Color("source:N", title=None).scale(domain=sources, range=[_COLOURS[s] for s in sources])
    shape = alt.Shape("source:N", title=None).scale(domain=sources, range=[_SHAPES[s] for s in sources])
    bars = (
        base.transform_filter(f"datum.source == '{OURS}'")
        .mark_bar(fill=theme.BLUE, fillOpacity=0.22, height={"band": 0.62})
        .encode(x=alt.X("share:Q", axis=axis), y=rows)
    )
    spans = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(style="interval", color=theme.BLUE)
        .encode(x=alt.X("low:Q", axis=axis), x2="high:Q", y=rows)
    )
    points = base.mark_point(size=60, opacity=1).encode(
        x=alt.X("share:Q", axis=axis),
        y=rows,
        color=colour,
        shape=shape,
        tooltip=["pair", "player", "source", "share"],
    )
    zero = base.transform_aggregate(rows="count()").mark_rule(style="baseline").encode(x=alt.datum(0.0))
    return alt.layer(bars, zero, spans, points).properties(height=27 * len(names))


def gain_curves_data(result: Mapping[str, GainCurve]) -> pl.DataFrame:
    """Return gain by compute for each named curve at its best minimum, and of the first at its second.

    Columns: curve, train_flop, gain, low, high, beyond_data, reason.
    """
    import polars as pl

    def at(curve: GainCurve, minimum: int, name: str) -> pl.DataFrame:
        columns = ("train_flop", "gain", "low", "high", "beyond_data", "reason")
        return (
            curve.frame().filter(pl.col("minimum") == minimum).select(pl.lit(name).alias("curve"), *columns)
        )

    parts = [at(one, 1, name) for name, one in result.items()]
    first = next(iter(result.values()))
    if len(first.basins) > 1:
        parts.insert(1, at(first, 2, OTHER))
    return pl.concat(parts)


def gain_curves(result: Mapping[str, GainCurve]) -> alt.LayerChart | alt.FacetChart:
    """Draw the gain against compute with the first curve's band; compute beyond the data is shaded."""
    import altair as alt
    import polars as pl

    frame = gain_curves_data(result)
    names = frame["curve"].unique(maintain_order=True).to_list()
    known = frame.filter(pl.col("gain").is_not_null())
    banded = known.filter(pl.col("curve") == names[0])
    low, high = theme.ends(frame["train_flop"])
    least = min(float(banded["low"].min() or 1.0), float(known["gain"].min()))  # type: ignore[arg-type]
    tallest = max(float(known["gain"].max()), min(float(banded["high"].max() or 1.0), _HIGHEST_GAIN))  # type: ignore[arg-type]
    scale = theme.log_scale(min(least, 1.0), tallest)
    x = alt.X(
        "train_flop:Q",
        scale=theme.log_scale(low, high, pad=0.0),
        axis=theme.log_axis("training compute of the newer recipe (FLOP)", low, high),
    )
    axis = theme.log_axis("gain in compute (×)", min(least, 1.0), tallest, grid=True)
    base = alt.Chart(frame)
    band = (
        base.transform_filter(f"datum.curve == {names[0]!r} && isValid(datum.low)")
        .mark_area(style="band", fill=theme.BLUE, clip=True)
        .encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    )
    inner = frame.filter(~pl.col("beyond_data"))["train_flop"]
    edges = [*theme.ends(inner)] if inner.len() else [low, high]
    beyond = [
        base.transform_filter(f"datum.train_flop {sign} {edge}")
        .transform_aggregate(begin="min(train_flop)", end="max(train_flop)")
        .mark_rect(fill=theme.GREY, fillOpacity=0.12)
        .encode(x=alt.X("begin:Q", scale=theme.log_scale(low, high, pad=0.0)), x2="end:Q")
        for sign, edge in (("<=", edges[0]), (">=", edges[1]))
    ]
    dashes = [[1, 0], [6, 3], [2, 3], [8, 3, 2, 3]]
    lines = (
        base.transform_filter("isValid(datum.gain)")
        .mark_line(clip=True)
        .encode(
            x=x,
            y=alt.Y("gain:Q", scale=scale, axis=axis),
            color=alt.Color("curve:N", title=None).scale(
                domain=names, range=list(theme.PALETTE[: len(names)])
            ),
            strokeDash=alt.StrokeDash("curve:N", title=None).scale(domain=names, range=dashes[: len(names)]),
        )
    )
    return alt.layer(*beyond, band, lines)
