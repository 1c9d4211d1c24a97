"""``isoflop scaling lint``: is a table of extracted study points fit for pooling?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.present.options import Verb, json_option, parse_mapping, seed_option

if TYPE_CHECKING:
    from isoflop.scaling.extraction.lint import LintReport

EXIT_ON_ERRORS = 2
"""As for any table that cannot be loaded; warnings alone exit with 0."""


@click.command(cls=Verb)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--template", is_flag=True, help="Print an empty table with three example rows, as CSV.")
@click.option(
    "--synthetic", is_flag=True, help="Print a synthetic corpus of known exponent, to try methods on, as CSV."
)
@click.option(
    "--map",
    "mapping",
    metavar="COLUMN=THEIRS",
    multiple=True,
    help="A column of FILE under another name, e.g. x=demonstrations. May be repeated.",
)
@seed_option
@json_option
@click.pass_context
def lint(
    context: click.Context,
    file: str | None,
    template: bool,
    synthetic: bool,
    mapping: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """List everything that is wrong with a table of study points, row by row.

    FILE is a csv, tsv or parquet file in the columns that --template prints. Errors keep it from
    being pooled; warnings weaken an answer. Exits with 2 if there are errors.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.scaling.extraction import lint as linter
    from isoflop.scaling.extraction.synthetic import synthetic_corpus

    choices = {"FILE": file, "--template": template, "--synthetic": synthetic}
    asked = [name for name, choice in choices.items() if choice]
    if len(asked) != 1:
        raise SettingError(
            f"lint: {' and '.join(asked) or 'no FILE'}, needs one of FILE, --template and --synthetic. "
            "Name the table to check, or print an empty one: isoflop scaling lint --template > points.csv"
        )
    if file is None:
        click.echo(linter.template() if template else synthetic_corpus(seed=seed).write_csv(), nl=False)
        return
    report = linter.lint(file, columns=parse_mapping(mapping))
    answer = report.to_dict()
    remarks = answer.pop("remarks")
    emit(Document(tables={"lint": [answer], "remarks": remarks}), as_json=as_json, text=lambda: _text(report))
    if report.errors:
        context.exit(EXIT_ON_ERRORS)


def _text(report: LintReport) -> str:
    """Return the remarks under their severity, and the count in the last line."""
    from isoflop.present.console import wrap

    parts = []
    for severity, heading in (("error", "Errors"), ("warning", "Warnings")):
        rows = report.frame().filter(severity=severity).rows(named=True)
        if rows:
            lines = [wrap(_line(row), indent="  ", hang="  ") for row in rows]
            parts.append("\n".join([heading, *lines]))
    return "\n\n".join([*parts, report.summary()])


def _line(row: dict[str, str]) -> str:
    many = "," in row["rows"] or "-" in row["rows"]
    place = f"row{'s' if many else ''} {row['rows']}" if row["rows"] else "header"
    group = f" ({row['group']})" if row["group"] else ""
    return f"{place}{group}, {row['column']}: {row['text']}. {row['todo']}"
