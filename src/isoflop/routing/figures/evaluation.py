"""Pictures of an evaluation: methods compared, tasks one by one, picks, and how votes hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import theme
from isoflop.routing.evaluation.methods import METHODS

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.evaluation.result import RoutingEvaluation

ROW = 22
AVERAGE, CHOSEN, BEST = "best on average", "chosen", "best model of the task"
KINDS = {"method": "no labels of the task", "baseline": "baseline", "bound": "bound, knows the labels"}
MOST_PICKED = 12
OFF_SCALE = ("random", "instance_oracle")
"""So far from the others that differences between these could not be seen; the table has them."""


def comparison_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return one row a method: gain over best on average with its paired interval, chance left out.

    Columns: method, kind, gain, low, high (score points of 100), score, p_better.
    """
    import polars as pl

    rows = [
        {
            "method": row["label"],
            "kind": KINDS[row["kind"]],
            "gain": 100 * row["gain"],
            "low": 100 * row["gain_low"],
            "high": 100 * row["gain_high"],
            "score": row["score"],
            "p_better": row["p_better"],
        }
        for row in found.rows()
        if row["gain"] is not None and row["method"] not in OFF_SCALE
    ]
    return pl.DataFrame(rows, infer_schema_length=None).sort("gain", descending=True)


def comparison(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw gains over best on average with paired intervals."""
    import altair as alt

    frame = comparison_data(found)
    order = frame["method"].to_list()
    base = alt.Chart(frame).encode(
        y=alt.Y("method:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=list(KINDS.values()), range=[theme.BLUE, theme.VERMILION, theme.GREY]),
            legend=alt.Legend(title=None),
        ),
    )
    title = "gain over best on average (score points)"
    zero = alt.Chart(frame.head(1)).mark_rule(color=theme.RULE, strokeDash=[4, 4]).encode(x=alt.datum(0))
    return alt.layer(
        zero,
        base.mark_rule(style="interval").encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(
            x=alt.X("gain:Q", title=title),
            tooltip=["method:N", "gain:Q", "low:Q", "high:Q", "score:Q", "p_better:Q"],
        ),
    ).properties(height=ROW * len(order))


def tasks_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return one row a dataset and mark: best on average, chosen by the lead method, best of the task.

    Columns: dataset, mark, score, model, gain (of the chosen model over best on average).
    """
    import polars as pl

    names = found.scored.models
    lead = found.methods.index(found.lead)
    reached, choice = found.outcomes.reached, found.outcomes.choice
    best = np.nanargmax(found.scores.accuracy, axis=1)
    rows = []
    for d, dataset in enumerate(found.scored.datasets):
        gain = float(reached[lead, d] - reached[found.base, d])
        for mark, score, model in (
            (AVERAGE, reached[found.base, d], choice[found.base, d]),
            (CHOSEN, reached[lead, d], choice[lead, d]),
            (BEST, found.best[d], best[d]),
        ):
            rows.append(
                {
                    "dataset": dataset,
                    "mark": mark,
                    "score": float(score),
                    "model": names[model] if model >= 0 else "several",
                    "gain": gain,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None).sort("gain", "dataset", descending=[True, False])


def tasks(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw each dataset's three scores on one line."""
    import altair as alt

    frame = tasks_data(found)
    order = list(dict.fromkeys(frame["dataset"].to_list()))
    y = alt.Y("dataset:N", sort=order, title=None, axis=alt.Axis(labelLimit=220))
    x = alt.X("score:Q", title="mean score on the task", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "mark:N",
        scale=alt.Scale(domain=[AVERAGE, CHOSEN, BEST], range=[theme.GREY, theme.BLUE, theme.VERMILION]),
        legend=alt.Legend(title=None),
    )
    chart = alt.Chart(frame)
    return alt.layer(
        chart.mark_line(strokeWidth=1, color=theme.RULE).encode(x=x, y=y, detail="dataset:N"),
        chart.mark_point(filled=True, size=60, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=frame.columns
        ),
    ).properties(height=ROW * len(order))


def scores_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return one row a dataset and model: the lead method's score beside the true accuracy.

    Columns: dataset, model, score, accuracy, chosen.
    """
    import polars as pl

    lead = found.methods.index(found.lead)
    score, choice = found.outcomes.score[lead], found.outcomes.choice[lead]
    rows = [
        {
            "dataset": dataset,
            "model": model,
            "score": float(score[d, m]),
            "accuracy": float(found.scores.accuracy[d, m]),
            "chosen": "chosen" if choice[d] == m else "others",
        }
        for d, dataset in enumerate(found.scored.datasets)
        for m, model in enumerate(found.scored.models)
        if np.isfinite(score[d, m]) and np.isfinite(found.scores.accuracy[d, m])
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def scores(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw scores against true accuracies; on the diagonal the level would be right as well."""
    import altair as alt

    frame = scores_data(found)
    x = alt.X("score:Q", title=f"score of {METHODS[found.lead].label}", scale=alt.Scale(zero=False))
    y = alt.Y("accuracy:Q", title="true mean score", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "chosen:N",
        scale=alt.Scale(domain=["chosen", "others"], range=[theme.VERMILION, theme.GREY]),
        legend=alt.Legend(title=None),
    )
    dots = (
        alt.Chart(frame)
        .mark_circle(size=26, opacity=0.6)
        .encode(x=x, y=y, color=colour, tooltip=frame.columns)
    )
    low, high = theme.ends(frame["score"])
    ends = frame.head(2).select("score").with_columns(score=np.array([low, high]))
    line = (
        alt.Chart(ends)
        .mark_line(color=theme.RULE, strokeDash=[4, 4])
        .encode(x=x, y=alt.Y("score:Q", title="true mean score"))
    )
    return alt.layer(line, dots)


def picks_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return how often each model is chosen by the lead method, and how often it is the best of a task.

    Columns: model, by, picks, share. The models picked most come first; the rest are left out.
    """
    import polars as pl

    lead = np.bincount(
        np.maximum(found.outcomes.choice[found.methods.index(found.lead)], 0),
        minlength=len(found.scored.models),
    )
    best = np.bincount(np.nanargmax(found.scores.accuracy, axis=1), minlength=len(found.scored.models))
    order = np.lexsort((-best, -lead))
    shown = [m for m in order if lead[m] + best[m] > 0][:MOST_PICKED]
    total = len(found.scored.datasets)
    rows = [
        {"model": found.scored.models[m], "by": by, "picks": int(counts[m]), "share": counts[m] / total}
        for m in shown
        for by, counts in ((CHOSEN, lead), (BEST, best))
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def picks(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of tasks for which each model is chosen, beside the share where it is best."""
    import altair as alt

    frame = picks_data(found)
    order = list(dict.fromkeys(frame["model"].to_list()))
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=240)),
            yOffset=alt.YOffset("by:N", sort=[CHOSEN, BEST]),
            x=alt.X("share:Q", title="share of tasks", axis=alt.Axis(format="%")),
            color=alt.Color(
                "by:N",
                scale=alt.Scale(domain=[CHOSEN, BEST], range=[theme.BLUE, theme.VERMILION]),
                legend=alt.Legend(title=None),
            ),
            tooltip=["model:N", "by:N", "picks:Q", "share:Q"],
        )
    )
    return alt.layer(bars).properties(height=1.4 * ROW * len(order))


