"""Sections of the chapter on robotics: pooled exponents, who scales how, and what the means rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import pooling as figures
from isoflop.scaling.pooling.differences import CONFOUNDED
from isoflop.scaling.pooling.findings import REDUCIBLE, UNLIKE
from isoflop.scaling.studies.comparators import PUBLISHED
from isoflop.scaling.studies.sartor2024 import BIAS_CAUTION

if TYPE_CHECKING:
    from isoflop.scaling.pooling.pooled import Pooled

METHOD_COLUMNS = (
    Column(name="resource", label="Resource"),
    Column(name="method", label="Method"),
    Column(name="n_studies", label="Studies", format="count"),
    Column(name="n_papers", label="Papers", format="count"),
    Column(name="exponent", label="Exponent", format="estimate"),
    Column(name="new_study", label="A new study"),
    Column(name="halving", label="× to halve", format="estimate"),
)
CLASS_COLUMNS = (
    Column(name="resource", label="Resource"),
    Column(name="group", label="Class"),
    Column(name="n_studies", label="Studies", format="count"),
    Column(name="n_papers", label="Papers", format="count"),
    Column(name="exponent", label="Exponent", align="right"),
)
OUT_COLUMNS = (
    Column(name="resource", label="Resource"),
    Column(name="paper", label="Without"),
    Column(name="studies_left_out", label="Studies", format="count"),
    Column(name="exponent", label="Exponent", format="number"),
    Column(name="interval", label="Interval"),
)
TRIALS_COLUMNS = (
    Column(name="resource", label="Resource"),
    Column(name="trials", label="Trials assumed", format="count"),
    Column(name="studies_assumed", label="Studies concerned", format="count"),
    Column(name="exponent", label="Exponent", align="right"),
)
BIAS_COLUMNS = (
    Column(name="resource", label="Resource"),
    Column(name="test", label="Test"),
    Column(name="value", label="Value", format="number"),
    Column(name="p", label="p", align="right"),
    Column(name="note", label="Note"),
)
SHOWN_PAPERS = 8


def pooling_figures(pooled: Pooled) -> tuple[Figure, ...]:
    """Return the pictures that the pool has rows for."""
    made = (_forest(pooled), _familiarity(pooled), _classes(pooled), _funnel(pooled))
    return tuple(figure for figure in made if figure.frame.height)


def _source(pooled: Pooled) -> str:
    sample = pooled.fits.sample
    return f"{sample.table.name}, {sample.n} studies of {sample.n_papers} papers"


def _forest(pooled: Pooled) -> Figure:
    return Figure(
        id="pooled-exponents",
        title=_headline(pooled),
        subtitle="Mean slope of ln error on ln resource, by resource, source and method",
        frame=figures.forest_data(pooled),
        chart=lambda: figures.forest(pooled),
        alt="Intervals of pooled exponents: one row a method and source, beside the published summary.",
        source=_source(pooled),
        n=pooled.fits.sample.n,
        interval=f"Thick: {formats.percent(pooled.level)} intervals of the mean; thin: where a new study "
        "of a new paper would lie. Both are cut at the ends of the axis",
    )


def _headline(pooled: Pooled) -> str:
    resource = "data" if "data" in pooled.resources else pooled.resources[0]
    said = formats.estimate(pooled.exponent(resource, "hierarchical"))
    return f"Exponent of error in {figures.WORDS[resource]}: {said}"


def _familiarity(pooled: Pooled) -> Figure:
    seen = pooled.group("data", "familiarity", "seen")
    unseen = pooled.group("data", "familiarity", "unseen")
    said = "seen and unseen"
    if seen is not None and unseen is not None and seen.pools and unseen.pools:
        values = [g.pools["hierarchical"].exponent.value or 0.0 for g in (seen, unseen)]
        said = f"seen {formats.number(values[0])}, unseen {formats.number(values[1])}"
    return Figure(
        id="exponents-by-familiarity",
        title=f"Exponents in data by familiarity: {said}",
        subtitle="Density of studies' exponents, each paper weighing the same; line: mean, dashed: published",
        frame=figures.familiarity_data(pooled),
        chart=lambda: figures.familiarity(pooled),
        alt="Two densities of exponents, seen above unseen, with their means.",
        source=_source(pooled),
        n=pooled.fits.sample.n,
        interval="Means have intervals in the table; densities have none",
    )


def _classes(pooled: Pooled) -> Figure:
    return Figure(
        id="exponents-by-class",
        title="Exponents by model class: robot foundation models, language models, other",
        subtitle="Mean slope of ln error on ln resource",
        frame=figures.classes_data(pooled),
        chart=lambda: figures.classes(pooled),
        alt="One row a class and resource with its interval, numbers of studies and papers, or no data.",
        source=_source(pooled),
        n=pooled.fits.sample.n,
        interval=f"{formats.percent(pooled.level)} intervals over papers; a class of one paper has none",
    )


def _funnel(pooled: Pooled) -> Figure:
    return Figure(
        id="funnel",
        title="Precise studies find smaller exponents than imprecise ones"
        if _leans(pooled)
        else "Studies' exponents against their precision",
        subtitle="Exponent of each study by its standard error from trials; dashed: pooled mean",
        frame=figures.funnel_data(pooled),
        chart=lambda: figures.funnel(pooled),
        alt="Points spread wider downwards, around the dashed mean of each resource.",
        source=_source(pooled),
        n=pooled.fits.sample.n,
        interval="The vertical axis is each study's standard error",
    )


def _leans(pooled: Pooled) -> bool:
    import numpy as np

    frame = figures.funnel_data(pooled)
    if frame.height < 3:
        return False
    return bool(np.corrcoef(frame["exponent"].to_numpy(), frame["se"].to_numpy())[0, 1] < -0.1)


def pooling_section(pooled: Pooled) -> Section:
    """Return the section on pooled exponents: literature, own study, published summary."""
    sample = pooled.fits.sample
    rows = []
    for resource in pooled.resources:
        group = pooled.group(resource)
        assert group is not None
        for method, name in figures.METHOD_NAMES.items():
            one = group.pools[method]
            rows.append(_method_row(figures.WORDS[resource], name, one))
        for source in ("literature", "own study"):
            part = pooled.group(resource, "source", source)
            if part is not None:
                rows.append(
                    _method_row(
                        figures.WORDS[resource], f"{source}, hierarchical", part.pools["hierarchical"]
                    )
                )
    for resource, published in PUBLISHED.items():
        rows.append(
            {
                "resource": figures.WORDS[resource],
                "method": "published summary, v2",
                "n_studies": published.studies,
                "n_papers": published.papers,
                "exponent": _printed(published.mean, published.low, published.high),
                "halving": formats.multiple(published.halving_factor),
            }
        )
    table = Table(
        id="pooled-exponents-table",
        title="One exponent from many studies, every method on the same rows",
        columns=_texts(METHOD_COLUMNS),
        rows=tuple(rows),
        note=f"The factor {REDUCIBLE} The published factors come from medians. {sample.default_trials} "
        "trials a point are assumed where a paper prints none.",
    )
    own = pooled.group("data", "source", "own study")
    apart = (
        "The project's own study is one paper among the others, and stands apart in its own row."
        if own is not None
        else "All points are the literature's."
    )
    return Section(
        id="robotics",
        title="Robotics: how fast does error fall",
        prose=(
            f"{sample.n} studies of {sample.n_papers} papers give a success rate at two or more amounts of a "
            "resource. Each enters with its trials; papers, not studies, are the independent units, and "
            f"each paper counts once. {apart} The published summary rests on other studies, and its points "
            "were not released: it stands beside, and is never pooled.",
            "{figure:pooled-exponents}",
            "{table:pooled-exponents-table}",
            f"The published method on the same rows is shown because its numbers are known: {BIAS_CAUTION}",
            _domain_text(pooled),
        ),
        figures=(_forest(pooled),),
        tables=(table,),
        cautions=pooled.fits.sample.notes,
    )


def _printed(value: float, low: float, high: float) -> str:
    return f"{formats.number(value)} ({formats.number(low)} to {formats.number(high)}, 95 %)"


def _texts(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return columns whose cells are already text, numbers to the right."""
    return tuple(
        Column(name=c.name, label=c.label, align="right") if c.format == "estimate" else c for c in columns
    )


