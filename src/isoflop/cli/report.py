"""``isoflop report``: evidence to one page and ``findings.json``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from isoflop.present.options import Verb, json_option, seed_option


@click.command(cls=Verb)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=True),
    default=Path("report"),
    show_default=True,
    help="Folder for index.html and findings.json.",
)
@click.option(
    "--evidence",
    metavar="DIR|embedded",
    help="Folder of public tables, or 'embedded' for the facts that ship; default: ISOFLOP_EVIDENCE, else "
    "what `isoflop data pull` has stored, else embedded.",
)
@click.option("--only", metavar="INSTRUMENT", multiple=True, help="Make this chapter alone. May be repeated.")
@click.option("--quick", is_flag=True, help="Fewer random draws; the report says so.")
@seed_option
@json_option
def report(
    out: Path, evidence: str | None, only: tuple[str, ...], quick: bool, seed: int, as_json: bool
) -> None:
    """Turn evidence into one page that works offline, and findings.json beside it."""
    from isoflop.evidence.location import locate
    from isoflop.present.console import progress_bars, say, wrap
    from isoflop.present.prose import to_text
    from isoflop.report.build import build, write
    from isoflop.report.instruments import choose

    instruments = choose(only)
    library = locate(evidence)
    words = ["isoflop", "report", "--evidence", str(library.folder or "embedded")]
    words += [word for name in only for word in ("--only", name)]
    words += ["--quick"] if quick else []
    words += ["--seed", str(seed)]
    with progress_bars() as bars:
        made = build(
            library,
            instruments=instruments,
            quick=quick,
            seed=seed,
            command=shlex.join(words),
            workers=os.cpu_count() or 1,
            progress=bars,
        )
        bars("page", 0.0)
        page, findings = write(made, out)
        bars("page", 1.0)
    if as_json:
        click.echo(made.json(), nl=False)
    else:
        for chapter in made.chapters:
            click.echo(f"{chapter.question}\n{wrap(to_text(chapter.answer), indent='  ')}\n")
    say(f"Wrote {page} and {findings}.")
