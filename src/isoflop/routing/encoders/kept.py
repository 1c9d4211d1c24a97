"""Vectors kept on disk between runs, by digest: one SQLite file that several processes may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import SourceError
from isoflop.routing.encoders.interface import Vectors

if TYPE_CHECKING:
    import sqlite3

NAME = "embeddings.sqlite"
BUSY_SECONDS = 30.0
AT_ONCE = 500
"""Older SQLite takes at most 999 values in a statement."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of vectors.

    Parameters
    ----------
    file : Path or None
        None: in the user's cache.
    """

    file: Path | None

    def read(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Return the vectors that are kept, by key."""
        found: dict[bytes, Vectors] = {}
        if not self._place().is_file():
            return found
        with self._opened() as held:
            for start in range(0, len(keys), AT_ONCE):
                part = list(keys[start : start + AT_ONCE])
                marks = ",".join("?" * len(part))
                rows = held.execute(f"SELECT digest, vector FROM vectors WHERE digest IN ({marks})", part)
                found.update((key, np.frombuffer(vector, dtype="<f4")) for key, vector in rows)
        return found

    def write(self, vectors: Mapping[bytes, Vectors]) -> None:
        """Keep vectors, all or none of them."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        with self._opened() as held, held:
            held.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _place(self) -> Path:
        if self.file is not None:
            return self.file
        import platformdirs

        return Path(platformdirs.user_cache_path("isoflop")) / NAME

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        import sqlite3

        place = self._place()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(place, timeout=BUSY_SECONDS)) as held:
                held.execute("CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB)")
                yield held
        except (sqlite3.Error, OSError) as problem:
            raise SourceError(
                f"Endpoint: {place} cannot be used ({problem}), needs a file of vectors that can be written. "
                "Remove it or name another by cache=."
            ) from problem
