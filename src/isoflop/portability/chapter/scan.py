"""Own code against measured evidence: a section for whoever has scanned theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import scan as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.scan.result import Scan

BLOCKERS = (
    Column(name="target", label="Target"),
    Column(name="rule", label="Rule"),
    Column(name="name", label="Finding"),
    Column(name="function", label="Function"),
    Column(name="calls", label="Calls", format="count"),
    Column(name="files", label="Files", format="count"),
    Column(name="evidence_level", label="Level"),
    Column(name="ratio", label="Times as long", format="number"),
    Column(name="replacement", label="Instead"),
)
HOW = (
    "Only the text was read. A call counts where its name leads to a framework by the imports (exact) or "
    "through the type of what it is called on (inferred); calls whose receiver is unknown are shown and not "
    "counted. A function without evidence is never counted as portable."
)


def scan_section(found: Scan) -> Section:
    """Return the section on the code that was scanned."""
    return Section(
        id="own-code",
        title="What blocks the code that was scanned",
        prose=(_lead(found), *(("{figure:code-blockers}",) if scan_figures(found) else ()), HOW),
        figures=scan_figures(found),
        tables=(
            Table(
                id="code-blockers-table",
                title="What stands in the way",
                columns=BLOCKERS,
                rows=tuple(found.blocker_rows()),
            ),
        ),
        cautions=tuple(dict.fromkeys(c for finding in found.findings() for c in finding.cautions)),
    )


def scan_figures(found: Scan) -> tuple[Figure, ...]:
    """Return the picture of blocked calls; none where nothing is blocked."""
    frame = pictures.blockers_data(found)
    if frame.is_empty():
        return ()
    first = frame.row(0, named=True)
    calls = "call" if first["calls"] == 1 else "calls"
    return (
        Figure(
            id="code-blockers",
            title=f"{first['function']} stands for {first['calls']} {calls} in doubt on {first['target']}",
            subtitle="Calls in the code of functions that fail, differ, fall back or are slow, by target",
            frame=frame,
            chart=lambda: pictures.blockers(found),
            alt="Horizontal bars, one a function, coloured by what was found of it on the target.",
            source="the scanned code, joined with measured results",
            n=int(frame["calls"].sum()),
            interval="No interval: every resolved call of the code is counted",
        ),
    )


def _lead(found: Scan) -> str:
    told = "; ".join(
        f"{finding.details['target']}: {formats.finding(finding)} of {finding.n} resolved calls known to work"
        for finding in found.findings()
    )
    return f"{found.summary().splitlines()[0]} {told}." if told else found.summary()
