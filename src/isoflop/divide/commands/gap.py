"""``isoflop divide gap`` and ``power``: how far apart the sectors are, and how many systems would tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from isoflop.divide.commands.growth import compat_option, noise_options, noise_setting
from isoflop.divide.commands.options import (
    PREFERRED,
    Rows,
    columns,
    headlines,
    level_option,
    models_options,
    verb,
)
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word


@verb("How far apart are industry and academia, and does it grow?")
@models_options
@click.option(
    "--year",
    "years",
    type=Number(int, 2022),
    multiple=True,
    metavar="YEAR",
    help="Year at which the gap is read. May be repeated.  [default: 2012, 2018, 2022]",
)
@click.option(
    "--at-year",
    type=Number(int, 2022),
    metavar="YEAR",
    help="Year of the headline.  [default: 2022, or the last complete year]",
)
@click.option(
    "--cov",
    type=Word(("hc1", "ols", "cluster")),
    default="hc1",
    show_default=True,
    help="Interval that leads; all three are computed.",
)
@click.option(
    "--quantile",
    "quantiles",
    type=Number(float, 0.5),
    multiple=True,
    metavar="Q",
    help="Quantile whose gap is shown. May be repeated.  [default: 0.5, 0.9]",
)
@noise_options
@compat_option
@level_option
@seed_option
@figure_option
@json_option
def gap(
    evidence: EvidenceChoice,
    rows: Rows,
    years: tuple[int, ...],
    at_year: int | None,
    cov: str,
    quantiles: tuple[float, ...],
    shared: float,
    bounds: str,
    reps: int,
    compat: str,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Measure the gap between industry-only and academia-only systems in training compute.

    FILE holds trained systems; default: the best table at hand, else the facts that ship.
    """
    from isoflop.divide.figures.gap import method_words
    from isoflop.divide.gap.find import QUANTILES, YEARS
    from isoflop.divide.gap.find import gap as measure_gap
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, page

    table = read_table(evidence, "models", PREFERRED)
    sample = rows.select(table)
    found = measure_gap(
        sample,
        years=years or YEARS,
        at_year=at_year,
        cov=cov,  # type: ignore[arg-type]
        quantiles=quantiles or QUANTILES,
        noise=noise_setting(shared, bounds, reps, seed),
        level=level,
        seed=seed,
        compat=compat,  # type: ignore[arg-type]
    )
    tables = {
        "gap": found.rows(),
        "medians": found.median_rows(),
        "waterfall": sample.waterfall(),
        "evidence": evidence_rows(table),
    }
    if figure is not None:
        from isoflop.divide.chapter.gap import gap_figures
        from isoflop.present.image import draw

        draw(figure, gap_figures(found))
    findings = found.findings()
    words = method_words(found)
    in_words = [row | {"method": words.get(row["method"], row["method"])} for row in tables["gap"]]
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            headlines(findings),
            (),
            ("Every reading (orders of magnitude)", _columns(), in_words),
            ("Medians by period (orders of magnitude)", _median_columns(), tables["medians"]),
            ("Rows", WATERFALL, tables["waterfall"]),
        ),
    )


def _columns() -> Any:
    return columns(
        ("quantity", "quantity", "text"),
        ("method", "method", "text"),
        ("year", "mid-year", "year"),
        ("value", "value", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("p", "p", "number"),
        ("n", "systems", "count"),
    )


def _median_columns() -> Any:
    return columns(
        ("period", "period", "text"),
        ("gap", "difference", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("n_academia", "academia", "count"),
        ("n_industry", "industry", "count"),
    )


@verb("How many systems would tell a widening gap from a steady one?")
@models_options
@click.option(
    "--difference",
    "differences",
    type=Number(float, 0.1),
    multiple=True,
    metavar="OOM",
    help="Widening to be seen, orders of magnitude a year. May be repeated.  [default: 0.05 to 0.2]",
)
@click.option(
    "--over-years",
    "years",
    type=Number(int, 10),
    multiple=True,
    metavar="YEARS",
    help="Years over which systems are spread. May be repeated.  [default: 5, 10, 15]",
)
@click.option(
    "--power",
    "chance",
    type=Number(float, 0.8),
    default=0.8,
    show_default=True,
    help="Chance of seeing it, in (0, 1).",
)
@level_option
@json_option
def power(
    evidence: EvidenceChoice,
    rows: Rows,
    differences: tuple[float, ...],
    years: tuple[int, ...],
    chance: float,
    level: float,
    as_json: bool,
) -> None:
    """Count the systems a sector and year needed to see the gap widen, given the spread of a table.

    FILE holds trained systems; default: the best table at hand, else the facts that ship.
    """
    from isoflop.divide.power.find import DIFFERENCES
    from isoflop.divide.power.find import YEARS as SPANS
    from isoflop.divide.power.find import power as find_power
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, cautions_text, page

    table = read_table(evidence, "models", PREFERRED)
    sample = rows.select(table)
    found = find_power(
        sample, differences=differences or DIFFERENCES, years=years or SPANS, power=chance, level=level
    )
    tables = {"needs": found.rows(), "waterfall": sample.waterfall(), "evidence": evidence_rows(table)}
    emit(
        Document(findings=found.findings(), tables=tables),
        as_json=as_json,
        text=lambda: (
            page(
                found.summary(),
                (),
                (),
                (
                    "Systems needed, a sector and year",
                    columns(
                        ("years", "years", "count"),
                        ("difference_oom_per_year", "OOM a year", "number"),
                        ("systems_per_sector_year", "systems", "number"),
                        ("academia_has", "academia has", "number"),
                        ("industry_has", "industry has", "number"),
                    ),
                    tables["needs"],
                ),
                ("Rows", WATERFALL, tables["waterfall"]),
            )
            + "\n\n"
            + cautions_text(found.cautions)
        ),
    )
