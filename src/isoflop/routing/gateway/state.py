"""What workers of one gateway share and a restart keeps: one SQLite file, or memory for a single worker.

It holds amounts, names of models and hashes; never a prompt, a token or a key.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from isoflop.errors import SettingError

_TABLES = """
create table if not exists spent (period text primary key, usd real not null, estimated_usd real not null);
create table if not exists held (id integer primary key autoincrement, period text not null,
                                 usd real not null, until real not null);
create table if not exists conversations (key blob primary key, model text not null, used real not null)
    without rowid;
create index if not exists conversations_used on conversations (used);
"""
_SCHEMA = 1


def open_state(path: str | None) -> sqlite3.Connection:
    """Open the shared state, making it where there is none.

    Parameters
    ----------
    path : str or None
        File; None keeps the state in memory, for this process only.

    Raises
    ------
    SettingError
        The file cannot be opened, is no such state, or was made by a newer version.
    """
    where = path or ":memory:"
    state = None
    try:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        state = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=2.0)
        _prepare(state, where)
    except BaseException as error:
        if state is not None:
            state.close()
        if isinstance(error, (sqlite3.Error, OSError)):
            raise SettingError(
                f"gateway: {where}, cannot hold the state ({error}). Name another file in state_path."
            ) from None
        raise
    return state


def _prepare(state: sqlite3.Connection, where: str) -> None:
    state.execute("pragma journal_mode = wal")
    # A crash of the process loses nothing; a power cut may lose the last requests.
    state.execute("pragma synchronous = normal")
    found = int(state.execute("pragma user_version").fetchone()[0])
    if found > _SCHEMA:
        raise SettingError(
            f"gateway: {where}, state of version {found}, this version reads {_SCHEMA}. "
            "Update isoflop or name another state_path."
        )
    state.executescript(_TABLES)
    state.execute(f"pragma user_version = {_SCHEMA}")
