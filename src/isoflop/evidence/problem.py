"""What is wrong with a row or a group of rows: listed by a linter, raised one at a time by `load`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One cell, or one group of rows, that cannot be used.

    Parameters
    ----------
    rows : tuple of int
        Data rows of the source, counted from 1 without the header.
    column : str
        Canonical name of the column.
    came, need, todo : str
        What is there, what is needed instead, and what to do about it, as a sentence.
    group : str
        The group that the problem is about, e.g. ``study 'a/b'``; empty for a single cell.
    """

    rows: tuple[int, ...]
    column: str
    came: str
    need: str
    todo: str
    group: str = ""

    def message(self, where: str) -> str:
        """Return the problem in the form in which `load` refuses.

        Examples
        --------
        >>> cell = Problem(rows=(3,), column="y", came="97", need="must lie in [0, 1]", todo="Divide by 100?")
        >>> cell.message("points.csv")
        "load: row 3, column 'y' of points.csv: 97, must lie in [0, 1]. Divide by 100?"
        """
        if self.group:
            return f"load: {self.group} of {where}: {self.came}, {self.need}. {self.todo}"
        joint = " " if self.need.startswith(("is ", "must be 0 or 1")) else ", "
        cell = f"row {self.rows[0]}, column '{self.column}' of {where}"
        return f"load: {cell}: {self.came}{joint}{self.need}. {self.todo}"


def raise_first(problems: Sequence[Problem], where: str) -> None:
    """Raise EvidenceError for the first problem, saying how many are like it; return if there is none."""
    if not problems:
        return
    first = problems[0]
    alike = (
        sum(
            (p.column, p.need, bool(p.group)) == (first.column, first.need, bool(first.group))
            for p in problems
        )
        - 1
    )
    what = "groups" if first.group else "rows"
    others = f" ({alike} more {what if alike > 1 else what[:-1]} likewise.)" if alike else ""
    raise EvidenceError(first.message(where) + others)


def broken(frame: pl.DataFrame, bad: pl.Expr, column: str, need: str, todo: str) -> list[Problem]:
    """Return a problem for each row where `bad` is true; `frame` has a column ``record``."""
    rows = frame.filter(bad).select("record", column)
    return [
        Problem(rows=(record,), column=column, came=_shown(cell), need=need, todo=todo)
        for record, cell in rows.iter_rows()
    ]


def refuse(frame: pl.DataFrame, bad: pl.Expr, column: str, where: str, need: str, hint: str) -> None:
    """Raise EvidenceError for the first row where `bad` is true; return if there is none."""
    raise_first(broken(frame, bad, column, need, hint), where)


def _shown(cell: object) -> str:
    return "empty" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