def reliability_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return one row a bin of votes: share of right answers over all models, and its spread over models.

    Columns: vote, right, low, high (quartiles over models), n.
    """
    import polars as pl

    judged = found.classifiers
    rows = []
    for b in range(judged.bin_n.shape[1]):
        n = judged.bin_n[:, b]
        if not n.sum():
            continue
        used = n > 0
        low, high = np.quantile(judged.bin_right[used, b], (0.25, 0.75))
        rows.append(
            {
                "vote": float(np.average(judged.bin_votes[used, b], weights=n[used])),
                "right": float(np.average(judged.bin_right[used, b], weights=n[used])),
                "low": float(low),
                "high": float(high),
                "n": int(n.sum()),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def reliability(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of right answers against the neighbours' vote; a calibrated vote is on the diagonal."""
    import altair as alt

    frame = reliability_data(found)
    scale = alt.Scale(domain=[0, 1])
    x, title = alt.X("vote:Q", title="mean vote of the neighbours", scale=scale), "share of right answers"
    chart = alt.Chart(frame)
    diagonal = chart.mark_line(color=theme.RULE, strokeDash=[4, 4]).encode(
        x=x, y=alt.Y("vote:Q", title=title, scale=scale)
    )
    return alt.layer(
        diagonal,
        chart.mark_rule(style="interval", color=theme.BLUE).encode(
            x=x, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
        ),
        chart.mark_circle(size=80, opacity=1, color=theme.BLUE).encode(
            x=x, y=alt.Y("right:Q", title=title, scale=scale), tooltip=frame.columns
        ),
    )
