"""Connections to upstreams, kept open between requests."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from isoflop.routing.gateway.upstream import Broken, Connection

KEEP_S: Final = 4.0
"""Idle time after which a connection is not used again. Common servers close theirs after 5 s; a request sent
at that moment would be lost, and it may not be sent twice."""
MAX_IDLE: Final = 1024
"""Idle connections kept for one upstream."""


class Pool:
    """Opens connections and hands idle ones out again, the latest first.

    Parameters
    ----------
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[tuple[str, str, int], deque[tuple[Connection, float]]] = {}
        self._tls: ssl.SSLContext | None = None

    async def acquire(self, base_url: str) -> Connection:
        """Return an open connection to the host of an address.

        Raises
        ------
        Broken
            It cannot be reached, or its certificate is not valid.
        """
        origin = origin_of(base_url)
        idle = self._idle.get(origin)
        while idle:
            connection, since = idle.pop()
            if connection.is_open and self._clock() - since < KEEP_S:
                return connection
            connection.close()
        return await self._open(*origin)

    def release(self, base_url: str, connection: Connection) -> None:
        """Keep a connection for the next request if its exchange is complete, else close it."""
        if not connection.is_reusable:
            connection.close()
            return
        idle = self._idle.setdefault(origin_of(base_url), deque())
        now = self._clock()
        while idle and (len(idle) >= MAX_IDLE or now - idle[0][1] >= KEEP_S):
            idle.popleft()[0].close()
        idle.append((connection, now))

    def close(self) -> None:
        """Close the idle connections."""
        for idle in self._idle.values():
            for connection, _ in idle:
                connection.close()
        self._idle.clear()

    async def _open(self, scheme: str, host: str, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        tls = self._context() if scheme == "https" else None
        try:
            _, connection = await loop.create_connection(Connection, host, port, ssl=tls)
        except OSError as error:
            raise Broken(_cause(error)) from None
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # The system's authorities, or those that SSL_CERT_FILE names; names and dates are checked.
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


@lru_cache(maxsize=1024)
def origin_of(base_url: str) -> tuple[str, str, int]:
    """Return scheme, host and port.

    Examples
    --------
    >>> origin_of("https://api.example.org/v1")
    ('https', 'api.example.org', 443)
    """
    parts = urlsplit(base_url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _cause(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate not valid"
    if isinstance(error, ssl.SSLError):
        return "no TLS connection"
    if isinstance(error, socket.gaierror):
        return "host name not found"
    return "connection refused" if isinstance(error, ConnectionRefusedError) else "cannot connect"
