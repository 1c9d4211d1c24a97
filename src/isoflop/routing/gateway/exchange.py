"""One request and its answer over ASGI, with deadlines for slow clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.running import Running
from isoflop.routing.gateway.security import Head
from isoflop.routing.gateway.targets import RawHeaders

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = (b"content-type", b"application/json")


class ClientGone(Exception):
    """The client closed the connection, or took too long to read."""


class Exchange:
    """A request being served.

    Parameters
    ----------
    running : Running
        The configuration it began with; a reload leaves it alone.
    scope, receive, send
        Of ASGI.
    request_id : str
    """

    __slots__ = ("head", "is_started", "receive", "request_id", "running", "scope", "send", "started")

    def __init__(self, running: Running, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self.running = running
        self.scope = scope
        self.receive = receive
        self.send = send
        self.request_id = request_id
        self.head = Head(None, None)
        self.started = perf_counter()
        self.is_started = False

    async def body(self) -> bytes:
        """Return the whole body.

        Raises
        ------
        ProtocolError
            413 or 408.
        ClientGone
        """
        server = self.running.config.server
        try:
            async with asyncio.timeout(server.body_timeout_s):
                message = await self.receive()
                if not message.get("more_body", False) and message["type"] == "http.request":
                    return self._within(message.get("body", b""))
                parts, size = [], 0
                while message["type"] == "http.request":
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > server.max_body_bytes:
                        raise self.running.guard.too_large(size)
                    if not message.get("more_body", False):
                        return b"".join(parts)
                    message = await self.receive()
        except TimeoutError:
            raise ProtocolError(
                408,
                f"body: not complete after {server.body_timeout_s:g} s. Send it faster.",
                code="body_timeout",
            ) from None
        raise ClientGone

    def _within(self, body: bytes) -> bytes:
        if len(body) > self.running.config.server.max_body_bytes:
            raise self.running.guard.too_large(len(body))
        return body

    async def answer(self, status: int, body: bytes, headers: RawHeaders = (JSON,)) -> None:
        """Send a whole answer."""
        self.is_started = True
        own = (
            (b"content-length", str(len(body)).encode()),
            (b"x-isoflop-request-id", self.request_id.encode()),
        )
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
        await self.send({"type": "http.response.body", "body": body})

    async def start(self, status: int, headers: RawHeaders) -> None:
        """Send the head of an answer whose body follows in chunks."""
        self.is_started = True
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def chunk(self, body: bytes) -> None:
        """Send a chunk; returns when the client has taken the ones before.

        Raises
        ------
        ClientGone
            It did not within the deadline.
        """
        try:
            async with asyncio.timeout(self.running.config.server.write_timeout_s):
                await self.send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            raise ClientGone from None

    async def end(self) -> None:
        """Complete an answer sent in chunks."""
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    @asynccontextmanager
    async def while_connected(self) -> AsyncIterator[None]:
        """Cancel what runs inside as soon as the client goes; the body must have been read.

        Raises
        ------
        ClientGone
        """
        try:
            async with asyncio.timeout(None) as limit:
                watch = asyncio.create_task(self._watch(limit))
                try:
                    yield
                finally:
                    watch.cancel()
        except TimeoutError:
            if limit.expired():
                raise ClientGone from None
            raise

    async def _watch(self, limit: asyncio.Timeout) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        limit.reschedule(asyncio.get_running_loop().time())

    def seconds(self) -> float:
        """Return the time since the head of the request."""
        return perf_counter() - self.started
