"""How concentrated compute is: the section on top shares, sectors and countries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import concentration as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.concentration.result import Concentration, Measure

MEASURES = (
    Column(name="period", label="Period"),
    Column(name="systems", label="Systems", format="count"),
    Column(name="holders", label="Holders", format="count"),
    Column(name="top_share", label="Top share", format="percent"),
    Column(name="top_share_low", label="Low", format="percent"),
    Column(name="top_share_high", label="High", format="percent"),
    Column(name="top_share_by_count", label="Of systems", format="percent"),
    Column(name="herfindahl", label="Herfindahl", format="number"),
    Column(name="equal_holders", label="As if equal holders", format="number"),
    Column(name="gini", label="Gini", format="number"),
    Column(name="largest_system", label="Largest system", format="percent"),
)
HOLDERS = (
    Column(name="period", label="Period"),
    Column(name="rank", label="Rank", format="count"),
    Column(name="holder", label="Holder"),
    Column(name="share", label="Part of compute", format="percent"),
    Column(name="systems", label="Systems", format="number"),
)


def concentration_section(found: Concentration, countries: Concentration | None = None) -> Section:
    """Return the section on concentration.

    Parameters
    ----------
    found : Concentration
        Over organisations.
    countries : Concentration, optional
        The same over countries.
    """
    tables = [
        Table(
            id="concentration-measures",
            title="Concentration of known compute over organisations",
            columns=MEASURES,
            rows=tuple(found.rows()),
            note=f"Intervals: percentiles over draws of organisations, {formats.percent(found.level)}. "
            "Units of one firm are merged by our own list; parts of joint systems are equal.",
        ),
        Table(
            id="concentration-holders",
            title="Largest holders of known compute",
            columns=HOLDERS,
            rows=tuple(row for row in found.holder_rows() if row["rank"] <= found.top),
        ),
    ]
    if countries is not None:
        tables.append(
            Table(
                id="concentration-countries",
                title="Known compute by country of the organisations",
                columns=HOLDERS,
                rows=tuple(row for row in countries.holder_rows() if row["rank"] <= countries.top),
                note=f"{countries.missing} of {countries.sample.n} systems name no country.",
            )
        )
    return Section(
        id="concentration",
        title="How concentrated compute is",
        prose=(
            _top(found),
            "{figure:concentration-lorenz}",
            _sectors(found),
            *(("{figure:concentration-teams}",) if found.teams else ()),
            *((_countries(countries),) if countries is not None else ()),
        ),
        figures=concentration_figures(found),
        tables=tuple(tables),
    )


def concentration_figures(found: Concentration) -> tuple[Figure, ...]:
    """Return the Lorenz curves, and the parts of teams."""
    last = found.spreads[-1]
    source = found.sample.table.name
    made = [
        Figure(
            id="concentration-lorenz",
            title=f"{min(found.top, last.holders)} of {last.holders} {found.holders_text} hold "
            f"{formats.percent(last.top_share.value)} of the known compute of {last.period}",
            subtitle=f"Lorenz curves of known compute over {found.holders_text}; dashed: all equal",
            frame=pictures.lorenz_data(found),
            chart=lambda: pictures.lorenz(found),
            alt="Curves far below the diagonal: most holders have little, the last few nearly all.",
            source=source,
            n=sum(one.n for one in found.spreads),
            interval="Curves of the evidence itself; intervals of the top share stand in the table",
        )
    ]
    if found.teams:
        made.append(
            Figure(
                id="concentration-teams",
                title="Part of known compute and part of systems, by team",
                subtitle="Systems of known team",
                frame=pictures.teams_data(found),
                chart=lambda: pictures.teams(found),
                alt="One row a team and period: a point for compute with its interval, a tick for systems.",
                source=source,
                n=int(found.sample.known.sum()),
                interval=f"{formats.percent(found.level)} over draws of organisations",
            )
        )
    return tuple(made)


def _ends(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return ""
    return f" ({formats.percent(measure.low)} to {formats.percent(measure.high)})"


def _top(found: Concentration) -> str:
    said = [
        f"in {one.period} the {min(found.top, one.holders)} largest of {one.holders} {found.holders_text} "
        f"hold {formats.percent(one.top_share.value)}{_ends(one.top_share)} of it, as concentrated as "
        f"{formats.number(1 / one.herfindahl.value, 2)} equal holders would be; the largest single system "
        f"alone is {formats.percent(one.largest_system)}"
        for one in found.spreads
    ]
    return (
        f"Of the compute that is known, {'; '.join(said)}. Sums of compute hang on their largest terms, and "
        "compute grew by orders of magnitude within a period: a rank of holders is mostly a rank of their "
        "latest runs."
    )


def _sectors(found: Concentration) -> str:
    said = [
        f"{formats.percent(measure.value)}{_ends(measure)} in {period} (of systems: "
        f"{formats.percent(measure.by_count)})"
        for period, team, measure, _ in found.teams
        if team == "academia"
    ]
    if not said:
        return "No system has a known team, so compute cannot be split by sector."
    return f"Academic teams alone hold this part of known compute: {', then '.join(said)}."


def _countries(found: Concentration) -> str:
    one = found.spreads[-1]
    named = ", ".join(f"{part.name} {formats.percent(part.share)}" for part in one.parts[:3])
    return (
        f"By country of the organisations, the largest parts of known compute in {one.period}: {named}. "
        "Joint systems count in equal parts; where a system was trained is not known."
    )
