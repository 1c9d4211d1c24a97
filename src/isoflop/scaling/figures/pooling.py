"""Pictures of pooled exponents: forest, funnel, seen and unseen, classes.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame. The
exponent is the slope d ln error / d ln x: negative where the error falls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.scaling.pooling.group import Group, Pool
from isoflop.scaling.studies.comparators import PUBLISHED, PUBLISHED_FAMILIARITY
from isoflop.scaling.studies.sample import OWN_STUDY

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.pooling.pooled import Pooled

ROW = 22
SHOWN = (-1.6, 0.8)
"""Exponents drawn; what lies beyond is cut, and its number is in the frame."""
WORDS = {"data": "data", "model_size": "model size", "compute": "compute", "inference": "inference"}
METHOD_NAMES = {
    "hierarchical": "hierarchical, by paper",
    "random_effects": "random effects",
    "three_level": "three-level REML",
    "two_level": "two-level REML",
    "sartor2024": "sartor2024",
}
ROWS = ("literature", "own study", "seen", "unseen", "unreported", "published summary (v2)")
"""Order of the rows below those of all studies."""
_AXIS = "exponent: d ln error / d ln resource"


def forest_data(pooled: Pooled) -> pl.DataFrame:
    """Return all studies of each resource, its sources and seen or unseen, by method, and what was published.

    Columns: resource, row, method, exponent, low, high, prediction_low, prediction_high, studies, papers.
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    for resource in pooled.resources:
        for group in (
            g for g in pooled.groups if g.resource == resource and g.by in ("", "source", "familiarity")
        ):
            if group.pools:
                methods = METHOD_NAMES if not group.by else {"hierarchical": METHOD_NAMES["hierarchical"]}
                rows += [_forest_row(group, name, group.pools[name]) for name in methods]
        published = PUBLISHED.get(resource)
        if published is not None:
            rows.append(
                {
                    "resource": WORDS[resource],
                    "row": "published summary (v2)",
                    "method": "published",
                    "exponent": published.mean,
                    "low": published.low,
                    "high": published.high,
                    "studies": published.studies,
                    "papers": published.papers,
                }
            )
    return pl.DataFrame(rows, schema=_FOREST_SCHEMA(pl)).filter(pl.col("exponent").is_not_null())


def _FOREST_SCHEMA(pl: Any) -> dict[str, Any]:
    numbers = ("exponent", "low", "high", "prediction_low", "prediction_high")
    texts = ("resource", "row", "method")
    return (
        dict.fromkeys(texts, pl.String)
        | dict.fromkeys(numbers, pl.Float64)
        | {"studies": pl.Int64, "papers": pl.Int64}
    )


def _forest_row(group: Group, method: str, pool: Pool) -> dict[str, Any]:
    name = METHOD_NAMES[method] if not group.by else group.name
    return {
        "resource": WORDS[group.resource],
        "row": f"all studies, {name}" if not group.by else name,
        "method": method,
        "exponent": pool.exponent.value,
        "low": pool.exponent.low,
        "high": pool.exponent.high,
        "prediction_low": pool.prediction.low if pool.prediction else None,
        "prediction_high": pool.prediction.high if pool.prediction else None,
        "studies": pool.n_studies,
        "papers": pool.n_papers,
    }


def forest(pooled: Pooled) -> alt.FacetChart:
    """Draw pooled exponents with their intervals and, thin, where a new study would lie."""
    import altair as alt

    frame = forest_data(pooled)
    every = frame["row"].unique(maintain_order=True).to_list()
    order = sorted(every, key=lambda name: ROWS.index(name) if name in ROWS else -1)
    base = alt.Chart(frame).encode(y=alt.Y("row:N", sort=order, title=None))
    colours = {
        "hierarchical": theme.BLUE,
        "random_effects": theme.GREEN,
        "three_level": theme.TEAL,
        "two_level": theme.GREY,
        "sartor2024": theme.VERMILION,
        "published": theme.OCHRE,
    }
    colour = alt.Color(
        "method:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None
    )
    scale = alt.Scale(domain=list(SHOWN), nice=False, zero=False)
    x = alt.X("exponent:Q", scale=scale, title=_AXIS)
    wide = base.mark_rule(style="interval", opacity=0.35, clip=True).encode(
        x=alt.X("prediction_low:Q", scale=scale, title=_AXIS), x2="prediction_high:Q", color=colour
    )
    spans = base.mark_rule(strokeWidth=3, clip=True).encode(
        x=alt.X("low:Q", scale=scale, title=_AXIS), x2="high:Q", color=colour
    )
    points = base.mark_point(size=60, opacity=1, clip=True).encode(
        x=x, color=colour, tooltip=["row", "exponent", "low", "high", "studies", "papers"]
    )
    zero = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.datum(0.0))
    chart: alt.FacetChart = (
        alt.layer(zero, wide, spans, points)
        .properties(width=theme.WIDTH - 190, height=alt.Step(ROW))
        .facet(row=alt.Row("resource:N", title=None, sort=list(WORDS.values())))
        .resolve_scale(y="independent")
    )
    return chart


