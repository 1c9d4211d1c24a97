"""What a slow-down eats and what routing wins, in months of algorithmic progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.outlook.chapter.growth import JOINT, SOURCE
from isoflop.outlook.figures import intervals
from isoflop.outlook.result import said
from isoflop.present import formats
from isoflop.present.chapter import Figure, Section

if TYPE_CHECKING:
    from isoflop.outlook.study import Study


def months_section(found: Study) -> Section:
    """Return the section on the tax of a move and the gain by routing."""
    joined = found.joined
    tax, gain = joined["outlook.portability_tax_months"], joined["outlook.routing_gain_months"]
    frame = intervals.months_data(found.factors)
    meaning = (
        "A slow-down of s costs the compute that 12 ln s / G months of algorithmic progress would have "
        "saved: so "
        "long the field works to stand where it stood. The slow-down is that of single functions at the "
        "median; "
        "a program that spends its time in a few of them feels those, and engineering may win it back."
    )
    prose = [
        f"A move to other hardware: {said(tax)}. Routing: {said(gain)}.",
        "{figure:months}",
        meaning,
    ]
    if not frame.height:
        prose.remove("{figure:months}")
    figure = Figure(
        id="months",
        title="Factors as months of algorithmic progress",
        subtitle="Months that a slow-down takes or a gain wins; left of the dashed line a move is faster",
        frame=frame,
        chart=lambda: intervals.months(found.factors),
        alt="A point with its interval for each: "
        + "; ".join(f"{row['factor']}: {formats.number(row['months'])} months" for row in frame.to_dicts()),
        source=SOURCE,
        n=None,
        interval=f"Rules: {JOINT}",
    )
    return Section(
        id="months",
        title="What a move takes and routing wins",
        prose=tuple(prose),
        figures=(figure,) if frame.height else (),
        cautions=tuple(dict.fromkeys((*tax.cautions, *gain.cautions))),
    )
