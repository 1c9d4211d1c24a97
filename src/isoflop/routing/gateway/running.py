"""A configuration at work: everything a request needs, made once and swapped as a whole on a reload."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from isoflop.errors import SettingError
from isoflop.routing.gateway.budget import Budget
from isoflop.routing.gateway.config import ENDPOINTS, GatewayConfig, Provider, ServedModel
from isoflop.routing.gateway.config_file import secret
from isoflop.routing.gateway.conversation import Conversations
from isoflop.routing.gateway.embeddings import EmbeddingCache
from isoflop.routing.gateway.policies import Policies
from isoflop.routing.gateway.prices import priced
from isoflop.routing.gateway.security import Guard, accepted_hosts
from isoflop.routing.gateway.targets import Deadlines, Forward, Health, Target
from isoflop.routing.gateway.unrouted import Unrouted
from isoflop.routing.router.decision import Decider

LOG = logging.getLogger("isoflop.gateway")
PATHS: Mapping[str, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """What a request is served with.

    Parameters
    ----------
    config : GatewayConfig
    decider : Decider
    is_routed : bool
        False where `decider` only goes by price.
    policies : Policies
    forward : Forward
    health : Health
    guard : Guard
    targets : mapping
        (model, endpoint) to `Target`.
    scored : frozenset of str
        Models the router knows.
    furthest : float
        Largest distance of a prompt from the others that the router was fitted on.
    models_by_score : mapping
        Model of the router to the served models that are it.
    budget : Budget or None
    conversations : Conversations
    embeddings : EmbeddingCache
    cautions : tuple of str
        What an operator should know.
    """

    config: GatewayConfig
    decider: Decider
    is_routed: bool
    policies: Policies
    forward: Forward
    health: Health
    guard: Guard
    targets: Mapping[tuple[str, str], Target]
    scored: frozenset[str]
    furthest: float
    models_by_score: Mapping[str, tuple[ServedModel, ...]]
    budget: Budget | None
    conversations: Conversations
    embeddings: EmbeddingCache
    cautions: tuple[str, ...]


class _AllHealthy:
    """Breakers of a transport that has none."""

    def allows(self, provider: str, model: str) -> bool:  # noqa: ARG002 - the interface of breakers
        return True

    def states(self) -> dict[tuple[str, str], str]:
        return {}


def set_up(
    config: GatewayConfig,
    *,
    router: Decider | None,
    forward: Forward,
    state: sqlite3.Connection,
    clock: Callable[[], float],
) -> Running:
    """Make everything that a configuration asks for.

    Parameters
    ----------
    config : GatewayConfig
    router : Decider or None
        None: the cheapest model that can take a request.
    forward : Forward
        The transport; its ``health``, if it has one, says which targets are open.
    state : sqlite3.Connection
        From `open_state`.
    clock : callable
        Seconds since the epoch.

    Raises
    ------
    SettingError
        A key or token is missing, no served model is known to the router, or a policy does not fit it.
    """
    served = config.models.values()
    decider = Unrouted(served) if router is None else priced(router, served)
    by_score: dict[str, tuple[ServedModel, ...]] = {}
    for model in config.models.values():
        by_score[model.scored_as] = (*by_score.get(model.scored_as, ()), model)
    scored = frozenset(decider.models)
    # Clients with keys of their own must not see each other's answers.
    shares_keys = any(provider.forward_authorization for provider in config.providers.values())
    token = secret(config.server.token_env, "[server] token_env") if config.server.token_env else None
    return Running(
        config=config,
        decider=decider,
        is_routed=router is not None,
        policies=Policies(config, decider, is_routed=router is not None),
        forward=forward,
        health=getattr(forward, "health", None) or _AllHealthy(),
        guard=Guard(
            token=token,
            hosts=accepted_hosts(config.server.host, config.server.allowed_hosts),
            max_body_bytes=config.server.max_body_bytes,
        ),
        targets=_targets(config),
        scored=scored,
        furthest=getattr(router, "distance_range", (0.0, math.inf))[1],
        models_by_score=by_score,
        budget=None
        if config.budget is None
        else Budget(config.budget, state, hold_s=_longest_s(config), clock=clock),
        conversations=Conversations(
            state, ttl_s=config.server.session_ttl_s, limit=config.server.max_sessions, clock=clock
        ),
        embeddings=EmbeddingCache(0 if shares_keys else config.server.embeddings_cache),
        cautions=_cautions(config, scored, is_routed=router is not None),
    )


def _longest_s(config: GatewayConfig) -> float:
    # A chosen model and two fallbacks, each up to its deadline.
    return 3 * max(provider.total_timeout_s for provider in config.providers.values()) + 60


def _targets(config: GatewayConfig) -> dict[tuple[str, str], Target]:
    keys = {name: _key_headers(provider) for name, provider in config.providers.items()}
    found = {}
    for model in config.models.values():
        provider = config.providers[model.provider]
        for endpoint in sorted(model.endpoints & set(ENDPOINTS)):
            found[model.name, endpoint] = Target(
                model=model.name,
                provider=provider.name,
                base_url=provider.base_url,
                path=PATHS[endpoint],
                upstream_name=model.upstream_name,
                headers=keys[provider.name],
                forward_authorization=provider.forward_authorization,
                deadlines=Deadlines(
                    connect_s=provider.connect_timeout_s,
                    first_byte_s=provider.first_byte_timeout_s,
                    idle_s=provider.idle_timeout_s,
                    total_s=provider.total_timeout_s,
                ),
                max_concurrent=provider.max_concurrent,
            )
    return found


def _key_headers(provider: Provider) -> tuple[tuple[bytes, bytes], ...]:
    if provider.api_key_env is None:
        return ()
    key = secret(provider.api_key_env, f"[[provider]] {provider.name}")
    value = f"Bearer {key}" if provider.api_key_header == "authorization" else key
    return ((provider.api_key_header.encode(), value.encode()),)


def _cautions(config: GatewayConfig, scored: frozenset[str], *, is_routed: bool) -> tuple[str, ...]:
    found = []
    if not is_routed:
        found.append("No router is loaded: auto means the cheapest model that can take the request.")
        return tuple(found)
    chat = [model for model in config.models.values() if "chat" in model.endpoints]
    unknown = [model.name for model in chat if model.scored_as not in scored]
    if chat and len(unknown) == len(chat):
        raise SettingError(
            f"gateway: the router scores none of {', '.join(unknown)}; it knows {', '.join(sorted(scored))}. "
            "Set scored_as of each [[model]] to its name there."
        )
    if unknown:
        found.append(
            f"The router has no scores of {', '.join(unknown)}: auto never chooses them. "
            "Set scored_as, or add them with isoflop routing add-model."
        )
    if len(chat) - len(unknown) == 1:
        found.append("The router knows only one served model: auto always chooses it.")
    return tuple(found)
