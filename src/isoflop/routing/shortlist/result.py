"""What is found from published scores: models in order, and whether words about the task helped."""

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

    from isoflop.routing.shortlist.core import Core

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One benchmark as the new task: what its words and the other benchmarks' scores would have chosen.

    Parameters
    ----------
    benchmark, nearest : str
        The task, and the benchmark most like it.
    w : float
        Weight of similarity that the other benchmarks support.
    base, choice, by_similarity, leader : str
        Best on average over the others; chosen; first by expected score, sure or not; best in truth.
    abstained : bool
    base_score, choice_score, similarity_score, leader_score : float
        Theirs on the benchmark.
    error_mean, error_similar : float
        Root mean square error of centred scores, by the mean of the others and with similarity.
    """

    benchmark: str
    nearest: str
    w: float
    base: str
    choice: str
    by_similarity: str
    leader: str
    abstained: bool
    base_score: float
    choice_score: float
    similarity_score: float
    leader_score: float
    error_mean: float
    error_similar: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shortlist:
    """Models in the order in which to try them.

    Parameters
    ----------
    core : Core
    task : str or None
        Its words; None where none were given.
    similarity, share : array, shape (D,), or None
        Cosine of the task to each benchmark, and the weights that follow.
    nearest_between : float
        Smallest similarity of a benchmark to the one most like it: a task below it is unlike all.
    expected, prior : array, shape (M,)
        Expected scores, and means over benchmarks. Levels are those of the benchmarks, not of the task.
    w : float
        Weight of similarity.
    base, choice : int
        The best on average, and the model to try first.
    abstained : bool
        Another model was expected to do better, but not surely enough.
    checks : tuple of Check
    gain : Estimate
        Mean over the checks of the chosen model's score less that of the best on average.
    sure : float
    reps, seed : int
    """

    core: Core
    task: str | None
    similarity: FloatArray | None
    share: FloatArray | None
    nearest_between: float
    expected: FloatArray
    prior: FloatArray
    w: float
    base: int
    choice: int
    abstained: bool
    checks: tuple[Check, ...]
    gain: Estimate
    sure: float
    reps: int
    seed: int

    @property
    def far(self) -> bool:
        """Whether the task is less like any benchmark than every benchmark is like some other."""
        return self.similarity is not None and float(self.similarity.max()) < self.nearest_between

    @property
    def reason(self) -> str:
        """Why the first model is first, in words."""
        name = self.core.models[self.choice]
        if self.task is None:
            return f"{name} has the largest mean over the benchmarks; no task was described"
        if self.abstained:
            return (
                f"{name} has the largest mean over the benchmarks; the benchmarks like the task point to "
                "another model, but such gains did not hold on benchmarks left out"
            )
        if self.choice == self.base:
            return f"{name} has the largest mean, and the benchmarks like the task agree"
        return f"{name} does best on the benchmarks like the task, and such gains held on benchmarks left out"

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the order, each with what would cure it."""
        said = list(self.core.cautions)
        if self.far:
            said.append(
                "The task is unlike every benchmark here, so its weights say little. Label a few prompts "
                "of it: isoflop routing label."
            )
        if any(self.core.as_of):
            days = sorted({day for day in self.core.as_of if day})
            said.append(f"Prices are of {', '.join(days[:4])}, and prices change. Look today's up.")
        return tuple(said)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.core.provenance()

    @property
    def moved(self) -> int:
        """Benchmarks left out on which another model than the best on average was chosen."""
        return sum(check.choice != check.base for check in self.checks)

    @property
    def checked(self) -> str:
        """What words gained where each benchmark in turn was the new task, in a sentence."""
        if not self.moved:
            return (
                "With each benchmark in turn as the new task, words never spoke for another model than "
                "the best on average surely enough."
            )
        return (
            f"With each benchmark in turn as the new task, words changed the choice on {self.moved} of "
            f"{len(self.checks)}, and gained {formats.estimate(self.gain)} on average."
        )

    @property
    def errors(self) -> tuple[float, float]:
        """Root mean square error of centred scores over the checks: by means, and with similarity."""
        return (
            float(np.sqrt(np.mean([check.error_mean**2 for check in self.checks]))),
            float(np.sqrt(np.mean([check.error_similar**2 for check in self.checks]))),
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return the models, the one to try first leading."""
        core, leads = self.core, self.core.leaders
        order = sorted(
            range(len(core.models)), key=lambda m: (m != self.choice, -self.expected[m], core.models[m])
        )
        return [
            {
                "rank": rank + 1,
                "model": core.models[m],
                "expected": float(self.expected[m]),
                "mean": float(self.prior[m]),
                "gain_over_best_on_average": float(self.expected[m] - self.expected[self.base]),
                "leads_on": "; ".join(leads.get(core.models[m], ())) or None,
                "params": _number(core.params[m]),
                "input_usd_per_mtok": _number(core.usd_in[m]),
                "output_usd_per_mtok": _number(core.usd_out[m]),
                "as_of_date": core.as_of[m] or None,
            }
            for rank, m in enumerate(order)
        ]

    def benchmark_rows(self) -> list[dict[str, Any]]:
        """Return each benchmark: its likeness to the task, its leaders, and what the check gave."""
        core = self.core
        return [
            {
                "benchmark": check.benchmark,
                "similarity": None if self.similarity is None else float(self.similarity[d]),
                "share": None if self.share is None else float(self.share[d]),
                "leader": "; ".join(
                    core.models[m] for m in np.flatnonzero(core.score[d] == core.score[d].max())
                ),
                "leader_score": check.leader_score,
                "best_on_average": check.base,
                "best_on_average_score": check.base_score,
                "chosen": check.choice,
                "chosen_score": check.choice_score,
                "by_similarity": check.by_similarity,
                "by_similarity_score": check.similarity_score,
                "abstained": check.abstained,
                "nearest": check.nearest,
                "w": check.w,
            }
            for d, check in enumerate(self.checks)
        ]

    def findings(self) -> tuple[Finding, ...]:
        """Return how many models lead somewhere, and what choosing by words gains."""
        core, leaders = self.core, self.core.leaders
        shared: dict[str, Any] = {
            "instrument": "routing",
            "n": len(core.benchmarks),
            "evidence": self.provenance,
            "cautions": self.cautions,
        }
        by_mean, by_words = self.errors
        return (
            Finding(
                id="routing.published_best_models",
                label="models that have the largest published score on at least one benchmark",
                estimate=Estimate(value=float(len(leaders)), unit="models"),
                method=f"largest printed score of {len(core.models)} models a benchmark, ties included; "
                "a count, so no interval, and leads may be luck",
                details={
                    "leaders": {name: list(where) for name, where in leaders.items()},
                    "models": len(core.models),
                    "benchmarks": list(core.benchmarks),
                    "read": core.read,
                    "secondary": core.secondary,
                },
                **shared,
            ),
            Finding(
                id="routing.shortlist_gain",
                label="score of the model chosen by words less that of the best on average",
                estimate=self.gain,
                method=f"leave one benchmark out, twice nested; abstains below {formats.percent(self.sure)}; "
                f"bootstrap of {self.reps} draws over benchmarks",
                seed=self.seed,
                details={
                    "abstained": sum(check.abstained for check in self.checks),
                    "moved": self.moved,
                    "gain_without_abstaining": float(
                        np.mean([check.similarity_score - check.base_score for check in self.checks])
                    ),
                    "regret_best_on_average": float(
                        np.mean([check.leader_score - check.base_score for check in self.checks])
                    ),
                    "error_by_means": by_mean,
                    "error_by_words": by_words,
                    "w": self.w,
                },
                **shared,
            ),
        )

    def frame(self) -> pl.DataFrame:
        """Return the models in order as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        shown: dict[str, Any] = json_ready(
            {
                "task": self.task,
                "reason": self.reason,
                "findings": [f.to_dict() for f in self.findings()],
                "shortlist": self.rows(),
                "benchmarks": self.benchmark_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return the answer in a few sentences."""
        by_mean, by_words = self.errors
        return (
            f"Try {self.core.models[self.choice]} first: {self.reason}.\n"
            f"{len(self.core.leaders)} of {len(self.core.models)} models lead on at least one of "
            f"{len(self.core.benchmarks)} benchmarks. {self.checked} The error of models' relative scores "
            f"goes from {formats.number(by_mean, 2)} by means to {formats.number(by_words, 2)} with words."
        )

    def __repr__(self) -> str:
        return f"Shortlist: {self.summary()}"

    _repr_html_ = result_html


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
