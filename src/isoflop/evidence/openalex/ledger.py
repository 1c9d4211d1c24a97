"""The ledger: which part was read, with what outcome, so that a killed run goes on where it stood.

One SQLite file beside the narrow parts. A part is marked done only after its rows lie under their
final name on disk; whatever is not marked done is read again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.narrow import EXTRACTOR
from isoflop.evidence.openalex.snapshot import Part

State = Literal["pending", "running", "done", "refused"]
LEDGER = "ledger.sqlite"
_LOCK = "lock.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL,
    state TEXT NOT NULL, works INTEGER, reason TEXT
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a ledger says of one part: its identity, state, works read, or the reason of a refusal."""

    name: str
    size: int
    mtime_ns: int
    digest: str
    state: State
    works: int | None
    reason: str | None


class Ledger:
    """The ledger of one narrow table; only one run at a time may write it.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    settings : mapping
        What decides the rows; a ledger of other settings is refused.

    Raises
    ------
    EvidenceError
        Another run writes it, it is damaged, or another version or other settings made it.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / LEDGER
        self._lock = _locked(folder)
        try:
            with _explained(self.path):
                self._db = sqlite3.connect(self.path)
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.executescript(_TABLES)
                self._check({"extractor": EXTRACTOR, **settings})
        except BaseException:
            self.close()
            raise

    def _check(self, header: Mapping[str, Any]) -> None:
        made = {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM header")}
        if not made:
            rows = [(key, json.dumps(value)) for key, value in header.items()]
            self._db.executemany("INSERT INTO header VALUES (?, ?)", rows)
            self._db.commit()
            return
        differing = [key for key in {**header, **made} if made.get(key) != header.get(key)]
        if differing:
            key = differing[0]
            raise EvidenceError(
                f"{self.path}: {key.replace('_', ' ')} was {made.get(key)!r}, now {header.get(key)!r}; "
                "parts of different rules cannot be joined. Use the former setting, another --out, or "
                "--restart to read all parts anew."
            )

    def entries(self) -> dict[str, Entry]:
        """Return what it says of each part, by name."""
        return _entries(self._db)

    def expect(self, parts: Iterable[Part], *, gone: Iterable[str]) -> None:
        """Enter parts that are to be read, and strike those that the snapshot no longer holds."""
        self._db.executemany("DELETE FROM parts WHERE name = ?", [(name,) for name in gone])
        self._db.executemany(
            "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, '', 'pending', NULL, NULL)",
            [(part.name, part.size, part.mtime_ns) for part in parts],
        )
        self._db.commit()

    def mark(
        self,
        name: str,
        state: State,
        *,
        digest: str = "",
        works: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Set the state of a part."""
        self._db.execute(
            "UPDATE parts SET state = ?, digest = ?, works = ?, reason = ? WHERE name = ?",
            (state, digest, works, reason, name),
        )
        self._db.commit()

    def seen(self, part: Part) -> None:
        """Note the time of a file whose bytes have not changed, so that they need not be read again."""
        self._db.execute("UPDATE parts SET mtime_ns = ? WHERE name = ?", (part.mtime_ns, part.name))
        self._db.commit()

    def close(self) -> None:
        """Let another run have it."""
        if hasattr(self, "_db"):
            self._db.close()
        self._lock.close()


def look(folder: Path) -> tuple[Entry, ...]:
    """Return what a ledger says, also while a run writes it.

    Raises
    ------
    EvidenceError
        There is none, or it is damaged.
    """
    path = folder / LEDGER
    if not path.is_file():
        raise EvidenceError(
            f"{path}: no ledger, needs one that `extract` wrote. Name the table given to extract as --out."
        )
    with _explained(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return tuple(_entries(db).values())
        finally:
            db.close()


def forget(folder: Path) -> None:
    """Remove a ledger and its parts, unless another run writes them.

    Raises
    ------
    EvidenceError
        Another run writes them.
    """
    if folder.exists():
        _locked(folder).close()
        shutil.rmtree(folder)


def _entries(db: sqlite3.Connection) -> dict[str, Entry]:
    fields = ("name", "size", "mtime_ns", "digest", "state", "works", "reason")
    rows = db.execute(f"SELECT {', '.join(fields)} FROM parts ORDER BY name")
    return {row[0]: Entry(**dict(zip(fields, row, strict=True))) for row in rows}


def _locked(folder: Path) -> sqlite3.Connection:
    """Return a connection that holds the lock of a folder; the system frees it if the process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(folder / _LOCK, timeout=0.0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError:
        lock.close()
        raise EvidenceError(
            f"{folder}: another run writes this table, needs it alone. Wait for it, or choose another --out."
        ) from None
    return lock


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as reason:
        raise EvidenceError(f"{path}: {reason}, needs an intact ledger. Start over with --restart.") from None
