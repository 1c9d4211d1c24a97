"""Options that the verbs on papers share: which papers, and how their organisations become teams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import EvidenceChoice, Verb, evidence_options, with_options
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.evidence import Table

Command = Callable[..., Any]

PREFERRED = ("ml_papers_2013_2018", "ml_papers_2019_2025")
"""Public paper lists; all that are at hand are read as one table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Which papers count and how their teams are made, as typed."""

    since: int | None
    until: int | None
    venues: tuple[str, ...]
    public_research: str
    strict: bool

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that every verb on papers takes."""
        from isoflop.divide.model import TeamRule

        rule = TeamRule(public_research=self.public_research, strict=self.strict)  # type: ignore[arg-type]
        return {"rule": rule, "since": self.since, "until": self.until, "venues": self.venues}


def works_options(command: Command) -> Command:
    """Add ``FILE…`` and the rules for papers; the command receives ``evidence`` and ``papers``."""

    @wraps(command)
    def wrapped(evidence: EvidenceChoice, **given: Any) -> Any:
        papers = Papers(**{name: given.pop(name) for name in Papers.__slots__})
        return command(evidence=evidence, papers=papers, **given)

    return with_options(
        wrapped,
        evidence_options,
        click.option("--since", type=Number(int, 2019), metavar="YEAR", help="First year that counts."),
        click.option("--until", type=Number(int, 2024), metavar="YEAR", help="Last year that counts."),
        click.option(
            "--venue", "venues", metavar="NAME", multiple=True, help="Only this venue. May be repeated."
        ),
        click.option(
            "--public-research",
            type=Word(("other", "academia", "own")),
            default="other",
            show_default=True,
            help="Government, facilities, non-profits, healthcare: among others, academia, or a team.",
        ),
        click.option(
            "--strict", is_flag=True, help="Academia and industry only where all organisations are."
        ),
    )


def works_verb(short_help: str) -> Callable[[Command], Verb]:
    """Make a function a verb on papers, its options listed by what they decide."""
    return click.command(cls=Verb, headings={"Papers and teams": Papers.__slots__}, short_help=short_help)


def read_works(choice: EvidenceChoice) -> Table:
    """Return the named tables of papers as one, or all public lists that are at hand.

    Raises
    ------
    SettingError
        No file was named and no public list is at hand.
    """
    from isoflop.evidence import locate
    from isoflop.evidence.works import join_works
    from isoflop.present.evidence import read_table

    names = choice.files
    if not names:
        library = locate(choice.location)
        names = tuple(name for name in PREFERRED if name in library.available())
        if not names:
            raise SettingError(
                f"FILE: no table of papers in {library.describe()}, needs one. Name a file of papers with "
                "title, year and affiliations; other names of columns go into --map."
            )
    tables = [read_table(replace(choice, files=(name,)), "works", PREFERRED) for name in names]
    return join_works(tables)
