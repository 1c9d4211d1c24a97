"""One table of a published layout, with the columns by which it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import ENDINGS, read_rows

if TYPE_CHECKING:
    import polars as pl


def one_table(paths: Sequence[Path], layout: str) -> pl.DataFrame:
    import polars as pl

    for path in paths:
        if path.is_dir() or not path.name.lower().endswith((*ENDINGS, ".pkl", ".pickle")):
            raise EvidenceError(f"load: {path} is no table of {layout}, needs csv or Parquet. Name the file.")
    return pl.concat([read_rows(path) for path in paths], how="diagonal_relaxed")


def require(raw: pl.DataFrame, names: frozenset[str], where: str, layout: str) -> None:
    absent = sorted(names - set(raw.columns))
    if absent:
        raise EvidenceError(
            f"load: {where} has no column {absent[0]!r}, which {layout} has. Name another importer, or use "
            "--importer table with --map."
        )
