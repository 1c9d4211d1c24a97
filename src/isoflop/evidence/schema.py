"""What a table of evidence must look like: columns, units and rules, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Dtype = Literal["text", "number", "date", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A range that every given value of a numeric column must lie in.

    Parameters
    ----------
    low, high : float or None
        Bounds; None leaves that side open.
    open_low, open_high : bool
        Whether the bound itself is excluded.
    hint : str
        What to do about a value outside, as a sentence.

    Examples
    --------
    >>> str(Rule(low=0.0)), str(Rule(low=0.0, high=1.0, open_low=False))
    ('> 0', 'in [0, 1)')
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = True
    open_high: bool = True
    hint: str = "Correct the cell, or leave it empty if the number is unknown."

    def __str__(self) -> str:
        if self.high is None:
            return f"{'>' if self.open_low else '>='} {self.low:g}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"in {left}{self.low:g}, {self.high:g}{right}"

    def broken_by(self, column: pl.Expr) -> pl.Expr:
        """Return the expression that is true where `column` breaks the rule."""
        broken = column.is_infinite()
        if self.low is not None:
            broken = broken | (column <= self.low if self.open_low else column < self.low)
        if self.high is not None:
            broken = broken | (column >= self.high if self.open_high else column > self.high)
        return broken & column.is_not_null()


POSITIVE = Rule(low=0.0)
FINITE = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One canonical column.

    Parameters
    ----------
    name : str
        Canonical name; the unit is part of it or stated in `unit`.
    dtype : {"text", "number", "date", "flag"}
        A flag is stored as true, false or missing; 0 and 1 are read as such.
    unit : str
        Base unit, or empty where none applies.
    required : bool
        The column must be present (its cells may be empty unless `filled`).
    filled : bool
        No cell may be empty.
    rule : Rule
        Range of a numeric column.
    choices : tuple of str
        Allowed texts; empty allows any.
    aliases : tuple of str
        Other header spellings that are accepted without a map. Case, spaces, hyphens and
        underscores never matter.
    doc : str
        Meaning, one line.
    """

    name: str
    dtype: Dtype
    unit: str = ""
    required: bool = False
    filled: bool = False
    rule: Rule = FINITE
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A named list of columns with the checks that need several of them.

    Parameters
    ----------
    name : str
        Key in `SCHEMAS`.
    columns : tuple of Column
        Canonical columns in canonical order.
    doc : str
        What one row is.
    one_of : tuple of tuple of str
        Of each group at least one column must be present.
    key : tuple of str
        Columns that should name a row once; a repeated key is a caution.
    derive : callable
        ``(frame, where) -> (frame, cautions)``: checks across columns and derived columns.
    """

    name: str
    columns: tuple[Column, ...]
    doc: str
    one_of: tuple[tuple[str, ...], ...] = ()
    key: tuple[str, ...] = ()
    derive: Callable[[pl.DataFrame, str], tuple[pl.DataFrame, tuple[str, ...]]]

    def __getitem__(self, name: str) -> Column:
        return {column.name: column for column in self.columns}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical column names in order."""
        return tuple(column.name for column in self.columns)


SOURCING = (
    Column(name="source", dtype="text", doc="Citation of the source."),
    Column(name="locator", dtype="text", doc="Table, figure or page in the source."),
    Column(
        name="verified", dtype="text", choices=("read", "secondary", "recalled"), doc="How it was checked."
    ),
    Column(name="seen_in", dtype="text", doc="Text in which the figure was seen."),
    Column(name="notes", dtype="text", doc="Remarks."),
)
"""Columns by which a fact names its origin."""


def recalled(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the caution about rows that were written from memory, if there are any."""
    count = int((frame["verified"] == "recalled").sum())
    if not count:
        return ()
    return (f"{count} rows are recalled from memory: they must not carry a headline. Look their sources up.",)


def each(convert: Callable[..., float], frame: pl.DataFrame, *names: str) -> pl.Series:
    """Return `convert` of the named cells of each row, missing where one of them is missing.

    Units are converted in one place (`isoflop.units`), a number at a time.
    """
    import polars as pl

    rows = zip(*(frame[name] for name in names), strict=True)
    cells = [None if None in row else convert(*row) for row in rows]
    return pl.Series(convert.__name__, cells, dtype=pl.Float64)
