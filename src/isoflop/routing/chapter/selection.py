"""How the default chooses: the section on weights, abstention and a few labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.figures import selection as pictures

if TYPE_CHECKING:
    from isoflop.routing.selection.ranking import TaskRanking
    from isoflop.routing.selection.shrunken import ShrunkenFit

LABELS = (
    Column(name="n", label="Labels", format="count"),
    Column(name="raw_score", label="Sample mean", format="number"),
    Column(name="posterior_score", label="With prediction", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="gain", label="Gain over none", format="number"),
    Column(name="recovered", label="Recovered", format="percent"),
)
RANKED = (
    Column(name="model", label="Model"),
    Column(name="expected", label="Expected", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="p_best", label="P(best)", format="percent"),
    Column(name="prior", label="On average", format="number"),
    Column(name="mixture", label="Neighbours", format="number"),
    Column(name="s3", label="S3", format="number"),
)


def selection_section(
    fit: ShrunkenFit, datasets: tuple[str, ...], source: str, curve: Sequence[Mapping[str, Any]]
) -> Section:
    """Return the section on how the default selector weighs what it knows, fitted to all datasets."""
    moved = np.flatnonzero(np.abs(fit.realised) + np.abs(fit.expected) > 0)
    won = int((fit.realised > 0).sum())
    lost = int((fit.realised < 0).sum())
    signal = (
        "Over tasks left out the choices gained nothing sure: **no routing signal was found**, and the "
        "best model on average is the honest answer."
        if fit.mean_gain_low <= 0
        else f"Tasks left out support a weight of {fit.w:.2f} on the neighbours' datasets."
    )
    return Section(
        id="selection",
        title="How the default chooses, and when it abstains",
        prose=(
            "The default averages three estimates of each model's accuracy on a new task, centred over "
            "models: its mean over all tasks, its accuracy on the datasets of the nearest prompts, and "
            "the paper's S3. How hard a task is moves no choice and is poorly predictable, so gains over "
            f"the best on average are reported first. On {formats.count(len(moved))} of {len(datasets)} "
            f"tasks left out it would leave the best on average: better on {won}, worse on {lost}. It "
            "does so only where the expected gain exceeds what such gains missed on other tasks, and "
            f"where they were gains on average ({formats.percent(fit.settings.sure)}, one-sided); "
            "elsewhere it abstains.",
            signal,
            "{figure:selection-weight}",
            f"With labels of the new task the prediction counts for {fit.n0:.1f} labelled prompts: after "
            "that many, both weigh the same. `isoflop routing label` proposes which prompts to label next.",
            "{figure:selection-labels}",
        ),
        tables=(
            Table(
                id="label-curve",
                title="What the choice reaches after some labels",
                columns=LABELS,
                rows=tuple(curve),
                note="Each draw orders a task's prompts once and labels the first n, the same for all "
                "models. Recovered: share of the way from the best on average to the best model of each "
                "task.",
            ),
        ),
        figures=(
            Figure(
                id="selection-labels",
                title=_label_title(curve),
                subtitle="Mean score over tasks of the model chosen after n labelled prompts",
                frame=pictures.label_data(curve),
                chart=lambda: pictures.labels(curve),
                alt="Two lines over the number of labels: prediction and labels together, and sample means.",
                source=source,
                n=len(datasets),
                interval="Over tasks, in the table; those of differences are narrower",
            ),
            Figure(
                id="selection-weight",
                title=f"Tasks left out support a weight of {fit.w:.2f} on the neighbours' datasets",
                subtitle="Error of centred accuracies on tasks left out, by weight; dashed: least weight "
                "within one standard error",
                frame=pictures.weight_data(fit),
                chart=lambda: pictures.weight(fit),
                alt="A curve of error over the weight from 0 to 1, with a dashed line at the supported "
                "weight.",
                source=source,
                n=len(datasets),
                interval="None drawn: the rule of one standard error is over tasks",
            ),
        ),
    )


def _label_title(curve: Sequence[Mapping[str, Any]]) -> str:
    first, last = curve[0], curve[-1]
    return (
        f"{last['n']} labels lift the score from {formats.number(first['posterior_score'])} to "
        f"{formats.number(last['posterior_score'])}"
    )


def ranking_figures(found: TaskRanking) -> tuple[Figure, ...]:
    """Return the picture of the models for one task."""
    return (
        Figure(
            id="ranking",
            title=f"{found.choice} for this task",
            subtitle="Expected accuracy with its interval; grey ticks: mean over all tasks",
            frame=pictures.ranking_data(found),
            chart=lambda: pictures.ranking(found),
            alt="One row a model: a point with an interval, and a tick for its mean over all tasks.",
            source=found.scored.tables[0].name,
            n=len(found.scored.datasets),
            interval=f"Intervals: {formats.percent(0.9)}, Beta with the strength of "
            f"{found.posterior.n0:.1f} prompts and {found.labelled} labels",
        ),
    )


def ranking_table(found: TaskRanking) -> Table:
    """Return the table of the models for one task."""
    return Table(
        id="ranking-table", title="Models for this task, in order", columns=RANKED, rows=tuple(found.rows())
    )
