"""Decisions for many prompts as one result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.findings import Provenance
    from isoflop.routing.router.decision import Decision
    from isoflop.routing.router.router import Router

FAR_SHARE = 0.1
"""Above this share of prompts beyond every dataset's distance a caution is given."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routing:
    """What a router says of some prompts.

    Parameters
    ----------
    router : Router
    prompts : tuple of str
    decisions : tuple of Decision
        In the order of the prompts.
    """

    router: Router
    prompts: tuple[str, ...]
    decisions: tuple[Decision, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """The model for each prompt."""
        return tuple(one.choice for one in self.decisions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the router."""
        return self.router.provenance

    @property
    def far(self) -> int:
        """Prompts further from the scored ones than any dataset is from the others."""
        return int(np.sum([one.distance > self.router.distance_range[1] for one in self.decisions]))

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the choices."""
        said = list(self.router.cautions)
        if self.far > FAR_SHARE * len(self.prompts):
            said.append(
                f"{self.far} of {len(self.prompts)} prompts are further from the scored ones than any "
                "dataset is from the others: nothing was measured near them. `coverage` says what to "
                "evaluate next."
            )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a prompt."""
        return [
            {
                "prompt": place,
                "model": one.choice,
                "runner_up": one.runner_up,
                "score": one.score[one.choice],
                "gain": one.gain[0] if one.gain else None,
                "gain_low": one.gain[1] if one.gain else None,
                "gain_high": one.gain[2] if one.gain else None,
                "cost_usd": one.expected_cost_usd.get(one.choice),
                "reason": one.reason,
                "why": one.why,
                "distance": one.distance if np.isfinite(one.distance) else None,
            }
            for place, one in enumerate(self.decisions)
        ]

    def frame(self) -> pl.DataFrame:
        """Return the rows as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"decisions": self.rows(), "cautions": list(self.cautions), "far": self.far}

    def summary(self) -> str:
        """Return how often each model was chosen."""
        counts = Counter(self.choices).most_common()
        told = ", ".join(f"{name} {count}" for name, count in counts)
        return f"{len(self.prompts)} prompts: {told}. {self.far} far from everything that was measured."

    def __repr__(self) -> str:
        return f"Routing: {self.summary()}"

    _repr_html_ = result_html
