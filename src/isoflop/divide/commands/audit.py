"""``isoflop divide audit``: what revisions of a table did to its headlines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.divide.commands.editions import read_editions
from isoflop.divide.commands.options import FILTERS, columns, level_option
from isoflop.present.options import EvidenceChoice, Verb, evidence_options, figure_option, json_option
from isoflop.present.parse import Word

if TYPE_CHECKING:
    from isoflop.divide.audit.result import SnapshotChanges


@click.command(cls=Verb, short_help="What revisions of a table did to its headlines.")
@evidence_options
@click.option(
    "--filter",
    type=Word(FILTERS),
    default=FILTERS[0],
    show_default=True,
    help="Systems noted as state of the art, highly cited or historical; or all.",
)
@click.option(
    "--public-research",
    type=Word(("other", "academia", "own")),
    default="other",
    show_default=True,
    help="Government, facilities, non-profits, collectives: among others, academia, or a team.",
)
@click.option(
    "--leaning",
    type=Word(("collaboration", "lean")),
    default="collaboration",
    show_default=True,
    help="A collaboration marked as leaning stays one, or moves to that side.",
)
@click.option("--strict", is_flag=True, help="Academia and industry only where all organisations are.")
@level_option
@figure_option
@json_option
def audit(
    evidence: EvidenceChoice,
    filter: str,
    public_research: str,
    leaning: str,
    strict: bool,
    level: float,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Align two or more editions of a table and say what changed, system by system.

    FILEs are editions of one table of systems, in any order. The change of each headline is divided among
    added and removed rows, changed teams, changed compute and changed notability.
    """
    from isoflop.divide.audit.find import audit as find
    from isoflop.divide.model import TeamRule
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows

    tables = read_editions(evidence, alone=False)
    found = find(
        tables,
        filter=filter,  # type: ignore[arg-type]
        rule=TeamRule(
            public_research=public_research,  # type: ignore[arg-type]
            leaning=leaning,  # type: ignore[arg-type]
            strict=strict,
        ),
        level=level,
    )
    if figure is not None:
        from isoflop.divide.chapter.audit import audit_figures
        from isoflop.present.image import draw

        draw(figure, audit_figures(found))
    document = Document(
        findings=found.findings(),
        tables={
            "changes": found.changes,
            "headlines": found.headline_rows(),
            "decomposition": found.decomposition_rows(),
            "counts": found.count_rows(),
            "evidence": evidence_rows(*tables),
        },
    )
    emit(document, as_json=as_json, text=lambda: _page(found))


def _page(found: SnapshotChanges) -> str:
    from isoflop.divide.audit.result import NO_SAMPLING
    from isoflop.present import formats
    from isoflop.present.pages import cautions_text, page

    def amounts(row: Mapping[str, Any], *names: str, change: bool = False) -> dict[str, Any]:
        """Return a row with its unit beside the headline, shares as percentages or points."""
        share = row["unit"] == "1"
        show = (formats.points if change else formats.percent) if share else formats.number
        unit = row["unit"] if not share else "points" if change else ""
        values = {name: None if row[name] is None else show(row[name]) for name in names}
        return {**row, **values, "label": f"{row['label']} ({unit})" if unit else row["label"]}

    pair = found.moves[-1].pair
    first, last = found.snapshots[0].name, found.snapshots[-1].name
    parts = [row for row in found.decomposition_rows() if row["pair"] == pair]
    changes = {row["headline"]: row for row in parts}.values()
    label = ("label", "headline", "text")
    shown = page(
        found.summary(),
        (),
        (),
        (
            "Headlines by snapshot",
            columns(
                label,
                ("snapshot", "snapshot", "text"),
                *((name, name, "text") for name in ("value", "low", "high")),
                ("n", "n", "count"),
            ),
            [amounts(row, "value", "low", "high") for row in found.headline_rows()],
        ),
        (
            f"Change from {first} to {last}",
            columns(label, ("change", "change", "text")),
            [amounts(row, "change", change=True) for row in changes],
        ),
        (
            "What each kind of revision contributed to it",
            columns(label, ("revision", "revision", "text"), ("contribution", "contribution", "text")),
            [amounts(row, "contribution", change=True) for row in parts if row["contribution"] is not None],
        ),
    )
    return f"{shown}\n\n{cautions_text((NO_SAMPLING, *found.cautions))}"
