"""Pictures of a selection: the models of one task with intervals, and what the weights were learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.selection.ranking import TaskRanking
    from isoflop.routing.selection.shrunken import ShrunkenFit

ROW = 22
SHOWN = 20
CHOSEN, OTHER = "chosen", "others"


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
