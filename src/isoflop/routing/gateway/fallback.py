"""Send a request to the first model that answers.

Another model is tried only while the client has not been sent a byte: after a failed connection, an answer
that does not begin in time or breaks off before its body, and the statuses of `RETRYABLE`. Any other answer
is the client's, unchanged. One request goes to at most `MAX_FALLBACKS` models after the first.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from isoflop.routing.gateway.breaker import Breakers, Call
from isoflop.routing.gateway.headers import request_head, response_headers, retry_after_s
from isoflop.routing.gateway.pool import Pool
from isoflop.routing.gateway.protocol import ProtocolError, unavailable
from isoflop.routing.gateway.span import replace_model
from isoflop.routing.gateway.stream import Body
from isoflop.routing.gateway.targets import RawHeaders, Target, Upstreamed
from isoflop.routing.gateway.upstream import Broken, Connection

RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
MAX_FALLBACKS: Final = 2
LONGEST_RETRY_AFTER_S: Final = 2.0


class _Failure(Exception):
    """An attempt without an answer: its cause, and the status that says so."""

    def __init__(self, cause: str, status: int) -> None:
        super().__init__(cause)
        self.cause = cause
        self.status = status


class Transport:
    """What all requests of a process share: connections, breakers, and the count of open requests.

    It is the `Forward` of the endpoints. Addresses, keys and deadlines come with each target, so a reload of
    the configuration does not touch it.

    Parameters
    ----------
    clock : callable
        Seconds that never run backwards; of breakers and idle connections.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.health = Breakers(clock)
        self._pool = Pool(clock)
        self._open: Counter[str] = Counter()

    async def __call__(self, *, headers: RawHeaders, body: bytes, plan: Sequence[Target]) -> Upstreamed:
        """Return the first answer of `plan`'s targets.

        Parameters
        ----------
        headers : pairs of bytes
            Of the client, names in lower case.
        body : bytes
            Valid JSON with a top-level ``model``, which is replaced by each target's own name.
        plan : sequence of Target
            In order.

        Raises
        ------
        ProtocolError
            No target gave an answer: 504 after a timeout, 503 where all are busy or left alone, else 502.
            An error status of the last target is an answer, and returned.
        """
        attempts: list[tuple[str, str]] = []
        statuses = []
        tried = plan[: 1 + MAX_FALLBACKS]
        for position, target in enumerate(tried):
            raw = replace_model(body, target.upstream_name)
            try:
                upstream = await self._ask(target, headers, raw, attempts)
            except _Failure as failure:
                attempts.append((target.model, failure.cause))
                statuses.append(failure.status)
                continue
            if upstream.status not in RETRYABLE or position == len(tried) - 1:
                upstream.attempts = tuple(attempts)
                return upstream
            await upstream.close()
            attempts.append((target.model, f"status {upstream.status}"))
            statuses.append(502)
        raise _none_answered(attempts, statuses)

    async def aclose(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    async def _ask(
        self, target: Target, headers: RawHeaders, raw: bytes, attempts: list[tuple[str, str]]
    ) -> Upstreamed:
        upstream = await self._attempt(target, headers, raw)
        wait_s = retry_after_s(upstream.headers) if upstream.status == 429 else None
        if wait_s is None or wait_s > LONGEST_RETRY_AFTER_S:
            return upstream
        await upstream.close()
        attempts.append((target.model, f"status 429, again after {wait_s:g} s"))
        await asyncio.sleep(wait_s)
        return await self._attempt(target, headers, raw)

    async def _attempt(self, target: Target, headers: RawHeaders, raw: bytes) -> Upstreamed:
        provider = target.provider
        if self._open[provider] >= target.max_concurrent:
            raise _Failure(f"{target.max_concurrent} requests are open at its provider", 503)
        call = self.health.begin(provider, target.model)
        if call is None:
            raise _Failure("left alone after failures", 503)
        self._open[provider] += 1
        connection: Connection | None = None

        def give_back() -> None:
            self._open[provider] -= 1
            if connection is not None:
                self._pool.release(target.base_url, connection)

        try:
            start = time.perf_counter()
            until = asyncio.get_running_loop().time() + target.deadlines.total_s
            connection = await self._connect(target, until)
            return await _answer(connection, target, headers, raw, call, give_back, until, start)
        except _Failure:
            call.failed()
            give_back()
            raise
        except BaseException:
            call.dropped()
            give_back()
            raise

    async def _connect(self, target: Target, until: float) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(loop.time() + target.deadlines.connect_s, until)):
                return await self._pool.acquire(target.base_url)
        except TimeoutError:
            raise _Failure(f"no connection within {target.deadlines.connect_s:g} s", 504) from None
        except Broken as error:
            raise _Failure(str(error), 502) from None


async def _answer(
    connection: Connection,
    target: Target,
    headers: RawHeaders,
    raw: bytes,
    call: Call,
    give_back: Callable[[], None],
    until: float,
    start: float,
) -> Upstreamed:
    deadlines = target.deadlines
    body = Body(connection, call, give_back, idle_s=deadlines.idle_s, until=until)
    loop = asyncio.get_running_loop()
    try:
        connection.send(request_head(target, headers, len(raw)), raw)
        async with asyncio.timeout_at(min(loop.time() + deadlines.first_byte_s, until)):
            await connection.wait_head()
            status = connection.status
            if status < 200 or 300 <= status < 400:
                # A client that followed a redirect would leave the configured address.
                raise _Failure(f"status {status}, not followed", 502)
            if status > 599:
                raise _Failure(f"status {status}, which HTTP does not know", 502)
            came = response_headers(connection.headers)
            if status == 204:
                # It has no body, whatever its length says; a client would wait for one.
                came = [pair for pair in came if pair[0] != b"content-length"]
            if status in RETRYABLE:
                body.failed()
            else:
                # Some servers send headers at once and fail later: only the body's first byte is an answer.
                await body.begin()
                call.answered()
    except TimeoutError:
        raise _Failure(f"no answer within {deadlines.first_byte_s:g} s", 504) from None
    except Broken as error:
        raise _Failure(str(error), 502) from None
    return Upstreamed(
        status=status,
        headers=came,
        chunks=body,
        close=body.close,
        target=target,
        first_byte_s=time.perf_counter() - start,
    )


def _none_answered(attempts: Sequence[tuple[str, str]], statuses: Sequence[int]) -> ProtocolError:
    if not statuses:
        return unavailable("gateway: no model to send the request to.", attempts)
    status = 503 if set(statuses) == {503} else statuses[-1] if statuses[-1] != 503 else 502
    return unavailable("gateway: no model answered.", attempts, status=status)
