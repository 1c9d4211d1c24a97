"""The operator's prices in place of those that a router was fitted with: they are what is paid today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from isoflop.routing.gateway.config import ServedModel
from isoflop.routing.model import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from isoflop.routing.router.decision import Decider


def priced(router: Decider, models: Iterable[ServedModel]) -> Decider:
    """Return the router with the prices of the models that are served.

    Parameters
    ----------
    router : Decider
        Only a fitted `Router` weighs prices; another decider is returned as it is.
    models : iterable of ServedModel
        Those without a price leave the router's. Of two that are the same model there the first counts.

    Returns
    -------
    Decider
        Expected cost of a call: tokens of a typical prompt the router was fitted on, and the mean answer of
        the served model.
    """
    from isoflop.routing.router.router import Router

    first = {model.scored_as: model for model in reversed(list(models)) if _has_price(model)}
    if not isinstance(router, Router) or not first:
        return router
    tokens_in = float(router.settings.get("mean_characters", 0.0)) / CHARACTERS_PER_TOKEN
    cost, rate = np.array(router.cost_usd), np.array(router.cost_in_usd_per_token)
    for at, name in enumerate(router.models):
        model = first.get(name)
        if model is not None:
            cost[at] = model.cost_usd(tokens_in, model.mean_output_tokens)
            rate[at] = model.cost_usd(1.0, 0.0)
    found = replace(router, cost_usd=cost, cost_in_usd_per_token=rate)
    # What a router prepares at its first decision is prepared before the first request.
    found.decide("ready")
    return found


def _has_price(model: ServedModel) -> bool:
    return model.input_usd_per_mtok is not None
