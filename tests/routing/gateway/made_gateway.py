"""A gateway without a network: a decider that answers as told, and an upstream in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from isoflop.routing.gateway import create_app, read_config
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.targets import Upstreamed
from isoflop.routing.router.decision import Decision, Neighbour

PROVIDER = {"name": "local", "base_url": "http://127.0.0.1:9/v1"}
SMALL = {"name": "small", "provider": "local", "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
LARGE = {
    "name": "large",
    "provider": "local",
    "input_usd_per_mtok": 10.0,
    "output_usd_per_mtok": 20.0,
    "supports": ["tools", "vision", "json"],
}
EMBEDDER = {
    "name": "embedder",
    "provider": "local",
    "endpoints": ["embeddings"],
    "input_usd_per_mtok": 0.1,
    "output_usd_per_mtok": 0.0,
}


def written(*models: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Return settings as TOML gives them."""
    return {"provider": [PROVIDER], "model": list(models or (SMALL, LARGE, EMBEDDER)), **sections}


class Told:
    """A decider that prefers models in the order it was told, and notes what it was asked."""

    distance_range = (0.1, 0.5)

    def __init__(self, *order: str, distance: float = 0.25, reason: str = "local") -> None:
        self.models = order or ("large", "small")
        self.distance = distance
        self.reason = reason
        self.asked: list[tuple[str, tuple[str, ...] | None, Any]] = []

    def decide(
        self,
        text: str,
        *,
        policy: Any = None,
        candidates: Sequence[str] | None = None,
        explain: bool = False,
    ) -> Decision:
        self.asked.append((text, None if candidates is None else tuple(candidates), policy))
        order = tuple(name for name in self.models if candidates is None or name in candidates)
        near = (Neighbour(instance_id="p1", dataset="sums", similarity=0.75, text="2 + 2?"),)
        return Decision(
            choice=order[0],
            order=order,
            score={name: 0.9 - 0.1 * at for at, name in enumerate(order)},
            reason="no_text" if not text else self.reason,
            why="Neighbours say so.",
            gain=(0.1, -0.02, 0.2),
            p_hat={order[0]: 0.8},
            neighbours=near if explain else (),
            dataset_shares={"sums": 1.0},
            distance=self.distance,
        )


@dataclass
class Upstream:
    """A transport that answers from memory, and notes what it was sent."""

    chunks: Sequence[bytes] = (b'{"usage": {"prompt_tokens": 100, "completion_tokens": 50}}',)
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = ((b"content-type", b"application/json"),)
    skip: int = 0
    ends: BaseException | None = None
    refuses: ProtocolError | None = None
    waits: asyncio.Event | None = None
    open_breakers: frozenset[str] = frozenset()
    sent: list[tuple[bytes, tuple[str, ...]]] = field(default_factory=list)
    closed: int = 0

    async def __call__(self, *, headers: Any, body: bytes, plan: Any) -> Upstreamed:  # noqa: ARG002
        self.sent.append((body, tuple(target.upstream_name for target in plan)))
        if self.refuses is not None:
            raise self.refuses
        if self.waits is not None:
            await self.waits.wait()

        async def stream() -> Any:
            for chunk in self.chunks:
                yield chunk
            if self.ends is not None:
                raise self.ends

        async def close() -> None:
            self.closed += 1

        at = min(self.skip, len(plan) - 1)
        return Upstreamed(
            status=self.status,
            headers=self.headers,
            chunks=stream(),
            close=close,
            target=plan[at],
            attempts=tuple((target.model, "HTTP 503") for target in plan[:at]),
        )

    @property
    def health(self) -> Upstream:
        return self

    def allows(self, provider: str, model: str) -> bool:  # noqa: ARG002
        return model not in self.open_breakers

    def states(self) -> dict[tuple[str, str], str]:
        return {("local", name): "open" for name in self.open_breakers}


@dataclass
class Answer:
    """What a client received."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Client:
    """Sends requests to an application in process."""

    def __init__(self, config: dict[str, Any] | None = None, *, router: Any = None, **rest: Any) -> None:
        self.upstream = rest.pop("upstream", None) or Upstream()
        self.router = router or Told()
        self.app = create_app(
            config=read_config(config or written()),
            router=None if router is False else self.router,
            complete=self.upstream,
            **rest,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run(self.app.close())

    def post(self, path: str, fields: Any, **headers: str) -> Answer:
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return asyncio.run(self.send("POST", path, body, **headers))

    def get(self, path: str, **headers: str) -> Answer:
        return asyncio.run(self.send("GET", path, b"", **headers))

    def chat(self, text: Any = "What is 2 + 2?", model: str = "auto", **fields: Any) -> Answer:
        messages = fields.pop("messages", [{"role": "user", "content": text}])
        given = {key[2:]: fields.pop(key) for key in [k for k in fields if k.startswith("h_")]}
        return self.post("/v1/chat/completions", {"model": model, "messages": messages, **fields}, **given)

    async def send(
        self, method: str, path: str, body: bytes, *, gone: asyncio.Event | None = None, **headers: str
    ) -> Answer:
        named = {"host": "127.0.0.1:8040", "content-length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer, messages = Answer(), [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message["body"]
                answer.is_complete = not message.get("more_body", False)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(k.encode(), v.encode()) for k, v in named.items()],
        }
        await self.app(scope, receive, send)
        return answer

    def metric(self, name: str) -> float:
        """Return the value of a counter, given as it stands in the page."""
        lines = self.get("/metrics").body.decode().splitlines()
        found = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")]
        return found[0] if found else 0.0
