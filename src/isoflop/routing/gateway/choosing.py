"""From a request to a plan: which models to try, in which order, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from isoflop.errors import closest
from isoflop.routing.gateway.asked import Asked
from isoflop.routing.gateway.candidates import eligible, estimate_usd
from isoflop.routing.gateway.config import ServedModel
from isoflop.routing.gateway.conversation import conversation_key
from isoflop.routing.gateway.policies import is_auto
from isoflop.routing.gateway.protocol import ProtocolError, shown, unavailable
from isoflop.routing.gateway.running import Running
from isoflop.routing.router.decision import Decision

MAX_FALLBACKS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Models to try for one request.

    Parameters
    ----------
    order : tuple of ServedModel
        First choice first.
    reason : str
        That of the decision, or ``fixed`` (named by the client), ``sticky`` (the conversation began with it),
        ``shadow`` (configured for all), ``budget`` (the cheapest, for the budget is spent).
    decision : Decision or None
        What the router said; None where it was not asked.
    left_out : mapping of str to str
        Models that cannot take the request, and why.
    policy : str
    decision_s : float
    conversation : bytes or None
        Key under which the model that answers is remembered.
    is_over_budget : bool
        The call is made although the budget is spent.
    """

    order: tuple[ServedModel, ...]
    reason: str
    decision: Decision | None = None
    left_out: Mapping[str, str]
    policy: str = ""
    decision_s: float = 0.0
    conversation: bytes | None = None
    is_over_budget: bool = False


def plan(
    running: Running, asked: Asked, *, endpoint: str, session: bytes | None = None, explain: bool = False
) -> Plan:
    """Choose the models for a request.

    Parameters
    ----------
    running : Running
    asked : Asked
    endpoint : str
        ``chat``, ``completions`` or ``embeddings``.
    session : bytes, optional
        The client's name of the conversation.
    explain : bool
        Also ask for neighbours and shares.

    Raises
    ------
    ProtocolError
        404 for an unknown model or policy; 400, 429 or 503 where no model can take the request.
    """
    if is_auto(asked.model):
        return _routed(running, asked, endpoint, session, explain=explain)
    return _named(running, asked, endpoint)


def _named(running: Running, asked: Asked, endpoint: str) -> Plan:
    models = running.config.models
    model = models.get(asked.model)
    if model is None or endpoint not in model.endpoints:
        offered = [one.name for one in models.values() if endpoint in one.endpoints]
        near = closest(asked.model[:200], offered)
        hint = f"closest is '{near}'" if near else f"known are {', '.join(offered) or 'none'}"
        raise ProtocolError(
            404,
            f"model: {shown(asked.model)} is not configured for {endpoint}; {hint}. See GET /v1/models.",
            code="model_not_found",
            param="model",
        )
    named = [model, *(models[name] for name in model.fallback if endpoint in models[name].endpoints)]
    able = [one for one in named if running.health.allows(one.provider, one.name)]
    causes = {one.name: "its breaker is open after failures" for one in named if one not in able}
    if not able:
        raise unavailable(f"model: {shown(asked.model)} cannot answer now.", causes)
    return Plan(order=tuple(able[: 1 + MAX_FALLBACKS]), reason="fixed", left_out=causes)


def _routed(running: Running, asked: Asked, endpoint: str, session: bytes | None, *, explain: bool) -> Plan:
    policy = running.policies.of(asked.model)
    models = running.config.models
    pool = [models[name] for name in policy.models] or models.values()
    remaining = None if running.budget is None else running.budget.remaining_usd()
    able, left_out = eligible(
        pool,
        asked,
        endpoint=endpoint,
        health=running.health,
        scored=running.scored,
        remaining_usd=remaining,
    )
    is_over = not able and _may_overrun(running)
    if is_over:
        able, left_out = eligible(
            pool, asked, endpoint=endpoint, health=running.health, scored=running.scored, remaining_usd=None
        )
        able.sort(key=lambda model: estimate_usd(model, asked) or 0.0)
    if not able:
        if not left_out.causes:
            raise ProtocolError(
                404,
                f"model: no configured model offers {endpoint}. Add it to endpoints of a [[model]].",
                code="model_not_found",
                param="model",
            )
        raise left_out.error()
    start = perf_counter()
    names = tuple(dict.fromkeys(model.scored_as for model in able))
    decision = running.decider.decide(asked.text, policy=policy.rule, candidates=names, explain=explain)
    seconds = perf_counter() - start
    order, reason = tuple(_served(running, decision, able)), decision.reason
    key = _conversation(asked, policy.name, session)
    if is_over:
        order, reason = tuple(able), "budget"
    elif shadow := _shadow(running, endpoint):
        order, reason = shadow, "shadow"
    else:
        kept = _kept(running, asked, key, session)
        first = next((model for model in order if model.name == kept), None)
        if first is not None:
            order, reason = (first, *(model for model in order if model is not first)), "sticky"
    return Plan(
        order=order[: 1 + MAX_FALLBACKS],
        reason=reason,
        decision=decision,
        left_out=left_out.causes,
        policy=policy.name,
        decision_s=seconds,
        conversation=key,
        is_over_budget=is_over,
    )


def _may_overrun(running: Running) -> bool:
    return running.budget is not None and running.budget.setting.on_exceed == "cheapest"


def _served(running: Running, decision: Decision, able: list[ServedModel]) -> list[ServedModel]:
    if len(able) == 1:
        return able
    is_able = {model.name for model in able}
    return [
        model for name in decision.order for model in running.models_by_score[name] if model.name in is_able
    ]


def _shadow(running: Running, endpoint: str) -> tuple[ServedModel, ...]:
    """Return the model that serves every ``auto`` and those after it; none where it lacks the endpoint."""
    models, name = running.config.models, running.config.server.shadow_model
    if name is None or endpoint not in models[name].endpoints:
        return ()
    others = (models[other] for other in models[name].fallback)
    return (models[name], *(other for other in others if endpoint in other.endpoints))


def _conversation(asked: Asked, policy: str, session: bytes | None) -> bytes | None:
    if not (session or asked.opening):
        return None
    return conversation_key(policy, session, asked.opening)


def _kept(running: Running, asked: Asked, key: bytes | None, session: bytes | None) -> str | None:
    # A first message is routed anew each time: two conversations may begin alike.
    is_followed = running.config.server.sticky and (asked.is_continued or session is not None)
    if key is None or not (is_followed or asked.tools_pending):
        return None
    return running.conversations.model(key, whatever_age=asked.tools_pending)
