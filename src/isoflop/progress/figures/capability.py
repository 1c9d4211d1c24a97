"""Pictures of capability trends, stitched scores, matches and the Kaplan to Chinchilla gain.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.progress.capability.trend_result import REFERENCE_FLOP

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.progress.capability.stitching_result import Stitching
    from isoflop.progress.capability.trend_result import CapabilityTrend
    from isoflop.progress.gains.chinchilla import ChinchillaGain
    from isoflop.progress.match_result import Matches

_METHOD_NAMES = {
    "common": "one k for all models",
    "family": "k within families",
    "joint": "k and date together",
    "frontier": "frontier models only",
}


def trend_data(result: CapabilityTrend) -> pl.DataFrame:
    """Return models by date: name, release_date, capability_index, train_flop, index_at_equal_flop,
    is_frontier.
    """
    columns = ("name", "release_date", "capability_index", "train_flop", "index_at_equal_flop", "is_frontier")
    return result.models.select(*columns).sort("release_date", "name")


def trend(result: CapabilityTrend) -> alt.LayerChart | alt.FacetChart:
    """Draw the index at equal compute by date, with the running maximum as a line."""
    import altair as alt

    frame = trend_data(result)
    low, high = theme.ends(frame["train_flop"])
    date = alt.X("release_date:T").title("release date")
    recipe = alt.Y("index_at_equal_flop:Q", scale=alt.Scale(zero=False)).title(
        f"index, brought to {REFERENCE_FLOP:.0e} FLOP".replace("e+", "e")
    )
    points = (
        alt.Chart(frame)
        .mark_point()
        .encode(
            x=date,
            y=recipe,
            color=alt.Color(
                "train_flop:Q",
                scale=alt.Scale(type="log", range=list(theme.RAMP[1:])),
                legend=alt.Legend(
                    title="training compute (FLOP)",
                    values=theme.log_ticks(low, high),
                    format=".0e",
                    gradientLength=180,
                ),
            ),
            tooltip=["name", "release_date", "capability_index", "train_flop"],
        )
    )
    frontier = (
        alt.Chart(frame)
        .transform_filter("datum.is_frontier")
        .mark_line(interpolate="step-after", stroke=theme.VERMILION)
        .encode(x=date, y=recipe)
    )
    return alt.layer(frontier, points)


def multiples_data(result: CapabilityTrend) -> pl.DataFrame:
    """Return the yearly multiple of each method, ours and published, with intervals.

    Columns: method, source, multiple, low, high, row.
    """
    import polars as pl

    frame = result.published_frame().filter(pl.col("multiple").is_not_null())
    named = pl.col("method").replace_strict(_METHOD_NAMES, return_dtype=pl.String())
    order = {name: i for i, name in enumerate(_METHOD_NAMES.values())}
    return (
        frame.with_columns(method=named)
        .with_columns(row=pl.col("method") + ", " + pl.col("source"))
        .sort(pl.col("method").replace_strict(order, return_dtype=pl.Int64), "source")
        .select("method", "source", "multiple", "low", "high", "row")
    )


def multiples(result: CapabilityTrend) -> alt.LayerChart | alt.FacetChart:
    """Draw each method's yearly multiple with its interval, published values beside ours."""
    import altair as alt

    frame = multiples_data(result)
    ends = [v for name in ("multiple", "low", "high") for v in frame[name].drop_nulls().to_list()]
    scale = theme.log_scale(min(1.0, *ends), max(ends))
    axis = theme.log_axis("less compute needed a year later (×)", min(1.0, *ends), max(ends), grid=True)
    rows = alt.Y("row:N", sort=frame["row"].to_list(), title=None)
    colour = alt.Color("source:N", legend=alt.Legend(title=None)).scale(
        domain=["this evidence", "published"], range=[theme.BLUE, theme.GREY]
    )
    # Published values stand on other models: grey.
    spans = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(style="interval")
        .encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", y=rows, color=colour)
    )
    points = (
        alt.Chart(frame)
        .mark_point(size=70, opacity=1)
        .encode(x=alt.X("multiple:Q", scale=scale, axis=axis), y=rows, color=colour)
    )
    return alt.layer(spans, points).properties(height=alt.Step(26))


