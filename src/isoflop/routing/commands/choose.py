"""``isoflop routing choose | label``: which model for one task, from its prompts and from a few labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import EvidenceError, SettingError
from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word
from isoflop.routing.commands.options import SCORED, scored_options

if TYPE_CHECKING:
    from isoflop.present.chapter import Column
    from isoflop.routing.commands.options import ScoredChoice
    from isoflop.routing.selection.ranking import TaskRanking

SHOWN = 12
"""Models listed in a terminal; --json has all."""


def _task_options(command: Any) -> Any:
    """Add the task's prompts and the encoder."""
    command = click.option(
        "--encoder",
        type=Word(("static", "hashed", "minilm")),
        default="static",
        show_default=True,
        help="What turns prompts into vectors.",
    )(command)
    return click.option(
        "--task",
        type=click.Path(path_type=Path),
        required=True,
        metavar="FILE",
        help="The new task's prompts: one a line, or JSON lines with a field prompt; - for stdin.",
    )(command)


@click.command(
    "choose",
    cls=Verb,
    headings={"Prompts and models": SCORED},
    short_help="Which model for a new task, given its prompts?",
)
@scored_options
@_task_options
@click.option("--no-abstain", is_flag=True, help="Follow neighbours even where the gain is not sure.")
@seed_option
@figure_option
@json_option
def choose(
    scored: ScoredChoice,
    task: Path,
    encoder: str,
    no_abstain: bool,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Rank the models for a task that no benchmark holds, from its prompts alone, and say how sure that is.

    FILE holds results on other tasks; default: the results that ship.
    """
    from isoflop.routing.selection.ranking import rank
    from isoflop.routing.selection.shrunken import Shrunken

    joined = scored.read()
    found = rank(
        joined,
        _texts(task),
        encoder=encoder,
        selector=Shrunken(abstain=not no_abstain),
        seed=seed,
    )
    _show(found, as_json, figure, ())


@click.command(
    "label",
    cls=Verb,
    headings={"Prompts and models": SCORED},
    short_help="What do a few labels say, and which to make next?",
)
@scored_options
@_task_options
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labels so far: a table with prompt (its number in --task, from 1), model, score in [0, 1].",
)
@click.option(
    "--next",
    "budget",
    type=Number(int, 10),
    default=10,
    show_default=True,
    help="How many prompts to propose for labelling.",
)
@seed_option
@figure_option
@json_option
def label(
    scored: ScoredChoice,
    task: Path,
    encoder: str,
    labels: Path | None,
    budget: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Combine the prediction for a task with some labelled prompts: chance of being best, what to label next.

    FILE holds results on other tasks; default: the results that ship.
    """
    from isoflop.routing.selection.ranking import rank

    if budget < 1:
        raise SettingError(f"--next: {budget}, needs at least 1. 10 are usual.")
    joined = scored.read()
    texts = _texts(task)
    found = rank(
        joined,
        texts,
        labels=_labels(labels, len(texts)) if labels else None,
        encoder=encoder,
        seed=seed,
    )
    _show(found, as_json, figure, tuple(found.to_label(budget)))


def _show(
    found: TaskRanking, as_json: bool, figure: Path | None, proposed: tuple[dict[str, Any], ...]
) -> None:
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page

    tables = {
        "models": found.rows(),
        "datasets": found.share_rows(),
        "waterfall": found.scored.waterfall(),
        "evidence": evidence_rows(*found.scored.tables),
    }
    if proposed:
        tables["next_prompts"] = [dict(row) | {"prompt": row["prompt"] + 1} for row in proposed]
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.routing.chapter.selection import ranking_figures

        draw(figure, ranking_figures(found))
    findings = found.findings()
    shares = (
        Column(name="dataset", label="dataset"),
        Column(name="share", label="share", format="percent"),
    )
    prompts = (Column(name="prompt", label="line", format="count"), Column(name="text", label="prompt"))
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            findings,
            (),
            ("Models, in order", _model_columns(), tables["models"][:SHOWN]),
            ("Datasets among the neighbours", shares, tables["datasets"][:SHOWN]),
            ("Label these next", prompts, tables.get("next_prompts", [])),
        ),
    )


def _model_columns() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="model", label="model"),
        Column(name="expected", label="expected", format="number"),
        Column(name="low", label="low", format="number"),
        Column(name="high", label="high", format="number"),
        Column(name="p_best", label="P(best)", format="percent"),
        Column(name="prior", label="on average", format="number"),
        Column(name="mixture", label="neighbours", format="number"),
        Column(name="s3", label="S3", format="number"),
    )


def _texts(path: Path) -> list[str]:
    from isoflop.routing.commands.router import read_prompts

    texts = [text for _, text in read_prompts(None if str(path) == "-" else path)]
    if not texts:
        raise EvidenceError(f"--task: {path} has no prompt, needs at least one. Write one a line.")
    return texts


def _labels(path: Path, prompts: int) -> dict[tuple[int, str], float]:
    """Return the score by place of the prompt (from 0, of so many prompts) and model."""
    from isoflop.evidence.read import read_file

    frame = read_file(path)
    for name in ("prompt", "model", "score"):
        if name not in frame.columns:
            raise EvidenceError(
                f"--labels: column {name!r} not in {path.name} ({', '.join(frame.columns)}), needs "
                "prompt, model and score. Name it so."
            )
    found: dict[tuple[int, str], float] = {}
    for row, (prompt, model, score) in enumerate(
        frame.select("prompt", "model", "score").iter_rows(), start=1
    ):
        try:
            key, value = (int(prompt) - 1, str(model)), float(score)
        except (TypeError, ValueError):
            raise EvidenceError(
                f"--labels: row {row} of {path.name} is ({prompt!r}, {model!r}, {score!r}), needs a line "
                "number, a model and a score. Correct it."
            ) from None
        if not 0 <= key[0] < prompts:
            raise EvidenceError(
                f"--labels: row {row} of {path.name} labels prompt {prompt}, must be a line "
                f"of --task, in [1, {prompts}]. Correct it."
            )
        if not 0 <= value <= 1:
            raise EvidenceError(
                f"--labels: row {row} of {path.name} has score {value:g}, must lie in [0, 1]. Divide by 100?"
            )
        if key in found:
            raise EvidenceError(
                f"--labels: row {row} of {path.name} labels prompt {prompt} of {model} again."
            )
        found[key] = value
    return found
