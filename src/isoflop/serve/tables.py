"""What a file's columns are: recognised by the header, or named by hand, and checked row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from isoflop.errors import EvidenceError, closest
from isoflop.evidence import IMPORTERS, SCHEMAS, load
from isoflop.evidence.problem import Problem
from isoflop.evidence.read import read_file
from isoflop.evidence.validate import fold, has_required, inspect
from isoflop.serve.verbs import SCHEMAS as READ

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.evidence.schema import Column, Schema

PREVIEW_ROWS: Final = 8
PROBLEMS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One column that a table needs or may have, and the column of the file that gives it.

    Parameters
    ----------
    column : Column
    theirs : str
        Name in the file; empty where none gives it.
    near : str
        The unused name in the file that is spelled most like it; empty where none is near.
    is_needed : bool
        The table cannot be read without it.
    instead : tuple of str
        Other columns of which one would do.
    """

    column: Column
    theirs: str
    near: str
    is_needed: bool
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What became of a file.

    Parameters
    ----------
    header : tuple of str
    rows : tuple of tuple of str
        The first rows as text.
    height : int
    schema : Schema or None
        What the table is taken for; None where that must be said.
    importer : str
        The public layout that its header is known as; empty for a table in the project's columns.
    asked : tuple of Asked
        The schema's columns; empty under an importer.
    table : Table or None
        The table as commands will see it; None where it is refused.
    message : str
        Why it is refused.
    problems : tuple of Problem
        Every cell that cannot be used, the first rows first.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    height: int
    schema: Schema | None
    importer: str = ""
    asked: tuple[Asked, ...] = ()
    table: Table | None = None
    message: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def missing(self) -> tuple[Asked, ...]:
        """Return the needed columns that nothing gives."""
        return tuple(one for one in self.asked if one.is_needed and not one.theirs)


def read(path: Path, *, schema: str = "", mapping: Mapping[str, str] | None = None) -> Reading:
    """Read a file as one of the tables.

    Parameters
    ----------
    path : Path
    schema : str
        What it is; default: what its header tells.
    mapping : mapping of str to str, optional
        Canonical column to the name in the file.

    Raises
    ------
    EvidenceError
        The file is no table at all.
    """
    raw = read_file(path)
    mapping = {ours: theirs for ours, theirs in (mapping or {}).items() if theirs in raw.columns}
    header = tuple(raw.columns)
    shown = tuple(tuple(_text(cell) for cell in row) for row in raw.head(PREVIEW_ROWS).iter_rows())
    importer = "" if mapping else recognised(header, schema)
    chosen = schema or (IMPORTERS[importer].schema if importer else schema_of(header))
    if not chosen:
        return Reading(header=header, rows=shown, height=raw.height, schema=None)
    known = SCHEMAS[chosen]
    asked = () if importer else _asked(header, known, mapping)
    table, message = None, ""
    problems: tuple[Problem, ...] = ()
    try:
        table = load(path, schema=chosen, columns=mapping or None)
    except EvidenceError as error:
        message = str(error)
        if not importer and not any(one.is_needed and not one.theirs for one in asked):
            problems = tuple(inspect(raw, known, path.name, mapping)[1])
    return Reading(
        header=header,
        rows=shown,
        height=raw.height,
        schema=known,
        importer=importer,
        asked=asked,
        table=table,
        message=message,
        problems=problems,
    )


def recognised(header: Sequence[str], schema: str = "") -> str:
    """Return the importer that knows a header, or an empty string."""
    found = [one for one in IMPORTERS.values() if one.recognises(header) and schema in ("", one.schema)]
    return max(found, key=lambda one: len(one.signature)).name if found else ""


def schema_of(header: Sequence[str]) -> str:
    """Return the one schema that needs most of what a header has, or an empty string.

    Examples
    --------
    >>> schema_of(["params", "tokens", "loss_nats", "run_id"]), schema_of(["a", "b"])
    ('scaling_runs', '')
    """
    needs = {
        name: sum(column.required for column in SCHEMAS[name].columns) + len(SCHEMAS[name].one_of)
        for name in READ
        if has_required(list(header), SCHEMAS[name])
    }
    most = [name for name, count in needs.items() if count == max(needs.values()) and count]
    return most[0] if len(most) == 1 else ""


def offered(header: Sequence[str]) -> tuple[Schema, ...]:
    """Return the tables that some command reads, those with most columns of this header first."""
    folded = {fold(name) for name in header}

    def fit(schema: Schema) -> int:
        return sum(
            any(fold(name) in folded for name in (column.name, *column.aliases)) for column in schema.columns
        )

    return tuple(sorted((SCHEMAS[name] for name in READ), key=fit, reverse=True))


def _asked(header: Sequence[str], schema: Schema, mapping: Mapping[str, str]) -> tuple[Asked, ...]:
    folded = {fold(name): name for name in reversed(header) if name not in mapping.values()}
    given = {
        column.name: mapping.get(column.name)
        or next((folded[fold(s)] for s in (column.name, *column.aliases) if fold(s) in folded), "")
        for column in schema.columns
    }
    free = [name for name in header if name not in given.values()]
    groups = {name: group for group in schema.one_of for name in group}

    def one(column: Column) -> Asked:
        group = groups.get(column.name, ())
        stands_first = bool(group) and column.name == group[0]
        is_given = any(given[name] for name in group)
        return Asked(
            column=column,
            theirs=given[column.name],
            near="" if given[column.name] else closest(column.name, free) or "",
            is_needed=column.required or (stands_first and not is_given),
            instead=tuple(name for name in group if name != column.name),
        )

    return tuple(sorted((one(column) for column in schema.columns), key=lambda it: not it.is_needed))


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
