"""``isoflop scaling downstream`` and ``observe``: from compute to what benchmarks will show."""

from __future__ import annotations

from pathlib import Path

import click

from isoflop.errors import SettingError
from isoflop.present.options import (
    EvidenceChoice,
    Verb,
    evidence_options,
    figure_option,
    json_option,
    seed_option,
)
from isoflop.present.parse import Number, Word

PREFERRED_RUNS = ("olmo_ladder", "openlm")
PREFERRED_SCORES = ("obsscaling", "sloth")
SHOWN = 12
_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def amount(text: str | None, option: str) -> float | None:
    """Return a number with an optional unit of size.

    Raises
    ------
    SettingError
        It is no positive number.

    Examples
    --------
    >>> amount("7B", "--fit-below"), amount("1e22", "--fit-below")
    (7000000000.0, 1e+22)
    """
    if text is None:
        return None
    folded = text.strip().upper()
    unit = _UNITS.get(folded[-1:], 1.0)
    try:
        value = float(folded[:-1] if folded[-1:] in _UNITS else folded) * unit
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise SettingError(f"{option}: {text!r}, needs a positive size or FLOP. Write 3B or 1e22, say.")
    return value


@click.command(cls=Verb, short_help="Task accuracy of larger runs, through their loss.")
@evidence_options
@click.option("--tasks", metavar="LIST", help="Tasks, e.g. arc_easy,piqa.  [default: all with accuracies]")
@click.option(
    "--fit-below",
    metavar="SIZE|FLOP",
    help="Predict runs of this many parameters or more, e.g. 1B; above 1e15 it is training FLOP.",
)
@click.option("--law", metavar="NAME", help="Law of the loss.  [default: chosen by fitted sizes left out]")
@click.option(
    "--link",
    metavar="NAME",
    help="From loss to accuracy: logistic, logistic_free or exponential.  [default: chosen so]",
)
@click.option("--route", metavar="NAME", help="The loss between: task, val or both.  [default: chosen so]")
@click.option(
    "--val-loss", metavar="NAME", help="Validation loss.  [default: the first on C4, else the first]"
)
@click.option("--params", type=Word(("total", "no_embed")), help="Which count of parameters N is.")
@click.option(
    "--by", metavar="COLUMN", help="Groups fitted apart.  [default: dataset, where there are several]"
)
@click.option(
    "--bootstrap", type=Number(int, 200), default=200, show_default=True, metavar="N", help="Draws of runs."
)
@click.option("--level", type=Number(float, 0.95), default=0.95, show_default=True, help="Of the intervals.")
@seed_option
@figure_option
@json_option
def downstream(
    evidence: EvidenceChoice,
    tasks: str | None,
    fit_below: str | None,
    law: str | None,
    link: str | None,
    route: str | None,
    val_loss: str | None,
    params: str | None,
    by: str | None,
    bootstrap: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Predict task accuracy of larger runs: scale to loss, loss to accuracy.

    FILE holds one outcome a row: run_id, params, tokens, task, kind, value. Runs of a family named target…
    are predicted and never fitted.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import page
    from isoflop.scaling.downstream.find import downstream as find_downstream
    from isoflop.stats.resample import Bootstrap

    table = read_table(evidence, "downstream_runs", PREFERRED_RUNS)
    with progress_bars() as bars:
        found = find_downstream(
            table,
            tasks=None if tasks is None else [name.strip() for name in tasks.split(",")],
            link=link,
            route=route,  # type: ignore[arg-type]
            law=law,
            fit_below=amount(fit_below, "--fit-below"),
            val_loss=val_loss,
            params=params,  # type: ignore[arg-type]
            by=by,
            ci=Bootstrap(reps=bootstrap, by="run_id", seed=seed, level=level),
            progress=bars,
        )
    findings, rows = found.findings(), found.task_rows()
    document = Document(
        findings=findings,
        tables={
            "tasks": rows,
            "predictions": found.predictions(),
            "mean_over_tasks": found.mean_rows,
            "recipes": found.ranked_rows(),
            "evidence": evidence_rows(table),
        },
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.downstream import downstream_section

        draw(figure, downstream_section(found).figures)

    def text() -> str:
        from isoflop.scaling.chapter.downstream import MEAN_COLUMNS, TASK_COLUMNS

        return page(
            f"{table.name}: {found.n} final runs fitted, {found.n_targets} predicted\n{found.method}",
            findings,
            (),
            ("Mean accuracy over tasks", MEAN_COLUMNS, found.mean_rows),
            ("By task", TASK_COLUMNS, rows),
        )

    emit(document, as_json=as_json, text=text)


@click.command(cls=Verb, short_help="A benchmark, from what other scores of public models show.")
@evidence_options
@click.option("--target", metavar="BENCHMARK", default="MMLU", show_default=True, help="Predicted.")
@click.option(
    "--components", type=Number(int, 3), default=3, show_default=True, metavar="K", help="1, 2 or 3."
)
@click.option(
    "--cutoff",
    type=Number(float, 0.7),
    default=0.7,
    show_default=True,
    metavar="SHARE|FLOP",
    help="Hold out models with as much compute: a quantile below 1, else FLOP.",
)
@click.option("--by", type=Word(("compute", "family")), default="compute", show_default=True,
              help="Hold out what lies above the cutoff, or each family in turn.")  # fmt: skip
@click.option("--benchmarks", metavar="LIST", help="What shapes the components.  [default: taken by most]")
@click.option(
    "--reference", metavar="FAMILY", default="Llama-2", show_default=True, help="Of equivalent compute."
)
@click.option(
    "--bootstrap",
    type=Number(int, 100),
    default=100,
    show_default=True,
    metavar="N",
    help="Draws of families.",
)
@seed_option
@figure_option
@json_option
def observe(
    evidence: EvidenceChoice,
    target: str,
    components: int,
    cutoff: float,
    by: str,
    benchmarks: str | None,
    reference: str,
    bootstrap: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Predict a benchmark from the capability that other scores of public models show.

    FILE holds one score a row: model, family, train_flop, benchmark, score. Held-out models touch nothing
    that is fitted.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import page
    from isoflop.scaling.observational.find import observe as find_observe
    from isoflop.stats.resample import Bootstrap

    table = read_table(evidence, "model_scores", PREFERRED_SCORES)
    with progress_bars() as bars:
        found = find_observe(
            table,
            target=target,
            components=components,
            cutoff=cutoff,
            holdout=by,  # type: ignore[arg-type]
            benchmarks=None if benchmarks is None else [name.strip() for name in benchmarks.split(",")],
            reference=reference,
            ci=Bootstrap(reps=bootstrap, by="family", seed=seed),
            progress=bars,
        )
    findings = found.findings()
    document = Document(
        findings=findings,
        tables={
            "errors": found.error_rows(),
            "predictions": found.rows,
            "loadings": found.loading_rows(),
            "families": found.family_rows(),
            "evidence": evidence_rows(table),
        },
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.downstream import observe_section

        draw(figure, observe_section(found).figures)

    def text() -> str:
        from isoflop.scaling.chapter.downstream import ERROR_COLUMNS, HELD_OUT_COLUMNS

        return page(
            f"{table.name}: {found.n} models\n{found.method}",
            findings,
            (),
            ("Error on held-out models", ERROR_COLUMNS, found.error_rows()),
            (
                f"Held-out models ({min(SHOWN, len(found.rows))} of {len(found.rows)})",
                HELD_OUT_COLUMNS,
                found.rows[:SHOWN],
            ),
        )

    emit(document, as_json=as_json, text=text)
