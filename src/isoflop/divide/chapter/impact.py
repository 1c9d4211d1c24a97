"""Citations: who is among the most cited of a venue and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import impact as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.impact.result import Impact

SHARES = (
    Column(name="top", label="Among"),
    Column(name="team", label="Team"),
    Column(name="papers", label="Papers", format="count"),
    Column(name="most_cited", label="Most cited", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)
RATIOS = (
    Column(name="top", label="Among"),
    Column(name="contrast", label="Contrast"),
    Column(name="odds_ratio", label="Odds ratio", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="strata", label="Venue-years", format="count"),
    Column(name="papers", label="Papers", format="count"),
    Column(name="heterogeneity_p", label="p of one ratio", format="number"),
)
OURS = (
    "The paper speaks of academia's smaller part in advancing and diffusing large models [V]; how often a "
    "team's papers are among the most cited is our measure of being noticed [D], not the paper's. A paper is "
    "ranked among those of its venue and year, so that age, field and the day of the count cancel."
)


def impact_section(found: Impact) -> Section:
    """Return the section on citations."""
    return Section(
        id="impact",
        title="Who is among the most cited",
        prose=(OURS, found.summary().replace("\n", " "), "{figure:impact-top}"),
        figures=impact_figures(found),
        tables=(
            Table(
                id="impact-shares",
                title="Shares among the most cited of a venue and year",
                columns=SHARES,
                rows=tuple(row | {"top": row["top"].replace("_", " ")} for row in found.rows()),
                note=f"{found.counting} counting; Wilson {formats.percent(found.level)} intervals.",
            ),
            Table(
                id="impact-odds",
                title="Odds ratios against academia alone",
                columns=RATIOS,
                rows=tuple(row | {"top": row["top"].replace("_", " ")} for row in found.contrast_rows()),
                note="Mantel-Haenszel over venue-years, Robins-Breslow-Greenland intervals; the last column "
                "tests whether venue-years share one ratio.",
            ),
        ),
        cautions=found.cautions,
    )


def impact_figures(found: Impact) -> tuple[Figure, ...]:
    """Return the picture of shares among the most cited."""
    head = found.contrast()
    title = "How often each team is among the most cited"
    if head is not None and head.ratio.value is not None:
        title = (
            f"Papers with industry have {formats.multiple(head.ratio.value)} the odds of academia's to be "
            "among the most cited tenth"
        )
    return (
        Figure(
            id="impact-top",
            title=title,
            subtitle="Share of a team's papers among the most cited of their venue and year",
            frame=pictures.top_data(found),
            chart=lambda: pictures.top(found),
            alt="Two panels, the top tenth and the top hundredth: one point with an interval a team.",
            source=found.sample.table.name,
            n=found.n,
            interval=f"Bars: Wilson {formats.percent(found.level)}; dashed: the share by chance",
        ),
    )
