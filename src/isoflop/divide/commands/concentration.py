"""``isoflop divide concentration``: how few hold how much of the known compute?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import PREFERRED, Rows, columns, level_option, models_options, verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.concentration.result import Concentration


@verb("How few hold how much of the known compute?")
@models_options
@click.option(
    "--by",
    type=Word(("organisation", "country")),
    default="organisation",
    show_default=True,
    help="Whose compute is added up.",
)
@click.option(
    "--names",
    type=Word(("owner", "given")),
    default="owner",
    show_default=True,
    help="Units of one firm together, by our own list; or names as the table has them.",
)
@click.option(
    "--split",
    type=Word(("equal", "joint")),
    default="equal",
    show_default=True,
    help="A joint system in equal parts, or its partners as one holder.",
)
@click.option(
    "--top", type=Number(int, 5), default=5, show_default=True, help="Holders that the top share counts."
)
@click.option(
    "--period",
    "periods",
    metavar="FIRST-LAST",
    multiple=True,
    help="Calendar years. May be repeated.  [default: 2012-2014 and 2020-2022, or the ends of the table]",
)
@level_option
@seed_option
@figure_option
@json_option
def concentration(
    evidence: EvidenceChoice,
    rows: Rows,
    by: str,
    names: str,
    split: str,
    top: int,
    periods: tuple[str, ...],
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Measure how concentrated known training compute is: top share, Herfindahl, Gini, Lorenz curve."""
    from isoflop.divide.commands.shares import parse_period
    from isoflop.divide.concentration.find import concentration as find_concentration
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table

    named = tuple(parse_period(text) for text in periods)
    table = read_table(evidence, "models", PREFERRED)
    found = find_concentration(
        rows.select(table),
        periods=named or None,
        by=by,  # type: ignore[arg-type]
        names=names,  # type: ignore[arg-type]
        split=split,  # type: ignore[arg-type]
        top=top,
        level=level,
        seed=seed,
    )
    if figure is not None:
        from isoflop.divide.chapter.concentration import concentration_figures
        from isoflop.present.image import draw

        draw(figure, concentration_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "concentration": found.rows(),
            "by_year": found.year_rows(),
            "holders": found.holder_rows(),
            "teams": found.team_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: Concentration) -> str:
    from isoflop.present.pages import WATERFALL, page

    measures = columns(
        ("period", "period", "text"),
        ("systems", "systems", "count"),
        ("holders", "holders", "count"),
        ("top_share", f"top {found.top}", "percent"),
        ("top_share_low", "low", "percent"),
        ("top_share_high", "high", "percent"),
        ("top_share_by_count", "of systems", "percent"),
        ("herfindahl", "Herfindahl", "number"),
        ("equal_holders", "as equal holders", "number"),
        ("gini", "Gini", "number"),
        ("largest_system", "largest system", "percent"),
    )
    holders = columns(
        ("period", "period", "text"),
        ("rank", "rank", "count"),
        ("holder", "holder", "text"),
        ("share", "of compute", "percent"),
        ("systems", "systems", "number"),
    )
    teams = columns(
        ("period", "period", "text"),
        ("team", "team", "text"),
        ("share", "of compute", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
        ("share_of_systems", "of systems", "percent"),
        ("n", "n", "count"),
    )
    last = f".{found.periods[-1]}"
    shown = [f for f in found.findings() if f.id.endswith(last) and "country_" not in f.id]
    return page(
        found.summary(),
        shown,
        (),
        ("Concentration", measures, found.rows()),
        ("Largest holders", holders, found.holder_rows()),
        ("Teams", teams, found.team_rows()),
        ("Single years", measures, found.year_rows()),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
