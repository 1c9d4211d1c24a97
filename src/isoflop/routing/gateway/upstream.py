"""One HTTP/1.1 connection to an upstream: a request goes out, the bytes of its answer come back as they are.

The parser is llhttp (through httptools). Reading stops while a chunk waits to be taken, so a slow client
slows its upstream down instead of filling memory.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from isoflop.routing.gateway.targets import RawHeaders

MAX_HEAD_BYTES: Final = 64 * 1024
"""Bytes of an answer's status line and headers; providers send 1 to 3 KB."""


class Broken(Exception):
    """An upstream that cannot be reached, breaks off or does not speak HTTP; the message names the cause."""


class Connection(asyncio.Protocol):
    """A connection that carries one exchange at a time.

    Attributes
    ----------
    status : int
        Of the answer, once `wait_head` returned.
    headers : list of (name, value)
        Names in lower case, values as they came.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: Broken | None = None
        self._is_in_use = False
        self._begin()

    def _begin(self) -> None:
        self.headers = []
        self._parser = HttpResponseParser(self)
        self._pending: list[bytes] = []
        self._head_bytes = 0
        self._has_head = self._is_complete = self._may_keep = False
        self._ends_with_connection = self._is_paused = False

    @property
    def is_open(self) -> bool:
        """Whether a new request may be written."""
        return self._error is None and self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Whether the exchange is complete and the upstream keeps the connection."""
        return self._is_complete and self._may_keep and not self._pending and self.is_open

    def send(self, head: bytes, body: bytes) -> None:
        """Write a request.

        Raises
        ------
        Broken
            The upstream had closed the connection before a byte was written.
        """
        if not self.is_open or self._transport is None:
            raise Broken("connection closed")
        self._begin()
        self._is_in_use = True
        # Joined below a packet or so: one system call. Copying a large body costs more than a second call.
        if len(body) < 16_384:
            self._transport.write(head + body)
        else:
            self._transport.writelines([head, body])

    async def wait_head(self) -> None:
        """Wait for status and headers.

        Raises
        ------
        Broken
        """
        while not self._has_head:
            await self._more()

    def take(self) -> bytes:
        """Return what has come of the body since the last time, perhaps nothing."""
        if not self._pending:
            return b""
        taken = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return taken

    async def read(self) -> bytes:
        """Return the next bytes of the body; none at its end.

        Raises
        ------
        Broken
            The body ends too early; everything that came has been returned before.
        """
        while not (chunk := self.take()):
            if self._is_complete:
                return b""
            await self._more()
        return chunk

    def close(self) -> None:
        """Close now; what was not written yet is discarded."""
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause(self) -> None:
        if not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def _break(self, cause: str) -> None:
        if self._error is None:
            self._error = Broken(cause)
        self.close()
        self._wake()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_in_use or self._is_complete:
            # Nothing was asked: what comes now must not become part of the next answer.
            self._may_keep = False
            self._break("answer without request")
            return
        had_pending = bool(self._pending)
        if not self._has_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._may_keep = False
            self._break("no valid HTTP answer")
        if not self._has_head and self._head_bytes > MAX_HEAD_BYTES:
            self._break("headers too large")
        # One chunk may wait while the one before is being sent.
        if had_pending and not self._is_complete and self.is_open:
            self._pause()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._has_head and self._ends_with_connection and exc is None and self._error is None:
            self._is_complete = True
        self._may_keep = False
        if self._error is None:
            self._error = Broken("connection closed" if self._has_head else "closed before an answer")
        self._wake()

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:  # after it come trailers, or bytes that nobody asked for
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._has_head or (100 <= status < 200 and status != 101):
            return
        coding = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if coding not in ([], [b"chunked"]):
            self._break("transfer coding not known")
            return
        self.status = status
        self._has_head = True
        self._ends_with_connection = _ends_with_connection(status, self.headers)

    def on_body(self, body: bytes) -> None:
        if not self._is_complete:
            self._pending.append(body)

    def on_message_begin(self) -> None:
        if self._is_complete:
            # Bytes beyond the answer: it stands, but the connection is not used again.
            self._may_keep = False
            self.close()

    def on_message_complete(self) -> None:
        if not self._has_head:
            self.headers = []  # an interim answer (1xx)
        elif not self._is_complete:
            self._is_complete = True
            self._may_keep = self._parser.should_keep_alive()


def _ends_with_connection(status: int, headers: RawHeaders) -> bool:
    """Return whether nothing but the end of the connection tells where the body ends."""
    names = [name for name, _ in headers]
    return not (status in (204, 304) or b"content-length" in names or b"transfer-encoding" in names)
