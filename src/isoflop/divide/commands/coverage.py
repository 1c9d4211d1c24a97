"""``isoflop divide coverage``: for whom compute is known, and what the others could change."""

from __future__ import annotations

from pathlib import Path

import click

from isoflop.divide.commands.options import PREFERRED, Rows, columns, level_option, models_options, verb
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number


@verb("For whom is compute known, and what could the others change?")
@models_options
@click.option(
    "--at-year",
    type=Number(int, 2022),
    default=2022,
    show_default=True,
    metavar="YEAR",
    help="Year of the gap whose tipping point is sought.",
)
@level_option
@seed_option
@figure_option
@json_option
def coverage(
    evidence: EvidenceChoice,
    rows: Rows,
    at_year: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count systems with known compute by team and year, and shift the missing ones.

    FILE holds trained systems; default: the best table at hand, else the facts that ship.
    """
    from isoflop.divide.coverage.find import coverage as count_coverage
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, cautions_text, page

    table = read_table(evidence, "models", PREFERRED)
    sample = rows.select(table, compute=False)
    found = count_coverage(sample, at_year=at_year, level=level, seed=seed)
    tables = {
        "coverage": found.rows(),
        "totals": found.total_rows(),
        "tilts": found.tilt_rows(),
        "shares": found.share_rows(),
        "waterfall": sample.waterfall(),
        "evidence": evidence_rows(table),
    }
    if figure is not None:
        from isoflop.divide.chapter.coverage import coverage_figures
        from isoflop.present.image import draw

        draw(figure, coverage_figures(found))
    emit(
        Document(findings=found.findings(), tables=tables),
        as_json=as_json,
        text=lambda: (
            page(
                found.summary(),
                (),
                (),
                (
                    "Systems with known compute",
                    columns(
                        ("team", "team", "text"),
                        ("period", "year", "text"),
                        ("with_compute", "with compute", "count"),
                        ("n", "of", "count"),
                        ("share", "share", "percent"),
                        ("low", "low", "percent"),
                        ("high", "high", "percent"),
                    ),
                    tables["coverage"],
                ),
                (
                    "If missing compute were shifted",
                    columns(
                        ("headline", "headline", "text"),
                        ("pattern", "whose", "text"),
                        ("n_missing", "systems", "count"),
                        ("observed", "observed", "number"),
                        ("at_-1", "ten times less", "number"),
                        ("at_+1", "ten times more", "number"),
                        ("tips_at", "is 0 at a shift of (OOM)", "number"),
                    ),
                    tables["tilts"],
                ),
                ("Rows", WATERFALL, tables["waterfall"]),
            )
            + "\n\n"
            + cautions_text(found.cautions)
        ),
    )
