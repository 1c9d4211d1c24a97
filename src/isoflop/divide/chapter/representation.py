"""Topics: where academic teams are rare, and whether they keep the work that the remedies are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import representation as pictures
from isoflop.divide.representation.topics import FEW, TOPIC_NAMES
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.remedies.result import Remedies
    from isoflop.divide.representation.result import Ratio, Representation

RATIOS = (
    Column(name="team", label="Team"),
    Column(name="topic_name", label="Topic"),
    Column(name="papers", label="Papers", format="count"),
    Column(name="topic_papers", label="Of", format="count"),
    Column(name="ratio", label="Crude", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="ratio_standardised", label="Within venue and year", format="number"),
    Column(name="low_standardised", label="Low", format="number"),
    Column(name="high_standardised", label="High", format="number"),
    Column(name="q", label="Adjusted p", format="number"),
)
YEARS = (
    Column(name="topic_name", label="Topic"),
    Column(name="year", label="Year", format="year"),
    Column(name="papers", label="Academic papers", format="count"),
    Column(name="topic_papers", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="expected_share", label="By its venues", format="percent"),
)
PAPER = (
    "The paper's abstract says that academic-only teams are less present in compute-intensive topics, of all "
    "most in foundation models [V]. How it defines topics we have not read; the topics here are those of the "
    "table [D]."
)
REMEDIES = (
    "The paper would have public compute spent on interpretability, safety and security, and audit by third "
    "parties [V]. What can be counted is who writes the papers on these topics; which topics belong to them "
    "is our choice, by their names [D]."
)


def representation_section(found: Representation) -> Section:
    """Return the section on topics."""
    return Section(
        id="topics",
        title="On which topics academic teams are rare",
        prose=(
            PAPER,
            _lead(found),
            *(("{figure:topic-ratios}",) if found.ratios else ()),
            "The ratio is the team's share of the topic's papers over its share of all papers. Where a venue "
            "has both more of a team and more of a topic, the crude ratio mistakes one for the other; that "
            "within venue and year compares like with like, and is the one to read.",
        ),
        figures=representation_figures(found),
        tables=(
            Table(
                id="topic-ratios-table",
                title="Ratios by team and topic",
                columns=RATIOS,
                rows=tuple(found.rows()),
                note=f"Crude: delta method for a part of the whole. Within: bootstrap of papers in "
                f"{found.strata} venue-years, {found.reps} draws. Adjusted p: Fisher's test, "
                "Benjamini-Hochberg over the topics of a team.",
            ),
        ),
        cautions=found.cautions,
    )


def representation_figures(found: Representation) -> tuple[Figure, ...]:
    """Return the picture of ratios."""
    if not found.ratios:
        return ()
    kind = "within venue and year" if found.is_standardised else "crude"
    return (
        Figure(
            id="topic-ratios",
            title=_title(found),
            subtitle=f"Share on the topic over share of all papers; topics by academia's ratio, {kind}",
            frame=pictures.ratios_data(found),
            chart=lambda: pictures.ratios(found),
            alt="One panel a team, one row a topic: the ratio and its interval, and a line at 1.",
            source=found.sample.table.name,
            n=found.n,
            interval=f"{formats.percent(found.level)}: delta method (crude), bootstrap (within)",
        ),
    )


def remedies_section(followed: Remedies) -> Section:
    """Return the section on the topics of the paper's remedies."""
    return Section(
        id="remedies",
        title="Who does the work that the remedies are about",
        prose=(REMEDIES, followed.summary().replace("\n", " ")),
        figures=remedies_figures(followed),
        tables=(
            (
                Table(
                    id="remedies-by-year",
                    title="Academia's share of these topics by year",
                    columns=YEARS,
                    rows=tuple(followed.rows()),
                    note="By its venues: the share if papers on the topic were as often academic as all "
                    "papers of their venue and year.",
                ),
            )
            if followed.trends
            else ()
        ),
        cautions=followed.cautions,
    )


def remedies_figures(followed: Remedies) -> tuple[Figure, ...]:
    """Return the picture of shares by year; none where no topic has two years to draw."""
    drawable = any(sum(year.n >= pictures.LEAST for year in trend.years) > 1 for trend in followed.trends)
    if not drawable:
        return ()
    return (
        Figure(
            id="remedies-years",
            title="Academia's share of the work that the remedies are about",
            subtitle=f"Share of papers by academic-only teams; years with {pictures.LEAST} papers or more",
            frame=pictures.remedies_data(followed),
            chart=lambda: pictures.remedies(followed),
            alt="One panel a topic: a line with a band over years, and a dashed line of the venues' share.",
            source=followed.sample.table.name,
            n=sum(trend.n for trend in followed.trends),
            interval="Bands: Wilson 95 %",
        ),
    )


def works_missing_section() -> Section:
    """Return the section that stands where no table of papers is at hand."""
    return Section(
        id="papers",
        title="Topics, citations and adoption by year",
        prose=(
            "**These questions need a table of papers, and none is at hand.** On which topics academic teams "
            "are rare, how often they are among the most cited, whether they keep their share of work on "
            "interpretability and safety, and how many of their papers name open models of industry: each is "
            "counted over papers with affiliations. No such table ships, because no public one that we know "
            "states a licence that would allow it.",
            "With a table of your own (title, year, venue, affiliations; citations, topics, abstracts where "
            "you have them): `isoflop divide represent FILE`, `isoflop divide impact FILE`, `isoflop divide "
            "adopt FILE`. From an OpenAlex snapshot: `isoflop divide extract` and `isoflop divide query`.",
        ),
    )


def _ranked(found: Representation) -> list[Ratio]:
    return sorted(
        (one for one in found.ratios if one.team == "academia" and one.both >= FEW),
        key=lambda one: (one.standardised or one.crude).value or 0.0,
    )


def _title(found: Representation) -> str:
    ranked = _ranked(found)
    if not ranked:
        return "How often teams work on each topic, against all their papers"
    least, most = ranked[0], ranked[-1]
    return f"Academic teams are rarest on {_name(least)}, most frequent on {_name(most)}"


def _lead(found: Representation) -> str:
    blank = found.sample.n - found.n
    head = (
        f"Of {formats.count(found.n)} papers of known team at {found.strata} venue-years, academia alone "
        f"signed {formats.percent(found.share('academia'))}; {formats.count(blank)} more "
        f"({formats.percent(blank / found.sample.n)}) have no known team."
    )
    below = [one for one in _ranked(found) if _below(one)]
    if not below:
        return f"{head} On no topic is academia alone rarer than elsewhere beyond doubt."
    said = [f"{_name(one)} ({formats.fixed(_value(one), 2)}×)" for one in below[:5]]
    more = f" and {len(below) - 5} more" if len(below) > 5 else ""
    return f"{head} The interval lies below 1 for {', '.join(said)}{more}."


def _below(one: Ratio) -> bool:
    high = (one.standardised or one.crude).high
    return high is not None and high < 1


def _value(one: Ratio) -> float:
    return (one.standardised or one.crude).value or 0.0


def _name(one: Ratio) -> str:
    return TOPIC_NAMES.get(one.topic, one.topic)
