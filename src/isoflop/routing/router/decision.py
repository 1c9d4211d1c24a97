"""What a router says of one prompt: the model to use, the order of the others, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A scored prompt near the one to route."""

    instance_id: str
    dataset: str
    similarity: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The choice for one prompt.

    Parameters
    ----------
    choice : str
        Model to use.
    order : tuple of str
        Candidates, best first under the policy; the first is `choice`.
    score : mapping of str to float
        Expected score of each candidate, in [0, 1].
    reason : str
        One of ``local`` (neighbours moved the choice), ``best_on_average``, ``abstained`` (too little
        evidence for a gain), ``no_text``, ``policy`` (cost decided), ``fixed`` (named by the caller).
    why : str
        The reason as a sentence.
    expected_cost_usd : mapping of str to float
        Expected price of the call, for the candidates whose price is known.
    gain : tuple of float or None
        Expected gain of the choice over the best-on-average model: value, low, high.
    p_hat : mapping of str to float
        Expected accuracy of the predictor of each candidate, where the router has it.
    neighbours : tuple of Neighbour
        Nearest first; empty unless asked for.
    dataset_shares : mapping of str to float
        Share of each dataset among the neighbours, largest first.
    distance : float
        1 − similarity, averaged over the neighbours.
    """

    choice: str
    order: tuple[str, ...]
    score: Mapping[str, float]
    reason: str
    why: str
    expected_cost_usd: Mapping[str, float] = field(default_factory=dict)
    gain: tuple[float, float, float] | None = None
    p_hat: Mapping[str, float] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    dataset_shares: Mapping[str, float] = field(default_factory=dict)
    distance: float = float("nan")

    @property
    def runner_up(self) -> str | None:
        """Second candidate, if there is one."""
        return self.order[1] if len(self.order) > 1 else None


class Decider(Protocol):
    """What the gateway needs of a router; `Router` is one, and so is any object with these."""

    @property
    def models(self) -> tuple[str, ...]:
        """Models it can choose among."""

    def decide(
        self,
        text: str,
        *,
        policy: Any = None,
        candidates: Sequence[str] | None = None,
        explain: bool = False,
    ) -> Decision:
        """Return the decision for one prompt.

        Parameters
        ----------
        text : str
            The prompt; empty gives the best-on-average model with reason ``no_text``.
        policy : policy, optional
            One of `isoflop.routing.router.policies`; default: the router's own.
        candidates : sequence of str, optional
            Models that may be chosen; default all.
        explain : bool
            Also return neighbours, shares and the expected accuracy of the predictors.
        """
