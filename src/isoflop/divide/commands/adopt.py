"""``isoflop divide adopt``: how many academic papers name, or use, open models of industry?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import columns, level_option
from isoflop.divide.commands.works_options import Papers, read_works, works_options, works_verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.adoption.result import Adoption

DICTIONARY = "pretrained_models"


@works_verb("How many academic papers name, or use, open models of industry?")
@works_options
@click.option(
    "--dictionary",
    metavar="FILE",
    default=DICTIONARY,
    show_default=True,
    help="Models to look for, with aliases, developer and date of release; the default ships.",
)
@click.option(
    "--kind",
    type=Word(("mention", "use")),
    default="mention",
    show_default=True,
    help="Named in title, abstract or keywords; or used, where the table says so.",
)
@click.option(
    "--weights",
    type=Word(("open", "any")),
    default="open",
    show_default=True,
    help="Models with open weights, or all.",
)
@click.option(
    "--makers",
    type=Word(("industry", "involved")),
    default="industry",
    show_default=True,
    help="Models of companies alone, or also those made with academia.",
)
@click.option(
    "--team",
    type=Word(("academia", "industry", "collaboration", "other")),
    default="academia",
    show_default=True,
    help="Whose papers.",
)
@click.option("--reps", type=Number(int, 999), default=999, show_default=True, help="Draws of the bootstrap.")
@level_option
@seed_option
@figure_option
@json_option
def adopt(
    evidence: EvidenceChoice,
    papers: Papers,
    dictionary: str,
    kind: str,
    weights: str,
    makers: str,
    team: str,
    reps: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count the papers of a team that name or use a model of industry, by year and developer.

    FILE holds papers; models are read from its lists, else searched in title, abstract and keywords. The
    crude share of a year follows its venues: the share at a fixed mix of venues stands beside it.
    """
    from isoflop.divide.adoption.find import adoption
    from isoflop.evidence import load
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows

    table = read_works(evidence)
    words = load(dictionary, schema="pretrained_models")
    found = adoption(
        table,
        dictionary=words,
        kind=kind,  # type: ignore[arg-type]
        weights=weights,  # type: ignore[arg-type]
        makers=makers,  # type: ignore[arg-type]
        team=team,  # type: ignore[arg-type]
        reps=reps,
        level=level,
        seed=seed,
        **papers.settings,
    )
    if figure is not None:
        from isoflop.divide.chapter.adoption import adoption_figures
        from isoflop.present.image import draw

        draw(figure, adoption_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "adoption": found.rows(),
            "developers": found.developer_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table, words),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: Adoption) -> str:
    from isoflop.present.pages import WATERFALL, cautions_text, page

    years = columns(
        ("year", "year", "year"),
        ("papers", "papers", "count"),
        ("venues", "venues", "count"),
        ("naming", "naming", "count"),
        ("may_be_closed", "may be closed", "count"),
        ("refused", "refused", "count"),
        ("share", "crude", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
        ("share_standardised", "fixed mix", "percent"),
        ("low_standardised", "low", "percent"),
        ("high_standardised", "high", "percent"),
    )
    developers = columns(
        ("developer", "developer", "text"),
        ("papers", "papers", "count"),
        ("share", "share", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
    )
    shown = page(
        found.summary(),
        (),
        (),
        ("By year", years, found.rows()),
        ("By developer, all years", developers, found.developer_rows()),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
    return f"{shown}\n\n{cautions_text(found.cautions)}"
