"""Pictures of emergence, returns and study plans.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.scaling.breaks.fit import POWER, POWER_FLOOR, SMOOTH, fit_curve
from isoflop.scaling.breaks.series import blocks
from isoflop.scaling.emergence.verdict import VERDICTS
from isoflop.scaling.figures.axes import log_x
from isoflop.scaling.returns.numbers import FREE_FLOOR_POINTS
from isoflop.stats.checks import FloatArray
from isoflop.stats.intervals import clopper_pearson

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.breaks.series import Series
    from isoflop.scaling.emergence.result import EmergenceTests, JudgedStudy
    from isoflop.scaling.power.result import PowerPlan
    from isoflop.scaling.returns.result import Returns

PANELS, COLUMNS, PER_PAPER = 9, 3, 3
SHOWN_TRIALS = 50
"""Assumed for the intervals drawn where a paper prints no number of trials."""
STEPS = 41
BEYOND = 100.0
"""Multiple of the largest amount up to which curves are continued."""
VERDICT_COLOURS = {
    "break_supported": theme.VERMILION,
    "sharp_by_metric": theme.PURPLE,
    "sharp_by_sampling": theme.OCHRE,
    "smooth": theme.BLUE,
    "undetermined": theme.GREY,
}
_CURVATURE_COLOURS = {
    "diminishing": theme.VERMILION,
    "increasing": theme.GREEN,
    "not_distinguished": theme.GREY,
}


def _words(name: str) -> str:
    return name.replace("_", " ")


def sharpest(found: EmergenceTests) -> tuple[JudgedStudy, ...]:
    """Return the studies in which a threshold does best, at most three of a paper."""
    taken: Counter[str] = Counter()
    kept: list[JudgedStudy] = []
    for one in sorted(found.studies, key=lambda s: (min(n.p for n in s.numbers), s.series.study)):
        if taken[one.series.paper] < PER_PAPER and len(kept) < PANELS:
            taken[one.series.paper] += 1
            kept.append(one)
    return tuple(kept)


def emergence_data(found: EmergenceTests) -> pl.DataFrame:
    """Return points with exact binomial intervals and both hypotheses, for the sharpest studies.

    Columns: study, title, verdict, part (measured, smooth, threshold), order (along a line), multiple (of
    the smallest amount), success, low, high, trials.
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    for one in sharpest(found):
        series = one.series
        k, n = series.counts(SHOWN_TRIALS)
        low, high = clopper_pearson(k, n)
        z = np.linspace(0.0, 1.0, STEPS)
        numbers = one.numbers[-1]
        curve = SMOOTH[numbers.smooth_law]
        theta = fit_curve(curve, series.z[None], k[None], n[None]).theta
        smooth = curve.predict(theta, z[None])[0][0]
        behind = (
            0.5 * (series.z[numbers.position - 1] + series.z[numbers.position]) if numbers.position else 0.0
        )
        at = np.array([0.0, behind, behind, 1.0])
        step = np.array([numbers.before, numbers.before, numbers.after, numbers.after])
        head = {
            "study": series.study,
            "title": _title(series),
            "verdict": _words(one.verdict),
        }
        length = float(series.along[-1] - series.along[0])
        rows += [
            {**head, "part": "measured", "multiple": float(np.exp(series.z[i] * length)), "success": float(s),
             "low": float(low[i]), "high": float(high[i]), "trials": float(n[i])}
            for i, s in enumerate(series.success)
        ]  # fmt: skip
        for part, places, values in (("smooth", z, smooth), ("threshold", at, step)):
            rows += [
                {
                    **head,
                    "part": part,
                    "order": i,
                    "multiple": float(np.exp(place * length)),
                    "success": float(value),
                }
                for i, (place, value) in enumerate(zip(places, values, strict=True))
            ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _title(series: Series, width: int = 26) -> str:
    name = series.study.split("/", 1)[-1]
    return name if len(name) <= width else name[: width - 1] + "…"


def emergence(found: EmergenceTests) -> alt.FacetChart:
    """Draw the sharpest studies: points with exact intervals, the best smooth law and the best threshold."""
    import altair as alt

    frame = emergence_data(found)
    _, widest = theme.ends(frame["multiple"])
    x = log_x("multiple", "× the smallest amount", (1.0, widest))
    y = alt.Y(
        "success:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", title="success", tickCount=3)
    )
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=["smooth", "threshold"], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart()
    lines = (
        base.transform_filter("datum.part != 'measured'")
        .mark_line(strokeWidth=1.75)
        .encode(x=x, y=y, color=colour, order="order:Q")
    )
    measured = base.transform_filter("datum.part == 'measured'")
    bars = measured.mark_rule(style="interval", color=theme.INK).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    dots = measured.mark_point(color=theme.INK, size=36, opacity=1).encode(
        x=x, y=y, tooltip=["study:N", "verdict:N", "success:Q", "trials:Q"]
    )
    panel = alt.layer(lines, bars, dots, data=frame).properties(width=190, height=110)
    titles = list(dict.fromkeys(frame["title"].to_list()))
    return panel.facet(facet=alt.Facet("title:N", sort=titles, title=None), columns=COLUMNS)


