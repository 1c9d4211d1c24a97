"""``isoflop progress decompose`` and ``gain``: what a fitted law says about two systems or two dates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.present.options import figure_option, json_option
from isoflop.present.parse import Number, Word, year_of
from isoflop.progress.commands.options import (
    IntervalChoice,
    LawChoice,
    SampleChoice,
    interval_options,
    law_options,
    sample_options,
    verb,
)
from isoflop.progress.halving import months_text
from isoflop.units import parse_quantity

if TYPE_CHECKING:
    from isoflop.stats.exp_sum import Array

POINTS = 25
"""Budgets between the ends of ``--flop LOW:HIGH``, evenly spaced in their logarithm."""
SHOWN = 7


@verb("Shares of compute and algorithms between two systems.")
@click.option(
    "--start",
    default="RNN",
    show_default=True,
    metavar="SYSTEM",
    help="Where progress starts: a name (RNN, LSTM, Transformer, Transformer-XL, GPT-2, Megatron, GPT-3, "
    "Gopher, Chinchilla) or N:D:date, e.g. 70B:1.4T:2022-03-29.",
)
@click.option(
    "--end", default="GPT-3", show_default=True, metavar="SYSTEM", help="Where it ends; written likewise."
)
@click.option(
    "--value",
    type=Word(["loss", "ln_loss", "effective_compute"]),
    default="loss",
    show_default=True,
    help="What is shared out.",
)
@click.option("--benchmark", metavar="NAME", help="Whose constants are used; default: the first.")
@sample_options
@law_options
@interval_options()
@figure_option
@json_option
def decompose(
    start: str,
    end: str,
    value: str,
    benchmark: str | None,
    sample: SampleChoice,
    law: LawChoice,
    interval: IntervalChoice,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Share out the progress between two systems: parameters, data, and algorithms in each.

    Exact Shapley values of the fitted law, at every minimum and over every draw.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.progress.commands.fit import fit_sample
    from isoflop.progress.fit_findings import minima_rows
    from isoflop.progress.gains.decompose import decompose as share_out
    from isoflop.progress.gains.systems import find_system

    first, last = find_system(start, where="--start"), find_system(end, where="--end")
    chosen, fitted = fit_sample(sample, law, interval)
    found = share_out(fitted, first, last, value=value, benchmark=benchmark)  # type: ignore[arg-type]
    shares = found.frame().to_dicts()
    document = Document(
        findings=found.findings(),
        tables={
            "shares": shares,
            "minima": minima_rows(fitted),
            "waterfall": chosen.waterfall(),
            "evidence": evidence_rows(chosen.table),
        },
    )

    def text() -> str:
        columns = (
            Column(name="label", label="of what"),
            Column(name="group", label="group"),
            *(Column(name=name, label=name, format="percent") for name in ("share", "low", "high")),
        )
        best, *others = (
            [row for row in shares if row["minimum"] == k] for k in sorted({r["minimum"] for r in shares})
        )
        told = [""] * len(others)
        if fitted.model.law.has_time:
            told = [f" ({months_text(time)})" for time in fitted.basin_halving_times()]
        return page(
            f"{first.name} to {last.name}\n{found.method}",
            document.findings,
            (),
            ("Shares at the best minimum, with the interval of all draws", columns, best),
            *(
                (f"Minimum {k}{told[k - 1]}, with its own draws", columns, rows)
                for k, rows in enumerate(others, start=1)
                if len(others) > 1
            ),
        )

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import decomposed

        draw(figure, decomposed(found))
    emit(document, as_json=as_json, text=text)


@verb("Compute saved between two dates, as a curve over scale.")
@click.option(
    "--from", "start", default="2012", show_default=True, metavar="DATE", help="Date of the older recipe."
)
@click.option(
    "--to", "end", default="2023", show_default=True, metavar="DATE", help="Date of the newer recipe."
)
@click.option(
    "--flop",
    default="1e19:1e25",
    show_default=True,
    metavar="LOW:HIGH",
    help="Compute of the newer recipe: a range, or numbers separated by commas.",
)
@click.option(
    "--constraint",
    type=Word(["compute_optimal", "fixed_ratio", "fixed_data"]),
    default="compute_optimal",
    show_default=True,
    help="How compute is split between parameters and data.",
)
@click.option("--ratio", type=Number(float, 20.0), help="Tokens per parameter, for fixed_ratio.")
@click.option("--tokens", metavar="D", help="Unique tokens, for fixed_data, e.g. 1.4T.")
@click.option("--benchmark", metavar="NAME", help="Whose constants are used; default: the first.")
@click.option(
    "--older",
    type=Word(["transformer", "other"]),
    default="transformer",
    show_default=True,
    help="Class of the older recipe.",
)
@click.option(
    "--newer",
    type=Word(["transformer", "other"]),
    default="transformer",
    show_default=True,
    help="Class of the newer recipe.",
)
@sample_options
@law_options
@interval_options()
@figure_option
@json_option
def gain(
    start: str,
    end: str,
    flop: str,
    constraint: str,
    ratio: float | None,
    tokens: str | None,
    benchmark: str | None,
    older: str,
    newer: str,
    sample: SampleChoice,
    law: LawChoice,
    interval: IntervalChoice,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say how many times more compute an older recipe needs, at each scale.

    Beside it stands the published step from Kaplan's to Chinchilla's sizing rule at the same budgets.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.progress.commands.fit import fit_sample
    from isoflop.progress.fit_findings import minima_rows
    from isoflop.progress.gains.chinchilla import chinchilla_gain
    from isoflop.progress.gains.gain import gain as saved

    years = year_of(start, "--from"), year_of(end, "--to")
    budgets = budgets_of(flop)
    data = None if tokens is None else parse_quantity(tokens, where="--tokens")
    _check_constraint(constraint, ratio, data)
    chosen, fitted = fit_sample(sample, law, interval)
    found = saved(
        fitted,
        from_year=years[0],
        to_year=years[1],
        train_flop=budgets,
        constraint=constraint,  # type: ignore[arg-type]
        ratio=ratio,
        data=data,
        benchmark=benchmark,
        classes=(older, newer),  # type: ignore[arg-type]
    )
    step = chinchilla_gain(budgets)
    curve, rule = found.frame().to_dicts(), step.frame().to_dicts()
    document = Document(
        findings=(*found.findings(), *step.findings()),
        tables={
            "gain": curve,
            "chinchilla": rule,
            "minima": minima_rows(fitted),
            "waterfall": chosen.waterfall(),
            "evidence": evidence_rows(chosen.table),
        },
    )

    def text() -> str:
        columns = (
            Column(name="train_flop", label="newer recipe's compute", format="flop"),
            Column(name="minimum", label="minimum", format="count"),
            *(Column(name=name, label=name, format="multiple") for name in ("gain", "low", "high")),
            Column(name="decades_beyond", label="decades beyond the data", format="number"),
            Column(name="reason", label="why missing"),
        )
        every = max(1, (len(budgets) - 1) // (SHOWN - 1))
        shown = {float(c) for c in budgets[::every]}
        return page(
            found.method,
            document.findings,
            (),
            (
                f"Compute saved from {years[0]:g} to {years[1]:g}",
                columns,
                [row for row in curve if row["train_flop"] in shown],
            ),
            (
                "Kaplan's to Chinchilla's sizing rule at the same budgets",
                (
                    Column(name="train_flop", label="compute", format="flop"),
                    Column(name="gain", label="gain", format="multiple"),
                ),
                [row for row in rule if row["train_flop"] in shown],
            ),
        )

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import gained

        draw(figure, gained(found))
    emit(document, as_json=as_json, text=text)


def _check_constraint(constraint: str, ratio: float | None, tokens: float | None) -> None:
    needs = {"fixed_ratio": ("--ratio", ratio, "20"), "fixed_data": ("--tokens", tokens, "1.4T")}
    for kind, (option, came, example) in needs.items():
        if constraint == kind and came is None:
            raise SettingError(f"--constraint: {kind}, needs {option}. Write {option} {example}, say.")
        if constraint != kind and came is not None:
            raise SettingError(
                f"{option}: {came:g}, but --constraint {constraint} does not use it. Use {kind}, or drop it."
            )


def budgets_of(text: str) -> Array:
    """Return budgets from ``LOW:HIGH`` or from numbers separated by commas, in rising order.

    Raises
    ------
    SettingError
        A part is no positive number, or the range does not rise.

    Examples
    --------
    >>> budgets_of("1e19,1e20").tolist()
    [1e+19, 1e+20]
    >>> len(budgets_of("1e19:1e25"))
    25
    """
    import numpy as np

    ends = text.split(":")
    if len(ends) == 1:
        return np.unique([parse_quantity(part, where="--flop") for part in text.split(",")])
    if len(ends) != 2:
        raise SettingError(
            f"--flop: {text!r}, needs LOW:HIGH or numbers separated by commas. Write 1e19:1e25."
        )
    low, high = (parse_quantity(part, where="--flop") for part in ends)
    if not low < high:
        raise SettingError(f"--flop: {text!r}, needs a rising range. Write the smaller number first.")
    return np.geomspace(low, high, POINTS)
