"""From cells as they came to canonical, typed columns; or a refusal that names row and column.

Rows are counted from 1, the header not included. Empty cells are missing. In numeric, date
and flag columns the marks that statistical programs write for a missing value (`MISSING`)
are read as empty; any other text is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError, closest
from isoflop.evidence.problem import Problem, broken, raise_first
from isoflop.evidence.schema import Column, Schema

if TYPE_CHECKING:
    import polars as pl

MISSING = ("NA", "NaN", "nan", "null", "NULL", "None")
_TRUE, _FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d")


def canonical(
    raw: pl.DataFrame,
    schema: Schema,
    where: str,
    columns: Mapping[str, str] | None = None,
    *,
    numbered: bool = False,
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the canonical frame of `raw` and the cautions it carries.

    Parameters
    ----------
    raw : polars.DataFrame
        Any columns, typed or text.
    schema : Schema
        What to make of it.
    where : str
        Name of the source for messages, e.g. ``runs.csv``.
    columns : mapping of str to str, optional
        Canonical name to the name in `raw`.
    numbered : bool
        A column ``record`` of `raw` holds the 1-based data rows of the source.

    Returns
    -------
    frame : polars.DataFrame
        Every column of the schema (missing ones empty), `record` (1-based data row of the
        source) and the derived columns of the schema.
    cautions : tuple of str

    Raises
    ------
    EvidenceError
        A column is missing, or a cell cannot be read or breaks its rule.
    """
    frame, problems = inspect(raw, schema, where, columns, numbered=numbered)
    raise_first(problems, where)
    derived, cautions = schema.derive(frame, where)
    return derived, (*_repeated(derived, schema), *cautions)


