"""``isoflop divide classify``: affiliations, or systems, to teams, with the reason of each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from isoflop.divide.commands.options import columns
from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Word

if TYPE_CHECKING:
    from isoflop.divide.classification.result import Teams

SHOWN = 25
"""Rows of a list on a terminal; the JSON has them all."""


@click.command(
    cls=Verb,
    short_help="Which affiliations are of schools, which of companies, and why?",
    headings={"How types are decided": ("overrides", "ror", "public_research", "strict")},
)
@click.argument("file", metavar="FILE")
@click.option(
    "--column", metavar="NAME", help="Column of affiliations; default: affiliation, aff and the like."
)
@click.option("--domain-column", metavar="NAME", help="Column of e-mail domains, authors split by ';'.")
@click.option(
    "--separator",
    "separators",
    metavar="SIGNS",
    default=";+|",
    show_default=True,
    help="Signs between authors and organisations; '' takes each cell as one organisation.",
)
@click.option("--overrides", metavar="FILE", help="CSV of pattern, type, reason: your decisions win.")
@click.option("--ror", metavar="FILE", help="Your copy of ROR's dump (JSON): its domains are asked too.")
@click.option(
    "--public-research",
    type=Word(("other", "academia", "own")),
    default="other",
    show_default=True,
    help="Government, facilities, non-profits, collectives: among others, academia, or a team.",
)
@click.option("--strict", is_flag=True, help="Academia and industry only where all organisations are.")
@click.option("--explain", is_flag=True, help="Print the rule and the words behind every class.")
@json_option
def classify(
    file: str,
    column: str | None,
    domain_column: str | None,
    separators: str,
    overrides: str | None,
    ror: str | None,
    public_research: str,
    strict: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Type every organisation in a column of FILE, offline, and give each row its team.

    FILE is a csv, tsv, JSON lines or Parquet file, plain or gzipped, of any columns; or, without --column, a
    table of systems, whose labels are then read.
    """
    from isoflop.divide.model import TeamRule
    from isoflop.findings import Document
    from isoflop.present.console import emit

    rule = TeamRule(public_research=public_research, strict=strict)  # type: ignore[arg-type]
    systems = _systems(file) if column is None else None
    if systems is not None:
        from isoflop.divide.classification.find import classify_systems

        found = classify_systems(systems, rule=rule)
    else:
        found = _strings(file, column, domain_column, separators, overrides, ror, rule)
    document = Document(
        findings=found.findings(),
        tables={"classes": found.rows(), "teams": found.team_rows(), "rules": found.rule_rows()},
    )
    emit(document, as_json=as_json, text=lambda: _page(found, explain))


def _systems(file: str) -> Any:
    """Return FILE as a table of systems where its columns say so, else None."""
    from pathlib import Path

    from isoflop.evidence import load
    from isoflop.evidence.embedded import EMBEDDED

    if file in EMBEDDED and not Path(file).exists():
        return load(file, schema="models")
    from isoflop.divide.classification.cells import LINES, columns_of
    from isoflop.evidence.importers.epoch import EPOCH
    from isoflop.evidence.models import MODELS

    if file.lower().endswith(LINES):
        return None
    names = {name.lstrip("\ufeff") for name in columns_of(file)}
    ours = {column.name for column in MODELS.columns if column.required}
    return load(file) if EPOCH.signature <= names or ("model" in names and ours <= names) else None


def _strings(
    file: str,
    column: str | None,
    domain_column: str | None,
    separators: str,
    overrides: str | None,
    ror: str | None,
    rule: Any,
) -> Teams:
    from isoflop.divide.classification.cells import read_cells
    from isoflop.divide.classification.find import classify as classify_texts
    from isoflop.evidence.affiliations import Classifier, read_overrides, read_ror

    own = read_overrides(overrides) if overrides else ()
    chain = Classifier(overrides=own, ror=read_ror(ror) if ror else None)
    cells = read_cells(file, column, domain_column)
    return classify_texts(
        cells.texts,
        domains=cells.domains,
        separators=separators,
        rule=rule,
        classifier=chain,
        name=f"{cells.name}, column {cells.column}",
    )


def _page(found: Teams, explain: bool) -> str:
    from isoflop.present.pages import page

    teams = columns(("team", "team", "text"), ("count", found.unit, "count"), ("share", "share", "percent"))
    rules = columns(("rule", "rule", "text"), ("strings", "distinct", "count"), ("listed", "listed", "count"))
    shown = (("string", "string", "text"), ("count", "count", "count"), ("team", "team", "text"))
    why = (("type", "type", "text"), ("rule", "rule", "text"), ("matched", "words", "text"))
    classes = columns(*shown, *(why if explain else ()))
    rows = found.rows()
    listed = rows if explain else rows[:SHOWN]
    unknown = [row for row in rows if row["team"] == "unknown"][:SHOWN]
    title = "Classes" if len(listed) == len(rows) else f"Classes (the first {SHOWN} of {len(rows):,})"
    return page(
        found.summary(),
        found.findings(),
        (),
        ("Teams", teams, found.team_rows()),
        ("Rules", rules, found.rule_rows()),
        (title, classes, listed),
        ("Still unknown, most frequent first", columns(*shown[:2]), [] if explain else unknown),
    )
