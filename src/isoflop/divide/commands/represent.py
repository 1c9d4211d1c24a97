"""``isoflop divide represent``: on which topics are academic teams rare?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import columns, level_option
from isoflop.divide.commands.works_options import Papers, read_works, works_options, works_verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number

if TYPE_CHECKING:
    from isoflop.divide.remedies.result import Remedies
    from isoflop.divide.representation.result import Representation


@works_verb("On which topics are academic teams rare, venue for venue?")
@works_options
@click.option("--topic", "topics", metavar="NAME", multiple=True, help="Only this topic. May be repeated.")
@click.option(
    "--remedy",
    "remedy_topics",
    metavar="TOPIC",
    multiple=True,
    help="A topic to follow by year as one of the paper's remedies (interpretability, safety, audit). "
    "Default: those whose names say so.",
)
@click.option(
    "--crude-only", is_flag=True, help="Leave out the ratios within venue and year and their bootstrap."
)
@click.option(
    "--titles-too", is_flag=True, help="Keep papers whose topics rest on a title alone; they name fewer."
)
@click.option("--reps", type=Number(int, 999), default=999, show_default=True, help="Draws of the bootstrap.")
@level_option
@seed_option
@figure_option
@json_option
def represent(
    evidence: EvidenceChoice,
    papers: Papers,
    topics: tuple[str, ...],
    remedy_topics: tuple[str, ...],
    crude_only: bool,
    titles_too: bool,
    reps: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare how often teams work on each topic with how often they work at all.

    FILE holds papers with affiliations and topics; several files are read as one table. A ratio of 1 means
    as frequent as elsewhere; the ratio within venue and year is the one to trust.
    """
    from isoflop.divide.remedies.find import remedies
    from isoflop.divide.representation.find import representation
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows

    table = read_works(evidence)
    found = representation(
        table,
        topics=topics,
        standardise=not crude_only,
        titles_too=titles_too,
        reps=reps,
        level=level,
        seed=seed,
        **papers.settings,
    )
    followed = remedies(found.sample, topics=remedy_topics, level=level)
    if figure is not None:
        from isoflop.divide.chapter.representation import remedies_figures, representation_figures
        from isoflop.present.image import draw

        draw(figure, (*representation_figures(found), *remedies_figures(followed)))
    document = Document(
        findings=(*found.findings(), *followed.findings()),
        tables={
            "representation": found.rows(),
            "topic_years": [row for trend in found.trends() for row in trend.rows()],
            "remedies": followed.rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found, followed))


def _page(found: Representation, followed: Remedies) -> str:
    from isoflop.present.pages import WATERFALL, cautions_text, page

    ratios = columns(
        ("topic_name", "topic", "text"),
        ("papers", "papers", "count"),
        ("topic_papers", "of", "count"),
        ("ratio", "crude", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("ratio_standardised", "within venue", "number"),
        ("low_standardised", "low", "number"),
        ("high_standardised", "high", "number"),
        ("q", "adjusted p", "number"),
    )
    years = columns(
        ("topic_name", "topic", "text"),
        ("year", "year", "year"),
        ("papers", "papers", "count"),
        ("topic_papers", "of", "count"),
        ("share", "share", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
        ("expected_share", "by venues", "percent"),
    )
    shown = page(
        f"{found.summary()}\n{followed.summary()}",
        (),
        (),
        *(
            (f"Ratios of {team}", ratios, [row for row in found.rows() if row["team"] == team])
            for team in found.teams
        ),
        ("Academia's share of the remedies' topics", years, followed.rows()),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
    said = dict.fromkeys((*found.cautions, *followed.cautions))
    return f"{shown}\n\n{cautions_text(tuple(said))}"
