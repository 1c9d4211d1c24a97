"""Pictures of the evidence: what each rule leaves, and the mean score of every model on every dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import theme
from isoflop.routing.data_checks import near_zero_cells

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.routing.sample import ScoredPrompts

CELL = 16
MANY_LABELS = 30
"""Names of more models would overlap, so some are left out; the tooltip has them all."""
MANY_MODELS, MANY_DATASETS = 60, 60
"""More than this are drawn as the best models and the largest datasets."""


def waterfall_data(scored: ScoredPrompts) -> pl.DataFrame:
    """Return the scores used and, for each rule that left scores or prompts out, how many.

    Columns: rule, unit, kept, dropped.
    """
    import polars as pl

    schema = {"rule": pl.String, "unit": pl.String, "kept": pl.Int64, "dropped": pl.Int64}
    used = int(np.isfinite(scored.score).sum())
    rows = [*scored.waterfall(), {"rule": "scores used", "unit": "rows", "kept": used, "dropped": 0}]
    return pl.DataFrame(rows, schema=schema)


def scores_data(scored: ScoredPrompts) -> pl.DataFrame:
    """Return the mean score of each model on each dataset, at most 60 of each (`shown`).

    Columns: dataset, model, score (missing where a model was not run), prompts, near_zero.
    """
    import polars as pl

    accuracy = scored.accuracy
    models, datasets = shown(scored)
    low = near_zero_cells(scored, accuracy)
    rows = [
        {
            "dataset": scored.datasets[d],
            "model": scored.models[m],
            "score": float(accuracy[d, m]) if np.isfinite(accuracy[d, m]) else None,
            "prompts": int(scored.sizes[d]),
            "near_zero": bool(low[d, m]),
        }
        for d in datasets
        for m in models
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def shown(scored: ScoredPrompts) -> tuple[list[int], list[int]]:
    """Return the models by their mean over datasets, best first, and the datasets by size: those drawn."""
    accuracy = scored.accuracy
    counts = np.isfinite(accuracy).sum(axis=0)
    mean = np.nansum(accuracy, axis=0) / np.maximum(counts, 1)
    models = np.argsort(-mean, kind="stable")[:MANY_MODELS]
    datasets = np.argsort(-scored.sizes, kind="stable")[:MANY_DATASETS]
    return [int(m) for m in models], [int(d) for d in datasets]


def scores(scored: ScoredPrompts) -> alt.LayerChart | alt.FacetChart:
    """Draw the mean scores as a table of colours, cells near zero crossed."""
    import altair as alt

    frame = scores_data(scored)
    order = frame["model"].unique(maintain_order=True).to_list()
    rows = sorted(frame["dataset"].unique().to_list())
    base = alt.Chart(frame).encode(
        x=alt.X(
            "model:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelAngle=-45, labelLimit=160, labelOverlap=len(order) > MANY_LABELS),
        ),
        y=alt.Y("dataset:N", sort=rows, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=["dataset:N", "model:N", "score:Q", "prompts:Q"],
    )
    cells = base.mark_rect().encode(
        color=alt.Color("score:Q", title="mean score", scale=alt.Scale(domain=[0, 1], scheme="blues"))
    )
    crosses = (
        base.transform_filter(alt.datum.near_zero)
        .mark_point(shape="cross", angle=45, size=40, filled=True, opacity=1)
        .encode(color=alt.value(theme.VERMILION))
    )
    return alt.layer(cells, crosses).properties(height=CELL * len(rows))
