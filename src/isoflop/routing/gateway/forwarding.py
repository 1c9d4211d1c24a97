"""``/v1/chat/completions``, ``/v1/completions`` and ``/v1/embeddings``: choose, send on, count the cost.

The body goes to the transport as it came; the answer's bytes go to the client as they come.
"""

from __future__ import annotations

from typing import Final

from isoflop.routing.gateway.asked import Asked, parse, read_chat, read_prompt
from isoflop.routing.gateway.budget import Reservation
from isoflop.routing.gateway.candidates import estimate_usd, over_budget
from isoflop.routing.gateway.choosing import Plan, plan
from isoflop.routing.gateway.decisions import count
from isoflop.routing.gateway.embeddings import MAX_BYTES, Kept
from isoflop.routing.gateway.exchange import ClientGone, Exchange
from isoflop.routing.gateway.metrics import Metrics
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.running import LOG, Running
from isoflop.routing.gateway.targets import UpstreamCut, Upstreamed
from isoflop.routing.gateway.usage import UsageReader

_PROMPT_FIELD: Final = {"completions": "prompt", "embeddings": "input"}


async def forward(exchange: Exchange, metrics: Metrics, endpoint: str) -> None:
    """Serve one request by the model that is named or chosen.

    Raises
    ------
    ProtocolError
        Nothing could be sent to the client yet.
    ClientGone
    """
    running = exchange.running
    body = await exchange.body()
    kept_as = running.embeddings.key(body) if endpoint == "embeddings" else None
    if kept_as is not None and (kept := running.embeddings.find(kept_as)) is not None:
        await exchange.answer(200, kept.body, [*kept.headers, *_added(kept.model, "cache", 0.0)])
        metrics.answered(exchange.scope["path"], kept.model, 200)
        return
    asked = _asked(body, endpoint, running)
    chosen = plan(running, asked, endpoint=endpoint, session=exchange.head.session)
    count(metrics, running, chosen)
    if chosen.reason == "shadow":
        _log_shadow(metrics, chosen, exchange)
    bill = _Bill(running, metrics, asked, chosen, endpoint)
    try:
        async with exchange.while_connected():
            upstream = await running.forward(
                headers=exchange.scope["headers"],
                body=body,
                plan=tuple(running.targets[model.name, endpoint] for model in chosen.order),
            )
            bill.began(upstream)
            try:
                await _pass_on(exchange, metrics, chosen, upstream, bill, kept_as)
            finally:
                await upstream.close()
    except ProtocolError:
        bill.failed()
        raise
    except ClientGone:
        metrics.cut(bill.model, "client")
        raise
    finally:
        bill.settle()


def _asked(body: bytes, endpoint: str, running: Running) -> Asked:
    server = running.config.server
    fields = parse(body)
    if endpoint == "chat":
        return read_chat(fields, system_prompt=server.system_prompt, max_chars=server.max_prompt_chars)
    return read_prompt(fields, _PROMPT_FIELD[endpoint], max_chars=server.max_prompt_chars)


def _log_shadow(metrics: Metrics, chosen: Plan, exchange: Exchange) -> None:
    decision = chosen.decision
    assert decision is not None, "only a decision is shadowed"
    served = exchange.running.models_by_score[decision.choice][0].name
    metrics.shadowed(served)
    LOG.info(
        "request=%s shadow: would choose %s (%s), serves %s",
        exchange.request_id,
        served,
        decision.reason,
        chosen.order[0].name,
    )


