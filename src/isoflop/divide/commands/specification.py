"""``isoflop divide specification``: a headline under every defensible choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.divide.commands.editions import read_editions
from isoflop.divide.commands.options import columns, level_option
from isoflop.present.options import (
    EvidenceChoice,
    Verb,
    evidence_options,
    figure_option,
    json_option,
    seed_option,
)
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.specification.result import SpecificationCurve

HEADLINES = (
    "academia_share_first",
    "academia_share_last",
    "academia_share_change",
    "gap_oom",
    "gap_widening",
    "doubling_time_months",
)
FORMS = {
    "academia_share_first": ("percent", ""),
    "academia_share_last": ("percent", ""),
    "academia_share_change": ("points", "points"),
}
"""Format and unit of headlines that are shares."""


@click.command(cls=Verb, short_help="A headline under every defensible choice, and a test of them all.")
@evidence_options
@click.option(
    "--headline",
    "names",
    type=Word(HEADLINES),
    multiple=True,
    metavar="NAME",
    help=f"What to run: {', '.join(HEADLINES[:-1])} or {HEADLINES[-1]}; may be repeated.  [default: all but "
    "academia_share_first]",
)
@click.option(
    "--joint",
    type=Number(int, 500),
    default=500,
    show_default=True,
    help="Replicates of the joint test, each of which redoes the whole curve; 0 leaves it out.",
)
@level_option
@seed_option
@figure_option
@json_option
def specification(
    evidence: EvidenceChoice,
    names: tuple[str, ...],
    joint: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Run headlines under every combination of snapshot, filter, rule of teams, definition and interval.

    FILEs are editions of a table of systems; one is enough. A median over specifications is no estimate of
    the truth: read the range, and the joint p of the whole curve.
    """
    from isoflop.divide.specification.find import specification as find
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows

    tables = read_editions(evidence, alone=True)
    with progress_bars() as report:
        found = find(
            tables,
            headline=names or None,  # type: ignore[arg-type]
            joint=joint,
            level=level,
            seed=seed,
            progress=report,
        )
    if figure is not None:
        from isoflop.divide.chapter.specification import specification_figures
        from isoflop.present.image import draw

        draw(figure, specification_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "specifications": found.rows(),
            "choices": found.choice_rows(),
            "evidence": evidence_rows(*tables),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: SpecificationCurve) -> str:
    from isoflop.divide.specification.grid import LABELS, UNITS
    from isoflop.divide.specification.result import NO_ESTIMATE
    from isoflop.divide.specification.words import CHOICE_WORDS, setting_words, settings_of
    from isoflop.present.pages import cautions_text, page

    sections = []
    for curve in found.curves:
        several = settings_of(curve)
        rows = [
            row | {"choice": CHOICE_WORDS[row["choice"]], "setting": setting_words(row["setting"])}
            for row in found.choice_rows()
            if row["headline"] == curve.headline and row["choice"] in several and row["choice"] != "interval"
        ]
        form, unit = FORMS.get(curve.headline, ("number", UNITS[curve.headline]))
        shown = columns(
            ("choice", "choice", "text"),
            ("setting", "setting", "text"),
            ("n_specifications", "n", "count"),
            *((end, end, form) for end in ("median", "lowest", "highest")),
        )
        label = LABELS[curve.headline]
        title = f"{label[0].upper()}{label[1:]}, by choice{f' ({unit})' if unit else ''}"
        sections.append((title, shown, rows))
    return f"{page(found.summary(), (), (), *sections)}\n\n{cautions_text((NO_ESTIMATE, *found.cautions))}"