def verdicts_data(found: EmergenceTests) -> pl.DataFrame:
    """Return the number of studies by verdict under each number of trials, and the verdicts that hold.

    Columns: trials, verdict, studies, share. ``all`` are the verdicts that hold under every number.
    """
    import polars as pl

    said = [(f"{n}", [one.verdicts[i] for one in found.studies]) for i, n in enumerate(found.trials)]
    said.append(("all", [one.verdict for one in found.studies]))
    rows = [
        {
            "trials": trials,
            "verdict": _words(verdict),
            "studies": each.count(verdict),
            "share": each.count(verdict) / found.n,
        }
        for trials, each in said
        for verdict in VERDICTS
    ]  # fmt: skip
    return pl.DataFrame(rows)


def verdicts(found: EmergenceTests) -> alt.Chart:
    """Draw the share of studies with each verdict, by the number of trials assumed where none is printed."""
    import altair as alt

    frame = verdicts_data(found)
    order = [_words(verdict) for verdict in VERDICT_COLOURS]
    bars: alt.Chart = (
        alt.Chart(frame)
        .transform_calculate(rank=f"indexof({order}, datum.verdict)")
        .mark_bar()
        .encode(
            x=alt.X(
                "share:Q",
                stack="zero",
                axis=alt.Axis(format="%", title="studies"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            y=alt.Y("trials:N", sort=None, title="trials assumed"),
            color=alt.Color(
                "verdict:N",
                scale=alt.Scale(domain=order, range=list(VERDICT_COLOURS.values())),
                legend=alt.Legend(title=None),
            ),
            order=alt.Order("rank:Q"),
            tooltip=["trials", "verdict", "studies"],
        )
        .properties(height=36 * (len(found.trials) + 1))
    )
    return bars


def returns_data(found: Returns) -> pl.DataFrame:
    """Return fitted success against the multiple of each study's largest amount, averaged by paper.

    Columns: paper, part (paper, all papers), multiple, success, beyond (past the largest amount), and the
    lines drawn across: largest (1) and target.
    Amounts below a study's smallest are left out, so that a paper's line starts where all its studies do.
    """
    import polars as pl

    multiples = np.geomspace(1.0 / BEYOND, BEYOND, 2 * STEPS - 1)
    by_paper: dict[str, list[FloatArray]] = {}
    for block in blocks([one.series for one in found.studies], SHOWN_TRIALS):
        curve = POWER_FLOOR if block.z.shape[1] >= FREE_FLOOR_POINTS else POWER
        theta = fit_curve(curve, block.z, block.k, block.n).theta
        members = [found.studies[i].series for i in block.rows.tolist()]
        length = np.array([one.along[-1] - one.along[0] for one in members])
        z = 1.0 + np.log(multiples) / length[:, None]
        # Error that rises with the resource would leave [0, 1] beyond the range: held at its last value.
        z = np.where((theta[:, 1] < theta[:, 0])[:, None], np.minimum(z, 1.0), z)
        success = np.where(z >= -1e-9, curve.predict(theta, np.maximum(z, 0.0))[0], np.nan)
        for one, line in zip(members, success, strict=True):
            by_paper.setdefault(one.paper, []).append(line)
    means = {paper: np.mean(lines, axis=0) for paper, lines in by_paper.items()}
    shown = [("all papers", "all papers", np.mean(list(means.values()), axis=0))]
    shown += [(paper, "paper", line) for paper, line in sorted(means.items())]
    rows = [
        {
            "paper": paper,
            "part": part,
            "multiple": float(m),
            "success": float(p),
            "beyond": bool(m > 1.0),
            "largest": 1.0,
            "target": found.settings.target,
        }
        for paper, part, line in shown
        for m, p in zip(multiples, line, strict=True)
        if np.isfinite(p)
    ]
    return pl.DataFrame(rows)


def returns(found: Returns) -> alt.LayerChart | alt.FacetChart:
    """Draw fitted success against the multiple of the largest amount, by paper and over papers."""
    import altair as alt

    frame = returns_data(found)
    low, high = theme.ends(frame["multiple"])
    title = "× the largest amount of the study"
    x = log_x("multiple", title, (low, high))
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%", title="fitted success")
    y = alt.Y("success:Q", scale=scale, axis=axis)
    base = alt.Chart(frame)
    dash = alt.StrokeDash(
        "beyond:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [4, 3]]), legend=None
    )
    papers = (
        base.transform_filter("datum.part == 'paper'")
        .mark_line(color=theme.GREY, strokeWidth=1, opacity=0.7)
        .encode(x=x, y=y, detail="paper:N", strokeDash=dash, tooltip=["paper", "multiple", "success"])
    )
    everyone = (
        base.transform_filter("datum.part == 'all papers'")
        .mark_line(color=theme.BLUE, strokeWidth=3)
        .encode(x=x, y=y, strokeDash=dash)
    )
    rule = base.mark_rule(style="baseline")
    edge = rule.encode(x=log_x("mean(largest)", title, (low, high)))
    goal = rule.encode(y=alt.Y("mean(target):Q", scale=scale, axis=axis))
    return alt.layer(edge, goal, papers, everyone)


def elasticity_data(found: Returns) -> pl.DataFrame:
    """Return the elasticity of the error at both ends of each study.

    Columns: study, paper_id, resource, curvature, elasticity_first, elasticity_last, curvature_p_high,
    and first and last, the same cut to [−2, 1] for the picture.
    """
    import polars as pl

    return (
        found.frame()
        .select(
            "study",
            "paper_id",
            "resource",
            "curvature",
            "elasticity_first",
            "elasticity_last",
            "curvature_p_high",
        )
        .with_columns(
            curvature=pl.col("curvature").str.replace_all("_", " "),
            first=pl.col("elasticity_first").clip(-2.0, 1.0),
            last=pl.col("elasticity_last").clip(-2.0, 1.0),
        )
        .sort("curvature_p_high", descending=True)
    )


def elasticity(found: Returns) -> alt.LayerChart | alt.FacetChart:
    """Draw the elasticity at the last amount against that at the first; above the diagonal error flattens."""
    import altair as alt

    frame = elasticity_data(found)
    scale = alt.Scale(domain=[-2.0, 1.0], nice=False)
    x = alt.X("first:Q", scale=scale, title="elasticity of the error at the smallest amount")
    y = alt.Y("last:Q", scale=scale, title="at the largest amount")
    names = [_words(name) for name in _CURVATURE_COLOURS]
    base = alt.Chart(frame)
    same = base.mark_line(style="baseline").encode(x=x, y=alt.Y("first:Q", scale=scale))
    dots = base.mark_point(size=34).encode(
        x=x,
        y=y,
        color=alt.Color(
            "curvature:N",
            scale=alt.Scale(domain=names, range=list(_CURVATURE_COLOURS.values())),
            legend=alt.Legend(title=None),
        ),
        tooltip=["study", "elasticity_first", "elasticity_last", "curvature_p_high"],
    )
    return alt.layer(same, dots)


def power_data(found: PowerPlan) -> pl.DataFrame:
    """Return the smallest detectable exponent by points and trials.

    Columns: points, trials, minimum_detectable, standard_error, total_trials, shown (in words).
    """
    import polars as pl

    return found.frame().with_columns(
        pl.col("minimum_detectable").cast(pl.Float64),
        shown=pl.col("minimum_detectable")
        .map_elements(lambda a: f"{a:.2f}", return_dtype=pl.String)
        .fill_null("none"),
    )


def power(found: PowerPlan) -> alt.LayerChart | alt.FacetChart:
    """Draw the smallest detectable exponent as a map over points and trials."""
    import altair as alt

    frame = power_data(found)
    least, most = (
        theme.ends(frame["minimum_detectable"]) if frame["minimum_detectable"].count() else (1.0, 1.0)
    )
    x, y = (
        alt.X("trials:O", title="trials a point", axis=alt.Axis(labelAngle=0)),
        alt.Y("points:O", title="points", sort="descending"),
    )
    base = alt.Chart(frame)
    cells = base.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color(
            "minimum_detectable:Q",
            scale=alt.Scale(type="log", domain=[least, most], range=[theme.RAMP[-1], theme.RAMP[0]]),
            legend=None,
        ),
        tooltip=["points", "trials", "minimum_detectable", "standard_error", "total_trials"],
    )
    middle = float(np.sqrt(least * most))
    text = base.mark_text(fontSize=13).encode(
        x=x,
        y=y,
        text="shown:N",
        color=alt.condition(
            f"datum.minimum_detectable < {middle}", alt.value(theme.PAPER), alt.value(theme.INK)
        ),
    )
    return alt.layer(cells, text).properties(height=44 * len(set(frame["points"].to_list())))
