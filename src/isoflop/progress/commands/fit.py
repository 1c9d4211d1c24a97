"""``isoflop progress fit``, ``waterfall`` and ``laws``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.present.options import Verb, figure_option, json_option
from isoflop.progress.commands.options import (
    IntervalChoice,
    LawChoice,
    SampleChoice,
    default_law,
    interval_options,
    law_options,
    sample_options,
    verb,
)

if TYPE_CHECKING:
    from isoflop.progress.baselines import Baselines
    from isoflop.progress.result import ProgressFit
    from isoflop.progress.sample import Sample


@verb("The rate of progress, the halving time and every minimum.")
@sample_options
@law_options
@interval_options()
@figure_option
@json_option
def fit(
    sample: SampleChoice, law: LawChoice, interval: IntervalChoice, figure: Path | None, as_json: bool
) -> None:
    """Fit a law: the rate of progress, the halving time and every minimum.

    Without FILE the best evidence at hand is used. --compat paper repeats the published analysis.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.progress.claims import judge
    from isoflop.progress.fit_findings import minima_rows

    chosen, fitted = fit_sample(sample, law, interval)
    beside = _baselines(fitted)
    findings = (*fitted.findings(), *beside.findings())
    # Only claims that these findings can judge: the others need other verbs.
    claims = tuple(claim for claim in judge(findings) if claim.verdict != "needs_evidence")
    minima = minima_rows(fitted)
    parameters = fitted.frame().to_dicts()
    document = Document(
        findings=findings,
        claims=claims,
        tables={
            "minima": minima,
            "parameters": parameters,
            "waterfall": chosen.waterfall(),
            "evidence": evidence_rows(chosen.table, beside.table),
        },
    )

    def text() -> str:
        stopped = law.compat == "paper"
        return page(
            f"{chosen.table.name}: {chosen.n} rows of {chosen.papers} papers on "
            f"{', '.join(chosen.benchmarks)}\n{fitted.method}",
            findings,
            claims,
            (
                "Where the published procedure stopped" if stopped else "Certified minima, best first",
                (
                    Column(name="halving_time_months", label="halving time (months)", format="number"),
                    Column(name="objective", label="objective", format="fine"),
                    Column(name="kkt", label="residual", format="number"),
                    Column(name="share_of_starts", label="of starts", format="percent"),
                    Column(name="share_of_draws", label="of draws", format="percent"),
                ),
                minima,
            ),
            (
                "Parameters",
                (
                    Column(name="parameter", label="parameter"),
                    *(Column(name=name, label=name, format="number") for name in ("value", "low", "high")),
                ),
                parameters,
            ),
        )

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.chapter.fit import timeline_section

        draw(figure, timeline_section(beside).figures)
    emit(document, as_json=as_json, text=text)


def fit_sample(sample: SampleChoice, law: LawChoice, interval: IntervalChoice) -> tuple[Sample, ProgressFit]:
    """Return the chosen rows and the fitted law, with bars while it runs."""
    from isoflop.present.console import progress_bars, say
    from isoflop.progress.commands.evidence import read_sample
    from isoflop.progress.fit import fit as fit_law

    ci = interval.setting(compat=law.compat)
    penalty, starts, options = law.penalty(), law.random_starts(interval.seed), law.options()
    chosen = read_sample(sample, compat=law.compat)
    number = default_law(law.law, chosen.task)
    if law.law is None and chosen.task != "language":
        say(f"law: {number}, because images have one benchmark. Choose another with --law.")
    with progress_bars() as bars:
        fitted = fit_law(
            chosen,
            law=number,
            penalty=penalty,
            starts=starts,
            options=options,
            ci=ci,
            compat=law.compat,  # type: ignore[arg-type]
            progress=bars,
        )
    return chosen, fitted


def _baselines(fitted: ProgressFit) -> Baselines:
    from isoflop.evidence.embedded import embedded
    from isoflop.progress.baselines import baselines

    return baselines(fitted, embedded("hardware_facts"))


@verb("Which rows were kept and dropped, rule by rule.")
@sample_options
@figure_option
@json_option
def waterfall(sample: SampleChoice, figure: Path | None, as_json: bool) -> None:
    """Show which rows were kept and dropped, rule by rule."""
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import WATERFALL, cautions_text, page
    from isoflop.progress.commands.evidence import read_sample

    chosen = read_sample(sample)
    steps = chosen.waterfall()
    document = Document(tables={"waterfall": steps, "evidence": evidence_rows(chosen.table)})

    def text() -> str:
        lead = f"{chosen.table.name}: {chosen.n} rows of {chosen.papers} papers on " + ", ".join(
            chosen.benchmarks
        )
        shown = page(lead, (), (), ("Rows", WATERFALL, steps))
        return f"{shown}\n\n{cautions_text(chosen.cautions)}"

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.chapter.fit import data_section

        draw(figure, data_section(chosen).figures)
    emit(document, as_json=as_json, text=text)


@click.command(cls=Verb)
@json_option
def laws(as_json: bool) -> None:
    """List the laws with their number of parameters."""
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, table_text
    from isoflop.progress.model import LAWS, Normalisers, model
    from isoflop.progress.sample import PAPER_BENCHMARKS

    one = Normalisers(parameters=1.0, data=1.0, year=2000.0, compute=1.0)
    rows = [
        {
            "law": number,
            "parameters": len(model(number, benchmarks=PAPER_BENCHMARKS, normalisers=one).names),
            "text": law.text,
        }
        for number, law in LAWS.items()
    ]
    columns = (
        Column(name="law", label="law", format="count"),
        Column(name="parameters", label="parameters", format="count"),
        Column(name="text", label="what it assumes"),
    )
    emit(
        Document(tables={"laws": rows}),
        as_json=as_json,
        text=lambda: (
            table_text(columns, rows) + f"\n\nParameters are counted on {', '.join(PAPER_BENCHMARKS)}."
        ),
    )
