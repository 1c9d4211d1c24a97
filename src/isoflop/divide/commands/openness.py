"""``isoflop divide openness``: foundation models, open weights, and whose models academia builds on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import PREFERRED, Rows, columns, level_option, models_options, verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option

if TYPE_CHECKING:
    from isoflop.divide.openness.result import Openness

DICTIONARY = "pretrained_models"


@verb("Who makes foundation models and opens weights, and on whose models does academia build?")
@models_options
@click.option(
    "--dictionary",
    metavar="FILE|none",
    default=DICTIONARY,
    show_default=True,
    help="Pre-trained models where bases are looked up that FILE does not hold.",
)
@level_option
@figure_option
@json_option
def openness(
    evidence: EvidenceChoice,
    rows: Rows,
    dictionary: str,
    level: float,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count teams among foundation models and open weights, and academic systems on an industry base.

    All systems count here unless --filter is given: none of the questions needs known compute.
    """
    from isoflop.divide.openness.find import openness as find_openness
    from isoflop.evidence import load
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table

    source = click.get_current_context().get_parameter_source("filter")
    if source is click.core.ParameterSource.DEFAULT:
        rows = replace(rows, filter="none")
    table = read_table(evidence, "models", PREFERRED)
    words = None if dictionary == "none" else load(dictionary, schema=DICTIONARY)
    found = find_openness(rows.select(table, compute=False), dictionary=words, level=level)
    if figure is not None:
        from isoflop.divide.chapter.openness import openness_figures
        from isoflop.present.image import draw

        draw(figure, openness_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "groups": found.rows(),
            "opened": found.opened_rows(),
            "bases": found.base_rows(),
            "built": found.built_rows(),
            "by_year": found.year_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table, *(() if words is None else (words,))),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: Openness) -> str:
    from isoflop.divide.openness.result import WORDS
    from isoflop.present.pages import WATERFALL, page

    ends = (("low", "low", "percent"), ("high", "high", "percent"))
    counted = (("k", "k", "count"), ("n", "n", "count"), ("share", "share", "percent"), *ends)
    groups = columns(
        ("group", "group", "text"),
        ("team", "team", "text"),
        *counted,
        ("unknown", "unknown", "count"),
        ("ratio", "over its share of all", "number"),
    )
    bases = columns(
        ("bases_found_in", "bases found in", "text"),
        ("team", "team", "text"),
        ("noted", "base noted", "count"),
        ("n", "found", "count"),
        ("on_industry", "on industry's", "count"),
        ("share", "share", "percent"),
        *ends,
    )
    shown = [f for f in found.findings() if "academia" in f.id or "industry" in f.id]
    return page(
        found.summary(),
        shown,
        (),
        ("Teams by group", groups, [row | {"group": WORDS[row["group"]]} for row in found.rows()]),
        (
            "Open weights, of systems whose access is known",
            columns(("team", "team", "text"), *counted),
            found.opened_rows(),
        ),
        ("Systems built on others", bases, [row for row in found.base_rows() if row["noted"]]),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
