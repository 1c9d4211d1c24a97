"""Is any one model the best everywhere: the section on tasks and their winners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.figures import winners as pictures

if TYPE_CHECKING:
    from isoflop.routing.winners.result import Winners

MANY = 16
COLUMNS = (
    Column(name="dataset", label="Task"),
    Column(name="prompts", label="Prompts", format="count"),
    Column(name="best", label="Best model"),
    Column(name="best_score", label="Score", format="number"),
    Column(name="its_score", label="Score of the hardest to beat", format="number"),
    Column(name="lead_of_best_rival", label="Lead of best rival", format="number"),
    Column(name="p_holm", label="p (Holm)", format="number"),
)


def winners_section(found: Winners) -> Section:
    """Return the section on whether one model is best on every task."""
    model = found.scored.models[found.hardest]
    beaten = int(found.beaten[found.hardest])
    leaders = list(found.leaders.items())
    led = ", ".join(f"{name} ({count})" for name, count in leaders[:6])
    more = f" and {len(leaders) - 6} more" if len(leaders) > 6 else ""
    return Section(
        id="winners",
        title="Is one model the best everywhere?",
        prose=(
            f"By their mean scores {len(leaders)} of {len(found.scored.models)} models lead on at least one "
            f"of {len(found.scored.datasets)} tasks: {led}{more}. The best of many also leads by luck, so a "
            f"lead counts only where resampled prompts of equal models seldom give one as large: **{model}** "
            f"is hardest to beat and is beaten beyond chance on **{beaten} of {found.tested}** tasks "
            f"({formats.percent(1 - found.level)} over all tasks together).",
            "{figure:winners-leads}",
        ),
        figures=winners_figures(found),
        tables=(
            Table(
                id="winners-table",
                title="Best model of each task",
                columns=COLUMNS,
                rows=tuple(found.rows()[:MANY]),
                note=f"The first {MANY} of {len(found.scored.datasets)} tasks."
                if len(found.scored.datasets) > MANY
                else "",
            ),
        ),
    )


def winners_figures(found: Winners) -> tuple[Figure, ...]:
    """Return the picture of leads over the model that is hardest to beat."""
    model = found.scored.models[found.hardest]
    return (
        Figure(
            id="winners-leads",
            title=f"{model} is beaten beyond chance on {found.beaten[found.hardest]} of {found.tested} tasks",
            subtitle=f"How far the best model of each task leads {model}, in score points",
            frame=pictures.leads_data(found),
            chart=lambda: pictures.leads(found),
            alt="One bar a task, longest first, coloured by whether the lead is beyond chance and named by "
            "the model that leads.",
            source=found.scored.tables[0].name,
            n=found.tested,
            interval=f"Colour: {formats.percent(1 - found.level)} over all tasks (Holm)",
        ),
    )
