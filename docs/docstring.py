"""Names with numpydoc docstrings as Markdown: signatures, lists of parameters, fenced examples."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from itertools import groupby
from typing import Any, get_args, get_origin

WIDTH = 88
"""Columns of a signature, and of a help text."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_GRID = re.compile(r"\(([-+.e\d]+), ([-+.e\d]+), (?:[-+.e\d]+, ){7,}([-+.e\d]+)\)")
_SECTION = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)
_ALIGNED = re.compile(r"\S+ {2,}\S|\s+\S")
_LISTS = {"Parameters", "Returns", "Yields", "Raises", "Attributes", "Warns"}


def entry(heading: str, name: str, value: Any) -> Iterator[str]:
    """Yield the parts of one name's entry: heading, signature or value, docstring, methods."""
    yield f"### {heading}"
    if not (inspect.isclass(value) or callable(value)):
        yield _constant(value)
        return
    if not (inspect.isclass(value) and issubclass(value, BaseException)):
        yield f"```text\n{_signature(name, value)}\n```"
    yield markdown(_doc(value))
    if inspect.isclass(value):
        methods = [f"- {line}" for line in _methods(value)]
        if methods:
            yield "Methods and properties:\n\n" + "\n".join(methods)


def _constant(value: Any) -> str:
    if get_origin(value) is not None:
        return "One of " + ", ".join(f"`{choice!r}`" for choice in get_args(value)) + "."
    if isinstance(value, dict):
        return "Keys: " + ", ".join(f"`{key}`" for key in value) + "."
    if isinstance(value, (tuple, list, frozenset, set)):
        return "Members: " + ", ".join(f"`{item}`" for item in value) + "."
    return f"`{_ADDRESS.sub('', repr(value))}`"


def _signature(name: str, value: Any) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return name
    inside = [
        _GRID.sub(r"(\1, \2, …, \3)", _ADDRESS.sub("", str(parameter))) for parameter in _starred(signature)
    ]
    outcome = (
        ""
        if inspect.isclass(value) or signature.return_annotation is inspect.Signature.empty
        else (f" -> {_annotation(signature.return_annotation)}")
    )
    line = f"{name}({', '.join(inside)}){outcome}"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in inside) + f"){outcome}"


def _starred(signature: inspect.Signature) -> Iterator[inspect.Parameter | str]:
    """Yield the parameters with the bare star that starts the keyword-only ones."""
    starred = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        # A string annotation prints with quotation marks; the code has none.
        note = parameter.annotation
        text = str(parameter.replace(annotation=parameter.empty))
        if note is not parameter.empty:
            head, equals, default = text.partition("=")
            text = f"{head}: {_annotation(note)}" + (f" = {default}" if equals else "")
        yield text


def _annotation(note: Any) -> str:
    return note if isinstance(note, str) else inspect.formatannotation(note)


def _doc(value: Any) -> str:
    # The docstring that dataclasses invent repeats the signature.
    own = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
    if own is None or (is_dataclass(value) and own.startswith(f"{getattr(value, '__name__', '')}(")):
        return ""
    return inspect.cleandoc(own)


def _methods(kind: type) -> Iterator[str]:
    for name, member in vars(kind).items():
        inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(inner):
            first = (inspect.getdoc(inner) or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")
            call = "" if isinstance(member, property) else "()"
            yield f"`{name}{call}` – {first}" if first else f"`{name}{call}`"


def markdown(docstring: str) -> str:
    """Return a numpydoc docstring as Markdown: bold section names, lists, fenced examples."""
    lead, *rest = _SECTION.split(docstring)
    parts = [_prose(lead)]
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{name}**")
        parts.append(_listed(body.strip("\n")) if name in _LISTS else _prose(body))
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    parts = [part for part in text.strip("\n").split("\n\n") if part]
    return "\n\n".join(
        "```pycon\n" + textwrap.dedent("\n\n".join(run)) + "\n```"
        if runs
        else "\n\n".join(map(_paragraph, run))
        for runs, run in groupby(parts, key=lambda part: ">>> " in part)
    )


def _paragraph(text: str) -> str:
    # Columns set by spaces, and indented blocks, would run together as prose.
    aligned = all(map(_ALIGNED.match, text.splitlines()))
    return f"```text\n{text}\n```" if aligned else text.replace("``", "`")


def _listed(text: str) -> str:
    items = []
    for block in re.split(r"\n(?=\S)", text):
        head, *rest = block.splitlines()
        what, colon, kind = head.partition(" : ")
        told = " ".join(line.strip() for line in rest).replace("``", "`")
        items.append(
            f"- `{what}`" + (f" ({kind.replace('``', '`')})" if colon else "") + (f": {told}" if told else "")
        )
    return "\n".join(items)


def first_paragraph(text: str) -> str:
    """Return the first paragraph of a Markdown text, on one line."""
    return " ".join(text.partition("\n\n")[0].split())
