"""Published scores: the section on which models lead where, and whether words about a task help to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.figures import shortlist as pictures

if TYPE_CHECKING:
    from isoflop.routing.shortlist.result import Shortlist

MANY = 12
MODELS = (
    Column(name="rank", label="#", format="count"),
    Column(name="model", label="Model"),
    Column(name="expected", label="Expected", format="number"),
    Column(name="mean", label="Mean", format="number"),
    Column(name="leads_on", label="Leads on"),
    Column(name="params", label="Parameters", format="number"),
    Column(name="output_usd_per_mtok", label="USD per Mtok out", format="number"),
    Column(name="as_of_date", label="Price of"),
)
BENCHMARKS = (
    Column(name="benchmark", label="Benchmark"),
    Column(name="share", label="Weight for the task", format="percent"),
    Column(name="leader", label="Best there"),
    Column(name="leader_score", label="Score", format="number"),
    Column(name="best_on_average", label="Best on average over the others"),
    Column(name="best_on_average_score", label="Its score", format="number"),
    Column(name="by_similarity", label="First by words"),
    Column(name="by_similarity_score", label="Its score", format="number"),
)


def shortlist_section(found: Shortlist) -> Section:
    """Return the section on published scores."""
    core = found.core
    by_mean, by_words = found.errors
    led = "; ".join(f"{name} ({', '.join(where)})" for name, where in core.leaders.items())
    return Section(
        id="shortlist",
        title="What published scores say before anything is measured",
        prose=(
            f"**{len(core.leaders)} of {len(core.models)}** models lead on at least one of "
            f"{len(core.benchmarks)} benchmarks by printed scores: {led}. The scores are {core.read} read "
            f"in their source and {core.secondary} seen in another text; with one number a benchmark no "
            "lead can be told from luck.",
            "{figure:shortlist-leads}",
            "A task known by its words alone can be likened to the benchmarks by their descriptions. "
            f"{found.checked} Words bring the error of models' relative scores from "
            f"{formats.number(by_mean, 2)} to {formats.number(by_words, 2)}: they tell what kinds of "
            "models do well, seldom which one is first.",
        ),
        figures=shortlist_figures(found),
        tables=(
            Table(
                id="shortlist-benchmarks",
                title="Each benchmark as the new task, known by its words",
                columns=BENCHMARKS,
                rows=tuple(found.benchmark_rows()),
                note="Best on average over the other benchmarks; first by words, sure or not.",
            ),
            Table(
                id="shortlist-models",
                title="Models in the order in which to try them",
                columns=MODELS,
                rows=tuple(found.rows()[:MANY]),
                note=f"The first {MANY} of {len(core.models)}." if len(core.models) > MANY else "",
            ),
        ),
    )


def shortlist_figures(found: Shortlist) -> tuple[Figure, ...]:
    """Return the picture of leaders."""
    core = found.core
    return (
        Figure(
            id="shortlist-leads",
            title=f"{len(core.leaders)} of {len(core.models)} models lead on some benchmark",
            subtitle="Published score of the best model, and of the best on average over the others",
            frame=pictures.leads_data(found),
            chart=lambda: pictures.leads(found),
            alt="Two points a benchmark, joined: the leader, named, and the model best on average over "
            "the other benchmarks.",
            source=core.table.name,
            n=int(core.score.size),
            interval="No interval: a model has one printed number a benchmark",
        ),
    )
