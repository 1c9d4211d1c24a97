"""What the verbs print for a person: findings, then tables, each under its heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isoflop.findings import Claim, Finding
from isoflop.present.chapter import Column
from isoflop.present.console import findings_text, table_text, wrap
from isoflop.present.prose import to_text

Section = tuple[str, Sequence[Column], Sequence[Mapping[str, Any]]]
"""A heading, the columns shown, and the rows."""

WATERFALL = (
    Column(name="kept", label="kept", format="count"),
    Column(name="unit", label="unit"),
    Column(name="rule", label="rule"),
    Column(name="dropped", label="dropped", format="count"),
)


def page(lead: str, findings: Sequence[Finding], claims: Sequence[Claim], *sections: Section) -> str:
    """Return the lead lines, answers and tables, then the cautions and claims; blank lines between.

    Cautions close the page: a terminal shows its end. Columns without a value are left out.
    """
    answers, *rest = findings_text(findings, claims).split("\n\n")
    tables = [
        f"{title}\n{table_text([c for c in columns if any(r.get(c.name) is not None for r in rows)], rows)}"
        for title, columns, rows in sections
        if rows
    ]
    head = "\n".join(wrap(line, hang="  ") for line in lead.split("\n"))
    return "\n\n".join(part for part in (head, answers, *tables, *rest) if part)


def cautions_text(cautions: Sequence[str]) -> str:
    """Return cautions of a result without findings as they stand on every page."""
    lines = [wrap(to_text(caution), indent="  ! ").replace("\n  ! ", "\n    ") for caution in cautions]
    return "Cautions\n" + "\n".join(lines) if lines else ""
