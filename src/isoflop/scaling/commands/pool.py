"""``isoflop scaling studies`` and ``pool``: one law a study, and one exponent from many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import (
    EvidenceChoice,
    Verb,
    evidence_options,
    figure_option,
    json_option,
    seed_option,
)
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.present.chapter import Column

PREFERRED = ("study_points",)
METHODS = ["hierarchical", "sartor2024"]
FLOORS = ["none", "free", "shared"]
GROUPS = ["familiarity", "class", "phase", "environment", "sector", "task_family", "x_unit"]
ADJUST = ["knapp_hartung", "adhoc", "none"]


def _shared(command: Any) -> Any:
    for decorator in (
        click.option(
            "--trials",
            type=Number(int, 50),
            default=50,
            show_default=True,
            help="Trials a point where a paper prints none.",
        ),
        click.option(
            "--floor",
            type=Word(FLOORS),
            default="none",
            show_default=True,
            help="Error that no amount of the resource removes: 0, one for each study, or one ratio for all.",
        ),
        click.option(
            "--method",
            type=Word(METHODS),
            default="hierarchical",
            show_default=True,
            help="Which estimator leads; both run on the same rows.",
        ),
        evidence_options,
    ):
        command = decorator(command)
    return command


@click.command(cls=Verb, short_help="What does each study say about its exponent?")
@_shared
@json_option
def studies(evidence: EvidenceChoice, method: str, floor: str, trials: int, as_json: bool) -> None:
    """Fit the error rate of every study as a power of its resource.

    FILE holds study points; default: the embedded ones. Studies whose error rises stay in.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, cautions_text, page
    from isoflop.scaling.studies.fit_studies import fit_studies

    table = read_table(evidence, "study_points", PREFERRED)
    fits = fit_studies(table, method=method, floor=floor, default_trials=trials)  # type: ignore[arg-type]
    rows = fits.frame().to_dicts()
    document = Document(
        tables={"studies": rows, "waterfall": fits.sample.waterfall(), "evidence": evidence_rows(table)}
    )
    emit(
        document,
        as_json=as_json,
        text=lambda: (
            page(
                fits.summary(),
                (),
                (),
                ("Studies", _study_columns(), rows),
                ("Rows", WATERFALL, fits.sample.waterfall()),
            )
            + "\n\n"
            + cautions_text(fits.cautions)
        ),
    )