def funnel_data(pooled: Pooled) -> pl.DataFrame:
    """Return each study's exponent and standard error, and its resource's mean.

    Columns: study, paper_id, resource, source (literature, own study), exponent, se, mean.
    """
    import polars as pl

    fits = pooled.fits
    means = {r: pooled.exponent(r, "hierarchical").value for r in pooled.resources}
    can = fits.alone.usable
    return (
        fits.sample.facts.select("study", "paper_id", "resource")
        .with_columns(exponent=pl.Series(-fits.alone.alpha), se=pl.Series(fits.alone.se))
        .filter(pl.Series(can))
        .with_columns(
            mean=pl.col("resource").replace_strict(means, default=None),
            resource=pl.col("resource").replace(WORDS),
            source=pl.when(pl.col("paper_id") == OWN_STUDY)
            .then(pl.lit("own study"))
            .otherwise(pl.lit("literature")),
        )
    )


def funnel(pooled: Pooled) -> alt.FacetChart:
    """Draw each study's exponent against its standard error, precise studies on top."""
    import altair as alt

    frame = funnel_data(pooled)
    top = float(np.quantile(frame["se"].to_numpy(), 0.98))
    x = alt.X("exponent:Q", scale=alt.Scale(domain=[-3.0, 1.5], nice=False), title=_AXIS)
    y = alt.Y("se:Q", scale=alt.Scale(domain=[top, 0.0], nice=False), title="standard error from trials")
    there = [name for name in ("literature", "own study") if (frame["source"] == name).any()]
    colours = {"literature": theme.BLUE, "own study": theme.VERMILION}
    colour = alt.Color(
        "source:N",
        scale=alt.Scale(domain=there, range=[colours[name] for name in there]),
        title=None,
        legend=alt.Legend() if len(there) > 1 else None,
    )
    points = (
        alt.Chart(frame)
        .mark_circle(size=26, opacity=0.55, clip=True)
        .encode(x=x, y=y, color=colour, tooltip=["study", "exponent", "se"])
    )
    mean = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.X("mean(mean):Q", title=_AXIS))
    return (
        alt.layer(mean, points)
        .properties(width=300, height=240)
        .facet(facet=alt.Facet("resource:N", title=None, sort=list(WORDS.values())), columns=2)
    )


def familiarity_data(pooled: Pooled, resource: str = "data") -> pl.DataFrame:
    """Return the density of studies' exponents for seen and unseen conditions, each paper weighing the same.

    Columns: familiarity, exponent, density, mean, low, high, studies, papers, published.
    """
    import polars as pl

    fits = pooled.fits
    facts = fits.sample.facts
    grid = np.linspace(-1.5, 0.6, 71)
    rows: list[dict[str, Any]] = []
    for name in ("seen", "unseen"):
        group = pooled.group(resource, "familiarity", name)
        if group is None or not group.pools:
            continue
        lead = group.pools["hierarchical"]
        mask = (facts["resource"] == resource) & (facts["familiarity"] == name)
        which = mask.fill_null(False).to_numpy() & fits.alone.usable
        papers = np.array(fits.sample.papers)[which]
        _, number = np.unique(papers, return_inverse=True)
        weight = 1.0 / np.bincount(number)[number]
        # a study that says little is drawn as wide as its own standard error
        width = np.hypot(fits.alone.se[which], _KERNEL)[:, None]
        bumps = np.exp(-0.5 * ((grid + fits.alone.alpha[which][:, None]) / width) ** 2) / width
        density = (weight[:, None] * bumps).sum(axis=0) / weight.sum() / np.sqrt(2 * np.pi)
        head = {
            "familiarity": name,
            "mean": lead.exponent.value,
            "low": lead.exponent.low,
            "high": lead.exponent.high,
            "studies": lead.n_studies,
            "papers": lead.n_papers,
            "published": PUBLISHED_FAMILIARITY[name][0] if resource == "data" else None,
        }
        rows += [
            head | {"exponent": float(g), "density": float(d)} for g, d in zip(grid, density, strict=True)
        ]
    return pl.DataFrame(rows, infer_schema_length=None)


