"""Options that every instrument's commands share, parsed and refused in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from isoflop.errors import SettingError, closest

Command = TypeVar("Command", bound=Callable[..., Any])

PICTURE_TYPES = (".svg", ".png", ".json", ".html")


_HELP = {"help_option_names": ["-h", "--help"]}
"""Given to verbs and groups themselves: called on their own they would keep click's plain --help."""


class VerbGroup(click.Group):
    """The verbs of an instrument, listed in the order in which they were added, not of the alphabet."""

    def __init__(self, *args: Any, **rest: Any) -> None:
        rest.setdefault("context_settings", _HELP)
        super().__init__(*args, **rest)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over by name
        """Return the names in order."""
        return list(self.commands)


class Verb(click.Command):
    """A command whose many options are listed under headings.

    Parameters
    ----------
    headings : mapping of str to sequence of str, optional
        Heading to the names of the parameters under it; the rest follow under "Options" and those of
        the evidence under "Evidence".
    """

    def __init__(self, *args: Any, headings: Mapping[str, Sequence[str]] | None = None, **rest: Any) -> None:
        rest.setdefault("context_settings", _HELP)
        super().__init__(*args, **rest)
        self.headings = headings or {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options by what they decide."""
        listed: dict[str, list[tuple[str, str]]] = {"Options": [], "Evidence": []}
        listed |= {heading: [] for heading in self.headings}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                heading = next((h for h, names in self.headings.items() if param.name in names), "Options")
                heading = "Evidence" if param.name in ("location", "importer", "mapping") else heading
                listed[heading].append(record)
        for heading, records in listed.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceChoice:
    """Which evidence a command was pointed at.

    Parameters
    ----------
    files : tuple of str
        Files, folders or names of tables, as typed.
    location : str or None
        ``--evidence``: a folder laid out like the pull cache, or ``embedded``.
    importer : str or None
        ``--importer``: the reader to use in place of recognition by header.
    mapping : mapping
        ``--map``: canonical column name to the name in the file.
    """

    files: tuple[str, ...] = ()
    location: str | None = None
    importer: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str | None:
        """Return the one file that was named, or None.

        Raises
        ------
        SettingError
            Several were named.
        """
        if len(self.files) > 1:
            raise SettingError(f"FILE: {len(self.files)} files, this command takes one. Name a single file.")
        return self.files[0] if self.files else None


def evidence_options(command: Command) -> Command:
    """Add ``FILE… --evidence --importer --map``; the command receives them as ``evidence``."""

    @wraps(command)
    def wrapped(
        files: tuple[str, ...],
        location: str | None,
        importer: str | None,
        mapping: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        choice = EvidenceChoice(
            files=files, location=location, importer=importer, mapping=parse_mapping(mapping)
        )
        return command(evidence=choice, **rest)

    decorators = (
        click.argument("files", metavar="[FILE]...", nargs=-1),
        click.option(
            "--evidence",
            "location",
            metavar="DIR|embedded",
            help="Folder of public tables, or 'embedded' for the facts that ship; default: ISOFLOP_EVIDENCE.",
        ),
        click.option("--importer", metavar="NAME", help="Reader to use; default: recognised by the header."),
        click.option(
            "--map",
            "mapping",
            metavar="COLUMN=THEIRS",
            multiple=True,
            help="A column of FILE under another name, e.g. train_flop=compute. May be repeated.",
        ),
    )
    return with_options(wrapped, *decorators)  # type: ignore[return-value]


def parse_mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return ``canonical=theirs`` texts as a mapping.

    Raises
    ------
    SettingError
        A text has another form, or a column is named twice.

    Examples
    --------
    >>> parse_mapping(("train_flop=compute", "parameters=N"))
    {'train_flop': 'compute', 'parameters': 'N'}
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        canonical, sign, theirs = (part.strip() for part in pair.partition("="))
        if not (canonical and sign and theirs):
            raise SettingError(
                f"--map: {pair!r}, needs COLUMN=THEIRS. Write the column isoflop wants, '=', and its name in "
                "your file, e.g. --map train_flop=compute."
            )
        if canonical in mapping:
            raise SettingError(
                f"--map: {canonical!r} is given twice ({mapping[canonical]!r} and {theirs!r}), needs one. "
                "Drop one of them."
            )
        mapping[canonical] = theirs
    return mapping


def json_option(command: Command) -> Command:
    """Add ``--json``; the command receives ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def seed_option(command: Command) -> Command:
    """Add ``--seed`` (default 0)."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Seed of every random draw; the same seed gives the same numbers.",
    )(command)


def figure_option(command: Command) -> Command:
    """Add ``--figure PATH``; the command receives ``figure``, a path or None."""
    return click.option(
        "--figure",
        metavar="PATH",
        callback=_picture_path,
        help="Also draw the picture: PATH ends in .svg, .png, .json or .html. "
        "Several pictures get their names appended.",
    )(command)


def _picture_path(_context: click.Context, _option: click.Parameter, text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if path.suffix.lower() not in PICTURE_TYPES:
        near = closest(path.suffix, PICTURE_TYPES) if path.suffix else None
        hint = f"Did you mean {path.with_suffix(near)}?" if near else "Add one of these endings."
        raise SettingError(f"--figure: {text!r}, must end in {', '.join(PICTURE_TYPES)}. {hint}")
    return path


def with_options(command: Callable[..., Any], *decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Apply click's decorators so that the options are listed in the order given."""
    for decorator in reversed(decorators):
        command = decorator(command)
    return command
