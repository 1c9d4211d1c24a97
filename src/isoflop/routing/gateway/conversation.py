"""Which model a conversation began with, so that it stays with it.

The key is the client's session name, else a hash of the system prompt and the first message; only hashes
are kept.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from hashlib import blake2b

_PRUNE_EVERY = 256
"""Conversations kept between two looks at their number."""


def conversation_key(policy: str, session: bytes | None, opening: str) -> bytes:
    """Return the hash by which a conversation is known.

    Parameters
    ----------
    policy : str
        What stands after ``auto:``; another policy is another conversation.
    session : bytes or None
        Value of ``x-isoflop-session``.
    opening : str
        System prompt and first message of the user, used where there is no session.

    Returns
    -------
    bytes, 16
    """
    kind, name = (b"s", session) if session else (b"o", opening.encode("utf-8", "surrogatepass"))
    return blake2b(b"\0".join((kind, policy.encode(), name)), digest_size=16).digest()


class Conversations:
    """Models of conversations: least recently used ones are forgotten first, old ones are not followed.

    Parameters
    ----------
    state : sqlite3.Connection
        From `open_state`.
    ttl_s : float
        A conversation that rested longer is routed anew.
    limit : int
        Conversations remembered.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        state: sqlite3.Connection,
        *,
        ttl_s: float,
        limit: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._ttl_s = ttl_s
        self._limit = limit
        self._clock = clock
        self._since_prune = 0

    def model(self, key: bytes, *, whatever_age: bool = False) -> str | None:
        """Return the model of a conversation, or None where it is unknown or too old.

        Parameters
        ----------
        key : bytes
            From `conversation_key`.
        whatever_age : bool
            Also after a long rest: the model that asked for a tool must get its answer.
        """
        row = self._state.execute("select model, used from conversations where key = ?", (key,)).fetchone()
        if row is None or (not whatever_age and self._clock() - row[1] > self._ttl_s):
            return None
        return str(row[0])

    def keep(self, key: bytes, model: str) -> None:
        """Remember the model that answered."""
        self._state.execute(
            "insert into conversations values (?, ?, ?) on conflict (key) do update set"
            " model = excluded.model, used = excluded.used",
            (key, model, self._clock()),
        )
        self._since_prune += 1
        if self._since_prune >= min(_PRUNE_EVERY, self._limit):
            self._since_prune = 0
            self._forget()

    def _forget(self) -> None:
        self._state.execute(
            "delete from conversations where key in"
            " (select key from conversations order by used desc limit -1 offset ?)",
            (self._limit,),
        )
