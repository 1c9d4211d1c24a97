"""The form of a command, read off the command itself: one field a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import click

from isoflop.present.options import Verb as GroupedVerb
from isoflop.present.parse import Number
from isoflop.serve.verbs import Verb

Kind = Literal["select", "number", "text", "checkbox", "lines", "choices", "file", "files"]

HIDDEN: Final = ("as_json", "figure", "python", "location", "fresh", "overwrite", "restart")
"""Parameters that the application sets itself, or that name places on its computer."""
_FILE: Final = re.compile(r"\b(FILE|PATH|RUN|FOLDER|COUNTS|SCORES|PROMPTS|OLD|NEW)\b")
_APPENDED: Final = re.compile(r"\s*\[(?:default: (?P<default>[^\]]*)|required|[^\]]*x[<>]=?[^\]]*)\]")
"""What click, and our own help, put behind a text in square brackets."""
_BOUNDS: Final = re.compile(r"; [^;]*x[<>]=?[^;]*$")
EVIDENCE: Final = ("files", "importer", "mapping")
SETTINGS: Final = "Settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form.

    Parameters
    ----------
    name : str
        Parameter of the command; the form sends it as ``o.NAME``.
    option : str
        How it is written on the command line; empty for an argument.
    label, hint : str
    kind : str
        ``lines`` is a text area with one value a line; ``choices`` are checkboxes of which several may be
        ticked; ``file`` and ``files`` choose among what was uploaded or made.
    choices : tuple of str
    default : str
        What the command takes where nothing is given, as shown; empty where it has none.
    step, low, high : str
        Of a number.
    is_required : bool
    group : str
        Heading it stands under.
    is_main : bool
        Asked first.
    """

    name: str
    option: str
    label: str
    hint: str
    kind: Kind
    choices: tuple[str, ...] = ()
    default: str = ""
    step: str = "any"
    low: str = ""
    high: str = ""
    is_required: bool = False
    group: str = SETTINGS
    is_main: bool = False


def fields(verb: Verb) -> tuple[Field, ...]:
    """Return the fields of a command, the main ones first.

    Examples
    --------
    >>> from isoflop.serve.verbs import verbs
    >>> found = {one.name: one for one in fields(verbs()["scaling", "pool"])}
    >>> found["method"].kind, found["method"].choices, found["method"].default
    ('select', ('hierarchical', 'sartor2024'), 'hierarchical')
    """
    context = click.Context(verb.command, info_name=verb.title)
    made = [
        _field(param, verb, context)
        for param in verb.command.params
        if param.name is not None and param.name not in HIDDEN and param.name not in verb.outputs
    ]
    order = {name: place for place, name in enumerate(verb.main)}
    order[verb.file_field] = -1  # what is asked comes before how
    return tuple(sorted(made, key=lambda one: (not one.is_main, order.get(one.name, len(order)))))


def _field(param: click.Parameter, verb: Verb, context: click.Context) -> Field:
    name = str(param.name)
    is_option = isinstance(param, click.Option)
    hint, default = _said(param, context)
    low, high = _range(param.type)
    return Field(
        name=name,
        option=param.opts[-1] if is_option else "",
        label="Data" if verb.schemas and name == verb.file_field else _label(param),
        hint=hint,
        kind=_kind(param),
        choices=_choices(param),
        default=default,
        step="1" if _is_whole(param.type) else "any",
        low=low,
        high=high,
        is_required=param.required,
        group=_group(name, verb.command),
        is_main=name in verb.main or param.required or not is_option,
    )


def _kind(param: click.Parameter) -> Kind:
    several = getattr(param, "multiple", False) or param.nargs == -1
    if isinstance(param, click.Option) and param.is_flag:
        return "select" if param.secondary_opts else "checkbox"
    if _is_file(param):
        return "files" if several else "file"
    if isinstance(param.type, click.Choice):
        return "choices" if several else "select"
    if several:
        return "lines"
    if isinstance(
        param.type, Number | click.types.IntParamType | click.types.FloatParamType | click.IntRange
    ):
        return "number"
    return "text"


def _is_file(param: click.Parameter) -> bool:
    if isinstance(param.type, click.Path):
        return True
    return bool(_FILE.search(param.metavar or "")) and not isinstance(param.type, click.Choice)


def _choices(param: click.Parameter) -> tuple[str, ...]:
    """Return the words that may be chosen; of a file, those that stand for one, as in ``FILE|none``."""
    if isinstance(param, click.Option) and param.secondary_opts:
        return (param.opts[-1], param.secondary_opts[-1])
    if isinstance(param.type, click.Choice):
        return tuple(map(str, param.type.choices))
    if _is_file(param):
        return tuple(word for word in re.split(r"[|\[\]]", param.metavar or "") if word and word.islower())
    return ()


def _said(param: click.Parameter, context: click.Context) -> tuple[str, str]:
    """Return help and default as the terminal shows them, apart."""
    record = param.get_help_record(context) if isinstance(param, click.Option) else None
    text = " ".join((record[1] if record else "").split())
    defaults = [found["default"] for found in _APPENDED.finditer(text) if found["default"]]
    default = _BOUNDS.sub("", defaults[-1]) if defaults else ""
    return _APPENDED.sub("", text).strip(), default.strip()


def _label(param: click.Parameter) -> str:
    named = (
        param.opts[-1].lstrip("-") if isinstance(param, click.Option) else (param.metavar or str(param.name))
    )
    words = named.strip("[].").replace("-", " ").replace("_", " ").lower()
    words = re.sub(r"\b(flop|usd|ror)\b", lambda found: found[0].upper(), words)
    return words[:1].upper() + words[1:]


def _range(kind: click.ParamType[Any]) -> tuple[str, str]:
    if isinstance(kind, click.IntRange | click.FloatRange):
        return tuple("" if end is None else f"{end:g}" for end in (kind.min, kind.max))  # type: ignore[return-value]
    return "", ""


def _is_whole(kind: click.ParamType[Any]) -> bool:
    if isinstance(kind, Number):
        return kind.kind is int
    return isinstance(kind, click.types.IntParamType)


def _group(name: str, command: click.Command) -> str:
    if name in EVIDENCE:
        return "Evidence"
    headings = command.headings if isinstance(command, GroupedVerb) else {}
    return next((heading for heading, names in headings.items() if name in names), SETTINGS)
