"""What an observational law says: predictions of held-out models beside those from compute alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.scaling.fit_findings import scaling_finding
from isoflop.scaling.model import Array
from isoflop.scaling.observational.fold import Fold
from isoflop.scaling.observational.sample import Scores
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

METHODS = {
    "observational": "other scores",
    "from_lines": "compute and family, through the components",
    "compute": "compute alone",
    "sloth": "parameters, tokens and family",
    "last_value": "score of the largest training model",
}
"""Predictions that stand side by side, and what each knows of a held-out model."""
ALIKE = 0.98
FAR_DECADES = 1.0
MODEL_REPS = 2000
SHORT = 0.05
"""Intervals that hold less than their level minus this are called too narrow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Held-out models of one fold. All arrays have shape (n,); `low` and `high` may be None."""

    models: tuple[str, ...]
    families: tuple[str, ...]
    flop: Array
    observed: Array
    observational: Array
    low: Array | None
    high: Array | None
    from_lines: Array
    compute: Array
    sloth: Array
    last_value: Array
    equivalent_flop: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ObservationalFit:
    """A target benchmark explained by components of other scores.

    Parameters
    ----------
    scores : Scores
    fold : Fold
        Fits to the models below the cutoff, or to all of them where families are held out in turn.
    predictions : tuple of Prediction
        One a fold.
    components : int
    cutoff_flop : float or None
    holdout : {"compute", "family"}
    reference : str
    ci : Bootstrap
    """

    scores: Scores
    fold: Fold
    predictions: tuple[Prediction, ...]
    components: int
    cutoff_flop: float | None
    holdout: Literal["compute", "family"]
    reference: str
    ci: Bootstrap

    @property
    def n(self) -> int:
        """Number of models."""
        return self.scores.n

    @property
    def seed(self) -> int:
        """Seed of the draws."""
        return self.ci.seed

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The table behind the result; a row of it is one score."""
        used = int(np.isfinite(self.scores.scores).sum() + np.isfinite(self.scores.outcome).sum())
        return (self.scores.table.provenance(used),)

    @property
    def method(self) -> str:
        """How scores become a prediction, in one line."""
        held = (
            f"models from {self.cutoff_flop:.3g} FLOP held out"
            if self.cutoff_flop is not None
            else "each family held out in turn"
        )
        chance = "given" if self.scores.chance is not None else "fitted"
        return (
            f"{self.scores.target} = lo + (h - lo) sigmoid(w'S + b), chance lo {chance}; S = "
            f"{self.components} principal components of {len(self.scores.benchmarks)} other benchmarks, "
            f"fitted on training models only; {held}"
        )

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One row a held-out model, JSON-ready."""
        out = []
        for one in self.predictions:
            for i, model in enumerate(one.models):
                row: dict[str, Any] = {
                    "model": model,
                    "family": one.families[i],
                    "train_flop": float(one.flop[i]),
                    "observed": float(one.observed[i]),
                    "low": None if one.low is None else float(one.low[i]),
                    "high": None if one.high is None else float(one.high[i]),
                    "equivalent_flop": float(one.equivalent_flop[i]),
                }
                row |= {name: float(getattr(one, name)[i]) for name in METHODS}
                out.append(row)
        ready: list[dict[str, Any]] = json_ready(out)
        return ready

    def frame(self) -> pl.DataFrame:
        """Return one row a held-out model."""
        import polars as pl

        return pl.DataFrame(self.rows, infer_schema_length=None)

    def errors(self, method: str) -> Array:
        """Return absolute errors of one of `METHODS` on the held-out models; NaN where it has none."""
        return np.concatenate([np.abs(getattr(one, method) - one.observed) for one in self.predictions])

    def error_rows(self) -> list[dict[str, Any]]:
        """Return the mean absolute error of each method on the models that all of them predict."""
        every = np.array([self.errors(name) for name in METHODS])
        common = np.isfinite(every[[i for i, name in enumerate(METHODS) if name != "sloth"]]).all(axis=0)
        rows = []
        for name, gaps in zip(METHODS, every, strict=True):
            here = gaps[common & np.isfinite(gaps)]
            rows.append(
                {
                    "method": name,
                    "knows": METHODS[name],
                    "mean_abs_error": float(here.mean()) if here.size else None,
                    "worst": float(here.max()) if here.size else None,
                    "models": int(here.size),
                }
            )
        return rows

    def loading_rows(self) -> list[dict[str, Any]]:
        """Return the loadings of the components by benchmark."""
        found = self.fold.components
        return [
            {
                "benchmark": name,
                "component": k + 1,
                "loading": float(found.loadings[j, k]),
                "explained": float(found.explained[k]),
            }
            for k in range(self.components)
            for j, name in enumerate(self.scores.benchmarks)
        ]

    def family_rows(self) -> list[dict[str, Any]]:
        """Return each family's line in the first component, pooled and on its own."""
        line = self.fold.lines[0]
        rows = [
            {
                "family": name,
                "slope": float(line.slope[f]),
                "own_slope": float(line.own_slope[f]),
                "at_mean_compute": float(line.intercept[f]),
            }
            for f, name in enumerate(line.names)
        ]
        ready: list[dict[str, Any]] = json_ready(rows)
        return ready

    @property
    def coverage(self) -> float | None:
        """Share of observed scores inside their intervals."""
        inside = [
            (one.low <= one.observed) & (one.observed <= one.high)
            for one in self.predictions
            if one.low is not None and one.high is not None
        ]
        return float(np.concatenate(inside).mean()) if inside else None

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        known = self.scores
        said = list(known.table.cautions)
        if known.chance is None:
            said.append(
                f"the chance score of {known.target} is unknown and was fitted. Give chance to cure it."
            )
        twins = [
            name
            for j, name in enumerate(known.benchmarks)
            if _correlation(known.scores[:, j], known.outcome) > ALIKE
        ]
        if twins:
            said.append(
                f"{', '.join(twins[:5])} move with {known.target} almost exactly: if they share items, the "
                "prediction is circular. Name other benchmarks."
            )
        if self.cutoff_flop is not None:
            below = known.flop[known.usable & (known.flop < self.cutoff_flop)]
            reach = float(np.log10(np.nanmax(known.flop[known.usable]) / below.max()))
            if reach > FAR_DECADES:
                said.append(
                    f"held-out models reach {reach:.1f} decades of compute beyond the fitted ones. Raise the "
                    "cutoff for a shorter step."
                )
        if self.coverage is not None and self.coverage < self.ci.level - SHORT:
            said.append(
                f"the {self.ci.level:.0%} intervals hold {self.coverage:.0%} of what came: they are too "
                "narrow here, since the curve itself may bend beyond the fitted models. Raise the cutoff."
            )
        if self.reference not in self.fold.lines[0].names:
            said.append(
                f"family {self.reference!r} has no fitted model, so there is no equivalent compute. Name a "
                "family of the table with reference."
            )
        said.append(
            "public models are no sample: recipes, data and test contamination differ between families, and "
            "a family is not independent evidence of its own models."
        )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return the error on held-out models, beside compute alone."""
        errors = self.error_rows()
        by_name = {row["method"]: row for row in errors}
        gaps = self.errors("observational")
        versus = gaps - self.errors("compute")
        details = {
            "target": self.scores.target,
            "errors": errors,
            "coverage": self.coverage,
            "cutoff_flop": self.cutoff_flop,
            "holdout": self.holdout,
            "components": self.components,
            "benchmarks": list(self.scores.benchmarks),
        }
        return (
            scaling_finding(
                self,
                "observational_error",
                f"mean absolute error of {self.scores.target} on held-out models, from their other scores",
                self._over_families(gaps, "1"),
                details,
                method=f"{self.method}; interval: 95 % bootstrap over families",
            ),
            scaling_finding(
                self,
                "observational_gain",
                "mean absolute error from other scores minus that from compute alone (negative: scores "
                "say more)",
                self._over_families(versus, "1"),
                {
                    "observational": by_name["observational"]["mean_abs_error"],
                    "compute": by_name["compute"]["mean_abs_error"],
                },
                method=f"{self.method}; interval: 95 % bootstrap over families",
            ),
        )

    def _over_families(self, values: Array, unit: str) -> Estimate:
        from isoflop.stats.resample import replicate_weights

        families = [name for one in self.predictions for name in one.families]
        if len(set(families)) < 3:
            return Estimate(value=float(values.mean()), unit=unit)
        drawn = replicate_weights(self.seed, len(values), 0, MODEL_REPS, np.array(families)) @ values
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Estimate(value=float(values.mean()), low=float(low), high=float(high), level=0.95, unit=unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "method": self.method,
            "n": self.n,
            "predictions": self.rows,
            "errors": json_ready(self.error_rows()),
            "loadings": json_ready(self.loading_rows()),
            "families": self.family_rows(),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [self.method]
        lines += [
            f"  {row['knows']}: mean absolute error {row['mean_abs_error']:.3f} on {row['models']} models"
            for row in self.error_rows()
            if row["mean_abs_error"] is not None
        ]
        return "\n".join([*lines, *(f"  ! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _correlation(x: Array, y: Array) -> float:
    here = np.isfinite(x) & np.isfinite(y)
    if here.sum() < 3 or np.ptp(x[here]) == 0 or np.ptp(y[here]) == 0:
        return 0.0
    return float(np.corrcoef(x[here], y[here])[0, 1])
