"""From cells as they came to canonical, typed columns; or a refusal that names row and column.

Rows are counted from 1, the header not included. Empty cells are missing. In numeric, date
and flag columns the marks that statistical programs write for a missing value (`MISSING`)
are read as empty; any other text is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError, closest
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
    import polars as pl

    names = _match(raw.columns, schema, where, dict(columns or {}))
    typed = [
        _read(raw[names[column.name]].alias(column.name), column, where)
        if column.name in names
        else pl.Series(column.name, [None] * raw.height, dtype=_polars_type(column))
        for column in schema.columns
    ]
    if numbered and "record" in raw.columns:
        record = raw["record"].cast(pl.Int64)
    else:
        record = pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64)
    frame = pl.DataFrame([record.alias("record"), *typed])
    for column in schema.columns:
        _check(frame, column, where)
    derived, cautions = schema.derive(frame, where)
    return derived, (*_repeated(derived, schema), *cautions)


def refuse(frame: pl.DataFrame, bad: pl.Expr, column: str, where: str, need: str, hint: str) -> None:
    """Raise EvidenceError for the first row where `bad` is true; return if there is none."""
    rows = frame.filter(bad)
    if rows.height == 0:
        return
    first = rows.row(0, named=True)
    others = f" ({rows.height - 1} more rows likewise.)" if rows.height > 1 else ""
    cell = first[column]
    shown = "empty" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
    raise EvidenceError(
        f"load: row {first['record']}, column '{column}' of {where}: {shown}, {need}. {hint}{others}"
    )


def has_required(header: list[str], schema: Schema) -> bool:
    """Say whether a header has every required column of a schema under its own names."""
    folded = {_fold(name) for name in header}

    def there(column: Column) -> bool:
        return any(_fold(name) in folded for name in (column.name, *column.aliases))

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
        folded.setdefault(_fold(name), []).append(name)
    names = dict(mapping)
    for column in schema.columns:
        if column.name in names:
            continue
        hits = next((folded[_fold(s)] for s in (column.name, *column.aliases) if _fold(s) in folded), [])
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


def _fold(name: str) -> str:
    return "".join(ch for ch in name.lower() if ch not in " -_")


def _polars_type(column: Column) -> pl.DataType:
    import polars as pl

    return {"text": pl.String(), "number": pl.Float64(), "date": pl.Date(), "flag": pl.Boolean()}[
        column.dtype
    ]


def _read(series: pl.Series, column: Column, where: str) -> pl.Series:
    """Return the column in its canonical type, refusing the first cell that has no such reading."""
    import polars as pl

    wanted = _polars_type(column)
    if series.dtype == pl.Null:
        return series.cast(wanted)
    if column.dtype == "text":
        text = series.cast(pl.String).str.strip_chars()
        return text.set(text == "", None)
    if column.dtype == "date" and series.dtype.is_temporal():
        return series.cast(pl.Date)
    if series.dtype == pl.Boolean:
        return series if column.dtype == "flag" else series.cast(wanted)
    if series.dtype.is_numeric() and column.dtype == "number":
        return series.cast(pl.Float64).fill_nan(None)
    if series.dtype.is_float():
        # A flag with gaps reaches us as 1.0, 0.0 and NaN from other frame libraries.
        series = series.fill_nan(None)
    text = series.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(["", *MISSING]), None)
    if column.dtype == "number":
        return _parsed(text, text.cast(pl.Float64, strict=False).fill_nan(None), column, where)
    if column.dtype == "date":
        # Polars would read '12/08/16' as a day of the year 12.
        days = text.str.extract(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:[ T]\d{1,2}:\d{2}.*)?$")
        parsed = [days.str.to_date(form, strict=False) for form in _DATE_FORMATS]
        return _parsed(text, parsed[0].zip_with(parsed[0].is_not_null(), parsed[1]), column, where)
    low = text.str.to_lowercase()
    flags = pl.select(
        pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False).otherwise(None)
    ).to_series()
    return _parsed(text, flags.alias(column.name), column, where)


_NEEDS = {
    "number": (
        "is no number",
        "Write a plain number such as 1.5e9, or leave the cell empty if it is unknown.",
    ),
    "date": ("is no date", "Write it as YYYY-MM-DD, or leave the cell empty if it is unknown."),
    "flag": ("must be 0 or 1", "Leave the cell empty if it is unknown."),
}


def _parsed(text: pl.Series, parsed: pl.Series, column: Column, where: str) -> pl.Series:
    bad = (text.is_not_null() & parsed.is_null()).arg_true()
    if len(bad):
        row = int(bad[0])
        what, hint = _NEEDS[column.dtype]
        if column.dtype == "number" and text[row].endswith("%"):
            hint = f"Write it as {_fraction(text[row])}."
        others = f" ({len(bad) - 1} more cells likewise.)" if len(bad) > 1 else ""
        raise EvidenceError(
            f"load: row {row + 1}, column '{column.name}' of {where}: {text[row]!r} {what}. {hint}{others}"
        )
    return parsed.alias(column.name)


def _fraction(text: str) -> str:
    try:
        return f"{float(text.rstrip('%')) / 100:g}"
    except ValueError:
        return "a fraction between 0 and 1"


def _check(frame: pl.DataFrame, column: Column, where: str) -> None:
    import polars as pl

    cell = pl.col(column.name)
    if column.filled:
        refuse(
            frame, cell.is_null(), column.name, where, "must not be empty", f"{column.doc} Fill the cell in."
        )
    if column.dtype == "number":
        bad = column.rule.broken_by(cell)
        need = f"must be {column.rule}" if column.rule.low is not None else "must be finite"
        if column.rule.high is not None:
            need = f"must lie {column.rule}"
        refuse(frame, cell.is_infinite(), column.name, where, "must be finite", column.rule.hint)
        refuse(frame, bad, column.name, where, need, column.rule.hint)
    if column.choices:
        near = ", ".join(column.choices)
        refuse(
            frame,
            ~cell.is_in(column.choices),
            column.name,
            where,
            f"must be one of {near}",
            "Correct the cell.",
        )


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
