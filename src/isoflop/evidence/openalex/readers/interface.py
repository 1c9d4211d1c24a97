"""What a reader is: the works of one part, in batches that take little memory whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

Tell = Callable[[float], None]
"""Takes the fraction of the part that has been read."""


class Reader(Protocol):
    """Reads one part of `works`."""

    def __call__(self, path: Path, wanted: Wanted, tell: Tell) -> Iterator[pl.DataFrame]:
        """Yield the narrow rows of a part in the order of its records.

        Raises
        ------
        EvidenceError
            The part is truncated, corrupt, or holds something other than works.
        """
        ...
