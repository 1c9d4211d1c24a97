"""Who writes the works of a narrow table: the section on counts of a user's own snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import works as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.counts.find import WorkShares

COLUMNS = (
    Column(name="team", label="Team"),
    Column(name="k", label="Works", format="count"),
    Column(name="n", label="Of known team", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="least", label="Least", format="percent"),
    Column(name="most", label="Most", format="percent"),
)


def works_section(found: WorkShares) -> Section:
    """Return the section on works counted by team and year."""
    figures = works_figures(found)
    return Section(
        id="works",
        title="Whose works are counted",
        prose=(_headline(found), _unknown(found), *(f"{{figure:{one.id}}}" for one in figures)),
        figures=figures,
        tables=(
            Table(
                id="works-shares",
                title="Share of each team among all works counted",
                columns=COLUMNS,
                rows=tuple(one.row() for one in found.overall),
            ),
        ),
    )


def works_figures(found: WorkShares) -> tuple[Figure, ...]:
    """Return the picture of shares by year; none where every year has too few works.

    Raises
    ------
    SettingError
        The works were not counted by team and year alone.
    """
    frame = pictures.works_by_year_data(found)
    if frame["year"].n_unique() < 2:
        return ()
    return (
        Figure(
            id="works-years",
            title="Share of each team in the works of a year",
            subtitle=f"{found.counts.where.text}; years with at least {pictures.LEAST} works of known team",
            frame=frame,
            chart=lambda: pictures.works_by_year(found),
            alt="A panel for each team: a line over years, its interval, and what unknown teams leave open.",
            source=found.counts.table,
            n=found.counts.works,
            interval=f"Dark band: Wilson {formats.percent(found.level)}. Pale band: if all, or none, of the "
            "works of unknown team were of this team.",
        ),
    )


def _headline(found: WorkShares) -> str:
    said = [f"{one.team} {formats.percent(one.share)}" for one in found.overall if one.share is not None]
    return (
        f"{formats.count(found.counts.works)} works were counted ({found.counts.where.text}). Of those with "
        f"a known team [D]: {', '.join(said) or 'none'}. The team of a work follows from the types that "
        "OpenAlex gives the institutions of its authors."
    )


def _unknown(found: WorkShares) -> str:
    if not found.overall:
        return "A work may stand in several of these groups, so there is no share over all of them."
    first = found.overall[0]
    share = first.unknown / max(first.n + first.unknown, 1)
    return (
        f"{formats.percent(share)} of the works name no institution of known type. They are left out of the "
        "shares; least and most say what they could change."
    )
