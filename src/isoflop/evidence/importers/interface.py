"""What an importer is: a header signature and a function from raw cells to canonical columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Imported:
    """Canonical columns before validation, with the waterfall of the importer.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns named as in the schema; `record` where one source row gives several rows.
    rows_read : int
        Data rows of the source.
    """

    frame: pl.DataFrame
    rows_read: int
    steps: tuple[Step, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Importer:
    """A layout that is recognised by its header.

    Parameters
    ----------
    name : str
        Key in `IMPORTERS` and value of ``--importer``.
    schema : str
        Schema of the canonical table it gives.
    signature : frozenset of str
        Header names that must all be present, as the publisher spells them.
    convert : callable
        ``(raw, folder) -> Imported``; `raw` holds text cells, `folder` is where companion
        files lie, or None for a frame.
    doc : str
        What the table is and who publishes it.
    folder_file : str or None
        Main file by which a folder of this layout is recognised.
    folder_only : bool
        The header of the main file alone means another importer.
    joins : tuple of str
        Importers of the files beside the main one that are read too.
    shared_header : bool
        Several public files have this header, so a file is compared with a registered digest only
        under its registered name.
    """

    name: str
    schema: str
    signature: frozenset[str]
    convert: Callable[[pl.DataFrame, Path | None], Imported]
    doc: str
    folder_file: str | None = None
    folder_only: bool = False
    joins: tuple[str, ...] = ()
    shared_header: bool = False

    def recognises(self, header: Sequence[str]) -> bool:
        """Say whether a header carries the whole signature."""
        return not self.folder_only and self.signature <= set(header)


def renamed(raw: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return the columns of `names` (ours to theirs) under our names; absent ones are left out."""
    import polars as pl

    return raw.select(pl.col(theirs).alias(ours) for ours, theirs in names.items() if theirs in raw.columns)


def numeric(raw: pl.DataFrame, name: str) -> pl.Series:
    """Return a column of a public sheet as numbers; its marks for unknown become missing.

    Public sheets write UNK, ? and #VALUE! where a number is unknown. A user's own table is
    refused for these; in a recognised layout their meaning is known.
    """
    import polars as pl

    return raw[name].cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)


def kept_step(
    before: pl.DataFrame, keep: pl.Expr, rule: str, reason: Callable[[dict[str, Any]], str], label: str
) -> tuple[pl.DataFrame, Step]:
    """Return the rows that satisfy `keep` and the step that lists the others by record and name."""
    kept = keep.fill_null(False)
    gone = before.filter(~kept)
    after = before.filter(kept)
    rows = tuple(f"row {row['record']} ({row[label]}): {reason(row)}" for row in gone.iter_rows(named=True))
    return after, Step(rule=rule, unit="records", kept=after.height, dropped=gone.height, rows=rows)


def melted(
    runs: pl.DataFrame, raw: pl.DataFrame, outcomes: Mapping[str, tuple[str, str] | tuple[str, str, str]]
) -> pl.DataFrame:
    """Return one row for each run and outcome, column by column, empty cells left out.

    Parameters
    ----------
    runs : polars.DataFrame
        One row for each record, with what all its outcomes share.
    raw : polars.DataFrame
        Text cells, rows as in `runs`.
    outcomes : mapping
        Column of `raw` to task, kind and, where there is one, split.
    """
    import polars as pl

    parts = [
        runs.with_columns(
            numeric(raw, column).alias("value"),
            task=pl.lit(named[0]),
            kind=pl.lit(named[1]),
            split=pl.lit(named[2] if len(named) == 3 else None, pl.String),
        )
        for column, named in outcomes.items()
    ]
    return pl.concat(parts).drop_nulls("value")
