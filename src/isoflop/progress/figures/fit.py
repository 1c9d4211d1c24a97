"""Pictures of a fit: effective compute over time, its two explanations, its data and their fit.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.progress.baselines import MOORE_RATE
from isoflop.progress.halving import halving_months, months_text
from isoflop.units import halving_time_months

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.progress.baselines import Baselines
    from isoflop.progress.result import ProgressFit
    from isoflop.progress.sample import Sample

_POINTS_IN_TIME = 49
ROW = 27
"""Pixels of a row in pictures with one row a thing."""
_BINS = 56
_LABELLED_MONTHS = (12, 6, 3, 2, 1, 24, 4, 8, 1.5, 0.5)
"""In order of importance: a label that would crowd an earlier one is left out."""
_APART = 0.06
"""Least distance of two labels as a share of the axis, so that they stay apart on a telephone."""
BENCHMARK_NAMES = {"WT103": "WikiText-103", "WT2": "WikiText-2", "PTB": "Penn Treebank"}


def minimum_name(k: int, months: float | None) -> str:
    """Return the name of a minimum in legends.

    Examples
    --------
    >>> minimum_name(0, 6.08)
    'minimum 1: 6.1 months'
    """
    if months is not None and months >= 1000:
        return f"minimum {k + 1}: hardly any progress"
    time = months_text(months, 1 if months is None or months < 10 else 0)
    return f"minimum {k + 1}: {time}"


def effective_compute_data(result: Baselines) -> pl.DataFrame:
    """Return growth since the first year of the sample, as a multiple, of every line.

    Columns: line, kind (minimum | baseline | 50 % | 95 %), year, multiple, low, high. A row of a
    minimum or baseline has a multiple; a row of a band has its ends.
    """
    import polars as pl

    fitted = result.fitted
    years = fitted.sample.features.year
    first = math.floor(years.min())
    grid = np.linspace(first, float(years.max()), _POINTS_IN_TIME)
    span = grid - first
    parts = []

    def line(name: str, kind: str, growth: float) -> None:
        parts.append(_lines(name, kind, grid, np.exp(np.minimum(growth * span, 700.0))))

    for k, growth in enumerate(fitted.basin_rates()[:2]):
        if np.isfinite(growth) and abs(growth) < 100:
            line(minimum_name(k, halving_months(growth)), "minimum", growth)
    line(f"Moore: {halving_time_months(MOORE_RATE):.0f} months", "baseline", MOORE_RATE)
    hardware = result.frontier.rate.value
    assert hardware is not None
    line(f"hardware: {halving_time_months(hardware):.0f} months", "baseline", hardware)
    draws = fitted.rate_draws[np.isfinite(fitted.rate_draws)]
    if draws.size:
        for share in (0.95, 0.5):
            low, high = np.quantile(draws, [(1 - share) / 2, (1 + share) / 2])
            parts.append(
                pl.DataFrame(
                    {
                        "line": "draws of the best fit",
                        "kind": f"{share:.0%}".replace("%", " %"),
                        "year": grid,
                        "multiple": None,
                        "low": np.exp(np.minimum(low * span, 700.0)),
                        "high": np.exp(np.minimum(high * span, 700.0)),
                    },
                    schema_overrides={"multiple": pl.Float64},
                )
            )
    return pl.concat(parts)


def _lines(name: str, kind: str, year: Any, multiple: Any) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        {"line": name, "kind": kind, "year": year, "multiple": multiple, "low": None, "high": None},
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )


def effective_compute(result: Baselines) -> alt.LayerChart | alt.FacetChart:
    """Draw effective compute at fixed hardware beside Moore's doubling and cheaper hardware.

    The axis ends at ten times the fastest minimum; a band may leave it.
    """
    import altair as alt
    import polars as pl

    frame = effective_compute_data(result)
    names = frame.filter(pl.col("kind").is_in(["minimum", "baseline"]))["line"].unique(maintain_order=True)
    minima = [n for n in names if n.startswith("minimum")]
    tops = frame.filter(pl.col("kind") == "minimum")["multiple"].to_numpy()
    top = 10.0 * float(tops.max()) if tops.size else 1e3
    first, last = theme.ends(frame["year"])
    x = alt.X(
        "year:Q",
        scale=alt.Scale(domain=[first, last], nice=False),
        axis=alt.Axis(title="year of publication", format="d"),
    )
    scale = alt.Scale(type="log", domain=[0.5, top], nice=False)
    axis = theme.log_axis(f"effective compute ({first:.0f} = 1)", 1.0, top, grid=True)
    colours = [*(theme.BLUE, theme.VERMILION)[: len(minima)], theme.GREY, theme.OCHRE]
    dashes = [*([[1, 0]] * len(minima)), [5, 4], [2, 3]]
    bands = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.low)")
        .mark_area(style="band", fill=theme.BLUE, clip=True)
        .encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", detail="kind:N")
    )
    lines = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.multiple)")
        .mark_line(clip=True)
        .encode(
            x=x,
            y=alt.Y("multiple:Q", scale=scale, axis=axis),
            color=alt.Color("line:N", title=None).scale(domain=list(names), range=colours),
            strokeDash=alt.StrokeDash("line:N", title=None).scale(domain=list(names), range=dashes),
        )
    )
    return alt.layer(bands, lines)


def rate_axis(
    low: float, high: float, *, title: str = "halving time of the compute needed (months)"
) -> alt.Axis:
    """Return an axis of rates (ln/yr) over [low, high] whose labels are halving times.

    A rate of 0 is an infinite halving time; rates below it, where waiting makes things worse, have none.
    """
    import altair as alt

    one = halving_time_months(1.0)
    ticks = {0.0: "∞"} if low <= 0.0 <= high else {}
    for months in _LABELLED_MONTHS:
        at = one / months
        if low <= at <= high and all(abs(at - other) > _APART * (high - low) for other in ticks):
            ticks[at] = f"{months:g}"
    positions = [round(1000 * t) for t in ticks]
    return alt.Axis(
        title=title,
        values=sorted(ticks),
        labelOverlap=False,
        labelExpr=f"{list(ticks.values())}[indexof({positions}, round(1000 * datum.value))]",
    )


def rate_scale(low: float, high: float) -> alt.Scale:
    """Return the linear scale that goes with `rate_axis`."""
    import altair as alt

    return alt.Scale(domain=[low, high], nice=False, zero=False)


def rate_draws_data(result: ProgressFit) -> pl.DataFrame:
    """Return a histogram of the rates of all draws, by basin.

    Columns: basin, low, high (ln/yr), draws, share, bottom, top (of the stacked bar). The outermost
    bins hold what lies beyond them, draws without bound included.
    """
    import polars as pl

    assert result.draws is not None
    rates = result.rate_draws
    known = ~np.isnan(rates)
    inner = rates[np.isfinite(rates)]
    ends = np.quantile(inner, [0.01, 0.98]) if inner.size else np.array([-1.0, 1.0])
    low, high = min(float(ends[0]), 0.0), max(float(ends[1]), 1.0)
    edges = np.linspace(low, high, _BINS + 1)
    rows: list[dict[str, Any]] = []
    for k, time in enumerate(result.basin_halving_times()[: len(result.draws.by_basin)]):
        mine = rates[(result.draws.basin == k) & known]
        counts, _ = np.histogram(np.clip(mine, low, high), edges)
        rows += [
            {"basin": minimum_name(k, time), "low": a, "high": b, "draws": int(c)}
            for a, b, c in zip(edges[:-1], edges[1:], counts, strict=True)
            if c
        ]
    schema: dict[str, Any] = {"basin": pl.String, "low": pl.Float64, "high": pl.Float64, "draws": pl.Int64}
    total = max(1, int(known.sum()))
    top = pl.col("draws").cum_sum().over("low") / total
    return pl.DataFrame(rows, schema=schema).with_columns(
        share=pl.col("draws") / total, bottom=top - pl.col("draws") / total, top=top
    )


def rate_draws(result: ProgressFit) -> alt.Chart:
    """Draw the rates of all draws, stacked and coloured by basin, labelled as halving times."""
    import altair as alt

    frame = rate_draws_data(result)
    low, high = theme.ends(frame["low"], frame["high"])
    names = frame["basin"].unique(maintain_order=True).to_list()
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_rect(stroke=theme.PAPER, strokeWidth=0.5)
        .encode(
            x=alt.X("low:Q", scale=rate_scale(low, high), axis=rate_axis(low, high)),
            x2="high:Q",
            y=alt.Y("bottom:Q", axis=alt.Axis(title="share of draws", format="%")),
            y2="top:Q",
            fill=alt.Fill("basin:N", title=None).scale(
                domain=names, range=[theme.BLUE, theme.VERMILION, theme.GREEN][: len(names)]
            ),
        )
    )
    return chart


def observed_predicted_data(result: ProgressFit) -> pl.DataFrame:
    """Return every row with its observed and fitted outcome: system, benchmark, year, observed, predicted,
    residual.
    """
    import polars as pl

    predicted = result.fitted()
    return result.sample.frame.select("system", "benchmark", "year").with_columns(
        pl.col("benchmark").replace(BENCHMARK_NAMES),
        observed=pl.Series(result.sample.outcome),
        predicted=pl.Series(predicted),
        residual=pl.Series(result.sample.outcome - predicted),
    )


def observed_predicted(result: ProgressFit) -> alt.LayerChart | alt.FacetChart:
    """Draw observed against fitted outcome with the line of equality."""
    import altair as alt

    frame = observed_predicted_data(result)
    unit = "nats per token" if result.sample.task == "language" else "top-1 error"
    both = np.concatenate([frame["observed"].to_numpy(), frame["predicted"].to_numpy()])
    margin = 0.04 * float(np.ptp(both))
    scale = alt.Scale(domain=[float(both.min()) - margin, float(both.max()) + margin], nice=False, zero=False)
    x = alt.X("predicted:Q", scale=scale, axis=alt.Axis(title=f"fitted ({unit})"))
    y = alt.Y("observed:Q", scale=scale, axis=alt.Axis(title=f"observed ({unit})"))
    points = (
        alt.Chart(frame)
        .mark_point(opacity=0.65)
        .encode(
            x=x,
            y=y,
            color=alt.Color("benchmark:N", title=None),
            shape=alt.Shape("benchmark:N", title=None),
            tooltip=["system", "benchmark", "observed", "predicted"],
        )
    )
    equal = alt.Chart(frame).mark_line(style="baseline").encode(x=x, y=alt.Y("predicted:Q", scale=scale))
    return alt.layer(equal, points)


def waterfall_data(result: Sample) -> pl.DataFrame:
    """Return the rules that dropped something, with what each kept: step, rule, unit, kept, dropped, before.

    The first row is what was read, the last what is left.
    """
    import polars as pl

    read = {
        "step": 0,
        "rule": "records read",
        "unit": "records",
        "kept": result.table.rows_read,
        "dropped": 0,
    }
    rows = [
        {"step": i, "rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped}
        for i, s in enumerate(result.steps, 1)
        if s.dropped or s.rule == "one row per benchmark"
    ]
    return pl.DataFrame([read, *rows]).with_columns(before=pl.col("kept") + pl.col("dropped"))


def waterfall(result: Sample) -> alt.LayerChart | alt.FacetChart:
    """Draw what every rule kept, and in a paler colour what it dropped."""
    import altair as alt

    frame = waterfall_data(result)
    rules = alt.Y("rule:N", sort=frame["rule"].to_list(), title=None)
    base = alt.Chart(frame)
    counted = alt.X("kept:Q", title="kept (dark) and dropped (pale)")
    kept = base.mark_bar(fill=theme.BLUE, height={"band": 0.7}).encode(x=counted, y=rules)
    dropped = base.mark_bar(fill=theme.BLUE, fillOpacity=0.22, height={"band": 0.7}).encode(
        x=counted, x2="before:Q", y=rules
    )
    labels = (
        base.transform_calculate(
            label="format(datum.kept, ',') + (datum.dropped ? '  (−' + datum.dropped + ')' : '')"
        )
        .mark_text(align="left", dx=6, fill=theme.PAPER)
        .encode(x=alt.datum(0), y=rules, text="label:N")
    )
    return alt.layer(dropped, kept, labels).properties(height=ROW * frame.height)


def tokens_per_parameter_data(result: Sample) -> pl.DataFrame:
    """Return unique training tokens per parameter of each row: system, benchmark, year, tokens_per_parameter,
    trained_on.
    """
    import polars as pl

    data = "train_tokens" if result.task == "language" else "train_images"
    zero = pl.col("zero_shot").fill_null(0.0) > 0
    return result.frame.select(
        "system",
        pl.col("benchmark").replace(BENCHMARK_NAMES),
        "year",
        tokens_per_parameter=pl.col(data) / pl.col("parameters"),
        trained_on=pl.when(zero).then(pl.lit("other text")).otherwise(pl.lit("the benchmark's own text")),
    )


def tokens_per_parameter(result: Sample) -> alt.Chart:
    """Draw unique tokens per parameter by publication."""
    import altair as alt

    frame = tokens_per_parameter_data(result)
    values = frame["tokens_per_parameter"].to_numpy()
    low, high = min(float(values.min()), 1.0), max(float(values.max()), 40.0)
    y = theme.log_axis("unique tokens per parameter", low, high, grid=True)
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_point(opacity=0.7)
        .encode(
            x=alt.X(
                "year:Q",
                scale=alt.Scale(zero=False, nice=True),
                axis=alt.Axis(title="year of publication", format="d"),
            ),
            y=alt.Y("tokens_per_parameter:Q", scale=theme.log_scale(low, high), axis=y),
            color=alt.Color("trained_on:N", title="trained on").scale(range=[theme.BLUE, theme.VERMILION]),
            shape=alt.Shape("trained_on:N", title="trained on"),
            tooltip=["system", "benchmark", "year", "tokens_per_parameter"],
        )
    )
    return chart
