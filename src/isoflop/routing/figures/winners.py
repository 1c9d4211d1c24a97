"""Picture of winners: on each task, the best model's lead over the model that is hardest to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.winners.result import Winners

ROW = 20
ROOM = 1.25
"""The axis ends this much beyond the longest bar, for the name at its end."""
BEATEN, LUCK = "beyond chance", "as luck gives"


def leads_data(found: Winners) -> pl.DataFrame:
    """Return one row a task: best model, its lead, and whether the lead is beyond chance.

    Columns: dataset, best, lead (score points of 100; 0 where the model leads itself), verdict, p_holm.
    """
    import polars as pl

    rows = [
        {
            "dataset": row["dataset"],
            "best": row["best"],
            "lead": 100 * max(row["lead_of_best_rival"] or 0.0, 0.0),
            "verdict": BEATEN if row["p_holm"] is not None and row["p_holm"] <= 1 - found.level else LUCK,
            "p_holm": row["p_holm"],
        }
        for row in found.rows()
    ]
    return pl.DataFrame(rows, infer_schema_length=None).sort("lead", descending=True)


def leads(found: Winners) -> alt.LayerChart | alt.FacetChart:
    """Draw the leads as bars, named by the model that leads."""
    import altair as alt

    frame = leads_data(found)
    order = frame["dataset"].to_list()
    base = alt.Chart(frame).encode(
        y=alt.Y("dataset:N", sort=order, title=None),
        x=alt.X(
            "lead:Q",
            title="lead of the best model (score points)",
            scale=alt.Scale(domainMin=0, domainMax=ROOM * float(frame["lead"].to_numpy().max(initial=1.0))),
        ),
    )
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=[BEATEN, LUCK], range=[theme.VERMILION, theme.GREY]),
        legend=alt.Legend(title=None),
    )
    bars = base.mark_bar(height=0.62 * ROW).encode(
        color=colour, tooltip=["dataset:N", "best:N", "lead:Q", "p_holm:Q"]
    )
    names = (
        base.transform_filter(alt.datum.lead > 0)
        .mark_text(style="note", align="left", dx=5)
        .encode(text="best:N")
    )
    return alt.layer(bars, names).properties(width=520, height=ROW * len(order))
