"""Away from the benchmarks: the section on what predictors and routing lose out of distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.figures import shift as pictures

if TYPE_CHECKING:
    from isoflop.routing.shift.result import Shift

COLUMNS = (
    Column(name="dataset", label="Task"),
    Column(name="prompts", label="Prompts", format="count"),
    Column(name="accuracy_in", label="Predictors, in", format="number"),
    Column(name="accuracy_out", label="Predictors, out", format="number"),
    Column(name="gain_in", label="Routing gain, in", format="number"),
    Column(name="gain_out", label="Routing gain, out", format="number"),
)


def shift_section(found: Shift) -> Section:
    """Return the section on what is lost away from the benchmarks."""
    loss, inside, outside = (found.estimate(v)[0] for v in (found.loss, found.gain_in, found.gain_out))
    return Section(
        id="shift",
        title="What is lost away from the benchmarks?",
        prose=(
            "A router is asked about tasks that no benchmark holds. Here the same prompts are judged "
            "twice: with their own benchmark among the neighbours, and without. Predictors of "
            f"correctness lose **{formats.estimate(loss)}** of accuracy. Sending each prompt to the model "
            f"that its neighbours favour gains **{formats.estimate(inside)}** over the best model on "
            f"average where the benchmark is known, and **{formats.estimate(outside)}** where it is not.",
            "{figure:shift-sides}",
            "So numbers of a router on a random split of its own benchmarks say little about a new task. "
            "All other scores of this chapter leave the whole benchmark out.",
        ),
        figures=shift_figures(found),
        tables=(
            Table(
                id="shift-table",
                title="Each task with and without its benchmark in the pool",
                columns=COLUMNS,
                rows=tuple(found.rows()),
                note="Gains are over the model that is best on average on the other tasks.",
            ),
        ),
    )


def shift_figures(found: Shift) -> tuple[Figure, ...]:
    """Return the picture of both sides by task."""
    loss = found.estimate(found.loss)[0]
    return (
        Figure(
            id="shift-sides",
            title=f"Predictors lose {formats.estimate(loss)} of accuracy away from their benchmark",
            subtitle="Accuracy of the predictors of correctness (left), and gain of routing by neighbours "
            "(right)",
            frame=pictures.sides_data(found),
            chart=lambda: pictures.sides(found),
            alt="Two panels, one row a task: a point with the task's benchmark in the pool and one without, "
            "joined by a line.",
            source=found.scored.tables[0].name,
            n=found.loss.size,
            interval=f"Title: {formats.percent(found.ci.level)} over tasks; points carry none",
        ),
    )
