"""What a cross-validation yields: the scheme it followed and the candidates it ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.findings import Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.sample import Sample
from isoflop.stats.crossvalidate import one_standard_error_set, stacking_weights
from isoflop.stats.exp_sum import Array

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """Each training row predicted from the others; `holdout` is the share never touched."""

    holdout: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.holdout < 1:
            raise SettingError(
                f"LeaveOneOut: holdout={self.holdout}, must lie in [0, 1). The paper's is 0.2."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavePaperOut:
    """Each paper predicted from the others, so that no row helps to predict its sibling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveBenchmarkOut:
    """Each benchmark predicted with the base benchmark's constants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOrdered:
    """For each year: fit the rows up to it, predict the later ones."""

    years: tuple[float, ...] = (2016.0, 2017.0, 2018.0, 2019.0, 2020.0, 2021.0)


Scheme = LeaveOneOut | LeavePaperOut | LeaveBenchmarkOut | TimeOrdered
SCHEMES: dict[str, Scheme] = {
    "loo": LeaveOneOut(),
    "paper": LeavePaperOut(),
    "benchmark": LeaveBenchmarkOut(),
    "time": TimeOrdered(),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One law under one penalty and its out-of-fold errors.

    Parameters
    ----------
    errors : array, shape (tested rows,)
        Predicted minus observed; rows tested by several folds occur several times.
    folds_switched : int
        Folds whose best fit lies in another basin than the full training sample's.
    folds_failed : int
        Folds without a certified fit; their rows are predicted as missing.
    validation_mse : float or None
        On the rows set aside, from the fit to all training rows.
    """

    law: int
    parameters: int
    delta: float
    errors: Array
    mse: float
    r2: float | None
    objective: float
    basins: int
    folds_switched: int
    folds_failed: int
    halving_time_months: float | None
    validation_mse: float | None
    theta: Array
    fold_objectives: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Laws and penalties ranked by how well they predict unseen rows."""

    sample: Sample
    scheme: Scheme
    compat: str
    candidates: tuple[Candidate, ...]
    tested: NDArray[np.int64]
    """Row of the sample behind each error."""
    refused: tuple[str, ...] = field(default=())

    @property
    def best(self) -> Candidate:
        """The candidate with the lowest mean squared error."""
        return min(self.candidates, key=lambda c: c.mse)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the comparison."""
        return self.sample.provenance

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the choice, and what would cure it."""
        frame = self.frame()
        near = int(frame["within_one_se"].sum()) - 1
        said = []
        if near > 0:
            said.append(
                f"{near} other candidates predict within one paired standard error of the best: "
                "the choice of law is not settled by prediction."
            )
        switched = [c for c in self.candidates if c.folds_switched > 0.05 * len(c.fold_objectives)]
        if switched:
            said.append(
                f"{len(switched)} of {len(self.candidates)} candidates switch basin in more than 5 % of "
                "their folds: their error mixes two explanations."
            )
        failed = sum(c.folds_failed for c in self.candidates)
        if failed:
            said.append(f"{failed} folds have no certified fit and count as missing predictions.")
        return (*said, *self.refused, *self.sample.cautions)

    def stacking(self) -> dict[tuple[int, float], float]:
        """Return the weights (law, delta) of the mixture that predicts unseen rows best."""
        usable = [c for c in self.candidates if not np.isnan(c.errors).any()]
        errors = np.array([c.errors for c in usable])
        weights = stacking_weights(errors, np.zeros(errors.shape[1]))
        return {(c.law, c.delta): float(w) for c, w in zip(usable, weights, strict=True)}

    def frame(self) -> pl.DataFrame:
        """Return one row per candidate, best first, with paired differences from the best."""
        import polars as pl

        losses = np.array([np.where(np.isnan(c.errors), np.inf, c.errors) ** 2 for c in self.candidates])
        usable = np.isfinite(losses).all(axis=1)
        codes = self.sample.clusters[self.tested]
        found = one_standard_error_set(losses[usable], codes)
        place = np.cumsum(usable) - 1
        rows = []
        for i, c in enumerate(self.candidates):
            k = int(place[i]) if usable[i] else None
            rows.append(
                {
                    "law": c.law,
                    "parameters": c.parameters,
                    "delta": c.delta,
                    "mse": c.mse,
                    "r2": c.r2,
                    "above_best": None if k is None else float(found.differences[k]),
                    "above_best_se": None if k is None else float(found.standard_errors[k]),
                    "within_one_se": bool(k is not None and found.members[k]),
                    "validation_mse": c.validation_mse,
                    "objective": c.objective,
                    "basins": c.basins,
                    "folds_switched": c.folds_switched,
                    "folds_failed": c.folds_failed,
                    "halving_time_months": c.halving_time_months,
                }
            )
        return pl.DataFrame(rows, infer_schema_length=None).sort("mse", maintain_order=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the ranking, JSON-ready."""
        return {"comparison": json_ready(self.frame().to_dicts())}

    def summary(self) -> str:
        """Return the ten best candidates and the cautions."""
        lines = [
            f"{self.sample.table.name}: {len(self.candidates)} candidates, "
            f"{len(self.best.fold_objectives)} folds, {len(self.tested)} predictions"
        ]
        for row in self.frame().head(10).iter_rows(named=True):
            mark = "*" if row["within_one_se"] else " "
            lines.append(
                f" {mark} law {row['law']:>2}, delta {row['delta']:<6g} mean squared error {row['mse']:.5f}, "
                f"R² {row['r2']:.4f}, {row['folds_switched']} folds switch basin"
            )
        lines.append("  * within one paired standard error of the best")
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
