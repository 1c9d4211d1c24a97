"""Which models can take a request at all, and what keeps the others from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from isoflop.routing.gateway.asked import Asked
from isoflop.routing.gateway.config import ServedModel
from isoflop.routing.gateway.protocol import ProtocolError, unavailable
from isoflop.routing.gateway.targets import Health

MARGIN: Final = 1.1
"""Tokens are estimated from bytes; other tokenizers need a tenth more."""
_CAPABILITY, _BREAKER, _BUDGET, _UNSCORED = "cannot", "breaker", "budget", "unscored"


class Filtered:
    """Models left out, with the cause of each.

    Examples
    --------
    >>> left_out = Filtered()
    >>> left_out.add("small", "breaker", "its breaker is open")
    >>> left_out.causes
    {'small': 'its breaker is open'}
    """

    def __init__(self) -> None:
        self.causes: dict[str, str] = {}
        self._kinds: set[str] = set()

    def add(self, model: str, kind: str, cause: str) -> None:
        """Leave a model out."""
        self.causes[model] = cause
        self._kinds.add(kind)

    def error(self) -> ProtocolError:
        """Return the answer to a request that no model can take."""
        if _BREAKER in self._kinds:
            return unavailable("model: none can take this request now.", self.causes)
        if _BUDGET in self._kinds:
            return over_budget(self.causes)
        return unavailable("model: none can take this request.", self.causes, status=400)


def over_budget(causes: Mapping[str, str]) -> ProtocolError:
    """Return the answer where only the budget is in the way."""
    listed = "; ".join(f"{model}: {cause}" for model, cause in causes.items())
    return ProtocolError(
        429,
        f"budget: spent for this period. {listed}. Wait for the next period or raise [budget] usd.",
        code="budget_exceeded",
        kind="insufficient_quota",
    )


def tokens_out(model: ServedModel, asked: Asked) -> int:
    """Return the tokens to expect of an answer: the client's bound, else the model's mean."""
    return (asked.max_tokens or model.mean_output_tokens) * asked.choices


def estimate_usd(model: ServedModel, asked: Asked, *, is_embedding: bool = False) -> float | None:
    """Return the estimated price of a call, None without prices."""
    return model.cost_usd(asked.tokens_in, 0 if is_embedding else tokens_out(model, asked))


def eligible(
    models: Iterable[ServedModel],
    asked: Asked,
    *,
    endpoint: str,
    health: Health,
    scored: frozenset[str] | None,
    remaining_usd: float | None,
) -> tuple[list[ServedModel], Filtered]:
    """Split models into those that can take a request and the rest.

    Parameters
    ----------
    models : iterable of ServedModel
    asked : Asked
    endpoint : str
        ``chat``, ``completions`` or ``embeddings``.
    health : Health
        Breakers.
    scored : frozenset of str or None
        Models the router knows; None does not ask.
    remaining_usd : float or None
        What the budget leaves; None without a budget.

    Returns
    -------
    (list of ServedModel, Filtered)
    """
    able: list[ServedModel] = []
    left_out = Filtered()
    for model in models:
        if endpoint not in model.endpoints:
            continue
        if asked.needs and not asked.needs <= model.supports:
            missing = ", ".join(sorted(asked.needs - model.supports))
            left_out.add(model.name, _CAPABILITY, f"does not support {missing}")
        elif model.context_tokens is not None and _room(asked) > model.context_tokens:
            left_out.add(
                model.name,
                _CAPABILITY,
                f"context of {model.context_tokens} tokens, about {_room(asked)} needed",
            )
        elif scored is not None and model.scored_as not in scored:
            left_out.add(model.name, _UNSCORED, "the router has no scores of it")
        elif not health.allows(model.provider, model.name):
            left_out.add(model.name, _BREAKER, "its breaker is open after failures")
        elif remaining_usd is not None and (estimate_usd(model, asked) or 0.0) > remaining_usd:
            left_out.add(model.name, _BUDGET, "costs more than the budget leaves")
        else:
            able.append(model)
    return able, left_out


def _room(asked: Asked) -> int:
    return int(asked.tokens_in * MARGIN) + (asked.max_tokens or 0)
