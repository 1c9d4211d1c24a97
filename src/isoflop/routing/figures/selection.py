"""Pictures of a selection: the models of one task with intervals, and what the weights were learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.selection.ranking import TaskRanking
    from isoflop.routing.selection.shrunken import ShrunkenFit

ROW = 22
SHOWN = 20
CHOSEN, OTHER = "chosen", "others"
POSTERIOR, SAMPLE = "prediction and labels", "sample mean alone"


def ranking_data(found: TaskRanking) -> pl.DataFrame:
    """Return one row a model: expected accuracy with its interval, and its mean over all tasks.

    Columns: model, expected, low, high, prior (fractions), p_best, role.
    """
    import polars as pl

    rows = found.rows()[:SHOWN]
    return pl.DataFrame(
        [
            {name: row[name] for name in ("model", "expected", "low", "high", "prior", "p_best")}
            | {"role": CHOSEN if row["model"] == found.choice else OTHER}
            for row in rows
        ],
        infer_schema_length=None,
    )


def ranking(found: TaskRanking) -> alt.LayerChart | alt.FacetChart:
    """Draw expected accuracies with intervals, and the mean over all tasks as a tick."""
    import altair as alt

    frame = ranking_data(found)
    base = alt.Chart(frame).encode(y=alt.Y("model:N", sort=frame["model"].to_list(), title=None))
    x = alt.X("expected:Q", title="accuracy on the task", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "role:N",
        scale=alt.Scale(domain=[CHOSEN, OTHER], range=[theme.VERMILION, theme.BLUE]),
        legend=alt.Legend(title=None),
    )
    return alt.layer(
        base.mark_rule(style="interval").encode(x=alt.X("low:Q", title="accuracy on the task"), x2="high:Q"),
        base.mark_tick(color=theme.RULE, thickness=2, height=12).encode(x="prior:Q"),
        base.mark_circle(size=65, opacity=1).encode(
            x=x, color=colour, tooltip=["model:N", "expected:Q", "low:Q", "high:Q", "p_best:Q", "prior:Q"]
        ),
    ).properties(width=460, height=ROW * frame.height)


def label_data(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return what the choice reaches after n labels, two rows a count.

    Columns: n, rule, score, low, high (fractions; an interval for the posterior alone).
    """
    import polars as pl

    lines = [
        {"n": row["n"], "rule": rule, "score": row[name], "low": low, "high": high}
        for row in rows
        for rule, name, low, high in (
            (POSTERIOR, "posterior_score", row["low"], row["high"]),
            (SAMPLE, "raw_score", None, None),
        )
        if row[name] is not None
    ]
    return pl.DataFrame(lines, infer_schema_length=None)


def labels(rows: Sequence[Mapping[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Draw the mean score over the number of labels, with and without the prediction as a prior."""
    import altair as alt

    frame = label_data(rows)
    counts = sorted({row["n"] for row in rows})
    x = alt.X("n:O", sort=counts, title="labelled prompts of the new task", axis=alt.Axis(labelAngle=0))
    y = alt.Y("score:Q", title="mean score over tasks", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "rule:N",
        scale=alt.Scale(domain=[POSTERIOR, SAMPLE], range=[theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart(frame)
    return alt.layer(
        base.mark_line().encode(x=x, y=y, color=colour),
        base.mark_circle(size=60, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=["n:O", "rule:N", "score:Q", "low:Q", "high:Q"]
        ),
    ).properties(width=520, height=280)


def weight_data(fit: ShrunkenFit) -> pl.DataFrame:
    """Return the error of centred accuracies for each weight of the neighbours' datasets.

    Columns: w, rmse (score points of 100).
    """
    import polars as pl

    from isoflop.routing.selection.shrunken import GRID

    return pl.DataFrame({"w": GRID, "rmse": 100 * fit.w_curve**0.5})


def weight(fit: ShrunkenFit) -> alt.LayerChart | alt.FacetChart:
    """Draw the error over the weight, with the weight that tasks left out support."""
    import altair as alt

    frame = weight_data(fit)
    x = alt.X("w:Q", title="weight of the neighbours' datasets (0: best on average)")
    line = (
        alt.Chart(frame)
        .mark_line(color=theme.BLUE)
        .encode(x=x, y=alt.Y("rmse:Q", title="error (score points)", scale=alt.Scale(zero=False)))
    )
    supported = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.datum(fit.w))
    return alt.layer(line, supported)
