"""What a reader is: the works of one part, in batches that take little memory whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from isoflop.evidence.openalex.narrow import Batch
from isoflop.evidence.openalex.wanted import Wanted

Tell = Callable[[float], None]
"""Takes the fraction of the part that has been read."""


class Reader(Protocol):
    """Reads one part of `works`."""

    def __call__(self, path: Path, wanted: Wanted, tell: Tell) -> Iterator[Batch]:
        """Yield the works of a part in their order.

        Raises
        ------
        EvidenceError
            The part is truncated, corrupt, or holds something other than works.
        """
        ...
