"""The body of an answer on its way through, and everything that must be given back after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from isoflop.routing.gateway.breaker import Call
from isoflop.routing.gateway.targets import UpstreamCut
from isoflop.routing.gateway.upstream import Broken, Connection


class Body:
    """An async iterator over the bytes of an answer, each within the deadlines.

    Parameters
    ----------
    connection : Connection
        Its head has been read.
    call : Call
        Told how the answer ends.
    give_back : callable
        Called once, when the connection is not needed any more.
    idle_s : float
        Longest wait for the next bytes.
    until : float
        Time of the event loop by which the last must have come.
    """

    def __init__(
        self,
        connection: Connection,
        call: Call,
        give_back: Callable[[], None],
        *,
        idle_s: float,
        until: float,
    ) -> None:
        self._connection = connection
        self._call = call
        self._give_back: Callable[[], None] | None = give_back
        self._idle_s = idle_s
        self._until = until
        self._is_at_end = False
        self._first = b""

    async def begin(self) -> None:
        """Wait for the first bytes, or the end of an empty body.

        Raises
        ------
        Broken
            The answer breaks off before.
        """
        self._first = await self._connection.read()
        if not self._first:
            self._end()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes.

        Raises
        ------
        UpstreamCut
            No more came in time, or the upstream broke off.
        """
        if chunk := self._first or self._connection.take():
            self._first = b""
            return chunk
        if self._is_at_end:
            raise StopAsyncIteration
        try:
            now = asyncio.get_running_loop().time()
            async with asyncio.timeout_at(min(now + self._idle_s, self._until)):
                chunk = await self._connection.read()
        except TimeoutError:
            raise self._cut("no more bytes in time") from None
        except Broken as error:
            raise self._cut(str(error)) from None
        if chunk:
            return chunk
        self._end()
        raise StopAsyncIteration

    def failed(self) -> None:
        """Count the answer as a failure of the model, whatever its bytes."""
        self._call.failed()

    async def close(self) -> None:
        """Let go of the upstream; an answer that is not complete is abandoned."""
        self._call.dropped()
        self._release()

    def _end(self) -> None:
        self._is_at_end = True
        self._call.succeeded()
        self._release()

    def _cut(self, cause: str) -> UpstreamCut:
        self._is_at_end = True
        self._call.failed()
        self._release()
        return UpstreamCut(cause)

    def _release(self) -> None:
        if self._give_back is not None:
            give_back, self._give_back = self._give_back, None
            give_back()
