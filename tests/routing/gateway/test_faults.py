"""Faulty upstreams: nothing is lost, doubled or altered, and another model helps where it may."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from isoflop.routing.gateway.breaker import OPEN_S
from isoflop.routing.gateway.fallback import Transport
from isoflop.routing.gateway.headers import response_headers, retry_after_s
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.targets import Deadlines, Target, UpstreamCut, Upstreamed
from tests.routing.gateway.upstreams import (
    COMPLETION,
    EVENTS,
    EVENTS_TYPE,
    JSON_TYPE,
    LOOPS,
    Answer,
    Upstream,
    bytes_as_they_are,
    endless,
    hang,
    head,
    pieces,
    reply,
    slow_head,
    split,
    upstream,
)

BODY = b'{"model": "auto", "messages": []}'
SHORT = Deadlines(connect_s=0.3, first_byte_s=0.06, idle_s=0.06, total_s=2.0)
SECOND = b'{"from": "the second"}'


def target(model: str, at: Upstream, deadlines: Deadlines = SHORT) -> Target:
    return Target(
        model=model,
        provider=model,
        base_url=at.base_url,
        path="/chat/completions",
        upstream_name=f"{model}-up",
        deadlines=deadlines,
    )


async def whole(got: Upstreamed) -> bytes:
    try:
        return b"".join([chunk async for chunk in got.chunks])
    finally:
        await got.close()


def run(*scripts: Answer | tuple[Answer, ...]) -> Callable[[Callable[..., Awaitable[None]]], None]:
    def with_scenario(scenario: Callable[..., Awaitable[None]]) -> None:
        async def inside() -> None:
            async with asyncio.timeout(5), AsyncExitStack() as stack:
                lists = [one if isinstance(one, tuple) else (one,) for one in scripts]
                seen = [await stack.enter_async_context(upstream(*one)) for one in lists]
                transport = Transport()
                try:
                    await scenario(transport, *seen)
                finally:
                    assert not +transport._open, "a slot was not given back"
                    await transport.aclose()

        # The last of them: uvloop where it is installed, as in service.
        with asyncio.Runner(loop_factory=list(LOOPS.values())[-1]) as runner:
            runner.run(inside())

    return with_scenario


NO_ANSWER = {
    "cut before its head": (bytes_as_they_are(b""), "closed before an answer"),
    "cut within its head": (bytes_as_they_are(b"HTTP/1.1 200 OK\r\ncontent-"), "closed before an answer"),
    "cut before its body": (bytes_as_they_are(head(200, [(b"content-length", b"9")])), "connection closed"),
    "no HTTP": (bytes_as_they_are(b"SSH-2.0-OpenSSH_9.2\r\n"), "no valid HTTP answer"),
    "endless head": (bytes_as_they_are(b"HTTP/1.1 200 OK\r\na: " + b"x" * 70_000), "headers too large"),
    "two lengths": (
        bytes_as_they_are(head(200, [(b"content-length", b"2"), (b"content-length", b"3")]) + b"{}"),
        "no valid HTTP answer",
    ),
    "hangs": (hang(), "no answer within 0.06 s"),
    "hangs after its head": (hang(head(200, [EVENTS_TYPE])), "no answer within 0.06 s"),
    "slow head": (slow_head(), "no answer within 0.06 s"),
    "redirects": (reply(b"", 307, [(b"location", b"http://other/")]), "status 307, not followed"),
    "coding nobody asked for": (
        bytes_as_they_are(head(200, [(b"transfer-encoding", b"gzip, chunked")]) + b"3\r\nabc\r\n0\r\n\r\n"),
        "transfer coding not known",
    ),
    "status of its own": (reply(b"{}", 999), "status 999, which HTTP does not know"),
    "switches": (bytes_as_they_are(head(101, [(b"upgrade", b"x")])), "status 101, not followed"),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_without_a_first_byte_the_next_model_answers(case: str) -> None:
    fault, cause = NO_ANSWER[case]

    async def scenario(transport: Transport, bad: Upstream, good: Upstream) -> None:
        got = await transport(headers=[], body=BODY, plan=[target("bad", bad), target("good", good)])
        assert await whole(got) == SECOND
        assert (got.target.model, got.attempts) == ("good", (("bad", cause),))
        assert len(bad.requests) == len(good.requests) == 1
        assert good.requests[0].body == BODY.replace(b"auto", b"good-up")
        with pytest.raises(ProtocolError) as caught:
            await transport(headers=[], body=BODY, plan=[target("bad", bad)])
        assert caught.value.status == (504 if "within" in cause else 502)
        assert f"bad: {cause}" in caught.value.message

    run(fault, reply(SECOND))(scenario)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_errors_of_an_upstream_lead_to_the_next_model_and_the_last_one_is_returned(status: int) -> None:
    error = reply(b'{"error": "busy"}', status, [JSON_TYPE, (b"x-why", b"load")])

    async def scenario(transport: Transport, bad: Upstream, good: Upstream) -> None:
        plan = [target("bad", bad), target("good", good)]
        got = await transport(headers=[], body=BODY, plan=plan)
        assert (await whole(got), got.status, got.attempts) == (SECOND, 200, (("bad", f"status {status}"),))
        got = await transport(headers=[], body=BODY, plan=[target("bad", bad)])
        assert (got.status, dict(got.headers)[b"x-why"]) == (status, b"load")
        assert await whole(got) == b'{"error": "busy"}'

    run(error, reply(SECOND))(scenario)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
def test_other_errors_are_the_clients_own(status: int) -> None:
    async def scenario(transport: Transport, first: Upstream, second: Upstream) -> None:
        plan = [target("first", first), target("second", second)]
        got = await transport(headers=[], body=BODY, plan=plan)
        assert (await whole(got), got.status, got.attempts) == (b"no", status, ())
        assert second.requests == []
        assert transport.health.states()["first", "first"] == "closed"

    run(reply(b"no", status), reply())(scenario)


def test_an_answer_without_a_body_promises_none() -> None:
    async def scenario(transport: Transport, one: Upstream) -> None:
        got = await transport(headers=[], body=BODY, plan=[target("one", one)])
        assert (got.status, list(got.headers), await whole(got)) == (204, [(b"x-any", b"1")], b"")

    run(bytes_as_they_are(head(204, [(b"content-length", b"3"), (b"x-any", b"1")])))(scenario)


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_not() -> None:
    def limited(seconds: bytes) -> Answer:
        return reply(b"", 429, [(b"retry-after", seconds)])

    async def scenario(transport: Transport, soon: Upstream, late: Upstream, good: Upstream) -> None:
        plan = [target("soon", soon), target("good", good)]
        got = await transport(headers=[], body=BODY, plan=plan)
        assert (await whole(got), got.target.model) == (COMPLETION, "soon")
        assert got.attempts == (("soon", "status 429, again after 0.01 s"),)
        got = await transport(headers=[], body=BODY, plan=[target("late", late), *plan[1:]])
        assert (await whole(got), got.attempts) == (SECOND, (("late", "status 429"),))
        assert (len(soon.requests), len(late.requests)) == (2, 1)

    run((limited(b"0.01"), reply()), limited(b"30"), reply(SECOND))(scenario)


def test_at_most_two_other_models_are_tried() -> None:
    async def scenario(transport: Transport, *seen: Upstream) -> None:
        plan = [target(f"m{at}", one) for at, one in enumerate(seen)]
        got = await transport(headers=[], body=BODY, plan=plan)
        assert (got.status, got.target.model) == (503, "m2")
        await got.close()
        assert [len(one.requests) for one in seen] == [1, 1, 1, 0]

    run(reply(b"", 503), reply(b"", 503), reply(b"", 503), reply())(scenario)


CUTS = {
    "in a chunked stream": pieces(split(EVENTS, 11)[:20], end=False),
    "within a chunk": bytes_as_they_are(
        head(200, [(b"transfer-encoding", b"chunked")]) + b"ff\r\n" + EVENTS[:220]
    ),
    "before the promised length": bytes_as_they_are(head(200, [(b"content-length", b"9999")]) + EVENTS[:220]),
    "by bytes that are no chunk": bytes_as_they_are(
        head(200, [(b"transfer-encoding", b"chunked")]) + b"dc\r\n" + EVENTS[:220] + b"\r\nzz\r\n"
    ),
    "by silence": hang(head(200, [(b"content-length", b"9999")]) + EVENTS[:220]),
}


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("case", CUTS)
@pytest.mark.parametrize("pause_s", [0.0, 0.02])
def test_after_the_first_byte_a_cut_is_shown_and_nothing_is_lost_or_doubled(
    case: str, pause_s: float
) -> None:
    async def scenario(transport: Transport, bad: Upstream, good: Upstream) -> None:
        plan = [target("bad", bad), target("good", good)]
        got = await transport(headers=[], body=BODY, plan=plan)
        came: list[bytes] = []

        async def slowly() -> None:
            async for chunk in got.chunks:
                came.append(chunk)
                await asyncio.sleep(pause_s)

        with pytest.raises(UpstreamCut):
            await slowly()
        await got.close()
        assert b"".join(came) == EVENTS[:220]
        assert good.requests == []

    run(CUTS[case], reply(SECOND))(scenario)


def test_the_whole_exchange_has_a_deadline() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        limited = target("m", seen, Deadlines(first_byte_s=0.2, idle_s=0.2, total_s=0.1))
        got = await transport(headers=[], body=BODY, plan=[limited])
        with pytest.raises(UpstreamCut):
            await whole(got)

    run(pieces([b"x"] * 50, pause_s=0.01))(scenario)


def test_an_endless_answer_can_be_left() -> None:
    async def scenario(transport: Transport, seen: Upstream) -> None:
        got = await transport(headers=[], body=BODY, plan=[target("m", seen)])
        size = 0
        async for chunk in got.chunks:
            size += len(chunk)
            if size > 2e6:
                break
        await got.close()
        while not seen.lost_clients:
            await asyncio.sleep(0.005)

    run(endless())(scenario)


def test_a_model_that_fails_is_left_alone_until_a_probe_succeeds() -> None:
    now = [0.0]

    async def scenario(_: Transport, bad: Upstream, good: Upstream) -> None:
        transport = Transport(clock=lambda: now[0])
        plan = [target("bad", bad), target("good", good)]
        for _ in range(7):
            assert await whole(await transport(headers=[], body=BODY, plan=plan)) == SECOND
        assert len(bad.requests) == 5
        with pytest.raises(ProtocolError) as caught:
            await transport(headers=[], body=BODY, plan=plan[:1])
        assert (caught.value.status, "left alone" in caught.value.message) == (503, True)
        now[0] = OPEN_S
        assert await whole(await transport(headers=[], body=BODY, plan=plan)) == COMPLETION
        assert transport.health.states()["bad", "bad"] == "closed"
        await transport.aclose()

    run((*[reply(b"", 500)] * 5, reply()), reply(SECOND))(scenario)


def test_answers_that_break_off_count_against_a_model() -> None:
    async def scenario(transport: Transport, bad: Upstream) -> None:
        for _ in range(5):
            with pytest.raises(UpstreamCut):
                await whole(await transport(headers=[], body=BODY, plan=[target("bad", bad)]))
        assert not transport.health.allows("bad", "bad")

    run(CUTS["within a chunk"])(scenario)


def test_a_provider_is_not_asked_more_often_at_once_than_it_may() -> None:
    async def scenario(transport: Transport, slow: Upstream, good: Upstream) -> None:
        one = Target(**{**_fields(target("slow", slow)), "max_concurrent": 1})
        plan = [one, target("good", good)]
        first = await transport(headers=[], body=BODY, plan=plan)
        second = await transport(headers=[], body=BODY, plan=plan)
        assert (first.target.model, second.target.model) == ("slow", "good")
        with pytest.raises(ProtocolError) as caught:
            await transport(headers=[], body=BODY, plan=plan[:1])
        assert caught.value.status == 503
        await asyncio.gather(first.close(), second.close())
        third = await transport(headers=[], body=BODY, plan=plan)
        assert third.target.model == "slow"
        await third.close()

    run(pieces([b"x"] * 100, pause_s=0.01), reply(SECOND))(scenario)


def _fields(one: Target) -> dict[str, object]:
    return {name: getattr(one, name) for name in Target.__slots__}


def test_nobody_listens() -> None:
    async def scenario(transport: Transport, good: Upstream) -> None:
        async with upstream() as gone:
            pass
        got = await transport(headers=[], body=BODY, plan=[target("gone", gone), target("good", good)])
        assert (await whole(got), got.attempts) == (COMPLETION, (("gone", "connection refused"),))

    run(reply())(scenario)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_is_checked_before_a_byte_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def ask(transport: Transport, host: str, seen: Upstream) -> bytes:
        fields = _fields(target("m", seen)) | {"base_url": f"https://{host}:{seen.port}/v1"}
        return await whole(await transport(headers=[], body=BODY, plan=[Target(**fields)]))  # type: ignore[arg-type]

    async def scenario() -> None:
        async with upstream(ssl_context=context) as seen:
            for host, is_known in (("localhost", False), ("127.0.0.1", True)):
                if is_known:
                    monkeypatch.setenv("SSL_CERT_FILE", certificate)
                with pytest.raises(ProtocolError, match="certificate not valid"):
                    await ask(Transport(), host, seen)
            assert seen.requests == []
            transport = Transport()
            assert await ask(transport, "localhost", seen) == COMPLETION
            assert await ask(transport, "localhost", seen) == COMPLETION
            await transport.aclose()

    asyncio.run(scenario())


def test_no_header_value_can_break_a_line() -> None:
    assert response_headers([(b"a", b"1\r\nx-evil: 1"), (b"b", b"\x00"), (b"c", "Zü\t".encode())]) == [
        (b"c", "Zü\t".encode())
    ]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1", 1.0),
        (b" 0 ", 0.0),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        (b"", None),
        (b"-1", None),
        (b"nan", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: bytes, seconds: float | None) -> None:
    assert retry_after_s([(b"retry-after", value)]) == seconds
