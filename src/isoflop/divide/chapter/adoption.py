"""Adoption: how many academic papers name, or use, open models of industry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import adoption as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.adoption.result import Adoption

YEARS = (
    Column(name="year", label="Year", format="year"),
    Column(name="papers", label="Papers", format="count"),
    Column(name="venues", label="Venues", format="count"),
    Column(name="naming", label="Naming one", format="count"),
    Column(name="may_be_closed", label="May be closed", format="count"),
    Column(name="refused", label="Refused", format="count"),
    Column(name="share", label="Crude", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="share_standardised", label="Fixed mix", format="percent"),
    Column(name="low_standardised", label="Low", format="percent"),
    Column(name="high_standardised", label="High", format="percent"),
)
DEVELOPERS = (
    Column(name="developer", label="Developer"),
    Column(name="papers", label="Papers", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)
PAPER = (
    "The paper's abstract says that academic work turns to open, pre-trained models of industry [V]. What we "
    "count is papers of academic teams that name one [D], with our own dictionary of models; a name before "
    "the model's release is refused."
)


def adoption_section(found: Adoption) -> Section:
    """Return the section on adoption by year."""
    return Section(
        id="adoption",
        title="How many academic papers name open models of industry",
        prose=(PAPER, _lead(found), "{figure:adoption-years}", _precision(found)),
        figures=adoption_figures(found),
        tables=(
            Table(
                id="adoption-by-year",
                title="Papers that name a model, by year",
                columns=YEARS,
                rows=tuple(found.rows()),
                note="Fixed mix: venue and year effects, at the mix of venues of all years; bootstrap of "
                f"{found.reps} draws. Refused: named before its release. May be closed: counted by names "
                "that stand for open and closed models alike.",
            ),
            *_developers(found),
        ),
        cautions=found.cautions,
    )


def _developers(found: Adoption) -> tuple[Table, ...]:
    """Return the papers by developer; nothing where no paper names a model."""
    rows = tuple(found.developer_rows())
    title = "By developer, all years"
    return (Table(id="adoption-developers", title=title, columns=DEVELOPERS, rows=rows),) if rows else ()


def adoption_figures(found: Adoption) -> tuple[Figure, ...]:
    """Return the picture of adoption by year."""
    growth = found.growth
    title = "How many papers name a model, by year"
    if growth.value is not None:
        title = (
            f"At a fixed mix of venues, {formats.multiple(growth.value)} as many name a model in the last "
            "three years as in the first"
        )
    return (
        Figure(
            id="adoption-years",
            title=title,
            subtitle=f"Share of {found.team}-only papers, crude and at a fixed mix of venues",
            frame=pictures.years_data(found),
            chart=lambda: pictures.years(found),
            alt="Two lines with bands over years: the crude share jumps with the venues, the other does not.",
            source=found.sample.table.name,
            n=found.n,
            interval=f"{formats.percent(found.level)}: Wilson (crude), bootstrap (fixed mix)",
        ),
    )


def _lead(found: Adoption) -> str:
    last = found.last
    said = found.summary().split("\n")
    if last.standardised.value is None:
        return " ".join(said)
    return " ".join(said) + (
        " The crude share of a year follows the venues that are there: compare years by the other."
    )


def _precision(found: Adoption) -> str:
    if found.precision is None:
        return "No paper names a model, so nothing is known of false mentions."
    if not found.refused:
        return (
            "No paper names a model before its release: the words do not occur by chance at a rate seen here."
        )
    return (
        f"{formats.count(found.refused)} papers name a model before it existed. If such words occur "
        f"by chance as often afterwards, {formats.percent(found.precision)} of the mentions counted are true."
    )
