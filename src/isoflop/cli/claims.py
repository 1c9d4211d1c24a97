"""``isoflop claims``: every claim of the papers, with its verdict, from a report or any documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.present.options import Verb, json_option, seed_option

if TYPE_CHECKING:
    from isoflop.findings import Document
    from isoflop.report.instruments import Instrument


@click.command(cls=Verb)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--evidence",
    metavar="DIR|embedded",
    help="Without FILE: the evidence to judge on, as for `isoflop report`.",
)
@click.option(
    "--only", metavar="INSTRUMENT", multiple=True, help="The claims of this paper. May be repeated."
)
@click.option("--quick", is_flag=True, help="Without FILE: fewer random draws.")
@seed_option
@json_option
def claims(
    file: Path | None, evidence: str | None, only: tuple[str, ...], quick: bool, seed: int, as_json: bool
) -> None:
    """Show what becomes of each published claim, why, and what would change it.

    FILE is the findings.json of a report, or what any command printed with --json: the verdicts come at once.
    Without FILE the instruments run first, which takes about a minute.
    """
    from isoflop.errors import SettingError
    from isoflop.findings import Document
    from isoflop.present.console import emit, say
    from isoflop.report.instruments import choose
    from isoflop.report.ledger import complete, text_of

    instruments = choose(only)
    if file is not None and (evidence is not None or quick):
        given = "--evidence" if evidence is not None else "--quick"
        raise SettingError(
            f"claims: {file} and {given}, needs one of the two. A FILE holds its findings already."
        )
    if file is None:
        say("evidence: the instruments run now; `isoflop claims report/findings.json` is instant")
        known = _run(instruments, evidence, quick=quick, seed=seed)
    else:
        known = Document.read(file)
    names = {one.name for one in instruments}
    judged = [claim for claim in known.claims if claim.id.partition(".")[0] in names]
    ledger = complete(judged, known.findings, instruments)
    wanted = {name for claim in ledger for name in claim.finding_ids}
    document = Document(findings=tuple(f for f in known.findings if f.id in wanted), claims=ledger)
    emit(document, as_json=as_json, text=lambda: text_of(ledger))


def _run(instruments: tuple[Instrument, ...], evidence: str | None, *, quick: bool, seed: int) -> Document:
    import os

    from isoflop.evidence.location import locate
    from isoflop.findings import Document
    from isoflop.present.console import progress_bars
    from isoflop.report.workers import make_chapters

    with progress_bars() as bars:
        chapters, _ = make_chapters(
            instruments, locate(evidence), quick=quick, seed=seed, workers=os.cpu_count() or 1, progress=bars
        )
    return Document(
        findings=tuple(finding for chapter in chapters for finding in chapter.findings),
        claims=tuple(claim for chapter in chapters for claim in chapter.claims),
    )