def choices_data(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `capability_choices.choices` that have a multiple, lowest first."""
    import polars as pl

    named = pl.col("slope").replace_strict(_METHOD_NAMES, return_dtype=pl.String())
    return frame.drop_nulls("multiple_per_year").with_columns(k=named).sort("multiple_per_year", "rows")


def choices(frame: pl.DataFrame) -> alt.Chart:
    """Draw the multiple under every choice of k and of rows; none of them has an interval here."""
    import altair as alt

    data = choices_data(frame)
    low, high = theme.ends(data["multiple_per_year"])
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_point(size=60, opacity=0.9)
        .encode(
            x=alt.X(
                "multiple_per_year:Q",
                scale=theme.log_scale(min(1.0, low), high),
                axis=theme.log_axis("less compute needed a year later (×)", min(1.0, low), high, grid=True),
            ),
            y=alt.Y("rows:N", title=None, sort=frame["rows"].unique(maintain_order=True).to_list()),
            color=alt.Color("k:N", legend=alt.Legend(title="k")),
            shape=alt.Shape("over:N", legend=alt.Legend(title="over", orient="bottom")),
            tooltip=["k", "over", "rows", "multiple_per_year", "halving_time_months", "n"],
        )
        .properties(height=alt.Step(34))
    )
    return chart


def stitched_data(result: Stitching) -> pl.DataFrame:
    """Return dated models with their stitched capability and interval.

    Columns: model, release_date, capability, low, high, n_benchmarks, evidence.
    """
    import polars as pl

    seen = (
        pl.when("is_thin").then(pl.lit("fewer than 3 benchmarks")).otherwise(pl.lit("3 benchmarks or more"))
    )
    return (
        result.frame()
        .drop_nulls("release_date")
        .with_columns(evidence=seen)
        .select("model", "release_date", "capability", "low", "high", "n_benchmarks", "evidence")
        .sort("release_date", "model")
    )


def stitched(result: Stitching) -> alt.LayerChart | alt.FacetChart:
    """Draw stitched capability by release date; thin models in grey."""
    import altair as alt

    frame = stitched_data(result)
    date = alt.X("release_date:T").title("release date")
    colour = alt.Color("evidence:N", legend=alt.Legend(title="seen on")).scale(
        domain=["3 benchmarks or more", "fewer than 3 benchmarks"], range=[theme.BLUE, theme.GREY]
    )
    title = "capability (anchor benchmark: difficulty 0, slope 1)"
    spans = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.low)")
        .mark_rule(style="interval", strokeOpacity=0.35, strokeWidth=1)
        .encode(x=date, y=alt.Y("low:Q").title(title), y2="high:Q", color=colour)
    )
    points = (
        alt.Chart(frame)
        .mark_point(size=26)
        .encode(
            x=date,
            y=alt.Y("capability:Q").title(title),
            color=colour,
            tooltip=["model", "release_date", "capability", "low", "high", "n_benchmarks"],
        )
    )
    return alt.layer(points, spans)


def iso_performance_data(result: Matches) -> pl.DataFrame:
    """Return the systems at each reference's level, and the ends of each fitted line.

    Columns: part (systems | trend), level, system, year, train_flop, flop. Lines use all FLOP.
    """
    import polars as pl

    references = [one.level for one in result.slopes if one.flop == "all"]
    given = result.points.filter((pl.col("flop") == "given") & pl.col("level").is_in(references))
    every = result.points.filter((pl.col("flop") == "all") & pl.col("level").is_in(references))
    known = given.select("level", "system", "year").with_columns(kind=pl.lit("given"))
    systems = every.join(
        known, on=["level", "system", "year"], how="left", maintain_order="left"
    ).with_columns(flop=pl.col("kind").fill_null("6ND"))
    columns = ("part", "level", "system", "year", "train_flop", "flop")
    parts = [systems.with_columns(part=pl.lit("systems")).select(columns)]
    for (level,), part in every.group_by("level", maintain_order=True):
        year = part["year"].to_numpy()
        if np.unique(year).size < 2 or part.height < 3:
            continue
        slope, constant = np.polyfit(year, np.log(part["train_flop"].to_numpy()), 1)
        ends = np.array([year.min(), year.max()])
        line: dict[str, Any] = {"year": ends, "train_flop": np.exp(constant + slope * ends)}
        parts.append(
            pl.DataFrame(line)
            .with_columns(
                part=pl.lit("trend"),
                level=pl.lit(level),
                system=pl.lit(None, dtype=pl.String()),
                flop=pl.lit("all"),
            )
            .select(columns)
        )
    return pl.concat(parts)


def iso_performance(result: Matches) -> alt.FacetChart:
    """Draw compute by date at each reference's level, with the fitted line."""
    import altair as alt

    frame = iso_performance_data(result)
    low, high = theme.ends(frame["train_flop"])
    year = alt.X("year:Q", scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(format="d", tickCount=4))
    flop = alt.Y(
        "train_flop:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis("training compute (FLOP)", low, high, grid=True),
    )
    systems = (
        alt.Chart()
        .transform_filter("datum.part == 'systems'")
        .mark_point()
        .encode(
            x=year.title("publication year"),
            y=flop,
            color=alt.Color("flop:N", legend=alt.Legend(title="compute")).scale(
                domain=["given", "6ND"], range=[theme.BLUE, theme.GREY]
            ),
            tooltip=["system", "year", "train_flop"],
        )
    )
    line = (
        alt.Chart()
        .transform_filter("datum.part == 'trend'")
        .mark_line(stroke=theme.VERMILION)
        .encode(x=year, y=flop)
    )
    return (
        alt.layer(systems, line, data=frame)
        .properties(width=200, height=220)
        .facet(facet=alt.Facet("level:N", title=None), columns=3)
    )


def chinchilla_data(result: ChinchillaGain) -> pl.DataFrame:
    """Return the gain by budget, and the published points.

    Columns: part (closed form | published search, approximate), train_flop, gain, is_extrapolated.
    """
    import polars as pl

    curve = result.frame().select(
        pl.lit("closed form").alias("part"), "train_flop", "gain", "is_extrapolated"
    )
    published = result.published_frame().select(
        pl.lit("published search, approximate").alias("part"),
        "train_flop",
        gain="published_approximate",
        is_extrapolated=pl.lit(False),
    )
    low, high = curve["train_flop"].min(), curve["train_flop"].max()
    return pl.concat([curve, published.filter(pl.col("train_flop").is_between(low, high))])


def chinchilla(result: ChinchillaGain) -> alt.LayerChart | alt.FacetChart:
    """Draw the gain from Kaplan's to Chinchilla's sizing rule by budget; extrapolation is shaded."""
    import altair as alt

    from isoflop.progress.gains.chinchilla import LAW_DATA_FLOP

    frame = chinchilla_data(result)
    low, high = theme.ends(frame["train_flop"])
    top = theme.ends(frame["gain"])[1]
    x = alt.X(
        "train_flop:Q",
        scale=theme.log_scale(low, high, pad=0.0),
        axis=theme.log_axis("training compute (FLOP)", low, high),
    )
    y = alt.Y("gain:Q", scale=theme.log_scale(1.0, top), axis=theme.log_axis("gain in compute (×)", 1.0, top))
    beyond = (
        alt.Chart(frame)
        .transform_filter(f"datum.is_extrapolated && datum.train_flop > {LAW_DATA_FLOP[1]}")
        .transform_aggregate(begin="min(train_flop)", end="max(train_flop)")
        .mark_rect(fill=theme.GREY, fillOpacity=0.12)
        .encode(x=alt.X("begin:Q", scale=theme.log_scale(low, high, pad=0.0)), x2="end:Q")
    )
    curve = alt.Chart(frame).transform_filter("datum.part == 'closed form'").mark_line().encode(x=x, y=y)
    published = (
        alt.Chart(frame)
        .transform_filter("datum.part != 'closed form'")
        .mark_point(size=70, color=theme.GREY, opacity=1)
        .encode(x=x, y=y, tooltip=["part", "train_flop", "gain"])
    )
    return alt.layer(beyond, curve, published)