@click.command(cls=Verb, short_help="One exponent from many studies, beside the published method.")
@_shared
@click.option(
    "--by",
    "groups",
    type=Word(GROUPS),
    multiple=True,
    help="Groups to show; familiarity and class are always there. May be repeated.",
)
@click.option(
    "--weights",
    type=Word(["paper", "study"]),
    default="paper",
    show_default=True,
    help="What counts once in the hierarchical mean.",
)
@click.option(
    "--tau2",
    type=Word(["reml", "ml", "dl", "pm", "he", "sj", "fe"]),
    default="reml",
    show_default=True,
    help="Variance between studies in the two-level estimate.",
)
@click.option(
    "--adjust",
    type=Word(ADJUST),
    default="knapp_hartung",
    show_default=True,
    help="Interval of the two-level estimate.",
)
@click.option(
    "--level", type=Number(float, 0.95), default=0.95, show_default=True, help="Of every interval, in (0, 1)."
)
@seed_option
@figure_option
@json_option
def pool(
    evidence: EvidenceChoice,
    method: str,
    floor: str,
    trials: int,
    groups: tuple[str, ...],
    weights: str,
    tau2: str,
    adjust: str,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Pool exponents over studies: every estimator on the same rows, papers as the independent units.

    FILE holds study points (default: the embedded ones), or published aggregates: then the factors that
    follow from the published medians are printed.
    """
    from isoflop.errors import SettingError
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.image import draw
    from isoflop.present.pages import page
    from isoflop.scaling.studies.summary import pool_summary

    table = _table(evidence)
    if table.schema == "study_summaries":
        if figure is not None:
            raise SettingError("--figure: published aggregates have no picture, needs points. Drop --figure.")
        summary = pool_summary(table)
        document = Document(
            findings=summary.findings(),
            tables={"published": summary.rows(), "evidence": evidence_rows(table)},
        )
        shown = ("Published aggregates", _summary_columns(), summary.rows())
        emit(document, as_json=as_json, text=lambda: page(summary.summary(), summary.findings(), (), shown))
        return
    from isoflop.evidence import load
    from isoflop.scaling.chapter.pooling import pooling_figures
    from isoflop.scaling.pooling.pool import pool as pool_studies
    from isoflop.scaling.studies.comparators import compare_domain
    from isoflop.scaling.studies.fit_studies import fit_studies

    with progress_bars() as report:
        fits = fit_studies(table, method=method, floor=floor, default_trials=trials)  # type: ignore[arg-type]
        pooled = pool_studies(
            fits, by=groups, weights=weights, tau2=tau2, adjust=adjust, level=level, progress=report  # type: ignore[arg-type]
        )  # fmt: skip
    domain = compare_domain(
        load("published_exponents"),
        {r: pooled.exponent(r) for r in pooled.resources},
        has_floor=floor != "none",
    )
    pooled = replace(pooled, domain=domain)
    tables = _tables(pooled, seed)
    if figure is not None:
        draw(figure, pooling_figures(pooled))
    document = Document(findings=pooled.findings(), tables=tables | {"evidence": evidence_rows(table)})
    emit(document, as_json=as_json, text=lambda: _page(pooled, tables))


def _table(evidence: EvidenceChoice) -> Table:
    """Return study points, or published aggregates where the file is recognised as such."""
    from isoflop.evidence import load
    from isoflop.present.console import say
    from isoflop.present.evidence import read_table

    file = evidence.file
    if file is not None and Path(file).is_file() and not evidence.mapping:
        table = load(file, importer=evidence.importer)
        if table.schema == "study_summaries":
            say(f"evidence: {table.name} (as named), {table.rows_read} rows read; {table.importer}")
            return table
    return read_table(evidence, "study_points", PREFERRED)


def _tables(pooled: Any, seed: int) -> dict[str, list[dict[str, Any]]]:
    tables = {"by_resource": pooled.rows()}
    for column in pooled.groupings:
        tables["by_class" if column == "model_class" else f"by_{column}"] = pooled.rows(column)
    source = pooled.rows("source")
    if source:
        tables["by_source"] = source
    tables["leave_one_paper_out"] = pooled.leave_one_out().to_dicts()
    tables["trials_sensitivity"] = pooled.trials_sensitivity().to_dicts()
    tables["cumulative_by_year"] = pooled.cumulative().to_dicts()
    tables["meta_regression"] = pooled.moderators().to_dicts()
    tables["bias_tests"] = list(pooled.bias(seed=seed).rows)
    tables["vision_exponents"] = list(pooled.domain.apart)
    tables["waterfall"] = pooled.fits.sample.waterfall()
    return tables


def _page(pooled: Any, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.pages import WATERFALL, page

    columns = _group_columns()
    sections: list[Any] = [("By resource", columns, tables["by_resource"])]
    for column in pooled.groupings:
        name = "by_class" if column == "model_class" else f"by_{column}"
        sections.append((f"By {column.replace('_', ' ')}", columns, tables[name]))
    sections.append(("Without each paper", _leave_out_columns(), tables["leave_one_paper_out"]))
    sections.append(("Assumed trials", _trials_columns(), tables["trials_sensitivity"]))
    sections.append(("Small-study effects", _bias_columns(), tables["bias_tests"]))
    sections.append(("Rows", WATERFALL, tables["waterfall"]))
    headlines = [f for f in pooled.findings() if f.id.count(".") == 1]
    return page(pooled.summary(), headlines, (), *sections)


def _columns(*names: tuple[str, str, str]) -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return tuple(Column(name=name, label=label, format=form) for name, label, form in names)


def _group_columns() -> tuple[Column, ...]:
    return _columns(
        ("resource", "resource", "text"),
        ("group", "group", "text"),
        ("method", "method", "text"),
        ("n_studies", "studies", "count"),
        ("n_papers", "papers", "count"),
        ("exponent", "exponent", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("halving_factor", "× to halve", "number"),
    )


def _leave_out_columns() -> tuple[Column, ...]:
    return _columns(
        ("resource", "resource", "text"),
        ("paper_id", "without", "text"),
        ("studies_left_out", "studies", "count"),
        ("exponent", "exponent", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
    )


def _trials_columns() -> tuple[Column, ...]:
    return _columns(
        ("resource", "resource", "text"),
        ("trials", "trials", "count"),
        ("studies_assumed", "studies concerned", "count"),
        ("exponent", "exponent", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
    )


def _bias_columns() -> tuple[Column, ...]:
    return _columns(
        ("resource", "resource", "text"),
        ("test", "test", "text"),
        ("n", "n", "count"),
        ("value", "value", "number"),
        ("p", "p", "number"),
        ("note", "note", "text"),
    )


def _study_columns() -> tuple[Column, ...]:
    return _columns(
        ("study", "study", "text"),
        ("resource", "resource", "text"),
        ("points", "points", "count"),
        ("exponent", "exponent", "number"),
        ("low", "low", "number"),
        ("high", "high", "number"),
        ("sartor_exponent", "sartor2024", "number"),
    )


def _summary_columns() -> tuple[Column, ...]:
    return _columns(
        ("resource", "resource", "text"),
        ("n_studies", "studies", "count"),
        ("n_papers", "papers", "count"),
        ("mean", "mean", "number"),
        ("median", "median", "number"),
        ("halving_factor", "× to halve", "number"),
        ("halving_factor_printed", "as printed", "number"),
    )