def _method_row(resource: str, name: str, one: Any) -> dict[str, Any]:
    shown = formats.estimate(one.exponent)
    new = one.prediction
    return {
        "resource": resource,
        "method": name,
        "n_studies": one.n_studies,
        "n_papers": one.n_papers,
        "exponent": shown if one.exponent.low is not None or not one.reason else f"{shown}, no interval",
        "new_study": None
        if new is None
        else f"{formats.number(new.low, 2)} to {formats.number(new.high, 2)}",
        "halving": formats.estimate(one.halving, unbounded="no finite factor excluded"),
    }


def _domain_text(pooled: Pooled) -> str:
    domain = pooled.domain
    if domain is None:
        return UNLIKE[:1].upper() + UNLIKE[1:]
    lead = UNLIKE[:1].upper() + UNLIKE[1:]
    if domain.reason:
        what = f"Robotics against {domain.domain}, error rate over error rate"
        return f"{lead} {what}: not identified, {domain.reason}"
    ratio = formats.estimate(domain.ratio)
    return (
        f"{lead} Robotics' exponent in {figures.WORDS[domain.resource]} is {ratio} times {domain.domain}'s, "
        "error rate over error rate."
    )


def groups_section(pooled: Pooled) -> Section:
    """Return the section on familiarity and model class."""
    prose = ["{figure:exponents-by-familiarity}"]
    for d in pooled.familiarity:
        word = figures.WORDS[d.resource]
        inside = ""
        if d.within is not None:
            inside = (
                f" Inside the {d.papers_with_both} papers that test both it is {formats.estimate(d.within)}."
            )
        if d.reason:
            prose.append(f"In {word}, unseen minus seen: not identified, {d.reason}{inside}")
        else:
            prose.append(
                f"In {word}, unseen minus seen is {formats.estimate(d.estimate)}; above zero, seen tasks "
                f"improve faster.{inside}"
            )
    prose += ["{figure:exponents-by-class}", "{table:classes}"]
    for contrast in pooled.class_difference:
        text = (
            contrast.reason or f"{formats.estimate(contrast.estimate)}; the resource has a mean of its own."
        )
        prose.append(f"{contrast.label[:1].upper()}{contrast.label[1:]}: {text}")
    rows = [
        {
            "resource": figures.WORDS[g.resource],
            "group": g.name,
            "n_studies": g.pools["hierarchical"].n_studies if g.pools else 0,
            "n_papers": g.pools["hierarchical"].n_papers if g.pools else 0,
            "exponent": formats.estimate(g.pools["hierarchical"].exponent) if g.pools else "no data",
        }
        for g in pooled.groups
        if g.by == "model_class"
    ]
    table = Table(
        id="classes", title="Exponent by model class", columns=CLASS_COLUMNS, rows=tuple(rows),
        note="Classes and familiarity are this project's coding of the papers, not the authors'.",
    )  # fmt: skip
    drawn = tuple(f for f in (_familiarity(pooled), _classes(pooled)) if f.frame.height)
    names = {f"{{figure:{f.id}}}" for f in drawn}
    return Section(
        id="robotics-groups",
        title="Robotics: for whom",
        prose=tuple(p for p in prose if not p.startswith("{figure:") or p in names),
        figures=drawn,
        tables=(table,),
        cautions=(CONFOUNDED,),
    )


