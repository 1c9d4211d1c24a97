"""``isoflop portability sample``: draw functions to test by how often code calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, figure_option, json_option, seed_option

if TYPE_CHECKING:
    from isoflop.portability.sampling.result import Sample
    from isoflop.present.chapter import Column

SHOWN = 40
"""Functions printed for a person; --json has all."""


@click.command(cls=Verb, short_help="Which functions to test when not all can be?")
@click.argument("usage", metavar="COUNTS")
@click.option(
    "--catalogue",
    metavar="FILE",
    help="Functions that can be tested, a column 'function'; without it, all of COUNTS can.",
)
@click.option("--framework", metavar="NAME", help="Keep the rows of one framework.")
@click.option(
    "--design",
    default="deciles:5,20",
    show_default=True,
    metavar="DESIGN",
    help="census; top:K; deciles:PER,TOP (deciles-paper: as in the paper); pps:N, chances by calls.",
)
@click.option(
    "--out", metavar="FILE", help="Write the sample as JSON, for isoflop portability shares --sample."
)
@seed_option
@figure_option
@json_option
def sample(
    usage: str,
    catalogue: str | None,
    framework: str | None,
    design: str,
    out: str | None,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Draw functions of a framework, most used ones with the highest chance.

    COUNTS is a table with the columns 'function' (or 'name') and 'calls' (or 'count'), and 'framework' where
    it holds several. Functions without inputs are kept as non-response, with what followed in their place.
    """
    from isoflop.findings import Document, write_atomically
    from isoflop.portability.commands.reading import counts_of
    from isoflop.portability.sampling.draw import sample as draw_sample
    from isoflop.present.console import emit

    counts = counts_of(usage, framework)
    able = list(counts if catalogue is None else counts_of(catalogue, framework))
    found = draw_sample(able, counts, design=design, seed=seed)
    if out is not None:
        write_atomically(Path(out), json.dumps(found.to_dict(), indent=1, ensure_ascii=False) + "\n")
    if figure is not None:
        from isoflop.portability.chapter.sampling import sampling_figures
        from isoflop.present.image import draw

        draw(figure, sampling_figures(found))
    tables = {"drawn": found.rows(), "strata": found.stratum_rows()}
    emit(Document(tables=tables), as_json=as_json, text=lambda: _text(found, tables))


def _text(found: Sample, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.pages import cautions_text, page

    rows = tables["drawn"]
    more = f" (first {SHOWN} of {len(rows)}; --json has all)" if len(rows) > SHOWN else ""
    lead = page(
        found.summary(),
        (),
        (),
        ("Strata", _strata_columns(), tables["strata"]),
        (f"Drawn{more}", _columns(), rows[:SHOWN]),
    )
    return "\n\n".join(part for part in (lead, cautions_text(found.cautions)) if part)


def _strata_columns() -> tuple[Column, ...]:
    from isoflop.portability.chapter.sampling import STRATA

    return STRATA


def _columns() -> tuple[Column, ...]:
    from isoflop.portability.chapter.sampling import DRAWN

    return DRAWN
