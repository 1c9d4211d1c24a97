"""What a gateway is told: where it listens, which providers and models it has, policies and a budget.

Only settings; `isoflop.routing.gateway.config_file` reads them from TOML. Money is in USD, sizes in bytes,
times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ENDPOINTS = ("chat", "completions", "embeddings")
"""What a model can be asked for."""
SUPPORTS = ("tools", "vision", "json")
"""Abilities that a request may need of a model."""
PERIODS = ("hour", "day", "month", "total")

Period = Literal["hour", "day", "month", "total"]
OnExceed = Literal["cheapest", "refuse"]
PolicyKind = Literal["quality", "cost_aware", "at_least", "budget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the gateway listens and what it accepts.

    Parameters
    ----------
    host, port, workers
        Address; one process is enough for most, each worker decides on its own.
    token_env : str, optional
        Environment variable that holds the token clients must send.
    allowed_hosts : tuple of str
        Names in the Host header accepted beside those of the loopback.
    max_body_bytes : int
        Larger requests are refused with 413.
    max_concurrent : int
        Requests served at once by one worker; more are refused with 429.
    header_timeout_s, body_timeout_s, write_timeout_s : float
        How long a slow client may take for its headers, for its body, and to accept one chunk.
    drain_s : float
        How long running requests may go on after a stop is asked for.
    policy : str
        Policy of ``auto``.
    shadow_model : str, optional
        Serve this model for every ``auto`` and only log what would have been chosen.
    system_prompt : bool
        Route on the system prompt too.
    explain_text : bool
        Show texts of neighbours in ``/route`` to those who ask.
    sticky : bool
        Keep a conversation with the model that began it.
    session_ttl_s, max_sessions
        How long and how many conversations are remembered.
    max_prompt_chars : int
        Longer prompts are routed on their head and tail.
    embeddings_cache : int
        Answers to embeddings that are kept, by hash of the request; 0 keeps none.
    state_path : str, optional
        File that workers share and that outlives a restart: spending and conversations.
    """

    host: str = "127.0.0.1"
    port: int = 8040
    workers: int = 1
    token_env: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_body_bytes: int = 4 * 1024 * 1024
    max_concurrent: int = 1024
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    write_timeout_s: float = 60.0
    drain_s: float = 30.0
    policy: str = "quality"
    shadow_model: str | None = None
    system_prompt: bool = False
    explain_text: bool = False
    sticky: bool = True
    session_ttl_s: float = 3600.0
    max_sessions: int = 100_000
    max_prompt_chars: int = 20_000
    embeddings_cache: int = 1024
    state_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One upstream that speaks the OpenAI protocol.

    Parameters
    ----------
    name, base_url : str
        ``https://…/v1``; request paths are appended.
    api_key_env : str, optional
        Environment variable that holds its key.
    api_key_header : str
        Header that carries the key; ``authorization`` sends it as a bearer token.
    forward_authorization : bool
        Send the client's own Authorization instead of a key.
    connect_timeout_s, first_byte_timeout_s, idle_timeout_s, total_timeout_s : float
    max_concurrent : int
        Requests open at this provider at once, for each worker.
    """

    name: str
    base_url: str
    api_key_env: str | None = None
    api_key_header: str = "authorization"
    forward_authorization: bool = False
    insecure_http: bool = False
    connect_timeout_s: float = 5.0
    first_byte_timeout_s: float = 60.0
    idle_timeout_s: float = 60.0
    total_timeout_s: float = 600.0
    max_concurrent: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model that clients may name and the router may choose.

    Parameters
    ----------
    name : str
        What clients write.
    provider, upstream_name : str
        Who serves it and under which name.
    scored_as : str
        Its name in the router.
    input_usd_per_mtok, output_usd_per_mtok : float, optional
        Prices; without them a model has no cost, and no budget can hold it.
    context_tokens : int, optional
        Longest prompt and answer together.
    mean_output_tokens : int
        Expected length of an answer where the request sets none.
    supports, endpoints : frozenset of str
    fallback : tuple of str
        Models tried after this one; default for ``auto``: the next by policy.
    """

    name: str
    provider: str
    upstream_name: str
    scored_as: str
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    context_tokens: int | None = None
    mean_output_tokens: int = 400
    supports: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset({"chat", "completions"})
    fallback: tuple[str, ...] = ()

    def cost_usd(self, tokens_in: float, tokens_out: float) -> float | None:
        """Return the price of a call, or None where a price is not known."""
        if self.input_usd_per_mtok is None or self.output_usd_per_mtok is None:
            return None
        return (tokens_in * self.input_usd_per_mtok + tokens_out * self.output_usd_per_mtok) * 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySetting:
    """A named way to weigh quality against cost.

    Parameters
    ----------
    kind : str
        ``quality``; ``cost_aware``, with `value` in USD that one point of score is worth; ``at_least``, with
        `value` the share of the best score that must be kept; ``budget``, with `value` in USD per 1,000
        prompts.
    value : float, optional
    models : tuple of str
        Served models it may choose; empty: all.
    """

    kind: PolicyKind = "quality"
    value: float | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSetting:
    """How much may be spent, and what happens then.

    Parameters
    ----------
    usd : float
    per : str
        ``hour``, ``day``, ``month`` (UTC) or ``total``.
    on_exceed : str
        ``cheapest`` serves the cheapest model that can take the request, and so goes on spending;
        ``refuse`` answers 429.
    """

    usd: float
    per: Period = "day"
    on_exceed: OnExceed = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """All settings of a gateway, checked against each other."""

    server: ServerSettings = field(default_factory=ServerSettings)
    providers: Mapping[str, Provider]
    models: Mapping[str, ServedModel]
    policies: Mapping[str, PolicySetting] = field(default_factory=lambda: {"quality": PolicySetting()})
    budget: BudgetSetting | None = None
