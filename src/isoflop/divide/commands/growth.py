"""``isoflop divide growth`` and ``influence``: how fast compute doubles, and on whom that hangs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from isoflop.present.options import EvidenceChoice, figure_option, json_option, seed_option, with_options
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.growth.settings import ComputeNoise, IntervalKind

KINDS = ("cluster", "hc1", "ols", "pairs")
SHORT = {
    "cluster": "draws of organisations",
    "hc1": "robust (HC1)",
    "ols": "least squares",
    "pairs": "draws of systems",
    "monte_carlo": "doubt about compute",
    "monte_carlo_and_sampling": "doubt and draws together",
}
"""Kinds of interval in the width that a terminal has."""


def noise_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the settings of doubt about compute; the command receives ``shared``, ``bounds`` and ``reps``."""
    return with_options(
        command,
        click.option(
            "--shared",
            type=Number(float, 0.5),
            default=0.0,
            show_default=True,
            help="Share of the doubt about compute that is common to an organisation, in [0, 1].",
        ),
        click.option(
            "--bounds",
            type=Word(("log_uniform", "split_normal", "ignore")),
            default="log_uniform",
            show_default=True,
            help="How to draw compute between a row's own bounds.",
        ),
        click.option(
            "--reps",
            type=Number(int, 1999),
            default=1999,
            show_default=True,
            help="Replicates of every draw.",
        ),
    )


def noise_setting(shared: float, bounds: str, reps: int, seed: int) -> ComputeNoise:
    """Return the doubt about compute as typed."""
    from isoflop.divide.growth.settings import ComputeNoise

    return ComputeNoise(shared=shared, bounds=bounds, reps=reps, seed=seed)  # type: ignore[arg-type]


compat_option = click.option(
    "--compat",
    type=Word(("none", "paper")),
    default="none",
    show_default=True,
    help="paper: the settings nearest to what is known of the paper.",
)


@verb("How fast does training compute double, for all and for each team?")
@models_options
@click.option(
    "--ci",
    type=Word((*KINDS, "all")),
    help="Interval that leads, or all side by side.  [default: cluster, or hc1 below 20 organisations]",
)
@noise_options
@compat_option
@level_option
@seed_option
@figure_option
@json_option
def growth(
    evidence: EvidenceChoice,
    rows: Rows,
    ci: str | None,
    shared: float,
    bounds: str,
    reps: int,
    compat: str,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Fit the growth of training compute since 2010, and the gap between industry and academia.

    FILE holds trained systems; default: the best table at hand, else the facts that ship.
    """
    from isoflop.divide.gap.find import gap as measure_gap
    from isoflop.divide.growth.find import growth as fit_growth
    from isoflop.errors import EvidenceError, NoFitError
    from isoflop.findings import Document
    from isoflop.present.console import emit, say
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, page

    table = read_table(evidence, "models", PREFERRED)
    sample = rows.select(table)
    lead, beside = _kinds(ci, reps, seed)
    noise = noise_setting(shared, bounds, reps, seed)
    found = fit_growth(
        sample, ci=lead, beside=beside, noise=noise, level=level, seed=seed, compat=compat  # type: ignore[arg-type]
    )  # fmt: skip
    findings = found.findings()
    tables = {
        "growth": found.rows(),
        "forecasts": found.forecast_rows(),
        "waterfall": sample.waterfall(),
        "evidence": evidence_rows(table),
    }
    try:
        distance = measure_gap(sample, noise=noise, level=level, seed=seed, compat=compat)  # type: ignore[arg-type]
    except (EvidenceError, NoFitError) as error:
        say(f"no gap beside the growth: {error}")
    else:
        findings += tuple(f for f in distance.findings() if f.id.startswith("divide.gap_oom"))
        tables["gap"] = distance.rows()
    if figure is not None:
        from isoflop.divide.chapter.growth import growth_figures
        from isoflop.present.image import draw

        draw(figure, growth_figures(found))
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            headlines(findings),
            (),
            (
                "Doubling time, every interval",
                _columns(),
                [
                    row
                    | {"interval": SHORT.get(row.get("interval", "")), "reason": row.get("reason") or None}
                    for row in tables["growth"]
                ],
            ),
            ("Foretelling the last years", _forecast_columns(), tables["forecasts"]),
            ("Rows", WATERFALL, tables["waterfall"]),
        ),
    )


def _kinds(ci: str | None, reps: int, seed: int) -> tuple[IntervalKind | None, tuple[IntervalKind, ...]]:
    """Return the leading kind of interval (None: the default) and those beside it."""
    from isoflop.divide.growth.settings import interval_kind

    if ci == "all":
        return None, tuple(interval_kind(name, reps=reps, seed=seed) for name in KINDS)
    return (None if ci is None else interval_kind(ci, reps=reps, seed=seed)), ()


def _columns() -> Any:
    return columns(
        ("team", "team", "text"),
        ("interval", "interval", "text"),
        ("n", "systems", "count"),
        ("n_organisations", "organisations", "count"),
        ("doubling_months", "months", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("growth_per_year", "× a year", "number"),
        ("reason", "why none", "text"),
    )


def _forecast_columns() -> Any:
    return columns(
        ("team", "team", "text"),
        ("rule", "rule", "text"),
        ("split", "from", "year"),
        ("n_after", "systems", "count"),
        ("rmse_oom", "typical miss (OOM)", "number"),
        ("bias_oom", "mean miss (OOM)", "number"),
    )


@verb("On which organisation does each headline hang?")
@models_options
@click.option(
    "--at-year",
    type=Number(int, 2022),
    default=2022,
    show_default=True,
    metavar="YEAR",
    help="Year of the gap.",
)
@json_option
def influence(evidence: EvidenceChoice, rows: Rows, at_year: int, as_json: bool) -> None:
    """Remove each organisation in turn, with every system that names it, and read each headline again.

    FILE holds trained systems; default: the best table at hand, else the facts that ship.
    """
    from isoflop.divide.influence.find import influence as remove_each
    from isoflop.divide.influence.result import NAMES
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, cautions_text, page

    table = read_table(evidence, "models", PREFERRED)
    sample = rows.select(table)
    found = remove_each(sample, at_year=at_year)
    tables = {
        "influence": found.rows(),
        "residuals": found.residual_rows(),
        "leftovers": found.leftover_rows(),
        "waterfall": sample.waterfall(),
        "evidence": evidence_rows(table),
    }
    emit(
        Document(findings=found.findings(), tables=tables),
        as_json=as_json,
        text=lambda: (
            page(
                found.summary(),
                (),
                (),
                (
                    "Organisations that move each headline most",
                    columns(
                        ("headline", "headline", "text"),
                        ("organisation", "without", "text"),
                        ("systems", "systems", "count"),
                        ("value", "with all", "number"),
                        ("without", "without it", "number"),
                    ),
                    [row | {"headline": NAMES[row["headline"]]} for row in tables["influence"]],
                ),
                (
                    "Mean above the sector's line (OOM)",
                    columns(
                        ("team", "sector", "text"),
                        ("year", "year", "year"),
                        ("n", "systems", "count"),
                        ("mean_oom", "mean", "number"),
                    ),
                    tables["residuals"],
                ),
                ("Rows", WATERFALL, tables["waterfall"]),
            )
            + "\n\n"
            + cautions_text(found.cautions)
        ),
    )
