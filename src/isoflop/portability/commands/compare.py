"""``isoflop portability compare``: what changed between two runs?"""

from __future__ import annotations

from pathlib import Path

import click

from isoflop.present.options import Verb, figure_option, json_option
from isoflop.present.parse import Number, Word

SHOWN = 30
"""Changed functions printed for a person; --json has all."""


@click.command(cls=Verb, short_help="What changed between two runs, or two versions?")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--policy",
    type=Word(("strict", "fallback")),
    default="strict",
    show_default=True,
    help="Whether falling back to another device fails or passes.",
)
@click.option(
    "--confidence",
    type=Number(float, 0.95),
    default=0.95,
    show_default=True,
    help="Of the intervals of ratios, in (0, 1).",
)
@click.option(
    "--fail-on",
    type=Word(("failing", "slower", "never")),
    default="never",
    show_default=True,
    help="Exit with 1 where a function fails anew, or also where one became slower.",
)
@figure_option
@json_option
@click.pass_context
def compare(
    context: click.Context,
    old: str,
    new: str,
    policy: str,
    confidence: float,
    fail_on: str,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare two runs over the inputs that both have.

    OLD and NEW are folders, bundles or tables of results. Ratios are taken within one protocol; on different
    computers each side is taken relative to its reference.
    """
    from isoflop.findings import Document
    from isoflop.portability.chapter.compare import FUNCTIONS, TARGETS, changed_rows, compare_figures
    from isoflop.portability.compare.find import compare as find
    from isoflop.present.console import emit
    from isoflop.present.pages import cautions_text, page

    found = find(old, new, policy=policy, level=confidence)  # type: ignore[arg-type]
    if figure is not None:
        from isoflop.present.image import draw

        draw(figure, compare_figures(found))
    tables = {"targets": found.target_rows(), "functions": found.rows()}

    def text() -> str:
        rows = changed_rows(found)
        more = f" (first {SHOWN} of {len(rows)}; --json has all)" if len(rows) > SHOWN else ""
        lead = page(
            found.summary(),
            (),
            (),
            ("Targets", TARGETS, tables["targets"]),
            (f"Changed functions{more}", FUNCTIONS, rows[:SHOWN]),
        )
        return "\n\n".join(part for part in (lead, cautions_text(found.cautions)) if part)

    emit(Document(findings=found.findings(), tables=tables), as_json=as_json, text=text)
    lost = found.of("newly failing") if fail_on != "never" else ()
    if lost or (fail_on == "slower" and found.paced("slower")):
        context.exit(1)
