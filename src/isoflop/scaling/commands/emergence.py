"""``isoflop scaling emergence``, ``returns`` and ``power``: thresholds, diminishing returns, study plans."""

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

PREFERRED = ("study_points",)
TRIALS = "10,20,50,100"
TRIALS_HELP = "Numbers of trials tried where a paper prints none."
DRAWS = 19_999
CURVATURE_DRAWS = 999


def _whole_numbers(text: str, option: str) -> tuple[int, ...]:
    from isoflop.present.parse import numbers

    return numbers(text, option)


@click.command(cls=Verb, short_help="Does success jump at a threshold, or does it only look so?")
@evidence_options
@click.option("--trials", metavar="N,N…", default=TRIALS, show_default=True, help=TRIALS_HELP)
@click.option(
    "--draws",
    type=Number(int, DRAWS),
    default=DRAWS,
    show_default=True,
    help="Most bootstrap draws a study; plain cases stop sooner.",
)
@click.option(
    "--false-discovery",
    type=Number(float, 0.05),
    default=0.05,
    show_default=True,
    help="Share of false thresholds accepted among those named.",
)
@click.option(
    "--stages",
    metavar="[STUDY=]K",
    multiple=True,
    help="Serial stages of a task that must all succeed, for all studies or one. May be repeated.",
)
@click.option(
    "--view",
    type=Word(["resource", "loss"]),
    default="resource",
    show_default=True,
    help="Set success against the resource, or against the loss of the same models.",
)
@seed_option
@figure_option
@json_option
def emergence(
    evidence: EvidenceChoice,
    trials: str,
    draws: int,
    false_discovery: float,
    stages: tuple[str, ...],
    view: str,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Test every study for one threshold against smooth laws.

    FILE holds study points; default: the embedded ones. Zeros that few trials explain, and thresholds that a
    linear metric or serial stages explain, get a verdict of their own.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.image import draw
    from isoflop.present.pages import page
    from isoflop.scaling.breaks.null import Null
    from isoflop.scaling.chapter.emergence import (
        STUDY_COLUMNS,
        VERDICT_COLUMNS,
        emergence_figures,
        study_rows,
        verdict_rows,
    )
    from isoflop.scaling.emergence.find import emergence as judge_studies

    tried, counted = _whole_numbers(trials, "--trials"), _stages(stages)
    null = Null(reps=draws, seed=seed)
    table = read_table(evidence, "study_points", PREFERRED)
    with progress_bars() as report:
        found = judge_studies(
            table,
            trials=tried,
            null=null,
            false_discovery=false_discovery,
            stages=counted,
            view=view,  # type: ignore[arg-type]
            progress=report,
        )
    rows = found.rows()
    document = Document(
        findings=found.findings(),
        tables={
            "studies": rows,
            "verdicts": [{**row, "share": row["share"].value} for row in verdict_rows(found)],
            "numbers": found.numbers_frame().to_dicts(),
            "left_out": [{"study": study, "reason": why} for study, why in found.sample.left_out.items()],
            "evidence": evidence_rows(table),
        },
    )
    if figure is not None:
        draw(figure, emergence_figures(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{table.name}: {found.n} studies of {found.sample.papers} papers tested",
            document.findings,
            (),
            ("Verdicts", VERDICT_COLUMNS, verdict_rows(found)),
            ("Studies in which a threshold does best", STUDY_COLUMNS[:-1], study_rows(found)),
        ),
    )


@click.command(cls=Verb, short_help="Diminishing returns: curvature, cost and target, kept apart.")
@evidence_options
@click.option(
    "--target", type=Number(float, 0.9), default=0.9, show_default=True, help="Success asked for, in (0, 1)."
)
@click.option(
    "--reach",
    type=Number(float, 10),
    default=10.0,
    show_default=True,
    help="Multiple of a study's largest amount that counts as within reach.",
)
@click.option(
    "--cost",
    metavar="COLUMN|UNIT=PRICE",
    multiple=True,
    help="Column with the cost of each point, or the price of one unit. Prices may be repeated.",
)
@click.option("--trials", metavar="N,N…", default=TRIALS, show_default=True, help=TRIALS_HELP)
@click.option(
    "--draws",
    type=Number(int, CURVATURE_DRAWS),
    default=CURVATURE_DRAWS,
    show_default=True,
    help="Most bootstrap draws a study of the test of curvature.",
)
@seed_option
@figure_option
@json_option
def returns(
    evidence: EvidenceChoice,
    target: float,
    reach: float,
    cost: tuple[str, ...],
    trials: str,
    draws: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Label every study by curvature, by success bought per unit of cost, and by distance to a target."""
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.image import draw
    from isoflop.present.pages import page
    from isoflop.scaling.breaks.null import Null
    from isoflop.scaling.chapter.emergence import LABEL_COLUMNS, label_rows, returns_figures
    from isoflop.scaling.returns.find import returns as label_studies

    tried, prices = _whole_numbers(trials, "--trials"), _cost(cost)
    null = Null(reps=draws, seed=seed)
    table = read_table(evidence, "study_points", PREFERRED)
    with progress_bars() as report:
        found = label_studies(
            table, target=target, reach=reach, cost=prices, trials=tried, null=null, progress=report
        )
    labels = label_rows(found)
    document = Document(
        findings=found.findings(),
        tables={
            "studies": found.rows(),
            "labels": [{**row, "share": row["share"].value} for row in labels],
            "left_out": [{"study": study, "reason": why} for study, why in found.sample.left_out.items()],
            "evidence": evidence_rows(table),
        },
    )
    if figure is not None:
        draw(figure, returns_figures(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{table.name}: {found.n} studies of {found.sample.papers} papers",
            document.findings,
            (),
            ("Labels", LABEL_COLUMNS, labels),
        ),
    )


@click.command(cls=Verb, short_help="How many points and trials does a scaling study need?")
@click.option("--points", type=Number(int, 4), default=4, show_default=True, help="Amounts of the resource.")
@click.option("--trials", type=Number(int, 50), default=50, show_default=True, help="Trials at each amount.")
@click.option(
    "--range", "resource_range", type=Number(float, 10), default=10.0, show_default=True,
    help="Largest amount over the smallest.",
)  # fmt: skip
@click.option(
    "--base-error",
    type=Number(float, 0.6),
    default=0.6,
    show_default=True,
    help="Error at the smallest amount.",
)
@click.option(
    "--alpha",
    type=Number(float, 0.25),
    default=0.25,
    show_default=True,
    help="Exponent to be measured, positive where error falls.",
)
@click.option(
    "--target-se", type=Number(float, 0.05), help="Standard error wanted.  [default: a quarter of --alpha]"
)
@click.option(
    "--power", "wanted_power", type=Number(float, 0.8), default=0.8, show_default=True,
    help="Probability of finding the exponent.",
)  # fmt: skip
@click.option("--level", type=Number(float, 0.95), default=0.95, show_default=True, help="Level of the test.")
@click.option(
    "--seeds", type=Number(int, 3), default=1, show_default=True, help="Training runs at each amount."
)
@click.option(
    "--seed-spread",
    type=Number(float, 0.2),
    default=0.0,
    show_default=True,
    help="Standard deviation of ln error between training runs.",
)
@click.option(
    "--draws", type=Number(int, 2000), default=2000, show_default=True, help="Simulated studies of the check."
)
@seed_option
@figure_option
@json_option
def power(
    points: int,
    trials: int,
    resource_range: float,
    base_error: float,
    alpha: float,
    target_se: float | None,
    wanted_power: float,
    level: float,
    seeds: int,
    seed_spread: float,
    draws: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Plan a scaling study: the smallest exponent it can find, and what finer answers take.

    Needs no data: Fisher information of binomial errors, checked by simulation.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.image import draw
    from isoflop.present.pages import page
    from isoflop.scaling.chapter.emergence import POWER_COLUMNS, power_figures
    from isoflop.scaling.power.find import StudyPlan
    from isoflop.scaling.power.find import power as plan_study

    plan = StudyPlan(
        points=points,
        trials=trials,
        resource_range=resource_range,
        base_error=base_error,
        seeds=seeds,
        seed_spread=seed_spread,
    )
    found = plan_study(
        plan,
        alpha=alpha,
        target_se=target_se,
        wanted_power=wanted_power,
        level=level,
        draws=draws,
        seed=seed,
    )
    document = Document(findings=found.findings(), tables={"map": found.rows()})
    if figure is not None:
        draw(figure, power_figures(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            document.findings,
            (),
            ("Smallest exponent by points and trials", POWER_COLUMNS, found.rows()),
        ),
    )


def _stages(words: tuple[str, ...]) -> int | dict[str, int] | None:
    """Return a number for all studies, a number for each named one, or None."""
    if not words:
        return None
    named: dict[str, int] = {}
    for word in words:
        study, sign, count = word.rpartition("=")
        if not count.strip().isdecimal():
            raise SettingError(f"--stages: {word!r}, must be K or STUDY=K. Write 4, or rt1/3=4, say.")
        if not sign:
            if len(words) > 1:
                raise SettingError(
                    f"--stages: {word!r} for all studies beside others, needs one kind. Drop one."
                )
            return int(count)
        named[study.strip()] = int(count)
    return named


def _cost(words: tuple[str, ...]) -> str | dict[str, float] | None:
    """Return a column, prices by unit, or None."""
    if not words:
        return None
    if all("=" not in word for word in words):
        if len(words) > 1:
            raise SettingError(f"--cost: {len(words)} columns, needs one. Name the column of total costs.")
        return words[0]
    prices: dict[str, float] = {}
    for word in words:
        unit, _, price = word.partition("=")
        try:
            prices[unit.strip()] = float(price)
        except ValueError:
            raise SettingError(
                f"--cost: {word!r}, must be UNIT=PRICE or one column. Write demonstrations=2.5, say."
            ) from None
    return prices
