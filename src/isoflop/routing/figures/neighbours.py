"""Pictures of neighbours: which datasets surround a dataset, and how predictors fare with distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.evaluation.result import RoutingEvaluation

CELL = 18
LABELS = 130


def shares_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return the share of each dataset among the 50 nearest prompts of every other one.

    Columns: dataset, neighbour, share; cells below half a per cent are left out.
    """
    import polars as pl

    names = found.scored.datasets
    rows = [
        {"dataset": names[d], "neighbour": names[f], "share": float(found.scores.share[d, d, f])}
        for d in range(len(names))
        for f in range(len(names))
        if found.scores.share[d, d, f] >= 0.005
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def shares(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw the shares as a map, a row a dataset."""
    import altair as alt

    frame = shares_data(found)
    order = list(found.scored.datasets)
    cells = (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X(
                "neighbour:N",
                sort=order,
                title="dataset of the neighbours",
                axis=alt.Axis(labelAngle=-60, labelOverlap=False),
            ),
            y=alt.Y("dataset:N", sort=order, title=None, axis=alt.Axis(labelLimit=200)),
            color=alt.Color(
                "share:Q",
                scale=alt.Scale(range=list(theme.RAMP), domainMin=0),
                legend=alt.Legend(title="share of neighbours", format="%"),
            ),
            tooltip=["dataset:N", "neighbour:N", "share:Q"],
        )
    )
    return alt.layer(cells).properties(height=LABELS + CELL * len(order))


def distance_data(found: RoutingEvaluation) -> pl.DataFrame:
    """Return one row a dataset: distance to its pool, and how often the predictors are right there.

    Columns: dataset, u, p (median over models), low, high (quartiles over models), p_hat (median).
    """
    import polars as pl

    quartiles = np.nanquantile(found.p, (0.25, 0.5, 0.75), axis=1)
    return pl.DataFrame(
        {
            "dataset": list(found.scored.datasets),
            "u": found.u,
            "p": quartiles[1],
            "low": quartiles[0],
            "high": quartiles[2],
            "p_hat": np.nanmedian(found.outcomes.p_hat, axis=1),
        }
    ).sort("u")


def distance(found: RoutingEvaluation) -> alt.LayerChart | alt.FacetChart:
    """Draw the predictors' accuracy against the distance to the pool, with what was guessed."""
    import altair as alt

    frame = distance_data(found)
    x = alt.X(
        "u:Q", title="distance to the nearest prompts of others (1 − cosine)", scale=alt.Scale(zero=False)
    )
    title = "share of right predictions"
    chart = alt.Chart(frame)
    return alt.layer(
        chart.mark_rule(style="interval", color=theme.BLUE).encode(
            x=x, y=alt.Y("low:Q", title=title, scale=alt.Scale(zero=False)), y2="high:Q"
        ),
        chart.mark_circle(size=70, opacity=1, color=theme.BLUE).encode(
            x=x, y=alt.Y("p:Q", title=title), tooltip=frame.columns
        ),
        chart.mark_point(shape="diamond", size=50, color=theme.VERMILION).encode(
            x=x, y=alt.Y("p_hat:Q", title=title), tooltip=["dataset:N", "p_hat:Q"]
        ),
    )
