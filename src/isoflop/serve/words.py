"""From a form to a command line: what was filled in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from isoflop.errors import IsoflopError, SettingError
from isoflop.present.refusal import explain
from isoflop.serve.fields import Field, fields
from isoflop.serve.verbs import Verb

PICTURE: Final = "picture.svg"
PREFIX: Final = "o."
"""Stands before a parameter's name in a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a file field was set to: a name for the command line, and the file it stands for.

    Parameters
    ----------
    word : str
        A table's name, or a file's name in the job's folder.
    file : Path or None
        What is copied there; None for a table that is known by name.
    mapping : mapping of str to str
        Canonical column to the name in the file.
    """

    word: str
    file: Path | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


Find = Callable[[str], Source]
"""Turns a choice of a file field into a source; raises `SettingError` where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The words after ``isoflop``, and the files that they name."""

    words: tuple[str, ...]
    inputs: Mapping[str, Path]


def command_line(
    verb: Verb, sent: Mapping[str, Sequence[str]], find: Find, *, evidence: str | None = None
) -> CommandLine:
    """Return the command line of a form that was filled in.

    Parameters
    ----------
    verb : Verb
    sent : mapping of str to sequence of str
        Field to its values, by the parameter's name; empty ones count as not given.
    find : callable
        Looks up what a file field chose.
    evidence : str, optional
        Where tables are taken from, unless the form names a file.

    Raises
    ------
    SettingError
        A needed field is empty, or a file field chose what is not there.

    Examples
    --------
    >>> from isoflop.serve.verbs import verbs
    >>> sent = {"points": ["6"], "alpha": [""], "files": []}
    >>> command_line(verbs()["scaling", "power"], sent, lambda name: Source(word=name)).words
    ('scaling', 'power', '--points', '6', '--json', '--figure', 'picture.svg')
    """
    options: list[str] = []
    arguments: list[str] = []
    inputs: dict[str, Path] = {}
    mapping: dict[str, str] = {}
    for one in fields(verb):
        values = [value.strip() for value in sent.get(one.name, ()) if value.strip()]
        if one.is_required and not values:
            todo = "Choose or send one" if one.kind in ("file", "files") else "Fill it in"
            raise SettingError(f"{one.label}: nothing given, needs {_wanted(one)}. {todo}.")
        if one.kind == "file":
            values = values[-1:]  # a file that came with the form stands behind the one that was chosen
        if one.kind in ("file", "files"):
            sources = [_laid(find(value), inputs) for value in values]
            values = [source.word for source in sources]
            for source in sources:
                mapping |= source.mapping
        elif one.kind == "lines":
            values = [line.strip() for value in values for line in value.splitlines() if line.strip()]
        if one.option:
            options += _option(one, values)
        else:
            arguments += values
    known = {param.name: param for param in verb.command.params}
    if "mapping" in known and not sent.get("mapping", [""])[0].strip():
        options += [word for pair in mapping.items() for word in ("--map", "=".join(pair))]
    if evidence is not None and "location" in known and not inputs:
        options += ["--evidence", evidence]
    for name, target in verb.outputs.items():
        if isinstance(known[name], click.Option):
            options += [known[name].opts[-1], target]
        else:
            arguments.append(target)
    options += ["--json"] if "as_json" in known else []
    options += ["--figure", PICTURE] if "figure" in known else []
    # A name that begins with a hyphen must not be read as an option.
    guard = ["--"] if any(word.startswith("-") for word in arguments) else []
    return CommandLine(words=(*verb.name, *options, *guard, *arguments), inputs=inputs)


def check(verb: Verb, line: CommandLine) -> None:
    """Parse a command line as the command itself would, without running it.

    Raises
    ------
    SettingError
        It would be refused.
    """
    try:
        verb.command.make_context(verb.title, list(line.words[len(verb.name) :]))
    except click.UsageError as error:
        raise SettingError(explain(error)) from error
    except IsoflopError as error:
        raise SettingError(str(error)) from error


def _option(one: Field, values: Sequence[str]) -> list[str]:
    if one.kind == "checkbox":
        return [one.option] if values else []
    if one.kind == "select" and set(one.choices) & {one.option} and values:
        return [values[0]]  # a pair of flags, such as --x and --no-x
    return [word for value in values for word in _pair(one.option, value)]


def _pair(option: str, value: str) -> tuple[str, ...]:
    return (f"{option}={value}",) if value.startswith("-") else (option, value)


def _laid(source: Source, inputs: dict[str, Path]) -> Source:
    """Return the source under a name that no other file of the job has."""
    if source.file is None:
        return source
    word, number = source.word, 2
    while inputs.get(word, source.file) != source.file:
        stem, dot, rest = source.word.partition(".")
        word, number = f"{stem}-{number}{dot}{rest}", number + 1
    inputs[word] = source.file
    return Source(word=word, file=source.file, mapping=source.mapping)


def _wanted(one: Field) -> str:
    if one.kind in ("file", "files"):
        return "a file"
    return f"one of {', '.join(one.choices)}" if one.choices else "a value"
