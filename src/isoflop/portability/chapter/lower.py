"""Hardware that is not here: the section on targets that are lowered or compiled only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from isoflop.portability.figures import lower as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.runs import Run
    from isoflop.portability.shares.result import ShareCell, Shares

PLATFORMS = (
    Column(name="target", label="Target"),
    Column(name="level", label="Level"),
    Column(name="functions", label="Functions", format="count"),
    Column(name="without", label="No rule", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="calling", label="Call a library", format="count"),
    Column(name="libraries", label="Most frequent calls"),
)
LIBRARIES = 3
"""Library calls named in a row."""
READ = (
    "Nothing was run here. The framework was asked for its rules for a platform, or a compiler for a program "
    "for it, without that hardware. A failure is a true failure of that version: there the function does not "
    "run, whatever the device. A success is an upper bound on portability: it says nothing about the "
    "vendor's own compiler, about memory, speed or numbers. These shares stand apart from those of targets "
    "that ran."
)


def lower_section(found: Shares, run: Run) -> Section | None:
    """Return the section on targets below the level ``ran``; None where there are none."""
    rows = lower_rows(found, run)
    if not rows:
        return None
    return Section(
        id="lower",
        title="Hardware that is not here",
        prose=(_lead(rows), READ),
        figures=lower_figures(found, run),
        tables=(
            Table(
                id="lower-table",
                title="What lowers for which platform",
                columns=PLATFORMS,
                rows=tuple(rows),
                note=f"{found.interval}. A function counts as without a rule if any of its inputs has none.",
            ),
        ),
    )


def lower_rows(found: Shares, run: Run) -> list[dict[str, Any]]:
    """Return a row a platform: functions counted, those without a rule, and library calls."""
    calls = pictures.library_calls(run)
    cells = [
        cell
        for cell in found.cells
        if cell.level in pictures.BELOW and cell.policy == "strict" and not cell.group and cell.counted
    ]
    return [_row(cell, calls) for cell in cells]


def _row(cell: ShareCell, calls: dict[tuple[str, str], Counter[str]]) -> dict[str, Any]:
    target = cell.target if ":" in cell.target else f"{cell.framework}:{cell.target}"
    here = [counts for (_, where), counts in calls.items() if where in (cell.target, target)]
    names = Counter(name for counts in here for name in counts)
    return {
        "target": target,
        "level": cell.level,
        "functions": cell.counted,
        "without": cell.partial + cell.complete,
        "share": cell.failing.value,
        "low": cell.failing.low,
        "high": cell.failing.high,
        "calling": len(here),
        "libraries": ", ".join(f"{name} ({count})" for name, count in names.most_common(LIBRARIES)),
    }


def lower_figures(found: Shares, run: Run) -> tuple[Figure, ...]:
    """Return the matrix of functions and platforms; none where every function lowers everywhere."""
    frame = pictures.lower_data(found, run)
    if frame.height == 0:
        return ()
    shown = frame["function"].n_unique()
    return (
        Figure(
            id="lower-matrix",
            title=f"{shown} functions have no rule on at least one platform",
            subtitle="Function × platform, nothing run: F no rule, p none for some inputs, c through a call "
            "of a library, · not counted",
            frame=frame,
            chart=lambda: pictures.lower(found, run),
            alt="A grid of functions and platforms; each cell says whether the framework has rules for the "
            "function there.",
            source=", ".join(dict.fromkeys(one.name for one in found.provenance)) or "results",
            n=shown,
            interval="No interval: each cell is an outcome",
        ),
    )


def _lead(rows: list[dict[str, Any]]) -> str:
    parts = [
        f"{row['without']} of {row['functions']} functions ({formats.percent(row['share'])}) "
        f"for {row['target']}"
        for row in rows
    ]
    return f"Without a rule are {'; '.join(parts)}."
