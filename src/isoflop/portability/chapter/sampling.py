"""Which functions were tested: the section on the design of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import sampling as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.sampling.result import Sample

STRATA = (
    Column(name="name", label="Stratum"),
    Column(name="size", label="Functions", format="count"),
    Column(name="calls", label="Calls", format="count"),
    Column(name="drawn", label="Drawn", format="count"),
    Column(name="testable", label="With inputs", format="count"),
)
DRAWN = (
    Column(name="function", label="Function"),
    Column(name="stratum", label="Stratum"),
    Column(name="order", label="Order", format="count"),
    Column(name="calls", label="Calls", format="count"),
    Column(name="probability", label="Chance", format="number"),
)


def sampling_section(found: Sample) -> Section:
    """Return the section on how functions were chosen."""
    return Section(
        id="sampling",
        title="Which functions were tested",
        prose=(
            f"The design: {found.design.text}. Of {formats.count(found.size)} functions in use "
            f"{len(found.functions)} can be tested; {len(found.untestable)} were drawn without inputs and "
            "count as non-response.",
        ),
        figures=sampling_figures(found),
        tables=(
            Table(
                id="strata",
                title="Strata of use",
                columns=STRATA,
                rows=tuple(found.stratum_rows()),
                note=f"Seed {found.seed}. Functions that no code calls are outside the population: "
                f"{found.unused}.",
            ),
        ),
        cautions=found.cautions,
    )


def sampling_figures(found: Sample) -> tuple[Figure, ...]:
    """Return the picture of the functions drawn."""
    return (
        Figure(
            id="functions-drawn",
            title=f"{len(found.functions)} functions drawn and testable, of {formats.count(found.size)} in "
            "use",
            subtitle="Chance of being drawn against calls in code; each point is a function",
            frame=pictures.drawn_data(found),
            chart=lambda: pictures.drawn(found),
            alt="A scatter of functions on logarithmic axes: calls across, chance of being drawn upwards.",
            source=", ".join(dict.fromkeys(one.name for one in found.provenance)) or "counts of calls",
            n=len(found.drawn),
            interval="No interval: chances follow from the design",
        ),
    )