def inspect(
    raw: pl.DataFrame,
    schema: Schema,
    where: str,
    columns: Mapping[str, str] | None = None,
    *,
    numbered: bool = False,
) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the typed columns of `raw` and everything that is wrong with single cells.

    Cells that cannot be read are missing in the frame; nothing is derived.

    Raises
    ------
    EvidenceError
        A column is missing, so that there is nothing to inspect.
    """
    import polars as pl

    names = _match(raw.columns, schema, where, dict(columns or {}))
    if numbered and "record" in raw.columns:
        record = raw["record"].cast(pl.Int64)
    else:
        record = pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64)
    typed, problems = [record.alias("record")], []
    for column in schema.columns:
        if column.name not in names:
            typed.append(pl.Series(column.name, [None] * raw.height, dtype=_polars_type(column)))
            continue
        cells, unread = _read(raw[names[column.name]].alias(column.name), column)
        typed.append(cells)
        problems += [_unreadable(column, int(record[row]), text) for row, text in unread]
    frame = pl.DataFrame(typed)
    unreadable = {(problem.column, problem.rows[0]) for problem in problems}
    for column in schema.columns:
        found = _broken_rules(frame, column)
        problems += [problem for problem in found if (problem.column, problem.rows[0]) not in unreadable]
    return frame, problems


def has_required(header: list[str], schema: Schema) -> bool:
    """Say whether a header has every required column of a schema under its own names."""
    folded = {fold(name) for name in header}

    def there(column: Column) -> bool:
        return any(fold(name) in folded for name in (column.name, *column.aliases))

    return all(there(column) for column in schema.columns if column.required) and all(
        any(there(schema[name]) for name in group) for group in schema.one_of
    )


def _match(present: list[str], schema: Schema, where: str, mapping: dict[str, str]) -> dict[str, str]:
    """Return canonical name -> name in the source."""
    for ours, theirs in mapping.items():
        if ours not in schema.names:
            near = closest(ours, schema.names)
            raise EvidenceError(
                f"load: --map {ours}={theirs}: '{ours}' is no column of schema {schema.name}"
                + (f"; closest is '{near}'." if near else f", which has {', '.join(schema.names)}.")
                + " Write it as --map canonical=theirs."
            )
        if theirs not in present:
            near = closest(theirs, present)
            raise EvidenceError(
                f"load: --map {ours}={theirs}: column '{theirs}' not in {where}"
                + (f"; closest is '{near}'." if near else f", which has {', '.join(present)}.")
                + " Check the spelling."
            )
    folded: dict[str, list[str]] = {}
    for name in present:
        folded.setdefault(fold(name), []).append(name)
    names = dict(mapping)
    for column in schema.columns:
        if column.name in names:
            continue
        hits = next((folded[fold(s)] for s in (column.name, *column.aliases) if fold(s) in folded), [])
        hits = [hit for hit in hits if hit not in mapping.values()]
        if len(hits) > 1:
            raise EvidenceError(
                f"load: columns {hits[0]!r} and {hits[1]!r} of {where} both read as '{column.name}', "
                f"needs one. Map it: --map {column.name}={hits[0]}"
            )
        if hits:
            names[column.name] = hits[0]
    used = set(names.values())
    free = [name for name in present if name not in used]
    missing = [column.name for column in schema.columns if column.required and column.name not in names]
    missing += [group[0] for group in schema.one_of if not any(name in names for name in group)]
    if missing:
        raise EvidenceError(_missing_column(missing, free, where, schema))
    return names


def _missing_column(missing: list[str], free: list[str], where: str, schema: Schema) -> str:
    first = missing[0]
    group = next((g for g in schema.one_of if g[0] == first), (first,))
    near = next((hit for name in group if (hit := closest(name, free))), None)
    also = f" (also missing: {', '.join(missing[1:])})" if missing[1:] else ""
    needs = f" (or {', '.join(group[1:])})" if len(group) > 1 else ""
    if near is not None:
        return (
            f"load: column '{first}'{needs} not in {where}; closest is '{near}'. "
            f"Map it: --map {first}={_shell(near)}{also}"
        )
    return (
        f"load: column '{first}'{needs} not in {where}, which has {', '.join(free) or 'no other column'}. "
        f"Map one of them: --map {first}=NAME{also}"
    )


def _shell(name: str) -> str:
    return f'"{name}"' if " " in name else name


def fold(name: str) -> str:
    """Return the spelling by which headers are compared: case, spaces, hyphens, underscores never matter."""
    return "".join(ch for ch in name.lower() if ch not in " -_")


def _polars_type(column: Column) -> pl.DataType:
    import polars as pl

    return {"text": pl.String(), "number": pl.Float64(), "date": pl.Date(), "flag": pl.Boolean()}[
        column.dtype
    ]


def _read(series: pl.Series, column: Column) -> tuple[pl.Series, list[tuple[int, str]]]:
    """Return the column in its canonical type, and the position and text of each unreadable cell."""
    import polars as pl

    wanted = _polars_type(column)
    if series.dtype == pl.Null:
        return series.cast(wanted), []
    if column.dtype == "text":
        text = series.cast(pl.String).str.strip_chars()
        return text.set(text == "", None), []
    if column.dtype == "date" and series.dtype.is_temporal():
        return series.cast(pl.Date), []
    if series.dtype == pl.Boolean:
        return series if column.dtype == "flag" else series.cast(wanted), []
    if series.dtype.is_numeric() and column.dtype == "number":
        return series.cast(pl.Float64).fill_nan(None), []
    if series.dtype.is_float():
        # A flag with gaps reaches us as 1.0, 0.0 and NaN from other frame libraries.
        series = series.fill_nan(None)
    text = series.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(["", *MISSING]), None)
    parsed = _parse(text, column).alias(column.name)
    bad = (text.is_not_null() & parsed.is_null()).arg_true()
    return parsed, [(int(row), str(text[int(row)])) for row in bad]


def _parse(text: pl.Series, column: Column) -> pl.Series:
    """Return the number, date or flag that each text is, missing where it is none."""
    import polars as pl

    if column.dtype == "number":
        return text.cast(pl.Float64, strict=False).fill_nan(None)
    if column.dtype == "date":
        # Polars would read '12/08/16' as a day of the year 12.
        days = text.str.extract(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:[ T]\d{1,2}:\d{2}.*)?$")
        parsed = [days.str.to_date(form, strict=False) for form in _DATE_FORMATS]
        return parsed[0].zip_with(parsed[0].is_not_null(), parsed[1])
    low = text.str.to_lowercase()
    return pl.select(
        pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False).otherwise(None)
    ).to_series()


_NEEDS = {
    "number": (
        "is no number",
        "Write a plain number such as 1.5e9, or leave the cell empty if it is unknown.",
    ),
    "date": ("is no date", "Write it as YYYY-MM-DD, or leave the cell empty if it is unknown."),
    "flag": ("must be 0 or 1", "Leave the cell empty if it is unknown."),
}


def _unreadable(column: Column, row: int, text: str) -> Problem:
    need, todo = _NEEDS[column.dtype]
    if column.dtype == "number" and text.endswith("%"):
        plain = f"{text.rstrip('%')} and put 'percent' into {column.unit}"
        todo = f"Write it as {plain if column.unit.endswith('_unit') else _fraction(text)}."
    return Problem(rows=(row,), column=column.name, came=repr(text), need=need, todo=todo)


def _fraction(text: str) -> str:
    try:
        return f"{float(text.rstrip('%')) / 100:g}"
    except ValueError:
        return "a fraction between 0 and 1"


def _broken_rules(frame: pl.DataFrame, column: Column) -> list[Problem]:
    """Return the cells that are empty, out of range or no allowed choice."""
    import polars as pl

    cell, found = pl.col(column.name), []
    if column.filled:
        found += broken(
            frame, cell.is_null(), column.name, "must not be empty", f"{column.doc} Fill the cell in."
        )
    if column.dtype == "number":
        need = f"must be {column.rule}" if column.rule.low is not None else "must be finite"
        if column.rule.high is not None:
            need = f"must lie {column.rule}"
        outside = column.rule.broken_by(cell) & cell.is_finite()
        found += broken(frame, cell.is_infinite(), column.name, "must be finite", column.rule.hint)
        found += broken(frame, outside, column.name, need, column.rule.hint)
    if column.choices:
        found += [
            replace(problem, todo=_nearest(problem.came, column))
            for problem in broken(
                frame,
                ~cell.is_in(column.choices),
                column.name,
                f"must be one of {', '.join(column.choices)}",
                "Correct the cell.",
            )
        ]
    return found


def _nearest(text: str, column: Column) -> str:
    near = closest(text, column.choices)
    return f"Did you mean '{near}'?" if near else "Correct the cell."


def _repeated(frame: pl.DataFrame, schema: Schema) -> tuple[str, ...]:
    import polars as pl

    if not schema.key:
        return ()
    complete = frame.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in schema.key))
    groups = complete.group_by(schema.key, maintain_order=True).len().filter(pl.col("len") > 1)
    if groups.height == 0:
        return ()
    example = " / ".join(str(v) for v in groups.row(0)[:-1])
    return (
        f"{groups.height} repeated keys ({', '.join(schema.key)}), e.g. {example}: "
        "the same system counts more than once. Keep one row, or name the variants apart.",
    )
