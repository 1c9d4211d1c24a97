"""``isoflop scaling forecast``: where does a learning curve go next?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.present.options import (
    EvidenceChoice,
    Verb,
    evidence_options,
    figure_option,
    json_option,
    seed_option,
)
from isoflop.present.parse import Number, decimals

if TYPE_CHECKING:
    from isoflop.evidence import Table

SHOWN = 12
PREFERRED = ("learning_curves_image", "learning_curves_language")


@click.command(cls=Verb, short_help="Where learning curves go next, with checked bands.")
@evidence_options
@click.option(
    "--laws",
    metavar="LIST",
    help="Laws of one resource to stack, e.g. power_floor,m4; the last value always joins them.  "
    "[default: power,power_floor,m3,m4,bnsl_1,sigmoid,shifted_power]",
)
@click.option("--at", metavar="X,…", help="Where to forecast, in the unit of x.  [default: a factor two on]")
@click.option(
    "--cut",
    type=Number(float, 0.3),
    metavar="SHARE",
    help="Fit up to this share of the largest x and forecast the rest, whatever is_fit says.",
)
@click.option(
    "--level", type=Number(float, 0.8), default=0.8, show_default=True, metavar="LEVEL", help="Of the bands."
)
@seed_option
@figure_option
@json_option
def forecast(
    evidence: EvidenceChoice,
    laws: str | None,
    at: str | None,
    cut: float | None,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Forecast learning curves beyond their fitted part, and score what is known.

    FILE holds one row per point: curve_id, x, outcome, is_fit (0: to be forecast). Every law is shown
    beside the last value; weights come from earlier cuts of the fitted parts alone.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.scaling.forecast.find import forecast as forecast_curves
    from isoflop.scaling.forecast.settings import DEFAULT_LAWS

    table, cut = _curves(evidence, cut)
    with progress_bars() as bars:
        found = forecast_curves(
            table,
            laws=DEFAULT_LAWS if laws is None else [name.strip() for name in laws.split(",")],
            at=() if at is None else decimals(at, "--at"),
            cut=cut,
            level=level,
            seed=seed,
            progress=bars,
        )
    findings, tables = found.findings(), found.tables()
    document = Document(findings=findings, tables={**tables, "evidence": evidence_rows(table)})
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.scaling.chapter.forecast import figures_of

        draw(figure, figures_of(found))

    def text() -> str:
        from isoflop.present.chapter import Column
        from isoflop.scaling.chapter.forecast import SCORE_COLUMNS

        next_columns = (
            Column(name="curve_id", label="curve"),
            Column(name="x", label="x", format="number"),
            Column(name="value", label="forecast", format="number"),
            Column(name="low", label="from", format="number"),
            Column(name="high", label="to", format="number"),
            Column(name="last_value", label="last value", format="number"),
            Column(name="observed", label="what came", format="number"),
        )
        by_domain = tables["rmsle_by_domain"]
        several = len({row["domain"] for row in by_domain}) > 1
        rows = tables["forecasts"]
        return page(
            f"{table.name}: {len(found.curves)} curves, {len(found.scored)} with a part to forecast",
            findings,
            (),
            ("Error beyond the fitted part, by law", SCORE_COLUMNS, tables["rmsle_by_law"]),
            (
                "The same by domain",
                (Column(name="domain", label="domain"), *SCORE_COLUMNS),
                [row for row in by_domain if row["law"] in ("last_value", "stack")] if several else [],
            ),
            (f"Forecasts ({min(SHOWN, len(rows))} of {len(rows)})", next_columns, rows[:SHOWN]),
        )

    emit(document, as_json=as_json, text=text)


def _curves(evidence: EvidenceChoice, cut: float | None) -> tuple[Table, float | None]:
    """Return the curves and their cut; without FILE and public curves, those that the runs at hand make."""
    from isoflop.evidence import locate
    from isoflop.present.console import say
    from isoflop.present.evidence import read_table
    from isoflop.scaling.forecast.from_runs import CUT, curves_of_runs

    here = () if evidence.file else locate(evidence.location).available()
    if evidence.file or any(name in here for name in PREFERRED):
        return read_table(evidence, "learning_curves", PREFERRED), cut
    curves = curves_of_runs(read_table(evidence, "scaling_runs", ("scaling_runs",)))
    cut = CUT if cut is None else cut
    say(f"curves: loss against tokens of each size, fitted up to {cut:g} of the largest.")
    return curves, cut
