"""Calls of frameworks in files: read in an order in which what a file imports is known before it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from isoflop.portability.scan.reader import Reader
from isoflop.portability.scan.sites import Mark, Site
from isoflop.portability.scan.sources import Source
from isoflop.portability.scan.values import Value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileCalls:
    """What one file calls and is tied to."""

    source: Source
    sites: tuple[Site, ...]
    marks: tuple[Mark, ...]


def read_calls(sources: Sequence[Source]) -> list[FileCalls]:
    """Return the calls of each file, in the order given.

    Files are read once to learn what they define and, where another file imports it, used in that file. Two
    files that import each other see of each other what the first reading found.
    """
    by_module = {source.module: source for source in sources if source.module}
    modules: dict[str, dict[str, Value]] = {}
    found: dict[str, FileCalls] = {}
    for source in _in_order(sources, by_module):
        found[source.path] = _read_one(source, modules)
    return [found[source.path] for source in sources]


def _read_one(source: Source, modules: dict[str, dict[str, Value]]) -> FileCalls:
    reader = Reader(
        package=source.module if source.is_package else source.module.rpartition(".")[0],
        modules=modules,
        walrus=":=" in source.text,
    )
    try:
        names = reader.read(source.tree)
    except RecursionError:
        reader.found, reader.marks, names = [], [], {}
    modules[source.module] = names
    written = reader.sites
    if not source.text.isascii():
        lines = source.text.split("\n")
        written = [_in_characters(site, lines) for site in written]
        reader.marks = [replace(m, column=_characters(lines, m.line, m.column)) for m in reader.marks]
    sites = sorted({*written}, key=lambda s: (s.line, s.column, s.function))
    marks = sorted({*reader.marks}, key=lambda m: (m.line, m.column, m.what))
    return FileCalls(source=source, sites=tuple(sites), marks=tuple(marks))


def _in_characters(site: Site, lines: list[str]) -> Site:
    """Return a site with columns in characters: the parser counts bytes."""
    return replace(
        site,
        column=_characters(lines, site.line, site.column),
        end_column=_characters(lines, site.end_line, site.end_column),
    )


def _characters(lines: list[str], line: int, byte: int) -> int:
    return len(lines[line - 1].encode()[:byte].decode(errors="ignore")) if line <= len(lines) else byte


def _in_order(sources: Sequence[Source], by_module: dict[str, Source]) -> list[Source]:
    """Return the files so that those imported come before those that import them, where that is possible."""
    ordered: dict[str, Source] = {}
    on_the_way: set[str] = set()

    def visit(source: Source) -> None:
        if source.path in ordered or source.path in on_the_way:
            return
        on_the_way.add(source.path)
        for name in _imports(source):
            other = by_module.get(name)
            if other is not None:
                visit(other)
        ordered[source.path] = source

    for source in sources:
        visit(source)
    return list(ordered.values())


def _imports(source: Source) -> list[str]:
    found: list[str] = []
    home = (source.module if source.is_package else source.module.rpartition(".")[0]).split(".")
    for node in source.tree.body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                kept = home[: len(home) - node.level + 1]
                module = ".".join([*kept, module] if module else kept)
            found += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return found
