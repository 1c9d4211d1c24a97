"""``isoflop portability slowdown``: how many times slower are functions on a target?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.portability.slowdown.result import Slowdown
    from isoflop.present.chapter import Column

SHOWN = 20
"""Functions printed for a person; --json has all."""


@click.command(cls=Verb, short_help="How many times slower are functions on a target?")
@click.argument("results", metavar="[RUN]", required=False)
@click.option("--source", required=True, metavar="TARGET", help="Target moved from, e.g. torch:eager.")
@click.option("--target", required=True, metavar="TARGET", help="Target moved to, e.g. torch:cuda.")
@click.option("--framework", metavar="NAME", help="Keep one framework.")
@click.option(
    "--policy",
    type=Word(("strict", "fallback")),
    default="strict",
    show_default=True,
    help="Whether timings count where work left the device.",
)
@click.option("--protocol", metavar="NAME", help="Keep one timing protocol; they are never mixed.")
@click.option(
    "--reps",
    type=Number(int, 999),
    default=999,
    show_default=True,
    help="Draws of functions, processes and blocks.",
)
@click.option(
    "--confidence",
    type=Number(float, 0.95),
    default=0.95,
    show_default=True,
    help="Of every interval, in (0, 1).",
)
@seed_option
@figure_option
@json_option
def slowdown(
    results: str | None,
    source: str,
    target: str,
    framework: str | None,
    policy: str,
    protocol: str | None,
    reps: int,
    confidence: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare the time of each function on two targets of one framework.

    RUN is a folder, bundle or table of results; default: the run that ships. Published files have their own
    rules: see isoflop portability paper. Nothing is subtracted; dispatch-bound timings stand apart.
    """
    from isoflop.findings import Document
    from isoflop.portability.commands.reading import run_of
    from isoflop.portability.model import Bootstrap
    from isoflop.portability.slowdown.own import own_slowdown
    from isoflop.present.console import emit

    found = own_slowdown(
        run_of(results),
        source=source,
        target=target,
        framework=framework,
        policy=policy,  # type: ignore[arg-type]
        protocol=protocol,
        ci=Bootstrap(reps=reps, seed=seed, level=confidence),
    )
    if figure is not None:
        from isoflop.portability.chapter.slowdown import slowdown_figures
        from isoflop.present.image import draw

        draw(figure, slowdown_figures(found))
    tables = {"functions": found.rows(), "grid": found.grid_rows()}
    emit(
        Document(findings=found.findings(), tables=tables), as_json=as_json, text=lambda: _text(found, tables)
    )


def _text(found: Slowdown, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.pages import cautions_text, page

    rows = tables["functions"]
    more = f" (first {SHOWN} of {len(rows)}; --json has all)" if len(rows) > SHOWN else ""
    lead = page(
        found.summary(),
        (),
        (),
        ("Ways of counting", _grid_columns(), tables["grid"]),
        (f"Slowest functions{more}", _columns(), rows[:SHOWN]),
    )
    return "\n\n".join(part for part in (lead, cautions_text(found.cautions)) if part)


def _grid_columns() -> tuple[Column, ...]:
    from isoflop.portability.chapter.slowdown import GRID

    return GRID


def _columns() -> tuple[Column, ...]:
    from isoflop.portability.chapter.slowdown import FUNCTIONS

    return FUNCTIONS
