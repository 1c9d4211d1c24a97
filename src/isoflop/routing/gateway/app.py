"""The gateway as an ASGI application: one factory, nothing at import.

The paths are few and fixed, so a table finds the endpoint; no middleware lies between it and the server.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from isoflop.errors import IsoflopError
from isoflop.routing.gateway.config import GatewayConfig
from isoflop.routing.gateway.config_file import load_config
from isoflop.routing.gateway.decisions import route
from isoflop.routing.gateway.exchange import ClientGone, Exchange, Message, Receive, Scope, Send
from isoflop.routing.gateway.forwarding import forward
from isoflop.routing.gateway.metrics import CONTENT_TYPE, Metrics
from isoflop.routing.gateway.protocol import ProtocolError, shown
from isoflop.routing.gateway.running import LOG, Running, set_up
from isoflop.routing.gateway.state import open_state
from isoflop.routing.gateway.targets import Forward
from isoflop.routing.router.decision import Decider

Endpoint = Callable[[Exchange, Metrics], Awaitable[None]]
Reload = Callable[[], tuple[GatewayConfig, Decider | None]]


@dataclass(frozen=True, slots=True)
class _Route:
    """An endpoint, and whether it works: then it needs the token and counts against the cap."""

    method: str
    serve: Endpoint
    is_work: bool = True


def create_app(
    *,
    config: GatewayConfig | str | os.PathLike[str],
    router: Decider | None = None,
    complete: Forward | None = None,
    reload: Reload | None = None,
    clock: Callable[[], float] = time.time,
) -> Gateway:
    """Return the gateway as an ASGI application.

    Parameters
    ----------
    config : GatewayConfig or path
        Settings, or the TOML file that holds them.
    router : Decider, optional
        A fitted router; default: the cheapest model that can take a request.
    complete : Forward, optional
        Sends a request to a model; default: over HTTP to the configured providers.
    reload : callable, optional
        Returns the settings and router to change to on SIGHUP; raises `IsoflopError` to stay.
    clock : callable
        Seconds since the epoch.

    Returns
    -------
    Gateway

    Raises
    ------
    SettingError
        The settings, the keys in the environment or the router do not fit together.

    Examples
    --------
    >>> from isoflop.routing.gateway.config_file import read_config
    >>> config = read_config(
    ...     {
    ...         "provider": [{"name": "local", "base_url": "http://127.0.0.1:8000/v1"}],
    ...         "model": [{"name": "small", "provider": "local"}],
    ...     }
    ... )
    >>> create_app(config=config, complete=lambda **_: None).running.cautions[0]
    'No router is loaded: auto means the cheapest model that can take the request.'
    """
    settings = config if isinstance(config, GatewayConfig) else load_config(Path(config))
    if complete is None:
        from isoflop.routing.gateway.fallback import Transport

        complete = Transport()
    return Gateway(settings, router, complete, reload=reload, clock=clock)


class Gateway:
    """The application; made by `create_app`.

    Parameters
    ----------
    config : GatewayConfig
    router : Decider or None
    transport : Forward
    reload, clock
        As in `create_app`.
    """

    def __init__(
        self,
        config: GatewayConfig,
        router: Decider | None,
        transport: Forward,
        *,
        reload: Reload | None,
        clock: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._reload = reload
        self._reloading = asyncio.Lock()
        self._state = open_state(config.server.state_path)
        # An application that never served, because only its settings were checked, has no shutdown.
        weakref.finalize(self, self._state.close)
        self.running = self._set_up(config, router)
        self.metrics = Metrics()
        self.in_flight = 0
        self._began = int(clock())
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)
        self._routes: Mapping[str, _Route] = {
            "/route": _Route("POST", route),
            "/v1/chat/completions": _Route("POST", partial(forward, endpoint="chat")),
            "/v1/completions": _Route("POST", partial(forward, endpoint="completions")),
            "/v1/embeddings": _Route("POST", partial(forward, endpoint="embeddings")),
            "/v1/models": _Route("GET", self._list_models),
            "/metrics": _Route("GET", self._show_metrics),
            "/healthz": _Route("GET", self._say_alive, is_work=False),
            "/readyz": _Route("GET", self._say_ready, is_work=False),
        }
        self._one_model = _Route("GET", self._show_model)

    def _set_up(self, config: GatewayConfig, router: Decider | None) -> Running:
        return set_up(config, router=router, forward=self._transport, state=self._state, clock=self._clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server (ASGI)."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    # ------------------------------------------------------------------ requests

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(self.running, scope, receive, send, f"{self._prefix}{next(self._numbers):x}")
        try:
            found = self._find(scope)
            exchange.head = self.running.guard.read(scope["headers"], is_open=not found.is_work)
            if not found.is_work:
                await found.serve(exchange, self.metrics)
                return
            self._enter()
            try:
                await found.serve(exchange, self.metrics)
            finally:
                self._leave()
        except ProtocolError as error:
            await self._refuse(exchange, error)
        except IsoflopError as error:
            # What a router refuses: a policy that needs a price it does not have, say.
            await self._refuse(exchange, ProtocolError(400, str(error), code="not_possible"))
        except ClientGone:
            LOG.info("request=%s client gone", exchange.request_id)
        except Exception as error:
            # The one place where anything may arrive: the client gets an error object, the log the place of
            # the fault without its message, which may hold text of a prompt.
            LOG.error("request=%s failed: %s", exchange.request_id, _place(error))
            fault = ProtocolError(500, "gateway: internal error; the log names it.", code="internal_error")
            await self._refuse(exchange, fault)

    def _find(self, scope: Scope) -> _Route:
        path = scope["path"]
        found = self._routes.get(path)
        if found is None and path.startswith("/v1/models/"):
            found = self._one_model
        if found is None:
            raise ProtocolError(
                404,
                f"path: {shown(path)} is not served; known are {', '.join(self._routes)}.",
                code="not_found",
            )
        if scope["method"] != found.method:
            raise ProtocolError(
                405,
                f"method: {scope['method'][:20]}, {path[:60]} needs {found.method}.",
                code="method_not_allowed",
            )
        return found

    def _enter(self) -> None:
        limit = self.running.config.server.max_concurrent
        if self.in_flight >= limit:
            raise ProtocolError(
                429,
                f"gateway: {limit} requests are running, that is the limit. Try again.",
                code="too_many_requests",
                retry_after_s=1,
            )
        self.in_flight += 1
        self.metrics.entered()

    def _leave(self) -> None:
        self.in_flight -= 1
        self.metrics.left()

    async def _refuse(self, exchange: Exchange, error: ProtocolError) -> None:
        if exchange.is_started:
            return
        path = exchange.scope["path"]
        self.metrics.answered(path if path in self._routes else "other", "", error.status)
        headers = error.headers()
        if error.status in (408, 413) or error.code == "upgrade_not_supported":
            # The rest of the body is not waited for, so the connection cannot serve another request.
            headers.append((b"connection", b"close"))
        await exchange.answer(error.status, error.body(), headers)

    # ---------------------------------------------------------------- small answers

    async def _say_alive(self, exchange: Exchange, _metrics: Metrics) -> None:
        await exchange.answer(200, b'{"status":"alive"}')

    async def _say_ready(self, exchange: Exchange, _metrics: Metrics) -> None:
        import orjson

        running = exchange.running
        states = running.health.states().values()
        found = {
            "status": "ready",
            "router": running.is_routed,
            "models": len(running.config.models),
            "providers": len(running.config.providers),
            "open_breakers": sum(state != "closed" for state in states),
        }
        await exchange.answer(200, orjson.dumps(found))

    async def _show_metrics(self, exchange: Exchange, metrics: Metrics) -> None:
        page = metrics.page(exchange.running.health.states())
        await exchange.answer(200, page, ((b"content-type", CONTENT_TYPE),))

    def _models(self, running: Running) -> list[dict[str, Any]]:
        autos = [(name, "isoflop") for name in running.policies.names]
        served = [(model.name, model.provider) for model in running.config.models.values()]
        return [
            {"id": name, "object": "model", "created": self._began, "owned_by": owner}
            for name, owner in (*autos, *served)
        ]

    async def _list_models(self, exchange: Exchange, _metrics: Metrics) -> None:
        import orjson

        found = {"object": "list", "data": self._models(exchange.running)}
        await exchange.answer(200, orjson.dumps(found))

    async def _show_model(self, exchange: Exchange, _metrics: Metrics) -> None:
        import orjson

        name = exchange.scope["path"].removeprefix("/v1/models/")
        found = [model for model in self._models(exchange.running) if model["id"] == name]
        if not found:
            raise ProtocolError(
                404,
                f"model: {shown(name)} is not configured. See GET /v1/models.",
                code="model_not_found",
                param="model",
            )
        await exchange.answer(200, orjson.dumps(found[0]))

    # ---------------------------------------------------------------------- life

    def change_to(self, config: GatewayConfig, router: Decider | None) -> tuple[str, ...]:
        """Serve new requests by other settings; running ones keep theirs.

        Parameters
        ----------
        config : GatewayConfig
        router : Decider or None

        Returns
        -------
        tuple of str
            Settings that only a restart changes.

        Raises
        ------
        SettingError
            They do not fit together; then nothing has changed.
        """
        changed = self._set_up(config, router)
        old, new = self.running.config.server, config.server
        fixed = ("host", "port", "workers", "state_path", "header_timeout_s", "drain_s")
        self.running = changed
        return tuple(name for name in fixed if getattr(old, name) != getattr(new, name))

    async def reload(self) -> bool:
        """Read the settings again and change to them; what is refused is logged and changes nothing.

        Returns
        -------
        bool
            Whether the new settings hold.
        """
        if self._reload is None:
            return False
        try:
            # Reading a router takes a while; requests go on meanwhile. One at a time: of two that overlap
            # the older might else be the last to be done.
            async with self._reloading:
                config, router = await asyncio.to_thread(self._reload)
                later = self.change_to(config, router)
        except IsoflopError as error:
            LOG.error("reload refused, the former settings stay: %s", error)
            self.metrics.reloaded(is_done=False)
            return False
        except Exception as error:
            # Whatever is wrong with the files, those who are being served must not notice.
            LOG.error("reload failed, the former settings stay: %s", _place(error))
            self.metrics.reloaded(is_done=False)
            return False
        LOG.info("reloaded%s", f"; a restart is needed for {', '.join(later)}" if later else "")
        self.metrics.reloaded(is_done=True)
        return True

    async def _live(self, receive: Receive, send: Send) -> None:
        tasks: set[asyncio.Task[bool]] = set()

        def hang_up() -> None:
            task = asyncio.ensure_future(self.reload())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                _on_hang_up(hang_up if self._reload is not None else None)
                await send({"type": "lifespan.startup.complete"})
            else:
                _on_hang_up(None)
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def close(self) -> None:
        """Let go of connections and the shared state."""
        aclose = getattr(self._transport, "aclose", None)
        if aclose is not None:
            await aclose()
        self._state.close()


def _on_hang_up(action: Callable[[], None] | None) -> None:
    import signal
    import threading

    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    if action is None:
        loop.remove_signal_handler(signal.SIGHUP)
    else:
        loop.add_signal_handler(signal.SIGHUP, action)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"
