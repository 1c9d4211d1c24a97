"""``isoflop outlook``: what the five say together, from findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.outlook.model import DOUBLING, GAIN, GAP, MOST_DECADES, RATE, SLOWDOWN
from isoflop.present.options import Command, Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.outlook.study import Study

UTILIZATION = 0.35
HEADINGS: Mapping[str, Sequence[str]] = {
    "Budget": (
        "budget", "target", "usd_per_flop", "usd_per_hour", "flop_per_second", "utilization", "decades",
    ),
    "Assumptions": ("diffusion", "rate", "doubling", "gap", "slowdown", "gain", "correlation"),
}  # fmt: skip


def _id(name: str, default: str, words: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}", metavar="ID", default=default, show_default=True, help=words)


@click.command(cls=Verb, headings=HEADINGS)
@click.argument("files", metavar="[FINDINGS.json]...", nargs=-1)
@click.option("--budget", metavar="FLOP|USD", help="What can be spent: 1e24, 1e24FLOP or 2e6USD.  "
              "[default: 10 and 100 times the largest run of the law]")  # fmt: skip
@click.option("--target", metavar="KIND=AMOUNT",
              help="What is to be reached: loss=2.1, flop=1e26, params=1e12 or tokens=1e13.")  # fmt: skip
@click.option("--usd-per-flop", type=Number(float, 3e-18), metavar="USD", help="Price of a FLOP of training.")
@click.option(
    "--usd-per-hour", type=Number(float, 2.5), metavar="USD", help="Price of a chip's hour instead."
)
@click.option("--flop-per-second", type=Number(float, 1e15), metavar="FLOP/S", help="That chip's peak speed.")
@click.option("--utilization", type=Number(float, UTILIZATION), default=UTILIZATION, show_default=True,
              metavar="SHARE", help="Part of the peak that training reaches.")  # fmt: skip
@click.option("--decades", type=Number(float, MOST_DECADES), default=MOST_DECADES, show_default=True,
              metavar="D", help="Decades beyond the runs from which the law is not asked.")  # fmt: skip
@click.option("--diffusion", type=Number(float, 1.0), default=1.0, show_default=True, metavar="SHARE",
              help="Share of algorithmic progress that reaches academia without delay.")  # fmt: skip
@_id("rate", RATE, "Finding of algorithmic progress: a rate, or a halving time.")
@_id("doubling", DOUBLING, "Finding of the doubling time of compute.")
@_id("gap", GAP, "Finding of the gap between sectors.")
@_id("slowdown", SLOWDOWN, "Finding of the slow-down of a move.")
@_id("gain", GAIN, "Finding of the gain by routing.")
@click.option("--correlation", "correlations", metavar="ID,ID=RHO", multiple=True,
              help="Two findings that hang together. May be repeated.  [default: independent]")  # fmt: skip
@click.option("--draws", type=Number(int, 8192), default=8192, show_default=True, metavar="N",
              help="Joint draws.")  # fmt: skip
@click.option(
    "--evidence", metavar="DIR|embedded", help="Without a file: evidence to run the instruments on."
)
@click.option("--quick", is_flag=True, help="Fewer draws.")
@seed_option
@figure_option
@json_option
def outlook(
    files: tuple[str, ...],
    budget: str | None,
    target: str | None,
    usd_per_flop: float | None,
    usd_per_hour: float | None,
    flop_per_second: float | None,
    utilization: float,
    decades: float,
    diffusion: float,
    rate: str,
    doubling: str,
    gap: str,
    slowdown: str,
    gain: str,
    correlations: tuple[str, ...],
    draws: int,
    evidence: str | None,
    quick: bool,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say what the findings of the five give together: lag, months, and what a budget reaches.

    FINDINGS.json is a report's, or what any command prints with --json; of an id that several hold the last
    counts. Without a file all five instruments are run, which takes about a minute.
    """
    from isoflop.findings import Document
    from isoflop.outlook.budget import Budget, Target
    from isoflop.outlook.model import Assumptions
    from isoflop.outlook.study import study
    from isoflop.present.console import emit

    assumptions = Assumptions(
        diffusion=diffusion,
        rate=rate,
        doubling=doubling,
        gap=gap,
        slowdown=slowdown,
        gain=gain,
        usd_per_flop=_price(usd_per_flop, usd_per_hour, flop_per_second, utilization),
        most_decades=decades,
        correlation=dict(map(_correlation, correlations)),
        draws=draws,
        seed=seed,
    )
    asked = Budget.parse(budget) if budget is not None else None
    goal = Target.parse(target) if target is not None else None
    if asked is not None:
        asked.flop(assumptions.usd_per_flop)  # refused before a minute's work
    findings = _read(files, evidence, assumptions.ids) if files else _made(evidence, quick=quick, seed=seed)
    found = study(findings, assumptions=assumptions, budget=asked, target=goal, quick=quick)
    if figure is not None:
        from isoflop.outlook.chapter import chapter_of
        from isoflop.present.image import draw

        draw(figure, chapter_of(found).figures)
    tables = {f"outlook.{name}": rows for name, rows in found.tables().items()}
    emit(Document(findings=found.findings(), tables=tables), as_json=as_json, text=lambda: _text(found))


