"""``isoflop portability paper``: the published result files, under the paper's rules and under ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.portability.paper.results import PaperResults
    from isoflop.portability.paper.study import PaperStudy


@click.command(cls=Verb, short_help="What do result files of several devices say, and how sure is it?")
@click.argument("folder", metavar="FOLDER")
@click.option(
    "--compat",
    type=Word(("paper",)),
    help="Let the published rules lead. Ours stand beside them either way.",
)
@click.option("--framework", metavar="NAME", help="Of the headline pair.  [default: torch]")
@click.option("--source", metavar="TARGET", help="Moved from.  [default: gpu_t4, or the first timed]")
@click.option("--target", metavar="TARGET", help="Moved to.  [default: tpu_v3, or the next]")
@click.option(
    "--raw", is_flag=True, help="FOLDER holds test reports (JSON) and timings as a suite wrote them."
)
@click.option(
    "--reps", type=Number(int, 999), default=999, show_default=True, help="Draws of functions for medians."
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
def paper(
    folder: str,
    compat: str | None,
    framework: str | None,
    source: str | None,
    target: str | None,
    raw: bool,
    reps: int,
    confidence: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Analyse result files of a suite that was run on several devices.

    FOLDER holds outcomes and timings (csv, gzipped or not, or Parquet) of any frameworks and devices, or is
    a JUnit file of one. Printed are failure shares, slow-downs between all pairs timed, the grid of every way
    of counting, first calls, and how far counts of bare names are to be trusted.
    """
    from isoflop.findings import Document
    from isoflop.portability.model import Bootstrap
    from isoflop.portability.paper.study import study
    from isoflop.present.console import emit

    found = study(
        _read(folder, raw, framework, target),
        compat=compat,  # type: ignore[arg-type]
        framework=framework,
        source=source,
        target=target,
        ci=Bootstrap(reps=reps, seed=seed, level=confidence),
    )
    if figure is not None:
        from isoflop.portability.chapter.paper import paper_figures
        from isoflop.present.image import draw

        draw(figure, paper_figures(found))
    tables = found.tables()
    emit(
        Document(findings=found.findings(), tables=tables), as_json=as_json, text=lambda: _text(found, tables)
    )


def _read(folder: str, raw: bool, framework: str | None, target: str | None) -> PaperResults:
    from isoflop.portability.paper.raw import read_junit, read_raw
    from isoflop.portability.paper.read import read_paper

    path = Path(folder)
    if path.suffix.lower() == ".xml":
        return read_junit(path, framework=framework or "tests", target=target or path.stem)
    return (read_raw if raw else read_paper)(path)


def _text(found: PaperStudy, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.portability.chapter.paper import CONTAMINATION, FAILURE, FIRST_CALLS, GRID, SLOWDOWN
    from isoflop.present.pages import cautions_text, page

    grid = [] if found.headline is None else found.headline.grid_rows()
    headline = [finding for finding in found.findings() if finding.id.count(".") == 1]
    cautions = dict.fromkeys((*(c for finding in headline for c in finding.cautions), *found.cautions))
    lead = page(
        found.summary(),
        [replace(finding, cautions=()) for finding in headline],
        (),
        ("Functions lost, by the paper's rule", FAILURE, tables["failure"]),
        ("Slow-downs", SLOWDOWN, tables["slowdown"]),
        ("Every way of counting the headline pair", GRID, grid),
        ("First call over later calls", FIRST_CALLS, tables["first_calls"]),
        ("Counts of bare names that are Python's own", CONTAMINATION, tables["contamination"]),
    )
    return "\n\n".join(part for part in (lead, cautions_text(tuple(cautions))) if part)