async def _pass_on(
    exchange: Exchange,
    metrics: Metrics,
    chosen: Plan,
    upstream: Upstreamed,
    bill: _Bill,
    kept_as: bytes | None,
) -> None:
    running, target = exchange.running, upstream.target
    metrics.first_byte(target.model, upstream.first_byte_s)
    for model, _cause in upstream.attempts:
        metrics.failed(model)
    if target.model != chosen.order[0].name:
        metrics.fell_back(target.model)
    if chosen.conversation is not None and upstream.status < 400:
        running.conversations.keep(chosen.conversation, target.model)
    headers = [pair for pair in upstream.headers if not pair[0].startswith(b"x-isoflop-")]
    added = _added(target.model, chosen.reason, chosen.decision_s)
    await exchange.start(
        upstream.status, [*headers, *added, (b"x-isoflop-request-id", exchange.request_id.encode())]
    )
    tee: list[bytes] | None = [] if kept_as is not None and upstream.status == 200 else None
    status = upstream.status
    try:
        async for chunk in upstream.chunks:
            bill.read(chunk)
            if tee is not None:
                tee.append(chunk)
                tee = tee if sum(map(len, tee)) <= MAX_BYTES else None
            await exchange.chunk(chunk)
        await exchange.end()
        if tee is not None and kept_as is not None:
            running.embeddings.keep(kept_as, Kept(target.model, _kept_headers(headers), b"".join(tee)))
    except UpstreamCut:
        # The client must see that something is missing: the answer is left incomplete.
        metrics.cut(target.model, "upstream")
        status = 0
    finally:
        _note(exchange, metrics, chosen, upstream, status)


def _note(exchange: Exchange, metrics: Metrics, chosen: Plan, upstream: Upstreamed, status: int) -> None:
    seconds, model = exchange.seconds(), upstream.target.model
    metrics.finished(model, seconds)
    metrics.answered(exchange.scope["path"], model, upstream.status)
    LOG.info(
        "request=%s model=%s reason=%s status=%s attempts=%d ms=%.1f",
        exchange.request_id,
        model,
        chosen.reason,
        status or f"{upstream.status} cut",
        1 + len(upstream.attempts),
        seconds * 1e3,
    )


def _added(model: str, reason: str, decision_s: float) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-isoflop-model", model.encode()),
        (b"x-isoflop-reason", reason.encode()),
        (b"x-isoflop-decision-ms", b"%.3f" % (decision_s * 1e3)),
    ]


def _kept_headers(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    own = (b"content-length", b"date", b"set-cookie")
    return tuple(pair for pair in headers if pair[0] not in own)


class _Bill:
    """What one request costs: reserved before, settled once whatever happens."""

    def __init__(self, running: Running, metrics: Metrics, asked: Asked, chosen: Plan, endpoint: str) -> None:
        self.model = chosen.order[0].name
        self._running = running
        self._metrics = metrics
        self._is_embedding = endpoint == "embeddings"
        self._asked = asked
        self._reader: UsageReader | None = None
        self._is_free = False
        self._reservation = self._reserve(chosen)

    def _reserve(self, chosen: Plan) -> Reservation | None:
        budget = self._running.budget
        if budget is None:
            return None
        # Any model of the plan may answer, so the dearest is set aside.
        usd = max(self._estimate(model.name) or 0.0 for model in chosen.order)
        found = budget.reserve(usd, over=chosen.is_over_budget)
        if found is None and budget.setting.on_exceed == "cheapest" and chosen.decision is not None:
            found = budget.reserve(usd, over=True)
        if found is None:
            raise over_budget({self.model: "costs more than the budget leaves"})
        return found

    def _estimate(self, model: str) -> float | None:
        served = self._running.config.models[model]
        return estimate_usd(served, self._asked, is_embedding=self._is_embedding)

    def began(self, upstream: Upstreamed) -> None:
        """Note who answers; an error costs nothing."""
        self.model = upstream.target.model
        self._is_free = upstream.status >= 400
        served = self._running.config.models[self.model]
        if served.input_usd_per_mtok is not None and not self._is_free:
            encoding = next((value for name, value in upstream.headers if name == b"content-encoding"), b"")
            self._reader = UsageReader(encoding)

    def read(self, chunk: bytes) -> None:
        """Look for the usage in passing."""
        if self._reader is not None:
            self._reader.feed(chunk)

    def failed(self) -> None:
        """Note that no model answered."""
        self._is_free = True

    def settle(self) -> None:
        """Charge the usage; where none was sent, the estimate."""
        usage = self._reader.usage() if self._reader is not None else None
        served = self._running.config.models[self.model]
        usd = served.cost_usd(usage.tokens_in, usage.tokens_out) if usage else self._estimate(self.model)
        usd = 0.0 if self._is_free or usd is None else usd
        if usd:
            self._metrics.spent(self.model, usd, is_estimate=usage is None)
        budget = self._running.budget
        if budget is not None and self._reservation is not None:
            budget.settle(self._reservation, usd, is_estimate=usage is None)
