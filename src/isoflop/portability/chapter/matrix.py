"""Function by function: the section on the matrix of functions and targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import matrix as pictures
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.shares.result import Shares

LISTED = 40
"""Rows of the table in the chapter; the results hold all."""
COLUMNS = (
    Column(name="function", label="Function"),
    Column(name="target", label="Target"),
    Column(name="outcome", label="Outcome"),
    Column(name="reason", label="Main reason"),
)


def matrix_section(found: Shares) -> Section:
    """Return the section on functions by target."""
    frame = pictures.matrix_data(found, len(found.outcomes))
    rows = [
        {**row, "reason": (row["reason"] or "").replace("_", " ")}
        for row in frame.filter(frame["outcome"] != "passes").iter_rows(named=True)
    ]
    functions = frame["function"].n_unique()
    every = len({(one.framework, one.function) for one in found.outcomes})
    more = f" The first {LISTED} of {len(rows)} are listed." if len(rows) > LISTED else ""
    return Section(
        id="matrix",
        title="Function by function",
        prose=(
            f"{functions} of {every} functions do not pass on every target where they were counted."
            + (f" Those that fail on most targets come first.{more}" if functions else ""),
        ),
        figures=matrix_figures(found),
        tables=(
            Table(
                id="matrix-table",
                title="Functions that do not pass everywhere",
                columns=COLUMNS,
                rows=tuple(rows[:LISTED]),
            ),
        )
        if rows
        else (),
    )


def matrix_figures(found: Shares) -> tuple[Figure, ...]:
    """Return the picture of the matrix."""
    frame = pictures.matrix_data(found)
    if frame.height == 0:
        return ()
    shown = frame["function"].n_unique()
    return (
        Figure(
            id="matrix",
            title=f"{shown} functions that fail on the largest share of targets",
            subtitle="Colour and letter: f passes only by falling back, p fails in part, F fails, · not "
            "counted",
            frame=frame,
            chart=lambda: pictures.matrix(found),
            alt="A grid of functions and targets; each cell is coloured by what became of the function "
            "there.",
            source=", ".join(dict.fromkeys(one.name for one in found.provenance)) or "results",
            n=shown,
            interval="No interval: each cell is an outcome",
        ),
    )