def _read(files: tuple[str, ...], evidence: str | None, joined: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return the findings of all files; of an id that several hold, the last file's.

    It is said of those that are joined.
    """
    from isoflop.findings import Document
    from isoflop.present.console import say

    if evidence is not None:
        raise SettingError(
            "--evidence: given with a file of findings, which stands on its own. Drop one of them."
        )
    known: dict[str, Finding] = {}
    for file in files:
        for finding in Document.read(file).findings:
            if finding.id in joined and known.get(finding.id, finding) != finding:
                say(f"{finding.id}: taken from {file}, in place of an earlier file's.")
            known[finding.id] = finding
    return tuple(known.values())


def _made(evidence: str | None, *, quick: bool, seed: int) -> tuple[Finding, ...]:
    """Return the findings of all five instruments on the evidence."""
    from isoflop.evidence.location import locate
    from isoflop.present.console import progress_bars, say
    from isoflop.report.build import build

    say(
        "No FINDINGS.json: running the five instruments, about a minute. After isoflop report, "
        "isoflop outlook report/findings.json answers at once."
    )
    with progress_bars() as bars:
        made = build(locate(evidence), quick=quick, seed=seed, workers=os.cpu_count() or 1, progress=bars)
    return tuple(f for chapter in made.chapters for f in chapter.findings if f.instrument != "outlook")


def _price(
    usd_per_flop: float | None, usd_per_hour: float | None, flop_per_second: float | None, utilization: float
) -> float | None:
    from isoflop.outlook.budget import usd_per_flop as price_of

    if usd_per_hour is None and flop_per_second is None:
        return usd_per_flop
    if usd_per_flop is not None:
        raise SettingError(
            "--usd-per-flop: given with the price of an hour, needs one price. Drop one of them."
        )
    if usd_per_hour is None or flop_per_second is None:
        missing = "--usd-per-hour" if usd_per_hour is None else "--flop-per-second"
        raise SettingError(
            f"{missing}: missing, a price needs --usd-per-hour and --flop-per-second together. Give both."
        )
    return price_of(usd_per_hour=usd_per_hour, flop_per_second=flop_per_second, utilization=utilization)


def _correlation(text: str) -> tuple[tuple[str, str], float]:
    pair, sign, rho = text.partition("=")
    names = tuple(name.strip() for name in pair.split(","))
    try:
        value = float(rho)
    except ValueError:
        sign = ""
        value = 0.0
    if not sign or len(names) != 2:
        raise SettingError(f"--correlation: {text!r}, must be ID,ID=RHO. Write {GAP},{DOUBLING}=0.3, say.")
    return (names[0], names[1]), value


def _text(found: Study) -> str:
    """Return the page for a person: answers, what is not identified, cautions by input."""
    from isoflop.outlook.chapter.doubt import input_words
    from isoflop.outlook.result import said
    from isoflop.present.chapter import Column
    from isoflop.present.console import table_text, wrap
    from isoflop.present.pages import cautions_text

    answers = [*found.joined.answers, *(one for _, part in found.reaches for one in part.answers)]
    known = [{"label": one.label, "answer": said(one)} for one in answers if not one.reason]
    columns = (Column(name="label", label="what"), Column(name="answer", label="answer"))
    parts = [table_text(columns, known)] if known else []
    reasons: dict[str, list[str]] = {}
    for one in answers:
        if one.reason:
            reasons.setdefault(said(one), []).append(one.label)
    parts += [
        wrap(f"{reason[0].upper()}{reason[1:]}.") + "".join(f"\n  - {label}" for label in labels)
        for reason, labels in reasons.items()
    ]
    shares = [row | {"input": input_words(found.assumptions)[row["input"]]} for row in found.share_rows()]
    if shares:
        who = (
            Column(name="label", label="uncertainty of"),
            Column(name="input", label="carried by"),
            Column(name="share", label="share", format="percent"),
        )
        parts.append(table_text(who, [row for row in shares if row["share"] >= 0.05]))
    assumed = (
        Column(name="assumption", label="assumed"),
        Column(name="value", label="value"),
        Column(name="option", label="option"),
    )
    parts.append(table_text(assumed, found.assumption_rows()))
    own = dict.fromkeys(caution for one in answers for caution in one.cautions)
    inherited = sum(len(row["cautions"]) for row in found.joined.used_rows())
    parts.append(cautions_text(tuple(own)))
    if inherited:
        parts.append(
            wrap(
                f"The joined findings carry {inherited} cautions of their own: see --json, or their chapters."
            )
        )
    return "\n\n".join(part for part in parts if part)
