"""``POST /route``: the decision alone, with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isoflop.routing.gateway.asked import Asked, parse, read_chat, read_prompt
from isoflop.routing.gateway.candidates import estimate_usd
from isoflop.routing.gateway.choosing import Plan, plan
from isoflop.routing.gateway.exchange import Exchange
from isoflop.routing.gateway.metrics import Metrics
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.running import Running
from isoflop.routing.router.decision import Neighbour


async def route(exchange: Exchange, metrics: Metrics) -> None:
    """Answer with the decision for a chat request, or for ``{"text": …}``."""
    import orjson

    running = exchange.running
    fields = parse(await exchange.body())
    asked = _asked(fields, running)
    explain = fields.get("explain", True) is True
    chosen = plan(running, asked, endpoint="chat", session=exchange.head.session, explain=explain)
    show_text = fields.get("explain_text") is True
    if show_text and not running.config.server.explain_text:
        raise ProtocolError(
            403,
            "explain_text: not allowed here. Set explain_text = true in [server].",
            code="explain_text_not_allowed",
            param="explain_text",
        )
    count(metrics, running, chosen)
    found = answer(running, asked, chosen, show_text=show_text)
    found["request_id"] = exchange.request_id
    await exchange.answer(200, orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY))


def count(metrics: Metrics, running: Running, chosen: Plan) -> None:
    """Count a plan and, where a router was asked, how far its scored prompts were."""
    distance = float("nan") if chosen.decision is None else chosen.decision.distance
    metrics.decided(chosen.order[0].name, chosen.reason, chosen.decision_s, distance, running.furthest)


def _asked(fields: dict[str, Any], running: Running) -> Asked:
    server = running.config.server
    fields.setdefault("model", "auto")
    if "messages" in fields:
        return read_chat(fields, system_prompt=server.system_prompt, max_chars=server.max_prompt_chars)
    if not isinstance(fields.get("text"), str):
        raise ProtocolError(
            400,
            'body: neither messages nor text. Send a chat request, or {"text": "…"}.',
            code="text_required",
            param="text",
        )
    return read_prompt(fields, "text", max_chars=server.max_prompt_chars)


def answer(running: Running, asked: Asked, chosen: Plan, *, show_text: bool) -> dict[str, Any]:
    """Return a plan as the JSON object of ``/route``.

    Parameters
    ----------
    running : Running
    asked : Asked
    chosen : Plan
    show_text : bool
        Also the texts of neighbours.
    """
    decision = chosen.decision
    found: dict[str, Any] = {
        "model": chosen.order[0].name,
        "reason": chosen.reason,
        "why": _why(chosen),
        "runner_up": chosen.order[1].name if len(chosen.order) > 1 else None,
        "order": [model.name for model in chosen.order],
        "policy": chosen.policy or None,
        "decision_ms": round(chosen.decision_s * 1e3, 4),
        "left_out": [{"model": model, "cause": cause} for model, cause in chosen.left_out.items()],
    }
    if decision is None:
        return found
    served = running.models_by_score
    gain = decision.gain
    costs = {model.name: estimate_usd(model, asked) for model in chosen.order}
    found |= {
        "scores": _by_served(decision.score, running),
        "gain": None if gain is None else {"value": gain[0], "low": gain[1], "high": gain[2]},
        "expected_cost_usd": {name: usd for name, usd in costs.items() if usd is not None}
        | _by_served(decision.expected_cost_usd, running),
        "p_hat": _by_served(decision.p_hat, running),
        "neighbours": [_neighbour(one, show_text=show_text) for one in decision.neighbours],
        "dataset_shares": dict(decision.dataset_shares),
        "distance": decision.distance,
        "routers_choice": served[decision.choice][0].name,
    }
    return found


def _by_served(values: Mapping[str, float], running: Running) -> dict[str, float]:
    served = running.models_by_score
    return {model.name: value for name, value in values.items() for model in served.get(name, ())}


def _neighbour(one: Neighbour, *, show_text: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": one.instance_id,
        "dataset": one.dataset,
        "similarity": one.similarity,
    }
    return found | {"text": one.text} if show_text else found


_WHY = {
    "sticky": "The conversation began with this model.",
    "shadow": "Every request is served by this model; the router's choice is only counted.",
    "budget": "The budget of this period is spent: the cheapest model that can take the request.",
    "fixed": "The request names this model.",
}


def _why(chosen: Plan) -> str:
    return _WHY.get(chosen.reason) or (chosen.decision.why if chosen.decision else "")
