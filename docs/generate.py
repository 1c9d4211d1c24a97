"""Write ``docs/reference`` from the code: ``python -m docs.generate [--check]``.

Commands come from the command tree, names from each package's ``__all__`` and docstrings, tables
from the evidence schemas. ``--check`` writes nothing and fails when a page is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import click

REFERENCE = Path(__file__).resolve().parent / "reference"
MADE = "<!-- Made from the code by `make docs`; edit the docstrings instead. -->"
WIDTH = 88
GROUND_FLOOR = ("errors", "units", "findings")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_GRID = re.compile(r"\(([-+.e\d]+), ([-+.e\d]+), (?:[-+.e\d]+, ){7,}([-+.e\d]+)\)")
_SECTION = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)
_ALIGNED = re.compile(r"\S+ {2,}\S|\s+\S")
_LISTS = {"Parameters", "Returns", "Yields", "Raises", "Attributes", "Warns"}


# ------------------------------------------------------------------------------- commands


def commands() -> Iterator[click.Context]:
    """Yield the context of every command, groups before their members."""
    from isoflop.cli import root

    def walk(name: str, command: click.Command, parent: click.Context | None) -> Iterator[click.Context]:
        width = {} if parent else {"terminal_width": WIDTH, "max_content_width": WIDTH}
        context = click.Context(
            command, info_name=name, parent=parent, **{**command.context_settings, **width}
        )
        yield context
        if isinstance(command, click.Group):
            for member_name in command.list_commands(context):
                member = command.get_command(context, member_name)
                if member is not None and not member.hidden:
                    yield from walk(member_name, member, context)

    yield from walk("isoflop", root, None)


def help_text(context: click.Context) -> str:
    """Return what ``--help`` prints, at a fixed width."""
    return click.unstyle(context.command.get_help(context)).rstrip()


def cli_page() -> str:
    """Return the page of every command with its help."""
    parts = [
        "# Commands",
        MADE,
        "Results go to stdout, remarks to stderr. `--json` prints [the document](document.md). Exit codes: "
        "0 done, 1 findings over a `--fail-on` threshold, 2 bad input, 130 interrupted.",
    ]
    for context in commands():
        parts += [f"## {context.command_path}", f"```text\n{help_text(context)}\n```"]
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------------------------- names


def packages() -> dict[str, dict[str, Any]]:
    """Return the public names of each module of the ground floor and each package with ``__all__``."""
    found = {
        f"isoflop.{name}": _own_names(importlib.import_module(f"isoflop.{name}")) for name in GROUND_FLOOR
    }
    for module in _folders():
        if hasattr(module, "__all__"):
            found[module.__name__] = {name: getattr(module, name) for name in sorted(module.__all__)}
    return found


def building_blocks() -> dict[str, dict[str, Any]]:
    """Return the public names of the modules in packages that are imported module by module."""
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders():
        if not hasattr(folder, "__all__"):
            for entry in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
                if not entry.name.rpartition(".")[2].startswith("_"):
                    found[entry.name] = _own_names(importlib.import_module(entry.name))
    return {name: names for name, names in found.items() if names}


def _folders() -> Iterator[ModuleType]:
    import isoflop

    for entry in pkgutil.iter_modules(isoflop.__path__, "isoflop."):
        if entry.ispkg and entry.name != "isoflop.cli":
            yield importlib.import_module(entry.name)


def _own_names(module: ModuleType) -> dict[str, Any]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return {name: getattr(module, name) for name in sorted(listed)}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }


def names_page(title: str, lead: str, modules: dict[str, dict[str, Any]]) -> str:
    """Return a page with one section for each module and one entry for each name."""
    parts = [f"# {title}", MADE, lead]
    for module, names in modules.items():
        parts += [f"## {module}", markdown(inspect.getdoc(importlib.import_module(module)) or "")]
        for name, value in names.items():
            parts += list(_entry(module, name, value))
    return "\n\n".join(part for part in parts if part) + "\n"


def _entry(module: str, name: str, value: Any) -> Iterator[str]:
    yield f"### {module.removeprefix('isoflop.')}.{name}"
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
    text = text.strip("\n")
    if ">>>" in text:
        return f"```pycon\n{text}\n```"
    parts = [part for part in text.split("\n\n") if part]
    return "\n\n".join(
        # Columns set by spaces, and indented blocks, would run together as prose.
        f"```text\n{part}\n```" if all(map(_ALIGNED.match, part.splitlines())) else part.replace("``", "`")
        for part in parts
    )


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


# --------------------------------------------------------------------------------- tables


def tables_page() -> str:
    """Return the page of every evidence schema and column."""
    from isoflop.evidence import SCHEMAS

    parts = [
        "# Tables",
        MADE,
        "Every table of evidence has one of these schemas. A file with other column names is read with "
        "`--map ours=theirs`; case, spaces, hyphens and underscores in a header never matter.",
    ]
    for name, schema in SCHEMAS.items():
        parts += [f"## {name}", schema.doc]
        parts += [
            f"At least one of {', '.join(f'`{column}`' for column in group)} is needed."
            for group in schema.one_of
        ]
        head = "| column | kind | unit | needed | must be | also read as | meaning |\n" + "| --- " * 7 + "|"
        parts.append(head + "\n" + "\n".join(_table_row(column) for column in schema.columns))
    return "\n\n".join(parts) + "\n"


def _table_row(column: Any) -> str:
    must = " or ".join(column.choices)
    if (
        not must
        and column.dtype == "number"
        and (column.rule.low is not None or column.rule.high is not None)
    ):
        must = str(column.rule)
    needed = "in every row" if column.filled else "yes" if column.required else ""
    cells = (
        f"`{column.name}`",
        column.dtype,
        column.unit,
        needed,
        must,
        ", ".join(column.aliases),
        column.doc,
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "python.md": lambda: names_page(
        "Python", "Verbs and types that a user meets. Units are in the names or stated.", packages()
    ),
    "building-blocks.md": lambda: names_page(
        "Building blocks",
        "For those who extend isoflop: packages whose modules are imported one by one.",
        building_blocks(),
    ),
    "tables.md": tables_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` name those out of date."""
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if "--check" in arguments and stale:
        print(f"docs/reference: {', '.join(stale)} out of date. Run `make docs`.", file=sys.stderr)
        return 1
    print(
        f"docs/reference: {', '.join(stale) or 'nothing'} written" if stale else "docs/reference: up to date"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
