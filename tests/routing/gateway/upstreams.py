"""Fake upstreams on loopback: scripted, recorded, and as faulty as wanted.

`upstream(*answers)` serves the n-th request by the n-th answer, and by the last one from then on; a request
counts when its body is complete. The makers below give the usual answers. `upstream_thread` runs the same
beside code that is not async.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

RawHeaders = Sequence[tuple[bytes, bytes]]

COMPLETION = (
    '{"id": "c-1", "object": "chat.completion", "created": 1, "model": "up", "odd": 1.0e+2, "choices": '
    '[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Zürich 🙂"}}], '
    '"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}'
).encode()
WORDS = ("Zü", "rich", " 🙂", " is", " nice")
EVENTS = b"".join(
    (
        'data: {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "up", '
        f'"choices": [{{"index": 0, "delta": {{"content": "{word}"}}, "finish_reason": null}}]}}\n\n'
    ).encode()
    for word in WORDS
) + (b": a comment\r\n\r\ndata: [DONE]\n\n")
JSON_TYPE = (b"content-type", b"application/json")
EVENTS_TYPE = (b"content-type", b"text/event-stream; charset=utf-8")


@dataclass(slots=True)
class Exchange:
    """A request that arrived, and where its answer goes."""

    first_line: bytes
    headers: RawHeaders
    body: bytes
    writer: asyncio.StreamWriter
    keeps: bool = True

    def header(self, name: bytes) -> bytes | None:
        """Return the first header of that name (lower case)."""
        return next((value for found, value in self.headers if found == name), None)


Answer = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class Upstream:
    """What a fake upstream has seen."""

    port: int = 0
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    lost_clients: int = 0

    @property
    def base_url(self) -> str:
        """What a provider's configuration would name."""
        return f"http://127.0.0.1:{self.port}/v1"


def head(status: int, headers: RawHeaders) -> bytes:
    """Return a status line and headers."""
    lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
    return b"HTTP/1.1 %d Because\r\n%s\r\n" % (status, lines)


def reply(body: bytes = COMPLETION, status: int = 200, headers: RawHeaders = (JSON_TYPE,)) -> Answer:
    """Answer at once, with a length."""

    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(head(status, [*headers, (b"content-length", b"%d" % len(body))]) + body)

    return answer


def pieces(
    parts: Sequence[bytes], headers: RawHeaders = (EVENTS_TYPE,), pause_s: float = 0.0, end: bool = True
) -> Answer:
    """Answer in chunks; without `end`, break off after the last."""

    async def answer(exchange: Exchange) -> None:
        writer = exchange.writer
        writer.write(head(200, [*headers, (b"transfer-encoding", b"chunked")]))
        for part in parts:
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(pause_s)
        writer.write(b"0\r\n\r\n" if end else b"")
        exchange.keeps = end

    return answer


def split(body: bytes, size: int) -> list[bytes]:
    """Return `body` in parts of `size` bytes: through characters and events alike."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def gzipped(body: bytes = COMPLETION) -> Answer:
    """Answer compressed."""
    return reply(gzip.compress(body, mtime=0), headers=(JSON_TYPE, (b"content-encoding", b"gzip")))


def until_closed(body: bytes = COMPLETION) -> Answer:
    """Answer without a length: the end of the connection is the end of the body."""
    return bytes_as_they_are(head(200, [JSON_TYPE]) + body)


def bytes_as_they_are(raw: bytes) -> Answer:
    """Write these bytes and close."""

    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(raw)
        exchange.keeps = False

    return answer


def hang(after: bytes = b"") -> Answer:
    """Write nothing, or only these bytes, and wait for ever."""

    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(after)
        await asyncio.sleep(3600)

    return answer


def slow_head(every_s: float = 0.02) -> Answer:
    """Write the head byte by byte."""

    async def answer(exchange: Exchange) -> None:
        for at in range(200):
            exchange.writer.write((head(200, [JSON_TYPE]) + b" " * 200)[at : at + 1])
            await asyncio.sleep(every_s)

    return answer


def endless(part: bytes = b"x" * 65_536) -> Answer:
    """Write until the client has gone."""

    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(head(200, [EVENTS_TYPE, (b"transfer-encoding", b"chunked")]))
        while True:
            exchange.writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await exchange.writer.drain()

    return answer


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
"""Event loops that the gateway runs on; uvicorn takes uvloop where it is installed."""
with contextlib.suppress(ImportError):
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


@contextlib.asynccontextmanager
async def upstream(*answers: Answer, ssl_context: object = None) -> AsyncIterator[Upstream]:
    """Serve by a script."""
    seen = Upstream()
    script = answers or (reply(),)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.connections += 1
        try:
            while (exchange := await _request(reader, writer)) is not None:
                seen.requests.append(exchange)
                answering = asyncio.ensure_future(script[min(len(seen.requests), len(script)) - 1](exchange))
                gone = asyncio.ensure_future(_gone(reader))
                await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
                seen.lost_clients += not answering.done()
                for one in (answering, gone):
                    one.cancel()
                done = await asyncio.gather(answering, gone, return_exceptions=True)
                if done[0] is not None or not exchange.keeps:
                    seen.lost_clients += isinstance(done[0], ConnectionError)
                    break
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=ssl_context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _gone(reader: asyncio.StreamReader) -> None:
    # No client here sends a second request before its answer, so any byte or the end means that it left.
    while not reader.at_eof():
        await asyncio.sleep(0.005)


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first_line, *lines = raw[:-4].split(b"\r\n")
    headers = [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines)]
    length = int(dict(headers).get(b"content-length", b"0"))
    return Exchange(first_line, headers, await reader.readexactly(length), writer)


@contextlib.contextmanager
def upstream_thread(*answers: Answer) -> Iterator[Upstream]:
    """Serve by a script from another thread."""
    started: list[Upstream] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with upstream(*answers) as seen:
            started.append(seen)
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield started[0]
    finally:
        stop.set()
        thread.join(5)
