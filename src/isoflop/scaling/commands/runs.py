"""``isoflop scaling fit``, ``frontier``, ``influence`` and ``design``: what one's own runs say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import figure_option, json_option
from isoflop.present.parse import Number, Word
from isoflop.scaling.commands.options import (
    DEFAULT_LAW,
    IntervalChoice,
    LawChoice,
    RunsChoice,
    at_flop_option,
    cost_option,
    interval_options,
    law_options,
    parse_cost,
    runs_options,
    verb,
)

if TYPE_CHECKING:
    from isoflop.present.chapter import Column
    from isoflop.scaling.model import Array
    from isoflop.scaling.result import LawFit


@verb("Fit a law to runs: parameters, certificate, optimum.")
@runs_options
@law_options
@interval_options
@at_flop_option("Budget of the optimum.  [default: the largest run, or the preset's]")
@click.option("--starts", type=Word(("law", "reference")), default="law", show_default=True,
              help="Starts read off the data, or the published grid of 4,500.")  # fmt: skip
@figure_option
@json_option
def fit(
    choice: RunsChoice,
    law: LawChoice,
    interval: IntervalChoice,
    at_flop: float | None,
    starts: str,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Fit a law to runs: certified parameters, their intervals, and the optimum they imply.

    Without FILE the best evidence at hand is used. --preset besiroglu2024 repeats a published analysis.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.pages import page
    from isoflop.scaling.frontier.allocation import has_frontier
    from isoflop.scaling.frontier.find import frontier

    fitted = fit_runs(choice, law, interval, starts=starts)
    published = law.published()
    budget = at_flop if at_flop is not None else (published.at_flop if published else None)
    found = frontier(fitted, at_flop=budget) if has_frontier(fitted.law) else None
    findings = (*(() if found is None else found.findings()), *fitted.findings())
    rows = fitted.rows()
    document = Document(
        findings=findings,
        tables={
            "parameters": rows,
            "delta_sensitivity": fitted.delta_sensitivity(),
            "minima": fitted.minima_rows(),
            "waterfall": fitted.runs.waterfall(),
            "evidence": _evidence(fitted),
        },
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.fit import law_section

        draw(figure, law_section(fitted, found).figures)
    emit(
        document,
        as_json=as_json,
        text=lambda: page(_lead(fitted), findings, (), ("Parameters", _parameters(), rows)),
    )


@verb("How parameters and tokens should grow with compute.")
@runs_options
@law_options
@interval_options
@click.option(
    "--approach",
    type=Word(("parametric", "isoflop", "envelope")),
    default="parametric",
    show_default=True,
    help="A fitted law (3), parabolas at fixed budgets (2), or the lower envelope (1).",
)
@cost_option
@at_flop_option("Budget that is answered for.  [default: the largest run, or the preset's]")
@figure_option
@json_option
def frontier(
    choice: RunsChoice,
    law: LawChoice,
    interval: IntervalChoice,
    approach: str,
    cost: str,
    at_flop: float | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say how parameters and tokens should grow with compute, with bands.

    The parametric approach is preferred; the two others are biased on uneven grids, and say by how much.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.scaling.frontier.find import frontier as find_frontier

    published = law.published()
    budget = at_flop if at_flop is not None else (published.at_flop if published else None)
    if approach == "parametric":
        fitted = fit_runs(choice, law, interval)
        found = find_frontier(fitted, cost=parse_cost(cost, fitted.runs), at_flop=budget)
    else:
        if cost != "6nd":
            from isoflop.errors import SettingError

            raise SettingError(
                f"--cost: {cost} with --approach {approach}, which reads cost off the runs. Drop --cost, or "
                "use --approach parametric."
            )
        found = find_frontier(
            choice.runs(published),
            approach=approach,  # type: ignore[arg-type]
            at_flop=budget,
            law=law.name(),
            objective=law.setting(),
            ci=interval.setting(),
        )
    findings, rows = found.findings(), found.rows()
    tables: dict[str, Any] = {"frontier": rows, "waterfall": found.runs.waterfall()}
    if found.replay is not None:
        tables["replay"] = list(found.replay.rows)
    if found.parabolas:
        tables["parabolas"] = found.parabola_rows()
    tables["evidence"] = evidence_rows(found.runs.table)
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.frontier import frontier_figures

        draw(figure, frontier_figures(found))
    columns = (
        Column(name="train_flop", label="compute", unit="FLOP", format="number"),
        Column(name="params", label="parameters", format="number"),
        Column(name="tokens", label="tokens", format="number"),
        Column(name="tokens_per_param", label="tokens per parameter", format="number"),
        Column(name="loss", label="loss", unit="nats", format="fine"),
    )
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            f"{found.runs.table.name}: {found.n} runs\n{found.method}",
            findings,
            (),
            ("Along the frontier", columns, rows[::4]),
        ),
    )


@verb("Which runs carry the conclusion.")
@runs_options
@law_options
@at_flop_option("Budget of optimal tokens per parameter.  [default: the largest run, or the preset's]")
@click.option("--top", type=Number(int, 10), default=10, show_default=True, metavar="K", help="Runs shown.")
@click.option(
    "--flip",
    metavar="QUANTITY=VALUE",
    help="Find the fewest runs whose removal carries a number across a value, e.g. tokens_per_param=20.  "
    "[default: a=0.5]",
)
@figure_option
@json_option
def influence(
    choice: RunsChoice,
    law: LawChoice,
    at_flop: float | None,
    top: int,
    flip: str | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say which runs carry the conclusion: leave one out, drop the highest losses, flip the answer."""
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.scaling.fit import fit as fit_law
    from isoflop.scaling.influence.find import influence as find_influence

    published = law.published()
    runs = choice.runs(published)
    fitted = fit_law(runs, law=law.name(), objective=law.setting())
    budget = at_flop if at_flop is not None else (published.at_flop if published else None)
    with progress_bars() as bars:
        found = find_influence(fitted, at_flop=budget, top=top, flip=_flip(flip), progress=bars)
    findings, rows = found.findings(), found.rows()
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.influence import influence_section

        draw(figure, influence_section(found).figures)
    columns = (
        Column(name="run", label="run"),
        Column(name="outcome", label="loss", unit="nats", format="fine"),
        Column(name="residual", label="residual", unit="ln", format="number"),
        Column(name="leverage", label="leverage", format="number"),
        Column(name=f"shift_{found.main}", label=f"without it, {found.main} moves", format="number"),
    )
    path = (
        Column(name="dropped", label="dropped", format="count"),
        *(Column(name=name, label=name, format="number") for name in found.point),
    )
    emit(
        Document(
            findings=findings,
            tables={
                "influence": rows,
                "drop_highest": list(found.path),
                "evidence": evidence_rows(runs.table),
            },
        ),
        as_json=as_json,
        text=lambda: page(
            _lead(fitted),
            findings,
            (),
            (f"The {top} most influential runs", columns, rows[:top]),
            ("Without the highest losses", path, list(found.path)),
        ),
    )


