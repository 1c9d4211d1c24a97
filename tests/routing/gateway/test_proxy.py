"""Bytes go through unchanged, both ways, and only where they may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from isoflop.routing.gateway.fallback import Transport
from isoflop.routing.gateway.targets import Deadlines, Target, Upstreamed
from tests.routing.gateway.upstreams import (
    COMPLETION,
    EVENTS,
    JSON_TYPE,
    LOOPS,
    Answer,
    Upstream,
    bytes_as_they_are,
    endless,
    gzipped,
    head,
    pieces,
    reply,
    split,
    until_closed,
    upstream,
)

BODY = b'{"model": "auto", "messages": [{"role": "user", "content": "Wh\\u0079?"}], "n": 1.0E+0}'
SHORT = Deadlines(connect_s=0.5, first_byte_s=0.5, idle_s=0.5, total_s=2.0)


def target(at: Upstream, **changes: object) -> Target:
    settings: dict[str, object] = {
        "model": f"m{at.port}",
        "provider": f"p{at.port}",
        "base_url": at.base_url,
        "path": "/chat/completions",
        "upstream_name": "up/name",
        "headers": ((b"authorization", b"Bearer theirs"),),
        "deadlines": SHORT,
    }
    return Target(**(settings | changes))  # type: ignore[arg-type]


async def whole(got: Upstreamed) -> bytes:
    try:
        return b"".join([chunk async for chunk in got.chunks])
    finally:
        await got.close()


def run(
    answers: Sequence[Answer],
    scenario: Callable[[Transport, Upstream], Awaitable[None]],
    loop: str = "asyncio",
) -> None:
    async def inside() -> None:
        async with asyncio.timeout(5), upstream(*answers) as seen:
            transport = Transport()
            try:
                await scenario(transport, seen)
            finally:
                await transport.aclose()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(inside())


ANSWERS = {
    "whole": (reply(), COMPLETION),
    "empty": (reply(b""), b""),
    "no content": (bytes_as_they_are(head(204, [])), b""),
    "not found": (reply(b'{"error": {"message": "?"}}', 404), b'{"error": {"message": "?"}}'),
    "no JSON": (reply(b'{"choices": [tru', 200), b'{"choices": [tru'),
    "through characters": (pieces(split(EVENTS, 7)), EVENTS),
    "byte by byte": (pieces(split(EVENTS[:200], 1)), EVENTS[:200]),
    "until closed": (until_closed(), COMPLETION),
    "too long for its length": (
        bytes_as_they_are(head(200, [JSON_TYPE, (b"content-length", b"5")]) + b"12345extra"),
        b"12345",
    ),
    "after an interim answer": (
        bytes_as_they_are(
            b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + head(200, [(b"content-length", b"2")]) + b"{}"
        ),
        b"{}",
    ),
    "with trailers": (
        bytes_as_they_are(
            head(200, [(b"Transfer-Encoding", b"Chunked")]) + b"3\r\nabc\r\n0\r\nx-late: 1\r\n\r\n"
        ),
        b"abc",
    ),
    "large": (reply(b"0123456789abcdef" * 200_000), b"0123456789abcdef" * 200_000),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", ANSWERS)
def test_the_bytes_of_an_answer_come_through_unchanged(case: str, loop: str) -> None:
    answer, expected = ANSWERS[case]

    async def scenario(transport: Transport, seen: Upstream) -> None:
        for _ in range(2):
            got = await transport(headers=[], body=BODY, plan=[target(seen)])
            assert await whole(got) == expected
            assert b"transfer-encoding" not in dict(got.headers)
            assert b"x-late" not in dict(got.headers)
            await asyncio.sleep(0.01)

    run([answer], scenario, loop)


def test_compressed_answers_stay_compressed() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        got = await transport(headers=[(b"accept-encoding", b"gzip")], body=BODY, plan=[target(seen)])
        assert dict(got.headers)[b"content-encoding"] == b"gzip"
        assert len(await whole(got)) == int(dict(got.headers)[b"content-length"])
        assert seen.requests[0].header(b"accept-encoding") == b"gzip"

    run([gzipped()], scenario)


def test_only_the_name_of_the_model_changes_in_a_request() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        await whole(await transport(headers=[], body=BODY, plan=[target(seen)]))
        assert seen.requests[0].body == BODY.replace(b'"auto"', b'"up/name"')
        assert seen.requests[0].first_line == b"POST /v1/chat/completions HTTP/1.1"

    run([reply()], scenario)


def test_headers_of_the_client_go_on_without_its_secrets() -> None:
    secret = [b"authorization", b"cookie", b"x-api-key", b"api-key", b"proxy-authorization"]
    ours = [b"x-isoflop-session", b"x-forwarded-for", b"via", b"te", b"x-hop"]
    sent = [(name, b"secret") for name in secret + ours]
    sent += [(b"connection", b"keep-alive, X-Hop"), (b"host", b"gateway"), (b"content-length", b"7")]
    sent += [(b"x-any", b"1"), (b"content-type", b"application/json"), (b"x-any", b"2")]

    async def scenario(transport: Transport, seen: Upstream) -> None:
        await whole(await transport(headers=sent, body=BODY, plan=[target(seen)]))
        got = seen.requests[0]
        assert b"secret" not in b"".join(value for _, value in got.headers)
        assert got.headers[1:-1] == [
            (b"x-any", b"1"),
            (b"content-type", b"application/json"),
            (b"x-any", b"2"),
            (b"authorization", b"Bearer theirs"),
        ]
        assert got.header(b"host") == b"127.0.0.1:%d" % seen.port
        trusting = target(seen, headers=(), forward_authorization=True)
        await whole(await transport(headers=sent, body=BODY, plan=[trusting]))
        assert seen.requests[1].header(b"authorization") == b"secret"
        assert seen.requests[1].header(b"cookie") is None

    run([reply()], scenario)


def test_connections_are_used_again() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        for _ in range(5):
            await whole(await transport(headers=[], body=BODY, plan=[target(seen)]))
        assert (len(seen.requests), seen.connections) == (5, 1)

    run([reply(), pieces([b"a", b"b"]), reply()], scenario)


def test_a_connection_that_the_upstream_closed_is_not_used_again() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        for _ in range(3):
            await whole(await transport(headers=[], body=BODY, plan=[target(seen)]))
            await asyncio.sleep(0.02)
        assert (len(seen.requests), seen.connections) == (3, 3)

    run([bytes_as_they_are(head(200, [(b"content-length", b"2")]) + b"{}")], scenario)


def test_bytes_that_nobody_asked_for_never_reach_the_next_client() -> None:
    twice = head(200, [(b"content-length", b"2")]) + b"{}"

    async def one(exchange: object) -> None:
        exchange.writer.write(twice + twice)  # type: ignore[attr-defined]

    async def scenario(transport: Transport, seen: Upstream) -> None:
        assert await whole(await transport(headers=[], body=BODY, plan=[target(seen)])) == b"{}"
        assert await whole(await transport(headers=[], body=BODY, plan=[target(seen)])) == COMPLETION
        assert seen.connections == 2

    run([one, reply()], scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_upstream_is_let_go_when_the_client_goes(loop: str) -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        one = target(seen, max_concurrent=1)
        got = await transport(headers=[], body=BODY, plan=[one])
        async for _ in got.chunks:
            break
        await got.close()
        await got.close()
        waiting = asyncio.create_task(transport(headers=[], body=BODY, plan=[one]))
        while len(seen.requests) < 2:
            await asyncio.sleep(0.005)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await whole(await transport(headers=[], body=BODY, plan=[one])) == COMPLETION
        while seen.lost_clients < 2:
            await asyncio.sleep(0.005)
        assert set(transport.health.states().values()) == {"closed"}

    async def never(exchange: object) -> None:
        await asyncio.sleep(3600)

    run([endless(), never, reply()], scenario, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_client_slows_its_upstream_down(loop: str) -> None:
    written = 0

    async def counted(exchange: object) -> None:
        nonlocal written
        writer = exchange.writer  # type: ignore[attr-defined]
        writer.write(head(200, [(b"transfer-encoding", b"chunked")]))
        for _ in range(2000):
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            written += 65_536
            await writer.drain()

    async def scenario(transport: Transport, seen: Upstream) -> None:
        got = await transport(headers=[], body=BODY, plan=[target(seen)])
        before = -1
        while written != before:
            before = written
            await asyncio.sleep(0.05)
        # What the kernel buffers on loopback, and one chunk of ours; without a bound it would be 131 MB.
        assert written < 32e6
        await got.close()

    run([counted], scenario, loop)
