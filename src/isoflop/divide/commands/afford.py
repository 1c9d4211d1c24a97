"""``isoflop divide afford``: what a budget, or a national machine, could have trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.divide.commands.options import PREFERRED, Rows, columns, level_option, models_options, verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.afford.result import Affordability


@verb("What could a budget, or a national machine, have trained?")
@models_options
@click.option(
    "--budget",
    "budgets",
    metavar="USD",
    multiple=True,
    help="US dollars for one run, such as 1e6 or 10M; may be repeated. Default: 1e5, 1e6, 1e7 and 1e8.",
)
@click.option(
    "--facility",
    "facilities",
    metavar="NAME",
    multiple=True,
    help="A machine of the table compute_facilities, such as Leonardo; may be repeated.",
)
@click.option(
    "--facility-share",
    type=Number(float, 0.1),
    default=1.0,
    show_default=True,
    help="Part of the machine's year that one team gets, in (0, 1].",
)
@click.option(
    "--prices", metavar="FILE", help="Table of quoted prices of accelerators; default: the quotes that ship."
)
@click.option(
    "--utilisation",
    type=Number(float, 0.35),
    default=0.35,
    show_default=True,
    help="Part of the peak speed that training reaches, in (0, 1].",
)
@click.option(
    "--basis",
    type=Word(["rental", "purchase"]),
    default="rental",
    show_default=True,
    help="Chips are rented, or bought and written off; both stand in the table of sensitivity.",
)
@click.option(
    "--commitment",
    type=Word(["on_demand", "1_year", "3_year"]),
    default="on_demand",
    show_default=True,
    help="Which rents; those that ship are on demand.",
)
@click.option(
    "--large",
    metavar="NAME",
    default="top_quantile",
    show_default=True,
    help="What counts as large: known, top_quantile, top_k, above_trend, above; or with a number, top_k:20.",
)
@level_option
@seed_option
@figure_option
@json_option
def afford(
    evidence: EvidenceChoice,
    rows: Rows,
    budgets: tuple[str, ...],
    facilities: tuple[str, ...],
    facility_share: float,
    prices: str | None,
    utilisation: float,
    basis: str,
    commitment: str,
    large: str,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count the large systems whose final run was within a budget, or within a machine's year.

    FILE holds systems (default: the best table at hand). The cost is that of renting the cheapest chips of
    the day at the assumed utilisation, not what the makers paid.
    """
    from isoflop.divide.afford.assumptions import Assumptions, around
    from isoflop.divide.afford.find import BUDGETS, affordability
    from isoflop.divide.large import large_of
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, page
    from isoflop.units import parse_quantity

    sums = tuple(parse_quantity(text, where="--budget") for text in budgets)
    table = read_table(evidence, "models", PREFERRED)
    given = Assumptions(
        utilisation=utilisation,
        utilisation_range=around(utilisation),
        basis=basis,  # type: ignore[arg-type]
        commitment=commitment,  # type: ignore[arg-type]
        facility_share=facility_share,
    )
    found = affordability(
        rows.select(table),
        prices,
        budgets=sums or (() if facilities else BUDGETS),
        facilities=facilities,
        large=large_of(large),
        assumptions=given,
        level=level,
        seed=seed,
    )
    if figure is not None:
        from isoflop.divide.chapter.afford import afford_figures
        from isoflop.present.image import draw

        draw(figure, afford_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "affordability": found.rows(),
            "sensitivity": found.sensitivity_rows(),
            "definitions": found.definition_rows(),
            "systems": found.system_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    shown = columns(
        ("purse", "budget or facility", "text"),
        ("period", "years", "text"),
        ("k", "within", "count"),
        ("n", "large", "count"),
        ("share", "share", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
    )
    headline = [row for row in found.rows() if row["is_headline"]]
    names = [purse.name for purse in found.purses]
    yearly = columns(
        ("period", "year", "text"), ("n", "large", "count"), *((name, name, "percent") for name in names)
    )
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            found.findings(),
            (),
            ("Within reach", shown, headline),
            ("Share within reach by year", yearly, _by_year(found)),
            ("Rows", WATERFALL, found.sample.waterfall()),
        ),
    )


def _by_year(found: Affordability) -> list[dict[str, Any]]:
    """Return one row a year with the share of each purse; none for years before a machine stood."""
    rows: dict[str, dict[str, Any]] = {}
    for purse in found.purses:
        for cell in found.by_year(purse):
            row = rows.setdefault(str(cell.period), {"period": str(cell.period), "n": cell.n})
            row[purse.name] = None if cell.is_before else cell.share
    return list(rows.values())
