"""Options that the verbs on tables of systems share: which rows, and how organisations become teams.

A choice holds what was typed; numerics are imported when it is used, so that ``--help`` stays quick.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import EvidenceChoice, Verb, evidence_options, with_options
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.model import TeamRule
    from isoflop.divide.sample import Sample
    from isoflop.evidence import Table
    from isoflop.present.chapter import Column

Command = Callable[..., Any]

PREFERRED = ("epoch_all_ai_models", "notable_systems")
"""The largest public table where it was pulled, else the facts that ship."""
EARLIEST = "2010-01-01"
FILTERS = ("notable_not_deployed", "none")


class _Day(click.ParamType[dt.date]):
    """A calendar day, or a year, which stands for its first day."""

    name = "date"

    def __init__(self, *, end: bool) -> None:
        self.end = end

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:  # noqa: ARG002 - click's interface
        """Return the day that was written; a year alone is its first day, or its last for an end."""
        if isinstance(value, dt.date):
            return value
        text = str(value).strip()
        if text.isdecimal() and len(text) == 4:
            text += "-12-31" if self.end else "-01-01"
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            where = param.opts[-1] if param is not None else "date"
            raise SettingError(
                f"{where}: {value!r}, must be a date or a year. Write 2010-01-01 or 2010, say."
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which systems count and how their teams are made, as typed."""

    filter: str
    since: dt.date
    until: dt.date | None
    attribution: str
    public_research: str
    leaning: str
    strict: bool
    unknown: str
    resolve_names: bool
    drop_wrong: bool
    unknown_labels: str

    @property
    def rule(self) -> TeamRule:
        """The rule of teams."""
        from isoflop.divide.model import TeamRule

        return TeamRule(
            attribution=self.attribution,  # type: ignore[arg-type]
            public_research=self.public_research,  # type: ignore[arg-type]
            leaning=self.leaning,  # type: ignore[arg-type]
            strict=self.strict,
            unknown=self.unknown,  # type: ignore[arg-type]
            resolve_names=self.resolve_names,
        )

    def select(self, table: Table, *, compute: bool = True) -> Sample:
        """Return the chosen rows of a table; with ``compute=False`` also those without known compute."""
        from isoflop.divide.sample import select

        return select(
            table,
            rule=self.rule,
            filter=self.filter,  # type: ignore[arg-type]
            since=self.since,
            until=self.until,
            compute=compute,
            drop_wrong=self.drop_wrong,
            unknown_labels=self.unknown_labels,  # type: ignore[arg-type]
        )


def models_options(command: Command) -> Command:
    """Add ``FILE…`` and the rules for rows; the command receives ``evidence`` and ``rows`` (a `Rows`)."""

    @wraps(command)
    def wrapped(evidence: EvidenceChoice, **given: Any) -> Any:
        rows = Rows(**{name: given.pop(name) for name in Rows.__slots__})
        return command(evidence=evidence, rows=rows, **given)

    return with_options(wrapped, evidence_options, *_row_options())


def _row_options() -> tuple[Callable[..., Any], ...]:
    return (
        click.option(
            "--filter",
            type=Word(FILTERS),
            default=FILTERS[0],
            show_default=True,
            help="Systems noted as state of the art, highly cited or historical; or all.",
        ),
        click.option(
            "--since",
            type=_Day(end=False),
            default=EARLIEST,
            show_default=True,
            metavar="DATE",
            help="First day that counts.",
        ),
        click.option("--until", type=_Day(end=True), metavar="DATE", help="Last day that counts."),
        click.option(
            "--attribution",
            type=Word(("organisation", "sponsor")),
            default="organisation",
            show_default=True,
            help="Team by who made the system, or by who paid where the table says so.",
        ),
        click.option(
            "--public-research",
            type=Word(("other", "academia", "own")),
            default="other",
            show_default=True,
            help="Government, facilities, non-profits, collectives: among others, academia, or a team.",
        ),
        click.option(
            "--leaning",
            type=Word(("collaboration", "lean")),
            default="collaboration",
            show_default=True,
            help="A collaboration marked as leaning stays one, or moves to that side.",
        ),
        click.option(
            "--strict", is_flag=True, help="Academia and industry only where all organisations are."
        ),
        click.option(
            "--unknown",
            type=Word(("bounds", "drop", "academia", "industry")),
            default="bounds",
            show_default=True,
            help="Rows without a team: left out with bounds beside, left out, or counted as one side.",
        ),
        click.option(
            "--resolve-names",
            is_flag=True,
            help="Decide a missing team by the names of the organisations.",
        ),
        click.option("--drop-wrong", is_flag=True, help="Drop compute that the table's makers call wrong."),
        click.option(
            "--unknown-labels",
            type=Word(("refuse", "other")),
            default="refuse",
            show_default=True,
            help="A team label in neither coding: refused, or counted as other.",
        ),
    )


def level_option(command: Command) -> Command:
    """Add ``--level``; the command receives ``level``."""
    return click.option(
        "--level",
        type=Number(float, 0.95),
        default=0.95,
        show_default=True,
        help="Of every interval, in (0, 1).",
    )(command)


def verb(short_help: str) -> Callable[[Command], Verb]:
    """Make a function a verb on tables of systems, its options listed by what they decide."""
    return click.command(cls=Verb, headings={"Rows and teams": Rows.__slots__}, short_help=short_help)


def columns(*names: tuple[str, str, str]) -> tuple[Column, ...]:
    """Return columns of a printed table from (name, label, format)."""
    from isoflop.present.chapter import Column

    return tuple(Column(name=name, label=label, format=form) for name, label, form in names)


def headlines(findings: Iterable[Any]) -> list[Any]:
    """Return the findings without a qualifier: what a terminal shows first."""
    return [finding for finding in findings if finding.id.count(".") == 1]
