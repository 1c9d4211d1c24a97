"""``isoflop divide impact``: are papers with industry more often among the most cited?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import columns, level_option
from isoflop.divide.commands.works_options import Papers, read_works, works_options, works_verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.impact.result import Impact


@works_verb("Are papers with industry more often among the most cited?")
@works_options
@click.option(
    "--counting",
    type=Word(("full", "fractional")),
    default="full",
    show_default=True,
    help="A paper counts for its team, or is split over its organisations.",
)
@click.option(
    "--least",
    type=Number(int, 40),
    default=40,
    show_default=True,
    help="Papers with citations that a venue and year needs to take part.",
)
@level_option
@figure_option
@json_option
def impact(
    evidence: EvidenceChoice,
    papers: Papers,
    counting: str,
    least: int,
    level: float,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare how often teams reach the most cited tenth, and hundredth, of their venue and year.

    FILE holds papers with affiliations and citations; several files are read as one table.
    """
    from isoflop.divide.impact.find import impact as find_impact
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows

    table = read_works(evidence)
    found = find_impact(table, counting=counting, least=least, level=level, **papers.settings)  # type: ignore[arg-type]
    if figure is not None:
        from isoflop.divide.chapter.impact import impact_figures
        from isoflop.present.image import draw

        draw(figure, impact_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "top_shares": found.rows(),
            "odds_ratios": found.contrast_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: Impact) -> str:
    from isoflop.divide.impact.result import TOP_NAMES
    from isoflop.present import formats
    from isoflop.present.pages import WATERFALL, cautions_text, page

    shares = columns(
        ("top", "top", "text"),
        ("team", "team", "text"),
        ("papers", "papers", "count"),
        ("most_cited", "most cited", "count"),
        ("share", "share", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
    )
    ratios = columns(
        ("top", "top", "text"),
        ("contrast", "contrast", "text"),
        ("odds_ratio", "odds ratio", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("strata", "venue-years", "count"),
        ("papers", "papers", "count"),
        ("heterogeneity_p", "p of one ratio", "number"),
    )
    tops = {name: formats.percent(1 - top) for top, name in TOP_NAMES.items()}
    shown = page(
        found.summary(),
        (),
        (),
        ("Shares among the most cited", shares, [row | {"top": tops[row["top"]]} for row in found.rows()]),
        (
            "Odds ratios over venues and years",
            ratios,
            [row | {"top": tops[row["top"]]} for row in found.contrast_rows()],
        ),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
    return f"{shown}\n\n{cautions_text(found.cautions)}"
