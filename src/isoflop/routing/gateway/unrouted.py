"""The stand-in for a router: without scores, the cheapest model that can take a request is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from isoflop.routing.gateway.config import ServedModel
from isoflop.routing.router.decision import Decision


class Unrouted:
    """Orders models by price, then as they are configured; knows nothing of their quality, and says so.

    Parameters
    ----------
    models : iterable of ServedModel

    Examples
    --------
    >>> def model(name, usd):
    ...     return ServedModel(
    ...         name=name, provider="p", upstream_name=name, scored_as=name,
    ...         input_usd_per_mtok=usd, output_usd_per_mtok=usd,
    ...     )
    >>> Unrouted([model("large", 5.0), model("small", 0.5)]).decide("Why?").choice
    'small'
    """

    def __init__(self, models: Iterable[ServedModel]) -> None:
        priced = [(model.cost_usd(1.0, 1.0), model.scored_as) for model in models]
        # A model without a price may cost anything, so it comes last.
        priced.sort(key=lambda pair: float("inf") if pair[0] is None else pair[0])
        self.models = tuple(dict.fromkeys(name for _, name in priced))

    def decide(
        self,
        text: str,  # noqa: ARG002 - the interface of a router
        *,
        policy: Any = None,  # noqa: ARG002 - the interface of a router
        candidates: Sequence[str] | None = None,
        explain: bool = False,  # noqa: ARG002 - the interface of a router
    ) -> Decision:
        """Return the candidates by price; the text plays no part."""
        wanted = self.models if candidates is None else set(candidates)
        order = tuple(name for name in self.models if name in wanted)
        return Decision(
            choice=order[0],
            order=order,
            score={},
            reason="policy",
            why="No router is loaded: the cheapest model that can take the request.",
        )
