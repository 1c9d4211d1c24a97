"""``isoflop scaling compare``: which law predicts rows it has not seen?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.present.options import figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word, decimals
from isoflop.scaling.commands.options import RunsChoice, parse_objective, runs_options, verb

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.scaling.compare.schemes import Scheme
    from isoflop.scaling.runs import Runs

CURVES = "learning_curves"
LEFT_TO_JSON = ("parameters", "mean_abs_log_error", "bic")
"""Columns that a terminal has no room for."""


@verb("Rank laws by rows they have not seen, beside the last value.")
@runs_options
@click.option(
    "--laws",
    metavar="LIST",
    help="Laws, e.g. chinchilla,kaplan; the last value and power always join them.  "
    "[default: those that suit the evidence]",
)
@click.option(
    "--cv",
    metavar="rolling|marked|by:COLUMN",
    help="Fit below cuts of the resource; fit the rows of a curve marked is_fit; or leave out each value "
    "of a column.  [default: marked where a curve has a part to forecast, else rolling]",
)
@click.option(
    "--cuts", metavar="LIST", help="Shares of the resource's values that are fitted.  [default: 0.5,…,0.8]"
)
@click.option(
    "--horizon",
    type=Number(float, 2),
    metavar="RATIO",
    help="Score up to this multiple of the last fitted value.",
)
@click.option(
    "--score",
    type=Word(("rmsle", "mean_abs_log_error")),
    default="rmsle",
    show_default=True,
    help="By which laws are ranked.",
)
@click.option(
    "--objective",
    metavar="NAME",
    help="huber[:DELTA|mad], lad, student[:DF] or gaussian[:log|raw].  [default: huber; curves: gaussian]",
)
@click.option(
    "--bootstrap",
    type=Number(int, 2000),
    default=2000,
    show_default=True,
    metavar="N",
    help="Draws behind the intervals of differences.",
)
@click.option(
    "--level", type=Number(float, 0.95), default=0.95, show_default=True, help="Level of intervals."
)
@seed_option
@figure_option
@json_option
def compare(
    choice: RunsChoice,
    laws: str | None,
    cv: str | None,
    cuts: str | None,
    horizon: float | None,
    score: str,
    objective: str | None,
    bootstrap: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Rank laws by their error on rows that they were not fitted to.

    FILE holds training runs or learning curves; each curve is fitted alone. Every fold starts from its own
    rows, so nothing of the scored part leaks into a fit.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.scaling.chapter.compare import SCORE_COLUMNS
    from isoflop.scaling.compare.find import compare as compare_laws

    scheme = parse_scheme(cv, cuts, horizon)
    evidence, table = _evidence(choice)
    with progress_bars() as bars:
        found = compare_laws(
            evidence,
            laws=None if laws is None else [name.strip() for name in laws.split(",")],
            cv=scheme,
            score=score,  # type: ignore[arg-type]
            objective=None if objective is None else parse_objective(objective),
            reps=bootstrap,
            level=level,
            seed=seed,
            progress=bars,
        )
    findings, rows = found.findings(), found.frame().to_dicts()
    document = Document(
        findings=findings,
        tables={
            "comparison": rows,
            "units": found.units_frame().to_dicts(),
            "cautions": [{"caution": caution} for caution in found.cautions],
            "evidence": evidence_rows(table),
        },
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.compare import compare_section

        draw(figure, compare_section(found).figures)
    lead = (
        f"{found.name}: {len(rows)} laws, {len(found.unit)} predictions in {len(found.units)} cases\n"
        f"{found.cv.text}"
    )
    shown = tuple(column for column in SCORE_COLUMNS if column.name not in LEFT_TO_JSON)
    emit(
        document,
        as_json=as_json,
        text=lambda: page(lead, findings, (), ("Error on unseen rows", shown, rows)),
    )


def parse_scheme(cv: str | None, cuts: str | None, horizon: float | None) -> Scheme | None:
    """Return the scheme of ``--cv --cuts --horizon``; None for the default of the evidence.

    Raises
    ------
    SettingError
        Another word, or cuts for a scheme without.

    Examples
    --------
    >>> parse_scheme("by:family", None, None)
    LeaveGroupOut(by='family')
    >>> parse_scheme(None, "0.2,0.3", 4)
    RollingOrigin(cuts=(0.2, 0.3), horizon=4)
    """
    from isoflop.scaling.compare.schemes import AsMarked, LeaveGroupOut, RollingOrigin

    has_cuts = cuts is not None or horizon is not None
    if cv is None and not has_cuts:
        return None
    if cv in (None, "rolling"):
        chosen = RollingOrigin().cuts if cuts is None else decimals(cuts, "--cuts")
        return RollingOrigin(cuts=chosen, horizon=horizon)
    if has_cuts:
        raise SettingError(f"--cuts, --horizon: given with --cv {cv}, which makes no cuts. Use --cv rolling.")
    if cv == "marked":
        return AsMarked()
    assert cv is not None
    kind, _, column = cv.partition(":")
    if kind == "by" and column:
        return LeaveGroupOut(by=column)
    raise SettingError(f"--cv: {cv!r}, must be rolling, marked or by:COLUMN. Write by:family, say.")


def _evidence(choice: RunsChoice) -> tuple[Runs | Table, Table]:
    from isoflop.present.evidence import read_table

    if _holds_curves(choice):
        table = read_table(choice.evidence, CURVES, ("learning_curves_image", "learning_curves_language"))
        return table, table
    runs = choice.runs()
    return runs, runs.table


def _holds_curves(choice: RunsChoice) -> bool:
    """Whether FILE is a table of learning curves, by its name, its map or its header."""
    from isoflop.evidence import load

    evidence = choice.evidence
    file = evidence.file
    if file is None or not Path(file).exists():
        return file is not None and file.replace("-", "_").startswith(CURVES)
    if evidence.mapping:
        return "curve_id" in evidence.mapping
    return load(file, importer=evidence.importer).schema == CURVES
