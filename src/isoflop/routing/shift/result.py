"""What is found of a shift: accuracy of the predictors and gain of routing, in and out of distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.routing.model import KNN
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.stats.resample import Bootstrap

FloatArray = NDArray[np.float64]
FEWEST = 5
"""Datasets below which an interval over them says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """For each dataset, four numbers: predictors and routing, with and without the dataset in the pool.

    Parameters
    ----------
    scored : ScoredPrompts
    accuracy_in, accuracy_out : array, shape (D,), in [0, 1]
        Share of right predictions of correctness, mean over models.
    gain_in, gain_out : array, shape (D,)
        Score of routing each prompt by its 50 neighbours, less that of the model best on average elsewhere.
    ci : Bootstrap
        Over datasets.
    knn : KNN
    """

    scored: ScoredPrompts
    accuracy_in: FloatArray
    accuracy_out: FloatArray
    gain_in: FloatArray
    gain_out: FloatArray
    ci: Bootstrap
    knn: KNN

    @property
    def loss(self) -> FloatArray:
        """Accuracy lost on each dataset, shape (D,)."""
        return self.accuracy_in - self.accuracy_out

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.scored.provenance()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the result."""
        said = list(self.scored.cautions)
        if self.loss.size < FEWEST:
            said.append(f"{self.loss.size} datasets give no interval, which needs {FEWEST}. Add benchmarks.")
        return tuple(said)

    def estimate(self, values: FloatArray) -> tuple[Estimate, list[float]]:
        """Return the mean over datasets with its interval, and quantiles of the draws."""
        mean = float(values.mean())
        if values.size < FEWEST:
            return Estimate(value=mean, unit="1"), []
        draws = self.ci.weights(values.size) @ values
        tail = (1 - self.ci.level) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return (
            Estimate(value=mean, low=float(low), high=float(high), level=self.ci.level, unit="1"),
            equal_probability_quantiles(draws),
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the loss of the predictors, and the gain of routing on both sides."""
        how = f"{self.ci.reps} bootstrap draws over datasets"
        knn = f"{self.knn.k} nearest prompts"
        return (
            self._finding(
                "routing.predictor_loss_out_of_distribution",
                "accuracy that predictors of correctness lose without the task's own benchmark",
                self.loss,
                f"{knn}, the same prompts with and without their dataset in the pool; {how}",
                {
                    "accuracy_in": float(self.accuracy_in.mean()),
                    "accuracy_out": float(self.accuracy_out.mean()),
                },
            ),
            self._finding(
                "routing.neighbour_gain.in_distribution",
                "gain of routing each prompt by its neighbours, own benchmark in the pool",
                self.gain_in,
                f"best mean score of 50 nearest prompts, less the best model on average elsewhere; {how}",
                {},
            ),
            self._finding(
                "routing.neighbour_gain.out_of_distribution",
                "gain of routing each prompt by its neighbours, own benchmark left out",
                self.gain_out,
                f"best mean score of 50 nearest prompts, less the best model on average elsewhere; {how}",
                {},
            ),
        )

    def _finding(
        self, name: str, label: str, values: FloatArray, method: str, details: dict[str, Any]
    ) -> Finding:
        estimate, draws = self.estimate(values)
        return Finding(
            id=name,
            instrument="routing",
            label=label,
            estimate=estimate,
            method=method,
            n=int(values.size),
            evidence=self.provenance,
            seed=self.ci.seed,
            cautions=self.cautions,
            details={**details, "draws": draws},
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a dataset."""
        return [
            {
                "dataset": name,
                "prompts": int(self.scored.sizes[d]),
                "accuracy_in": float(self.accuracy_in[d]),
                "accuracy_out": float(self.accuracy_out[d]),
                "loss": float(self.loss[d]),
                "gain_in": float(self.gain_in[d]),
                "gain_out": float(self.gain_out[d]),
            }
            for d, name in enumerate(self.scored.datasets)
        ]

    def frame(self) -> pl.DataFrame:
        """Return the rows as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"findings": [f.to_dict() for f in self.findings()], "rows": json_ready(self.rows())}

    def summary(self) -> str:
        """Return the answer in two sentences."""
        loss, gain_in, gain_out = (self.estimate(v)[0] for v in (self.loss, self.gain_in, self.gain_out))
        return (
            f"Without a task's own benchmark, predictors of correctness lose {formats.estimate(loss)} of "
            f"accuracy. Routing each prompt by its neighbours gains {formats.estimate(gain_in)} with it "
            f"and {formats.estimate(gain_out)} without."
        )

    def __repr__(self) -> str:
        return f"Shift: {self.summary()}"

    _repr_html_ = result_html
