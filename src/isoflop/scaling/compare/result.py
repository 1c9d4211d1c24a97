"""What a comparison of laws yields: scores on unseen rows, with paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.compare.schemes import Scheme
from isoflop.scaling.model import Array

if TYPE_CHECKING:
    import polars as pl

Score = Literal["rmsle", "mean_abs_log_error"]
Likelihood = Literal["gaussian", "laplace"]
LAST_VALUE = "last_value"
BAND = 0.8
"""Level of the band of each law: residuals of fitted rows carried to unseen ones."""
FEW_UNITS = 5
"""With fewer curves or groups a bootstrap over them says little."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LawScore:
    """One law on the scored rows.

    Parameters
    ----------
    law : str
        Key in `LAWS`, or ``last_value``.
    parameters : int
        Free parameters of one fit.
    log_errors : array, shape (m,)
        ln predicted minus ln observed; NaN where a fold could not be fitted.
    half_widths : array, shape (m,)
        Of the band that the fitted rows' own residuals suggest: their `BAND` quantile of |ln error|.
    folds, certified : int
        Fits made, and those that ended at a certified minimum.
    aicc, bic : float or None
        Of the fits to all rows, summed over curves; None for `last_value`, and where n is too small.
    refused : str
        Why a fold could not be fitted; empty if all could.
    """

    law: str
    parameters: int
    log_errors: Array
    half_widths: Array
    folds: int
    certified: int
    aicc: float | None
    bic: float | None
    refused: str

    @property
    def complete(self) -> bool:
        """Whether every scored row has a prediction."""
        return bool(np.isfinite(self.log_errors).all())


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Laws ranked by how well they predict unseen rows, `last_value` and `power` always among them.

    Parameters
    ----------
    name : str
        The table.
    scores : tuple of LawScore
        `last_value` first.
    units : tuple of str
        Curves, or folds of runs: a score is taken in each, then averaged.
    unit : int array, shape (m,)
        Unit of each scored row.
    cluster : int array, shape (m,)
        What is resampled: curves, groups, or runs.
    cluster_name : str
    cv : Scheme
    score : {"rmsle", "mean_abs_log_error"}
        By which laws are ranked.
    likelihood : {"gaussian", "laplace"} or None
        Behind AICc and BIC.
    reps, seed, level
        Of the paired bootstrap.
    """

    name: str
    scores: tuple[LawScore, ...]
    units: tuple[str, ...]
    unit: NDArray[np.int64]
    cluster: NDArray[np.int64]
    cluster_name: str
    cv: Scheme
    score: Score
    likelihood: Likelihood | None
    reps: int
    seed: int
    level: float
    provenance: tuple[Provenance, ...]
    doubts: tuple[str, ...]

    @property
    def best(self) -> LawScore:
        """The law with the lowest score, `last_value` included."""
        return min((s for s in self.scores if s.complete), key=lambda s: self.value(s, self.score))

    @property
    def best_law(self) -> LawScore:
        """The law with the lowest score, `last_value` aside; the power law where nothing else is scored."""
        laws = [s for s in self.scores[1:] if s.complete]
        return min(laws, key=lambda s: self.value(s, self.score))

    def value(self, of: LawScore, score: Score) -> float:
        """Return the score of a law: in each unit, then the mean over units."""
        return float(np.mean(self.by_unit(of, score)))

    def by_unit(self, of: LawScore, score: Score) -> Array:
        """Return the score in each unit, shape (U,)."""
        loss = of.log_errors**2 if score == "rmsle" else np.abs(of.log_errors)
        count = np.bincount(self.unit, minlength=len(self.units))
        mean = np.bincount(self.unit, loss, len(self.units)) / count
        return np.sqrt(mean) if score == "rmsle" else mean

    @cached_property
    def _draws(self) -> dict[str, Array]:
        """Bootstrap draws of each complete law's score, shape (reps,), paired across laws."""
        rng = np.random.default_rng(self.seed)
        clusters = int(self.cluster.max()) + 1
        counts = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=self.reps)
        member = np.zeros((clusters, len(self.units)))
        member[self.cluster, self.unit] = 1.0
        # where a cluster is a unit its weight is that of the unit; else rows are weighted within units
        whole = bool((member.sum(axis=0) == 1).all() and (member.sum(axis=1) == 1).all())
        found = {}
        for one in self.scores:
            if not one.complete:
                continue
            if whole:
                by_cluster = self.by_unit(one, self.score)[member.argmax(axis=1)]
                found[one.law] = counts @ by_cluster / clusters
                continue
            loss = one.log_errors**2 if self.score == "rmsle" else np.abs(one.log_errors)
            weights = counts[:, self.cluster].astype(float)
            into = np.eye(len(self.units))[self.unit]
            total, size = (weights * loss) @ into, weights @ into
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = total / size
            found[one.law] = np.nanmean(np.sqrt(mean) if self.score == "rmsle" else mean, axis=1)
        return found

    @property
    def clusters(self) -> int:
        """Number of things resampled."""
        return int(self.cluster.max()) + 1

    def difference(self, law: str, other: str) -> Estimate:
        """Return the score of `law` minus that of `other`, with a paired bootstrap interval.

        Raises
        ------
        NotIdentifiedError
            One of them has folds without a prediction.
        """
        known = {s.law: s for s in self.scores if s.complete}
        missing = [name for name in (law, other) if name not in known]
        if missing:
            raise NotIdentifiedError(
                f"compare: {missing[0]} has folds without a prediction, needs all. Choose larger cuts."
            )
        value = self.value(known[law], self.score) - self.value(known[other], self.score)
        low, high = self._interval(self._draws[law] - self._draws[other])
        return Estimate(value=value, low=low, high=high, level=self.level, unit="ln")

    def _interval(self, draws: Array) -> tuple[float | None, float | None]:
        if self.clusters < FEW_UNITS:
            return None, None
        tail = 50 * (1 - self.level)
        low, high = np.percentile(draws, [tail, 100 - tail])
        return float(low), float(high)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the ranking, and what would cure it."""
        said = []
        best = self.best
        if best.law == LAST_VALUE:
            said.append(
                "No law predicts better than the last value seen: quote that, and add rows further out."
            )
        else:
            gap = self.difference(LAST_VALUE, best.law)
            if gap.low is None or gap.low <= 0:
                said.append(
                    f"That {best.law} predicts better than the last value is not settled; more "
                    f"{self.cluster_name} would."
                )
        if self.clusters < FEW_UNITS:
            said.append(
                f"{self.clusters} {self.cluster_name}: too few to resample, so differences have no interval."
            )
        loose = [
            f"{s.law} ({s.folds - s.certified} of {s.folds})" for s in self.scores if s.certified < s.folds
        ]
        if loose:
            said.append(
                f"Fits without a certified minimum, used as the lowest point found: {', '.join(loose)}."
            )
        said += [f"{s.law} has no score: {s.refused}" for s in self.scores if s.refused]
        return (*said, *self.doubts)

    def frame(self) -> pl.DataFrame:
        """Return one row per law: `last_value`, then best first.

        Returns
        -------
        polars.DataFrame
            law, parameters, rmsle, mean_abs_log_error, bias (mean ln predicted − observed),
            coverage (share of unseen rows inside an 80 % band of residuals; `last_value` has none),
            interval_score (mean width plus 2/(1 − 0.8) times what lies outside), to_last_value, to_best
            (differences of the ranking score) with low and high, aicc, bic, folds, certified.
        """
        import polars as pl

        rows = [self._row(one) for one in self.scores]
        first, rest = rows[0], rows[1:]
        rest.sort(key=lambda row: np.inf if row[self.score] is None else row[self.score])
        return pl.DataFrame([first, *rest], infer_schema_length=None)

    def _row(self, one: LawScore) -> dict[str, Any]:
        row: dict[str, Any] = {"law": one.law, "parameters": one.parameters}
        done = one.complete
        row["rmsle"] = self.value(one, "rmsle") if done else None
        row["mean_abs_log_error"] = self.value(one, "mean_abs_log_error") if done else None
        row["bias"] = float(np.mean(one.log_errors)) if done else None
        row |= self._band(one)
        for name, other in (("to_last_value", LAST_VALUE), ("to_best", self.best.law)):
            gap = self.difference(one.law, other) if done and one.law != other else None
            row[name] = None if gap is None else gap.value
            row[f"{name}_low"] = None if gap is None else gap.low
            row[f"{name}_high"] = None if gap is None else gap.high
        return row | {"aicc": one.aicc, "bic": one.bic, "folds": one.folds, "certified": one.certified}

    def _band(self, one: LawScore) -> dict[str, float | None]:
        """Return how the band of fitted residuals does on unseen rows."""
        if not np.isfinite(one.half_widths).all():
            return {"coverage": None, "interval_score": None}
        outside = np.maximum(np.abs(one.log_errors) - one.half_widths, 0.0)
        return {
            "coverage": float(np.mean(outside == 0.0)),
            "interval_score": float(np.mean(2 * one.half_widths + 2 / (1 - BAND) * outside)),
        }

    def units_frame(self) -> pl.DataFrame:
        """Return one row per unit and law: unit, law, score, n (rows scored)."""
        import polars as pl

        count = np.bincount(self.unit, minlength=len(self.units))
        return pl.DataFrame(
            [
                {"unit": name, "law": one.law, self.score: float(value), "n": int(n)}
                for one in self.scores
                if one.complete
                for name, value, n in zip(self.units, self.by_unit(one, self.score), count, strict=True)
            ],
            infer_schema_length=None,
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return how the best law's score compares with that of the last value, as a ratio."""
        best, last = self.best_law, self.scores[0]
        base = self.value(last, self.score)
        ratio = self.value(best, self.score) / base if base > 0 else None
        low, high = None, None
        if ratio is not None:
            low, high = self._interval(self._draws[best.law] / np.maximum(self._draws[LAST_VALUE], 1e-300))
        return (
            Finding(
                id="scaling.compare_error_ratio",
                instrument="scaling",
                label=f"error of the best law ({best.law}) on unseen rows, as a multiple of the last value's",
                estimate=Estimate(value=ratio, low=low, high=high, level=self.level, unit="×"),
                method=f"{_SCORES[self.score]}; {self.cv.text}; paired bootstrap over {self.cluster_name}, "
                f"{self.reps} draws, the best law held fixed",
                n=len(self.unit),
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details={
                    "best": best.law,
                    "score": self.score,
                    "values": {s.law: self.value(s, self.score) if s.complete else None for s in self.scores},
                    "units": len(self.units),
                    "clusters": self.clusters,
                },
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the score table and its settings, JSON-ready."""
        return {
            "comparison": json_ready(self.frame().to_dicts()),
            "units": json_ready(self.units_frame().to_dicts()),
            "scheme": self.cv.text,
            "score": self.score,
            "likelihood": self.likelihood,
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return the score table and the cautions as text."""
        lines = [f"{self.name}: {len(self.scores)} laws, {len(self.unit)} predictions; {self.cv.text}"]
        for row in self.frame().iter_rows(named=True):
            shown = "no score" if row["rmsle"] is None else formats.number(row["rmsle"])
            lines.append(f"  {row['law']:<17} RMSLE {shown}")
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


_SCORES = {
    "rmsle": "root mean squared error of ln y in each unit, averaged",
    "mean_abs_log_error": "mean absolute error of ln y in each unit, averaged",
}