def robustness_section(pooled: Pooled, *, seed: int = 0) -> Section:
    """Return the section on what the means rest on: papers, small studies, moderators."""
    import polars as pl

    out = pooled.leave_one_out()
    moved = out.with_columns(size=pl.col("change").abs()).sort("size", descending=True).head(SHOWN_PAPERS)
    papers = [
        {
            "resource": figures.WORDS[row["resource"]],
            "paper": f"{row['title'] or row['paper_id']}",
            "studies_left_out": row["studies_left_out"],
            "exponent": row["exponent"],
            "interval": "none"
            if row["low"] is None
            else f"{formats.number(row['low'], 2)} to {formats.number(row['high'], 2)}",
        }
        for row in moved.to_dicts()
    ]
    tests = [
        row | {"resource": figures.WORDS[row["resource"]], "p": None if row["p"] is None else _p(row["p"])}
        for row in pooled.bias(seed=seed).rows
    ]
    return Section(
        id="robotics-robustness",
        title="Robotics: what the means rest on",
        prose=(
            "The papers whose absence moves the mean most, then tests of small-study effects. The standard "
            "error of an exponent grows with the exponent, so a lopsided funnel is expected without any "
            "missing study.",
            "{table:without-each-paper}",
            "Where a paper prints no trials they are assumed; the table says what that decides. On the other "
            f"scale, logit(success) rises per tenfold by {_logits(pooled)}.",
            "{table:assumed-trials}",
            "{figure:funnel}",
            "{table:small-study-effects}",
        ),
        figures=(_funnel(pooled),),
        tables=(
            Table(
                id="without-each-paper",
                title="The mean without each paper",
                columns=OUT_COLUMNS,
                rows=tuple(papers),
                note=f"The {len(papers)} largest changes of {out.height}.",
            ),
            Table(
                id="assumed-trials",
                title="The mean by assumed trials",
                columns=TRIALS_COLUMNS,
                rows=tuple(_trials_row(row) for row in pooled.trials_sensitivity().to_dicts()),
            ),
            Table(
                id="small-study-effects", title="Small-study effects", columns=BIAS_COLUMNS, rows=tuple(tests)
            ),
        ),
    )


def _logits(pooled: Pooled) -> str:
    parts = [f"{formats.estimate(e)} in {figures.WORDS[r]}" for r, e in pooled.logit_slopes.items()]
    return "; ".join(parts)


def _trials_row(row: dict[str, Any]) -> dict[str, Any]:
    interval = (
        "" if row["low"] is None else f" ({formats.number(row['low'])} to {formats.number(row['high'])})"
    )
    return row | {
        "resource": figures.WORDS[row["resource"]],
        "exponent": formats.number(row["exponent"]) + interval,
    }


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.2g}"
