"""``isoflop divide shares``: how rare are academic teams among large systems?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.options import (
    PREFERRED,
    Rows,
    columns,
    headlines,
    level_option,
    models_options,
    verb,
)
from isoflop.errors import SettingError
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option

if TYPE_CHECKING:
    from isoflop.divide.large import Large
    from isoflop.divide.model import Period
    from isoflop.divide.shares.result import LargeShares

ALL = "all"
IN_TABLE = ("divide.academia_share_change", "divide.academia_share_trend_z")
"""Headlines that a table of the page shows with what belongs to them."""


@verb("How rare are academic teams among large systems, and since when?")
@models_options
@click.option(
    "--large",
    "names",
    metavar="NAME|all",
    multiple=True,
    help="Definitions of large besides known compute: top_quantile[:0.75], top_k[:10], above_trend[:0.75], "
    "above_running, above[:1e25], or all. May be repeated.",
)
@click.option(
    "--period",
    "periods",
    metavar="FIRST-LAST",
    multiple=True,
    help="Calendar years, e.g. 2012-2014 or 2022. May be repeated; the first and the last are compared.  "
    "[default: 2012-2014 and 2020-2022, or the ends of the table]",
)
@level_option
@seed_option
@figure_option
@json_option
def shares(
    evidence: EvidenceChoice,
    rows: Rows,
    names: tuple[str, ...],
    periods: tuple[str, ...],
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count the large systems of each team by period, with intervals and bounds for unknown teams.

    What the paper calls a large model is not known to us: compare the definitions with --large all.
    """
    from isoflop.divide.shares.find import shares as find_shares
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table

    named = tuple(parse_period(text) for text in periods)
    large = _definitions(names)
    table = read_table(evidence, "models", PREFERRED)
    found = find_shares(rows.select(table), large=large, periods=named or None, level=level, seed=seed)
    if figure is not None:
        from isoflop.divide.chapter.shares import shares_figures
        from isoflop.present.image import draw

        draw(figure, shares_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "shares": found.rows(),
            "by_year": found.year_rows(),
            "changes": found.change_rows(),
            "coverage": found.coverage_rows(),
            "waterfall": found.sample.waterfall(),
            "evidence": evidence_rows(table),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def parse_period(text: str, option: str = "--period") -> Period:
    """Return the calendar years of ``--period``, or of another option.

    Raises
    ------
    SettingError
        It is neither a year nor two.

    Examples
    --------
    >>> str(parse_period("2012-2014")), str(parse_period("2020-22")), str(parse_period("2022"))
    ('2012-14', '2020-22', '2022')
    """
    from isoflop.divide.model import Period

    match = re.fullmatch(r"(\d{4})(?:\s*(?:-|–|to)\s*(\d{4}|\d{2}))?", text.strip())
    if match is None:
        raise SettingError(f"{option}: {text!r}, must be a year or two. Write 2012-2014, say.")
    first = int(match[1])
    last = first if match[2] is None else int(match[2]) + (first // 100 * 100 if len(match[2]) == 2 else 0)
    return Period(first=first, last=last)


def _definitions(names: tuple[str, ...]) -> tuple[Large, ...]:
    from isoflop.divide.large import LARGE, large_of

    found: list[Large] = []
    for name in names:
        found += LARGE.values() if name == ALL else [large_of(name)]
    return tuple(found)


def _page(found: LargeShares) -> str:
    from isoflop.present.pages import WATERFALL, page

    cells = columns(
        ("large", "large", "text"),
        ("period", "period", "text"),
        ("team", "team", "text"),
        ("k", "k", "count"),
        ("n", "n", "count"),
        ("share", "share", "percent"),
        ("low", "low", "percent"),
        ("high", "high", "percent"),
        ("unknown", "unknown", "count"),
        ("bound_low", "least", "percent"),
        ("bound_high", "most", "percent"),
    )
    changes = columns(
        ("large", "large", "text"),
        ("team", "team", "text"),
        ("difference", "change (points)", "points"),
        ("low", "low", "points"),
        ("high", "high", "points"),
        ("p_fisher", "Fisher p", "number"),
        ("trend_z", "trend z", "number"),
        ("trend_p", "p", "number"),
        ("trend_p_exact", "exact p", "number"),
    )
    coverage = columns(
        ("period", "period", "text"),
        ("team", "team", "text"),
        ("with_compute", "with compute", "count"),
        ("n", "of", "count"),
        ("share", "share", "percent"),
    )
    return page(
        found.summary(),
        [one for one in headlines(found.findings()) if one.id not in IN_TABLE],
        (),
        ("Shares", cells, found.rows()),
        ("First against last period, and trend over single years", changes, found.change_rows()),
        ("Systems whose compute is known", coverage, found.coverage_rows()),
        ("Rows", WATERFALL, found.sample.waterfall()),
    )
