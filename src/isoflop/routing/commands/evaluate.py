"""``isoflop routing evaluate``: what each way of choosing a model reaches on new datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word, numbers
from isoflop.routing.commands.options import SCORED, scored_options

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.routing.commands.options import ScoredChoice
    from isoflop.routing.sample import ScoredPrompts


@click.command(
    cls=Verb,
    headings={"Prompts and models": SCORED},
    short_help="Which way of choosing a model does best on new tasks?",
)
@scored_options
@click.option(
    "--encoder",
    type=Word(("static", "hashed", "minilm")),
    default="static",
    show_default=True,
    help="What turns prompts into vectors.",
)
@click.option(
    "--split",
    type=Word(("lodo", "random", "origin")),
    help="Leave one dataset out at a time, deal prompts at random, or take the table's own split.  "
    "[default: lodo; random for --metric]",
)
@click.option(
    "--labels",
    metavar="N,N",
    help="Labelled prompts of the new task for the few-label curve, e.g. 0,2,5,10,20,50.",
)
@click.option("--metric", type=Word(("apgr",)), help="Measure the curve of two models as well.")
@click.option(
    "--compat",
    type=Word(("paper", "golden")),
    help="The paper's choices, or those of the stored numbers.  [default: copies leave the pool, abstention]",
)
@click.option(
    "--level",
    type=Number(float, 0.95),
    default=0.95,
    show_default=True,
    help="Level of the intervals, in (0, 1).",
)
@click.option(
    "--reps",
    type=Number(int, 10_000),
    default=10_000,
    show_default=True,
    help="Resamples of tasks.",
)
@seed_option
@figure_option
@json_option
def evaluate(
    scored: ScoredChoice,
    encoder: str,
    split: str | None,
    labels: str | None,
    metric: str | None,
    compat: str | None,
    level: float,
    reps: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare ways of choosing a model on tasks that they have not seen.

    FILE holds scores of models on prompts; default: the results that ship.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.pages import WATERFALL, page
    from isoflop.routing.chapter.evaluation import CLASSIFIERS, LABELS, PRINTED
    from isoflop.routing.evaluation.find import evaluate as compare

    counts = numbers(labels, "--labels") if labels else ()
    results = scored.read()
    found = compare(
        results,
        encoder=encoder,
        split=split or "lodo",  # type: ignore[arg-type]
        labels=counts,
        params=_params(scored),
        compat=compat,  # type: ignore[arg-type]
        level=level,
        reps=reps,
        seed=seed,
    )
    findings = found.findings()
    tables: dict[str, Any] = found.tables()
    if metric is not None:
        more, rows = _pair(results, encoder, split or "random", level, seed)
        findings, tables = (*findings, *more), {**tables, **rows}
    tables["waterfall"] = results.waterfall()
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.routing.chapter.evaluation import evaluation_figures

        draw(figure, evaluation_figures(found))
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            _headlines(findings),
            (),
            ("Ways of choosing, mean over datasets", PRINTED, tables["methods"]),
            ("Few labels of the task", LABELS, tables.get("label_curve", [])),
            ("Predictors of correctness, one a model", CLASSIFIERS, tables["classifiers"]),
            ("Rows", WATERFALL, tables["waterfall"]),
        ),
    )


def _headlines(findings: tuple[Finding, ...]) -> list[Finding]:
    """Return the findings that the table of methods does not already show."""
    wanted = ("routing.selector_score", "routing.selector_gain", "routing.apgr", "routing.cpt_50")
    return [finding for finding in findings if finding.id in wanted]


def _params(scored: ScoredChoice) -> dict[str, float] | None:
    """Return the parameters of the models, where a catalogue knows them."""
    table = scored.catalogue()
    if table is None:
        return None
    rows = table.frame.select("model", "params").drop_nulls()
    return dict(rows.iter_rows())


def _pair(
    results: ScoredPrompts, encoder: str, split: str, level: float, seed: int
) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    from isoflop.errors import SettingError
    from isoflop.routing.cost.find import apgr
    from isoflop.routing.encoders import encode

    if split == "origin":
        raise SettingError("--metric apgr: split 'origin', must be 'lodo' or 'random'. Choose one.")
    found = apgr(
        results,
        encode(list(results.prompts), encoder).vectors,
        split=split,  # type: ignore[arg-type]
        level=level,
        seed=seed,
    )
    return tuple(found.findings()), found.tables()
