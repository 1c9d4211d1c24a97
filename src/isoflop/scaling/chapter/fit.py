"""The law of one's own runs: what was fitted, how sure it is the optimum, what the residuals say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import runs as pictures

if TYPE_CHECKING:
    from isoflop.scaling.frontier.result import Frontier
    from isoflop.scaling.result import LawFit


def law_section(fitted: LawFit, found: Frontier | None = None) -> Section:
    """Return the section on a fitted law: parameters, certificate, residuals and the objective's width.

    Parameters
    ----------
    found : Frontier, optional
        Draws the least loss along compute beside the runs.
    """
    runs, seen = fitted.runs, fitted.certificate
    parameters = Table(
        id="law-parameters",
        title="Parameters",
        columns=(
            Column(name="parameter", label="parameter"),
            Column(name="value", label="value", format="number"),
            Column(name="low", label="low", format="number"),
            Column(name="high", label="high", format="number"),
            Column(name="se", label="standard error", format="number"),
            Column(name="meaning", label="meaning"),
        ),
        rows=tuple(fitted.rows()),
        note=interval_words(fitted),
    )
    moved = max(
        (
            (abs(row["ratio"] - 1.0), row["parameter"], row["delta"])
            for row in pictures.delta_data(fitted).iter_rows(named=True)
        ),
        default=(0.0, "", 0.0),
    )
    figures = [
        Figure(
            id="residuals",
            title="What the law leaves over, against each input",
            subtitle="ln observed − ln predicted; a trend would say that the law is wrong there",
            frame=pictures.residuals_data(fitted),
            chart=lambda: pictures.residuals(fitted),
            alt="Four panels of residuals against parameters, tokens, compute and their ratio.",
            source=runs.table.name,
            n=fitted.n,
            interval="Residuals have no interval",
        ),
        Figure(
            id="delta",
            title=f"Other widths of the loss move {moved[1]} by up to {formats.percent(moved[0])}",
            subtitle="Each parameter over its value at the chosen width, by delta of the Huber loss",
            frame=pictures.delta_data(fitted),
            chart=lambda: pictures.delta(fitted),
            alt=f"{moved[1]} moves most, at delta {moved[2]:g}.",
            source=runs.table.name,
            n=fitted.n,
            interval="Refits; no interval",
        ),
    ]
    if found is not None:
        figures.insert(0, loss_figure(fitted, found))
    rival = (
        f" The next distinct minimum has objective {seen.next_objective:.6g}."
        if seen.next_objective is not None
        else " No other minimum was found."
    )
    return Section(
        id="law",
        title=f"The law: {fitted.law.formula}",
        prose=(
            f"{fitted.n} runs of `{runs.table.name}`. Objective {seen.objective:.9g} (sum over runs), "
            f"{'certified' if seen.certified else 'not certified'} with residual {seen.kkt:.1e}; "
            f"{formats.percent(seen.share_at_best)} of {seen.polished} polished starts ended there.{rival}",
            "{table:law-parameters}",
        ),
        figures=tuple(figures),
        tables=(parameters,),
        cautions=fitted.cautions,
    )


def loss_figure(fitted: LawFit, found: Frontier) -> Figure:
    """Return the picture of losses against compute with the least loss."""
    floor = fitted.parameters.get("E")
    low = "" if floor is None or floor.value is None else f", towards {floor.value:.3g}"
    return Figure(
        id="loss",
        title=f"Loss falls with compute{low}",
        subtitle="Loss of each run by training compute; the line is the least loss under the law, dashed "
        "beyond the runs",
        frame=pictures.loss_data(fitted, found),
        chart=lambda: pictures.loss(fitted, found),
        alt="Losses of all runs above a falling curve of the least loss for a budget.",
        source=fitted.runs.table.name,
        n=fitted.n,
        interval=interval_words(fitted),
    )


def interval_words(fitted: LawFit) -> str:
    """Return how intervals of a fit were made."""
    if fitted.ci is None:
        return "No draws were made, so there is no interval"
    unit = "runs" if fitted.ci.by == "row" else f"clusters of {fitted.ci.by}"
    return f"{formats.percent(fitted.ci.level)} intervals over {fitted.ci.reps:,} draws of {unit}"
