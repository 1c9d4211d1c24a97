"""``isoflop divide deciles``: are academic teams rarer where compute is larger?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import PREFERRED, Rows, columns, level_option, models_options, verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.deciles.result import ComputeDeciles


@verb("Are academic teams rarer where compute is larger?")
@models_options
@click.option(
    "--period",
    "years",
    metavar="FIRST-LAST",
    default="2018-2023",
    show_default=True,
    help="Calendar years whose systems are split.",
)
@click.option(
    "--groups",
    type=Number(int, 10),
    default=10,
    show_default=True,
    help="Equal groups of compute above trend.",
)
@click.option(
    "--team",
    type=Word(("academia", "industry", "collaboration", "other")),
    default="academia",
    show_default=True,
    help="The team followed.",
)
@level_option
@seed_option
@figure_option
@json_option
def deciles(
    evidence: EvidenceChoice,
    rows: Rows,
    years: str,
    groups: int,
    team: str,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Split systems by compute above trend into equal groups, and fields by their median compute."""
    from isoflop.divide.commands.shares import parse_period
    from isoflop.divide.deciles.find import deciles as find_deciles
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table

    span = parse_period(years, "--period")
    table = read_table(evidence, "models", PREFERRED)
    found = find_deciles(
        rows.select(table),
        years=span,
        groups=groups,
        team=team,  # type: ignore[arg-type]
        level=level,
        seed=seed,
    )
    if figure is not None:
        from isoflop.divide.chapter.deciles import deciles_figures
        from isoflop.present.image import draw

        draw(figure, deciles_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "deciles": found.rows(),
            "fields": found.field_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: ComputeDeciles) -> str:
    from isoflop.present.pages import WATERFALL, page

    groups = columns(
        ("group", found.word, "text"),
        ("n", "n", "count"),
        (f"k_{found.team}", found.team, "count"),
        ("residual_low", "from (OOM)", "number"),
        ("residual_high", "to (OOM)", "number"),
        ("share", "share", "percent"),
        ("ratio", "ratio", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
    )
    fields = columns(
        ("by", "by", "text"),
        ("field", "field", "text"),
        ("n", "n", "count"),
        ("k", found.team, "count"),
        ("median_log10_flop", "median log10 FLOP", "number"),
        ("median_residual_oom", "above trend", "number"),
        ("ratio", "ratio", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
    )
    shown = [f for f in found.findings() if "ratio" not in f.id]
    return page(
        found.summary(),
        shown,
        (),
        (f"{found.word.capitalize()}s of compute above trend", groups, found.rows()),
        ("Fields, the most compute first", fields, found.field_rows()),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
