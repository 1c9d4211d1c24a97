"""``isoflop portability scan`` and ``usage``: own code against measured evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.portability.commands.reading import run_of
from isoflop.present.options import Verb, figure_option, json_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.portability.scan.result import Scan

SHOWN = 20
"""Rows of a table printed for a person; --json has all."""


@click.command(cls=Verb, short_help="Will this code run on that hardware, and what stands in the way?")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="Target as in the results, e.g. jax:lower-tpu. May be repeated.  [default: all of them]",
)
@click.option(
    "--results",
    "results",
    metavar="RUN",
    help="Measured run: a file or folder of a run or a bundle.  [default: the run that ships]",
)
@click.option(
    "--slower-than",
    type=Number(float, 10),
    default=10.0,
    show_default=True,
    metavar="TIMES",
    help="Speak of functions slower than this many times their reference.",
)
@click.option(
    "--fail-on",
    type=Word(("error", "warning", "note", "never")),
    default="error",
    show_default=True,
    help="Exit with 1 where a finding is at least this grave.",
)
@click.option("--sarif", "sarif_file", metavar="FILE", help="Also write SARIF 2.1.0.")
@click.option("--html", "html_file", metavar="FILE", help="Also write one self-contained page.")
@figure_option
@json_option
@click.pass_context
def scan(
    context: click.Context,
    paths: tuple[str, ...],
    targets: tuple[str, ...],
    results: str | None,
    slower_than: float,
    fail_on: str,
    sarif_file: str | None,
    html_file: str | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Find what code calls of torch, JAX, TensorFlow and Keras, and what is known of that on other targets.

    PATH is a file or folder; .py and .ipynb files are read, nothing is run. A comment
    "# isoflop: allow[ISO105] reason" allows a finding on its line. Exit 0: nothing at --fail-on;
    1: something; 2: bad input.
    """
    from isoflop.findings import Document, write_atomically
    from isoflop.portability.scan.find import scan as find
    from isoflop.present.console import emit, say

    found = find(paths, targets=targets, results=run_of(results), slower_than=slower_than)
    if sarif_file is not None:
        from isoflop.portability.scan.sarif import sarif_text

        write_atomically(Path(sarif_file), sarif_text(found))
    if html_file is not None:
        from isoflop.portability.scan.page import page

        write_atomically(Path(html_file), page(found))
    if figure is not None:
        from isoflop.portability.chapter.scan import scan_figures
        from isoflop.present.image import draw

        pictures = scan_figures(found)
        if pictures:
            draw(figure, pictures)
        else:
            say("no function stands in the way on the evidence at hand: there is no picture to draw.")
    tables = {
        "blockers": found.blocker_rows(),
        "problems": [problem.to_dict() for problem in found.problems],
        "files": found.file_rows(),
        "calls": found.call_rows(),
    }
    emit(
        Document(findings=found.findings(), tables=tables), as_json=as_json, text=lambda: _text(found, tables)
    )
    if found.fails(None if fail_on == "never" else fail_on):  # type: ignore[arg-type]
        context.exit(1)


def _text(found: Scan, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.portability.scan.text import scan_text

    return scan_text(found, tables, SHOWN)


@click.command(cls=Verb, short_help="How often does this code call each function, by resolved imports?")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--framework", metavar="NAME", help="Only this framework, e.g. torch.")
@json_option
def usage(paths: tuple[str, ...], framework: str | None, as_json: bool) -> None:
    """Count calls of each function of torch, JAX, TensorFlow and Keras in .py and .ipynb files.

    A call counts where its name leads to the framework; hits on bare names, as published counts took them,
    stand beside it.
    """
    from isoflop.findings import Document
    from isoflop.portability.scan.usage import usage as count
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.pages import page

    found = count(paths)
    rows = [row for row in found.rows() if framework in (None, row["framework"])]
    shown = (
        Column(name="calls", label="calls", format="count"),
        Column(name="files", label="files", format="count"),
        Column(name="function", label="function"),
    )
    title = "Functions" if len(rows) <= 2 * SHOWN else f"Functions (first {2 * SHOWN} of {len(rows)})"
    emit(
        Document(findings=found.findings(), tables={"functions": rows}),
        as_json=as_json,
        text=lambda: page(found.summary(), found.findings(), (), (title, shown, rows[: 2 * SHOWN])),
    )
