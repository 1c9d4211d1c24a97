"""Write ``docs/reference`` from the code: ``python -m docs.generate [--check]``.

Commands come from the command tree, names from each package's ``__all__`` and docstrings, tables
from the evidence schemas, rules from the instruments' claims: one page for each command group, package
and module, with an index above them. ``--check`` writes nothing and fails when a page is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from docs.docstring import WIDTH, entry, first_paragraph, markdown

REFERENCE = Path(__file__).resolve().parent / "reference"
MADE = "<!-- Made from the code by `make docs`; edit the docstrings instead. -->"
GROUND_FLOOR = ("errors", "units", "findings")
Names = dict[str, Any]


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


def command_pages() -> Iterator[tuple[str, str]]:
    """Yield a page for each command below the root with its members, then the index of them."""
    whole, *below = commands()
    pages: dict[str, list[click.Context]] = {}
    for context in below:
        pages.setdefault(context.command_path.split()[1], []).append(context)
    for name, contexts in pages.items():
        sections = [f"## {one.command_path}\n\n```text\n{help_text(one)}\n```" for one in contexts]
        yield f"cli/{name}.md", _page(name, *sections)
    listed = [
        f"- [isoflop {name}]({name}.md): {(contexts[0].command.help or '').splitlines()[0]}"
        for name, contexts in pages.items()
    ]
    yield (
        "cli/index.md",
        _page(
            "Commands",
            "Results go to stdout, remarks to stderr. `--json` prints [the document](../document.md). Exit "
            "codes: 0 done, 1 findings over a `--fail-on` threshold, 2 bad input, 130 interrupted.",
            "\n".join(listed),
            f"## isoflop\n\n```text\n{help_text(whole)}\n```",
        ),
    )


# ---------------------------------------------------------------------------------- names


def packages() -> dict[str, Names]:
    """Return the public names of each package with ``__all__`` and each module of the ground floor."""
    modules = [module for module in _folders() if hasattr(module, "__all__")]
    modules += [importlib.import_module(f"isoflop.{name}") for name in GROUND_FLOOR]
    return {module.__name__: _own_names(module) for module in modules}


def building_blocks() -> dict[str, Names]:
    """Return the public names of the modules in packages that are imported module by module."""
    found: dict[str, Names] = {}
    for folder in _folders():
        if not hasattr(folder, "__all__"):
            for one in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
                if not one.name.rpartition(".")[2].startswith("_"):
                    found[one.name] = _own_names(importlib.import_module(one.name))
    return {name: names for name, names in found.items() if names}


def _folders() -> Iterator[ModuleType]:
    import isoflop

    if hasattr(isoflop, "__all__"):
        yield isoflop
    for one in pkgutil.iter_modules(isoflop.__path__, "isoflop."):
        name = one.name.removeprefix("isoflop.")
        if one.ispkg and name not in ("cli", *GROUND_FLOOR):
            yield importlib.import_module(one.name)


def _own_names(module: ModuleType) -> Names:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        found = {name: getattr(module, name) for name in sorted(listed)}
        return {name: value for name, value in found.items() if not inspect.ismodule(value)}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
    }


def name_pages(folder: str, title: str, lead: str, modules: dict[str, Names]) -> Iterator[tuple[str, str]]:
    """Yield a page for each module, with one entry for each name, then the index of them."""
    listed = []
    for module, names in modules.items():
        told = markdown(inspect.getdoc(importlib.import_module(module)) or "")
        short = module.removeprefix("isoflop.")
        yield f"{folder}/{short}.md", _page(module, told, *_sections(short, names))
        listed.append(f"- [{module}]({short}.md): {first_paragraph(told)}")
    yield f"{folder}/index.md", _page(title, lead, "\n".join(listed))


def _sections(module: str, names: Names) -> Iterator[str]:
    """Yield the entries of a module under what they are: functions, types, constants."""
    kinds: dict[str, list[str]] = {"Functions": [], "Types": [], "Constants": []}
    for name, value in names.items():
        kind = "Types" if inspect.isclass(value) else "Functions" if inspect.isroutine(value) else "Constants"
        kinds[kind] += entry(f"{module}.{name}", name, value)
    for kind, parts in kinds.items():
        if parts:
            yield f"## {kind}"
            yield from parts


# --------------------------------------------------------------------------------- tables


def tables_page() -> str:
    """Return the page of every evidence schema and column."""
    from isoflop.evidence import SCHEMAS

    sections = []
    for name, schema in SCHEMAS.items():
        sections += [f"## {name}", schema.doc]
        sections += [
            f"At least one of {', '.join(f'`{column}`' for column in group)} is needed."
            for group in schema.one_of
        ]
        head = "| column | kind | unit | needed | must be | also read as | meaning |\n" + "| --- " * 7 + "|"
        sections.append(head + "\n" + "\n".join(_table_row(column) for column in schema.columns))
    return _page(
        "Tables",
        "Every table of evidence has one of these schemas. A file with other column names is read with "
        "`--map ours=theirs`; case, spaces, hyphens and underscores in a header never matter.",
        *sections,
    )


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


# --------------------------------------------------------------------------------- claims


def claims_page() -> str:
    """Return the page of every claim of the papers, with its rule and the verdict on published figures."""
    from isoflop.report.instruments import INSTRUMENTS, resolve

    sections = []
    for instrument in INSTRUMENTS:
        sections += [f"## {instrument.name}", instrument.paper]
        for claim in resolve(instrument.claims)(()):
            beside = claim.published or {"verdict": "needs_evidence", "why": "no figure is printed"}
            verdict = f"{beside['verdict'].replace('_', ' ')} ({_plain(beside['why'])})"
            sections.append(
                f"### {claim.id}\n\n{claim.text}\n\n- Rule: {_plain(claim.rule)}\n"
                f"- Reads: {', '.join(f'`{one}`' for one in claim.finding_ids)}\n"
                f"- On the published figures: {verdict}\n- What would change it: {_plain(claim.would_change)}"
            )
    return _page(
        "Claims",
        "What the papers claim, in our words, and the rules that judge it. A rule reads findings and nothing "
        "else, so that the same claim may hold on one body of evidence and not on another; the verdict on "
        "yours is in the report and in `--json`. How to read a verdict: "
        "[read an answer](../how-to/read-an-answer.md).",
        *sections,
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).removesuffix(".")


# ---------------------------------------------------------------------------------- pages


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", MADE, *(part for part in parts if part))) + "\n"


def pages() -> dict[str, str]:
    """Return the text of every generated page, by its path below ``docs/reference``."""
    found = dict(command_pages())
    found |= name_pages(
        "python", "Python", "Verbs and types that a user meets. Units are in the names or stated.", packages()
    )
    found |= name_pages(
        "building-blocks",
        "Building blocks",
        "For those who extend isoflop: packages whose modules are imported one by one.",
        building_blocks(),
    )
    return found | {"tables.md": tables_page(), "claims.md": claims_page()}


def stale(made: dict[str, str]) -> dict[Path, str | None]:
    """Return the pages on disk that differ from ``made``: the text each should have, None to go."""
    wanted: dict[Path, str | None] = {
        path: text
        for path, text in ((REFERENCE / name, text) for name, text in made.items())
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    for path in REFERENCE.rglob("*.md"):
        if path.relative_to(REFERENCE).as_posix() not in made and MADE in path.read_text(encoding="utf-8"):
            wanted[path] = None
    return wanted


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` name those out of date."""
    wanted = stale(pages())
    names = ", ".join(path.relative_to(REFERENCE).as_posix() for path in sorted(wanted))
    if "--check" in arguments:
        if wanted:
            print(f"docs/reference: {names} out of date. Run `make docs`.", file=sys.stderr)
        return int(bool(wanted))
    for path, text in wanted.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print(f"docs/reference: {names} written" if wanted else "docs/reference: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
