"""Picture of what became of the tasks of a run, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.model import NOT_COUNTED
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.runs import Run

ROW = 24
OUTCOMES = {
    "ok": ("passed", theme.RAMP[0]),
    "ok_fallback": ("passed by falling back", theme.TEAL),
    "wrong": ("other numbers", theme.VERMILION),
    "unsupported": ("not supported", theme.CRIMSON),
    "error": ("error", theme.PALETTE[4]),
    "crash": ("crash, time or memory", theme.PALETTE[5]),
    "skipped": ("not counted", theme.GRID),
}
"""Statuses that stand for themselves or for others like them: words and colour, best first."""
_LIKE = {"timeout": "crash", "oom": "crash", **dict.fromkeys(NOT_COUNTED, "skipped")}


def outcomes_data(found: Run) -> pl.DataFrame:
    """Return tasks by target and outcome: number and share of the target's tasks.

    Targets come by level, then by the share that passed.
    """
    import polars as pl

    names = list(OUTCOMES)
    kept = found.frame().with_columns(status=pl.col("status").replace(_LIKE))
    counted = kept.group_by("framework", "target", "target_level", "status").agg(tasks=pl.len())
    counted = counted.with_columns(
        share=pl.col("tasks") / pl.col("tasks").sum().over("framework", "target"),
        rank=pl.col("status").replace_strict(
            {name: i for i, name in enumerate(names)}, return_dtype=pl.Int64
        ),
        outcome=pl.col("status").replace({name: words for name, (words, _) in OUTCOMES.items()}),
        passed=pl.col("tasks").filter(pl.col("status") == "ok").sum().over("framework", "target")
        / pl.col("tasks").sum().over("framework", "target"),
    )
    ordered = counted.sort(
        ["target_level", "passed", "target", "rank"], descending=[False, True, False, False]
    )
    return ordered.select("framework", "target", "target_level", "outcome", "tasks", "share", "rank")


def outcomes(found: Run) -> alt.Chart:
    """Draw one stacked bar a target."""
    import altair as alt

    frame = outcomes_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    present = set(frame["outcome"])
    shown = {words: colour for words, colour in OUTCOMES.values() if words in present}
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar(height={"band": 0.75})
        .encode(
            y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X(
                "share:Q", title="share of tasks", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            color=alt.Color(
                "outcome:N",
                scale=alt.Scale(domain=list(shown), range=list(shown.values())),
                legend=alt.Legend(title=None, columns=4),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                "target:N",
                "target_level:N",
                "outcome:N",
                "tasks:Q",
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=ROW * max(1, len(order)))
    )
    return chart
