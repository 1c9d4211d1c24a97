"""What the numbers rest on: prompts, models and datasets, what was left out, and what looks doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.data_checks import data_checks
from isoflop.routing.figures import evidence as pictures

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts

MANY = 20
KINDS = {
    "measured": "measured by this project",
    "embedded": "shipped with isoflop",
    "pulled": "a registered public file",
    "own": "files of the user",
    "published": "published figures",
}
DATASETS = (
    Column(name="dataset", label="Dataset"),
    Column(name="prompts", label="Prompts", format="count"),
    Column(name="models", label="Models", format="count"),
    Column(name="worst", label="Lowest", format="number"),
    Column(name="mean", label="Mean", format="number"),
    Column(name="best", label="Highest", format="number"),
    Column(name="best_model", label="Highest model"),
)
RULES = (
    Column(name="rule", label="Rule"),
    Column(name="unit", label="Of"),
    Column(name="kept", label="Kept", format="count"),
    Column(name="dropped", label="Dropped", format="count"),
)
CHECKS = (
    Column(name="what", label="Looked for"),
    Column(name="found", label="Found", format="count"),
    Column(name="of", label="Of", format="count"),
    Column(name="where", label="Where"),
)


def evidence_section(scored: ScoredPrompts) -> Section:
    """Return the section on what the numbers rest on."""
    rows = dataset_rows(scored)
    checks = [check.row() for check in data_checks(scored)]
    dropped = [row for row in scored.waterfall() if row["dropped"]]
    return Section(
        id="stands-on",
        title="What the numbers rest on",
        prose=(_what(scored), _left_out(dropped), "{figure:routing-cells}", _doubts(scored)),
        figures=evidence_figures(scored),
        tables=(
            Table(
                id="routing-datasets",
                title="Mean score of the models on each dataset",
                columns=DATASETS,
                rows=tuple(rows[:MANY]),
                note=f"The largest {MANY} of {len(rows)} datasets." if len(rows) > MANY else "",
            ),
            Table(
                id="routing-waterfall",
                title="Rows left out, rule by rule",
                columns=RULES,
                rows=tuple(pictures.waterfall_data(scored).to_dicts()),
                note="Rules that left nothing out are not listed.",
            ),
            Table(
                id="routing-checks",
                title="What was looked for in the data",
                columns=CHECKS,
                rows=tuple(checks),
            ),
        ),
    )


def evidence_figures(scored: ScoredPrompts) -> tuple[Figure, ...]:
    """Return the picture of mean scores by dataset and model."""
    frame = pictures.scores_data(scored)
    low = int(frame["near_zero"].sum())
    doubtful = f"; {low} cells near zero are crossed" if low else ""
    models, datasets = frame["model"].n_unique(), frame["dataset"].n_unique()
    part = models < len(scored.models) or datasets < len(scored.datasets)
    return (
        Figure(
            id="routing-cells",
            title=f"Mean scores of {models} models on {datasets} datasets{doubtful}",
            subtitle="One row a dataset, one column a model, best mean first"
            + (
                f"; a part of {len(scored.models)} models and {len(scored.datasets)} datasets" if part else ""
            ),
            frame=frame,
            chart=lambda: pictures.scores(scored),
            alt="A table of coloured cells, darker for higher mean scores; crossed cells are nearly zero "
            "where another model does well.",
            source=scored.tables[0].name,
            n=scored.n,
            interval="No intervals: each cell is a mean over all prompts of a dataset",
        ),
    )


def dataset_rows(scored: ScoredPrompts) -> list[dict[str, Any]]:
    """Return one row a dataset, largest first: prompts, and the spread of the models' mean scores."""
    accuracy = scored.accuracy
    rows = []
    for d in np.argsort(-scored.sizes, kind="stable"):
        known = np.flatnonzero(np.isfinite(accuracy[d]))
        values = accuracy[d, known]
        rows.append(
            {
                "dataset": scored.datasets[d],
                "prompts": int(scored.sizes[d]),
                "models": int(known.size),
                "worst": float(values.min()) if known.size else None,
                "mean": float(values.mean()) if known.size else None,
                "best": float(values.max()) if known.size else None,
                "best_model": scored.models[known[values.argmax()]] if known.size else None,
            }
        )
    return rows


def _what(scored: ScoredPrompts) -> str:
    table = scored.tables[0]
    sizes = scored.sizes
    spread = np.nanmax(scored.accuracy, axis=1) - np.nanmin(scored.accuracy, axis=1)
    least, most = formats.count(sizes.min()), formats.count(sizes.max())
    each = (
        f"Every dataset has {least} prompts"
        if least == most
        else f"A dataset has {least} to {most} prompts (median {formats.count(float(np.median(sizes)))})"
    )
    return (
        f"**{formats.count(scored.n)} prompts** of **{len(scored.datasets)} datasets**, answered by "
        f"**{len(scored.models)} models** ({KINDS[table.kind]}; {table.source.rstrip('.')}). {each}, "
        "and between its best and its worst model lie "
        f"{formats.number(float(np.median(spread)), 2)} of a score that runs from 0 to 1 (median of "
        "datasets). Every average below gives each dataset the same weight unless it says otherwise."
    )


def _left_out(dropped: list[dict[str, Any]]) -> str:
    if not dropped:
        return "No score and no prompt had to be left out."
    told = "; ".join(f"{row['rule']}: {formats.count(row['dropped'])} {row['unit']}" for row in dropped)
    return f"Left out, by the rule that a row had to satisfy: {told}. A missing score is never read as zero."


def _doubts(scored: ScoredPrompts) -> str:
    """Return what the reader should mind, or that nothing was found."""
    said = [check.caution for check in data_checks(scored) if check.caution]
    return " ".join(said) if said else "None of the checks below found anything that limits the numbers."