_KERNEL = 0.05


def familiarity(pooled: Pooled) -> alt.FacetChart:
    """Draw the exponents of seen and unseen conditions, their means, and the published ones."""
    import altair as alt

    frame = familiarity_data(pooled)
    scale = alt.Scale(domain=["seen", "unseen"], range=[theme.GREEN, theme.PURPLE])
    x = alt.X("exponent:Q", scale=alt.Scale(domain=[-1.5, 0.6], nice=False), title=_AXIS)
    colour = alt.Color("familiarity:N", scale=scale, legend=None)
    area = alt.Chart(frame).mark_area(opacity=0.35).encode(
        x=x, y=alt.Y("density:Q", axis=None, title=None), color=colour
    )  # fmt: skip
    one = alt.Chart(frame).encode(color=colour)
    mean = one.mark_rule(strokeWidth=2.5).encode(x=alt.X("mean(mean):Q", title=_AXIS))
    published = alt.Chart(frame).mark_rule(style="baseline").encode(
        x=alt.X("mean(published):Q", title=_AXIS)
    )  # fmt: skip
    return (
        alt.layer(area, published, mean)
        .properties(width=theme.WIDTH - 60, height=110)
        .facet(row=alt.Row("familiarity:N", title=None))
    )


def classes_data(pooled: Pooled) -> pl.DataFrame:
    """Return each class's exponent by resource; a class without studies says "no data".

    Columns: resource, model_class, exponent, low, high, studies, papers, label, drawn_low, drawn_high (cut
    to the picture).
    """
    import polars as pl

    rows = []
    for group in pooled.groups:
        if group.by != "model_class":
            continue
        lead = group.pools.get("hierarchical")
        estimate = lead.exponent if lead is not None else None
        label = "no data"
        if lead is not None:
            studies = "study" if lead.n_studies == 1 else "studies"
            papers = "paper" if lead.n_papers == 1 else "papers"
            label = f"{lead.n_studies} {studies}, {lead.n_papers} {papers}"
        rows.append(
            {
                "resource": WORDS[group.resource],
                "model_class": group.name,
                "exponent": estimate.value if estimate else None,
                "low": estimate.low if estimate else None,
                "high": estimate.high if estimate else None,
                "studies": lead.n_studies if lead else 0,
                "papers": lead.n_papers if lead else 0,
                "label": label,
            }
        )
    numbers = dict.fromkeys(("exponent", "low", "high"), pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)
    return frame.with_columns(drawn_low=pl.col("low").clip(*SHOWN), drawn_high=pl.col("high").clip(*SHOWN))


def classes(pooled: Pooled) -> alt.FacetChart:
    """Draw each class's exponent with its interval, its studies and papers, or that there is no data."""
    import altair as alt

    from isoflop.scaling.pooling.pool import CLASSES

    frame = classes_data(pooled)
    scale = alt.Scale(domain=[SHOWN[0], SHOWN[1] + 0.7], nice=False, zero=False)
    y = alt.Y("model_class:N", sort=list(CLASSES), title=None)
    base = alt.Chart(frame).encode(y=y)
    spans = base.mark_rule(strokeWidth=3, clip=True).encode(
        x=alt.X("drawn_low:Q", scale=scale, title=_AXIS), x2="drawn_high:Q"
    )
    points = base.mark_point(size=60, opacity=1, clip=True).encode(
        x=alt.X("exponent:Q", scale=scale, title=_AXIS),
        tooltip=["model_class", "exponent", "low", "high", "studies", "papers"],
    )
    notes = base.mark_text(style="note", align="right").encode(x=alt.datum(SHOWN[1] + 0.68), text="label:N")
    zero = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.datum(0.0))
    chart: alt.FacetChart = (
        alt.layer(zero, spans, points, notes)
        .properties(width=theme.WIDTH - 120, height=alt.Step(ROW))
        .facet(row=alt.Row("resource:N", title=None, sort=list(WORDS.values())))
        .resolve_scale(y="independent")
    )
    return chart
