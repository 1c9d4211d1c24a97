"""What changed since an earlier run: the section on two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import compare as pictures
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.compare.result import Comparison

LISTED = 100
"""Changed functions in the chapter's table; the results hold all."""
TARGETS = (
    Column(name="target", label="Target"),
    Column(name="old", label="Old version"),
    Column(name="new", label="New version"),
    Column(name="newly_failing", label="Newly failing", format="count"),
    Column(name="newly_fixed", label="Newly fixed", format="count"),
    Column(name="still_failing", label="Still failing", format="count"),
    Column(name="still_passing", label="Still passing", format="count"),
    Column(name="slower", label="Slower", format="count"),
    Column(name="faster", label="Faster", format="count"),
)
FUNCTIONS = (
    Column(name="function", label="Function"),
    Column(name="target", label="Target"),
    Column(name="outcome", label="Outcome"),
    Column(name="reason", label="Reason"),
    Column(name="pace", label="Time"),
    Column(name="ratio", label="New over old", format="multiple"),
    Column(name="low", label="Low", format="multiple"),
    Column(name="high", label="High", format="multiple"),
)


def compare_section(found: Comparison) -> Section:
    """Return the section on what changed between two runs."""
    told = found.summary().split("\n")[: 2 if found.timed_how else 1]
    return Section(
        id="compare",
        title="What changed since the earlier run",
        prose=tuple(f"{line}." for line in told),
        figures=compare_figures(found),
        tables=(
            Table(
                id="compare-targets",
                title="Changes by target",
                columns=TARGETS,
                rows=tuple(found.target_rows()),
            ),
            *(
                (
                    Table(
                        id="compare-functions",
                        title="Functions that changed",
                        columns=FUNCTIONS,
                        rows=tuple(rows[:LISTED]),
                        note=f"{len(rows)} in all." if len(rows) > LISTED else "",
                    ),
                )
                if (rows := changed_rows(found))
                else ()
            ),
        ),
        cautions=found.cautions,
    )


def changed_rows(found: Comparison) -> list[dict[str, object]]:
    """Return the functions whose outcome or time changed."""
    return [
        row
        for row in found.rows()
        if row["outcome"].startswith("newly") or row["pace"] in ("slower", "faster")
    ]


def compare_figures(found: Comparison) -> tuple[Figure, ...]:
    """Return the picture of changes by target."""
    failing, fixed = len(found.of("newly failing")), len(found.of("newly fixed"))
    return (
        Figure(
            id="version-changes",
            title=f"{failing} functions fail anew, {fixed} were fixed",
            subtitle="Functions by target: lost or slower to the left, gained or faster to the right",
            frame=pictures.changes_data(found),
            chart=lambda: pictures.changes(found),
            alt="Bars on both sides of a line, one row a target: what was lost to the left, what was "
            "gained to the right; outcomes and times side by side.",
            source=", ".join(dict.fromkeys(one.name for one in found.provenance)),
            n=len(found.changes),
            interval="No interval: counts; slower and faster lie beyond their interval and five percent",
        ),
    )
