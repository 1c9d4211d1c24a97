"""What is found of winners: for each model, where another one is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.routing.sample import ScoredPrompts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Winners:
    """For each task and model, the best rival's lead and how likely luck gives it.

    Parameters
    ----------
    scored : ScoredPrompts
    p, p_holm : array, shape (D, M)
        Chance of such a lead if no rival is better: of one task, and corrected over the tasks; NaN where the
        task has too few prompts or the model lacks scores.
    lead : array, shape (D, M)
        Best rival's mean score minus the model's.
    rival : array of int, shape (D, M)
        The best rival.
    level : float
    reps, seed : int
    """

    scored: ScoredPrompts
    p: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    lead: NDArray[np.float64]
    rival: NDArray[np.int64]
    level: float
    reps: int
    seed: int

    @property
    def beaten(self) -> NDArray[np.int64]:
        """Tasks on which each model is beaten beyond chance, shape (M,)."""
        return np.asarray(np.sum(self.p_holm <= 1 - self.level, axis=0), dtype=np.int64)

    @property
    def tested(self) -> int:
        """Tasks that could be tested."""
        return int(np.isfinite(self.p).any(axis=1).sum())

    @property
    def hardest(self) -> int:
        """The model that is beaten on fewest tasks; of several, the one with the largest mean score."""
        mean = np.nanmean(self.scored.accuracy, axis=0)
        return int(np.lexsort((-mean, self.beaten))[0])

    @property
    def leaders(self) -> dict[str, int]:
        """Tasks on which each model has the largest mean score, by luck or not; those with any."""
        names = self.scored.models
        first = np.nanargmax(self.scored.accuracy, axis=1)
        counts = np.bincount(first, minlength=len(names))
        order = np.argsort(-counts, kind="stable")
        return {names[m]: int(counts[m]) for m in order if counts[m]}

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.scored.provenance()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the result."""
        said = list(self.scored.cautions)
        left = len(self.scored.datasets) - self.tested
        if left:
            said.append(
                f"{left} of {len(self.scored.datasets)} tasks have fewer than 20 prompts or models with all "
                "scores, and are not tested. More prompts cure it."
            )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a task: the best single model there, against the hardest model to beat."""
        model = self.hardest
        names = self.scored.models
        accuracy = self.scored.accuracy
        return [
            {
                "dataset": dataset,
                "prompts": int(self.scored.sizes[d]),
                "best": names[int(np.nanargmax(accuracy[d]))],
                "best_score": float(np.nanmax(accuracy[d])),
                "hardest_to_beat": names[model],
                "its_score": _number(accuracy[d, model]),
                "lead_of_best_rival": _number(self.lead[d, model]),
                "p": _number(self.p[d, model]),
                "p_holm": _number(self.p_holm[d, model]),
            }
            for d, dataset in enumerate(self.scored.datasets)
        ]

    def findings(self) -> tuple[Finding, ...]:
        """Return how many tasks beat the model that is hardest to beat."""
        model = self.hardest
        name = self.scored.models[model]
        return (
            Finding(
                id="routing.tasks_lost_by_hardest_model",
                instrument="routing",
                label=f"tasks on which {name}, the model hardest to beat, is beaten beyond chance",
                estimate=Estimate(value=float(self.beaten[model]), unit="tasks"),
                method=f"largest paired difference over rivals, multiplier bootstrap of {self.reps} "
                f"resamples a task, Holm over tasks at {formats.percent(1 - self.level)}; "
                "a count, so no interval",
                n=self.tested,
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details={
                    "model": name,
                    "share": float(self.beaten[model]) / self.tested if self.tested else None,
                    "leaders": self.leaders,
                    "models": len(self.scored.models),
                },
            ),
        )

    def frame(self) -> pl.DataFrame:
        """Return the rows as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "rows": json_ready(self.rows()),
            "beaten": {n: int(b) for n, b in zip(self.scored.models, self.beaten, strict=True)},
        }

    def summary(self) -> str:
        """Return the answer in two sentences."""
        model = self.hardest
        return (
            f"{self.scored.models[model]} is hardest to beat, and is beaten beyond chance on "
            f"{self.beaten[model]} of {self.tested} tasks. {len(self.leaders)} of {len(self.scored.models)} "
            "models lead somewhere, by luck or not."
        )

    def __repr__(self) -> str:
        return f"Winners: {self.summary()}"

    _repr_html_ = result_html


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
