"""``isoflop routing shortlist``: which models to try first, from published scores and a few words."""

from __future__ import annotations

from pathlib import Path

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

PREFERRED = ("model_benchmarks",)
SHOWN = 12
"""Models listed in a terminal; --json has all."""


@click.command("shortlist", cls=Verb, short_help="Which models to try first, from published scores?")
@evidence_options
@click.option("--task", metavar="TEXT", help="The task in words.  [default: none; order by means]")
@click.option(
    "--task-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The task's prompts, one a line, in place of --task.",
)
@click.option(
    "--kind",
    type=Word(("base", "instruct", "both")),
    default="base",
    show_default=True,
    help="Pre-trained models, tuned ones, or both.",
)
@click.option(
    "--benchmarks",
    metavar="A,B",
    help="Benchmarks to compare on.  [default: the fullest table that there is]",
)
@click.option(
    "--max-params",
    type=Number(float, 8e9),
    metavar="N",
    help="Keep models of at most N parameters, e.g. 8e9.",
)
@click.option(
    "--max-price",
    type=Number(float, 1.0),
    metavar="USD",
    help="Keep models of at most this list price for a million output tokens.",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="List prices.  [default: those that ship, with their dates]",
)
@click.option(
    "--encoder",
    type=Word(("static", "hashed", "minilm")),
    default="static",
    show_default=True,
    help="What turns words into vectors.",
)
@seed_option
@figure_option
@json_option
def shortlist(
    evidence: EvidenceChoice,
    task: str | None,
    task_file: Path | None,
    kind: str,
    benchmarks: str | None,
    max_params: float | None,
    max_price: float | None,
    prices: Path | None,
    encoder: str,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Order models for a task that is only described, and say whether the description helped.

    FILE holds scores of models on benchmarks; default: the published scores that ship.
    """
    from isoflop.evidence import load
    from isoflop.evidence.prompt_scores import read_catalogue
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import WATERFALL, page
    from isoflop.routing.chapter.shortlist import BENCHMARKS, MODELS, shortlist_figures
    from isoflop.routing.shortlist.core import core
    from isoflop.routing.shortlist.find import shortlist as find_shortlist

    table = read_table(evidence, "model_scores", PREFERRED)
    compared = core(
        table,
        load("model_prices") if prices is None else read_catalogue(prices),
        instruct={"base": False, "instruct": True, "both": None}[kind],
        benchmarks=[name.strip() for name in benchmarks.split(",") if name.strip()] if benchmarks else None,
        max_params=max_params,
        max_usd_per_mtok=max_price,
    )
    found = find_shortlist(
        compared, load("benchmark_descriptions"), _words(task, task_file), encoder=encoder, seed=seed
    )
    waterfall = [
        {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped} for s in compared.steps
    ]
    tables = {
        "shortlist": found.rows(),
        "benchmarks": found.benchmark_rows(),
        "waterfall": waterfall,
        "evidence": evidence_rows(table),
    }
    if figure is not None:
        from isoflop.present.image import draw

        draw(figure, shortlist_figures(found))
    findings = found.findings()
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            findings,
            (),
            ("Models to try, in order", MODELS, tables["shortlist"][:SHOWN]),
            ("Each benchmark as the new task", BENCHMARKS, tables["benchmarks"]),
            ("Rows", WATERFALL, waterfall),
        ),
    )


def _words(task: str | None, task_file: Path | None) -> str | list[str] | None:
    from isoflop.errors import EvidenceError, SettingError

    if task is not None and task_file is not None:
        raise SettingError("--task: also --task-file, needs one of them. Drop one.")
    if task_file is None:
        return task
    try:
        text = task_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise EvidenceError(
            f"--task-file: {task_file.name} cannot be read as UTF-8 text ({type(problem).__name__}). Name a "
            "text file with one prompt a line."
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]
