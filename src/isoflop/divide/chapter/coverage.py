"""For whom compute is known, and what the others could change: the section on coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.coverage.result import tipping_text
from isoflop.divide.figures import coverage as pictures
from isoflop.divide.model import SECTORS
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.coverage.result import ComputeCoverage

COLUMNS = (
    Column(name="team", label="Team"),
    Column(name="period", label="Year"),
    Column(name="with_compute", label="With compute", format="count"),
    Column(name="n", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)
TILTS = (
    Column(name="headline", label="Headline"),
    Column(name="pattern", label="Whose is shifted"),
    Column(name="n_missing", label="Systems", format="count"),
    Column(name="observed", label="Observed", format="number"),
    Column(name="at_-1", label="Ten times less", format="number"),
    Column(name="at_+0", label="On the line", format="number"),
    Column(name="at_+1", label="Ten times more", format="number"),
    Column(name="tips_at", label="0 at (OOM)", format="number"),
    Column(name="tips_at_interval", label="Interval touches 0 at", format="number"),
)
NAMED = 4
"""Thin years named in the text; the table holds all."""
HEADLINES = {
    "gap": "gap (OOM)",
    "widening": "change of the gap (OOM a year)",
    "growth": "growth of all (OOM a year)",
}


def coverage_section(found: ComputeCoverage) -> Section:
    """Return the section on known and missing compute."""
    tilts = tuple(row | {"headline": HEADLINES[row["headline"]]} for row in found.tilt_rows())
    return Section(
        id="coverage",
        title="Whose compute is known",
        prose=(
            _headline(found),
            *(("{figure:coverage-by-year}",) if pictures.by_year_data(found).height else ()),
            _shares(found),
            _tilt(found),
            *(("{figure:coverage-tilt}",) if found.tilts else ()),
        ),
        figures=coverage_figures(found),
        tables=(
            Table(
                id="coverage-table",
                title="Systems with known compute by team and year",
                columns=COLUMNS,
                rows=tuple(row for row in found.rows() if row["team"] in pictures.SHOWN),
                note=f"Wilson {formats.percent(found.level)} intervals.",
            ),
            *(
                (
                    Table(
                        id="coverage-tilts",
                        title="Headlines if missing compute lay above or below its team's line",
                        columns=TILTS,
                        rows=tilts,
                        note="A what-if of our own [D]: the table does not say how large these were.",
                    ),
                )
                if tilts
                else ()
            ),
        ),
    )


def coverage_figures(found: ComputeCoverage) -> tuple[Figure, ...]:
    """Return the pictures: coverage by year, and the gap under shifts of missing compute."""
    table = found.sample.table.name
    made = []
    frame = pictures.by_year_data(found)
    if frame.height:
        made.append(
            Figure(
                id="coverage-by-year",
                title=_title(found),
                subtitle=f"Share of systems with known compute; years with at least {pictures.LEAST} systems",
                frame=frame,
                chart=lambda: pictures.by_year(found),
                alt="One panel a team, with a point and an interval for each year.",
                source=table,
                n=int(frame["n"].sum()),
                interval=f"Wilson {formats.percent(found.level)}",
            )
        )
    if found.tilts:
        made.append(
            Figure(
                id="coverage-tilt",
                title="What missing compute could do to the gap",
                subtitle="Gap in training compute if missing values lay above or below their team's line",
                frame=pictures.tilt_data(found),
                chart=lambda: pictures.tilt(found),
                alt="Three straight lines: the gap against the shift, by whose compute is shifted.",
                source=table,
                n=max(one.n_missing for one in found.tilts),
                interval="No interval: a what-if without chance in it",
            )
        )
    return tuple(made)


def _title(found: ComputeCoverage) -> str:
    told = [f"{formats.percent(c.share)} of {c.team}'s" for c in found.totals if c.team in SECTORS]
    return f"Compute is known for {' and '.join(told)} systems" if told else "Whose compute is known"


def _headline(found: ComputeCoverage) -> str:
    told = "; ".join(
        f"{c.team} {c.with_compute} of {c.n} ({formats.percent(c.share)}, {formats.percent(c.low)} to "
        f"{formats.percent(c.high)})"
        for c in found.totals
        if c.team in pictures.SHOWN
    )
    few = ""
    if found.thin:
        late = sorted(found.thin, key=lambda c: c.period.first)[-NAMED:]
        thin = ", ".join(f"{c.team} {c.period} ({c.with_compute} of {c.n})" for c in late)
        years = len(found.thin)
        few = (
            f" Less than 60 % is known in {years} year{'' if years == 1 else 's'} of academia or industry, "
            f"most recently {thin}."
        )
    return (
        f"Compute is known for: {told}. Organisations disclose alike, so these intervals draw whole "
        f"organisations.{few}"
    )


def _shares(found: ComputeCoverage) -> str:
    told = [
        f"in {one.period} {formats.percent(one.share_any)} of all {one.n_any} noted, "
        f"{formats.percent(one.share_known)} of the {one.n_known} with compute"
        for one in found.shares
        if one.share_known is not None
    ]
    if not told:
        return "No system of the compared periods has a known team."
    return (
        "Asking for known compute could itself thin out a sector. Academia alone made "
        + "; ".join(told)
        + "."
    )


def _tilt(found: ComputeCoverage) -> str:
    if not found.tilts:
        return f"What missing compute could change cannot be said: {found.no_tilt}"
    told = "; ".join(tipping_text(one, found.at_year) for one in found.tilts if one.headline == "gap")
    return f"Were the missing systems larger or smaller than their team's line: {told}."
