"""How far apart the sectors are: the section on the gap in training compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import gap as pictures
from isoflop.divide.gap.model import rough_factor
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.gap.result import ComputeGap

COLUMNS = (
    Column(name="quantity", label="Quantity"),
    Column(name="method", label="Method"),
    Column(name="year", label="Mid-year", format="year"),
    Column(name="value", label="Value (OOM)", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="p", label="p", format="number"),
    Column(name="n", label="Systems", format="count"),
)
MEDIANS = (
    Column(name="period", label="Period"),
    Column(name="gap", label="Difference (OOM)", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="n_academia", label="Academia", format="count"),
    Column(name="n_industry", label="Industry", format="count"),
)
SETTLED = (
    "The paper states a strong difference in compute between the sectors [V]; the regression here, its year "
    "and its intervals are ours [D]. Whether the gap widens is not settled: it depends on the edition of the "
    "table and on the filter, so read the specification curve rather than one p."
)


def gap_section(found: ComputeGap) -> Section:
    """Return the section on the gap between industry and academia."""
    words = pictures.method_words(found)
    return Section(
        id="gap",
        title="How far apart industry and academia are",
        prose=(
            _headline(found),
            "{figure:gap-over-time}",
            _change(found),
            "{figure:gap-methods}",
            SETTLED,
        ),
        figures=gap_figures(found),
        tables=(
            Table(
                id="gap-table",
                title="Every reading of the gap and of its change",
                columns=COLUMNS,
                rows=tuple(
                    {**row, "method": words.get(row["method"], row["method"])} for row in found.rows()
                ),
                note="OOM: orders of magnitude, a factor of ten each. No p is corrected for the number of "
                "readings, which share their systems.",
            ),
            *(
                (
                    Table(
                        id="gap-medians",
                        title="Difference of median compute by period",
                        columns=MEDIANS,
                        rows=tuple(found.median_rows()),
                        note=f"Without a model: percentiles over draws of {found.drawn}; none where a sector "
                        "has fewer than five systems.",
                    ),
                )
                if found.medians
                else ()
            ),
        ),
    )


def gap_figures(found: ComputeGap) -> tuple[Figure, ...]:
    """Return the pictures: the gap over time, and at the headline year by method."""
    level, table = formats.percent(found.level), found.sample.table.name
    value = found.gap.value
    times = "" if value is None else f", a factor of about {formats.number(rough_factor(value))}"
    return (
        Figure(
            id="gap-over-time",
            title=f"In mid-{found.at_year} industry used {formats.estimate(found.gap)} more{times}",
            subtitle="Training compute of industry over that of academia, orders of magnitude",
            frame=pictures.over_time_data(found),
            chart=lambda: pictures.over_time(found),
            alt="A straight line with a band over the years; points with intervals for medians by period.",
            source=table,
            n=found.n,
            interval=f"Band: {level}, {pictures.METHODS[found.lead.cov]}; medians: draws of {found.drawn}",
        ),
        Figure(
            id="gap-methods",
            title="The gap and its change under other methods",
            subtitle="One row a method: the gap at the headline year (left), its change a year (right)",
            frame=pictures.methods_data(found),
            chart=lambda: pictures.methods(found),
            alt="Two panels of points with intervals, one row a method, with a dashed line at no gap.",
            source=table,
            n=found.n,
            interval=f"Intervals: {level}",
        ),
    )


def _headline(found: ComputeGap) -> str:
    value = found.gap.value
    times = "" if value is None else f": about {formats.number(rough_factor(value))} times as much"
    lead = (
        f"In the middle of {found.at_year} a system of industry used {formats.estimate(found.gap)} more "
        f"training compute than one of academia{times} ({found.n_industry} and {found.n_academia} systems; "
        f"{found.how})."
    )
    if found.unknown_as:
        blank = int((~found.sample.known).sum())
        told = ", ".join(
            f"{formats.number(gap)} if all were {team}" for team, gap in found.unknown_as.items()
        )
        lead += f" {blank} systems of unknown team are left out; the gap would be {told}."
    return lead


def _change(found: ComputeGap) -> str:
    p = ", ".join(
        f"{formats.number(fit.p_widening, 2)} ({pictures.METHODS[cov]})" for cov, fit in found.fits.items()
    )
    quantiles = "; ".join(f"{one.q:g} quantile {formats.estimate(one.gap)}" for one in found.quantiles)
    beside = f" Between quantiles instead of means: {quantiles}." if quantiles else ""
    return (
        f"The gap changes by {formats.estimate(found.widening)}; p against no change: {p}. These tests share "
        f"their systems and none is corrected for their number.{beside} Doubt about each system's compute "
        f"alone moves the gap within {formats.interval(found.noise.alone)}."
    )
