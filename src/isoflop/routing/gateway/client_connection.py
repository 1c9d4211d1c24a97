"""Connections of clients: how large their headers may be, and how long a slow client may take for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from isoflop.routing.gateway.config import ServerSettings
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.security import MAX_HEADER_BYTES

if TYPE_CHECKING:
    from isoflop.routing.gateway.running import Running

_REQUEST_LINE: Final = 8 * 1024
"""Longest method, path and query beside the headers."""


class GuardedConnection(HttpToolsProtocol):
    """A connection that is closed where headers are too long or too slow.

    Notes
    -----
    uvicorn bounds neither with its fast parser. It makes connections itself, so the time allowed is asked of
    the application.
    """

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._head_bytes = 0
        self._in_head = True
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head that is not complete, then parse."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_timer is None:
                self._start_clock()
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEADER_BYTES + _REQUEST_LINE:
            self._refuse(
                431, f"headers: more than {MAX_HEADER_BYTES} bytes. Send less.", code="headers_too_large"
            )

    def on_headers_complete(self) -> None:
        """Stop the clock: the head is complete."""
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the next head on this connection."""
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    @property
    def _allowed_s(self) -> float:
        # Inside a middleware of somebody's the gateway is not to be seen: then the default holds.
        running: Running | None = getattr(self.app, "running", None)
        server = ServerSettings() if running is None else running.config.server
        return server.header_timeout_s

    def _start_clock(self) -> None:
        self._head_timer = self.loop.call_later(self._allowed_s, self._too_slow)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        # Bytes of one request may end with the first of the next: its clock runs until its head is there.
        if self._in_head:
            self._refuse(
                408,
                f"headers: not complete after {self._allowed_s:g} s. Send them faster.",
                code="header_timeout",
            )

    def _refuse(self, status: int, message: str, *, code: str) -> None:
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering:
            body = ProtocolError(status, message, code=code).body()
            self.transport.write(
                b"HTTP/1.1 %d Refused\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b" % (status, len(body), body)
            )
        self.transport.close()