@verb("Which runs to train next under a budget.")
@runs_options
@law_options
@interval_options
@click.option(
    "--budget-flop",
    type=Number(float, 1e21),
    metavar="FLOP",
    help="What all new runs together may cost.  [default: the largest run at hand]",
)
@click.option(
    "--target",
    type=Word(("loss", "allocation", "parameters")),
    default="loss",
    show_default=True,
    help="What is to become sharper: the least loss at --at-flop, the exponent a, or all parameters.",
)
@at_flop_option("Budget of the target.  [default: ten times the largest run]")
@click.option(
    "--runs", "most", type=Number(int, 12), default=12, show_default=True, metavar="K", help="Most new runs."
)
@click.option("--repeats", type=Number(int, 1), default=1, show_default=True, metavar="K",
              help="Most new runs of one size.")  # fmt: skip
@cost_option
@figure_option
@json_option
def design(
    choice: RunsChoice,
    law: LawChoice,
    interval: IntervalChoice,
    budget_flop: float | None,
    target: str,
    at_flop: float | None,
    most: int,
    repeats: int,
    cost: str,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Choose the next runs: which sizes and tokens sharpen the answer most under a budget."""
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.scaling.design.find import design as find_design

    fitted = fit_runs(choice, law, interval, default=500)
    found = find_design(
        fitted,
        budget_flop=float(fitted.runs.column("train_flop").max()) if budget_flop is None else budget_flop,
        target=target,  # type: ignore[arg-type]
        at_flop=at_flop,
        cost=parse_cost(cost, fitted.runs),
        runs=most,
        repeats=repeats,
    )
    findings, rows = found.findings(), found.rows()
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.design import design_section

        draw(figure, design_section(found).figures)
    columns = (
        Column(name="order", label="run", format="count"),
        Column(name="params", label="parameters", format="number"),
        Column(name="tokens", label="tokens", format="number"),
        Column(name="train_flop", label="compute", unit="FLOP", format="number"),
        Column(name="spent_flop", label="spent", unit="FLOP", format="number"),
        Column(name="sd_after", label="sd of the answer", format="number"),
    )
    emit(
        Document(
            findings=findings,
            tables={"design": rows, "evidence": evidence_rows(fitted.runs.table)},
        ),
        as_json=as_json,
        text=lambda: page(
            f"{_lead(fitted)}\n{found.method}", findings, (), ("Next runs, in order", columns, rows[:20])
        ),
    )


def fit_runs(
    choice: RunsChoice,
    law: LawChoice,
    interval: IntervalChoice,
    *,
    starts: str = "law",
    default: int | None = None,
) -> LawFit:
    """Return the law fitted to the chosen runs, with bars while it runs."""
    from isoflop.present.console import progress_bars
    from isoflop.scaling.commands.options import REPS
    from isoflop.scaling.fit import fit as fit_law

    published = law.published()
    runs = choice.runs(published)
    with progress_bars() as bars:
        return fit_law(
            runs,
            law=law.name(),
            objective=law.setting(),
            starts=_reference(law.name()) if starts == "reference" else None,
            ci=interval.setting(REPS if default is None else default),
            resample=interval.what(published),  # type: ignore[arg-type]
            progress=bars,
        )


def _reference(law: str) -> Array:
    from isoflop.errors import SettingError
    from isoflop.scaling.settings import reference_starts

    if law != DEFAULT_LAW:
        raise SettingError(
            f"--starts: reference with law {law}, is a grid of the law {DEFAULT_LAW}. Drop --starts."
        )
    return reference_starts()


def _flip(text: str | None) -> tuple[str, float] | None:
    from isoflop.errors import SettingError

    if text is None:
        return None
    name, sign, value = (part.strip() for part in text.partition("="))
    try:
        return name, float(value)
    except ValueError:
        raise SettingError(
            f"--flip: {text!r}, needs QUANTITY=VALUE{'' if sign else ' with an equals sign'}. Write a=0.5, "
            "say."
        ) from None


def _lead(fitted: LawFit) -> str:
    return f"{fitted.runs.table.name}: {fitted.n} runs\n{fitted.method}\n{fitted.certificate}"


def _parameters() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="parameter", label="parameter"),
        *(Column(name=name, label=name, format="number") for name in ("value", "low", "high", "se")),
        Column(name="meaning", label="meaning"),
    )


def _evidence(fitted: LawFit) -> list[dict[str, Any]]:
    from isoflop.present.evidence import evidence_rows

    return evidence_rows(fitted.runs.table)
