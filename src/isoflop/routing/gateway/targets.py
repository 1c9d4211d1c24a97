"""Where a request may be sent, and what came back: the seam between the endpoints and the transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long an upstream may take, in seconds."""

    connect_s: float = 5.0
    first_byte_s: float = 60.0
    idle_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one provider.

    Parameters
    ----------
    model, provider : str
        Names in the configuration.
    base_url, path : str
        ``https://…/v1`` and ``/chat/completions``.
    upstream_name : str
        What replaces the value of ``model`` in the body.
    headers : pairs of bytes
        Added to the request: the key, prepared once. Never logged.
    forward_authorization : bool
        Send the client's own Authorization.
    deadlines : Deadlines
    max_concurrent : int
        Requests open at this provider at once.
    """

    model: str
    provider: str
    base_url: str
    path: str
    upstream_name: str
    headers: RawHeaders = field(default=(), repr=False)
    forward_authorization: bool = False
    deadlines: Deadlines = field(default_factory=Deadlines)
    max_concurrent: int = 1024


@dataclass(slots=True, kw_only=True, eq=False)
class Upstreamed:
    """An answer whose body is still to be read.

    Parameters
    ----------
    status : int
    headers : pairs of bytes
        As they came, without those of one connection.
    chunks : async iterator of bytes
        The body, unchanged; raises `UpstreamCut` where it ends too early.
    close : async callable
        Lets go of the upstream; may be called at any time, and twice.
    target : Target
        Who answered.
    attempts : tuple of (model, cause)
        Those tried before, and what each one's failure was.
    first_byte_s : float
        From the start of `target`'s attempt to the first byte of its answer.
    """

    status: int
    headers: RawHeaders
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    target: Target
    attempts: tuple[tuple[str, str], ...] = ()
    first_byte_s: float = 0.0


class UpstreamCut(Exception):
    """The upstream broke off after its answer had begun; what came was passed on."""


class Forward(Protocol):
    """Sends a request to the first target that answers.

    Raises `ProtocolError` with 502, 503 or 504 that names each attempt where none did.
    """

    async def __call__(self, *, headers: RawHeaders, body: bytes, plan: Sequence[Target]) -> Upstreamed:
        """Forward `body` (POST), trying the targets of `plan` in order before the first byte."""


class Health(Protocol):
    """What breakers say of the targets."""

    def allows(self, provider: str, model: str) -> bool:
        """Return whether a call may be tried now."""

    def states(self) -> dict[tuple[str, str], str]:
        """Return ``closed``, ``open`` or ``half_open`` by provider and model."""
