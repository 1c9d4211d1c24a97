"""Pictures of what the answer depends on: choices, penalty, law, and how well laws predict.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
Rates are drawn on a linear axis labelled with halving times, so that "no progress" has a place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.progress.figures.fit import ROW, rate_axis, rate_scale
from isoflop.progress.result import TWO_BASINS_OBJECTIVE
from isoflop.progress.robustness.sweep import SAMPLES

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.progress.robustness.comparison import Comparison
    from isoflop.progress.robustness.sweep_result import SensitivityMap, Sweep, Variant

BEST, RIVAL, WORSE = "best minimum", "almost as good", "worse"
"""How near a minimum's objective is to the best of its variant."""
_COLOURS = {BEST: theme.BLUE, RIVAL: theme.VERMILION, WORSE: theme.GREY}
SHOWN = (-1.0, 6.0)
"""Rates (ln/yr) that pictures show: from slow loss to a halving in 6 weeks; ends beyond are cut."""
_CHOICES = {
    "resampling": "unit of resampling",
    "normaliser": "normalisers",
    "perplexity": "perplexity",
    "sample": "sample",
    "penalty": "penalty",
    "law": "law",
}


def variants_data(result: Mapping[str, Sequence[Variant]]) -> pl.DataFrame:
    """Return one row per variant and certified minimum.

    Parameters
    ----------
    result : mapping
        Variants by the choice that they make otherwise.

    Returns
    -------
    polars.DataFrame
        choice, setting, n, minimum, fit (best minimum, almost as good, worse), rate_per_year,
        low, high (best minimum only), halving_time_months, objective_above_best, place, from_ and to
        (cut to the picture), note (why there is no point). Several choices get a heading row each.
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    for choice, variants in result.items():
        if len(result) > 1:
            rows.append(
                {"choice": _CHOICES[choice], "setting": f"{_CHOICES[choice]}:", "fit": BEST, "note": ""}
            )
        for v in variants:
            for found in v.rows():
                growth = found.get("rate_per_year")
                above = found.get("objective_above_best") or 0.0
                kind = (
                    BEST if found.get("is_best", True) else RIVAL if above <= TWO_BASINS_OBJECTIVE else WORSE
                )
                best = kind == BEST
                rows.append(
                    {
                        "choice": _CHOICES[choice],
                        "setting": _setting(v),
                        "n": found["n"],
                        "minimum": found.get("minimum"),
                        "fit": kind,
                        "rate_per_year": growth,
                        "low": v.rate.low if best else None,
                        "high": v.rate.high if best else None,
                        "halving_time_months": found.get("halving_time_months"),
                        "objective_above_best": above,
                        "note": _note(v, growth) if best else "",
                    }
                )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    # An end without a bound runs out of the picture; an interval needs at least one end.
    has = pl.col("low").is_not_null() | pl.col("high").is_not_null()
    return frame.with_columns(
        place=pl.when(pl.col("rate_per_year").is_between(*SHOWN)).then("rate_per_year"),
        from_=pl.when(has).then(pl.col("low").fill_null(SHOWN[0]).clip(*SHOWN)),
        to=pl.when(has).then(pl.col("high").fill_null(SHOWN[1]).clip(*SHOWN)),
    )


def _setting(variant: Variant) -> str:
    named = SAMPLES.get(str(variant.choices.get("sample")))
    if named is not None:
        return named.text
    if variant.fit is not None and "law" in variant.choices:
        return f"law {variant.choices['law']}"
    source = {"own": "the row's own benchmark", "first": "first of three benchmarks"}
    return source.get(str(variant.choices.get("perplexity")), variant.setting)


def _note(variant: Variant, growth: float | None) -> str:
    if variant.fit is None:
        return "no such rows"
    if growth is None:
        return "not identified" if variant.fit.model.law.has_time else "no time term"
    if growth < SHOWN[0]:
        return "← no progress"
    return "faster →" if growth > SHOWN[1] else ""


def variants(result: Mapping[str, Sequence[Variant]]) -> alt.LayerChart | alt.FacetChart:
    """Draw the rate under every variant, labelled as halving time, with every certified minimum."""
    import altair as alt

    frame = variants_data(result)
    names = frame["setting"].unique(maintain_order=True).to_list()
    axis, scale = (
        rate_axis(*SHOWN, title="halving time (months)"),
        rate_scale(*SHOWN),
    )
    weight = alt.condition("slice(datum.label, -1) == ':'", alt.value("bold"), alt.value("normal"))
    rows = alt.Y(
        "setting:N", scale=alt.Scale(domain=names), title=None, axis=alt.Axis(labelFontWeight=weight)
    )
    fits = [k for k in _COLOURS if k in frame["fit"].to_list()]
    colour = alt.Color("fit:N", title=None).scale(domain=fits, range=[_COLOURS[k] for k in fits])
    shape = alt.Shape("fit:N", title=None).scale(
        domain=fits, range=[{BEST: "circle", RIVAL: "diamond", WORSE: "cross"}[k] for k in fits]
    )
    base = alt.Chart(frame)
    spans = (
        base.transform_filter("isValid(datum.from_)")
        .mark_rule(style="interval", color=theme.BLUE)
        .encode(x=alt.X("from_:Q", scale=scale, axis=axis), x2="to:Q", y=rows)
    )
    points = (
        base.transform_filter("isValid(datum.place)")
        .mark_point(size=60, opacity=1)
        .encode(
            x=alt.X("place:Q", scale=scale, axis=axis),
            y=rows,
            color=colour,
            shape=shape,
            tooltip=["choice", "setting", "n", "fit", "halving_time_months", "objective_above_best"],
        )
    )
    notes = (
        base.transform_filter("datum.note != ''")
        .transform_calculate(at=f"datum.note == 'faster →' ? {SHOWN[1]} : {SHOWN[0]}")
        .mark_text(
            style="note",
            dx=alt.expr("datum.note == 'faster →' ? -6 : 6"),
            align=alt.expr("datum.note == 'faster →' ? 'right' : 'left'"),
            dy=-7,
        )
        .encode(x=alt.X("at:Q", scale=scale, axis=axis), y=rows, text="note:N")
    )
    zero = base.transform_aggregate(rows="count()").mark_rule(style="baseline").encode(x=alt.datum(0.0))
    return alt.layer(zero, spans, points, notes).properties(height=ROW * len(names))


def penalty_path_data(result: Sweep) -> pl.DataFrame:
    """Return every certified minimum along the path of penalties.

    Columns: delta, branch (text), rate_per_year, halving_time_months, objective_above_best, fit, place.
    """
    import polars as pl

    frame = result.frame()
    above = pl.col("objective_above_best")
    return frame.select(
        "delta",
        "minimum",
        branch=pl.col("branch").cast(pl.String),
        rate_per_year="rate_per_year",
        halving_time_months="halving_time_months",
        objective_above_best=above,
        fit=pl.when("is_best")
        .then(pl.lit(BEST))
        .when(above <= TWO_BASINS_OBJECTIVE)
        .then(pl.lit(RIVAL))
        .otherwise(pl.lit(WORSE)),
        place=pl.when(pl.col("rate_per_year").is_between(*SHOWN)).then("rate_per_year"),
    ).filter(pl.col("delta") > 0)


def penalty_path(result: Sweep) -> alt.LayerChart | alt.FacetChart:
    """Draw the rate of every minimum against the penalty; lines join a minimum to its continuation."""
    import altair as alt

    frame = penalty_path_data(result)
    low, high = theme.ends(frame["delta"])
    places = frame["place"].drop_nulls().to_numpy()
    ends = (float(places.min()), float(places.max())) if places.size else SHOWN
    bottom, top = min(0.0, ends[0]), max(1.0, ends[1]) * 1.08
    x = alt.X("delta:Q", scale=theme.log_scale(low, high), axis=theme.log_axis("penalty δ", low, high))
    y = alt.Y(
        "place:Q", scale=rate_scale(bottom, top), axis=rate_axis(bottom, top, title="halving time (months)")
    )
    fits = [k for k in _COLOURS if k in frame["fit"].to_list()]
    base = alt.Chart(frame).transform_filter("isValid(datum.place)")
    lines = base.mark_line(stroke=theme.RULE, strokeWidth=1).encode(x=x, y=y, detail="branch:N")
    points = base.mark_point(size=34, opacity=1).encode(
        x=x,
        y=y,
        color=alt.Color("fit:N", title=None).scale(domain=fits, range=[_COLOURS[k] for k in fits]),
        shape=alt.Shape("fit:N", title=None).scale(
            domain=fits, range=[{BEST: "circle", RIVAL: "diamond", WORSE: "cross"}[k] for k in fits]
        ),
        tooltip=["delta", "halving_time_months", "objective_above_best", "fit"],
    )
    return alt.layer(lines, points)


def specification_data(result: SensitivityMap) -> pl.DataFrame:
    """Return the best minimum of every combination, ranked by rate.

    Columns: rank, rate_per_year, halving_time_months, sample, perplexity, normaliser, delta, n, place.
    """
    import polars as pl

    return result.curve().select(
        "rank",
        "rate_per_year",
        "halving_time_months",
        "perplexity",
        "normaliser",
        "delta",
        "n",
        sample=pl.col("sample").replace({name: choice.text for name, choice in SAMPLES.items()}),
        place=pl.col("rate_per_year").clip(*SHOWN),
    )


def specification(result: SensitivityMap) -> alt.LayerChart | alt.FacetChart:
    """Draw the rate of every combination of choices, from fastest to slowest, coloured by sample."""
    import altair as alt

    frame = specification_data(result)
    low, high = theme.ends(frame["place"])
    low, high = min(0.0, low), high + 0.1
    y = alt.Y(
        "place:Q", scale=rate_scale(low, high), axis=rate_axis(low, high, title="halving time (months)")
    )
    names = frame["sample"].unique(maintain_order=True).sort().to_list()
    points = (
        alt.Chart(frame)
        .mark_point(size=30, opacity=1)
        .encode(
            x=alt.X("rank:Q", title="combinations of choices, fastest first", scale=alt.Scale(nice=False)),
            y=y,
            color=alt.Color("sample:N", title=None).scale(
                domain=names, range=list(theme.PALETTE[: len(names)])
            ),
            shape=alt.Shape("sample:N", title=None).scale(domain=names),
            tooltip=["sample", "perplexity", "normaliser", "delta", "n", "halving_time_months"],
        )
    )
    zero = (
        alt.Chart(frame)
        .transform_aggregate(rows="count()")
        .mark_rule(style="baseline")
        .encode(y=alt.datum(0.0))
    )
    return alt.layer(zero, points)


def comparison_data(result: Comparison) -> pl.DataFrame:
    """Return each law at its best penalty, best first, with its distance from the best of all.

    Columns: row (text), law, delta, mse, r2, above_best, low, high (one paired standard error),
    within_one_se, halving_time_months.
    """
    import polars as pl

    frame = result.frame().unique("law", keep="first", maintain_order=True)
    above, se = pl.col("above_best"), pl.col("above_best_se")
    return frame.select(
        "law",
        "delta",
        "mse",
        "r2",
        "above_best",
        "within_one_se",
        "halving_time_months",
        row=pl.format("law {}, δ {}", "law", "delta"),
        low=above - se,
        high=above + se,
        standing=pl.when("within_one_se").then(pl.lit("as good, within one SE")).otherwise(pl.lit("worse")),
    )


def comparison(result: Comparison) -> alt.LayerChart | alt.FacetChart:
    """Draw how much worse than the best each law predicts unseen rows, with paired standard errors."""
    import altair as alt

    frame = comparison_data(result)
    names = frame["row"].to_list()
    near = frame["within_one_se"].to_numpy()
    ends = frame["high"].drop_nulls().to_numpy()
    top = float(np.nanmax(ends)) if ends.size else 1.0
    bottom = float(frame["low"].min() or 0.0)  # type: ignore[arg-type]
    scale = alt.Scale(domain=[min(bottom, 0.0), top], nice=True)
    rows = alt.Y("row:N", sort=names, title=None)
    standings = ["as good, within one SE", "worse"][: 1 + int(not near.all())]
    colour = alt.Color("standing:N", title=None, legend=alt.Legend(columns=1)).scale(
        domain=standings, range=[theme.BLUE, theme.GREY][: len(standings)]
    )
    x = "mean squared error above the best law (nats²)"
    spans = (
        alt.Chart(frame)
        .mark_rule(style="interval")
        .encode(x=alt.X("low:Q", scale=scale, title=x), x2="high:Q", y=rows, color=colour)
    )
    points = (
        alt.Chart(frame)
        .mark_point(size=60, opacity=1)
        .encode(
            x=alt.X("above_best:Q", scale=scale, title=x),
            y=rows,
            color=colour,
            tooltip=["law", "delta", "mse", "r2", "halving_time_months"],
        )
    )
    zero = (
        alt.Chart(frame)
        .transform_aggregate(rows="count()")
        .mark_rule(style="baseline")
        .encode(x=alt.datum(0.0))
    )
    return alt.layer(zero, spans, points).properties(height=(ROW - 6) * len(names))
