"""What the verbs print for a person: findings, then tables, each under its heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isoflop.findings import Finding
from isoflop.present.chapter import Column
from isoflop.present.console import findings_text, table_text

Section = tuple[str, Sequence[Column], Sequence[Mapping[str, Any]]]
"""A heading, the columns shown, and the rows."""

WATERFALL = (
    Column(name="kept", label="kept", format="count"),
    Column(name="unit", label="unit"),
    Column(name="rule", label="rule"),
    Column(name="dropped", label="dropped", format="count"),
)


def page(lead: str, findings: Sequence[Finding], *sections: Section) -> str:
    """Return the lead line, the sections and the findings with their cautions, blank lines between.

    Sections come before the cautions, which close the page: a terminal shows its end.
    """
    answers = findings_text(findings)
    answer, _, cautions = answers.partition("\n\nCautions\n")
    tables = [f"{title}\n{table_text(columns, rows)}" for title, columns, rows in sections if rows]
    return "\n\n".join(
        part for part in (lead, answer, *tables, f"Cautions\n{cautions}" if cautions else "") if part
    )
