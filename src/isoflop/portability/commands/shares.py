"""``isoflop portability shares``: which share of functions is lost on which target?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.portability.sampling.result import Sample
    from isoflop.portability.shares.result import Shares
    from isoflop.present.chapter import Column

SHOWN = 25
"""Rows of a table printed for a person; --json has all."""


@click.command(cls=Verb, short_help="Which share of functions is lost on which target?")
@click.argument("results", metavar="[RUN]", required=False)
@click.option("--framework", metavar="NAME", help="Keep one framework.")
@click.option("--target", metavar="TARGET", help="Keep one target, as it stands in the results.")
@click.option(
    "--level",
    type=Word(("traced", "lowered", "compiled", "ran")),
    help="Keep targets of one level of evidence; levels are never mixed.",
)
@click.option(
    "--by",
    type=Word(("target", "dtype", "family")),
    default="target",
    show_default=True,
    help="Count for each target, or within it by dtype or by family of names.",
)
@click.option(
    "--policy",
    type=Word(("strict", "fallback")),
    default="strict",
    show_default=True,
    help="Which leads: falling back to another device fails, or passes. Both are counted.",
)
@click.option("--usage", metavar="FILE", help="Counts of calls by function: gives shares of calls too.")
@click.option("--sample", "drawn", metavar="FILE", help="The sample that was run, with its design.")
@click.option(
    "--ci",
    type=Word(("wilson", "bootstrap")),
    default="wilson",
    show_default=True,
    help="Wilson or linearised intervals, or draws of functions.",
)
@click.option(
    "--confidence",
    type=Number(float, 0.95),
    default=0.95,
    show_default=True,
    help="Of every interval, in (0, 1).",
)
@seed_option
@figure_option
@json_option
def shares(
    results: str | None,
    framework: str | None,
    target: str | None,
    level: str | None,
    by: str,
    policy: str,
    usage: str | None,
    drawn: str | None,
    ci: str,
    confidence: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count the functions that fail, wholly or in part, on each target.

    RUN is a folder, bundle or table of results, or a folder of published files; default: the run that ships.
    A function succeeds with no counted failure, fails completely with no counted pass, partly with both.
    """
    from isoflop.findings import Document
    from isoflop.portability.commands.reading import results_of
    from isoflop.portability.model import Bootstrap, Wilson
    from isoflop.portability.shares.find import shares as count
    from isoflop.present.console import emit

    found = count(
        results_of(results),
        by=by,  # type: ignore[arg-type]
        policy=policy,  # type: ignore[arg-type]
        level=level,
        framework=framework,
        target=target,
        weights=_weights(usage, drawn, framework),
        ci=Wilson(level=confidence) if ci == "wilson" else Bootstrap(seed=seed, level=confidence),
    )
    if figure is not None:
        from isoflop.portability.chapter.shares import shares_figures
        from isoflop.present.image import draw

        draw(figure, shares_figures(found))
    tables = {"shares": found.rows(), "functions": found.function_rows(), "reasons": found.reason_rows()}
    emit(
        Document(findings=found.findings(), tables=tables), as_json=as_json, text=lambda: _text(found, tables)
    )


def _weights(usage: str | None, drawn: str | None, framework: str | None) -> Sample | dict[str, float] | None:
    from isoflop.portability.commands.reading import counts_of, sample_of

    if usage is not None and drawn is not None:
        raise SettingError("--usage: with --sample, which has its own counts. Drop one of them.")
    if drawn is not None:
        return sample_of(drawn)
    return None if usage is None else counts_of(usage, framework)


def _text(found: Shares, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.pages import cautions_text, page

    cells = tables["shares"]
    if found.by != "target":
        cells = sorted(
            (row for row in cells if row["policy"] == found.policy),
            key=lambda row: -(row["failing_share"] or 0.0),
        )
    lost = [row for row in tables["functions"] if row[found.policy] in ("partial", "complete")]
    lead = page(
        found.summary(),
        (),
        (),
        (f"Shares{_more(len(cells))}", _columns(found), cells[:SHOWN]),
        ("Reasons of failures", _reason_columns(), tables["reasons"]),
        (f"Functions lost{_more(len(lost))}", _function_columns(found.policy), lost[:SHOWN]),
    )
    return "\n\n".join(part for part in (lead, cautions_text(found.cautions)) if part)


def _more(count: int) -> str:
    return f" (first {SHOWN} of {count}; --json has all)" if count > SHOWN else ""


def _columns(found: Shares) -> tuple[Column, ...]:
    from isoflop.portability.chapter.shares import CELLS

    left_out = ("group",) if found.by == "target" else ("policy", "left_out_share")
    return tuple(column for column in CELLS if column.name not in left_out)


def _reason_columns() -> tuple[Column, ...]:
    from isoflop.portability.chapter.reasons import COLUMNS

    return COLUMNS


def _function_columns(policy: str) -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="target", label="target"),
        Column(name="function", label="function"),
        Column(name=policy, label="outcome"),
        Column(name="failed", label="failed", format="count"),
        Column(name="passed", label="passed", format="count"),
        Column(name="reason", label="main reason"),
    )
