"""``isoflop progress compare``: which law predicts rows it has not seen?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.present.options import figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word, decimals, numbers
from isoflop.progress.commands.options import SampleChoice, sample_options, verb

if TYPE_CHECKING:
    from isoflop.progress.robustness.comparison import Scheme

SCHEMES = ("loo", "paper", "benchmark", "time")
SHOWN = 20


@verb("Rank laws and penalties by the rows they have not seen.")
@sample_options
@click.option("--laws", metavar="LIST", default="1-20", show_default=True, help="Laws, e.g. 1-20 or 7,10,18.")
@click.option(
    "--penalties",
    metavar="LIST",
    help="Values of delta, e.g. 0,0.0025.  [default: 0,0.001,0.0025,0.005,0.01,0.02]",
)
@click.option(
    "--scheme",
    type=Word(SCHEMES),
    default="loo",
    show_default=True,
    help="Leave one row, paper or benchmark out, or predict later years.",
)
@click.option(
    "--holdout",
    type=Number(float, 0.2),
    metavar="SHARE",
    help="Share of rows never used for choosing (loo only).  [default: 0.2]",
)
@click.option("--years", metavar="LIST", help="Last training years (time only).  [default: 2016,…,2021]")
@click.option(
    "--starts", type=Number(int, 24), default=24, show_default=True, help="Random starts beside zero."
)
@click.option(
    "--compat",
    type=Word(["converged", "paper"]),
    default="converged",
    show_default=True,
    help="Certified optimum in every fold, or the published procedure (minutes to an hour).",
)
@seed_option
@figure_option
@json_option
def compare(
    sample: SampleChoice,
    laws: str,
    penalties: str | None,
    scheme: str,
    holdout: float | None,
    years: str | None,
    starts: int,
    compat: str,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Rank laws and penalties by their error on rows they have not seen.

    By default the published scheme: a fifth of the rows set aside, leave one out on the rest.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import cautions_text, page
    from isoflop.progress.commands.evidence import read_sample
    from isoflop.progress.robustness.compare import compare as compare_laws
    from isoflop.progress.settings import PENALTIES, Starts

    chosen_laws = numbers(laws, "--laws")
    deltas = PENALTIES if penalties is None else decimals(penalties, "--penalties")
    kind = _scheme(scheme, holdout, years)
    rows = read_sample(sample, compat=compat)
    with progress_bars() as bars:
        found = compare_laws(
            rows,
            laws=chosen_laws,
            penalties=deltas,
            scheme=kind,
            starts=Starts(count=starts, seed=seed),
            compat=compat,  # type: ignore[arg-type]
            progress=bars,
        )
    ranking = found.frame().to_dicts()
    stacking = [
        {"law": law, "delta": delta, "weight": weight}
        for (law, delta), weight in sorted(found.stacking().items(), key=lambda item: -item[1])
        if weight > 0
    ]
    document = Document(
        tables={
            "comparison": ranking,
            "stacking": stacking,
            "cautions": [{"caution": caution} for caution in found.cautions],
            "waterfall": rows.waterfall(),
            "evidence": evidence_rows(rows.table),
        }
    )
    columns = (
        Column(name="law", label="law", format="count"),
        Column(name="delta", label="delta", format="text", align="right"),
        Column(name="mse", label="error (MSE)", format="fine"),
        Column(name="r2", label="R²", format="number"),
        Column(name="above_best", label="above best", format="number"),
        Column(name="above_best_se", label="its se", format="number"),
        Column(name="validation_mse", label="on rows set aside", format="number"),
        Column(name="folds_switched", label="folds that switch", format="count"),
        Column(name="halving_time_months", label="months", format="number"),
    )

    def text() -> str:
        best = found.best
        lead = (
            f"{rows.table.name}: {len(found.candidates)} candidates, {len(best.fold_objectives)} folds, "
            f"{len(found.tested)} predictions\nbest: law {best.law}, delta {best.delta:g}"
        )
        shown = page(
            lead,
            (),
            (),
            (f"Lowest error first ({min(SHOWN, len(ranking))} of {len(ranking)})", columns, ranking[:SHOWN]),
            (
                "Weights of the mixture that predicts best",
                (
                    Column(name="law", label="law", format="count"),
                    Column(name="delta", label="delta", format="text", align="right"),
                    Column(name="weight", label="weight", format="percent"),
                ),
                stacking,
            ),
        )
        return f"{shown}\n\n{cautions_text(found.cautions)}"

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import compared

        draw(figure, compared(found))
    emit(document, as_json=as_json, text=text)


def _scheme(name: str, holdout: float | None, years: str | None) -> Scheme:
    from isoflop.progress.robustness.comparison import SCHEMES as KNOWN
    from isoflop.progress.robustness.comparison import LeaveOneOut, TimeOrdered

    scheme = KNOWN[name]
    for option, given, wants in (("--holdout", holdout, LeaveOneOut), ("--years", years, TimeOrdered)):
        if given is not None and not isinstance(scheme, wants):
            needs = next(key for key, value in KNOWN.items() if isinstance(value, wants))
            raise SettingError(
                f"{option}: {given}, but --scheme {name} does not use it. Use --scheme {needs}, or drop it."
            )
    if isinstance(scheme, LeaveOneOut) and holdout is not None:
        return replace(scheme, holdout=holdout)
    if isinstance(scheme, TimeOrdered) and years is not None:
        return replace(scheme, years=decimals(years, "--years"))
    return scheme
